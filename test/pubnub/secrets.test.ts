/** Keys and tokens that are secret appear in no error, no log, no span and no inspection. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import {
  ChannelGroups,
  Channels,
  History,
  Members,
  MessageActions,
  Presence,
  Publish,
  PubNubConfig,
  Subscribe,
  Time,
  Timetoken,
  Users
} from "effect-herald/pubnub"
import { Transport } from "effect-herald/testing"
import * as Util from "node:util"
import * as Reflecting from "../kit/reflecting.ts"
import { isPut } from "../simulation/seeds.ts"

const secrets = /s3cr3t|t0k%?2?[Ff]?\/?en|private payload|signature=|auth=/

const plain: PubNubConfig.Options = {
  subscribeKey: "demo-sub",
  publishKey: "demo-pub",
  userId: "ada",
  origin: "host"
}

const config = PubNubConfig.layer({
  ...plain,
  secretKey: Redacted.make("s3cr3t"),
  authToken: Redacted.make("t0k/en"),
  // A virtual hour leaves the platform the time for its signatures.
  requestTimeout: "1 hour"
})

/** Moves time until a fiber is done, and lets the real work between (signatures are made by the platform) be done. */
const finished = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("30 seconds")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
    }
    return yield* Fiber.join(fiber)
  })

const answers: ReadonlyArray<Transport.Answer> = [
  { failure: "ECONNREFUSED" },
  { failure: "ECONNRESET" },
  { never: true },
  { body: "<html>" },
  { status: 500, body: "oops" },
  { status: 403, body: "{\"status\":403,\"message\":\"Forbidden\"}" },
  { body: "[1,\"Sent\",\"17334108326343660\"]" }
]

it.effect.each(answers.map((answer) => [JSON.stringify(answer), answer] as const))(
  "shows no secret in errors, logs, spans or inspection when the answer is %s",
  ([, answer]) =>
    Effect.gen(function*() {
      const shown: Array<string> = []
      const show = (value: unknown) => {
        shown.push(String(value), JSON.stringify(value) ?? "", Util.inspect(value, { depth: 12 }))
        if (value instanceof Error) shown.push(value.stack ?? "", value.message)
      }
      const logger = Logger.make(({ message }) => show(message))
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          shown.push(options.name)
          const attribute = span.attribute.bind(span)
          span.attribute = (key, value) => {
            show([key, value])
            attribute(key, value)
          }
          return span
        }
      })
      const everything = Effect.all([
        Effect.exit(Publish.publish({ channel: "a", message: "private payload" })),
        Effect.exit(Time.now),
        Effect.exit(Users.set({ name: "private payload", custom: { note: "private payload" } })),
        Effect.exit(Users.update({}, () => ({ name: "private payload" }))),
        Effect.exit(Channels.list()),
        Effect.exit(Members.set({ channel: "a", users: [{ userId: "bob", custom: { note: "private payload" } }] })),
        Effect.exit(Members.update({ channel: "a", userId: "bob" }, () => ({ status: "private payload" }))),
        Effect.exit(MessageActions.list({ channel: "a" })),
        Effect.exit(
          Subscribe.messages({ channels: ["a"] }).pipe(
            Stream.take(1),
            Stream.runDrain,
            Effect.timeoutOption("1 hour")
          )
        )
      ], { concurrency: "unbounded" }).pipe(
        Effect.withTracer(tracer),
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      const fiber = yield* Effect.forkChild(everything)
      show(yield* finished(fiber))
      show(yield* PubNubConfig.PubNubConfig)
      assert.isAbove(shown.length, 10)
      for (const text of shown) assert.notMatch(text, secrets)
      // The address did hold them.
      const exchanges = yield* Transport.Exchanges.use(({ all }) => all)
      const published = exchanges.find(({ url }) => url.includes("/publish/"))
      assert.match(published!.url, /auth=t0k%2Fen.*signature=v2\./)
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted(Array.from({ length: 50 }, () => answer)), config)))
)

const everyRequest = {
  publish: Publish.publish({ channel: "a", message: "private payload" }),
  post: Publish.publish({ channel: "a", message: "private payload", method: "POST" }),
  signal: Publish.signal({ channel: "a", message: 1 }),
  time: Time.now,
  history: History.listByChannel({ channels: ["a"] }),
  counts: History.count({ channels: ["a"], after: Timetoken.Timetoken.make("17334108326343660") }),
  users: Users.set({ name: "ada" }),
  update: Users.update({}, () => ({ name: "ada" })),
  channels: Channels.list(),
  members: Members.set({ channel: "a", users: [{ userId: "bob" }] }),
  action: MessageActions.add({
    channel: "a",
    messageTimetoken: Timetoken.Timetoken.make("17334108326343660"),
    type: "reaction",
    value: "x"
  }),
  actions: MessageActions.list({ channel: "a" }),
  groups: ChannelGroups.listChannels({ group: "a" }),
  hereNow: Presence.hereNow({ channels: ["a"] }),
  subscribe: Stream.runDrain(Subscribe.stream({ channels: ["a"], groups: ["g"] })).pipe(
    Effect.timeoutOption("20 seconds")
  )
}

