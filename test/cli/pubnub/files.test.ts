/** `herald files`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import { PubNubEmulator } from "effect-herald/testing"
import { execFileSync } from "node:child_process"
import { herald } from "../kit.ts"

const world = Layer.merge(PubNubEmulator.layer(), NodeServices.layer)

/** A service whose storage gives a file in these parts. */
const inParts = (texts: ReadonlyArray<string>) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.sync(() => {
        const bytes = new ReadableStream<Uint8Array>({
          start: (body) => {
            for (const text of texts) body.enqueue(new TextEncoder().encode(text))
            body.close()
          }
        })
        return HttpClientResponse.fromWeb(
          request,
          request.url.includes("/v1/files/")
            ? new Response(null, { status: 307, headers: { location: "https://storage.test/n" } })
            : new Response(bytes)
        )
      })
    )
  )

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

  it.effect("does not write a return that comes at the end of a part to a terminal", () =>
    Effect.gen(function*() {
      const parts = (...texts: ReadonlyArray<string>) =>
        herald(["files", "get", "c", "id", "n"], { terminal: true }).pipe(Effect.provide(inParts(texts)))
      const refused = yield* parts("good\r", "evil\n")
      assert.deepStrictEqual([refused.exitCode, refused.stdout], [2, ["good"]])
      assert.deepStrictEqual((yield* parts("good\r", "\nmore")).exitCode, 0)
    }))

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

  it.effect("replaces a file that is private by one that is", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const output = `${yield* fileSystem.makeTempDirectoryScoped()}/out`
      yield* fileSystem.writeFileString(output, "old", { mode: 0o600 })
      assert.strictEqual((yield* herald(["files", "get", ...yield* put("hello"), "-o", output])).exitCode, 0)
      assert.strictEqual((yield* fileSystem.stat(output)).mode & 0o777, 0o600)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("writes into a device, and not in its place", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const output = `${yield* fileSystem.makeTempDirectoryScoped()}/out`
      // Replacing this link would do no harm.
      yield* fileSystem.symlink("/dev/null", output)
      assert.strictEqual((yield* herald(["files", "get", ...yield* put("hello"), "-o", output])).exitCode, 0)
      assert.strictEqual(yield* fileSystem.readLink(output), "/dev/null")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.live("writes into a pipe, and not in its place", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const output = `${yield* fileSystem.makeTempDirectoryScoped()}/pipe`
      execFileSync("mkfifo", [output])
      const reader = yield* Effect.forkChild(fileSystem.readFileString(output))
      assert.strictEqual((yield* herald(["files", "get", ...yield* put("hello"), "-o", output])).exitCode, 0)
      assert.strictEqual(yield* Fiber.join(reader), "hello")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("refuses a directory as its output, and names its own arguments", () =>
    Effect.gen(function*() {
      const directory = yield* herald(["files", "get", ...yield* put("hello"), "-o", "."])
      assert.deepStrictEqual([directory.exitCode, directory.stderr], [2, ["herald: -o names a directory: name a file"]])
      const name = yield* herald(["files", "get", "c", "id", "../n"])
      assert.include(name.stderr.join(), "not valid: name has a slash")
    }).pipe(Effect.provide(world)))
})

describe("herald files send", () => {
  it.effect("refuses what is no regular file, before anything is sent", () =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* herald(["files", "send", "c", "/dev/null"])
      assert.deepStrictEqual([exitCode, stderr], [
        2,
        ["herald: /dev/null is no regular file: only that has a size that is known before"]
      ])
    }).pipe(Effect.provide(world)))
})
