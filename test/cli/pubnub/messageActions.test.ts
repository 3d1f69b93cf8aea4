/** `herald message-actions`. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulatorServer } from "effect-herald/node"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import { requestsTo, start } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"
import * as Spawn from "../spawn.ts"

const world = PubNubEmulator.layer().pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

const message = "17900000000000000"

const react = (value: string, uuid = "bob", messageTimetoken = message) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    emulator.addAction({ channel: "a", messageTimetoken, type: "reaction", value, userId: uuid })
  )

const stored = PubNubEmulator.PubNubEmulator.use((emulator) => emulator.actions({ channel: "a" }))

const asked = requestsTo("/v1/message-actions")

describe("message-actions add and remove", () => {
  it.effect("add prints the timetoken that remove takes", () =>
    Effect.gen(function*() {
      const added = yield* herald(["message-actions", "add", "a", message, "reaction", "👍", "--user-id", "ada"])
      const [action] = yield* stored
      assert.deepInclude(action, { userId: "ada", type: "reaction", value: "👍", messageTimetoken: message })
      assert.deepStrictEqual(added, { exitCode: 0, stderr: [], stdout: [action?.actionTimetoken ?? ""] })
      const removed = yield* herald(["message-actions", "remove", "a", message, ...added.stdout, "--user-id", "ada"])
      assert.deepStrictEqual(removed, { exitCode: 0, stderr: [], stdout: [`removed: ${added.stdout[0]}`] })
      assert.deepStrictEqual(yield* stored, [])
      const asJson = yield* herald(["message-actions", "add", "a", message, "receipt", "--json", "--", "-1"])
      const [second] = yield* stored
      assert.deepStrictEqual(asJson.stdout.map((line) => JSON.parse(line)), [{
        type: "receipt",
        value: "-1",
        messageTimetoken: message,
        actionTimetoken: second?.actionTimetoken,
        userId: "herald"
      }])
    }).pipe(Effect.provide(world)))

  it.effect("exit with 6 when the action exists or is missing, and with 3 for another user's action", () =>
    Effect.gen(function*() {
      const { actionTimetoken } = yield* react("👍", "herald")
      const again = yield* herald(["message-actions", "add", "a", message, "reaction", "👍", "--json"])
      assert.deepStrictEqual([again.exitCode, again.stdout], [6, []])
      assert.deepInclude(JSON.parse(again.stderr[0] ?? ""), {
        error: { _tag: "ActionExists", channel: "a", messageTimetoken: message, type: "reaction", value: "👍" },
        exitCode: 6
      })
      const others = yield* herald(["message-actions", "remove", "a", message, actionTimetoken, "--user-id", "ada"])
      assert.strictEqual(others.exitCode, 3)
      assert.match(
        others.stderr[0] ?? "",
        /^herald: MessageActions\.remove: another user added the action \d+ on message \d+ of a\./
      )
      yield* herald(["message-actions", "remove", "a", message, actionTimetoken])
      const gone = yield* herald(["message-actions", "remove", "a", message, actionTimetoken])
      assert.deepStrictEqual([gone.exitCode, gone.stderr.length], [6, 1])
      assert.include(gone.stderr[0], "has no action")
    }).pipe(Effect.provide(world)))

  it.effect("exit with 0 and a warning when the change was not announced to subscribers", () =>
    Effect.gen(function*() {
      yield* PubNubEmulator.PubNubEmulator.use((emulator) => emulator.withholdActions(2))
      const added = yield* herald(["message-actions", "add", "a", message, "reaction", "👍"])
      const [action] = yield* stored
      assert.deepStrictEqual([added.exitCode, added.stdout], [0, [action?.actionTimetoken]])
      assert.lengthOf(added.stderr, 1)
      assert.include(added.stderr[0], "was stored, but not announced to subscribers")
      const removed = yield* herald(["message-actions", "remove", "a", message, ...added.stdout, "--json"])
      assert.deepStrictEqual([removed.exitCode, removed.stdout.length], [0, 1])
      assert.deepInclude(JSON.parse(removed.stdout[0] ?? ""), { actionTimetoken: action?.actionTimetoken })
      assert.strictEqual(JSON.parse(removed.stderr[0] ?? "").error._tag, "ActionNotAnnounced")
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(Effect.provide(world)))
})

describe("message-actions list", () => {
  it.effect("prints actions from either end, within --since and --before, and requests no more than --limit", () =>
    Effect.gen(function*() {
      for (let n = 0; n < 250; n++) yield* react(`${n}`)
      const values = ({ stdout }: { readonly stdout: ReadonlyArray<string> }) =>
        stdout.map((line) => Number(JSON.parse(line).value))
      assert.deepStrictEqual(values(yield* herald(["message-actions", "list", "a", "--limit", "2"])), [249, 248])
      assert.lengthOf(yield* asked, 1)
      assert.include((yield* asked)[0]?.target, "limit=2")
      const oldest = yield* herald(["message-actions", "list", "a", "--oldest-first", "--limit", "120"])
      assert.deepStrictEqual(values(oldest), [...Array(120).keys()])
      assert.lengthOf(values(yield* herald(["message-actions", "list", "a"])), 100)
      const { actionTimetoken } = (yield* stored)[10]!
      const before = ["message-actions", "list", "a", "--before", actionTimetoken]
      assert.deepStrictEqual(values(yield* herald(before)), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
      const since = ["message-actions", "list", "a", "--since", actionTimetoken, "--limit", "500"]
      assert.lengthOf(values(yield* herald(since)), 240)
    }).pipe(Effect.provide(world)))

  it.effect("prints no control characters on a terminal", () =>
    Effect.gen(function*() {
      const { actionTimetoken } = yield* react("\u001b[2J")
      const { stdout } = yield* herald(["message-actions", "list", "a"], { terminal: true })
      assert.deepStrictEqual(stdout, [
        `2026-09-21T14:13:20.000Z  bob: reaction \uFFFD[2J  message ${message}  action ${actionTimetoken}`
      ])
    }).pipe(Effect.provide(world)))
})

describe("message-actions live", () => {
  const say = Effect.map(
    PubNubEmulator.PubNubEmulator.use((emulator) => emulator.publish({ channel: "a", message: "hi" })),
    ({ timetoken }) => timetoken
  )

  /** What it prints until there are so many values, with what is done after the first. */
  const watching = <E, R>(
    args: ReadonlyArray<string>,
    options: { readonly terminal?: boolean; readonly values: number },
    then: Effect.Effect<unknown, E, R>
  ) =>
    Effect.gen(function*() {
      const first = yield* Deferred.make<void>()
      const last = yield* Deferred.make<void>()
      const values: Array<string> = []
      const fiber = yield* Effect.forkChild(herald(["message-actions", "live", "a", ...args], {
        ...options,
        onLine: (line) => {
          values.push(line)
          return Effect.andThen(
            Deferred.succeed(first, undefined),
            values.length === options.values ? Deferred.succeed(last, undefined) : Effect.void
          )
        }
      }))
      yield* Effect.raceFirst(Deferred.await(first), Fiber.join(fiber))
      yield* then
      yield* Effect.raceFirst(Deferred.await(last), Fiber.join(fiber))
      yield* Fiber.interrupt(fiber)
      return values
    })

  it.effect("prints the reactions at the start and at each change", () =>
    Effect.gen(function*() {
      const one = yield* say
      const two = yield* say
      const { actionTimetoken } = yield* react("👍", "herald", two)
      let bobs = ""
      const values = yield* watching(
        ["--last", "2"],
        { values: 2 },
        Effect.map(react("👍", "bob", two), (action) => bobs = action.actionTimetoken)
      )
      const mine = { userId: "herald", actionTimetoken }
      assert.deepStrictEqual(
        values.map((line) => JSON.parse(line)),
        [[mine], [mine, { userId: "bob", actionTimetoken: bobs }]].map((users) => ({
          messages: [
            { messageTimetoken: one, reactions: [] },
            {
              messageTimetoken: two,
              reactions: [{ type: "reaction", value: "👍", count: users.length, mine: actionTimetoken, users }]
            }
          ]
        }))
      )
      assert.deepStrictEqual(
        yield* watching([two, one], { terminal: true, values: 2 }, react("\u001b", "bob", one)),
        [
          `${two}  reaction 👍 2 (you)\n${one}\n`,
          `${two}  reaction 👍 2 (you)\n${one}  reaction \uFFFD 1\n`
        ]
      )
    }).pipe(Effect.provide(world)))

  it.live("exits with 0 and leaves when its pipe is closed", () =>
    Effect.gen(function*() {
      const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const child = yield* Spawn.herald(["message-actions", "live", "a", message], {
        PUBNUB_ORIGIN: origin,
        PUBNUB_SUBSCRIBE_KEY: "demo-sub"
      })
      assert.deepStrictEqual(JSON.parse(yield* child.firstLine), {
        messages: [{ messageTimetoken: message, reactions: [] }]
      })
      yield* child.hangUp
      yield* emulator.addAction({ channel: "a", messageTimetoken: message, type: "r", value: "1", userId: "bob" })
      const { code, stderr } = yield* child.exit
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.lengthOf((yield* emulator.requests).filter(({ target }) => target.includes("/leave?")), 1)
    }).pipe(Effect.provide(PubNubEmulatorServer.layer())))
})

