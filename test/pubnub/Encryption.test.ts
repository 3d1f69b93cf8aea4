import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Encryption } from "effect-herald/pubnub"
import { numbers } from "../kit/numbers.ts"

const key = Redacted.make("myCipherKey")
const other = Redacted.make("testKey")

/** Computed elsewhere, with the same key; the vendor's client reads each of them. */
const headed = "UE5FRAFBQ1JIEAABAgMEBQYHCAkKCwwNDg+6at8MF2XxYwbMg2Wu5D9P"
const random = "AAECAwQFBgcICQoLDA0OD8O7vs3ehHk8yGeoKKod4DI="
const fixed = "Brs38fRVWFur/wXlSEx30Q=="
const ofOther = "UE5FRAFBQ1JIEAABAgMEBQYHCAkKCwwNDg/8YlOjngezdayNmtNLJIUY"

const opened = (options: Encryption.Options, ...payloads: ReadonlyArray<Schema.Json>) =>
  Effect.flatMap(Encryption.make(options), ({ openAll }) => openAll(payloads))

const tagsOf = (opened: ReadonlyArray<Encryption.Opened>) => opened.map(({ _tag }) => _tag)

describe("openAll", () => {
  it.effect("says of each payload in its place what it was", () =>
    Effect.gen(function*() {
      const payloads = [headed, "hello", random, null, { pn_other: 1 }, ofOther, fixed, 7, { pn_other: headed }]
      assert.deepStrictEqual(yield* opened({ key }, ...payloads), [
        { _tag: "Decrypted", payload: "hi" },
        { _tag: "Plain" },
        { _tag: "Decrypted", payload: "hi" },
        { _tag: "Plain" },
        { _tag: "Plain" },
        {
          _tag: "Unreadable",
          reason: "Undecryptable",
          issue: "it is encrypted, and none of the keys decrypts it"
        },
        { _tag: "Plain" },
        { _tag: "Plain" },
        { _tag: "Decrypted", payload: "hi" }
      ])
    }))

  it.effect("reads legacy data as far as legacy says", () =>
    Effect.gen(function*() {
      const tags = (legacy: Encryption.Options["legacy"]) =>
        Effect.map(opened({ key, legacy }, headed, random, fixed), tagsOf)
      assert.deepStrictEqual(yield* tags("static"), ["Decrypted", "Decrypted", "Decrypted"])
      assert.deepStrictEqual(yield* tags("random"), ["Decrypted", "Decrypted", "Plain"])
      assert.deepStrictEqual(yield* tags("none"), ["Decrypted", "Plain", "Plain"])
    }))

  it.effect("refuses plain payloads where plain is reject", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* opened({ key, plain: "reject" }, headed, "hello"), [
        { _tag: "Decrypted", payload: "hi" },
        { _tag: "Unreadable", reason: "NotEncrypted", issue: "it is not encrypted" }
      ])
    }))

  it.effect("has the same result for wrong padding, a wrong text and a wrong key", () =>
    Effect.gen(function*() {
      const bytes = Result.getOrThrow(Base64.decode(headed))
      const changed = (index: number) => Base64.encode(bytes.with(index, (bytes[index] ?? 0) ^ 1))
      const issues = yield* opened({ key }, ofOther, changed(10), ...numbers(16, 26).map(changed))
      assert.deepStrictEqual(new Set(issues.map((one) => JSON.stringify(one))).size, 1)
      assert.strictEqual(issues[0]?._tag, "Unreadable")
    }))

  it.effect("reads with every key, and writes with the first one", () =>
    Effect.gen(function*() {
      const both = yield* Encryption.make({ keys: [other, key] })
      assert.deepStrictEqual(tagsOf(yield* both.openAll([headed, ofOther])), ["Decrypted", "Decrypted"])
      const sealed = JSON.parse(yield* both.seal("1"))
      assert.deepStrictEqual(tagsOf(yield* opened({ key: other }, sealed)), ["Decrypted"])
      assert.deepStrictEqual(tagsOf(yield* opened({ key }, sealed)), ["Unreadable"])
    }))
})

