/** Twenty thousand damaged answers: each is a value or a named error, and none is a defect. */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import {
  type AppContext,
  Members,
  MessageActions,
  Publish,
  PubNubConfig,
  type PubNubError,
  Subscribe,
  type SubscribeError,
  Time,
  Users
} from "effect-herald/pubnub"
import { Transport } from "effect-herald/testing"
import { start } from "../kit/emulated.ts"
import { lists, objects } from "../kit/nested.ts"
import { casesOf } from "../simulation/seeds.ts"

const bodies: ReadonlyArray<string> = [
  "[1,\"Sent\",\"17334108326343660\"]",
  "[17334108326343660]",
  "[0,\"Invalid Key\",\"14820999375199241\"]",
  "{\"message\":\"Forbidden\",\"payload\":{\"channels\":[\"a\"],\"channel-groups\":[\":g\"]},\"error\":true,\"service\":\"Access Manager\",\"status\":403}",
  "{\"error\":{\"message\":\"Invalid ttl\",\"source\":\"grant\",\"details\":[{\"message\":\"Range\",\"location\":\"ttl\",\"locationType\":\"body\"}]},\"service\":\"Access Manager\",\"status\":400}",
  "{\"status\":403,\"error\":true,\"error_message\":\"no\",\"channels\":{}}",
  "{\"error\": \"Invalid type argument\"}",
  "{\"status\":200,\"data\":{\"id\":\"bob\",\"name\":\"Bob\",\"externalId\":null,\"status\":\"away\",\"custom\":{\"a\":1,\"b\":null},\"updated\":\"2026-09-28T05:42:06.052512Z\",\"eTag\":\"e\"}}",
  "{\"status\":200,\"data\":[{\"id\":\"bob\",\"updated\":\"2026-09-28T05:42:06Z\",\"eTag\":\"e\"}],\"totalCount\":1,\"next\":\"MQ\",\"prev\":\"MA\"}",
  "{\"status\":200,\"data\":[{\"uuid\":{\"id\":\"bob\",\"name\":null,\"custom\":{\"a\":1},\"updated\":\"2026-09-28T05:42:06Z\",\"eTag\":\"e\"},\"status\":\"s\",\"custom\":null,\"updated\":\"2026-09-28T05:42:06Z\",\"eTag\":\"f\"}],\"next\":\"MQ\"}",
  "{\"status\":200,\"data\":[{\"type\":\"reaction\",\"value\":\"smile\",\"uuid\":\"bob\",\"actionTimetoken\":\"17905741248321456\",\"messageTimetoken\":\"1595634632\"}],\"more\":{\"start\":\"17905741248321456\"}}",
  "{\"status\":412,\"error\":{\"message\":\"User to update has been modified after it was read.\",\"source\":\"objects\"}}",
  "{\"status\":400,\"error\":{\"message\":\"Request payload contained invalid input.\",\"source\":\"objects\",\"details\":[{\"message\":\"no\",\"location\":\"filter\",\"locationType\":\"query\"}]}}",
  "<html><body>502</body></html>",
  "<Error><Code>X</Code><Message>denied</Message></Error>",
  "{\"t\":{\"t\":\"17900000000000001\",\"r\":1},\"m\":[{\"a\":\"2\",\"f\":0,\"i\":\"bob\",\"s\":1,\"p\":{\"t\":\"17900000000000001\",\"r\":1},\"k\":\"demo-sub\",\"c\":\"a\",\"d\":{\"x\":[1,null]},\"u\":{\"m\":1},\"cmt\":\"n\",\"b\":\"a\"}]}",
  "{\"t\":{\"t\":\"17900000000000001\",\"r\":1},\"m\":[{\"p\":{\"t\":\"17900000000000001\",\"r\":2},\"c\":\"a-pnpres\",\"d\":{\"action\":\"interval\",\"timestamp\":1790574180,\"occupancy\":3,\"join\":[\"u1\"],\"here_now_refresh\":true},\"b\":\"a-pnpres\"}]}",
  "{\"t\":{\"t\":\"17900000000000001\",\"r\":1},\"m\":[{\"e\":2,\"p\":{\"t\":\"17900000000000001\",\"r\":1},\"c\":\"a\",\"d\":{\"source\":\"objects\",\"version\":\"2.0\",\"event\":\"set\",\"type\":\"uuid\",\"data\":{\"custom\":{\"a\":1},\"eTag\":\"e\",\"id\":\"bob\",\"name\":null,\"updated\":\"2026-09-28T05:42:06.052512Z\"}}}]}",
  "{\"t\":{\"t\":\"17900000000000001\",\"r\":1},\"m\":[{\"e\":3,\"i\":\"bob\",\"p\":{\"t\":\"17900000000000001\",\"r\":1},\"c\":\"a\",\"d\":{\"data\":{\"actionTimetoken\":\"17905741248321456\",\"messageTimetoken\":\"17905741246383965\",\"type\":\"reaction\",\"value\":\"smile\"},\"event\":\"added\"}}]}"
]

const statuses = [
  200,
  200,
  200,
  204,
  207,
  302,
  400,
  401,
  402,
  403,
  404,
  409,
  412,
  413,
  414,
  415,
  429,
  500,
  502,
  503,
  504
]
const junk = [
  "null",
  "0",
  "-1",
  "1e999",
  "\"\"",
  "{}",
  "[]",
  "true",
  "\u0000",
  "\ud800",
  "\"",
  "\\",
  "}",
  "]",
  ",",
  ":",
  "9"
]

