/** `herald files`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { PubNubEmulator } from "effect-herald/testing"
import { herald } from "../kit.ts"

const world = Layer.merge(PubNubEmulator.layer(), NodeServices.layer)

/** A file on the channel, as arguments name it. */
const put = (content: string) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    Effect.map(emulator.putFile({ channel: "c", name: "n", content }), ({ id }) => ["c", id, "n"])
  )

describe("herald files get", () => {
  it.effect.each(["\u001b[2J", "a\rb", "\u202e", "a\0"])(
    "does not write %j to a terminal without --force",
    (content) =>
      Effect.gen(function*() {
        const args = ["files", "get", ...yield* put(content)]
        const refused = yield* herald(args, { terminal: true })
        assert.deepStrictEqual([refused.exitCode, refused.stdout], [2, []])
        assert.include(refused.stderr.join(), "use -o path, or --force")
        assert.deepStrictEqual([(yield* herald([...args, "--force"], { terminal: true })).exitCode], [0])
        assert.strictEqual((yield* herald(args)).exitCode, 0)
      }).pipe(Effect.provide(world))
  )

  it.effect("writes text to a terminal as it is", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* herald(["files", "get", ...yield* put("größer\r\n\t👍\n")], {
        terminal: true
      })
      assert.deepStrictEqual([exitCode, stdout], [0, ["größer\r", "\t👍"]])
    }).pipe(Effect.provide(world)))

  it.effect("leaves files beside its output alone, whether it succeeds or fails", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const folder = yield* fileSystem.makeTempDirectoryScoped()
      const output = `${folder}/out`
      yield* fileSystem.writeFileString(`${output}.part`, "mine")
      const got = yield* herald(["files", "get", ...yield* put("hello"), "-o", output])
      assert.strictEqual(got.exitCode, 0)
      const failed = yield* herald(["files", "get", "c", "unknown", "n", "-o", output])
      assert.notStrictEqual(failed.exitCode, 0)
      assert.deepStrictEqual((yield* fileSystem.readDirectory(folder)).toSorted(), ["out", "out.part"])
      assert.strictEqual(yield* fileSystem.readFileString(`${output}.part`), "mine")
      assert.strictEqual(yield* fileSystem.readFileString(output), "hello")
    }).pipe(Effect.scoped, Effect.provide(world)))
})
