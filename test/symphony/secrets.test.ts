/** Keys and tokens appear in no error, no log, no span and no inspection. */
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
  Attachments,
  Datafeed,
  Messages,
  MessageSearch,
  MessageStatus,
  Session,
  SymphonyConfig
} from "effect-herald/symphony"
import { Transport } from "effect-herald/testing"
import * as Util from "node:util"
import { keys, start } from "../testing/symphonyHttp.ts"
import * as Reflecting from "../kit/reflecting.ts"
import { isPut } from "../simulation/seeds.ts"
import { adaId, atAgent, config, plain, pod, tokens, whoAmI } from "./bots.ts"
import { mid, sid } from "./kit.ts"

/** Lines of a key, every token of a service, and every token that was signed, begin so. */
const secrets = new RegExp([
  ...[keys.bot.privateKey, keys.app.privateKey].map((pem) => pem.split("\n")[5]!.slice(0, 30).replaceAll("+", "\\+")),
  "t0ken-of",
  "eyJ"
].join("|"))

const token = (name: string) => ({
  body: JSON.stringify({ name, token: `t0ken-of-${name}`, authorizationToken: "Bearer t0ken-of" })
})

const patient = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.timeoutOption(effect, "10 hours")

/** Runs until it is done, letting time and the platform go on, and gives all that was shown of it. */
const shownOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const shown: Array<string> = []
    const spans: Array<string> = []
    const lines: Array<string> = []
    const show = (value: unknown) => {
      shown.push(String(value), JSON.stringify(value) ?? "", Util.inspect(value, { depth: 12, showHidden: true }))
      if (value instanceof Error) shown.push(value.stack ?? "", value.message)
    }
    const logger = Logger.make(({ cause, logLevel, message }) => {
      lines.push(`${logLevel} ${String([message].flat()[0])}`)
      show(message)
      show(cause)
    })
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(options.name)
        const attribute = span.attribute.bind(span)
        span.attribute = (key, value) => {
          show([key, value])
          attribute(key, value)
        }
        return span
      }
    })
    const fiber = yield* Effect.forkChild(
      Effect.all([Effect.exit(effect), Effect.exit(patient(tokens))]).pipe(
        Effect.withTracer(tracer),
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
    )
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("30 seconds")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
    }
    show(yield* Fiber.join(fiber))
    show(yield* SymphonyConfig.SymphonyConfig)
    show(yield* Session.Session)
    return { shown, spans, lines }
  })

const service = (
  session: ReturnType<typeof Session.layer>,
  transport: Layer.Layer<Transport.Exchanges | HttpClient.HttpClient>
) =>
  Effect.provide(
    session.pipe(
      Layer.provideMerge(config({ requestTimeout: "1 hour", retry: { maxAttempts: 2 } })),
      Layer.provideMerge(transport),
      Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start)))
    )
  )

const endings: ReadonlyArray<Transport.Answer> = [
  { failure: "ECONNREFUSED" },
  { failure: "ECONNRESET" },
  { never: true },
  { status: 401, body: "{\"code\":401,\"message\":\"Invalid session\"}" },
  { status: 403, body: "{}" },
  { status: 429, headers: { "retry-after": "1" } },
  { status: 500, body: "oops" },
  { body: "<html>" },
  { body: "{\"username\":\"bot\"}" }
]

it.effect.each(endings.map((ending) => [JSON.stringify(ending), ending] as const))(
  "requests that end with %s show no key or token",
  ([, ending]) =>
    Effect.gen(function*() {
      const { lines, shown, spans } = yield* shownOf(Effect.all([Effect.exit(whoAmI), Effect.exit(atAgent)]))
      assert.isAbove(shown.length, 20)
      for (const text of shown) assert.notMatch(text, secrets)
      assert.includeMembers(spans, ["Session.login", "whoAmI", "feeds"])
      assert.isTrue(
        lines.some((line) => line.startsWith("Debug Session.login POST /login/pubkey/authenticate answered 200"))
      )
      // The requests did hold them.
      const exchanges = yield* Transport.Exchanges.use(({ all }) => all)
      assert.isTrue(exchanges.some(({ body }) => secrets.test(body)))
      assert.isTrue(exchanges.some(({ headers }) => secrets.test(JSON.stringify(headers))))
    }).pipe(service(
      Session.layer(),
      Transport.layerScripted([token("session"), token("keyManager"), ...Array.from({ length: 50 }, () => ending)])
    ))
)

