/** From an envelope to an event, by itself: what is said is told, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type SubscribeEvent, Timetoken } from "effect-herald/pubnub"
import * as Envelope from "../../src/pubnub/internal/wire/envelope.ts"
import * as Subscribe from "../../src/pubnub/internal/wire/subscribe.ts"
import { casesOf } from "../simulation/seeds.ts"

const cursor = { position: "17905741246383965", delivered: [] }
const timetoken = Timetoken.Timetoken.make("17905741246383965")

const ada = "ada"

/** The event of an envelope, `p` and `c` given. */
const eventOf = (fields: { readonly [field: string]: Schema.Json }): SubscribeEvent.Received => {
  const raw = { c: "a", p: { t: timetoken, r: 7 }, ...fields }
  const decoded = Envelope.decode(raw)
  return Result.isSuccess(decoded)
    ? Envelope.toEvent(decoded.success, cursor)
    : Envelope.undecodable(raw, decoded.failure, cursor)
}

const delivery = { channel: "a", subscription: "a", timetoken, region: 7, cursor }

describe("presence", () => {
  const presence = (d: { readonly [field: string]: Schema.Json }) => eventOf({ c: "a-pnpres", d })
  const common = { ...delivery, timestamp: DateTime.makeUnsafe(1_790_574_122_000) }
  const timestamp = 1_790_574_122

  it("has occupancy, state and precise time only when the service sends them", () => {
    for (const [action, _tag] of [["join", "Joined"], ["leave", "Left"], ["timeout", "TimedOut"]] as const) {
      for (const nothing of [{}, { occupancy: null, data: null, precise_timestamp: null }]) {
        assert.deepStrictEqual(
          presence({ action, timestamp, uuid: "ada", ...nothing }),
          { _tag, ...common, userId: ada } as object
        )
      }
      const whole = {
        action,
        timestamp,
        uuid: "ada",
        occupancy: 0,
        data: { x: 1 },
        precise_timestamp: 1_790_574_122_345
      }
      assert.deepStrictEqual(
        presence(whole),
        {
          _tag,
          ...common,
          userId: ada,
          timestamp: DateTime.makeUnsafe(1_790_574_122_345),
          occupancy: 0,
          state: { x: 1 }
        } as object
      )
    }
    assert.deepStrictEqual(presence({ action: "state-change", timestamp, uuid: "ada", data: {} }), {
      _tag: "StateChanged",
      ...common,
      userId: ada,
      state: {}
    })
    const nobody = { joined: [], left: [], timedOut: [] }
    assert.deepStrictEqual(presence({ action: "interval", timestamp }), {
      _tag: "Interval",
      ...common,
      ...nobody,
      hereNowRefresh: false
    })
    assert.deepStrictEqual(presence({ action: "interval", timestamp, occupancy: 3, here_now_refresh: true }), {
      _tag: "Interval",
      ...common,
      ...nobody,
      occupancy: 3,
      hereNowRefresh: true
    })
  })

  it("is TimedOut after a timeout, and StateChanged after a change of state", () => {
    const user = { ...common, userId: ada }
    assert.deepStrictEqual(
      presence({ action: "timeout", timestamp, uuid: "ada", occupancy: 2 }),
      { _tag: "TimedOut", ...user, occupancy: 2 } as object
    )
    assert.deepStrictEqual(
      presence({ action: "state-change", timestamp, uuid: "ada", data: { mood: "ok" } }),
      { _tag: "StateChanged", ...user, state: { mood: "ok" } } as object
    )
  })

  it.each([
    ["join", "leave", "timeout"],
    ["joined", "left", "timedout"]
  ])("of an interval has the users of %s, %s and %s", (joined, left, timedOut) => {
    assert.deepStrictEqual(
      presence({ action: "interval", timestamp, [joined]: ["ada"], [left]: ["bob", "eve"], [timedOut]: ["dan"] }),
      {
        _tag: "Interval",
        ...common,
        joined: [ada],
        left: ["bob", "eve"],
        timedOut: ["dan"],
        hereNowRefresh: false
      } as object
    )
  })

  it("of an interval asks for a refresh only when here_now_refresh is true", () => {
    const refreshOf = (fields: object) => presence({ action: "interval", timestamp, ...fields })
    assert.deepInclude(refreshOf({ here_now_refresh: true }), { hereNowRefresh: true })
    assert.deepInclude(refreshOf({ here_now_refresh: false }), { hereNowRefresh: false })
    assert.deepInclude(refreshOf({}), { hereNowRefresh: false })
  })

  const unreadable: ReadonlyArray<readonly [string, { readonly [field: string]: Schema.Json }, RegExp]> = [
    ["no user", { action: "join", timestamp }, /join without a uuid/],
    ["no timestamp", { action: "join", uuid: "ada" }, /timestamp/],
    ["a timestamp out of range", { action: "join", uuid: "ada", timestamp: 1e300 }, /no calendar/],
    ["a timestamp out of range as text", { action: "interval", timestamp: "99999999999999999999" }, /no calendar/],
    ["no state", { action: "state-change", uuid: "ada", timestamp }, /without a state/],
    ["a state that is null", { action: "state-change", uuid: "ada", timestamp, data: null }, /without a state/],
    ["an occupancy of 1.5", { action: "join", uuid: "ada", timestamp, occupancy: 1.5 }, /occupancy/]
  ]
  it.each(unreadable)("with %s is Undecodable, with its raw payload", (_, payload, issue) => {
    const event = presence(payload)
    if (event._tag !== "Undecodable") return assert.fail(event._tag)
    assert.match(event.issue, issue)
    assert.deepStrictEqual([event.raw, event.channel, event.timetoken], [payload, "a", timetoken])
  })
})