const below = (limit: number) => Random.nextIntBetween(0, limit, { halfOpen: true })
const one = <A>(of: ReadonlyArray<A>) => Effect.map(below(of.length), (index) => of[index]!)

const mutated = Effect.gen(function*() {
  let body = yield* one(bodies)
  for (let changes = yield* below(4); changes >= 0; changes--) {
    const from = yield* below(body.length + 1)
    const to = Math.min(body.length, from + (yield* below(12)))
    const replacement = yield* one([
      "",
      yield* one(junk),
      body.slice(from, to) + body.slice(from, to),
      String.fromCharCode(yield* below(0xffff))
    ])
    body = (yield* below(10)) === 0 ? body.slice(0, from) : body.slice(0, from) + replacement + body.slice(to)
  }
  const answer: Transport.Answer = { status: yield* one(statuses), body, headers: { "retry-after": yield* one(junk) } }
  return answer
})

/** Values that are valid JSON, and not what anybody expects. */
const values = [
  "null",
  "-1",
  "1e300",
  "9007199254740993",
  "\"\"",
  "\"\\ud800\"",
  `"${"x".repeat(30_000)}"`,
  "{}",
  "[]",
  "{\"__proto__\":{\"a\":1},\"toJSON\":1}",
  lists(16_000),
  objects(5_000)
]

/** An answer that is whole, but for one text or number in it, a key perhaps, which is another value. */
const replaced = Effect.gen(function*() {
  const body = yield* one(bodies)
  const tokens = [...body.matchAll(/"[^"]*"|\d+|null|true|false/g)]
  if (tokens.length === 0) return { body }
  const { 0: token, index } = yield* one(tokens)
  const answer: Transport.Answer = {
    status: yield* one(statuses),
    body: body.slice(0, index) + (yield* one(values)) + body.slice(index + token.length)
  }
  return answer
})

const config = PubNubConfig.layer({
  subscribeKey: "demo-sub",
  publishKey: "demo-pub",
  userId: "ada",
  origin: "host"
})

const handshake: Transport.Answer = { body: "{\"t\":{\"t\":\"17900000000000000\",\"r\":1},\"m\":[]}" }

const never = Schedule.recurs(0)
const noRetry: Subscribe.Reconnect = {
  Transport: never,
  Timeout: never,
  RateLimited: never,
  ServerFailure: never,
  Malformed: never,
  AccessDenied: never
}

const reading = Subscribe.stream({ channels: ["a"], presence: true, reconnect: noRetry }).pipe(
  Stream.take(3),
  Stream.runCollect
)

type Call = Effect.Effect<
  unknown,
  | Publish.PublishError
  | Time.TimeError
  | SubscribeError.SubscribeError
  | PubNubError.PubNubError
  | AppContext.ObjectNotFound,
  HttpClient.HttpClient | PubNubConfig.PubNubConfig
>

const calls: ReadonlyArray<readonly [name: string, call: Call, before: ReadonlyArray<Transport.Answer>]> = [
  ["publish", Publish.publish({ channel: "a", message: 1 }), []],
  ["time", Time.now, []],
  ["a user", Users.get({ include: ["custom", "status", "type"] }), []],
  ["a list of users", Users.list({ totalCount: true }), []],
  ["a list of members", Members.list({ channel: "a", include: ["custom", "user", "user.custom"] }), []],
  ["a list of message actions", MessageActions.list({ channel: "a" }), []],
  ["the handshake", reading, []],
  ["the poll", reading, [handshake]]
]

const check = (
  [name, call, before]: typeof calls[number],
  damaged: Effect.Effect<Transport.Answer>,
  count: number
) =>
  Effect.gen(function*() {
    const kinds = new Map<string, number>()
    for (let seed = 0; seed < count; seed++) {
      const answer = yield* Random.withSeed(damaged, `${name} ${seed}`)
      const exit = yield* Effect.exit(call).pipe(
        // The list ends with refused connections, which end the reader.
        Effect.provide([Transport.layerScripted([...before, answer]), config])
      )
      const shown = `seed ${seed}: ${JSON.stringify(answer).slice(0, 2_000)}`
      if (Exit.isSuccess(exit)) {
        kinds.set("value", (kinds.get("value") ?? 0) + 1)
        continue
      }
      const error = Cause.findErrorOption(exit.cause)
      if (error._tag === "None") return assert.fail(`${shown}\n${Cause.pretty(exit.cause)}`)
      const tag = "reason" in error.value ? error.value.reason._tag : error.value._tag
      assert.isNotEmpty(error.value.message, shown)
      assert.isBelow(error.value.message.length, 5_000, shown)
      assert.notStrictEqual(tag, "Defect", shown)
      kinds.set(tag, (kinds.get(tag) ?? 0) + 1)
    }
    // The damage is of many kinds.
    assert.isAtLeast(kinds.size, 3, [...kinds].join(" "))
  }).pipe(Effect.provide(Layer.effectDiscard(TestClock.setTime(start))))

it.effect.each(calls)(
  "gives a value or a typed error for damaged answers to %s",
  (call) => check(call, mutated, casesOf(60, 2_500)),
  60_000
)

it.effect.each(calls)(
  "gives a value or a typed error for answers to %s with one unexpected value",
  (call) => check(call, replaced, casesOf(25, 1_000)),
  60_000
)