const reflected = ["s3cr3t+key/of=all", "t0k/en&of<all>", "v2."]

describe("a service that repeats what it was sent", () => {
  const config = PubNubConfig.layer({
    ...plain,
    secretKey: Redacted.make("s3cr3t+key/of=all"),
    authToken: Redacted.make("t0k/en&of<all>"),
    requestTimeout: "1 hour"
  })

  it.effect.each(Reflecting.kinds)("leaks no secret by %s", ([_, kind, place]) =>
    Effect.gen(function*() {
      const { shown, watching } = Reflecting.watched()
      const requests = Object.values<
        Effect.Effect<unknown, unknown, HttpClient.HttpClient | PubNubConfig.PubNubConfig>
      >(everyRequest).filter((_, index) => isPut(index, place, 4))
      const fiber = yield* Effect.forkChild(
        watching(Effect.forEach(requests, (request) => Effect.exit(request), { concurrency: "unbounded" }))
      )
      // What succeeds is data, and none of an error.
      shown.push(...Reflecting.shownOf(...(yield* finished(fiber)).filter(Exit.isFailure)))
      assert.isAbove(shown.length, 20)
      assert.strictEqual(Reflecting.leaksOf(shown, reflected).join("\n"), "")
    }).pipe(
      Effect.provide(
        Layer.merge(Reflecting.reflecting(kind, ["s3cr3t+key/of=all", "eyJhbGciOiJub25lIn0.e30."]), config)
      )
    ))
})

it.effect.each([10_000, 30_000])(
  "masks a token of %i characters that the service repeats",
  (size) =>
    Effect.gen(function*() {
      const secret = Array.from({ length: size }, (_, index) => "aZ0-~%"[(index * index + index) % 97 % 6]).join("")
      const { shown, watching } = Reflecting.watched()
      const publish = Publish.publish({ channel: "a", message: "\"+".repeat(size / 10) })
      const error = yield* Effect.flip(watching(publish)).pipe(Effect.provide(Layer.merge(
        Reflecting.reflecting((said) => ({ status: 403, body: said }), []),
        PubNubConfig.layer({ ...plain, maxUrlSize: 200_000, authToken: Redacted.make(secret) })
      )))
      shown.push(...Reflecting.shownOf(error))
      for (const text of shown) assert.notInclude(text, secret.slice(0, 20))
      assert.strictEqual(error._tag, "PublishOutcomeUnknown")
    })
)

it.effect("makes one span per call with a tracer, none without, and sends no trace headers", () =>
  Effect.gen(function*() {
    const spans: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        spans.push(`${options.name} ${options.kind}`)
        return new Tracer.NativeSpan(options)
      }
    })
    yield* Time.now
    assert.deepStrictEqual(spans, [])
    yield* Effect.withTracer(Time.now, tracer)
    assert.deepStrictEqual(spans, ["Time.now client"])
    for (const { headers } of yield* Transport.Exchanges.use(({ all }) => all)) {
      assert.notInclude(Object.keys(headers), "traceparent")
      assert.notInclude(Object.keys(headers), "b3")
    }
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([{ body: "[17334108326343660]" }, { body: "[17334108326343660]" }]),
    config
  ))))

it.effect("logs requests, transitions and retries at debug level only", () =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel} ${String([message].flat()[0])}`))
    const reader = Stream.runDrain(Subscribe.stream({ channels: ["a"] })).pipe(
      Effect.timeoutOption("3 seconds"),
      Effect.provide(Logger.layer([logger]))
    )
    const fiber = yield* Effect.forkChild(Effect.provideService(reader, References.MinimumLogLevel, "Debug"))
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(fiber)
    const shown = lines.join("\n")
    assert.match(shown, /Debug Subscribe\.poll to a/)
    assert.match(shown, /Debug Subscribe\.poll GET \/v2\/subscribe\/\{subscribeKey\}\/a\/0 answered 200/)
    assert.match(shown, /Debug Subscribe\.poll connected/)
    assert.match(shown, /Debug Subscribe\.poll interrupted, attempt 1, again in/)
    assert.isTrue(lines.every((line) => line.startsWith("Debug")), shown)
  }).pipe(Effect.provide(Layer.mergeAll(
    Transport.layerScripted([
      { body: "{\"t\":{\"t\":\"17900000000000000\",\"r\":1},\"m\":[]}" },
      { failure: "ECONNRESET" },
      { body: "{\"t\":{\"t\":\"17900000000000000\",\"r\":1},\"m\":[]}" },
      { never: true }
    ]),
    PubNubConfig.layer(plain),
    Layer.effectDiscard(TestClock.setTime(1_790_000_000_000))
  ))))
