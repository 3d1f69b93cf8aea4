import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"
import { herald } from "./kit.ts"

/** Runs `herald` with a file of contexts of its own. */
const fresh = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
      return Fs.mkdtempSync(Path.join(root, ".scratch/"))
    }),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  ),
  (folder) => {
    const file = Path.join(folder, "below", "contexts.json")
    return {
      file,
      run: (args: string, more: Readonly<Record<string, string>> = {}) =>
        herald(args.split(" "), { keyless: true, environment: { HERALD_CONTEXTS: file, ...more } })
    }
  }
)

const answering = Effect.provide(
  Transport.layerScripted(Array.from({ length: 9 }, () => ({ body: "[17900000000000000]" })))
)

const keys = "--subscribe-key sub-1 --publish-key pub-1 --user-id ada"

describe("context", () => {
  it.effect("stores, lists, uses and removes settings, and never prints a secret", () =>
    Effect.gen(function*() {
      const { file, run } = yield* fresh
      const secrets = { PUBNUB_SECRET_KEY: "sec-hush", PUBNUB_AUTH_TOKEN: "tok-hush" }
      const added = yield* run(`context add dev ${keys}`, secrets)
      const line = "dev  subscribeKey=sub-1  publishKey=pub-1  secretKey=(hidden)  authToken=(hidden)  userId=ada"
      assert.deepStrictEqual(added, { stdout: [`*  ${line}`], stderr: [], exitCode: 0 })
      assert.strictEqual(Fs.statSync(file).mode & 0o777, 0o600)
      assert.strictEqual(Fs.statSync(Path.dirname(file)).mode & 0o777, 0o700)
      yield* run("context add prod --subscribe-key sub-2 --no-tls")
      assert.deepStrictEqual((yield* run("context use prod")).stdout, ["in use: prod"])
      const { stdout } = yield* run("context list --json")
      assert.deepStrictEqual(stdout.map((line) => JSON.parse(line)), [
        {
          name: "dev",
          inUse: false,
          settings: {
            subscribeKey: "sub-1",
            publishKey: "pub-1",
            secretKey: "(hidden)",
            authToken: "(hidden)",
            userId: "ada"
          }
        },
        { name: "prod", inUse: true, settings: { subscribeKey: "sub-2", tls: false } }
      ])
      assert.deepStrictEqual((yield* run("context show dev")).stdout, [`   ${line}`])
      assert.deepStrictEqual((yield* run("context remove prod")).stdout, ["removed: prod"])
      const none = yield* run("context show")
      assert.deepStrictEqual([none.exitCode, none.stdout], [2, []])
      assert.notInclude(Fs.readFileSync(file, "utf8"), "sub-2")
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(file)), ["contexts.json"])
    }).pipe(Effect.scoped, answering))

  it.effect("keeps the secrets from other users beside a file that an earlier run left", () =>
    Effect.gen(function*() {
      const { file, run } = yield* fresh
      Fs.mkdirSync(Path.dirname(file))
      Fs.writeFileSync(`${file}.${process.pid}`, "")
      Fs.chmodSync(`${file}.${process.pid}`, 0o666)
      yield* run(`context add dev ${keys}`)
      assert.strictEqual(Fs.statSync(file).mode & 0o777, 0o600)
    }).pipe(Effect.scoped, answering))

  it.effect("gives what neither flags nor the environment say", () =>
    Effect.gen(function*() {
      const { run } = yield* fresh
      yield* run(`context add dev ${keys} --origin dev.test`)
      yield* run("context add prod --subscribe-key sub-2 --publish-key pub-2")
      const path = Effect.fnUntraced(function*(args: string, more?: Readonly<Record<string, string>>) {
        const { stderr } = yield* run(`publish a 1 ${args}`.trim(), more)
        const { url } = (yield* Transport.Exchanges.use(({ all }) => all)).at(-1) ?? assert.fail(stderr.join())
        return new URL(url)
      })
      const used = yield* path("")
      assert.deepStrictEqual([used.host, used.pathname.slice(0, 20), used.searchParams.get("uuid")], [
        "dev.test",
        "/publish/pub-1/sub-1",
        "ada"
      ])
      assert.include((yield* path("--context prod")).pathname, "/pub-2/sub-2/")
      assert.strictEqual((yield* path("--user-id bob")).searchParams.get("uuid"), "bob")
      assert.include((yield* path("", { PUBNUB_PUBLISH_KEY: "pub-3" })).pathname, "/pub-3/sub-1/")
      // The keys of two keysets do not mix.
      const other = yield* path("--publish-key pub-9", { PUBNUB_SUBSCRIBE_KEY: "sub-9" })
      assert.deepStrictEqual([other.host, other.pathname.slice(0, 20)], ["ps.pndsn.com", "/publish/pub-9/sub-9"])
    }).pipe(Effect.scoped, answering))

  it.effect("exits with 2 and sends nothing for a context that cannot be meant", () =>
    Effect.gen(function*() {
      const { file, run } = yield* fresh
      yield* run(`context add dev ${keys}`)
      const refused = (args: string, part: string, more?: Readonly<Record<string, string>>) =>
        Effect.map(run(args, more), ({ exitCode, stderr }) => {
          assert.deepStrictEqual([exitCode, stderr.length], [2, 1])
          assert.include(stderr[0], part)
        })
      yield* refused("history a --context prod", "There is no context \"prod\". There are: dev")
      yield* refused("context use constructor", "There is no context \"constructor\"")
      yield* refused("context add prod", "--subscribe-key or PUBNUB_SUBSCRIBE_KEY")
      yield* refused("context add __proto__ --subscribe-key s", "a name of letters")
      yield* refused("history a --context dev", "is not that of", { PUBNUB_SUBSCRIBE_KEY: "sub-9" })
      Fs.chmodSync(file, 0o644)
      yield* refused("history a", "chmod 600")
      Fs.writeFileSync(file, "{\"pubnub\":\"hush\"}")
      Fs.chmodSync(file, 0o600)
      yield* refused("history a", "is not a file of contexts")
      assert.notInclude((yield* run("history a")).stderr.join(), "hush")
      assert.deepStrictEqual(yield* Transport.Exchanges.use(({ all }) => all), [])
    }).pipe(Effect.scoped, Effect.provide(Transport.layerScripted([]))))
})

