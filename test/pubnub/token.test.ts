/** A token that is replaced while something runs, by a reference. `renewingToken.test.ts` has those that renew themselves. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  ChannelGroups,
  History,
  Presence,
  Publish,
  Publisher,
  PubNubConfig,
  RenewingToken,
  Subscribe,
  Subscriber,
  Time,
  Users
} from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { addressSize } from "../../src/pubnub/internal/wire/endpoint.ts"
import { path } from "../../src/pubnub/internal/wire/path.ts"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { randomUUID } from "node:crypto"
import * as Util from "node:util"
import { collectConnected } from "../kit/collect.ts"
import { payloads, tags } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"

const emulator = PubNubEmulator.PubNubEmulator
const denied = Faults.Fault.AccessDenied()

const first = Redacted.make("t0ken-one")
const second = Redacted.make("t0ken-two")

/** A token that can be replaced. */
interface Source {
  readonly authToken: PubNubConfig.AuthToken
  readonly set: (token: Redacted.Redacted) => void
}

const reference = Effect.map(SubscriptionRef.make(first), (ref): Source => ({
  authToken: ref,
  set: (token) => Effect.runSync(SubscriptionRef.set(ref, token))
}))

const inWorld = (authToken: PubNubConfig.AuthToken | undefined, options: Parameters<typeof emulated>[0] = {}) =>
  Effect.provide(emulated({ ...options, config: { ...options.config, authToken } }))

const publish = (...messages: ReadonlyArray<unknown>) =>
  emulator.use((service) => service.publishAll(messages.map((message) => ({ channel: "a", message }))))

/** The tokens of the requests so far whose path begins so. */
const tokensOf = (prefix: string) =>
  Effect.map(requestsTo(prefix), (requests) => requests.map((request) => queryOf(request).get("auth")))

const addFault = (rule: Faults.Rule) => Faults.Faults.use((faults) => faults.add(rule))

const isPoll = ({ url }: HttpClientRequest.HttpClientRequest) => /subscribe.*[?&]tt=\d{17}/.test(url)

/** Runs as long as no timer has to. */
const atOnce = Effect.repeat(Effect.yieldNow, Schedule.recurs(200))

