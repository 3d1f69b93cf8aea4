/** `herald users`, `herald channels`, `herald members` and `herald memberships`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulatorServer } from "effect-herald/node"
import { Faults, PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import { requestsTo, start } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"
import * as Spawn from "../spawn.ts"

const emulator = PubNubEmulator.PubNubEmulator

const world = PubNubEmulator.layer().pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

/** The same, behind faults. */
const failing = (script: ReadonlyArray<Faults.Rule>) =>
  Faults.layer({ script }).pipe(
    Layer.provideMerge(PubNubEmulator.layer()),
    Layer.provideMerge(VirtualTime.layer)
  )

/** What a command prints that has to succeed. */
const lines = (args: ReadonlyArray<string>, options: { readonly terminal?: boolean } = {}) =>
  Effect.gen(function*() {
    const { exitCode, stderr, stdout } = yield* herald(args, options)
    assert.deepStrictEqual([exitCode, stderr], [0, []])
    return stdout
  })

const objects = (args: ReadonlyArray<string>) =>
  Effect.map(lines(args), (printed) => printed.map((line) => JSON.parse(line)))

/** What a command says that has to fail. */
const failure = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { exitCode, stderr, stdout } = yield* herald([...args, "--json"])
    assert.deepStrictEqual([stderr.length, stdout], [1, []])
    const told = JSON.parse(stderr[0] ?? "")
    assert.strictEqual(told.exitCode, exitCode)
    return { exitCode, tag: told.error._tag, message: told.message }
  })

const asked = requestsTo("/v2/objects")

const kinds = [
  { kind: "user", command: "users", more: { externalId: "x1", profileUrl: "https://a/b", email: "a@b.c" } },
  { kind: "channel", command: "channels", more: { description: "for all" } }
] as const