describe("messages, signals, files", () => {
  const file = { id: "1", name: "cat.png" }
  const meta = { heraldId: "1" }
  const kinds: ReadonlyArray<readonly [string, { readonly [field: string]: Schema.Json }, object]> = [
    ["Message", { d: 1 }, { payload: 1 }],
    ["Message", { e: 0, d: null }, { payload: null }],
    ["Signal", { e: 1, d: "on" }, { payload: "on" }],
    ["FileShared", { e: 4, d: { file } }, { file }],
    ["FileShared", { e: 4, d: { file, message: null } }, { file, payload: null }],
    ["Unknown", { e: 5, d: {} }, { kind: 5, payload: {} }]
  ]

  it.each(kinds)("%s leaves out what is null, empty or blank", (_tag, fields, own) => {
    const bare: object = { _tag, ...delivery, ...own }
    assert.deepStrictEqual(eventOf(fields), bare)
    assert.deepStrictEqual(eventOf({ ...fields, i: null, u: null, cmt: null, b: null }), bare)
    assert.deepStrictEqual(eventOf({ ...fields, i: "", u: "", cmt: "", b: "" }), bare)
    assert.deepStrictEqual(eventOf({ ...fields, i: " \t" }), bare)
    const { region: _, ...elsewhere } = delivery
    const unplaced: object = { _tag, ...elsewhere, ...own }
    assert.deepStrictEqual(eventOf({ ...fields, p: { t: timetoken, r: null } }), unplaced)
  })

  it.each(kinds)("%s has all that is given", (_tag, fields, own) => {
    const given = eventOf({ ...fields, i: "ada", u: meta, cmt: "note", b: "g-pnpres" })
    // A signal cannot be published with metadata.
    const more = _tag === "Signal" ? { customMessageType: "note" } : { meta, customMessageType: "note" }
    const expected: object = { _tag, ...delivery, ...own, ...more, subscription: "g", publisher: "ada" }
    assert.deepStrictEqual(given, expected)
    for (const u of [0, false, [], {}]) {
      if (_tag !== "Signal") assert.deepInclude(eventOf({ ...fields, u }), { meta: u } as object)
    }
  })

  it("have the same id, whatever stands for no publisher", () => {
    const id = `${timetoken}/a/`
    for (const i of [undefined, null, "", "  "]) {
      const raw = { c: "a", d: 1, p: { t: timetoken }, ...(i === undefined ? {} : { i }) }
      assert.strictEqual(Result.getOrThrow(Result.map(Envelope.decode(raw), Envelope.idOf)), id)
      assert.strictEqual(Envelope.idOfRaw({ ...raw, d: undefined }), id)
    }
    assert.strictEqual(Envelope.idOfRaw({ c: "a", p: { t: timetoken }, i: "ada" }), `${id}ada`)
    for (const t of ["~", "", "1", `${timetoken}0`, 17]) {
      assert.isUndefined(Envelope.idOfRaw({ c: "a", p: { t } }), `${t}`)
    }
    assert.strictEqual(Envelope.nameOf({ c: "a", d: 1, p: { t: timetoken }, b: "" }), "a")
  })
})