describe("a token from a reference", () => {
  it.effect("is used by the next request when it is replaced during a poll, and nothing is lost or refused", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        const service = yield* emulator
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        set(second)
        yield* atOnce
        // The poll in flight is left alone.
        assert.strictEqual((yield* requestsTo("/v2/subscribe")).length, 2)
        yield* service.revokeToken("t0ken-one")
        for (const n of numbers(3)) {
          yield* publish(n)
          yield* VirtualTime.advance("1 second")
        }
        assert.deepStrictEqual(yield* tokensOf("/v2/subscribe"), [
          "t0ken-one",
          "t0ken-one",
          "t0ken-two",
          "t0ken-two",
          "t0ken-two"
        ])
        assert.deepStrictEqual(tags(seen), ["Connected", "Message", "Message", "Message"])
        assert.deepStrictEqual(payloads(seen), numbers(3))
      }).pipe(inWorld(authToken))
    }))

  it.effect("is used at once when it is replaced during a refusal, which is not reported", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* addFault({
          on: (request) => {
            if (!isPoll(request)) return false
            set(second)
            return true
          },
          fault: denied
        })
        yield* publish(1)
        yield* atOnce
        yield* publish(2)
        yield* atOnce
        assert.deepStrictEqual(tags(seen), ["Connected", "Message", "Message"])
        assert.deepStrictEqual(payloads(seen), [1, 2])
        assert.strictEqual((yield* Faults.Faults.use(({ injected }) => injected)).length, 1)
      }).pipe(inWorld(authToken))
    }))

  it.effect("ends the stream with AccessDenied after the schedule when it is not replaced", () =>
    Effect.gen(function*() {
      const { authToken } = yield* reference
      yield* Effect.gen(function*() {
        const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* VirtualTime.advance("1 minute")
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error.reason._tag, "AccessDenied")
        assert.deepStrictEqual(tags(seen), ["Connected", "Message", ...Array(3).fill("Interrupted"), "Disconnected"])
        yield* publish(2)
        const { seen: rest } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"], from: error.cursor }).pipe(
            Stream.provideService(PubNubConfig.PubNubConfig, {
              ...yield* PubNubConfig.PubNubConfig,
              authToken: second
            })
          )
        )
        assert.deepStrictEqual(payloads(rest), [2])
      }).pipe(inWorld(authToken))
    }))

  it.effect("is used by the retry when it was replaced before it", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* atOnce
        set(second)
        yield* publish(2)
        yield* VirtualTime.advance("5 seconds")
        assert.deepStrictEqual(payloads(seen), [1, 2])
        assert.deepStrictEqual(
          tags(seen),
          ["Connected", "Message", "Interrupted", "Reconnected", "Message"]
        )
      }).pipe(inWorld(authToken))
    }))

  it.effect("is read anew by every request that needs a token", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      const all: Effect.Effect<unknown, never, HttpClient.HttpClient | PubNubConfig.PubNubConfig> = Effect.all([
        Effect.exit(Publish.publish({ channel: "a", message: 1 })),
        Effect.exit(Publish.publish({ channel: "a", message: "x".repeat(31_000) })),
        Effect.exit(Publish.signal({ channel: "a", message: 1 })),
        Effect.exit(Stream.runDrain(History.stream({ channel: "a" }))),
        Effect.exit(ChannelGroups.listChannels({ group: "g" })),
        Effect.exit(Presence.hereNow({ channels: ["a"] })),
        Effect.exit(Users.set({ name: "Ada" })),
        Effect.exit(Effect.scoped(
          Effect.provideServiceEffect(
            Publisher.publish({ channel: "a", message: 2 }),
            Publisher.Publisher,
            Publisher.make()
          )
        ))
      ])
      yield* Effect.gen(function*() {
        yield* all
        const before = yield* tokensOf("/")
        set(second)
        yield* all
        const tokens = yield* tokensOf("/")
        assert.isAtLeast(before.length, 8)
        assert.deepStrictEqual(new Set(before), new Set(["t0ken-one"]))
        assert.deepStrictEqual(new Set(tokens.slice(before.length)), new Set(["t0ken-two"]))
        yield* Time.now
        assert.deepStrictEqual(yield* tokensOf("/time"), [null])
      }).pipe(inWorld(authToken))
    }))

  it.effect("is part of the signed request", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        yield* Publish.publish({ channel: "a", message: 1 })
        set(second)
        yield* Publish.publish({ channel: "a", message: 2 })
        assert.deepStrictEqual(yield* tokensOf("/publish"), ["t0ken-one", "t0ken-two"])
      }).pipe(inWorld(authToken, {
        emulator: { keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }] },
        config: { secretKey: Redacted.make("sec"), requestTimeout: "1 hour" }
      }))
    }))

  it.effect("is used at once when it is replaced while history refuses it, without an Interrupted event", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      let count = 0
      yield* Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* addFault({
          on: ({ url }) => {
            if (!url.includes("/v3/history")) return false
            set(Redacted.make(`t0ken-${++count}`))
            return true
          },
          fault: denied,
          times: 1
        })
        yield* publish(...numbers(150))
        yield* VirtualTime.advance("10 seconds")
        assert.strictEqual(count, 1)
        assert.deepStrictEqual(payloads(seen), numbers(150))
        assert.notInclude(tags(seen), "Interrupted")
      }).pipe(inWorld(authToken))
    }))

  it.effect("is used at once when it is replaced while the list of a group refuses it", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        yield* emulator.use((service) => service.addToGroup({ group: "g", channels: ["a"] }))
        const { seen } = yield* collectConnected(Subscribe.stream({ groups: ["g"] }))
        yield* addFault({
          on: ({ url }) => {
            if (!url.includes("/channel-registration/")) return false
            set(second)
            return true
          },
          fault: denied
        })
        yield* publish(...numbers(150))
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(150))
        assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Message"), ["Connected"])
        assert.strictEqual((yield* Faults.Faults.use(({ injected }) => injected)).length, 1)
      }).pipe(inWorld(authToken))
    }))

  it.effect("is tried with history again after another one was refused there", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* addFault({ on: ({ url }) => /history.*auth=t0ken-one/.test(url), fault: denied, times: 100 })
        yield* publish(...numbers(150))
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), numbers(150).slice(50))
        set(second)
        const more = numbers(300).slice(150)
        yield* publish(...more)
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen).slice(-150), more)
      }).pipe(inWorld(authToken))
    }))

  it.effect("is renewed for all readers of a Subscriber", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      yield* Effect.gen(function*() {
        const readers = [
          yield* collectConnected(Subscribe.stream({ channels: ["a"] })),
          yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
        ]
        set(second)
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* VirtualTime.advance("1 second")
        yield* publish(2)
        yield* VirtualTime.advance("1 second")
        for (const { seen } of readers) {
          assert.deepStrictEqual(payloads(seen), [1, 2])
          assert.notInclude(tags(seen), "Interrupted")
        }
      }).pipe(
        Effect.provide(Layer.merge(Subscriber.layer(), emulated({ config: { authToken } })))
      )
    }))

  it.effect("appears in no error, no status and no log", () =>
    Effect.gen(function*() {
      const { authToken, set } = yield* reference
      const shown: Array<string> = []
      const show = (value: unknown) => {
        shown.push(String(value), JSON.stringify(value) ?? "", Util.inspect(value, { depth: 12 }))
        if (value instanceof Error) shown.push(value.stack ?? "", value.message)
      }
      const throws = Schedule.forever.pipe(Schedule.modifyDelay(() => {
        throw new RangeError("no delay with t0ken-one or t0ken-two")
      }))
      yield* Effect.gen(function*() {
        const reconnect = { ServerFailure: throws }
        const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], reconnect }))
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* atOnce
        set(second)
        yield* VirtualTime.advance("10 seconds")
        yield* addFault({ on: "poll", fault: Faults.Fault.ServerError({ status: 500, handled: false }) })
        yield* publish(2)
        yield* VirtualTime.advance("1 second")
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.include(error.message, "no delay with {secret} or {secret}")
        show(error)
        seen.forEach(show)
        show(yield* PubNubConfig.PubNubConfig)
        assert.include(tags(seen), "Interrupted")
        assert.isAbove(shown.length, 10)
        for (const text of shown) assert.notMatch(text, /t0ken/)
      }).pipe(
        inWorld(authToken),
        Effect.provide(Logger.layer([Logger.make(({ message }) => show(message))])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
    }))
})

