/** Tokens that renew themselves, on the emulator: what a program sees of them, and what their server is asked. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import {
  Access,
  History,
  Publish,
  PubNubConfig,
  RenewingToken,
  Subscribe,
  Subscriber,
  Time
} from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Util from "node:util"
import { timesOf } from "../../src/pubnub/internal/wire/renewal.ts"
import { collectConnected } from "../kit/collect.ts"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { payloads, tags } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"

const emulator = PubNubEmulator.PubNubEmulator

class Down extends Data.TaggedError("Down")<{ readonly message: string }> {}

/** The server of an application. The service refuses its tokens after `ttl`. */
const makeServer = Effect.fnUntraced(function*(ttl: Duration.Input = "10 minutes") {
  const service = yield* emulator
  const scope = yield* Effect.scope
  const server = {
    /** When it was asked. */
    asked: Array<number>(),
    /** How long an answer takes. */
    takes: "0 seconds" as Duration.Input,
    isDown: false,
    tellsEnd: true,
    /** How many requests the service refused. */
    refused: 0,
    /** Where requests wait, with the tokens that they have. */
    gate: Latch.makeUnsafe(true),
    grant: Effect.suspend(() => grant)
  }
  const grant: Effect.Effect<RenewingToken.Granted, Error> = Effect.gen(function*() {
    const now = yield* DateTime.now
    server.asked.push(DateTime.toEpochMillis(now))
    const token = `t0ken-${server.asked.length}`
    yield* Effect.sleep(server.takes)
    if (server.isDown) return yield* new Down({ message: "no t0ken" })
    // A token without a life is refused from the start, also by a request that leaves at once.
    if (ttl === "0 seconds") yield* service.expireToken(token)
    else yield* Effect.forkIn(Effect.delay(service.expireToken(token), ttl), scope)
    const expires = server.tellsEnd ? DateTime.addDuration(now, ttl) : undefined
    return { token: Redacted.make(token), expires }
  })
  return server
})

/** Runs with a token in the emulator's configuration. */
const withToken = (authToken: PubNubConfig.AuthToken) =>
  Effect.updateService(PubNubConfig.PubNubConfig, (config) => ({ ...config, authToken }))

/** Runs with the tokens of a server, and counts the refusals of the service. */
const withServer =
  (server: Effect.Success<ReturnType<typeof makeServer>>, options?: RenewingToken.Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      withToken(RenewingToken.make(server.grant, options)),
      Effect.updateService(HttpClient.HttpClient, (client) =>
        HttpClient.transform(client, (sent) =>
          Effect.tap(Effect.andThen(server.gate.await, sent), ({ status }) =>
            Effect.sync(() =>
              status === 403 && server.refused++
            ))))
    )

const call = History.list({ channel: "a" })
const reasonOf = (error: { readonly reason: { readonly _tag: string } }) => error.reason._tag

/** A further reader, which changes the names of the connection. */
const another = (room: number) => Effect.asVoid(collectConnected(Subscribe.stream({ channels: [`room-${room}`] })))

/** The tokens of the requests so far. */
const tokens = Effect.map(requestsTo("/"), (requests) => requests.map((request) => queryOf(request).get("auth")))

/** Four streams, and a message each 30 seconds for them. */
const streams = Effect.gen(function*() {
  const service = yield* emulator
  const readers = yield* Effect.forEach(numbers(4), () => collectConnected(Subscribe.stream({ channels: ["a"] })))
  let sent = 0
  yield* Effect.forkScoped(
    Effect.repeat(
      Effect.suspend(() => service.publish({ channel: "a", message: ++sent })),
      Schedule.spaced("30 seconds")
    )
  )
  return Effect.sync(() => {
    for (const { seen } of readers) {
      assert.deepStrictEqual(payloads(seen), numbers(sent, 1))
      assert.deepStrictEqual(new Set(tags(seen)), new Set(["Connected", "Message"]))
    }
  })
})

const calls = (count: number) => Effect.all(numbers(count).map(() => call), { concurrency: "unbounded", discard: true })

