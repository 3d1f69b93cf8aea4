/**
 * An entry of history as the live service would have sent it.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Timetoken } from "../../Timetoken.ts"
import * as Storage from "../wire/storage.ts"
import * as Arrival from "./arrival.ts"

export interface Entry {
  readonly timetoken: string
  readonly channel: string
  readonly id: string | undefined
  /** One for each subscribed name. */
  readonly arrivals: ReadonlyArray<Arrival.Arrival>
}

type Timed = { readonly timetoken: string }

export const byTimetoken = (a: Timed, b: Timed): number =>
  a.timetoken < b.timetoken ? -1 : a.timetoken > b.timetoken ? 1 : 0

/** The oldest time before a moment that a page says, wherever it stands. */
export const oldestOf = (raws: ReadonlyArray<Schema.Json>, before: string): string | undefined =>
  raws.map(timetokenOf).reduce<string | undefined>(
    (oldest, one) => one !== undefined && one < before && (oldest === undefined || one < oldest) ? one : oldest,
    undefined
  )

/**
 * The entries of a page. One that says no time stands where the one before it does, and the first of them where the next one
 * does.
 */
export const entriesOf = (
  channel: string,
  subscriptions: ReadonlyArray<string>,
  raws: ReadonlyArray<Schema.Json>,
  since: bigint
): ReadonlyArray<Entry> => {
  let last = raws.map(timetokenOf).find((timetoken) => timetoken !== undefined) ?? String(since)
  return raws.map((raw) => {
    const read = Storage.read(raw)
    last = timetokenOf(raw) ?? last
    // Without a payload it is no envelope, and so told as what cannot be read.
    const plain: { readonly [key: string]: Schema.Json } = Result.isFailure(read)
      ? { c: channel, stored: raw }
      : envelopeOf(channel, read.success)
    const arrivals = subscriptions.map((b) => Arrival.read({ ...plain, b }))
    return { timetoken: last, channel, id: Result.isFailure(read) ? undefined : arrivals[0]?.id, arrivals }
  })
}

const decodeTimetoken = Schema.decodeUnknownOption(Schema.Struct({ timetoken: Timetoken }))

const timetokenOf = (raw: Schema.Json): string | undefined =>
  Option.getOrUndefined(Option.map(decodeTimetoken(raw), ({ timetoken }) => timetoken))

const envelopeOf = (
  channel: string,
  { customMessageType, kind, message, meta, publisher, timetoken }: Result.Result.Success<
    ReturnType<typeof Storage.read>
  >
): { readonly [key: string]: Schema.Json } => ({
  c: channel,
  d: message,
  p: { t: timetoken },
  ...(kind === 0 ? {} : { e: kind }),
  ...(publisher === undefined ? {} : { i: publisher }),
  ...(meta === undefined ? {} : { u: meta }),
  ...(customMessageType === undefined ? {} : { cmt: customMessageType })
})