describe("a token reference", () => {
  it.effect("ends the pause after a refusal at once when a new token is set", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(first)
      yield* Effect.gen(function*() {
        const reconnect = { AccessDenied: Schedule.spaced("1 hour") }
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], reconnect }))
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* atOnce
        assert.strictEqual(tags(seen).at(-1), "Interrupted")
        // The same token says nothing new.
        yield* SubscriptionRef.set(ref, Redacted.make("t0ken-one"))
        yield* atOnce
        assert.strictEqual(tags(seen).at(-1), "Interrupted")
        yield* publish(2)
        yield* SubscriptionRef.set(ref, second)
        yield* atOnce
        assert.deepStrictEqual(tags(seen), ["Connected", "Message", "Interrupted", "Reconnected", "Message"])
        assert.deepStrictEqual(payloads(seen), [1, 2])
      }).pipe(inWorld(ref))
    }))

  it.effect("ends the pause of a Subscriber's connection when a new token is set", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(first)
      yield* Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* atOnce
        yield* SubscriptionRef.set(ref, second)
        yield* publish(2)
        yield* atOnce
        assert.deepStrictEqual(payloads(seen), [1, 2])
      }).pipe(
        Effect.provide(
          Layer.merge(
            Subscriber.layer({ reconnect: { AccessDenied: Schedule.spaced("1 hour") } }),
            emulated({ config: { authToken: ref } })
          )
        )
      )
    }))

  it.effect("renews the connection after each refusal, once each", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(Redacted.make("token-0"))
      yield* Effect.gen(function*() {
        const reconnect = { AccessDenied: Schedule.spaced("1 hour") }
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], reconnect }))
        for (const n of numbers(5)) {
          yield* emulator.use((service) => service.revokeToken(`token-${n}`))
          yield* publish(n)
          yield* atOnce
          yield* SubscriptionRef.set(ref, Redacted.make(`token-${n + 1}`))
          yield* atOnce
        }
        assert.deepStrictEqual(payloads(seen), numbers(5))
        assert.strictEqual(tags(seen).filter((tag) => tag === "Interrupted").length, 5)
        assert.strictEqual(tags(seen).filter((tag) => tag === "Reconnected").length, 5)
      }).pipe(inWorld(ref))
    }))

  it.effect("is observed only from a refusal on, and no more when the stream has ended", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(first)
      const listeners = () => ref.pubsub.subscribers.size
      yield* Effect.gen(function*() {
        const { fiber } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        assert.strictEqual(listeners(), 0)
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        yield* publish(1)
        yield* atOnce
        assert.strictEqual(listeners(), 1)
        yield* VirtualTime.advance("1 minute")
        assert.isDefined(fiber.pollUnsafe())
        assert.strictEqual(listeners(), 0)
      }).pipe(inWorld(ref))
    }))

  it.effect("is not observed after the last reader of a Subscriber's connection left", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(first)
      yield* Effect.gen(function*() {
        yield* emulator.use((service) => service.revokeToken("t0ken-one"))
        const { fiber } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        assert.strictEqual(ref.pubsub.subscribers.size, 1)
        yield* Fiber.interrupt(fiber)
        yield* VirtualTime.advance("2 seconds")
        assert.strictEqual(ref.pubsub.subscribers.size, 0)
      }).pipe(
        Effect.provide(
          Layer.merge(
            Subscriber.layer({ reconnect: { AccessDenied: Schedule.spaced("1 hour") } }),
            emulated({ config: { authToken: ref } })
          )
        )
      )
    }))

  it.effect("renews the connection after each refusal on a quiet channel", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(Redacted.make("token-0"))
      yield* Effect.gen(function*() {
        const reconnect = { AccessDenied: Schedule.spaced("1 hour") }
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], reconnect }))
        for (const n of numbers(3)) {
          yield* VirtualTime.advance("3 minutes")
          yield* emulator.use((service) => service.revokeToken(`token-${n}`))
          yield* VirtualTime.advance("1 minute")
          assert.strictEqual(tags(seen).at(-1), "Interrupted")
          yield* SubscriptionRef.set(ref, Redacted.make(`token-${n + 1}`))
          yield* atOnce
          assert.strictEqual(tags(seen).at(-1), "Reconnected")
        }
        assert.strictEqual(seen.length, 7)
      }).pipe(inWorld(ref))
    }))

  it.effect("is used only by its own stream when there are two", () =>
    Effect.gen(function*() {
      const [one, other] = [yield* SubscriptionRef.make(first), yield* SubscriptionRef.make(Redacted.make("other-1"))]
      yield* Effect.gen(function*() {
        const config = yield* PubNubConfig.PubNubConfig
        const mine = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        const theirs = yield* collectConnected(
          Subscribe.stream({ channels: ["b"] }).pipe(
            Stream.provideService(PubNubConfig.PubNubConfig, { ...config, authToken: other })
          )
        )
        yield* SubscriptionRef.set(other, Redacted.make("other-2"))
        const both = emulator.use(({ publishAll }) =>
          publishAll(["a", "b"].map((channel) => ({ channel, message: 1 })))
        )
        yield* both
        yield* VirtualTime.advance("1 second")
        yield* SubscriptionRef.set(one, second)
        yield* both
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(
          yield* tokensOf("/v2/subscribe/demo-sub/a/"),
          ["t0ken-one", "t0ken-one", "t0ken-one", "t0ken-two"]
        )
        assert.deepStrictEqual(
          yield* tokensOf("/v2/subscribe/demo-sub/b/"),
          ["other-1", "other-1", "other-2", "other-2"]
        )
        for (const { seen } of [mine, theirs]) assert.deepStrictEqual(payloads(seen), [1, 1])
      }).pipe(inWorld(one))
    }))
})

