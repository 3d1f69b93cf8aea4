/**
 * What messages and shared files have in common: the checks of their options, and the answer to both.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import type * as Input from "../../../internal/input.ts"
import * as ChannelName from "../../ChannelName.ts"
import { Timetoken } from "../../Timetoken.ts"
import { isTimetoken } from "./timetokens.ts"

/** A channel that users publish to. */
export const channel = (value: string): Input.Problem =>
  ChannelName.isPresence(value) ? "ends in -pnpres, to which only the service publishes" : ChannelName.issue(value)

/** A label, or none. */
export const customType: Input.Check = (value) =>
  value === undefined || typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9_-]{2,49}$/.test(value)
    ? undefined
    : "must be 3 to 50 of letters, digits, _ and -, the first a letter or a digit"

/** A time to live as the service writes it: whole hours, or `0` for ever. */
export const hoursOf = (ttl: Duration.Input): string | undefined => {
  const hours = Option.getOrElse(Option.map(Duration.fromInput(ttl), Duration.toHours), () => 0)
  return hours === Infinity ? "0" : Number.isSafeInteger(hours) && hours > 0 ? String(hours) : undefined
}

/** A time to live, or none. */
export const ttl = (value: Duration.Input | undefined): Input.Problem =>
  value === undefined || hoursOf(value) !== undefined ? undefined : "is not a whole number of hours"

/** What the service says of a message that it accepted. */
interface Sent {
  readonly timetoken: Timetoken
}

const Answer = Schema.Tuple([Schema.Literal(1), Schema.String, Timetoken])
const decodeAnswer = Codec.decodeBySchema(Answer)

// The usual answer needs no schema, which costs ten times as much. It says what is wrong with any other.
export const decodeSent = (json: Schema.Json): Result.Result<Sent, string> =>
  Array.isArray(json) && json.length === 3 && json[0] === 1 && typeof json[1] === "string" && isTimetoken(json[2])
    ? Result.succeed({ timetoken: json[2] })
    : Result.map(decodeAnswer(json), ([, , timetoken]) => ({ timetoken }))
