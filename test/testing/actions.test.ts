import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import { addAction, getActions, handshake, historyWithActions, poll, publish, removeAction } from "./http.ts"

const emulated = (options?: PubNubEmulator.Options) => Effect.provide(PubNubEmulator.layer(options))

const emulator = PubNubEmulator.PubNubEmulator

const message = "16999999999999999"
const smile = { type: "reaction", value: "smile" }

const at = (index: number) => String(17_000_000_000_000_000n + BigInt(index))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

/** One field of each item in the `data` of an answer. */
const fieldOf = (body: unknown, field: string) =>
  Predicate.isObject(body) && Array.isArray(body["data"]) ? body["data"].map((item) => item[field]) : body

/** Actions of one user on one message: `0`, `1` and so on, and their timetokens. */
const fill = (channel: string, count: number, messageTimetoken = message) =>
  emulator.use(({ addAction }) =>
    Effect.forEach(
      range(0, count),
      (index) =>
        Effect.map(
          addAction({ channel, messageTimetoken, type: "count", value: String(index), userId: "me" }),
          ({ actionTimetoken }) => actionTimetoken
        )
    )
  )

describe("adding and removing message actions", () => {
  it.effect("answers in the form of the service, and delivers the events to readers", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a b/c ☃")
      const added = yield* addAction("a b/c ☃", message, smile)
      const [action = { userId: "", actionTimetoken: "" }, ...others] = yield* emulator.use(({ actions }) =>
        actions({ channel: "a b/c ☃" })
      )
      assert.deepStrictEqual(others, [])
      assert.isAbove(Number(action.actionTimetoken), Number(message))
      assert.deepInclude(action, { ...smile, userId: "me", messageTimetoken: message })
      const { userId: uuid, ...data } = action
      assert.deepStrictEqual([added.status, added.body], [200, { status: 200, data: { ...data, uuid } }])
      assert.match(added.headers["content-type"] ?? "", /^text\/javascript/)
      const removed = yield* removeAction("a b/c ☃", message, action.actionTimetoken)
      assert.deepStrictEqual([removed.status, removed.text], [200, "{\"status\":200,\"data\":{}}"])
      assert.deepStrictEqual(yield* emulator.use(({ actions }) => actions({ channel: "a b/c ☃" })), [])

      const { envelopes } = yield* poll("a b/c ☃", cursor)
      const event = { source: "actions", version: "1.0", data }
      assert.deepStrictEqual(envelopes.map(({ c, d, e, i }) => ({ c, d, e, i })), [
        { c: "a b/c ☃", d: { ...event, event: "added" }, e: 3, i: uuid },
        { c: "a b/c ☃", d: { ...event, event: "removed" }, e: 3, i: uuid }
      ])
    }).pipe(emulated()))

  it.effect("answers 409 when a user adds the same action to the same message twice", () =>
    Effect.gen(function*() {
      yield* addAction("a", message, smile)
      const again = yield* addAction("a", message, smile)
      assert.deepStrictEqual([again.status, again.body], [
        409,
        { status: 409, error: { source: "actions", message: "Action Already Added" } }
      ])
      for (
        const [to, uuid, body] of [
          [message, "you", smile],
          [at(7), "me", smile],
          [message, "me", { ...smile, value: "frown" }],
          [message, "me", { ...smile, type: "mood" }]
        ] as const
      ) {
        assert.strictEqual((yield* addAction("a", to, body, { uuid })).status, 200)
      }
      assert.strictEqual((yield* addAction("b", message, smile)).status, 200)
      assert.strictEqual((yield* removeAction("a", message, at(0))).status, 200)
      assert.strictEqual((yield* addAction("a", message, smile, { uuid: "you" })).status, 409)
      assert.strictEqual((yield* addAction("a", message, smile)).status, 200)
      assert.lengthOf(yield* emulator.use(({ actions }) => actions({ channel: "a" })), 5)
    }).pipe(emulated()))

  it.effect("refuses to remove the action of another user, or one that does not exist", () =>
    Effect.gen(function*() {
      yield* addAction("a", message, smile)
      const refused = (text: string) => [400, { status: 400, error: { source: "actions", message: text } }]
      const theirs = yield* removeAction("a", message, at(0), { uuid: "you" })
      assert.deepStrictEqual(
        [theirs.status, theirs.body],
        refused("Not deleting message action: wrong uuid specified")
      )
      for (
        const [channel, to, action] of [["a", message, at(9)], ["a", at(9), at(0)], ["b", message, at(0)]] as const
      ) {
        const { body, status } = yield* removeAction(channel, to, action)
        assert.deepStrictEqual([status, body], refused("No matching message actions to delete"))
      }
      assert.lengthOf(yield* emulator.use(({ actions }) => actions({ channel: "a" })), 1)
    }).pipe(emulated()))

  it.effect("accepts short timetokens, and names the field that is invalid", () =>
    Effect.gen(function*() {
      assert.deepNestedInclude((yield* addAction("a", "1234567890", smile)).body, {
        "data.messageTimetoken": "1234567890"
      })
      const refusals: Array<unknown> = []
      for (
        const [to, body] of [
          [message, { type: "reaction" }],
          [message, {}],
          [message, { type: "", value: "x" }],
          [message, { type: "x", value: 1 }],
          [message, "[]"],
          [message, "{"],
          ["soon", smile]
        ] as const
      ) {
        const answer = yield* addAction("a", to, body)
        const error = Predicate.isObject(answer.body) ? answer.body["error"] : undefined
        const { details = [], message, source } = error as {
          details?: ReadonlyArray<object>
          message: string
          source: string
        }
        assert.deepStrictEqual([answer.status, source], [400, "actions"])
        refusals.push([message, ...details])
      }
      const invalid = "Request payload contained invalid input."
      const missing = (location: string) => ({ message: "Missing field", location, locationType: "body" })
      assert.deepStrictEqual(refusals, [
        [invalid, missing("value")],
        [invalid, missing("type"), missing("value")],
        [invalid, { message: "Invalid value", location: "type", locationType: "body" }],
        [invalid, { message: "Invalid value", location: "value", locationType: "body" }],
        ["Request payload must be in JSON format."],
        ["Request payload must be in JSON format."],
        [invalid, { message: "Invalid value", location: "messageTimetoken", locationType: "path" }]
      ])
      assert.strictEqual((yield* removeAction("a", message, "then")).status, 400)
      assert.lengthOf(yield* emulator.use(({ actions }) => actions({ channel: "a" })), 1)
    }).pipe(emulated()))

  it.effect("answers 207, stores the action and delivers no event when actions are withheld", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      yield* emulator.use(({ withholdActions }) => withholdActions(2))
      const added = yield* addAction("a", message, smile)
      assert.strictEqual(added.status, 207)
      assert.deepNestedInclude(added.body, {
        "status": 207,
        "data.value": "smile",
        "error.message": "Stored but failed to publish message action.",
        "error.source": "actions"
      })
      const [action] = yield* emulator.use(({ actions }) => actions({ channel: "a" }))
      const removed = yield* removeAction("a", message, action?.actionTimetoken ?? "")
      assert.deepStrictEqual([removed.status, removed.body], [207, {
        status: 207,
        data: {},
        error: { message: "Deleted but failed to publish removed events.", source: "actions" }
      }])
      assert.strictEqual((yield* addAction("a", message, smile)).status, 200)
      assert.lengthOf((yield* poll("a", cursor)).envelopes, 1)
    }).pipe(emulated()))

  it.effect("answers 403 when persistence is off or the channel is denied", () =>
    Effect.gen(function*() {
      const all = [addAction("a", message, smile), removeAction("a", message, at(1)), getActions("a")]
      yield* emulator.use(({ deny }) => deny({ channels: ["a"], userIds: ["me"] }))
      for (const request of all) {
        const { body, status } = yield* request
        assert.strictEqual(status, 403)
        assert.match(JSON.stringify(body), /"source":"actions","message":"Supplied authorization key does not/)
      }
      assert.strictEqual((yield* getActions("b")).status, 200)
      yield* emulator.use(({ allow, setAddOns }) => Effect.andThen(allow, setAddOns({ persistence: false })))
      for (const request of all) {
        const { body, status } = yield* request
        assert.strictEqual(status, 403)
        assert.match(JSON.stringify(body), /requires the Storage & Playback add-on which is not enabled/)
      }
    }).pipe(emulated()))

  it.effect("delivers the events of actions that the test adds and removes, once each", () =>
    Effect.gen(function*() {
      const { actions, addAction, removeAction } = yield* emulator
      const cursor = yield* handshake("a")
      const action = yield* addAction({ channel: "a", messageTimetoken: message, ...smile, userId: "you" })
      assert.deepStrictEqual(
        yield* addAction({ channel: "a", messageTimetoken: message, ...smile, userId: "you" }),
        action
      )
      yield* removeAction({ channel: "a", ...action })
      yield* removeAction({ channel: "a", ...action })
      assert.deepStrictEqual(yield* actions({ channel: "a" }), [])
      const { envelopes } = yield* poll("a", cursor)
      assert.deepStrictEqual(envelopes.map(({ d, i }) => [Predicate.isObject(d) && d["event"], i]), [
        ["added", "you"],
        ["removed", "you"]
      ])
    }).pipe(emulated()))
})