it.effect("message-actions exits with 3 when persistence is off", () =>
  Effect.gen(function*() {
    yield* PubNubEmulator.PubNubEmulator.use((emulator) => emulator.setAddOns({ persistence: false }))
    for (const args of [["list", "a"], ["add", "a", message, "reaction", "👍"], ["live", "a", message]]) {
      const { exitCode, stdout } = yield* herald(["message-actions", ...args])
      assert.deepStrictEqual([exitCode, stdout], [3, []])
    }
  }).pipe(Effect.provide(world)))

describe("exits with 2, and sends nothing, for", () => {
  for (
    const args of [
      ["list"],
      ["list", "a,b"],
      ["list", "a", "--limit", "0"],
      ["list", "a", "--since", "1595634632"],
      ["list", "a", "--since", message, "--before", "16000000000000000"],
      ["add", "a", message, "reaction"],
      ["add", "a", "159563463", "reaction", "👍"],
      ["add", "a", message, "", "👍"],
      ["add", "a", message, "reaction", ""],
      ["remove", "a", "yesterday", message],
      ["remove", "a", message, "1"],
      ["live", "a"],
      ["live", "a", message, "--last", "2"],
      ["live", "a", "yesterday"],
      ["live", "a", "--last", "0"]
    ]
  ) {
    it.effect(`message-actions ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* herald(["message-actions", ...args])
        assert.deepStrictEqual([exitCode, stderr.length, stdout], [2, 1, []])
        assert.deepStrictEqual(yield* Transport.Exchanges.use(({ all }) => all), [])
      }).pipe(Effect.provide(Transport.layerScripted([]))))
  }
})
