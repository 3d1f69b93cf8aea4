/**
 * Reads stored messages: the request for a page of history, the request for counts, and the fields of an entry.
 * Shared by `History`, which shows them to the caller, and by the readers that fill gaps from them.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import { MessageAction } from "../../MessageAction.ts"
import { Timetoken } from "../../Timetoken.ts"
import type * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
import { path, subscribeKey } from "./path.ts"
import { isTimetoken } from "./timetokens.ts"

export interface PageRequest {
  readonly channels: ReadonlyArray<string>
  /** The oldest timetoken that belongs to the range. */
  readonly since: string | undefined
  /** The first timetoken that does not belong to it any more. */
  readonly before: string | undefined
  /** The most entries of each channel. */
  readonly limit: number
  readonly actions: boolean
  readonly meta: boolean
}

/** The newest entries of the range, oldest first, as they came. */
export interface Page {
  readonly entries: ReadonlyArray<Schema.Json>
  /** Where the next older page ends, if the service says it. */
  readonly more: Timetoken | undefined
}

/** The most entries of each channel in one answer. */
export const most = (channels: number, actions = false): number => channels > 1 || actions ? 25 : 100

const decodeAnswer = Codec.decodeResult(Schema.Struct({
  channels: Schema.Record(Schema.String, Schema.Array(Envelope.Parsed)),
  more: Envelope.optional(Schema.Struct({ start: Timetoken }))
}))

const decodeCounts = Codec.decodeResult(
  Schema.Struct({ channels: Schema.Record(Schema.String, Schema.Int) })
)

const longInput = { location: "channels", advice: "ask for fewer at once" }

/** A page of each channel. A channel without entries has an empty one. */
export const pages = (request: PageRequest): Endpoint.Endpoint<ReadonlyMap<string, Page>> => ({
  operation: "History.list",
  path: request.actions
    ? path`/v3/history-with-actions/sub-key/${subscribeKey}/channel/${request.channels}`
    : path`/v3/history/sub-key/${subscribeKey}/channel/${request.channels}`,
  query: {
    max: String(request.limit),
    start: request.before,
    end: request.since,
    include_uuid: "true",
    include_message_type: "true",
    include_custom_message_type: "true",
    include_meta: String(request.meta)
  },
  longInput,
  attributes: { "messaging.destination.name": request.channels.join(",") },
  // Payloads keep their numbers.
  parse: Json.parse,
  decode: (json) =>
    Result.flatMap(decodeAnswer(json), ({ channels, more }) => {
      const count = Object.values(channels).reduce((sum, entries) => sum + entries.length, 0)
      if (count > mostEntries) return Result.fail(`it has ${count} entries, more than anybody asked for`)
      return Result.map(
        ofEach(request.channels, channels, []),
        (found) => new Map(Array.from(found, ([channel, entries]) => [channel, { entries, more: more?.start }]))
      )
    })
})

/** The most entries of an answer. 500 channels with 25 each have far fewer. */
const mostEntries = 100_000

/** Counts the entries of each channel after a timetoken: one for all channels, or one for each. */
export const counts = (
  channels: ReadonlyArray<string>,
  after: string | ReadonlyArray<string>
): Endpoint.Endpoint<ReadonlyMap<string, number>> => ({
  operation: "History.count",
  path: path`/v3/history/sub-key/${subscribeKey}/message-counts/${channels}`,
  query: typeof after === "string" ? { timetoken: after } : { channelsTimetoken: after.join(",") },
  longInput,
  decode: (json) => Result.flatMap(decodeCounts(json), (answer) => ofEach(channels, answer.channels, 0))
})

/**
 * What an answer has of each channel. The service escapes the names, and leaves out channels of which it has nothing. An answer
 * about other channels instead is none.
 */
const ofEach = <A>(
  channels: ReadonlyArray<string>,
  answer: { readonly [name: string]: A },
  nothing: A
): Result.Result<ReadonlyMap<string, A>, string> => {
  const plain = new Map(Object.entries(answer))
  const escaped = new Map(Array.from(plain, ([name, value]) => [unescape(name), value]))
  const found = new Map(channels.map((channel) => [channel, escaped.get(channel) ?? plain.get(channel)]))
  const isOther = (name: string) => !found.has(name) && !found.has(unescape(name))
  return [...found.values()].includes(undefined) && [...plain.keys()].some(isOther)
    ? Result.fail("it is about other channels")
    : Result.succeed(new Map(Array.from(found, ([channel, value]) => [channel, value ?? nothing])))
}

const unescape = (name: string): string => Option.getOrElse(Option.liftThrowable(decodeURIComponent)(name), () => name)

export const Actions = Schema.Record(
  Schema.String,
  Schema.Record(
    Schema.String,
    Schema.Array(Schema.Struct({ uuid: MessageAction.fields.userId, actionTimetoken: Timetoken }))
  )
)

export const Entry = Schema.Struct({
  message: Envelope.Parsed,
  timetoken: Timetoken,
  uuid: Envelope.optional(Schema.String),
  message_type: Envelope.optional(Schema.Union([Schema.Int, Schema.String])),
  custom_message_type: Envelope.optional(Schema.String),
  meta: Envelope.optional(Envelope.Parsed),
  actions: Envelope.optional(Actions)
})

const decodeEntry = Codec.decodeResult(Entry)

/** The usual entries, checked by hand: a check that loops over the names of fields takes five times as long. */
export const isUsual = (raw: Schema.Json): raw is typeof Entry.Type => {
  if (!Json.isRecord(raw)) return false
  const { actions, custom_message_type, message, message_type, timetoken, uuid } = raw
  return message !== undefined && isTimetoken(timetoken) && Envelope.isTextOrNothing(uuid) &&
    (Envelope.isTextOrNothing(message_type) || Number.isSafeInteger(message_type)) &&
    Envelope.isTextOrNothing(custom_message_type) && (actions === undefined || actions === null)
}

/**
 * The kind of an entry, as the number that its envelope has. Only old entries have text here: it is empty, or says nothing of
 * the kind (recorded: `"1"` on a published message). The service stores only messages and files.
 */
const kindOf = (type: number | string | null | undefined): number =>
  typeof type === "number" ? type : type === "4" ? 4 : 0

/** The parts of an entry. */
export const partsOf = (
  { actions, custom_message_type, message, message_type, meta, timetoken, uuid }: typeof Entry.Type
) => ({
  message,
  timetoken,
  kind: kindOf(message_type),
  publisher: Envelope.publisherOf(uuid),
  meta: Envelope.given(meta) ? meta : undefined,
  customMessageType: Envelope.given(custom_message_type) ? custom_message_type : undefined,
  actions: actions ?? undefined
})

/** Decodes an entry, or says what is wrong with it. */
export const read = (raw: Schema.Json): Result.Result<ReturnType<typeof partsOf>, string> =>
  isUsual(raw) ? Result.succeed(partsOf(raw)) : Result.map(decodeEntry(raw), partsOf)
