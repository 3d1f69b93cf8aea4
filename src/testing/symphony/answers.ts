/** The answers of a pod: statuses and bodies. */
import { write } from "../server/json.ts"
import type { Answer } from "../server/message.ts"

export const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json;charset=UTF-8" },
  body: write(body)
})

export const ok = (body: unknown): Answer => json(200, body)

/** The content of a file. */
export const text = (body: string): Answer => ({
  status: 200,
  headers: { "content-type": "application/octet-stream" },
  body
})

/** Nothing was found, or there is nothing to answer. */
export const noContent: Answer = { status: 204, headers: {}, body: "" }

/** An error, in the shape that the Agent and the pod share. */
export const error = (status: number, message: string): Answer => json(status, { code: status, message })

export const badRequest = (message: string) => error(400, message)
export const forbidden = error(403, "The user lacks the required entitlement to perform this operation")
export const notFound = error(404, "No such resource")
export const methodNotAllowed = error(405, "Method not allowed")
export const tooLarge = error(413, "The message and its files are larger than 30 MB")
export const uriTooLong = error(414, "The address is too long")
export const unsupportedMediaType = error(415, "The encoding of the content is not known")
export const tooManyRequests = error(429, "Too many requests")
export const blocked = error(451, "Compliance issues found in message or file")
export const invalidSession = error(401, "Invalid session")
export const notAuthenticated = error(401, "Authentication failed")

/** The code in the body is not the status, as in the vendor's own examples. */
export const unknownMessage = json(404, { code: 403, message: "The message does not exist" })
