import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { SubscribeEvent } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import { requestsTo, start } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"

const decode = Schema.decodeEffect(
  Schema.fromJsonString(Schema.toCodecJson(SubscribeEvent.SubscribeEvent(Schema.Json)))
)

const world = PubNubEmulator.layer().pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

const stored = (channel: string) => PubNubEmulator.PubNubEmulator.use((emulator) => emulator.messages({ channel }))

/** Runs `subscribe` until it ends, and something else once it is connected. */
const whileSubscribed = <E, R>(
  args: ReadonlyArray<string>,
  options: { readonly terminal?: boolean },
  then: Effect.Effect<unknown, E, R>
) =>
  Effect.gen(function*() {
    const connected = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(herald(["subscribe", ...args], {
      ...options,
      onLine: (line) => line.includes("Connected") ? Effect.asVoid(Deferred.succeed(connected, undefined)) : Effect.void
    }))
    yield* Deferred.await(connected)
    yield* then
    return yield* Fiber.join(fiber)
  })

describe("boolean flags", () => {
  for (
    const args of [
      ["publish", "orders", "--text", "yes"],
      ["publish", "orders", "--store", "1", "hello"],
      ["subscribe", "--presence", "No"]
    ]
  ) {
    it.effect(`refuses ${args.join(" ")}, where the word may be a value or an argument`, () =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* herald(args)
        assert.deepStrictEqual([exitCode, stdout], [2, []])
        assert.match(stderr.join(), /"(yes|1|No)" after --(text|store|presence) may be its value or an argument/)
      }).pipe(Effect.provide(world)))
  }

  it.effect("publishes a word that looks like a value when the flag comes after it, or after --", () =>
    Effect.gen(function*() {
      yield* herald(["publish", "orders", "yes", "--text"])
      yield* herald(["publish", "orders", "--text", "--", "no"])
      assert.deepStrictEqual((yield* stored("orders")).map(({ payload }) => payload), ["yes", "no"])
    }).pipe(Effect.provide(world)))
})

describe("time", () => {
  it.effect("prints the timetoken and the date", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* herald(["time"])
      assert.strictEqual(exitCode, 0)
      assert.deepStrictEqual(stdout, ["17900000000000000  2026-09-21T14:13:20.000Z"])
      const asJson = yield* herald(["time", "--json"])
      assert.deepStrictEqual(asJson.stdout, [`{"timetoken":"17900000000000000","time":"2026-09-21T14:13:20.000Z"}`])
    }).pipe(Effect.provide(world)))

  it.effect("needs no keys", () =>
    Effect.gen(function*() {
      const { exitCode } = yield* herald(["time"], { environment: { PUBNUB_SUBSCRIBE_KEY: "" } })
      assert.strictEqual(exitCode, 0)
    }).pipe(Effect.provide(world)))
})

