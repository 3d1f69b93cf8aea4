/** Ciphertexts of other clients, of recordings, and damaged ones. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Encryption, Files } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import * as Cipher from "../../src/pubnub/internal/encryption/cipher.ts"
import { derive } from "../../src/pubnub/internal/encryption/keys.ts"
import { emulated } from "../kit/emulated.ts"
import * as Kit from "./kit.ts"

const bytesOf = (base64: string) =>
  new Uint8Array(Result.getOrThrow(Base64.decode(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="))))

const textOf = (bytes: Uint8Array | undefined) => bytes === undefined ? undefined : new TextDecoder().decode(bytes)

const encryptionOf = (key: string, legacy?: "static") => Encryption.make({ key: Redacted.make(key), legacy })

const isJson = (text: string) => Result.isSuccess(Result.try(() => JSON.parse(text)))

const decrypted = (key: string, bytes: Uint8Array) =>
  Effect.flatMap(encryptionOf(key), ({ decryptBytes }) => {
    // The smallest chunks: each block comes in parts.
    const parts = Stream.fromIterable(Array.from(bytes, (byte) => Uint8Array.of(byte)))
    return Effect.map(Stream.runCollect(decryptBytes(parts)), (all) =>
      Base64.encode(Uint8Array.from(all.flatMap((part) => [...part]))))
  })

/** What is known of the bad inputs. All others are `Undecryptable`. */
const readable = [
  "acrh: good",
  "acrh: long form length FF 00 10",
  "acrh: base64 without padding",
  "legacy random: good"
]
const plain = [
  "empty string",
  "plain text \"hello\"",
  "plain text \"hello_world\"",
  "plain text with spaces and punctuation",
  "plain 16 letters (valid base64, 12 bytes)",
  "plain 24 base64 letters (18 bytes)",
  "plain JSON text {\"a\":1}",
  "acrh: one lower-case letter in sentinel (pNED)",
  "acrh: base64 with line breaks",
  "acrh: base64url letters",
  "acrh: base64 inside JSON quotes",
  "legacy random: 16 bytes only (an IV, no ciphertext)",
  "legacy random: 15 bytes",
  // Without `legacy: "static"`.
  "legacy static: good",
  "legacy static: wrong key"
]
const flipped = "acrh: first IV byte flipped (changes first letter)"
const byChance = "legacy: ciphertext that starts with the bytes PNED by chance (length 32)"

describe("encryption vectors", () => {
  if (!Kit.isPresent) {
    it.skip("skipped: ../shared/conformance is not beside this checkout, so there are no vectors")
    return
  }
  const { files, malformed, messages, wire } = Kit.encryption()

  it.effect("all 79 messages decrypt to their texts, and encrypt to the same bytes where the vector is known", () =>
    Effect.gen(function*() {
      assert.lengthOf(messages, 79)
      for (const { ciphertext, iv, key, plaintext, scheme } of messages) {
        const keys = yield* Effect.promise(() => derive(key))
        const legacy = scheme === "legacy-static" ? "static" : "random"
        const [attempt] = Cipher.read(bytesOf(ciphertext), legacy)?.attempts ?? []
        assert.strictEqual(textOf(yield* Effect.promise(async () => attempt?.(keys))), plaintext)
        const encryption = yield* encryptionOf(key, legacy === "static" ? legacy : undefined)
        const [opened] = yield* encryption.openAll([ciphertext])
        assert.deepStrictEqual(
          opened?._tag === "Decrypted" ? opened.payload : opened?._tag,
          isJson(plaintext) ? JSON.parse(plaintext) : "Unreadable"
        )
        const written = scheme === "acrh" ? "headed" : legacy
        if (iv === undefined && written !== "static") continue
        const again = Cipher.seal(keys, plaintext, written, new Uint8Array(Buffer.from(iv ?? "", "hex")))
        assert.strictEqual(Base64.encode(yield* Effect.promise(() => again)), ciphertext)
      }
    }))

  it.effect("all 10 files decrypt, in chunks of one byte", () =>
    Effect.gen(function*() {
      assert.lengthOf(files, 10)
      for (const { ciphertextBase64, key, plaintextBase64 } of files) {
        assert.strictEqual(yield* decrypted(key, bytesOf(ciphertextBase64)), plaintextBase64)
      }
    }))

  it.effect("all 10 files decrypt as they are downloaded", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      for (const { ciphertextBase64, key, plaintextBase64 } of files) {
        const file = yield* emulator.putFile({ channel: "a", name: "f", content: bytesOf(ciphertextBase64) })
        const bytes = yield* Files.downloadBytes({ channel: "a", id: file.id, name: file.name }).pipe(
          Effect.provideServiceEffect(Encryption.Encryption, encryptionOf(key))
        )
        assert.strictEqual(Base64.encode(bytes), plaintextBase64)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("all 50 bad inputs are what they are, and nothing fails", () =>
    Effect.gen(function*() {
      assert.lengthOf(malformed, 50)
      const encryption = yield* encryptionOf("myCipherKey")
      for (const { case: name, input, inputBytesBase64 } of malformed) {
        if (input !== undefined) {
          const [opened] = yield* encryption.openAll([input])
          const expected: Encryption.Opened | undefined = plain.includes(name)
            ? { _tag: "Plain" }
            : readable.includes(name)
            ? { _tag: "Decrypted", payload: "hi" }
            : undefined
          if (expected !== undefined) assert.deepStrictEqual(opened, expected, name)
          // The format does not protect against changes.
          else if (name === flipped) assert.strictEqual(opened?._tag, "Unreadable", name)
          else if (name === byChance) assert.strictEqual(opened?._tag, "Unreadable", name)
          else assert.deepInclude(opened, { _tag: "Unreadable", reason: "Undecryptable" }, name)
        }
        if (inputBytesBase64 === undefined) continue
        const file = yield* Effect.result(decrypted("myCipherKey", bytesOf(inputBytesBase64)))
        if (name === "file: acrh with legacy module set") assert.deepStrictEqual(file, Result.succeed(btoa("\"hi\"")))
        else assert.strictEqual(Result.isFailure(file) && file.failure._tag, "Undecryptable", name)
      }
    }))

  it.effect("all 14 recorded ciphertexts say what their clients wrote", () =>
    Effect.gen(function*() {
      assert.lengthOf(wire, 14)
      for (const { ciphertext, key, plaintext } of wire) {
        // One was written with a key that nobody has told.
        const encryption = yield* encryptionOf(key ?? "testKey")
        const [opened] = yield* encryption.openAll([ciphertext])
        if (plaintext !== undefined && isJson(plaintext)) {
          assert.deepStrictEqual(opened, { _tag: "Decrypted", payload: JSON.parse(plaintext) })
        } else assert.deepInclude(opened, { _tag: "Unreadable", reason: "Undecryptable" })
        if (plaintext !== undefined) {
          const file = yield* decrypted("testKey", bytesOf(ciphertext))
          assert.strictEqual(textOf(bytesOf(file)), plaintext)
        }
      }
    }))
})
