/**
 * An entry of history in the form of the live service.
 */
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Encryption } from "../../Encryption.ts"
import { Timetoken } from "../../Timetoken.ts"
import { opening } from "../wire/encryption.ts"
import * as Storage from "../wire/storage.ts"
import * as Arrival from "./arrival.ts"

export interface Entry {
  readonly timetoken: string
  readonly channel: string
  readonly id: string | undefined
  /** The entry as an event of each subscribed name. */
  readonly arrivals: ReadonlyArray<Arrival.Arrival>
}

type Timed = { readonly timetoken: string }

export const byTimetoken = (a: Timed, b: Timed): number =>
  a.timetoken < b.timetoken ? -1 : a.timetoken > b.timetoken ? 1 : 0

/** The oldest timetoken of a page before a moment, whatever the order of the page. */
export const oldestOf = (raws: ReadonlyArray<Schema.Json>, before: string): string | undefined =>
  raws.map(timetokenOf).reduce<string | undefined>(
    (oldest, one) => one !== undefined && one < before && (oldest === undefined || one < oldest) ? one : oldest,
    undefined
  )

/**
 * The entries of a page. An entry without a timetoken gets that of the entry before it. The first ones get that of the next one.
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
    // Without a payload this is no envelope, so the event is `Undecodable`.
    const plain: { readonly [key: string]: Schema.Json } = Result.isFailure(read)
      ? { c: channel, stored: raw }
      : envelopeOf(channel, read.success)
    const arrivals = subscriptions.map((b) => Arrival.read({ ...plain, b }))
    return { timetoken: last, channel, id: Result.isFailure(read) ? undefined : arrivals[0]?.id, arrivals }
  })
}

/** Decrypts the messages of a page. */
export const openEntries = (
  encryption: Encryption | undefined,
  entries: ReadonlyArray<Entry>
): Effect.Effect<ReadonlyArray<Entry>> =>
  opening(
    encryption,
    entries,
    ({ arrivals: [first] }) => first === undefined ? undefined : Arrival.sealedOf(first),
    (entry, opened) => ({ ...entry, arrivals: entry.arrivals.map((arrival) => ({ ...arrival, opened })) })
  )

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