it.effect("does not share a connection between two token sources that only look equal", () =>
  Effect.gen(function*() {
    const token = Effect.succeed(first)
    const config = yield* PubNubConfig.PubNubConfig
    for (const channel of ["a", "b"]) {
      yield* collectConnected(
        Subscribe.stream({ channels: [channel] }).pipe(
          Stream.provideService(PubNubConfig.PubNubConfig, {
            ...config,
            authToken: RenewingToken.make(token)
          })
        )
      )
    }
    assert.strictEqual((yield* requestsTo("/v2/subscribe/demo-sub/b/")).length, 2)
    assert.strictEqual((yield* requestsTo("/v2/subscribe")).length, 4)
  }).pipe(Effect.provide(Layer.merge(Subscriber.layer(), emulated()))))

it.effect("shares one connection between streams with the same token source", () =>
  Effect.gen(function*() {
    for (const channel of ["a", "b"]) yield* collectConnected(Subscribe.stream({ channels: [channel] }))
    assert.strictEqual((yield* requestsTo("/v2/subscribe/demo-sub/a,b/")).length, 2)
  }).pipe(
    Effect.provide(
      Layer.merge(Subscriber.layer(), emulated({ config: { authToken: RenewingToken.make(Effect.succeed(first)) } }))
    )
  ))