describe("seal", () => {
  it.effect.prop("round-trips JSON in each format", [Schema.Json, Schema.Literals(["random", "static", "none"])], (
    [json, legacy]
  ) =>
    Effect.gen(function*() {
      const writeLegacy = legacy !== "none"
      const encryption = yield* Encryption.make({ key, legacy, writeLegacy })
      const [result] = yield* encryption.openAll([JSON.parse(yield* encryption.seal(JSON.stringify(json)))])
      assert.deepStrictEqual(result, { _tag: "Decrypted", payload: JSON.parse(JSON.stringify(json)) })
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")), { arbitrary: { runs: 30 } })

  it.effect("keeps the parts for push services readable, and the rest in pn_other with quotes", () =>
    Effect.gen(function*() {
      const encryption = yield* Encryption.make({ key })
      const parts = { pn_apns: { aps: { alert: "hi" } }, pn_fcm: { data: {} }, pn_gcm: 1 }
      for (
        const [message, proper] of [[{ text: "hi", ...parts }, { text: "hi" }], [{ ...parts, pn_other: [1] }, [1]]]
      ) {
        const sealed = JSON.parse(yield* encryption.seal(JSON.stringify(message)))
        const { pn_other: ciphertext, ...rest } = sealed
        assert.deepStrictEqual(rest, parts)
        assert.match(ciphertext, /^"UE5FRAFBQ1JIE[A-Za-z0-9+/]+={0,2}"$/)
        assert.deepStrictEqual(yield* encryption.openAll([sealed]), [{ _tag: "Decrypted", payload: proper ?? null }])
      }
    }))

  it.effect("finishes in the order of the calls", () =>
    Effect.gen(function*() {
      const { seal } = yield* Encryption.make({ key })
      const order: Array<number> = []
      yield* Effect.forEach([3_000_000, 3, 300_000, 1], (length) =>
        Effect.tap(seal(`"${"x".repeat(length)}"`), () => Effect.sync(() => order.push(length))), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(order, [3_000_000, 3, 300_000, 1])
    }))
})

describe("make", () => {
  // What callers without the compiler pass.
  const make = (options: unknown): ReturnType<typeof Encryption.make> =>
    Reflect.apply(Encryption.make, undefined, [options])
  const layer = (options: unknown): ReturnType<typeof Encryption.layer> =>
    Reflect.apply(Encryption.layer, undefined, [options])
  const refusal = (options: unknown) => Effect.map(Effect.flip(make(options)), String)

  it.effect("refuses a key of no bytes, and one that is not redacted text", () =>
    Effect.gen(function*() {
      assert.include(yield* refusal({ key: Redacted.make("") }), "key is empty")
      assert.include(yield* refusal({ keys: [key, Redacted.make("")] }), "keys[1] is empty")
      assert.include(yield* refusal({ keys: [] }), "not a list of keys")
      assert.include(yield* refusal({}), "key is missing")
      assert.include(yield* refusal(undefined), "input has undefined in place of an object (TypeError: ")
      for (const options of [{ key: "s3cret" }, { keys: ["s3cret"] }, { keys: "s3cret" }]) {
        assert.notInclude(yield* refusal(options), "s3cret")
      }
      assert.include(yield* refusal({ key: "s3cret" }), "key is not a Redacted string")
    }))

  const Some = Schema.Struct({
    key: Schema.optionalKey(Schema.Union([Schema.String, Schema.Null, Schema.Int])),
    keys: Schema.optionalKey(Schema.Union([Schema.Array(Schema.Union([Schema.String, Schema.Null])), Schema.Boolean])),
    legacy: Schema.optionalKey(Schema.Union([Schema.Literals(["none", "random", "static"]), Schema.String])),
    writeLegacy: Schema.optionalKey(Schema.Union([Schema.Boolean, Schema.Int])),
    plain: Schema.optionalKey(Schema.Union([Schema.Literals(["accept", "reject"]), Schema.Null]))
  })

  it.effect.prop(
    "fails with BadRequest and nothing else, whatever the layer is given",
    { some: Some, areRedacted: Schema.Boolean },
    ({ areRedacted, some }) =>
      Effect.gen(function*() {
        const hidden = (value: unknown): unknown =>
          areRedacted && typeof value === "string"
            ? Redacted.make(value)
            : Array.isArray(value)
            ? value.map(hidden)
            : value
        const exit = yield* layer({ ...some, key: hidden(some.key), keys: hidden(some.keys) }).pipe(
          Layer.build,
          Effect.scoped,
          Effect.exit
        )
        if (Exit.isSuccess(exit)) return
        const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
        if (error === undefined) return assert.fail(String(exit.cause))
        assert.strictEqual(error._tag, "PubNubError")
        assert.strictEqual(error.reason._tag, "BadRequest")
        assert.isUndefined(error.reason.status)
      }),
    { arbitrary: { runs: 50 } }
  )

  it.effect("refuses options that contradict each other", () =>
    Effect.gen(function*() {
      assert.include(yield* refusal({ key, keys: [key] }), "keys is given beside key")
      assert.include(yield* refusal({ key, legacy: "none", writeLegacy: true }), "names no format")
      assert.include(yield* refusal({ key, legacy: "old" }), "legacy")
      assert.include(yield* refusal({ key, plain: "maybe" }), "plain")
    }))
})

const contents = (stream: Stream.Stream<Uint8Array, Encryption.Undecryptable>) =>
  Effect.map(Stream.runCollect(stream), (parts) => parts.flatMap((part) => [...part]))

const streamed = (bytes: ReadonlyArray<number>, size: number) =>
  Stream.fromIterable(
    numbers(Math.ceil(bytes.length / size)).map((n) => Uint8Array.from(bytes.slice(n * size, (n + 1) * size)))
  )

describe("streams of bytes", () => {
  it.effect("round-trip at every length and in chunks of any size, and have the size that encryptedSize says", () =>
    Effect.gen(function*() {
      const encryption = yield* Encryption.make({ key })
      for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 100, 1_000]) {
        const bytes = numbers(length).map((n) => n % 251)
        for (const size of [1, 5, 16, 48, 2_000]) {
          const encrypted = yield* contents(encryption.encryptBytes(streamed(bytes, size)))
          assert.lengthOf(encrypted, encryption.encryptedSize(length))
          assert.deepStrictEqual(yield* contents(encryption.decryptBytes(streamed(encrypted, size))), bytes)
        }
      }
    }))

  it.effect("fail with Undecryptable when they are cut or changed at the end, or of another key", () =>
    Effect.gen(function*() {
      const encryption = yield* Encryption.make({ key })
      const encrypted = yield* contents(encryption.encryptBytes(streamed(numbers(100), 50)))
      const failure = (bytes: ReadonlyArray<number>, by = encryption) =>
        Effect.map(Effect.flip(contents(by.decryptBytes(streamed(bytes, 20)))), ({ _tag }) => _tag)
      for (const end of [0, 3, 16, 26, 27, 41, 42, 100, -1, -16]) {
        assert.strictEqual(yield* failure(encrypted.slice(0, end)), "Undecryptable")
      }
      assert.strictEqual(yield* failure(encrypted.with(-1, (encrypted.at(-1) ?? 0) ^ 1)), "Undecryptable")
      assert.strictEqual(
        yield* failure(encrypted.slice(26), yield* Encryption.make({ key, legacy: "none" })),
        "Undecryptable"
      )
    }))

  it.effect("find the right one of several keys, and read the source twice for it", () =>
    Effect.gen(function*() {
      const old = yield* Encryption.make({ key, legacy: "random", writeLegacy: false })
      const encrypted = Uint8Array.from(Result.getOrThrow(Base64.decode(headed)))
      let runs = 0
      const source = Stream.suspend(() => {
        runs++
        return Stream.make(encrypted.slice(0, 7), encrypted.slice(7))
      })
      const both = yield* Encryption.make({ keys: [other, key] })
      assert.strictEqual(String.fromCharCode(...yield* contents(both.decryptBytes(source))), "\"hi\"")
      assert.strictEqual(runs, 2)
      assert.strictEqual(String.fromCharCode(...yield* contents(old.decryptBytes(source))), "\"hi\"")
      assert.strictEqual(runs, 3)
    }))

  it.effect("keep a failure of their source", () =>
    Effect.gen(function*() {
      const { decryptBytes, encryptBytes } = yield* Encryption.make({ key })
      const source = Stream.concat(Stream.make(Uint8Array.of(1)), Stream.fail("lost"))
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(encryptBytes(source))), "lost")
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(decryptBytes(source))), "lost")
    }))
})
