/** `herald subscribe --reader`: what was written is not written again, and nothing is left out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulatorServer } from "effect-herald/node"
import { SubscribeEvent } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { start } from "../kit/emulated.ts"
import { root } from "../kit/scratch.ts"
import { herald } from "./kit.ts"
import * as Spawn from "./spawn.ts"
import { isLong } from "../simulation/seeds.ts"

const world = PubNubEmulator.layer().pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

/** A directory of its own, which does not exist yet. */
const directory = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
      return Fs.mkdtempSync(Path.join(root, ".scratch/"))
    }),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  ),
  (folder) => Path.join(folder, "cursors")
)

const decode = Schema.decodeSync(Schema.fromJsonString(Schema.toCodecJson(SubscribeEvent.SubscribeEvent(Schema.Json))))

const payloads = (lines: ReadonlyArray<string>) =>
  lines.map((line) => decode(line)).flatMap((event) => event._tag === "Message" ? [event.payload] : [])

const publish = (...messages: ReadonlyArray<unknown>) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    emulator.publishAll(messages.map((message) => ({ channel: "a", message })))
  )

const until = <A>(effect: Effect.Effect<A>, holds: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(effect, "5 millis"), { until: holds })

describe("subscribe --from", () => {
  it.effect("continues from the cursor of a printed event", () =>
    Effect.gen(function*() {
      const [since = ""] = yield* publish(0)
      yield* publish(1, 2, 3)
      const first = yield* herald(["subscribe", "a", "--from", since, "--limit", "2"])
      assert.deepStrictEqual(payloads(first.stdout), [1, 2])
      const cursor = JSON.stringify(JSON.parse(first.stdout.at(-1)!).cursor)
      const second = yield* herald(["subscribe", "a", "--from", cursor, "--limit", "1"])
      assert.deepStrictEqual(payloads(second.stdout), [3])
    }).pipe(Effect.provide(world)))
})

