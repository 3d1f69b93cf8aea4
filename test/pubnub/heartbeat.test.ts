/** What a reader says of its user: heartbeats beside the poll, and states. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { Presence, PubNubConfig, Subscribe } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Heartbeat from "../../src/pubnub/internal/reading/heartbeat.ts"
import { emulated, queryOf, requestsTo, start } from "../kit/emulated.ts"
import { collectConnected } from "../kit/collect.ts"

const emulator = PubNubEmulator.PubNubEmulator
const isHeartbeat = ({ url }: { readonly url: string }) => url.includes("/heartbeat")

/** The heartbeats and leaves so far: when, what and with which query. */
const told = Effect.map(requestsTo("/v2/presence"), (requests) =>
  requests.map((request) => ({
    at: (request.time.epochMilliseconds - start) / 1000,
    path: request.target.split("?")[0]!.replace("/v2/presence/sub-key/demo-sub/channel/", ""),
    query: queryOf(request)
  })))

// Every nine seconds.
const twenty = { presenceTimeout: "20 seconds" } as const

describe("heartbeats", () => {
  it.effect("are sent at each interval after the connection, for plain names only", () =>
    Effect.gen(function*() {
      yield* collectConnected(Subscribe.stream({ channels: ["b", "a", "x.*"], groups: ["g"], presence: true }))
      yield* VirtualTime.advance("29 seconds")
      const beats = yield* told
      assert.deepStrictEqual(beats.map(({ at, path }) => [at, path]), [
        [9, "a,b/heartbeat"],
        [18, "a,b/heartbeat"],
        [27, "a,b/heartbeat"]
      ])
      const { query } = beats[0]!
      assert.deepStrictEqual([...query.keys()], ["heartbeat", "channel-group", "uuid", "pnsdk"])
      assert.deepStrictEqual([query.get("heartbeat"), query.get("channel-group"), query.get("uuid")], [
        "20",
        "g",
        "ada"
      ])
    }).pipe(Effect.provide(emulated({ config: twenty }))))

  it.effect("are sent for heartbeatInterval alone, with the default timeout", () =>
    Effect.gen(function*() {
      yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      const beats = yield* told
      assert.deepStrictEqual(beats.map(({ at, query }) => [at, query.get("heartbeat")]), [[30, "300"], [60, "300"]])
    }).pipe(Effect.provide(emulated({ config: { heartbeatInterval: "30 seconds" } }))))

  it.effect("are not sent when presence is off, or when no name can have presence", () =>
    Effect.gen(function*() {
      yield* collectConnected(Subscribe.stream({ channels: ["a"], presence: true }))
      yield* VirtualTime.advance("1 hour")
      assert.deepStrictEqual(yield* told, [])
      const config = yield* PubNubConfig.PubNubConfig
      yield* collectConnected(
        Subscribe.stream({ channels: ["a-pnpres", "x.*"], groups: ["g-pnpres"] }).pipe(
          Stream.provideService(PubNubConfig.PubNubConfig, PubNubConfig.make({ ...config, ...twenty }))
        )
      )
      yield* VirtualTime.advance("1 hour")
      assert.deepStrictEqual(yield* told, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("keep a user present while its reader is busy", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const busy = (config: Partial<PubNubConfig.Options>) =>
        Subscribe.messages({ channels: ["a"] }).pipe(
          Stream.runForEach(() => Effect.never),
          Effect.provide(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "u", origin: "emulator", ...config })),
          Effect.forkChild
        )
      yield* busy({ userId: "with", ...twenty })
      yield* busy({ userId: "without" })
      yield* VirtualTime.advance("1 second")
      yield* service.publish({ channel: "a", message: "takes an hour" })
      yield* VirtualTime.advance("1 hour")
      assert.deepStrictEqual(yield* service.occupants({ channel: "a" }), ["with"])
    }).pipe(Effect.provide(emulated())))

  it.effect("start when the service has answered", () =>
    Effect.gen(function*() {
      yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* Faults.Faults.use(({ injected }) => Effect.map(injected, tally)), ["handshake"])
      assert.deepStrictEqual(yield* told, [])
      yield* Faults.Faults.use(({ heal }) => heal)
      yield* VirtualTime.advance("40 seconds")
      assert.isAbove((yield* told).length, 0)
    }).pipe(Effect.provide(emulated({
      config: twenty,
      script: [{ fault: Faults.Fault.ConnectionRefused(), lasting: "1 hour" }]
    }))))

  it.effect("end before the leave, also one in flight", () =>
    Effect.gen(function*() {
      for (const seconds of [9, 12]) {
        const { fiber } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("8 seconds")
        yield* Faults.Faults.use(({ add }) => add({ on: isHeartbeat, fault: Faults.Fault.Slow({ by: "5 seconds" }) }))
        yield* VirtualTime.advance(`${seconds} seconds`)
        yield* Fiber.interrupt(fiber)
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual((yield* told).map(({ path }) => path).slice(-2), ["a/heartbeat", "a/leave"])
        assert.deepStrictEqual(yield* emulator.use(({ occupants }) => occupants({ channel: "a" })), [])
      }
    }).pipe(Effect.provide(emulated({ config: twenty }))))

  it.effect("that fail are logged at debug level, and the stream continues", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (String(message).startsWith("Subscribe.heartbeat failed")) lines.push(`${logLevel} ${String(message)}`)
      })
      const { seen } = yield* collectConnected(Subscribe.messages({ channels: ["a"] })).pipe(
        Effect.provide([Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Debug")])
      )
      yield* VirtualTime.advance("90 seconds")
      yield* emulator.use(({ publish }) => publish({ channel: "a", message: "still here" }))
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ payload }) => payload), ["still here"])
      assert.lengthOf(yield* Faults.Faults.use(({ injected }) => injected), 10)
      assert.lengthOf(lines, 10)
      assert.match(lines[0]!, /^Debug Subscribe.heartbeat failed: /)
    }).pipe(Effect.provide(emulated({
      config: twenty,
      script: [{ on: isHeartbeat, fault: Faults.Fault.ServerError({ status: 503, handled: false }), times: 100 }]
    }))))

  it.effect("without an answer do not delay the next one", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.presence({ channels: ["a"] }))
      yield* VirtualTime.advance("36 seconds")
      assert.deepStrictEqual((yield* told).map(({ at }) => at), [18, 27, 36])
      // And so the user did not time out after twenty seconds.
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Joined"])
    }).pipe(Effect.provide(emulated({
      config: twenty,
      script: [{ on: isHeartbeat, fault: Faults.Fault.HalfOpen() }]
    }))))

  it.effect("use the names and states of the moment", () =>
    Effect.gen(function*() {
      const config = yield* PubNubConfig.PubNubConfig
      let names: Heartbeat.Presence = { channels: ["a"], groups: [], state: undefined }
      yield* Effect.forkChild(Heartbeat.run(config, () => names))
      yield* VirtualTime.advance("10 seconds")
      names = { channels: [], groups: [], state: undefined }
      yield* VirtualTime.advance("10 seconds")
      names = { channels: [], groups: ["g"], state: "{\"b\":{}}" }
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(
        (yield* told).map(({ at, path, query }) => [at, path, query.get("channel-group"), query.get("state")]),
        [[9, "a/heartbeat", null, null], [27, ",/heartbeat", "g", "{\"b\":{}}"]]
      )
    }).pipe(Effect.provide(emulated({ config: twenty }))))
})