describe("a service that refuses each new token", () => {
  it.effect("is not asked without end when a reference is set after each refusal", () =>
    Effect.gen(function*() {
      const ref = yield* SubscriptionRef.make(first)
      yield* Effect.gen(function*() {
        const { fiber } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"] }).pipe(
            Stream.tap((event) =>
              event._tag === "Interrupted" ? SubscriptionRef.set(ref, Redacted.make(randomUUID())) : Effect.void
            )
          )
        )
        yield* addFault({ on: ({ url }) => url.includes("/v2/subscribe"), fault: denied, times: 1_000 })
        yield* publish(1)
        yield* VirtualTime.advance("1 minute")
        assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).reason._tag, "AccessDenied")
        assert.isAtMost((yield* Faults.Faults.use(({ injected }) => injected)).length, 5)
      }).pipe(inWorld(ref))
    }))
})

describe("the size of an address", () => {
  const sizeOf = (authToken: PubNubConfig.AuthToken | undefined) =>
    addressSize(PubNubConfig.make({ subscribeKey: "s", userId: "u", authToken }), { path: path`/` })
  const plain = sizeOf(undefined)

  it.effect("reserves room for an unknown token, and more for a longer one that is known", () =>
    Effect.gen(function*() {
      const long = Redacted.make("x".repeat(5_000))
      assert.strictEqual(sizeOf(first), plain + "&auth=t0ken-one".length)
      assert.strictEqual(sizeOf(RenewingToken.make(Effect.succeed(first))), plain + 2_054)
      assert.strictEqual(sizeOf(yield* SubscriptionRef.make(first)), plain + 2_054)
      assert.strictEqual(sizeOf(yield* SubscriptionRef.make(long)), plain + 5_006)
      yield* Effect.gen(function*() {
        const size = Effect.map(PubNubConfig.PubNubConfig, (config) => addressSize(config, { path: path`/` }))
        const before = yield* size
        yield* Publish.publish({ channel: "a", message: 1 })
        assert.strictEqual(yield* size, before + 5_000 - 2_048)
      }).pipe(inWorld(RenewingToken.make(Effect.succeed(long))))
    }))
})