describe("reading message actions", () => {
  it.effect("returns the newest of the range, oldest first, without start and with end", () =>
    Effect.gen(function*() {
      const timetokens = yield* fill("a", 250)
      const values = (parameters: Readonly<Record<string, string | number>> = {}) =>
        Effect.map(getActions("a", parameters), ({ body }) => fieldOf(body, "value"))
      const expected = (from: number, to: number) => range(from, to).map(String)
      const [at20 = "", at200 = ""] = [timetokens[20], timetokens[200]]
      assert.deepStrictEqual(yield* values(), expected(150, 250))
      assert.deepStrictEqual(yield* values({ start: at20 }), expected(0, 20))
      assert.deepStrictEqual(yield* values({ end: at200 }), expected(200, 250))
      assert.deepStrictEqual(yield* values({ start: at200, end: at20 }), expected(100, 200))
      assert.deepStrictEqual(yield* values({ start: at200, end: at20, limit: 7 }), expected(193, 200))
      assert.deepStrictEqual(yield* values({ limit: 1_000 }), expected(150, 250))
      assert.deepStrictEqual((yield* getActions("none")).text, "{\"status\":200,\"data\":[]}")
      for (const parameters of [{ start: "x" }, { end: "-1" }, { limit: 0 }, { limit: "many" }]) {
        const { body, status } = yield* getActions("a", parameters)
        assert.strictEqual(status, 400)
        assert.include(JSON.stringify(body), `"location":"${Object.keys(parameters)[0]}","locationType":"query"`)
      }
    }).pipe(emulated()))

  it.effect("says that there is more when moreActions is on", () =>
    Effect.gen(function*() {
      const timetokens = yield* fill("a b", 5)
      const [at2, at3 = ""] = [timetokens[2], timetokens[3]]
      assert.deepNestedInclude((yield* getActions("a b", { limit: 2 })).body, {
        "more.url": `/v1/message-actions/demo-sub/channel/a%20b?start=${at3}&limit=2`,
        "more.start": at3,
        "more.limit": 2
      })
      const bounded = yield* getActions("a b", { limit: 1, start: at3, end: at(1) })
      assert.deepNestedInclude(bounded.body, { "more.start": at2, "more.end": at(1) })
      assert.notProperty((yield* getActions("a b", { limit: 5 })).body, "more")
    }).pipe(emulated({ moreActions: true })))

  it.effect("says nothing of more by default", () =>
    Effect.gen(function*() {
      yield* fill("a", 5)
      assert.notProperty((yield* getActions("a", { limit: 2 })).body, "more")
    }).pipe(emulated()))
})

