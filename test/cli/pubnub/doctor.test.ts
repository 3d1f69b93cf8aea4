import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import { start } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"

const atStart = Layer.effectDiscard(TestClock.setTime(start))

const emulated = (options?: PubNubEmulator.Options) =>
  Effect.provide(PubNubEmulator.layer(options).pipe(Layer.provideMerge(atStart)))

const scripted = (...answers: ReadonlyArray<Transport.Answer>) =>
  Effect.provide(Transport.layerScripted(answers).pipe(Layer.provideMerge(atStart)))

const time = (millis: number) => ({ body: `[${start + millis}0000]` })

/** Runs it, with the state and the name of each check. Given an environment, it has no keys. */
const examine = (args: ReadonlyArray<string> = [], environment?: Readonly<Record<string, string>>) =>
  Effect.map(herald(["doctor", ...args], environment === undefined ? {} : { environment, keyless: true }), (ran) => ({
    ...ran,
    states: ran.stdout.map((line) => line.split(":")[0])
  }))

describe("doctor", () => {
  it.effect("finds nothing wrong with a keyset that has all add-ons, and changes nothing", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* examine()
      assert.deepStrictEqual(stdout, [
        "ok       subscribe key: demo-sub",
        "ok       publish key: demo-pub",
        "ok       credentials: None. That is right for a keyset without Access Manager.",
        "ok       TLS: HTTPS to ps.pndsn.com",
        "ok       proxy: No variable of the environment names one.",
        "ok       service: It answered in 0 ms.",
        "ok       clock: The clocks of this machine and of the service agree.",
        "ok       Message Persistence: It works.",
        "ok       Presence: It works.",
        "ok       App Context: It works.",
        "ok       Stream Controller: It works.",
        "ok       publishing: It works."
      ])
      assert.strictEqual(exitCode, 0)
      assert.deepStrictEqual((yield* herald(["history", "herald-doctor"])).stdout, [])
    }).pipe(emulated()))

  it.effect("notes add-ons that are off, and exits with 0", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* examine()
      assert.deepStrictEqual(stdout.filter((line) => line.startsWith("note")), [
        "note     Presence: It is off. Turn it on for the keyset if you need it."
      ])
      assert.strictEqual(exitCode, 0)
    }).pipe(emulated({ addOns: { presence: false } })))

  it.effect("notes what Access Manager protects, and a proxy without its password", () =>
    Effect.gen(function*() {
      const { states, stdout } = yield* examine([], {
        PUBNUB_SUBSCRIBE_KEY: "demo-sub",
        https_proxy: "http://me:hush@proxy"
      })
      assert.include(states, "note     proxy")
      assert.include(states, "note     Presence")
      assert.notInclude(stdout.join(), "hush")
    }).pipe(emulated({ addOns: { accessManager: true } })))

  it.effect("says why the service refuses an access token", () =>
    Effect.gen(function*() {
      yield* PubNubEmulator.PubNubEmulator.use(({ expireToken }) => expireToken("old-token"))
      const { stdout } = yield* examine(["--auth-token", "old-token"])
      const line = stdout.find((line) => line.startsWith("note     Presence"))
      assert.match(line ?? "", /The access token does not allow it: .*expired/)
      assert.notInclude(stdout.join(), "old-token")
    }).pipe(emulated({ addOns: { accessManager: true } })))

  it.effect("exits with 3 for an unknown subscribe key, which it says once", () =>
    Effect.gen(function*() {
      const { exitCode, states, stderr } = yield* examine(["--subscribe-key", "sub-x"])
      assert.strictEqual(exitCode, 3)
      assert.deepStrictEqual(states.filter((state) => state?.startsWith("problem")), ["problem  Message Persistence"])
      assert.deepStrictEqual(stderr, ["herald: There is a problem"])
    }).pipe(emulated()))

  it.effect("exits with 2 without a subscribe key, and asks only for the time", () =>
    Effect.gen(function*() {
      const { exitCode, states } = yield* examine(["--no-tls"], {})
      assert.strictEqual(exitCode, 2)
      assert.deepStrictEqual(states, [
        "problem  subscribe key",
        "note     publish key",
        "ok       credentials",
        "problem  TLS",
        "ok       proxy",
        "ok       service",
        "ok       clock"
      ])
    }).pipe(scripted(time(0))))

  it.effect("ends with 4 when the service does not answer", () =>
    Effect.gen(function*() {
      const { exitCode, states } = yield* examine()
      assert.deepStrictEqual([exitCode, states.at(-1)], [4, "problem  service"])
    }).pipe(scripted({ failure: "ENOTFOUND" })))

  it.effect.each([[4_000, "ok"], [10_000, "note"], [-60_000, "problem"]] as const)(
    "judges a clock that is %d ms off: %s",
    ([millis, state]) =>
      Effect.gen(function*() {
        const { stdout } = yield* examine([], {})
        const line = stdout.find((line) => line.includes("clock:"))
        assert.match(line ?? "", new RegExp(`^${state} .*${millis > 0 ? "behind" : "ahead of"} the service\\.`))
      }).pipe(scripted(time(millis)))
  )

  it.effect.each([["*", "ok"], ["https://app.example", "ok"], ["https://other.example", "problem"], ["", "problem"]])(
    "judges an answer for pages of %j: %s",
    ([allowed = "", state]) =>
      Effect.gen(function*() {
        const { stdout } = yield* examine(["--page-origin", "https://app.example", "--json"], {})
        const cors = stdout.map((line) => JSON.parse(line)).find(({ check }) => check === "CORS")
        assert.strictEqual(cors.state, state)
        const asked = (yield* Transport.Exchanges.use(({ all }) => all)).at(-1)
        assert.strictEqual(asked?.headers["origin"], "https://app.example")
      }).pipe(scripted(time(0), { headers: { "access-control-allow-origin": allowed } }))
  )

  it.effect("exits with 2 and sends nothing for an origin that is none", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* examine(["--page-origin", "app.example"])).exitCode, 2)
      assert.deepStrictEqual(yield* Transport.Exchanges.use(({ all }) => all), [])
    }).pipe(scripted()))
})
