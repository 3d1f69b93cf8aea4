import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import { herald, heraldDuring } from "../kit.ts"

const world = Effect.provide(PubNubEmulator.layer())

const lines = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { exitCode, stderr, stdout } = yield* herald(args)
    assert.deepStrictEqual([exitCode, stderr], [0, []])
    return stdout
  })

const come = (user: string, channel: string) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    emulator.handle({
      method: "GET",
      target: `/v2/presence/sub-key/demo-sub/channel/${channel}/heartbeat?uuid=${user}`,
      headers: {},
      body: ""
    })
  )

it.effect("channel-groups adds, removes and lists channels, and lists and removes groups", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* lines(["channel-groups", "add-channels", "g", "a", "b"]), ["added to g: a, b"])
    assert.deepStrictEqual(yield* lines(["groups", "list-channels", "g"]), ["a", "b"])
    assert.deepStrictEqual(yield* lines(["groups", "list", "--json"]), ["{\"group\":\"g\"}"])
    assert.deepStrictEqual(yield* lines(["groups", "remove-channels", "g", "a", "--json"]), [
      "{\"group\":\"g\",\"removed\":[\"a\"]}"
    ])
    assert.deepStrictEqual(yield* lines(["groups", "list-channels", "g", "--json"]), ["{\"channel\":\"b\"}"])
    assert.deepStrictEqual(yield* lines(["groups", "remove", "g"]), ["removed: g"])
    assert.deepStrictEqual(yield* lines(["groups", "list"]), [])
  }).pipe(world))

it.effect("push adds, removes and lists the channels of a device, and removes the device", () =>
  Effect.gen(function*() {
    const apns = ["--topic", "com.example.app", "--environment", "development"]
    assert.deepStrictEqual(yield* lines(["push", "add", "abcd", "a", "b"]), ["added: a, b"])
    assert.deepStrictEqual(yield* lines(["push", "list", "abcd"]), ["a", "b"])
    assert.deepStrictEqual(yield* lines(["push", "list", "abcd", ...apns]), [])
    assert.deepStrictEqual(yield* lines(["push", "add", "abcd", "c", ...apns, "--json"]), ["{\"added\":[\"c\"]}"])
    assert.deepStrictEqual(yield* lines(["push", "list", "abcd", ...apns, "--json"]), ["{\"channel\":\"c\"}"])
    assert.deepStrictEqual(yield* lines(["push", "remove", "abcd", "a"]), ["removed: a"])
    assert.deepStrictEqual(yield* lines(["push", "remove-device", "abcd"]), ["removed the device"])
    assert.deepStrictEqual(yield* lines(["push", "list", "abcd"]), [])
    assert.deepStrictEqual(yield* lines(["push", "list", "abcd", ...apns]), ["c"])
    const { stderr } = yield* herald(["push", "list", "xyz", "--topic", " "])
    assert.match(stderr.join(), /: device is not a device token of APNs: .*; --topic is blank/)
  }).pipe(world))

it.effect("presence prints here-now, where-now and state", () =>
  Effect.gen(function*() {
    yield* come("ada", "a")
    yield* come("bob", "a")
    const set = ["presence", "state", "a", "--user", "ada", "--set", "{\"mood\":\"ok\"}"]
    assert.deepStrictEqual(yield* lines(set), ["a  {\"mood\":\"ok\"}"])
    assert.deepStrictEqual(yield* lines(["presence", "here-now", "a", "b", "--include", "users,state"]), [
      "a  2  ada {\"mood\":\"ok\"}  bob",
      "b  0"
    ])
    assert.deepStrictEqual(yield* lines(["presence", "here-now", "--include", "none"]), ["a  2"])
    assert.deepStrictEqual(yield* lines(["presence", "here-now", "a", "--limit", "1", "--offset", "1", "--json"]), [
      "{\"channel\":\"a\",\"occupancy\":2,\"users\":[{\"userId\":\"bob\"}]}"
    ])
    assert.deepStrictEqual(yield* lines(["presence", "where-now", "bob"]), ["a"])
    assert.deepStrictEqual(yield* lines(["presence", "where-now"]), [])
    assert.deepStrictEqual(yield* lines(["presence", "state", "a", "--user", "ada"]), ["a  {\"mood\":\"ok\"}"])
  }).pipe(world))

it.effect("presence and channel-groups print an unreadable entry in its place", () =>
  Effect.gen(function*() {
    const [[room], [lobby], [group], [state]] = [
      yield* lines(["presence", "here-now", "room", "lobby"]),
      yield* lines(["presence", "here-now", "room", "lobby", "--json"]),
      yield* lines(["groups", "list-channels", "g"]),
      yield* lines(["presence", "state", "a", "b"])
    ]
    assert.match(room ?? "", /^room {2}cannot be read \(.+\): {"occupancy":"many"}$/)
    assert.deepInclude(JSON.parse(lobby ?? ""), { channel: "room", _tag: "UndecodableItem" })
    assert.match(group ?? "", /^cannot be read \(.+\): 5$/)
    assert.match(state ?? "", /^a {2}cannot be read \(.+\): 5$/)
  }).pipe(Effect.provide(Transport.layerScripted([
    ...Array.from({ length: 2 }, () => ({
      body: JSON.stringify({
        payload: {
          channels: { room: { occupancy: "many" }, lobby: { occupancy: "many" } },
          total_channels: 2,
          total_occupancy: 2
        }
      })
    })),
    { body: JSON.stringify({ payload: { channels: [5] } }) },
    { body: JSON.stringify({ payload: { channels: { a: 5 } } }) }
  ]))))

it.effect("presence watch prints who is there, and who joins and leaves", () =>
  Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    yield* come("ada", "a")
    const during = (line: Effect.Effect<string>) =>
      Effect.gen(function*() {
        yield* line
        yield* come("bob", "a")
        yield* line
        yield* emulator.handle({
          method: "GET",
          target: "/v2/presence/sub-key/demo-sub/channel/a/leave?uuid=ada",
          headers: {},
          body: ""
        })
        yield* line
      })
    const watched = yield* heraldDuring(["presence", "watch", "a"], { terminal: true }, during)
    assert.deepStrictEqual(watched.map((line) => line.slice(15)), ["1 there  +ada", "2 there  +bob", "1 there  -ada"])
    const [first] = yield* heraldDuring(["presence", "watch", "a"], {}, (line) => line)
    assert.deepInclude(JSON.parse(first ?? ""), {
      channel: "a",
      occupancy: 1,
      joined: ["bob"],
      left: [],
      users: [{ userId: "bob" }]
    })
    assert.deepStrictEqual(yield* emulator.occupants({ channel: "a" }), ["bob"])
  }).pipe(world))

describe("exits with 2, and sends nothing, for", () => {
  for (
    const args of [
      ["channel-groups", "add-channels", "g"],
      ["channel-groups", "add-channels", "g", "a,b"],
      ["presence", "here-now", "a", "--limit", "0"],
      ["presence", "where-now", " "],
      ["presence", "state"],
      ["presence", "watch", "a,b"],
      ["presence", "state", "a", "--set", "[]"]
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
