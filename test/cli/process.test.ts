import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PubNubEmulatorServer } from "effect-herald/node"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Os from "node:os"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"
import { isLong } from "../simulation/seeds.ts"
import * as Spawn from "./spawn.ts"

/** `herald`, told of the emulator by its environment. */
const herald = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(PubNubEmulatorServer.PubNubEmulatorServer, ({ origin }) =>
    Spawn.herald(args, {
      PUBNUB_ORIGIN: origin,
      PUBNUB_SUBSCRIBE_KEY: "demo-sub",
      PUBNUB_PUBLISH_KEY: "demo-pub",
      PUBNUB_USER_ID: "ada"
    }))

const leaves = Effect.flatMap(
  PubNubEmulatorServer.PubNubEmulatorServer,
  ({ emulator }) =>
    Effect.map(emulator.requests, (requests) => requests.filter(({ target }) => target.includes("/leave?")).length)
)

const statusOf = (url: string) => Effect.promise(async () => (await fetch(url)).status)

const waitFor = <A>(effect: Effect.Effect<A>, until: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(effect, "5 millis"), { until })

describe("herald as a process", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`${signal} leaves the channels and exits with 130`, () =>
      Effect.gen(function*() {
        const { emulator } = yield* PubNubEmulatorServer.PubNubEmulatorServer
        const child = yield* herald("subscribe", "a")
        assert.include(yield* child.firstLine, "Connected")
        // A poll that is on its way when the leave is sent would join again.
        yield* waitFor(emulator.readers, (readers) => readers === 1)
        assert.deepStrictEqual(yield* emulator.occupants({ channel: "a" }), ["ada"])
        yield* child.signal(signal)
        const { code, stderr } = yield* child.exit
        assert.deepStrictEqual({ code, stderr }, { code: 130, stderr: "" })
        assert.strictEqual(yield* leaves, 1)
        assert.deepStrictEqual(yield* emulator.occupants({ channel: "a" }), [])
      }).pipe(Effect.provide(PubNubEmulatorServer.layer())))
  }

  it.live("exits with 0 and without an error when its pipe is closed", () =>
    Effect.gen(function*() {
      const { emulator } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const child = yield* herald("subscribe", "a")
      yield* child.firstLine
      yield* child.hangUp
      yield* emulator.publish({ channel: "a", message: 1 })
      const { code, stderr } = yield* child.exit
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.strictEqual(yield* leaves, 1)
    }).pipe(Effect.provide(PubNubEmulatorServer.layer())))

  it.live("publishes, and exits with 2, 3 or 4 when it did not", () =>
    Effect.gen(function*() {
      const { emulator, kill } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const done = yield* (yield* herald("publish", "a", "{\"id\":1}")).exit
      const [message] = yield* emulator.messages({ channel: "a" })
      assert.deepStrictEqual(done, { code: 0, stdout: `${message?.timetoken}\n`, stderr: "" })
      const wrong = yield* (yield* herald("publish")).exit
      assert.strictEqual(wrong.code, 2)
      yield* emulator.deny({ channels: ["a"] })
      const denied = yield* (yield* herald("publish", "a", "1")).exit
      assert.strictEqual(denied.code, 3)
      yield* kill
      const unsent = yield* (yield* herald("publish", "a", "1")).exit
      assert.strictEqual(unsent.code, 4)
      assert.match(unsent.stderr, /^herald: Publish.publish: .*ECONNREFUSED.*\n$/)
    }).pipe(Effect.provide(PubNubEmulatorServer.layer())))

  it.live("exits with 5 when the connection of a publish is cut", () =>
    Effect.gen(function*() {
      const { emulator, kill } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const child = yield* herald("publish", "a", "1")
      yield* waitFor(emulator.messages({ channel: "a" }), ({ length }) => length === 1)
      yield* kill
      assert.strictEqual((yield* child.exit).code, 5)
    }).pipe(Effect.provide(PubNubEmulatorServer.layer({ latency: Effect.succeed("1 hour") }))))

  it.live("runs an emulator without printing tokens", () =>
    Effect.gen(function*() {
      const server = yield* Spawn.heraldFromSource([
        "emulator",
        "--port",
        "0",
        "--json",
        "--verbose",
        "--subscribe-key",
        "sub-x"
      ])
      const { inspector, origin, publishKey, subscribeKey } = JSON.parse(yield* server.firstLine)
      assert.deepStrictEqual([subscribeKey, publishKey], ["sub-x", "demo-pub"])
      assert.strictEqual(inspector, `http://${origin}/_herald/`)
      assert.include(yield* Effect.promise(async () => (await fetch(inspector)).text()), "PubNub emulator")
      const publish = `http://${origin}/publish/${publishKey}/${subscribeKey}/0/a/0/1?uuid=me&auth=hush`
      assert.strictEqual(yield* statusOf(publish), 200)
      yield* server.signal("SIGINT")
      const { code, stderr, stdout } = yield* server.exit
      assert.deepStrictEqual({ code, stderr }, { code: 130, stderr: "" })
      assert.notInclude(stdout, "hush")
    }))

  it.live(
    // More than it keeps, in the long run.
    "emulator prints each request, and obeys --allow-host, --allow-origin and --access-manager",
    () =>
      Effect.gen(function*() {
        const server = yield* Spawn.herald([
          "emulator",
          "--port=0",
          "--json",
          "--verbose",
          "--access-manager",
          "--allow-host=herald.test",
          "--allow-host=other.test",
          "--allow-origin=https://app.test"
        ])
        const { origin } = JSON.parse(yield* server.firstLine)
        const ask = (headers: Readonly<Record<string, string>>, path: string) =>
          Effect.callback<number | undefined>((resume) => {
            const request = Http.get(`http://${origin}${path}`, { headers }, (response) => {
              response.resume()
              resume(Effect.succeed(response.statusCode))
            })
            request.on("error", (error) => resume(Effect.die(error)))
          })
        for (const host of ["herald.test", "other.test:80"]) assert.strictEqual(yield* ask({ host }, "/time/0"), 200)
        assert.strictEqual(yield* ask({ host: "evil.test" }, "/time/0"), 403)
        assert.strictEqual(yield* ask({ origin: "https://app.test" }, "/time/0"), 200)
        assert.strictEqual(yield* ask({ origin: "https://evil.test" }, "/time/0"), 403)
        assert.strictEqual(yield* ask({}, "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me"), 403)
        const many = isLong ? 10_500 : 500
        const all = Array.from({ length: many }, (_, index) => index)
        yield* Effect.forEach(all, (index) => ask({}, `/time/0/${index}`), { concurrency: 50, discard: true })
        yield* ask({}, "/last")
        yield* waitFor(server.written, (written) => written.includes("/last"))
        const lines = (yield* server.written).trim().split("\n")
        assert.strictEqual(lines.length, 1 + 4 + many + 1)
      }),
    60_000
  )

  it.live("emulator exits with 1 when its port is in use, and leaves out add-ons", () =>
    Effect.gen(function*() {
      const { port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const second = yield* (yield* Spawn.herald(["emulator", "--port", String(port)])).exit
      assert.strictEqual(second.code, 1)
      assert.match(second.stderr, /^herald: Cannot listen on .*\n$/)
      const server = yield* Spawn.herald(["emulator", "--port", "0", "--json", "--no-stream-controller"])
      const { origin } = JSON.parse(yield* server.firstLine)
      const ofGroup = `http://${origin}/v2/subscribe/demo-sub/,/0?uuid=me&tt=0&channel-group=crew`
      assert.strictEqual(yield* statusOf(ofGroup), 403)
    }).pipe(Effect.provide(PubNubEmulatorServer.layer())))

  it.live("says what to install when @effect/platform-node is missing", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "herald-"))),
        (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
      )
      for (const name of ["main.ts", "process.ts"]) {
        Fs.copyFileSync(Path.join(root, "src/cli", name), Path.join(folder, name))
      }
      const { code, stderr } = yield* (yield* Spawn.node([Path.join(folder, "main.ts")])).exit
      assert.strictEqual(code, 1)
      assert.include(stderr, "did not start: Cannot find package '@effect/platform-node'")
      assert.include(stderr, "npx -p effect-herald -p @effect/platform-node herald")
    }))
})
