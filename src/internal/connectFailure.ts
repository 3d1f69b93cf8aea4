/**
 * Recognizes failures of the connect phase: no connection existed, so nothing was sent. It reads the field that names the failed
 * system call, and the codes of Node, undici, OpenSSL and the system.
 */

/** What the advice of an error is about. */
export type Kind = "PlainPort" | "Certificate"

const unreached = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_HANDSHAKE_TIMEOUT",
  "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
  "ERR_SSL_UNSUPPORTED_PROTOCOL"
])

/** The port speaks plain HTTP. */
const ofPlainPort = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_HTTP_REQUEST",
  "EPROTO"
])

/** What Node and OpenSSL find wrong with a certificate before a connection is there. */
const ofCertificate =
  /^(?:(?:CERT|CRL|DEPTH_ZERO|ERR_TLS_CERT|SELF_SIGNED|UNABLE_TO)_\w+|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/

/** The kind of advice for a failure, if its code says it. */
export const kindOf = (code: string | undefined): Kind | undefined => {
  if (code === undefined) return undefined
  return ofPlainPort.has(code) ? "PlainPort" : ofCertificate.test(code) ? "Certificate" : undefined
}

/** An error that caused a failure. */
export interface Cause {
  readonly code: string | undefined
  readonly isOfConnectPhase: boolean
}

/**
 * All errors that caused a failure, at least one. Happy eyeballs report one for each address. If one of them is not of the connect
 * phase, the request may have been sent.
 */
export const causesOf = (failure: unknown): ReadonlyArray<Cause> => {
  const causes: Array<Cause> = []
  // A loop over a set visits items that are added meanwhile, and each of them once: causes may be many, deep and cyclic.
  const errors = new Set([failure])
  for (const error of errors) {
    const code = textOf(error, "code")
    const below = errorsBelow(error, code)
    if (below.length === 0) causes.push({ code, isOfConnectPhase: isOfConnectPhase(error, code) })
    for (const each of below) errors.add(each)
  }
  return causes.length === 0 ? [{ code: undefined, isOfConnectPhase: false }] : causes
}

const textOf = (error: unknown, key: "code" | "syscall" | "message"): string | undefined => {
  const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, key) : undefined
  return typeof value === "string" ? value : undefined
}

/** The causes of an error. */
const errorsBelow = (error: unknown, code: string | undefined): ReadonlyArray<unknown> => {
  if (typeof error !== "object" || error === null) return []
  if ("errors" in error && Array.isArray(error.errors) && error.errors.length > 0) return error.errors
  return code === undefined && "cause" in error ? [error.cause] : []
}

const isOfConnectPhase = (error: unknown, code: string | undefined): boolean => {
  if (code === undefined) return false
  const syscall = textOf(error, "syscall")
  return unreached.has(code) || kindOf(code) !== undefined || syscall === "connect" || syscall === "getaddrinfo" ||
    // Node uses the code of any broken connection here. Only the text shows the phase.
    code === "ECONNRESET" &&
      textOf(error, "message")?.startsWith("Client network socket disconnected before secure TLS") === true
}
