/** The answers of the service: statuses and bodies, as recorded. */
import { write } from "../server/json.ts"
import type { Answer } from "../server/message.ts"

/** An answer whose body is JSON text already. */
export const json = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "text/javascript; charset=\"UTF-8\"" },
  body
})

const value = (status: number, body: unknown): Answer => json(status, write(body))

/** An answer of Access Manager, which checks the requests to every endpoint. */
const accessManager = (status: number, message: string) =>
  value(status, { message, error: true, service: "Access Manager", status })

export const invalidSubscribeKey = accessManager(400, "Invalid Subscribe Key")
export const missingUserId = accessManager(400, "Missing UUID")
export const invalidTimestamp = accessManager(400, "Invalid Timestamp")
export const wrongSignature = accessManager(403, "Signature Does Not Match")

/** The order of the fields is from a recording, the text about an expired token from the documents. */
export const uselessToken = (why: "expired" | "revoked") =>
  value(403, { error: true, status: 403, service: "Access Manager", message: `Token is ${why}` })

/** The texts are guesses. */
export const unknownToken = accessManager(403, "Invalid token")
export const tokenOfAnother = accessManager(403, "Forbidden")
export const unsignedGrant = accessManager(403, "Signature is required")

export const granted = (token: string) =>
  value(200, { data: { message: "Success", token }, service: "Access Manager", status: 200 })
export const revoked = value(200, { data: { message: "Success" }, service: "Access Manager", status: 200 })

const badAccess = (source: string, message: string, details: ReadonlyArray<object>) =>
  value(400, { error: { message, source, details }, service: "Access Manager", status: 400 })

export const badGrant = (message: string, detail: string, location: string) =>
  badAccess("grant", message, [{ message: detail, location, locationType: "body" }])
export const badRevoke = (detail: string) =>
  badAccess("revoke", "Invalid token", [{ message: detail, location: "token", locationType: "path" }])

/** Refused names. The service puts a colon before the name of a group. */
export const forbidden = (channels: ReadonlyArray<string>, groups: ReadonlyArray<string> = []) =>
  value(403, {
    message: "Forbidden",
    payload: {
      ...(channels.length > 0 ? { channels } : {}),
      ...(groups.length > 0 ? { "channel-groups": groups.map((group) => `:${group}`) } : {})
    },
    error: true,
    service: "Access Manager",
    status: 403
  })

export const requestUriTooLong = value(414, {
  status: 414,
  service: "Balancer",
  error: true,
  message: "Request URI Too Long"
})

export const requestEntityTooLarge = value(413, {
  status: 413,
  service: "Balancer",
  error: true,
  message: "Request Entity Too Large"
})

/** For an unknown compression. The text is a guess. */
export const unsupportedMediaType = value(415, {
  status: 415,
  service: "Balancer",
  error: true,
  message: "Unsupported Media Type"
})

export const badRequest = value(400, { status: 400, error: true, message: "Bad Request", service: "Balancer" })
export const notFound = value(404, { status: 404, error: true, message: "Not Found", service: "Balancer" })

export const sent = (timetoken: bigint) => value(200, [1, "Sent", String(timetoken)])
export const invalidPublishKey = (timetoken: bigint) => value(400, [0, "Invalid Key", String(timetoken)])
export const invalidJson = (timetoken: bigint) => value(400, [0, "Invalid JSON", String(timetoken)])
export const messageTooLarge = (timetoken: bigint) => value(400, [0, "Message Too Large", String(timetoken)])
export const signalTooLarge = (timetoken: bigint) => value(400, [0, "Signal size too large", String(timetoken)])

/** The time is a bare number of 17 digits, which a JSON encoder would round. */
export const time = (timetoken: bigint) => json(200, `[${timetoken}]`)

export const badSubscribe = (message: string) => value(400, { status: 400, error: true, message, service: "Subscribe" })

/** For groups without channels. Status and message are known; the other fields are a guess. */
export const emptySubscription = badSubscribe("Channel group or groups result in empty subscription set")

/** The cursor and the envelopes, each JSON text already. */
export const page = (cursor: bigint, region: number, envelopes: ReadonlyArray<string>) =>
  json(200, `{"t":{"t":"${cursor}","r":${region}},"m":[${envelopes.join(",")}]}`)

export const presence = (body: object) => value(200, { status: 200, message: "OK", service: "Presence", ...body })
export const badPresence = (message: string) => value(400, { status: 400, error: 1, message, service: "Presence" })
export const noPresence = value(402, {
  status: 402,
  error: 1,
  message: "Not available for used key set",
  service: "Presence"
})

export const registry = (body: object) =>
  value(200, { status: 200, ...body, service: "channel-registry", error: false })
export const badRegistry = (message: string) =>
  value(400, { status: 400, message, service: "channel-registry", error: true })
export const noStreamController = (feature: string) =>
  value(403, {
    status: 403,
    message:
      `Use of the ${feature} API requires the Stream Controller add-on which is not enabled for this subscribe key. ` +
      "Login to your PubNub Dashboard Account and ADD the Stream Controller add-on. " +
      "Contact support@pubnub.com if you require further assistance.",
    service: "channel-registry",
    error: true
  })

export const push = (body: ReadonlyArray<unknown>) => value(200, body)
/** The error is text, without a status. */
export const badPush = (error: string) => value(400, { error })
export const noPush = value(403, {
  status: 403,
  error: true,
  message: "Push notifications are not enabled for this subscribe key"
})

