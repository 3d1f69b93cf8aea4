import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { emulated } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"

const environment = { PUBNUB_ENCRYPT_KEY: "s3cret", PUBNUB_ORIGIN: "emulator" }

it.effect("a key in the environment encrypts what is published, and decrypts what is read", () =>
  Effect.gen(function*() {
    const sent = yield* herald(["publish", "orders", "{\"id\":1}"], { environment })
    assert.deepStrictEqual([sent.exitCode, sent.stderr], [0, []])
    const args = ["history", "orders"]
    const inClear = yield* herald(args, { environment: { PUBNUB_ORIGIN: "emulator" } })
    assert.match(inClear.stdout.join("\n"), /UE5FRAFBQ1JIE/)
    const read = yield* herald(args, { environment })
    assert.include(read.stdout.join("\n"), "{\"id\":1}")
    const other = yield* herald(args, { environment: { ...environment, PUBNUB_ENCRYPT_KEY: "another" } })
    assert.match(other.stdout.join("\n"), /UE5FRAFBQ1JIE/)
  }).pipe(Effect.provide(emulated())))

it.effect("an empty key in the environment is refused, before anything is sent", () =>
  Effect.gen(function*() {
    const { exitCode, stderr } = yield* herald(["publish", "orders", "1"], {
      environment: { ...environment, PUBNUB_ENCRYPT_KEY: "" }
    })
    assert.strictEqual(exitCode, 2)
    assert.include(stderr.join("\n"), "PUBNUB_ENCRYPT_KEY is empty")
  }).pipe(Effect.provide(emulated())))