const tally = (injected: ReadonlyArray<Faults.Injected>) => [...new Set(injected.map(({ kind }) => kind))]

describe("states", () => {
  const state = { a: { mood: "it's ok ☃", n: 1234567890.5 } }
  const kept = Effect.map(Presence.getState({ channels: ["a"] }), (states) => states.get("a"))

  it.effect("are sent with handshakes and heartbeats, never with polls", () =>
    Effect.gen(function*() {
      yield* collectConnected(Subscribe.stream({ channels: ["a", "b"], state }))
      assert.deepStrictEqual(yield* kept, state.a)
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("20 seconds")
      const subscribes = yield* requestsTo("/v2/subscribe")
      const stateOf = (request: PubNubEmulator.HandledRequest) => JSON.parse(queryOf(request).get("state") ?? "null")
      assert.deepStrictEqual(subscribes.map((request) => [queryOf(request).has("tt"), stateOf(request)]), [
        [false, state],
        [true, null],
        [false, state],
        [true, null]
      ])
      const beats = (yield* requestsTo("/v2/presence")).filter(({ target }) => target.includes("/heartbeat"))
      assert.deepStrictEqual(beats.map(stateOf), [state, state])
    }).pipe(Effect.provide(emulated({ config: twenty }))))

  it.effect("are restored after the user timed out", () =>
    Effect.gen(function*() {
      yield* collectConnected(Subscribe.stream({ channels: ["a"], state }))
      yield* emulator.use(({ restart }) => restart)
      yield* Faults.Faults.use(({ add }) => add({ fault: Faults.Fault.ConnectionRefused(), lasting: "10 minutes" }))
      yield* VirtualTime.advance("9 minutes")
      assert.deepStrictEqual(yield* emulator.use(({ occupants }) => occupants({ channel: "a" })), [])
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* kept, state.a)
    }).pipe(Effect.provide(emulated())))

  it.effect("may be of the channels of a group, and an empty object sends none", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ addToGroup }) => addToGroup({ group: "g", channels: ["a"] }))
      yield* collectConnected(Subscribe.stream({ groups: ["g"], state }))
      assert.deepStrictEqual(yield* kept, state.a)
      yield* collectConnected(Subscribe.stream({ channels: ["b"], state: {} }))
      assert.isFalse(queryOf((yield* requestsTo("/v2/subscribe/demo-sub/b/"))[0]!).has("state"))
    }).pipe(Effect.provide(emulated())))

  it.effect("may be of a group, in the handshake and in each heartbeat", () =>
    Effect.gen(function*() {
      const { addToGroup } = yield* emulator
      yield* addToGroup({ group: "g", channels: ["a", "b"] })
      yield* collectConnected(Subscribe.stream({ groups: ["g"], state: { g: state.a, b: { own: true } } }))
      const all = Presence.getState({ channels: ["a", "b", "c"] })
      assert.deepStrictEqual([...(yield* all)], [["a", state.a], ["b", { own: true }]])
      yield* addToGroup({ group: "g", channels: ["c"] })
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual((yield* all).get("c"), state.a)
    }).pipe(Effect.provide(emulated({ config: twenty }))))

  const list: object = []
  const wrong: ReadonlyArray<readonly [string, Subscribe.StreamOptions, RegExp]> = [
    ["a channel that is not subscribed to", { channels: ["b"], state }, /"a" is not subscribed to/],
    ["a group that is not subscribed to", { channels: ["b"], state: { g: {} } }, /"g" is not subscribed to/],
    [
      "a group with a subscription to its presence only",
      { groups: ["g-pnpres"], state: { g: {} } },
      /"g" is not subscribed/
    ],
    ["a wildcard", { channels: ["a.*"], state: { "a.*": {} } }, /"a\.\*" holds an asterisk/],
    ["a presence name", { channels: ["a-pnpres"], state: { "a-pnpres": {} } }, /"a-pnpres" is a presence name/],
    ["a state with NaN", { channels: ["a"], state: { a: { at: NaN } } }, /"a" cannot be carried by JSON/],
    ["a list", { channels: ["a"], state: { a: { ...list, toJSON: () => [] } } }, /"a" has a state that is not/],
    ["40,000 characters", { channels: ["a"], state: { a: { text: "x".repeat(40_000) } } }, /state make an address of/]
  ]
  it.effect.each(wrong)("of %s are refused before a request is made", ([, options, message]) =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(Stream.runDrain(Subscribe.stream(options)))
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.match(reason.message, message)
      assert.deepStrictEqual(yield* emulator.use(({ requests }) => requests), [])
    }).pipe(Effect.provide(emulated())))
})
