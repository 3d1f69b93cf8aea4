/** kill -9 at any point loses nothing. `KILLS=50 npx vitest run test/node/sigkill.test.ts` kills more often. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { PubNubEmulatorServer } from "effect-herald/node"
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { program } from "../kit/programs.ts"
import { root } from "../kit/scratch.ts"
import { isLong } from "../simulation/seeds.ts"
import * as FaultyProxy from "./faultyProxy.ts"

const killsOf = (few: number) => Number(process.env.KILLS ?? (isLong ? 5 : few))

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(Effect.sleep("10 millis"), until(holds)))

it.live.each(
  [
    ["a durable worker handles every message when it is killed repeatedly", 0, killsOf(2)],
    ["a durable worker handles every message when it is killed while connections break", 0.3, killsOf(1)]
  ] as const
)("%s", ([, rate, kills]) =>
  Effect.gen(function*() {
    const { emulator, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
    const { injected, origin } = yield* FaultyProxy.make({ port, seed: 1, rate })
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => {
        Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
        return Fs.mkdtempSync(Path.join(root, ".scratch/"))
      }),
      (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
    )
    // The file is empty for a moment, and what follows its last line break is being written.
    const handled = () =>
      Fs.existsSync(Path.join(folder, "handled"))
        ? Fs.readFileSync(Path.join(folder, "handled"), "utf8").split("\n").slice(0, -1).map((line): unknown =>
          JSON.parse(line)
        )
        : []
    let running: ChildProcess | undefined
    const worker = yield* program("worker")
    const start = Effect.sync(() => {
      running = spawn(process.execPath, [worker, origin, folder], { stdio: "inherit" })
    })
    const kill = Effect.callback<void>((resume) => {
      if (running === undefined) return resume(Effect.void)
      running.once("exit", () => resume(Effect.void))
      running.kill("SIGKILL")
    })
    yield* Effect.addFinalizer(() => kill)

    yield* start
    // A reader that is killed before it saved a place starts at the present.
    const isSaved = () =>
      Fs.existsSync(Path.join(folder, "cursors")) &&
      Fs.readdirSync(Path.join(folder, "cursors")).some((name) => !name.endsWith(".new"))
    yield* until(() => handled().includes("connected") && isSaved())
    let id = 0
    const publish = Effect.suspend(() => emulator.publish({ channel: "orders", message: id++ }))
    for (let round = 0; round < kills; round++) {
      for (let n = 0; n < 12; n++) {
        yield* publish
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 4))
      }
      yield* kill
      // The service keeps a hundred: what is older is in history.
      yield* emulator.publishAll(Array.from({ length: 120 }, () => ({ channel: "orders", message: id++ })))
      yield* start
      yield* until(() => handled().includes(id - 1))
    }
    const seen = new Set(handled())
    const lost = Array.from({ length: id }, (_, id) => id).filter((id) => !seen.has(id))
    assert.deepStrictEqual(lost, [], `after ${injected.join(", ")}`)
    assert.strictEqual(injected.length > 0, rate > 0)
  }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer())), 60_000 + killsOf(2) * 10_000)
