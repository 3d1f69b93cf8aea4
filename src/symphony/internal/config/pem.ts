/**
 * Reads private keys from files and variables, which may have attributes, certificates and indentation around them, and line
 * breaks in any form. If a key is not an RSA key, the error says what it is.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"

/** A key in PKCS#8, as DER. */
type Key = Uint8Array<ArrayBuffer>

// A key has a few thousand characters. The search for the end of a block starts at its beginning.
const begin = /-----BEGIN ([A-Z0-9 ]*)-----/g

const unknown = "is not an RSA key in PEM (PKCS#8 or PKCS#1)"
const damaged = `${unknown}: it is cut short or damaged`
const encrypted = "is encrypted, and there is no way to give its password: decrypt it, for example with openssl pkey"
const other = (kind: string) => `is a key for ${kind}. The key of a bot or an application must be an RSA key`

/** Kinds of keys, by the names of their PEM blocks. */
const kinds = new Map([
  ["EC PRIVATE KEY", other("EC")],
  ["DSA PRIVATE KEY", other("DSA")],
  ["ENCRYPTED PRIVATE KEY", encrypted],
  ["OPENSSH PRIVATE KEY", "is in the format of OpenSSH: convert it to PEM, for example with ssh-keygen -p -m PEM"]
])

/** The object identifiers of algorithms, as their DER in hexadecimal. */
const rsa = "06092a864886f70d010101"
const algorithms: ReadonlyArray<readonly [der: string, kind: string]> = [
  ["06092a864886f70d01010a", "RSA-PSS"],
  ["06072a8648ce3d0201", "EC"],
  ["06072a8648ce380401", "DSA"],
  ["06032b6570", "Ed25519"],
  ["06032b6571", "Ed448"],
  ["06032b656e", "X25519"]
]

/** The beginning of an RSA key without the name of its algorithm: a sequence of a version and a modulus. */
const pkcs1 = /^30(82.{4}|81.{2})020100028/

/** The first private key in a text, in PKCS#8. Fails with what is wrong with it. */
export const read = (text: string): Result.Result<Key, string> => {
  // Environment variables hold a key on one line, with escaped line breaks.
  const pem = text.replaceAll(/\\r|\\n/g, "\n")
  const labels: Array<string> = []
  for (const { 0: { length }, 1: label = "", index } of pem.matchAll(begin)) {
    labels.push(label)
    if (!label.endsWith("PRIVATE KEY")) continue
    const end = pem.indexOf(`-----END ${label}-----`, index)
    return end === -1 ? Result.fail(kinds.get(label) ?? damaged) : keyOf(label, pem.slice(index + length, end))
  }
  return Result.fail(
    labels.some((label) => label.endsWith("PUBLIC KEY"))
      ? `${unknown}: it is a public key`
      : labels.includes("CERTIFICATE")
      ? `${unknown}: it is a certificate, without its private key`
      : unknown
  )
}

/** A header line of an encrypted key. */
const isEncryption = (line: string): boolean => {
  const at = line.indexOf("Proc-Type:")
  return at !== -1 && line.includes("ENCRYPTED", at)
}

const keyOf = (label: string, content: string): Result.Result<Key, string> => {
  if (content.split("\n").some(isEncryption)) return Result.fail(encrypted)
  const kind = kinds.get(label)
  if (kind !== undefined) return Result.fail(kind)
  const decoded = Base64.decode(content.replaceAll(/\s/g, ""))
  if (Result.isFailure(decoded) || decoded.success.length === 0) return Result.fail(damaged)
  const der = decoded.success
  const head = Array.from(der.slice(0, 32), (byte) => byte.toString(16).padStart(2, "0")).join("")
  // Some tools write one format under the name of the other.
  if (head.includes(rsa)) return Result.succeed(Uint8Array.from(der))
  if (label === "RSA PRIVATE KEY" || pkcs1.test(head)) return Result.succeed(pkcs8Of(der))
  const algorithm = algorithms.find(([oid]) => head.includes(oid))
  return Result.fail(algorithm === undefined ? damaged : other(algorithm[1]))
}

/** Wraps a PKCS#1 key in PKCS#8, behind a version and the name of its algorithm. */
const pkcs8Of = (pkcs1: Uint8Array): Key =>
  Uint8Array.from(derOf(0x30, [...version, ...algorithm, ...derOf(0x04, [...pkcs1])]))

const version = [0x02, 0x01, 0x00]
const algorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]

/** A value of 256 to 65,535 bytes in DER: every key that the platform takes has so many. */
const derOf = (tag: number, content: ReadonlyArray<number>): ReadonlyArray<number> => [
  tag,
  0x82,
  content.length >> 8,
  content.length & 0xff,
  ...content
]