describe("subscribe --reader", () => {
  it.effect("continues where the last run ended, for each reader name separately", () =>
    Effect.gen(function*() {
      const cursors = yield* directory
      const [since = ""] = yield* publish(0)
      yield* publish(1, 2, 3, 4)
      const run = (name: string, ...more: ReadonlyArray<string>) =>
        herald(["subscribe", "a", "--reader", name, "--from", since, "--limit", "2", ...more], {
          environment: { HERALD_CURSORS: cursors }
        })
      const first = yield* run("r")
      assert.deepStrictEqual(payloads(first.stdout), [1, 2])
      const second = yield* run("r")
      assert.deepStrictEqual(payloads(second.stdout), [3, 4])
      assert.deepStrictEqual(payloads((yield* run("other", "--cursors", cursors)).stdout), [1, 2])
      assert.deepStrictEqual(
        Fs.readdirSync(cursors).filter((name) => name.endsWith("-1")),
        ["herald-demo-sub_002fother-1", "herald-demo-sub_002fr-1"]
      )
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("repeats only the line whose write was interrupted", () =>
    Effect.gen(function*() {
      const cursors = yield* directory
      const [since = ""] = yield* publish(0)
      const args = ["subscribe", "a", "--reader", "r", "--cursors", cursors, "--from", since]
      yield* publish(1, 2)
      assert.deepStrictEqual(payloads((yield* herald([...args, "--limit", "2"])).stdout), [1, 2])
      yield* publish(3, 4, 5)
      const printed: Array<string> = []
      const stuck = yield* Effect.forkChild(herald(args, {
        onLine: (line) => {
          printed.push(line)
          return line.includes("\"payload\":4") ? Effect.never : Effect.void
        }
      }))
      yield* until(Effect.sync(() => printed.join()), (text) => text.includes("\"payload\":4")).pipe(TestClock.withLive)
      yield* Fiber.interrupt(stuck)
      assert.deepStrictEqual(payloads(printed), [3, 4])
      assert.deepStrictEqual(payloads((yield* herald([...args, "--limit", "2"])).stdout), [4, 5])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("exits with 1 for a damaged cursor or an unusable directory, and with 2 for an empty name", () =>
    Effect.gen(function*() {
      const cursors = yield* directory
      Fs.mkdirSync(cursors)
      Fs.writeFileSync(Path.join(cursors, "herald-demo-sub_002fr-1"), "rubbish")
      Fs.writeFileSync(Path.join(cursors, "herald-demo-sub_002fr-2"), "rubbish")
      const args = ["subscribe", "a", "--reader", "r", "--json"]
      const rubbish = yield* herald([...args, "--cursors", cursors])
      assert.strictEqual(rubbish.exitCode, 1)
      assert.strictEqual(JSON.parse(rubbish.stderr.at(-1)!).error._tag, "CursorStoreError")
      assert.deepStrictEqual(rubbish.stdout, [])
      const file = yield* herald([...args, "--cursors", Path.join(cursors, "herald-demo-sub_002fr-1", "x")])
      assert.strictEqual(file.exitCode, 1)
      assert.strictEqual(JSON.parse(file.stderr.at(-1)!).error._tag, "SystemFailure")
      assert.strictEqual((yield* herald(["subscribe", "a", "--reader", ""])).exitCode, 2)
    }).pipe(Effect.scoped, Effect.provide(world)))

  const spawned = Effect.gen(function*() {
    const cursors = yield* directory
    const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
    const keys = ["--subscribe-key", "demo-sub", "--origin", origin]
    const kept = Path.join(cursors, "herald-demo-sub_002fr-1")
    return {
      emulator,
      run: Spawn.herald(["subscribe", "a", "--reader", "r", "--cursors", cursors, "--json", ...keys]),
      /** Its place is kept from here on. */
      begun: until(Effect.sync(() => Fs.existsSync(kept)), (exists) => exists)
    }
  })

  // A line that was cut short by the kill is none.
  const written = (text: string) => payloads(text.split("\n").slice(0, -1))

  it.live(
    "loses nothing and repeats at most the last run's lines after kill -9, and repeats nothing after SIGTERM",
    () =>
      Effect.gen(function*() {
        const { begun, emulator, run } = yield* spawned
        const read: Array<Schema.Json> = []
        let repeated = 0
        let published = 0
        const publish = Effect.suspend(() =>
          emulator.publishAll([1, 2, 3].map(() => ({ channel: "a", message: published++ })))
        )
        let last = 0
        // In order, from where the one before stopped, or from where it had saved its place.
        const check = (payloads: ReadonlyArray<Schema.Json>) => {
          const first = Number(payloads[0] ?? read.length)
          assert.isAtMost(first, read.length, "lost")
          assert.isAtMost(read.length - first, last, "more than the last one had printed")
          last = payloads.length
          assert.deepStrictEqual(payloads, payloads.map((_, index) => first + index))
          repeated += read.length - first
          read.splice(first, read.length, ...payloads)
        }
        let child = yield* run
        yield* begun
        for (let round = 0; round < (isLong ? 8 : 1); round++) {
          for (let page = 0; page < 4; page++) yield* publish
          yield* until(child.written, (text) => written(text).length > round)
          yield* child.signal("SIGKILL")
          check(written((yield* child.exit).stdout))
          child = yield* run
        }
        yield* publish
        yield* until(child.written, (text) => written(text).at(-1) === published - 1)
        yield* child.signal("SIGTERM")
        const { stderr, stdout } = yield* child.exit
        assert.match(stderr, /r continues at \d{17}@1/)
        check(written(stdout))
        assert.strictEqual(read.length, published)
        yield* emulator.publish({ channel: "a", message: "after it ended" })
        const next = yield* run
        yield* until(next.written, (text) => written(text).length > 0)
        assert.deepStrictEqual(written(yield* next.written), ["after it ended"])
      }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer({ pollPageSize: 3 }))),
    60_000
  )

  it.live("does not commit a message that it could not write to a closed pipe", () =>
    Effect.gen(function*() {
      const { begun, emulator, run } = yield* spawned
      const first = yield* run
      yield* begun
      yield* first.hangUp
      yield* emulator.publish({ channel: "a", message: 1 })
      assert.strictEqual((yield* first.exit).code, 0)
      const second = yield* run
      yield* until(second.written, (text) => written(text).length > 0)
      assert.deepStrictEqual(written(yield* second.written), [1])
    }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer())))
})
