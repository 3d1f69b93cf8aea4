/** The two ways to AES: Node's own, and Web Crypto, which browsers have alone. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Aes from "../../src/pubnub/internal/encryption/aes.ts"
import { numbers } from "../kit/numbers.ts"

const bytesOf = (count: number) => Uint8Array.from(numbers(count), (number) => number * 7 % 256)

const both = Effect.promise(async () => {
  const node = Aes.nodeKey(bytesOf(32))
  assert.isDefined(node)
  return [node, await Aes.webKey(bytesOf(32))] as const
})

const lengths = [0, 1, 15, 16, 17, 31, 32, 33, 1_000, 32_768]

describe("keys of Node and of Web Crypto", () => {
  it.effect.each(lengths)(
    "encrypt %i bytes alike, and decrypt what the other encrypted",
    (length) =>
      Effect.gen(function*() {
        const keys = yield* both
        const bytes = bytesOf(length)
        const iv = Aes.randomIv()
        const [one, two] = yield* Effect.promise(() => Promise.all(keys.map((key) => key.encrypt(iv, bytes))))
        assert.deepStrictEqual(one, two)
        assert.strictEqual(one?.length, length - length % Aes.block + Aes.block)
        assert.deepStrictEqual(
          yield* Effect.promise(() => Promise.all(keys.map((key) => key.decrypt(iv, one ?? bytes)))),
          [bytes, bytes]
        )
      })
  )

  it.effect.each([0, 15, 16, 17, 32])("decrypt no %i bytes that nobody encrypted", (length) =>
    Effect.gen(function*() {
      const keys = yield* both
      assert.deepStrictEqual(
        yield* Effect.promise(() => Promise.all(keys.map((key) => key.decrypt(bytesOf(Aes.block), bytesOf(length))))),
        [undefined, undefined]
      )
    }))
})

describe("a key of Node", () => {
  const withoutCiphers = {
    createSecretKey: () => ({}),
    createCipheriv: (): never => {
      throw new Error("not implemented")
    }
  }
  it.effect.each(
    [
      ["a bundler's process", undefined],
      ["another runtime", (): unknown => undefined],
      ["a runtime without ciphers", (): unknown => withoutCiphers]
    ] as const
  )(
    "is none where the runtime has no crypto of Node: %s",
    ([, value]) =>
      Effect.acquireUseRelease(
        Effect.sync(() => Object.getOwnPropertyDescriptor(process, "getBuiltinModule") ?? {}),
        () =>
          Effect.sync(() => {
            Object.defineProperty(process, "getBuiltinModule", { configurable: true, value })
            assert.isUndefined(Aes.nodeKey(bytesOf(32)))
          }),
        (original) => Effect.sync(() => Object.defineProperty(process, "getBuiltinModule", original))
      )
  )
})