describe("200 calls and four streams", () => {
  it.effect("see nothing of an expiry, which no request crosses", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      yield* Effect.gen(function*() {
        const check = yield* streams
        for (const time of ["7 minutes", "2 minutes", "1 minute", "2 minutes"] as const) {
          yield* VirtualTime.advance(time)
          yield* calls(50)
        }
        yield* VirtualTime.advance("1 second")
        yield* check
        assert.strictEqual(server.asked.length, 2)
        assert.strictEqual(server.refused, 0)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect.each(["expired", "revoked"] as const)(
    "renew a token once that is %s without a warning",
    (why) =>
      Effect.gen(function*() {
        const server = yield* makeServer()
        server.tellsEnd = why === "revoked"
        server.takes = "3 seconds"
        yield* Effect.gen(function*() {
          const service = yield* emulator
          const check = yield* streams
          yield* VirtualTime.advance("2 minutes")
          server.gate.closeUnsafe()
          const running = yield* Effect.forkChild(calls(200))
          yield* VirtualTime.advance("1 second")
          yield* why === "revoked" ? service.revokeToken("t0ken-1") : service.expireToken("t0ken-1")
          server.gate.openUnsafe()
          yield* VirtualTime.advance("61 seconds")
          yield* Fiber.join(running)
          yield* check
          assert.strictEqual(server.asked.length, 2)
          assert.isAtLeast(server.refused, 200)
        }).pipe(withServer(server))
      }).pipe(Effect.provide(emulated()))
  )
})

describe("a token that renews itself", () => {
  it.effect("is asked for once by requests that come at once, and not before", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      server.takes = "1 second"
      yield* Effect.gen(function*() {
        yield* Time.now
        assert.strictEqual(server.asked.length, 0)
        const running = yield* Effect.forkChild(calls(20))
        yield* VirtualTime.advance("2 seconds")
        yield* Fiber.join(running)
        assert.deepStrictEqual(yield* tokens, [null, ...Array(20).fill("t0ken-1")])
        assert.strictEqual(server.asked.length, 1)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect("is used until its end while a slow server makes the next one", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      yield* Effect.gen(function*() {
        yield* call
        server.takes = "10 seconds"
        yield* VirtualTime.advance("9 minutes")
        yield* call
        yield* call
        assert.strictEqual(server.asked.length, 2)
        yield* VirtualTime.advance("10 seconds")
        yield* call
        assert.deepStrictEqual(yield* tokens, ["t0ken-1", "t0ken-1", "t0ken-1", "t0ken-2"])
      }).pipe(withServer(server, { margin: "1 minute" }))
    }).pipe(Effect.provide(emulated())))

  it.effect("comes for the other callers when the one that asked first is interrupted", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      server.takes = "5 seconds"
      yield* Effect.gen(function*() {
        const [first, ...others] = yield* Effect.forEach(numbers(3), () => Effect.forkChild(call))
        yield* VirtualTime.advance("1 second")
        if (first !== undefined) yield* Fiber.interrupt(first)
        yield* VirtualTime.advance("5 seconds")
        yield* Fiber.joinAll(others)
        assert.strictEqual(server.asked.length, 1)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect("repeats a publish that was refused, which stores one message", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      yield* Effect.gen(function*() {
        const service = yield* emulator
        yield* call
        yield* service.revokeToken("t0ken-1")
        yield* Publish.publish({ channel: "a", message: 1 })
        assert.strictEqual((yield* call).items.length, 1)
        assert.strictEqual(server.refused, 1)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect("is not renewed by a refusal that names a channel before it is due", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      yield* Effect.gen(function*() {
        const faults = yield* Faults.Faults
        yield* faults.add({ on: "history", fault: Faults.Fault.AccessDenied(), times: 3 })
        for (const _ of numbers(3)) assert.strictEqual(reasonOf(yield* Effect.flip(call)), "AccessDenied")
        assert.strictEqual(server.asked.length, 1)
        yield* call
        yield* VirtualTime.advance("9 minutes")
        server.takes = "1 second"
        yield* faults.add({ on: "history", fault: Faults.Fault.AccessDenied() })
        const late = yield* Effect.forkChild(call)
        yield* VirtualTime.advance("2 seconds")
        yield* Fiber.join(late)
        assert.strictEqual(server.asked.length, 2)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect("is renewed once by refusals that name nothing, which may be about a missing right", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      yield* Effect.gen(function*() {
        const faults = yield* Faults.Faults
        const forbidden = Faults.Fault.Answer({
          status: 403,
          body: {
            status: 403,
            error: { message: "Supplied authorization key does not have the permissions", source: "objects" }
          }
        })
        yield* faults.add({ on: "history", fault: forbidden, times: 3 })
        for (const _ of numbers(2)) assert.strictEqual(reasonOf(yield* Effect.flip(call)), "AccessDenied")
        assert.strictEqual(server.asked.length, 2)
        yield* call
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect.each(
    [
      ["while its polls are silent", "handshake", 1, "55 seconds", () => Effect.void],
      ["while names change each 20 seconds", "handshake", 2, "20 seconds", another],
      ["while names change each 40 seconds", "poll", 2, "40 seconds", another]
    ] as const
  )(
    "is renewed without a status each time on a quiet channel, %s",
    ([, on, each, pause, next]) =>
      Effect.gen(function*() {
        const server = yield* makeServer("10 hours")
        const faults = yield* Faults.Faults
        const expired = Faults.Fault.Answer({
          status: 403,
          body: { message: "Token is expired", error: true, service: "Access Manager", status: 403 }
        })
        yield* Effect.gen(function*() {
          const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
          for (const room of numbers(6)) {
            if (room % each === 0) yield* faults.add({ on, fault: expired })
            yield* next(room)
            yield* VirtualTime.advance(pause)
          }
          assert.strictEqual(server.asked.length, 1 + 6 / each)
          assert.deepStrictEqual(tags(seen), ["Connected"])
        }).pipe(withServer(server))
      }).pipe(Effect.provide(Layer.merge(Subscriber.layer(), emulated())))
  )

  it.effect("needs no network of its own: its layer takes what its Effect needs", () => {
    class MyServer extends Context.Service<MyServer, { readonly token: string }>()("MyServer") {}
    const authToken = RenewingToken.make(MyServer.use(({ token }) => Effect.succeed(Redacted.make(token))))
    const Live = PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "emulator", authToken }).pipe(
      Layer.provide(Layer.succeed(MyServer, { token: "mine" }))
    )
    return Effect.gen(function*() {
      yield* Effect.provide(call, Live)
      assert.deepStrictEqual(yield* tokens, ["mine"])
    }).pipe(Effect.provide(emulated()))
  })
})

describe("a server that is down", () => {
  it.effect("stops nothing before the end of the token, and no stream after it", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      yield* Effect.gen(function*() {
        const service = yield* emulator
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        server.isDown = true
        yield* VirtualTime.advance("9 minutes")
        yield* call
        assert.isAtLeast(server.asked.length, 2)
        assert.deepStrictEqual(tags(seen), ["Connected"])
        yield* VirtualTime.advance("5 minutes")
        const failing = yield* Effect.forkChild(Effect.flip(call))
        yield* VirtualTime.advance("15 seconds")
        const error = yield* Fiber.join(failing)
        assert.strictEqual(reasonOf(error), "TokenUnavailable")
        assert.include(error.message, "its source failed with Down")
        assert.isTrue(error.isRetryable)
        assert.notInclude(Util.inspect(error, { depth: 9 }), "t0ken")
        yield* service.publish({ channel: "a", message: 1 })
        server.isDown = false
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), [1])
        assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Interrupted"), [
          "Connected",
          "Reconnected",
          "Message"
        ])
        assert.deepInclude(seen.find(({ _tag }) => _tag === "Interrupted"), { _tag: "Interrupted" })
        assert.strictEqual(server.refused, 0)
        const count = server.asked.length
        yield* VirtualTime.advance("5 minutes")
        assert.strictEqual(server.asked.length, count)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect("is asked by the schedule, however many callers there are", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      server.isDown = true
      yield* Effect.gen(function*() {
        const running = yield* Effect.forkChild(
          Effect.all(numbers(50).map(() => Effect.flip(call)), { concurrency: "unbounded" })
        )
        yield* VirtualTime.advance("15 seconds")
        const errors = yield* Fiber.join(running)
        assert.deepStrictEqual(new Set(errors.map(reasonOf)), new Set(["TokenUnavailable"]))
        assert.strictEqual(server.asked.length, 5)
        // The schedule begins again 30 seconds after its end.
        yield* VirtualTime.advance("31 seconds")
        const later = yield* Effect.forkChild(Effect.flip(call))
        yield* VirtualTime.advance("15 seconds")
        yield* Fiber.join(later)
        assert.strictEqual(server.asked.length, 10)
        server.isDown = false
        yield* VirtualTime.advance("31 seconds")
        yield* call
        assert.strictEqual(server.asked.length, 11)
      }).pipe(withServer(server, {
        retry: Schedule.upTo(Schedule.spaced("2 seconds"), { times: 4 })
      }))
    }).pipe(Effect.provide(emulated())))

  it.effect("is asked again after a pause when the schedule has none, or throws", () =>
    Effect.gen(function*() {
      const throws = Schedule.modifyDelay(Schedule.forever, () => {
        throw new RangeError("no delay")
      })
      for (const [retry, most] of [[Schedule.forever, 151], [throws, 1]] as const) {
        const server = yield* makeServer()
        server.isDown = true
        yield* Effect.gen(function*() {
          const running = yield* Effect.forkChild(Effect.flip(call))
          yield* VirtualTime.advance("15 seconds")
          assert.strictEqual(reasonOf(yield* Fiber.join(running)), "TokenUnavailable")
          assert.isAtMost(server.asked.length, most)
        }).pipe(withServer(server, { retry }))
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("fails callers after requestTimeout when it never answers, and is asked again", () =>
    Effect.gen(function*() {
      const server = yield* makeServer()
      server.takes = "1 day"
      yield* Effect.gen(function*() {
        const running = yield* Effect.forkChild(Effect.flip(call))
        yield* VirtualTime.advance("15 seconds")
        assert.include((yield* Fiber.join(running)).message, "There is no valid access token: its source")
        server.takes = "0 seconds"
        const next = yield* Effect.forkChild(call)
        yield* VirtualTime.advance("2 seconds")
        yield* Fiber.join(next)
        assert.strictEqual(server.asked.length, 2)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))
})

describe("no storm", () => {
  it.effect("when the server gives tokens that the service refuses: one renewal in 30 seconds", () =>
    Effect.gen(function*() {
      const server = yield* makeServer("0 seconds")
      server.tellsEnd = false
      yield* Effect.gen(function*() {
        for (const _ of numbers(12)) {
          const running = yield* Effect.forkChild(Effect.exit(calls(5)))
          yield* VirtualTime.advance("5 seconds")
          yield* Fiber.join(running)
        }
        assert.strictEqual(server.asked.length, 3)
        const { fiber } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("1 minute")
        assert.strictEqual(reasonOf(yield* Effect.flip(Fiber.join(fiber))), "AccessDenied")
        assert.isAtMost(server.asked.length, 5)
      }).pipe(withServer(server))
    }).pipe(Effect.provide(emulated())))

  it.effect("when the server gives the same token again and again", () =>
    Effect.gen(function*() {
      const expires = DateTime.add(yield* DateTime.now, { minutes: 10 })
      let asked = 0
      const grant = Effect.sync(() => {
        asked++
        return { token: Redacted.make("t0ken"), expires }
      })
      yield* Effect.gen(function*() {
        for (const _ of numbers(30)) {
          yield* call
          yield* VirtualTime.advance("30 seconds")
        }
        // The first, one in the margin, and one at the end.
        assert.strictEqual(asked, 3)
      }).pipe(withToken(RenewingToken.make(grant)))
    }).pipe(Effect.provide(emulated())))

  it.effect.each([["a day", 86_400], ["9 minutes and 57 seconds", 597], ["minus a day", -86_400]] as const)(
    "when the clock of this machine is wrong by %s: one more renewal",
    ([_, seconds]) =>
      Effect.gen(function*() {
        const server = yield* makeServer()
        yield* Effect.gen(function*() {
          const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
          yield* VirtualTime.jump(`${seconds} seconds`)
          for (const _ of numbers(8)) {
            yield* VirtualTime.advance("1 minute")
            yield* call
          }
          assert.isAtMost(server.asked.length, 2)
          assert.deepStrictEqual(tags(seen).filter((tag) => tag === "Interrupted"), [])
        }).pipe(withServer(server))
      }).pipe(Effect.provide(emulated()))
  )
})

describe("bad input", () => {
  const odd: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
    ["text", Effect.succeed("t0ken")],
    ["nothing", Effect.void],
    ["an empty token", Effect.succeed(Redacted.make(""))],
    ["half of a surrogate pair", Effect.succeed(Redacted.make("t0ken\ud800"))],
    ["a number, redacted", Effect.succeed(Redacted.make(1))],
    ["a token in an object that is text", Effect.succeed({ token: "t0ken" })],
    ["an end that is no DateTime", Effect.succeed({ token: Redacted.make("t0ken"), expires: "t0ken" })],
    ["a failure with a secret", Effect.fail({ _tag: "no t0ken" })],
    ["a failure that cannot be read", Effect.fail(new Proxy({}, { get: () => assert.fail("t0ken"), has: () => true }))],
    ["a defect", Effect.die(new TypeError("t0ken"))],
    ["an interruption", Effect.interrupt]
  ]

  it.effect.each(odd)(
    "fails with TokenUnavailable and shows no secret when the source gives %s",
    ([_, source]) =>
      Effect.gen(function*() {
        const authToken = Reflect.apply(RenewingToken.make, undefined, [source, { retry: { base: "1 minute" } }])
        yield* Effect.gen(function*() {
          const error = yield* Effect.flip(call)
          assert.strictEqual(reasonOf(error), "TokenUnavailable")
          assert.notInclude(Util.inspect(error, { depth: 9, showHidden: true }), "t0ken")
          assert.deepStrictEqual(yield* tokens, [])
        }).pipe(withToken(authToken))
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("is refused before any request", () =>
    Effect.gen(function*() {
      const valid = Effect.succeed(Redacted.make("t0ken"))
      const options: ReadonlyArray<readonly [unknown, unknown, string]> = [
        ["t0ken", {}, "authToken"],
        [valid, { margin: "-1 minute" }, "authToken.margin"],
        [valid, { margin: "soon" }, "authToken.margin"],
        [valid, { retry: { base: 0 } }, "authToken.retry.base"],
        [valid, { retry: "often" }, "authToken.retry"]
      ]
      for (const [source, wrong, location] of options) {
        const authToken = Reflect.apply(RenewingToken.make, undefined, [source, wrong])
        const Live = PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "emulator", authToken })
        const { reason } = yield* Effect.flip(Effect.provide(call, Live))
        assert.deepInclude(reason, { _tag: "BadRequest" })
        assert.deepStrictEqual("details" in reason && reason.details.map((detail) => detail.location), [location])
      }
      assert.deepStrictEqual(yield* tokens, [])
    }).pipe(Effect.provide(emulated())))
})

it.each(
  [
    ["is renewed a margin before its end", 1_000_000, 120_000, { due: 880_000, over: 1_000_000 }],
    ["lives for half of its time at least", 100_000, 120_000, { due: 50_000, over: 100_000 }],
    ["is used for 30 seconds at least", 10_000, 120_000, { due: 30_000, over: 30_000 }],
    ["is used when it is over already", 0, 120_000, { due: Infinity, over: Infinity }],
    ["is used without an end", undefined, 120_000, { due: Infinity, over: Infinity }]
  ] as const
)("a token %s", (_, expires, margin, times) => assert.deepStrictEqual(timesOf(0, expires, margin), times))

describe("tokens of the service", () => {
  /** The emulator checks rights and ends; the server says nothing of the end. */
  const granting = Effect.fnUntraced(function*(rights: ReadonlyArray<ReadonlyArray<"read" | "write">>) {
    const { grant } = yield* emulator
    const server = { asked: 0, refused: 0 }
    const authToken = RenewingToken.make(Effect.suspend(() => {
      const channels = { a: rights[Math.min(server.asked++, rights.length - 1)] ?? [] }
      return Effect.map(grant({ ttl: "10 minutes", user: "ada", channels }), (token) => Redacted.make(token))
    }))
    return {
      server,
      provide: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(
          withToken(authToken),
          Effect.provide(Access.layerExplanations),
          Effect.updateService(HttpClient.HttpClient, (client) =>
            HttpClient.transform(client, (sent) =>
              Effect.tap(sent, ({ status }) =>
                Effect.sync(() => status === 403 && server.refused++))))
        )
    }
  })

  it.effect("are renewed before the end that is in them, for calls and a stream", () =>
    Effect.gen(function*() {
      const { provide, server } = yield* granting([["read", "write"]])
      yield* Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        for (const minute of numbers(15)) {
          yield* Effect.all([Publish.publish({ channel: "a", message: minute }), call, call], {
            concurrency: "unbounded"
          })
          yield* VirtualTime.advance("1 minute")
        }
        assert.deepStrictEqual(payloads(seen), numbers(15))
        assert.deepStrictEqual(new Set(tags(seen)), new Set(["Connected", "Message"]))
        assert.deepStrictEqual(server, { asked: 2, refused: 0 })
      }).pipe(provide)
    }).pipe(Effect.provide(emulated({ emulator: { addOns: { accessManager: true } } }))))

  it.effect("explain a refusal by the newest one", () =>
    Effect.gen(function*() {
      const { provide } = yield* granting([["read", "write"], ["read"]])
      yield* Effect.gen(function*() {
        yield* Publish.publish({ channel: "a", message: 1 })
        yield* VirtualTime.advance("9 minutes")
        yield* call
        yield* VirtualTime.advance("1 second")
        const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 2 }))
        assert.include(error.message, "The token has read on the channel \"a\", but not write.")
      }).pipe(provide)
    }).pipe(Effect.provide(emulated({ emulator: { addOns: { accessManager: true } } }))))
})
