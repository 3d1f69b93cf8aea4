/** One envelope of each kind and variant, delivered through a subscription. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { PubNubConfig, Subscribe, SubscribeEvent } from "effect-herald/pubnub"
import * as Kit from "./kit.ts"
import * as Replay from "./replay.ts"
import * as Wire from "./wire.ts"

/** The events that a kind may be; every kind of the kit is here. */
const tags: { readonly [kind: string]: SubscribeEvent.Received["_tag"] } = {
  "app-context.channel.delete": "ChannelRemoved",
  "app-context.channel.set": "ChannelSet",
  "app-context.membership.delete": "MembershipRemoved",
  "app-context.membership.set": "MembershipSet",
  "app-context.uuid.delete": "UserRemoved",
  "app-context.uuid.set": "UserSet",
  "app-context.uuid.set.cleared": "UserSet",
  "data-sync.entity.create": "Unknown",
  "data-sync.entity.delete": "Unknown",
  "file": "FileShared",
  "file.no-message": "FileShared",
  "message": "Message",
  "message-action.added": "MessageActionAdded",
  "message-action.removed": "MessageActionRemoved",
  "message.custom-type": "Message",
  "message.encrypted": "Message",
  "message.meta": "Message",
  "presence.interval+join": "Interval",
  "presence.interval+join+leave+timeout": "Interval",
  "presence.interval+timeout": "Interval",
  "presence.interval.here-now-refresh": "Interval",
  "presence.join": "Joined",
  "presence.leave": "Left",
  "presence.state-change": "StateChanged",
  "presence.timeout": "TimedOut",
  "signal": "Signal",
  "signal.custom-type": "Signal",
  "unknown-type": "Unknown"
}

const Origin = Schema.Struct({
  c: Schema.String,
  k: Schema.String,
  b: Schema.optionalKey(Schema.String),
  p: Schema.Struct({ t: Schema.String, r: Schema.Int })
})
const originOf = Schema.decodeUnknownSync(Origin)

/** The events of a page with this envelope, and what followed. */
const deliver = Effect.fnUntraced(function*({ envelope, subscribedTo }: Kit.EventCase) {
  const { b, c, k, p } = originOf(envelope)
  yield* TestClock.setTime(Number(BigInt(p.t) / 10_000n))
  const before = String(BigInt(p.t) - 10_000_000n)
  const pages = [
    `{"t":{"t":"${before}","r":${p.r}},"m":[]}`,
    `{"t":{"t":"${p.t}","r":${p.r}},"m":[${JSON.stringify(envelope)}]}`
  ]
  return yield* Subscribe.stream({ ...subscribedTo ?? { channels: [b ?? c] } }).pipe(
    Stream.take(2),
    Stream.runCollect,
    Effect.provideService(
      HttpClient.HttpClient,
      Replay.client(({ url }) => {
        if (url.pathname.endsWith("/leave")) return new Response("{\"status\":200}")
        const page = pages.shift()
        return page === undefined ? "hang" : new Response(page)
      })
    ),
    Effect.provideService(PubNubConfig.PubNubConfig, PubNubConfig.make({ subscribeKey: k, userId: "reader" }))
  )
})

let events = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [`events ${events}`]

const isEvent = Schema.is(SubscribeEvent.SubscribeEvent(Schema.Json))

export const suite = () => {
  describe("recorded events", () => {
    const all = Kit.events()

    it("are of every kind that the client knows", () => {
      const known: ReadonlySet<string> = new Set(Object.values(tags))
      assert.deepStrictEqual(
        new Set(all.map(({ kind }) => tags[kind] ?? kind)),
        known
      )
      assert.strictEqual(known.size, 17)
    })

    for (const [index, entry] of all.entries()) {
      it.effect(`${index} ${entry.kind}${entry.variant === undefined ? "" : `, ${entry.variant}`}`, () =>
        Effect.gen(function*() {
          const [connected, event] = yield* deliver(entry)
          assert.strictEqual(connected?._tag, "Connected")
          if (event === undefined) return assert.fail("nothing was delivered")
          const { p } = originOf(entry.envelope)
          assert.strictEqual(event._tag, tags[entry.kind])
          assert.deepStrictEqual(Wire.plain(event), Wire.expectedEvent(entry.envelope))
          const cursor = "cursor" in event ? event.cursor : undefined
          assert.deepInclude({ ...cursor }, { position: p.t, region: p.r, delivered: [] } as object)
          assert.isAtMost(cursor?.recent?.marks.length ?? 0, 12)
          assert.isTrue(isEvent(event), "does not match the schema of events")
          if (entry.kind === "message.encrypted" && event._tag === "Message") assert.isString(event.payload)
          events++
        }))
    }
  })
}