describe("symphony context", () => {
  it.effect("gives the host and the bot, and yields to flags and to the environment", () =>
    Effect.gen(function*() {
      const { run } = yield* fresh
      const added = yield* run(
        "symphony context add desk --json --host acme.test:8 --bot desk --private-key /none/desk.pem"
      )
      assert.deepStrictEqual(JSON.parse(added.stdout[0] ?? ""), {
        name: "desk",
        inUse: true,
        settings: { host: "acme.test:8", bot: "desk", privateKey: "/none/desk.pem" }
      })
      const keyOf = (args: string, more?: Readonly<Record<string, string>>) =>
        Effect.map(run(`symphony list s ${args}`.trim(), more), ({ stderr }) =>
          /read from (\S+):/.exec(stderr.join())?.[1])
      assert.strictEqual(yield* keyOf(""), "/none/desk.pem")
      assert.strictEqual(yield* keyOf("--private-key /none/flag.pem"), "/none/flag.pem")
      const environment = { SYMPHONY_BOT_PRIVATE_KEY_FILE: "/none/env.pem" }
      assert.strictEqual(yield* keyOf("", environment), "/none/env.pem")
      assert.strictEqual(yield* keyOf("--context desk", environment), "/none/desk.pem")
      // A context of PubNub is not one of Symphony.
      assert.deepStrictEqual((yield* run("context list")).stdout, [])
    }).pipe(Effect.scoped, Effect.provide(PubNubEmulator.layer())))
})