const flagOf = (field: string) => `--${field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

for (const { command, kind, more } of kinds) {
  describe(command, () => {
    const texts = { name: "Ada #1", ...more, status: "away", type: "core" }

    it.effect("sets, clears, prints and removes an object", () =>
      Effect.gen(function*() {
        const flags = Object.entries(texts).flatMap(([field, value]) => [flagOf(field), value])
        const [created] = yield* objects([command, "set", "o/1", ...flags, "--custom", "{\"a\":1,\"b\":null}"])
        const { etag, updated } = created
        assert.deepStrictEqual(created, { id: "o/1", ...texts, custom: { a: 1, b: null }, etag, updated })
        assert.deepStrictEqual(yield* objects([command, "get", "o/1"]), [created])
        const [changed] = yield* objects([command, "set", "o/1", "--custom", "{\"c\":true}", "--if-matches-etag", etag])
        assert.deepInclude(changed, { ...texts, custom: { c: true } })
        const clear = [...Object.keys(texts), "custom"].flatMap((field) => ["--clear", flagOf(field).slice(2)])
        const [cleared] = yield* objects([command, "set", "o/1", ...clear])
        assert.deepStrictEqual(Object.keys(cleared).toSorted(), ["etag", "id", "updated"])
        assert.deepStrictEqual(yield* lines([command, "remove", "o/1"]), ["removed: o/1"])
        assert.deepInclude(yield* failure([command, "get", "o/1"]), { exitCode: 6, tag: "ObjectNotFound" })
        assert.deepStrictEqual(
          yield* lines([command, "set", "o/1", "--no-json"]).pipe(
            Effect.map((printed) => printed.map((line) => line.replaceAll(/"[^"]+"/g, "…")))
          ),
          ["o/1  updated=…  etag=…"]
        )
      }).pipe(Effect.provide(world)))

    it.effect("--merge keeps the custom fields that it does not name", () =>
      Effect.gen(function*() {
        assert.deepInclude(yield* failure([command, "set", "o", "--custom", "{}", "--merge"]), {
          exitCode: 6,
          tag: "ObjectNotFound"
        })
        yield* lines([command, "set", "o", "--custom", "{\"a\":1,\"b\":1}"])
        const [merged] = yield* objects([command, "set", "o", "--custom", "{\"b\":2}", "--name", "N", "--merge"])
        assert.deepInclude(merged, { name: "N", custom: { a: 1, b: 2 } })
        const [replaced] = yield* objects([command, "set", "o", "--custom", "{\"c\":3}"])
        assert.deepInclude(replaced, { name: "N", custom: { c: 3 } })
      }).pipe(Effect.provide(world)))

    it.effect("exits with 6 when the object changed since its etag was read", () =>
      Effect.gen(function*() {
        const [{ etag }] = yield* objects([command, "set", "o"])
        yield* lines([command, "set", "o", "--name", "N"])
        const changed = yield* failure([command, "set", "o", "--name", "M", "--if-matches-etag", etag])
        assert.deepInclude(changed, { exitCode: 6, tag: "ObjectChanged" })
        assert.include(changed.message, `${kind} "o" no longer has the etag ${etag}`)
        assert.deepInclude((yield* objects([command, "get", "o"]))[0], { name: "N" })
      }).pipe(Effect.provide(world)))

    it.effect("exits with 5 when the answer of a merge was lost", () =>
      Effect.gen(function*() {
        yield* lines([command, "set", "o", "--custom", "{\"a\":1}"])
        const unknown = yield* failure([command, "set", "o", "--custom", "{\"b\":2}", "--merge"])
        assert.deepInclude(unknown, { exitCode: 5, tag: "UpdateOutcomeUnknown" })
        assert.include(unknown.message, "may or may not have changed")
      }).pipe(Effect.provide(failing([{ on: "appContext", skip: 2, fault: Faults.Fault.ResetBeforeAnswer() }]))))

    it.effect("list prints all, or --limit many, and requests no more pages", () =>
      Effect.gen(function*() {
        const service = yield* emulator
        const put = kind === "user" ? service.setUser : service.setChannel
        for (let n = 100; n < 350; n++) {
          yield* put({ id: `o${n}`, name: `N${999 - n}`, type: n % 2 ? "odd" : "even", custom: { n } })
        }
        const all = yield* objects([command, "list", "--sort", "id"])
        assert.deepStrictEqual(all.map(({ id }) => id), Array.from({ length: 250 }, (_, n) => `o${100 + n}`))
        assert.hasAllKeys(all[0], ["id", "name", "type", "updated", "etag"])
        assert.lengthOf(yield* asked, 3)
        const some = yield* objects(
          [command, "list", "--filter", "type == 'odd'", "--sort", "type", "--sort", "name:asc", "--limit", "2"]
            .concat(["--include", "custom"])
        )
        assert.deepStrictEqual(
          some.map(({ etag: _, updated: __, ...one }) => one),
          [{ id: "o349", name: "N650", custom: { n: 349 } }, { id: "o347", name: "N652", custom: { n: 347 } }]
        )
        assert.lengthOf(yield* asked, 4)
        assert.include((yield* asked).at(-1)?.target, "limit=2&")
      }).pipe(Effect.provide(world)))

    it.effect("list prints a line of text without control characters", () =>
      Effect.gen(function*() {
        const [{ etag, updated }] = yield* objects([
          command,
          "set",
          "o\u009b",
          "--name",
          "\u001b[2J",
          "--status",
          "a b"
        ])
        assert.deepStrictEqual(yield* lines([command, "list"], { terminal: true }), [
          `o\uFFFD  name="\\u001b[2J"  status="a b"  updated="${updated}"  etag="${etag}"`
        ])
      }).pipe(Effect.provide(world)))
  })
}

describe("members and memberships", () => {
  it.effect("sets, lists and removes memberships from either side", () =>
    Effect.gen(function*() {
      yield* lines(["users", "set", "ada", "--name", "Ada", "--custom", "{\"n\":1}"])
      yield* lines(["channels", "set", "room", "--name", "Room"])
      const custom = ["--status", "active", "--type", "owner", "--custom", "{\"since\":2026}"]
      assert.deepStrictEqual(yield* lines(["members", "set", "room", "ada", "bob", ...custom]), ["set: ada, bob"])
      assert.deepStrictEqual(yield* lines(["memberships", "set", "hall", "--user", "ada"]), ["set: hall"])
      assert.deepStrictEqual(yield* lines(["memberships", "set", "hall", "room", "--user-id", "cy"]), [
        "set: hall, room"
      ])
      const bare = ({ etag: _, updated: __, ...rest }: { readonly etag: string; readonly updated: string }) => rest
      assert.deepStrictEqual((yield* objects(["members", "list", "room", "--sort", "user.id"])).map(bare), [
        { userId: "ada" },
        { userId: "bob" },
        { userId: "cy" }
      ])
      const include = ["custom", "status", "type", "user.custom"].flatMap((part) => ["--include", part])
      const [ada, ...others] = yield* objects(["members", "list", "room", ...include, "--filter", "uuid.name == 'Ada'"])
      const { user, ...own } = ada
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(bare(own), { userId: "ada", status: "active", type: "owner", custom: { since: 2026 } })
      assert.deepStrictEqual(bare(user), { id: "ada", name: "Ada", custom: { n: 1 } })
      yield* lines(["members", "set", "room", "ada", "--clear", "custom", "--status", "away"])
      const named = ["memberships", "list", "--user", "ada", "--sort", "channel.id:desc", "--include", "status"]
      assert.deepStrictEqual((yield* objects([...named, "--include", "custom"])).map(bare), [
        { channelId: "room", status: "away" },
        { channelId: "hall" }
      ])
      assert.match(
        (yield* lines([...named, "--include", "channel", "--limit", "1"], { terminal: true })).join(),
        /^room  status="away"  updated="[^"]+"  etag="[^"]+"  channel={"id":"room","name":"Room","updated":[^ ]+}$/
      )
      assert.deepStrictEqual(yield* lines(["members", "remove", "room", "ada", "bob"]), ["removed: ada, bob"])
      assert.deepStrictEqual(yield* lines(["memberships", "remove", "hall", "--user", "ada", "--json"]), [
        "{\"removed\":[\"hall\"]}"
      ])
      assert.deepStrictEqual(
        (yield* PubNubEmulator.PubNubEmulator.use((service) => service.memberships)).map((
          { channel, userId: user }
        ) => [
          channel,
          user
        ]),
        [["hall", "cy"], ["room", "cy"]]
      )
      assert.deepStrictEqual((yield* objects(["memberships", "list", "--user-id", "cy"])).length, 2)
    }).pipe(Effect.provide(world)))
})

it.effect("exits with 3 without App Context, 2 for an invalid filter, and 4 without a connection", () =>
  Effect.gen(function*() {
    assert.deepInclude(yield* failure(["users", "list", "--filter", "name ="]), { exitCode: 2, tag: "PubNubError" })
    yield* emulator.use((service) => service.setAddOns({ appContext: false }))
    for (
      const args of [["users", "list"], ["channels", "get", "a"], ["members", "set", "a", "b"], ["memberships", "list"]]
    ) {
      assert.deepInclude(yield* failure(args), { exitCode: 3, tag: "PubNubError" })
    }
    assert.deepInclude(
      yield* failure(["users", "remove", "a"]).pipe(
        Effect.provide(Transport.layerScripted([{ failure: "ECONNREFUSED" }]))
      ),
      { exitCode: 4, tag: "PubNubError" }
    )
  }).pipe(Effect.provide(world)))

it.live("sets a user as a process, and exits with 3 at an emulator without App Context", () =>
  Effect.gen(function*() {
    const run = (origin: string, ...args: ReadonlyArray<string>) =>
      Effect.flatMap(
        Spawn.herald(args, { PUBNUB_ORIGIN: origin, PUBNUB_SUBSCRIBE_KEY: "demo-sub" }),
        (child) => child.exit
      )
    const { emulator: service, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
    const set = yield* run(origin, "users", "set", "ada", "--name", "Ada")
    assert.deepStrictEqual([set.code, set.stderr, JSON.parse(set.stdout).name], [0, "", "Ada"])
    assert.deepStrictEqual((yield* service.users).map(({ id }) => id), ["ada"])
    const without = yield* Spawn.herald(["emulator", "--port", "0", "--json", "--no-app-context"])
    const refused = yield* run(JSON.parse(yield* without.firstLine).origin, "users", "list")
    assert.strictEqual(refused.code, 3)
  }).pipe(Effect.provide(PubNubEmulatorServer.layer())))

describe("exits with 2, and sends nothing, for", () => {
  for (
    const args of [
      ["users", "get"],
      ["users", "get", " "],
      ["users", "set", ".."],
      ["users", "set", "ada", "--custom", "[]"],
      ["users", "set", "ada", "--custom", "{\"a\":{}}"],
      ["users", "set", "ada", "--custom", "{\"a\""],
      ["users", "set", "ada", "--custom", "{\"a\":17900000000000001}"],
      ["users", "set", "ada", "--status", "x".repeat(51)],
      ["users", "set", "ada", "--name", "Ada", "--clear", "name"],
      ["users", "set", "ada", "--clear", "description"],
      ["users", "set", "ada", "--merge"],
      ["users", "set", "ada", "--merge", "--custom", "{}", "--if-matches-etag", "e"],
      ["users", "set", "ada", "--if-matches-etag", ""],
      ["users", "list", "--sort", "email"],
      ["users", "list", "--include", "name"],
      ["users", "list", "--filter", " "],
      ["users", "list", "--limit", "0"],
      ["channels", "set", "a", "--clear", "email"],
      ["channels", "set", "a", "--description", "x", "--clear", "description"],
      ["channels", "set", "a", "--merge"],
      ["members", "list"],
      ["members", "list", "a", "--sort", "name"],
      ["members", "set", "a"],
      ["members", "set", "a", "ada", "ada"],
      ["members", "set", "a", "ada", "--type", "x", "--clear", "type"],
      ["members", "remove", "a"],
      ["memberships", "list", "--include", "user"],
      ["memberships", "set"],
      ["memberships", "set", "a", "--custom", "1"],
      ["memberships", "remove", "--user", "ada"]
    ]
  ) {
    it.effect(args.join(" "), () =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* herald(args)
        assert.deepStrictEqual([exitCode, stderr.length, stdout], [2, 1, []])
        assert.deepStrictEqual(yield* Transport.Exchanges.use(({ all }) => all), [])
      }).pipe(Effect.provide(Transport.layerScripted([]))))
  }
})