/** A token on its way in, in an answer that cannot be read. */
const unreadable: ReadonlyArray<Transport.Answer> = [
  { body: "{\"token\":\"t0ken-of-user\"" },
  { body: "{\"token\":[\"t0ken-of-user\"]}" },
  { body: "t0ken-of-user" }
]

it.effect.each([...endings, ...unreadable].map((ending) => [JSON.stringify(ending), ending] as const))(
  "logins that end with %s show no key or token",
  ([, ending]) =>
    Effect.gen(function*() {
      const { shown } = yield* shownOf(patient(whoAmI))
      for (const text of shown) assert.notMatch(text, secrets)
      const exchanges = yield* Transport.Exchanges.use(({ all }) => all)
      assert.isTrue(exchanges.some(({ headers }) => secrets.test(JSON.stringify(headers))))
    }).pipe(service(
      Session.layerOnBehalfOf({ userId: adaId }),
      Transport.layerScripted([token("app"), ...Array.from({ length: 50 }, () => ending)])
    ))
)

const all = {
  atAgent,
  list: Messages.list({ streamId: sid }),
  send: Messages.send({ streamId: sid, message: "a" }),
  search: MessageSearch.search({ query: { text: "a" } }),
  status: MessageStatus.status({ messageId: mid }),
  attachment: Stream.runDrain(Attachments.streamAttachment({ streamId: sid, messageId: mid, attachmentId: "f" })),
  datafeed: Stream.runDrain(Datafeed.stream()).pipe(Effect.timeoutOption("5 minutes"))
}

const reflected = ["t0ken-of-session/+=", "t0ken-of-keyManager", "gat3way of acme", "s3rvice,key"]

/** A gateway that admits by headers, and says all that it was told. */
const behindGateway = config({
  requestTimeout: "1 hour",
  retry: { maxAttempts: 2 },
  headers: { "x-api-key": Redacted.make("gat3way of acme"), "x-service": "s3rvice,key", "x-trace-id": "trace1" }
})

const loggedIn = Layer.succeed(
  Session.Session,
  Session.Session.of({
    tokens: Effect.succeed({
      sessionToken: Redacted.make("t0ken-of-session/+="),
      keyManagerToken: Redacted.make("t0ken-of-keyManager")
    }),
    renew: Effect.succeed
  })
)

describe("a service that repeats secrets in its answers", () => {
  const world =
    (session: Layer.Layer<Session.Session, never, HttpClient.HttpClient | SymphonyConfig.SymphonyConfig>) =>
    (kind: Reflecting.Kind) =>
      session.pipe(
        Layer.provideMerge(behindGateway),
        Layer.provideMerge(Reflecting.reflecting(kind, [])),
        Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start)))
      )

  const leaksOf = <R>(requests: ReadonlyArray<Effect.Effect<unknown, unknown, R>>) =>
    Effect.gen(function*() {
      const { shown, watching } = Reflecting.watched()
      const fiber = yield* Effect.forkChild(
        watching(Effect.forEach(requests, (request) => Effect.exit(request), { concurrency: "unbounded" }))
      )
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust("30 seconds")
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
      }
      // What succeeds is data, and none of an error.
      shown.push(...Reflecting.shownOf(...(yield* Fiber.join(fiber)).filter(Exit.isFailure)))
      assert.isAbove(shown.length, 20)
      return Reflecting.leaksOf(shown, reflected).join("\n")
    })

  it.effect.each(Reflecting.kinds)("gets none shown by %s", ([_, kind, place]) =>
    Effect.gen(function*() {
      const requests: ReadonlyArray<
        Effect.Effect<unknown, unknown, HttpClient.HttpClient | SymphonyConfig.SymphonyConfig | Session.Session>
      > = Object.values(all).filter((_, index) => isPut(index, place, 3))
      assert.strictEqual(yield* leaksOf(requests), "")
      const exchanges = yield* Transport.Exchanges.use(({ all }) => all)
      for (const secret of reflected) assert.include(JSON.stringify(exchanges), secret)
    }).pipe(Effect.provide(world(loggedIn)(kind))))

  it.effect.each(Reflecting.kinds)("gets none of a login shown by %s", ([_, kind]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* leaksOf([patient(tokens)]), "")
    }).pipe(Effect.provide(world(Session.layer())(kind))))
})

it.effect("the emulator's recorded requests show no key or token", () =>
  Effect.gen(function*() {
    const { shown } = yield* shownOf(whoAmI)
    for (const text of shown) assert.notMatch(text, secrets)
  }).pipe(Effect.provide(
    Session.layer().pipe(Layer.provideMerge(SymphonyConfig.layer(plain)), Layer.provideMerge(pod()))
  )))
