/**
 * The newest messages of a range, and then each message as it comes.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as History from "../../pubnub/History.ts"
import * as EventStreams from "../../pubnub/internal/reading/eventStreams.ts"
import * as Subscribe from "../../pubnub/Subscribe.ts"
import type * as SubscribeEvent from "../../pubnub/SubscribeEvent.ts"
import * as Time from "../../pubnub/Time.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"

/**
 * How far before the first request the subscription starts, in units of a timetoken: 10 seconds. A message may reach history
 * that long after it was published.
 */
const overlap = 100_000_000n

/**
 * Streams the newest `limit` entries of a range, oldest first, and then all that come. The subscription starts shortly before
 * the end of the range, and leaves out what history gave already. Notices are logged.
 */
export const follow = ({ channel, limit, since }: {
  readonly channel: string
  readonly since: Timetoken.Timetoken | undefined
  readonly limit: number
}) =>
  Stream.unwrap(Effect.gen(function*() {
    const start = before(yield* Time.now, overlap)
    const newest = yield* Stream.runCollect(Stream.take(History.stream({ channel, since }), limit))
    // Older messages are not wanted, even if the subscription gives them: `since` or `limit` excludes them.
    const oldest = newest.length < limit ? since : newest.at(-1)?.timetoken
    const from = oldest === undefined ? start : Order.max(Timetoken.Order)(start, before(oldest, 1n))
    const printed = new Set(newest.filter(({ timetoken = from }) => timetoken >= from).map(keyOf))
    const live = EventStreams.only(Subscribe.stream({ channels: [channel], from }), [
      "Message",
      "FileShared",
      "Undecodable"
    ])
    return Stream.concat(
      Stream.fromIterable(newest.toReversed()),
      live.pipe(
        Stream.map((event) => toStored(event, channel)),
        Stream.filter((entry) => !printed.delete(keyOf(entry)))
      )
    )
  }))

const before = (timetoken: Timetoken.Timetoken, units: bigint): Timetoken.Timetoken =>
  Option.getOrElse(Timetoken.fromBigInt(Timetoken.toBigInt(timetoken) - units), () => timetoken)

const keyOf = (entry: History.Stored): string =>
  Json.text([entry.timetoken, entry.publisher, entry._tag === "StoredUndecodable" ? entry.raw : entry.payload])

const toStored = (
  event: SubscribeEvent.Message | SubscribeEvent.FileShared | SubscribeEvent.Undecodable,
  channel: string
): History.Stored => {
  const { cursor: _cursor, ...entry } = event
  if (entry._tag === "Undecodable") return { channel, ...entry, _tag: "StoredUndecodable" }
  const { region: _region, subscription: _subscription, ...rest } = entry
  return rest._tag === "Message" ? { ...rest, _tag: "StoredMessage" } : { ...rest, _tag: "StoredFile" }
}
