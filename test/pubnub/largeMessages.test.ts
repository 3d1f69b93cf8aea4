/** Messages above 32 KiB, on keysets that have them: the second version of publish. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Publish, type PubNubConfig } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import { emulated, requestsTo } from "../kit/emulated.ts"

const megabytes2 = 2_097_152

const keyset = { subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }

const allowed = (config: Partial<PubNubConfig.Options> = {}, maxMessageSize = megabytes2) =>
  emulated({ config: { maxMessageSize, ...config }, emulator: { limits: { maxMessageSize } } })

/** A message whose JSON has so many bytes. */
const textOf = (bytes: number) => "x".repeat(bytes - 2)

const paths = Effect.map(requestsTo("/"), (all) => all.map(({ method, target }) => `${method} ${target.slice(0, 12)}`))

it.effect("goes the usual way up to 32 KiB, and by the second version above", () =>
  Effect.gen(function*() {
    const channel = "c"
    // The first version counts the channel as well.
    yield* Publish.publish({ channel, message: "x".repeat(32_768 - 1 - 2 * 3) })
    yield* Publish.publish({ channel, message: "x".repeat(32_768 - 2 * 3) })
    yield* Publish.fire({ channel, message: textOf(megabytes2) })
    yield* Publish.publish({ channel, message: "hi" })
    assert.deepStrictEqual(yield* paths, [
      "POST /publish/dem",
      "POST /v2/publish/",
      "POST /v2/publish/",
      "GET /publish/dem"
    ])
  }).pipe(Effect.provide(allowed())))

it.effect("keeps its meta, its type and its time to live", () =>
  Effect.gen(function*() {
    const message = textOf(40_000)
    yield* Publish.publish({ channel: "c d/ü", message, meta: { a: 1 }, customMessageType: "big", ttl: "3 hours" })
    const [stored] = yield* (yield* PubNubEmulator.PubNubEmulator).messages({ channel: "c d/ü" })
    assert.deepInclude(stored, { payload: message, meta: { a: 1 }, customMessageType: "big", publisher: "ada" })
  }).pipe(Effect.provide(allowed())))

it.effect("is signed with its body", () =>
  Effect.gen(function*() {
    yield* Publish.publish({ channel: "c", message: textOf(40_000) })
    const other = yield* Effect.flip(
      Publish.publish({ channel: "c", message: textOf(40_000) }).pipe(
        Effect.provide(emulated({
          config: { maxMessageSize: megabytes2, secretKey: Redacted.make("other") },
          emulator: { limits: { maxMessageSize: megabytes2 }, keysets: [keyset] }
        }))
      )
    )
    assert.include(other.message, "Signature Does Not Match")
  }).pipe(Effect.provide(emulated({
    config: { maxMessageSize: megabytes2, secretKey: Redacted.make("sec") },
    emulator: { limits: { maxMessageSize: megabytes2 }, keysets: [keyset] }
  }))))

it.effect("is refused before it is sent when it is one byte too large", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Publish.publish({ channel: "c", message: textOf(100_001) }))
    assert.deepInclude(error, { _tag: "MessageTooLarge", size: 100_001, limit: 100_000, refusedBy: "client" })
    assert.deepStrictEqual(yield* paths, [])
  }).pipe(Effect.provide(allowed({}, 100_000))))

it.effect("is refused by the service when the keyset allows less than the configuration says", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Publish.publish({ channel: "c", message: textOf(100_001) }))
    assert.deepInclude(error, { _tag: "MessageTooLarge", size: 100_001, refusedBy: "service" })
  }).pipe(Effect.provide(emulated({
    config: { maxMessageSize: 200_000 },
    emulator: { limits: { maxMessageSize: 100_000 } }
  }))))

it.effect("was not done when the keyset has no large messages", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Publish.publish({ channel: "c", message: textOf(40_000) }))
    assert.deepInclude(error, { _tag: "PubNubError" })
    assert.deepStrictEqual(yield* (yield* PubNubEmulator.PubNubEmulator).messages({ channel: "c" }), [])
  }).pipe(Effect.provide(emulated({ config: { maxMessageSize: 200_000 } }))))

it.effect("keeps the early error of a keyset without large messages", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Publish.publish({ channel: "c", message: textOf(40_000) }))
    assert.deepInclude(error, { _tag: "MessageTooLarge", limit: 32_768, refusedBy: "client" })
  }).pipe(Effect.provide(emulated())))

it.effect("counts bytes, not characters", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Publish.publish({ channel: "c", message: "ü".repeat(50_000) }))
    assert.deepInclude(error, { _tag: "MessageTooLarge", size: 100_002 })
    yield* Publish.publish({ channel: "c", message: "ü".repeat(49_999) })
  }).pipe(Effect.provide(allowed({}, 100_000))))

it.effect("is refused with method GET, which cannot carry it", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Publish.publish({ channel: "c", message: textOf(40_000), method: "GET" }))
    assert.include(error.message, "send it with method: \"POST\" or \"auto\"")
    assert.deepStrictEqual(yield* paths, [])
  }).pipe(Effect.provide(allowed())))