describe("publish", () => {
  it.effect("sends JSON as JSON and the rest as text, and prints the timetoken", () =>
    Effect.gen(function*() {
      for (
        const [args, message] of [
          [["{\"id\":1}"], { id: 1 }],
          [["hello world"], "hello world"],
          [["5"], 5],
          [["--text", "5"], "5"],
          [["\"5\""], "5"],
          [["--", "-5"], -5],
          [[""], ""]
        ] as const
      ) {
        const ran = yield* herald(["publish", "a", ...args])
        assert.deepStrictEqual(ran.stderr, [])
        const last = (yield* stored("a")).at(-1)
        assert.deepStrictEqual(last?.payload, message)
        assert.deepStrictEqual(ran.stdout, [last?.timetoken ?? ""])
      }
    }).pipe(Effect.provide(world)))

  it.effect("sends the options of all flags", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* herald(
        ("publish a {} --meta {\"vip\":true} --ttl 3h --custom-message-type order-placed --no-replicate --method POST --store " +
          "--user-id ada --json").split(" ")
      )
      assert.strictEqual(exitCode, 0)
      const [message] = yield* stored("a")
      assert.deepInclude(message, {
        meta: { vip: true },
        ttl: Duration.hours(3),
        customMessageType: "order-placed",
        publisher: "ada",
        payload: {}
      })
      assert.deepStrictEqual(stdout.map((line) => JSON.parse(line)), [{ channel: "a", timetoken: message?.timetoken }])
      const [request] = yield* requestsTo("/publish")
      assert.strictEqual(request?.method, "POST")
      assert.include(request?.target, "norep=true")
      assert.include(request?.target, "store=1")
      yield* herald(["publish", "b", "1", "--no-store"])
      assert.deepStrictEqual(yield* stored("b"), [])
    }).pipe(Effect.provide(world)))

  it.effect("sends the lines of stdin in order, and prints each timetoken", () =>
    Effect.gen(function*() {
      for (const args of [[], ["-"]]) {
        const { exitCode, stdout } = yield* herald(["publish", "a", ...args], { stdin: "1\n\n{\"b\":2}\r\n\"three\"" })
        assert.strictEqual(exitCode, 0)
        const messages = (yield* stored("a")).slice(-3)
        assert.deepStrictEqual(messages.map(({ payload }) => payload), [1, { b: 2 }, "three"])
        assert.deepStrictEqual(messages.map(({ timetoken }) => timetoken), stdout)
      }
    }).pipe(Effect.provide(world)))

  it.effect("stops before a line that is not JSON, and sends it with --text", () =>
    Effect.gen(function*() {
      const { exitCode, stderr, stdout } = yield* herald(["publish", "a"], { stdin: "1\n{\"cut\":\n2\n" })
      assert.strictEqual(exitCode, 2)
      assert.lengthOf(stdout, 1)
      assert.deepStrictEqual(stderr, ["herald: Not JSON: {\"cut\": (use --text to send lines as text)"])
      assert.deepStrictEqual((yield* stored("a")).map(({ payload }) => payload), [1])
      const long = yield* herald(["publish", "a"], { stdin: "x".repeat(100_000) })
      assert.isBelow(long.stderr.join("").length, 200)
      yield* herald(["publish", "b", "--text"], { stdin: "1\n{\"cut\":\n" })
      assert.deepStrictEqual((yield* stored("b")).map(({ payload }) => payload), ["1", "{\"cut\":"])
    }).pipe(Effect.provide(world)))

  it.effect("refuses an integer that JavaScript would round", () =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* herald(["publish", "a", "{\"at\":17900000000000001}"])
      assert.strictEqual(exitCode, 2)
      assert.include(stderr[0], "17900000000000001 would be rounded")
      assert.deepStrictEqual(yield* requestsTo("/publish"), [])
    }).pipe(Effect.provide(world)))
})

describe("signal and fire", () => {
  it.effect("send without storing, and print timetokens", () =>
    Effect.gen(function*() {
      const signal = yield* herald(["signal", "a", "typing", "--custom-message-type", "typing"])
      const fire = yield* herald(["fire", "a", "{}", "--meta", "{}"])
      assert.deepStrictEqual([signal.exitCode, fire.exitCode], [0, 0])
      assert.match([...signal.stdout, ...fire.stdout].join(" "), /^\d{17} \d{17}$/)
      assert.deepStrictEqual(yield* stored("a"), [])
      assert.lengthOf(yield* requestsTo("/signal"), 1)
    }).pipe(Effect.provide(world)))
})

