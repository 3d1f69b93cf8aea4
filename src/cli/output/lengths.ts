/**
 * Lengths of time in JSON, as milliseconds. A codec writes them as objects, which shell scripts cannot compare.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"

/** The fields of statuses and errors that hold a length of time. */
const fields = ["after", "downFor", "retryAfter", "retryIn"]

const decode = Schema.decodeUnknownOption(Schema.toCodecJson(Schema.Duration))

const ofFields = (object: object): object =>
  Record.map(
    { ...object },
    (value: unknown, field) =>
      fields.includes(field) ? Option.match(decode(value), { onNone: () => value, onSome: Duration.toMillis }) : value
  )

/** Replaces the lengths of time of an encoded status or error, and of its reason. Payloads stay as they are. */
export const inMillis = (json: unknown): unknown => {
  if (!Predicate.isObject(json)) return json
  const { reason } = { reason: undefined, ...json }
  return { ...ofFields(json), ...Predicate.isObject(reason) && { reason: ofFields(reason) } }
}
