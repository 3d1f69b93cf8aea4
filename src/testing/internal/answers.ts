/** What the service says: its bodies and statuses, as recorded. */

/** An answer on its way to the client. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer whose body is JSON text already. */
export const json = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "text/javascript; charset=\"UTF-8\"" },
  body
})

const value = (status: number, body: unknown): Answer => json(status, JSON.stringify(body))

/** An answer of the Access Manager, the guard in front of every endpoint. */
const accessManager = (status: number, message: string) =>
  value(status, { message, error: true, service: "Access Manager", status })

export const invalidSubscribeKey = accessManager(400, "Invalid Subscribe Key")
export const missingUserId = accessManager(400, "Missing UUID")
export const invalidTimestamp = accessManager(400, "Invalid Timestamp")
export const invalidSignature = accessManager(403, "Invalid Signature")
export const tokenRevoked = value(403, {
  error: true,
  status: 403,
  service: "Access Manager",
  message: "Token is revoked"
})

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
      `Use of the ${feature} API requires the Stream Controller add-on which is not enabled for this subscribe key.`,
    service: "channel-registry",
    error: true
  })

export const storage = (body: object) => value(200, { status: 200, error: false, error_message: "", ...body })
const storageError = (status: number, message: string) =>
  value(status, { status, error: true, error_message: message, channels: {} })
export const badStorage = (message: string) => storageError(400, message)
export const noPersistence = storageError(
  403,
  "Use of the history API requires the Storage & Playback add-on which is not enabled for this subscribe key."
)

export const tooManyRequests = value(429, {
  status: 429,
  error: true,
  message: "Too Many Requests",
  service: "Balancer"
})