describe("history with actions", () => {
  it.effect("groups actions by type and value, and leaves them out of messages without any", () =>
    Effect.gen(function*() {
      yield* publish("a", "one")
      yield* publish("a", "two")
      yield* addAction("a", at(0), smile)
      yield* addAction("a", at(0), smile, { uuid: "you" })
      yield* addAction("a", at(0), { type: "receipt", value: "read" })
      const { body } = yield* historyWithActions("a")
      assert.deepStrictEqual(body, {
        status: 200,
        error: false,
        error_message: "",
        channels: {
          a: [
            {
              message: "one",
              timetoken: at(0),
              actions: {
                reaction: {
                  smile: [{ uuid: "me", actionTimetoken: at(2) }, { uuid: "you", actionTimetoken: at(4) }]
                },
                receipt: { read: [{ uuid: "me", actionTimetoken: at(6) }] }
              }
            },
            { message: "two", timetoken: at(1) }
          ]
        }
      })
    }).pipe(emulated()))

  it.effect("ends a page before a message with too many actions, and says where the next page begins", () =>
    Effect.gen(function*() {
      const counts = [2, 3, 9, 1, 4]
      const timetokens: Array<string> = []
      for (const count of counts) {
        const [timetoken = ""] = yield* emulator.use(({ publishAll }) => publishAll([{ channel: "a", message: count }]))
        timetokens.push(timetoken)
        yield* fill("a", count, timetoken)
      }
      const page = (parameters: Readonly<Record<string, string | number>>) =>
        Effect.map(historyWithActions("a", parameters), ({ body }) => {
          const { channels, more } = body as {
            channels: { a?: ReadonlyArray<{ message: number }> }
            more?: { url: string; start: string; max: number }
          }
          return { messages: channels.a?.map(({ message }) => message) ?? [], more }
        })
      const path = "/v3/history-with-actions/sub-key/demo-sub/channel/a"
      const more = (index: number, max: number) => ({
        url: `${path}?start=${timetokens[index]}&max=${max}`,
        start: timetokens[index] ?? "",
        max
      })
      assert.deepStrictEqual(yield* page({}), { messages: [1, 4], more: more(3, 23) })
      assert.deepStrictEqual(yield* page({ max: 4 }), { messages: [1, 4], more: more(3, 2) })
      // One message alone has more than a page may.
      assert.deepStrictEqual(yield* page({ start: timetokens[3] ?? "", max: 23 }), {
        messages: [9],
        more: more(2, 22)
      })
      assert.deepStrictEqual(yield* page({ start: timetokens[2] ?? "" }), { messages: [2, 3], more: undefined })
      assert.deepStrictEqual(yield* page({ max: 2 }), { messages: [1, 4], more: undefined })
    }).pipe(emulated({ limits: { actionsPageSize: 5 } })))
})