describe("the check by hand and the schema", () => {
  const odd: ReadonlyArray<Schema.Json> = [
    null,
    true,
    0,
    -1,
    7,
    1.5,
    2 ** 53,
    1e300,
    "",
    " ",
    "a",
    "0",
    "7",
    [],
    [timetoken],
    {},
    timetoken,
    `${timetoken}\n`,
    `${timetoken}0`,
    "1790574124638396",
    "-7905741246383965",
    { t: timetoken },
    { t: "0", r: 1 }
  ]
  type Change = readonly [field: string, value: Schema.Json | undefined]
  /** A field, and an odd value of it or none. */
  const changes = (fields: ReadonlyArray<string>) =>
    Arbitrary.array(
      Arbitrary.map(
        Arbitrary.schema(
          Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: fields.length * (odd.length + 1) - 1 }))
        ),
        (index): Change => [fields[index % fields.length]!, odd[Math.floor(index / fields.length)]]
      ),
      { maxLength: 3 }
    )
  /** What `JSON.parse` gives of the value with these fields changed. `p.t` is a field of `p`. */
  const changed = (value: object, changes: ReadonlyArray<Change>): Schema.Json => {
    const copy = JSON.parse(JSON.stringify(value))
    for (const [path, value] of changes) {
      const [field = "", inner] = path.split(".")
      const target = inner === undefined ? copy : copy[field]
      if (typeof target === "object" && target !== null) target[inner ?? field] = structuredClone(value)
    }
    return JSON.parse(JSON.stringify(copy))
  }
  const oddly = { arbitrary: { runs: casesOf(300, 2_000) } }

  const whole = { a: "0", c: "a", d: { x: 1 }, p: { t: timetoken, r: 7 }, e: 0, i: "ada", b: "a.*", u: {}, cmt: "note" }
  const fields = ["c", "d", "p", "p.t", "p.r", "e", "i", "b", "u", "cmt", "z"]
  it.prop("agree on envelopes with odd fields", { changes: changes(fields) }, ({ changes }) => {
    const raw = changed(whole, changes)
    const decoded = Envelope.decode(raw)
    const { a: _, z: __, ...known } = Result.getOrElse(decoded, () => ({})) as Record<string, unknown>
    const bySchema = Envelope.decodeBySchema(raw)
    assert.deepStrictEqual(Result.map(decoded, () => known), bySchema as typeof decoded)
    // Of all that the schema accepts: else the check would be one for a few only.
    if (Result.isSuccess(decoded)) assert.strictEqual(decoded.success, raw as typeof decoded.success)
  }, oddly)

  const answer = { t: { t: timetoken, r: 7 }, m: [{ c: "a" }, 1, null] }
  it.prop("agree on pages with odd fields", { changes: changes(["t", "t.t", "t.r", "m", "z"]) }, ({ changes }) => {
    const json = changed(answer, changes)
    const decoded = Subscribe.decodeAnswer(json)
    const bySchema = Subscribe.decodeAnswerBySchema(json)
    assert.deepStrictEqual(Result.map(decoded, ({ m, t }) => ({ m, t })), bySchema as typeof decoded)
    if (Result.isSuccess(decoded)) assert.strictEqual(decoded.success, json as typeof decoded.success)
  }, oddly)

  it.each<Schema.Json>([...odd, [whole], { m: [] }, { t: {}, m: {} }])("agree on %j", (value) => {
    assert.deepStrictEqual(Envelope.decode(value), Envelope.decodeBySchema(value))
    assert.deepStrictEqual(Subscribe.decodeAnswer(value), Subscribe.decodeAnswerBySchema(value))
  })
})