it.effect("accepts a value or a reference from a Config", () =>
  Effect.gen(function*() {
    const ref = yield* SubscriptionRef.make(first)
    const from = (options: Parameters<typeof PubNubConfig.layerConfig>[0]) =>
      PubNubConfig.PubNubConfig.pipe(
        Effect.provide(
          PubNubConfig.layerConfig(options).pipe(
            Layer.provide(ConfigProvider.layer(
              ConfigProvider.fromUnknown({ PUBNUB_SUBSCRIBE_KEY: "s", PUBNUB_USER_ID: "u", TOKEN: "t" })
            ))
          )
        )
      )
    assert.strictEqual((yield* from({ authToken: Config.succeed(ref) })).authToken, ref)
    const { authToken } = yield* from({ authToken: Config.Redacted("TOKEN") })
    assert.isTrue(Redacted.isRedacted(authToken) && Redacted.value(authToken) === "t")
  }))

/** A secret whose text nobody can get back. */
const wiped = () => {
  const secret = Redacted.make("t0ken")
  Redacted.wipeUnsafe(secret)
  return secret
}

/** What no compiler would let pass for a token. */
const odd: ReadonlyArray<readonly [string, () => unknown]> = [
  ["text", () => "t0ken"],
  ["a promise", () => Promise.resolve("t0ken")],
  ["a function", () => () => "t0ken"],
  ["wiped", wiped],
  ["half of a surrogate pair", () => Redacted.make("t0ken\ud800")],
  ["null, redacted", () => Redacted.make(null)],
  ["an Effect", () => Effect.succeed(Redacted.make("t0ken"))],
  ["a reference of text", () => Effect.runSync(SubscriptionRef.make("t0ken"))],
  ["a reference of what was wiped", () => Effect.runSync(SubscriptionRef.make(wiped()))]
]

const isDefect = (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit) && Cause.hasDies(exit.cause)

describe("a wrong token", () => {
  it.effect.each(odd)("is a typed failure when it is %s, and appears nowhere", ([_, make]) =>
    Effect.gen(function*() {
      const options = { subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada" }
      Reflect.set(options, "authToken", make())
      const config = PubNubConfig.layer(options)
      const call = yield* Effect.exit(Effect.provide(Time.now, config))
      const get = yield* Effect.exit(Effect.provide(Users.list(), config))
      const events = yield* Subscribe.stream({ channels: ["a"] }).pipe(
        Stream.take(1),
        Stream.runCollect,
        Effect.exit,
        Effect.provide(config)
      )
      for (const exit of [call, get, events]) {
        assert.isFalse(isDefect(exit), Util.inspect(exit))
        assert.notInclude(Util.inspect(exit, { depth: 9, showHidden: true }), "t0ken")
      }
      assert.isTrue(Exit.isFailure(get))
    }).pipe(inWorld(undefined)))

  it.effect("is a typed failure when its secret is wiped later", () =>
    Effect.gen(function*() {
      const [authToken, secretKey] = [Redacted.make("t0ken"), Redacted.make("t0ken")]
      const options = { subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada" }
      const withToken = PubNubConfig.layer({ ...options, authToken })
      const withKey = PubNubConfig.layer({ ...options, secretKey })
      Redacted.wipeUnsafe(authToken)
      Redacted.wipeUnsafe(secretKey)
      const noToken = yield* Effect.flip(Effect.provide(Users.list(), withToken))
      assert.strictEqual(noToken.reason._tag, "BadRequest")
      const noKey = yield* Effect.flip(Effect.provide(Users.list(), withKey))
      assert.strictEqual(noKey.reason._tag, "InvalidKey")
    }).pipe(inWorld(undefined)))
})