export const storage = (body: object) => value(200, { status: 200, error: false, error_message: "", ...body })
const storageError = (status: number, message: string) =>
  value(status, { status, error: true, error_message: message, channels: {} })
export const badStorage = (message: string) => storageError(400, message)
export const noPersistence = storageError(
  403,
  "Use of the history API requires the Storage & Playback add-on which is not enabled for this subscribe key."
)

/** A problem with one part of a request. */
export interface Detail {
  readonly message: string
  readonly location: string
  readonly locationType: "body" | "path" | "query"
}

const invalidInput = "Request payload contained invalid input."
const notPermitted = "Supplied authorization key does not have the permissions required to perform this operation."

const actionError = (status: number, message: string, details: ReadonlyArray<Detail> = []) =>
  value(status, { status, error: { source: "actions", message, ...(details.length > 0 ? { details } : {}) } })

export const action = (data: object) => value(200, { status: 200, data })
/** The change was made, but not published. */
export const actionUnpublished = (data: object, event: "added" | "removed") =>
  value(207, {
    status: 207,
    data,
    error: {
      message: event === "added"
        ? "Stored but failed to publish message action."
        : "Deleted but failed to publish removed events.",
      source: "actions"
    }
  })
export const actionPage = (data: ReadonlyArray<object>, more: object | undefined) =>
  value(200, { status: 200, data, ...(more === undefined ? {} : { more }) })
export const actionExists = actionError(409, "Action Already Added")
export const badAction = (details: ReadonlyArray<Detail>, message = invalidInput) => actionError(400, message, details)
export const actionsForbidden = actionError(403, notPermitted)
export const noActions = actionError(
  403,
  "Use of the message actions API requires the Storage & Playback add-on which is not enabled for this subscribe key."
)

/** App Context says `application/json`, unlike everything before it. */
const objectsAnswer = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body
})

const objectsError = (status: number, message: string, details: ReadonlyArray<Detail> = []) =>
  objectsAnswer(
    status,
    JSON.stringify({ status, error: { message, source: "objects", ...(details.length > 0 ? { details } : {}) } })
  )

export const object = (data: object | null) => objectsAnswer(200, JSON.stringify({ status: 200, data }))
export const objectPage = (page: {
  readonly data: ReadonlyArray<object>
  readonly totalCount: number | undefined
  readonly next: string | undefined
  readonly prev: string | undefined
}) => objectsAnswer(200, JSON.stringify({ status: 200, ...page }))
export const objectNotFound = objectsError(404, "Requested object was not found.")
export const objectModified = (kind: "User" | "Channel") =>
  objectsError(412, `${kind} to update has been modified after it was read.`)
export const badObject = (details: ReadonlyArray<Detail>, message = invalidInput) => objectsError(400, message, details)
export const objectsForbidden = objectsError(403, notPermitted)
export const noObjects = objectsError(
  403,
  "Use of the objects API requires the App Context add-on which is not enabled for this subscribe key."
)

/** Files say `application/json`, as App Context does. */
const filesError = (status: number, message: string, code: number) =>
  objectsAnswer(status, JSON.stringify({ status, error: { message, source: "Files", code } }))

export const file = (body: object) => objectsAnswer(200, JSON.stringify({ status: 200, ...body }))
/** The code of wrong channels. Others are not known. */
export const badFile = (message: string) => filesError(400, message, 3001)
export const noFiles = filesError(402, "Files service not enabled for subkey", 3005)
export const fileLink = (location: string): Answer => ({ status: 307, headers: { location }, body: "" })

/** The refusals of the storage of files: their status, code and text. Those of links and forms that are too old share a code. */
const storageRefusals = {
  AuthorizationQueryParametersError: [
    400,
    "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""
  ],
  EntityTooLarge: [400, "Your proposed upload exceeds the maximum allowed size"],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size"],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidArgument: [400, "POST requires exactly one file upload per request."],
  InvalidRange: [416, "The requested range is not satisfiable"],
  LinkExpired: [403, "Request has expired", "AccessDenied"],
  MalformedPOSTRequest: [400, "The body of your POST request is not well-formed multipart/form-data."],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource."],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header."],
  NoSuchKey: [404, "The specified key does not exist."],
  PolicyExpired: [403, "Invalid according to Policy: Policy expired.", "AccessDenied"],
  PolicyMismatch: [403, "Invalid according to Policy: Policy Condition failed", "AccessDenied"],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
  ],
  SlowDown: [503, "Please reduce your request rate."]
} as const satisfies Readonly<Record<string, readonly [status: number, message: string, code?: string]>>

export type StorageRefusal = keyof typeof storageRefusals

export const isStorageRefusal = (name: string): name is StorageRefusal => Object.hasOwn(storageRefusals, name)

const xml = (status: number, code: string, message: string, more = ""): Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}` +
    "<RequestId>EMULATED</RequestId><HostId>EMULATED</HostId></Error>"
})

export const storageRefused = (refusal: StorageRefusal): Answer => {
  const [status, message, code = refusal] = storageRefusals[refusal]
  return xml(status, code, message)
}

export const fileTooLarge = (size: number, limit: number): Answer => {
  const [status, message] = storageRefusals.EntityTooLarge
  const more = `<ProposedSize>${size}</ProposedSize><MaxSizeAllowed>${limit}</MaxSizeAllowed>`
  return xml(status, "EntityTooLarge", message, more)
}

export const tooManyRequests = value(429, {
  status: 429,
  error: true,
  message: "Too Many Requests",
  service: "Balancer"
})
