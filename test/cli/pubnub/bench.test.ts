import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as BenchChart from "../../../src/cli/pubnub/benchChart.ts"
import * as BenchFigures from "../../../src/cli/pubnub/benchFigures.ts"
import { emulated } from "../../kit/emulated.ts"
import { root } from "../../kit/scratch.ts"
import { herald } from "../kit.ts"

const world = (emulator?: PubNubEmulator.Options) =>
  Effect.provide(emulated(emulator === undefined ? {} : { emulator }))

/** Runs it in virtual time, which passes until it ends: it starts some moments of real time later. */
const benched = (...args: ReadonlyArray<string>) =>
  Effect.raceFirst(herald(["bench", ...args]), Effect.forever(VirtualTime.advance("1 second")))

it.effect("bench prints rates and latencies as JSON", () =>
  Effect.gen(function*() {
    const { exitCode, stderr, stdout } = yield* benched("--json", "--seconds", "2")
    assert.deepStrictEqual([exitCode, stderr], [0, []])
    const { publish, subscribe, ...run } = JSON.parse(stdout[0] ?? "")
    assert.deepStrictEqual(run, { origin: "ps.pndsn.com", seconds: 2, rate: 5, sizeBytes: 100 })
    // The emulator takes 100 ms for each request.
    const latencyMillis = { median: 100, p95: 100, p99: 100, max: 100 }
    assert.deepStrictEqual(publish, { messages: 10, missing: 0, perSecond: 5.26, latencyMillis })
    assert.deepInclude(subscribe, { messages: 10, missing: 0 })
    assert.isAtLeast(subscribe.latencyMillis.median, 1)
  }).pipe(world({ latency: Effect.succeed("100 millis") })))

it.effect("bench prints a table, draws a plot, and stores nothing", () =>
  Effect.gen(function*() {
    const folder = Fs.mkdtempSync(Path.join(root, ".scratch/"))
    const chart = Path.join(folder, "latency.svg")
    const { stdout } = yield* benched("--seconds", "1", "--chart", chart, "--origin", "host.test")
    assert.deepStrictEqual(stdout.map((line) => line.split(/ +/).slice(0, 3)), [
      ["host.test:", "5", "messages"],
      ["", "messages", "missing"],
      ["accepted", "5", "0"],
      ["arrived", "5", "0"]
    ])
    const svg = Fs.readFileSync(chart, "utf8")
    assert.strictEqual(svg.match(/<circle class="arrived"[^>]*r="3"/g)?.length, 5)
    assert.include(svg, "<title>Latency at host.test</title>")
    Fs.rmSync(folder, { recursive: true })
  }).pipe(world()))

it.effect("bench ends with the failure when no message is accepted", () =>
  Effect.gen(function*() {
    const { exitCode, stdout } = yield* benched("--publish-key", "wrong")
    assert.deepStrictEqual([exitCode, stdout], [3, []])
  }).pipe(world()))

it.effect("bench exits with 2 and sends nothing above its bounds", () =>
  Effect.gen(function*() {
    for (const args of [["--rate", "1001"], ["--seconds", "0"]]) {
      assert.strictEqual((yield* herald(["bench", ...args])).exitCode, 2)
    }
    assert.deepStrictEqual(yield* Transport.Exchanges.use(({ all }) => all), [])
  }).pipe(Effect.provide(Transport.layerScripted([]))))

it("bench counts and draws more messages than a call takes arguments", () => {
  const count = 150_000
  const samples = Array.from({ length: count }, (_, n) => ({ sent: n, accepted: n + 5 }))
  assert.deepInclude(BenchFigures.of(samples, "accepted"), { messages: count, perSecond: 999.97 })
  assert.include(BenchChart.draw("host.test", samples), ">160 s</text>")
})
