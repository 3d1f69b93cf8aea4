/**
 * Messages with parts for push services, which must be able to read them. The message proper is encrypted beside them, under
 * `pn_other`.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Json from "../../../internal/json.ts"

const other = "pn_other"

const isPart = (key: string): boolean => key === "pn_apns" || key === "pn_fcm" || key === "pn_gcm"

/** The parts for push services, and the text of the message proper. Undefined if it has no such parts. */
export const split = (
  text: string
): { readonly parts: { readonly [key: string]: unknown }; readonly proper: string } | undefined => {
  if (!text.startsWith("{") || !text.includes("\"pn_")) return undefined
  const message = Result.getOrUndefined(Json.parse(text))
  if (!Json.isRecord(message)) return undefined
  const entries = Object.entries(message)
  const parts = entries.filter(([key]) => isPart(key))
  if (parts.length === 0) return undefined
  const rest = entries.filter(([key]) => !isPart(key))
  const [first] = rest
  // A message that is no object has its place there already.
  const proper = rest.length === 1 && first?.[0] === other ? first[1] : Object.fromEntries(rest)
  return { parts: Object.fromEntries(parts), proper: Json.text(proper) }
}

/** The message with its parts for push services. Other clients write quotes into `pn_other`, and expect them there. */
export const joined = (parts: { readonly [key: string]: unknown }, ciphertext: string): string =>
  Json.text({ ...parts, [other]: `"${ciphertext}"` })

/** The ciphertext of a received payload, if it can have one. */
export const ciphertextOf = (payload: Schema.Json): string | undefined => {
  if (typeof payload === "string") return payload
  if (!Json.isRecord(payload)) return undefined
  const text = payload[other]
  if (typeof text !== "string") return undefined
  return text.startsWith("\"") && text.endsWith("\"") ? text.slice(1, -1) : text
}