describe("subscribe", () => {
  const three = Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    yield* emulator.publish({ channel: "a", message: { id: 1 }, publisher: "ada" })
    yield* emulator.signal({ channel: "a", message: "typing", publisher: "ada" })
    yield* emulator.publish({ channel: "b.c", message: 2 })
  })

  it.effect("prints one JSON object a line when stdout is no terminal", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* whileSubscribed(["a", "b.*", "--limit", "2", "--presence"], {}, three)
      assert.strictEqual(exitCode, 0)
      const events = yield* Effect.forEach(stdout, (line) => decode(line))
      assert.deepStrictEqual(events.map((event) => event._tag), ["Connected", "Joined", "Message", "Signal", "Message"])
      assert.deepStrictEqual(
        events.flatMap((event) => event._tag === "Message" ? [[event.channel, event.payload, event.publisher]] : []),
        [["a", { id: 1 }, "ada"], ["b.c", 2, undefined]]
      )
    }).pipe(Effect.provide(world)))

  it.effect("prints aligned lines on a terminal", () =>
    Effect.gen(function*() {
      const { stdout } = yield* whileSubscribed(["a", "b.*", "--limit", "2"], { terminal: true }, three)
      assert.deepStrictEqual(stdout, [
        "14:13:20.000Z  Connected                       a, b.*",
        "14:13:20.000Z  Message       a                 ada: {\"id\":1}",
        "14:13:20.000Z  Signal        a                 ada: \"typing\"",
        "14:13:20.000Z  Message       b.c               ?: 2"
      ])
      const asJson = yield* whileSubscribed(["a", "b.*", "--limit", "1", "--json"], { terminal: true }, three)
      assert.isTrue(asJson.stdout.every((line) => line.startsWith("{")))
      const asText = yield* whileSubscribed(["a", "b.*", "--limit", "1", "--no-json"], {}, three)
      assert.isFalse(asText.stdout.some((line) => line.startsWith("{")))
    }).pipe(Effect.provide(world)))

  it.effect("prints no control characters on a terminal", () =>
    Effect.gen(function*() {
      const { stdout } = yield* whileSubscribed(
        ["a", "--limit", "1"],
        { terminal: true },
        PubNubEmulator.PubNubEmulator.use((emulator) =>
          emulator.publish({ channel: "a", message: "\u009b31m\u001b[2J", publisher: "\u001b]0;x\u0007" })
        )
      )
      assert.notMatch(stdout.join(""), /\p{Cc}/u)
    }).pipe(Effect.provide(world)))

  it.effect("starts at --from, applies --filter and --group, and leaves at the end", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.addToGroup({ group: "crew", channels: ["a"] })
      const { timetoken: since } = yield* emulator.publish({ channel: "a", message: { id: 1 } })
      yield* emulator.publish({ channel: "a", message: { id: 2 } })
      yield* emulator.publish({ channel: "a", message: { id: 3 } })
      const { stdout } = yield* herald(
        ["subscribe", "-g", "crew", "--from", since, "--filter", "data.id > 2", "--limit", "1", "--user-id", "bo"]
      )
      const events = yield* Effect.forEach(stdout, (line) => decode(line))
      assert.deepStrictEqual(
        events.map((event) => event._tag === "Message" ? event.payload : event._tag),
        ["Connected", { id: 3 }]
      )
      assert.lengthOf((yield* requestsTo("/v2/presence")).filter(({ target }) => target.includes("/leave?")), 1)
    }).pipe(Effect.provide(world)))
})

describe("an error names the flag, with exit code 2, for", () => {
  for (
    const [message, ...args] of [
      ["Expected: a timetoken of 17 digits, or a cursor as JSON", "subscribe", "a", "--from", "1"],
      ["Expected: a JSON object", "publish", "a", "1", "--meta", "[1]"],
      ["--before is not later than --since", "history", "a", "--since", "2020-01-01", "--before", "2019-01-01"],
      ["channels and --group are both empty", "presence", "state"],
      ["channels and --group are both empty", "subscribe"],
      ["valid: --user-id is blank", "publish", "a", "1", "--user-id", " "]
    ] as const
  ) {
    it.effect(args.join(" "), () =>
      Effect.gen(function*() {
        const { exitCode, stderr } = yield* herald(args)
        assert.strictEqual(exitCode, 2)
        assert.include(stderr.join("\n"), message)
      }).pipe(Effect.provide(world)))
  }
})
