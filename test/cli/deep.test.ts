/** What others send may be thousands of levels deep, or what nobody can read: each is a line, and the command goes on. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulatorServer } from "effect-herald/node"
import { SubscribeEvent } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as EventLine from "../../src/cli/pubnub/eventLine.ts"
import * as JsonLine from "../../src/cli/output/jsonLine.ts"
import * as Json from "../../src/internal/json.ts"
import * as DateTime from "effect/DateTime"
import { start } from "../kit/emulated.ts"
import { hostile, lists } from "../kit/nested.ts"
import { root } from "../kit/scratch.ts"
import { herald } from "./kit.ts"
import * as Spawn from "./spawn.ts"

const emulator = PubNubEmulator.PubNubEmulator

const world = PubNubEmulator.layer().pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

const publish = (...texts: ReadonlyArray<string>) =>
  emulator.use((service) =>
    service.publishAll(texts.map((text) => ({ channel: "a", message: JSON.parse(text) as unknown, publisher: "bob" })))
  )

const directory = Effect.acquireRelease(
  Effect.sync(() => {
    Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
    return Fs.mkdtempSync(Path.join(root, ".scratch/"))
  }),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
)

const payload = (line: string) => Json.text((JSON.parse(line) as { readonly payload: unknown }).payload)

describe.each(hostile)("a message of %s", (_, deep) => {
  it.effect("is printed by history, as JSON and as text", () =>
    Effect.gen(function*() {
      yield* publish("1", deep, "2")
      const asJson = yield* herald(["history", "a", "--oldest-first"])
      assert.deepStrictEqual({ ...asJson, stdout: asJson.stdout.map(payload) }, {
        stdout: ["1", deep, "2"],
        stderr: [],
        exitCode: 0
      })
      const asText = yield* herald(["history", "a"], { terminal: true })
      assert.deepStrictEqual(asText.stdout.map((line) => line.replace(/^.*?bob: /, "")), ["2", deep, "1"])
    }).pipe(Effect.provide(world)))

  it.effect("is printed by subscribe, as JSON and as text, and a durable reader continues after it", () =>
    Effect.gen(function*() {
      const cursors = yield* directory
      const [since = ""] = yield* publish("0")
      yield* publish("1", deep, "2")
      const read = (...args: ReadonlyArray<string>) => ["subscribe", "a", "--from", since, ...args]
      const people = yield* herald(read("--limit", "3"), { terminal: true })
      assert.strictEqual(people.exitCode, 0)
      assert.include(people.stdout.join("\n"), `bob: ${deep}`)
      const runs: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [["2", ["1", deep]], ["1", ["2"]]]
      for (const [count, expected] of runs) {
        const ran = yield* herald(read("--limit", count, "--reader", "r", "--cursors", cursors))
        const messages = ran.stdout.filter((line) => line.includes("\"_tag\":\"Message\""))
        assert.deepStrictEqual(messages.map(payload), [...expected])
        assert.strictEqual(ran.exitCode, 0)
      }
    }).pipe(Effect.scoped, Effect.provide(world)))
})

it.effect("presence state prints a state of 4,000 levels", () =>
  Effect.gen(function*() {
    const state = `{"deep":${lists(4_000)}}`
    const set = yield* herald(["presence", "state", "a", "--set", state])
    assert.deepStrictEqual(set.stderr, [])
    yield* emulator.use((service) =>
      service.handle({ method: "GET", target: "/v2/subscribe/demo-sub/a/0?uuid=herald-cli", headers: {}, body: "" })
    )
    for (const flags of [[], ["--json"]]) {
      assert.include((yield* herald(["presence", "state", "a", ...flags])).stdout.join(), state)
    }
  }).pipe(Effect.provide(world)))

it.effect("publish sends a deep message of an argument and of stdin, and refuses a long integer in it", () =>
  Effect.gen(function*() {
    assert.strictEqual((yield* herald(["publish", "a", lists(5_400)])).exitCode, 0)
    assert.strictEqual((yield* herald(["publish", "a"], { stdin: `${lists(5_400)}\n1\n` })).exitCode, 0)
    const stored = yield* emulator.use((service) => service.messages({ channel: "a" }))
    assert.deepStrictEqual(stored.map(({ payload: message }) => Json.text(message)), [lists(5_400), lists(5_400), "1"])
    const rounded = yield* herald([
      "publish",
      "a",
      lists(100).replace("[]", "[\"9007199254740993\",-9007199254740993]")
    ])
    assert.strictEqual(rounded.exitCode, 2)
    assert.include(rounded.stderr.join(), "The number -9007199254740993 would be rounded")
    const exact = ["9007199254740991", "1.9007199254740993", "9007199254740993e1", "\"9007199254740993\"", "12345.5"]
    for (const text of exact) assert.strictEqual((yield* herald(["publish", "a", text])).exitCode, 0)
    assert.strictEqual((yield* herald(["publish", "a", lists(100_000)])).exitCode, 2)
  }).pipe(Effect.provide(world)))

it.effect("an undecodable event of 16,000 levels is formatted as text and as JSON", () =>
  Effect.gen(function*() {
    const raw = JSON.parse(lists(16_000)) as Schema.Json
    const cursor = { position: "17900000000000000", delivered: [] }
    const event: SubscribeEvent.Undecodable = { _tag: "Undecodable", raw, issue: "no", cursor }
    const line = yield* JsonLine.of(SubscribeEvent.SubscribeEvent(Schema.Json))(event)
    assert.include(line, `"raw":${lists(16_000)}`)
    assert.include(EventLine.format(event, DateTime.makeUnsafe(start)), `no: ${lists(16_000)}`)
    // What the schema of events does not know is written all the same.
    const odd: SubscribeEvent.Undecodable = { ...event, raw: { e: Number.NaN } }
    assert.include(yield* JsonLine.of(SubscribeEvent.SubscribeEvent(Schema.Json))(odd), "\"raw\":{\"e\":null}")
  }))

describe("an HTTP client that throws", () => {
  const throwing = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make(() => {
      throw new Error("boom at https://ps.pndsn.com/x?auth=t0ken")
    })
  )

  it.effect.each([["time"], ["history", "a"], ["publish", "a", "1"], ["subscribe", "a"]])(
    "gives one line on stderr and exit code 1: %s",
    (args) =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* herald(args)
        assert.deepStrictEqual(stdout.filter((line) => !line.startsWith("{\"_tag\":\"Disconnected\"")), [])
        // A subscription also logs that it could not leave.
        const lines = args[0] === "subscribe" ? stderr.filter((line) => line.startsWith("herald:")) : stderr
        assert.lengthOf(lines, 1)
        assert.notInclude(stderr.join("\n"), "t0ken")
        assert.match(
          lines[0] ?? "",
          /^herald: [^\n]*A function threw: Error: boom at \{address\}[^\n]*$/
        )
        assert.strictEqual(exitCode, 1)
      }).pipe(Effect.provide(throwing))
  )

  it.effect("gives a JSON error object with --json", () =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* herald(["time", "--json"])
      const { error, exitCode: told } = JSON.parse(stderr[0] ?? "")
      assert.deepStrictEqual(error, { _tag: "Crash", description: "Error: boom at {address}" })
      assert.deepStrictEqual([exitCode, told], [1, 1])
    }).pipe(Effect.provide(throwing)))
})

it.live("herald history prints a deep message as a process, and exits with 0", () =>
  Effect.gen(function*() {
    const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
    yield* emulator.publish({ channel: "a", message: JSON.parse(lists(16_000)) as unknown })
    const keys = ["--subscribe-key", "demo-sub", "--origin", origin]
    const { code, stderr, stdout } = yield* (yield* Spawn.herald(["history", "a", ...keys])).exit
    assert.deepStrictEqual([code, stderr, payload(stdout)], [0, "", lists(16_000)])
  }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer())))
