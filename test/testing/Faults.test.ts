import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as TestClock from "effect/testing/TestClock"
import * as Faults from "effect-herald/testing/Faults"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import {
  addAction,
  counts,
  deleteMessages,
  get,
  getActions,
  getObjects,
  group,
  handshake,
  history,
  historyWithActions,
  legacyHistory,
  poll,
  presence,
  publish,
  removeAction,
  removeObject,
  setObjects,
  signal,
  subscribe
} from "./http.ts"

const { Fault } = Faults

const withFaults = (options: Parameters<typeof Faults.layer>[0], emulator?: PubNubEmulator.Options) =>
  Effect.provide(
    Faults.layer(options).pipe(
      Layer.provideMerge(PubNubEmulator.layer({ addOns: { presence: false }, ...emulator }))
    )
  )

const forked = Effect.forkChild({ startImmediately: true })

const injected = Faults.Faults.use(({ injected }) => injected)

const stored = Effect.map(
  PubNubEmulator.PubNubEmulator.use(({ messages }) => messages({ channel: "a" })),
  (messages) => messages.map(({ payload }) => payload)
)

/** The request as it was sent: what its body is, is for the fault to say. */
const raw = (target: string) =>
  Effect.gen(function*() {
    const response = yield* HttpClient.get(`http://h${target}`)
    return { status: response.status, headers: response.headers, text: yield* response.text }
  })

/** The message of the defect with which a layer fails to build. */
const defectOf = <A, E>(layer: () => Layer.Layer<A, E>) =>
  Effect.map(
    Effect.exit(Effect.scoped(Effect.suspend(() => Layer.build(layer())))),
    (exit) => Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "built"
  )

describe("misspelled options", () => {
  /** As code without types gives it. */
  const untyped = (json: string) => JSON.parse(json)

  it.effect.each<readonly [string, string, string]>([
    ["a kind of request", `{ "script": [{ "on": "pol", "fault": { "_tag": "EmptyBody" } }] }`, `on "pol"`],
    ["a fault", `{ "script": [{ "fault": { "_tag": "Empty" } }] }`, `no fault "Empty"`],
    ["a field of a rule", `{ "script": [{ "fault": { "_tag": "EmptyBody" }, "time": 2 }] }`, `no option "time"`],
    ["a field of chance", `{ "chance": { "sed": 2 } }`, `no option "sed"`]
  ])("are defects when Faults.layer gets %s that does not exist", ([_, options, message]) =>
    Effect.gen(function*() {
      const layer = () => Layer.provide(Faults.layer(untyped(options)), PubNubEmulator.layer())
      assert.include(yield* defectOf(layer), message)
    }))

  it.effect.each<readonly [string, string, string]>([
    ["a field of a keyset", `{ "keysets": [{ "subscribeKey": "s", "publishKee": "p" }] }`, `no option "publishKee"`],
    ["a latency that is no Effect", `{ "latency": "1 second" }`, "latency of an emulator"]
  ])("are defects when PubNubEmulator.layer gets %s", ([_, options, message]) =>
    Effect.gen(function*() {
      assert.include(yield* defectOf(() => PubNubEmulator.layer(untyped(options))), message)
    }))

  it.effect.each<readonly [string, string, string]>([
    ["user", `{ "users": [{ "usernam": "ada" }] }`, `no option "usernam"`],
    ["app", `{ "apps": [{ "appId": "a", "publickey": "" }] }`, `no option "publickey"`],
    [
      "stream",
      `{ "users": [{ "username": "ada" }], "streams": [{ "type": "IM", "member": ["ada"] }] }`,
      `no option "member"`
    ]
  ])(
    "are defects when SymphonyEmulator.layer gets an unknown field of a %s",
    ([_, options, message]) =>
      Effect.gen(function*() {
        assert.include(yield* defectOf(() => SymphonyEmulator.layer(untyped(options))), message)
      })
  )
})

const publishTarget = "/publish/demo-pub/demo-sub/0/a/0/1?uuid=you"
const pollTarget = (tt: string) => `/v2/subscribe/demo-sub/a/0?uuid=me&tt=${tt}&tr=1`

/** What a cursor is worth after one message. */
const afterOne = Effect.gen(function*() {
  const cursor = yield* handshake("a")
  yield* publish("a", "one")
  return cursor
})

const causeOf = (error: unknown) => Predicate.hasProperty(error, "cause") ? error.cause : undefined

const codeOf = <A, E, R>(effect: Effect.Effect<A, HttpClientError.HttpClientError | E, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    if (!HttpClientError.isHttpClientError(error)) return []
    const cause = causeOf(causeOf(error.reason))
    return [error.reason._tag, Predicate.hasProperty(cause, "code") ? cause.code : undefined]
  })

describe("network faults", () => {
  it.effect.each([[Fault.ConnectionRefused(), "ECONNREFUSED"], [Fault.NameNotFound(), "ENOTFOUND"]] as const)(
    "%s does not send the request",
    ([fault, code]) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* codeOf(raw(publishTarget)), ["TransportError", code])
        assert.deepStrictEqual(yield* stored, [])
        assert.strictEqual((yield* raw(publishTarget)).status, 200)
      }).pipe(withFaults({ script: [{ on: "publish", fault }] }))
  )

  it.effect("ResetBeforeAnswer fails the request after the emulator handled it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* codeOf(raw(publishTarget)), ["TransportError", "ECONNRESET"])
      assert.deepStrictEqual(yield* stored, [1])
    }).pipe(withFaults({ script: [{ fault: Fault.ResetBeforeAnswer() }] })))

  it.effect.each(
    [
      [Fault.ResetInBody(), "ECONNRESET"],
      [Fault.TruncatedBody(), "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]
    ] as const
  )("%s sends status and headers, and fails in the body", ([fault, code]) =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get(`http://h${publishTarget}`)
      assert.strictEqual(response.status, 200)
      assert.match(response.headers["content-type"] ?? "", /javascript/)
      assert.deepStrictEqual(yield* codeOf(response.text), ["DecodeError", code])
      assert.deepStrictEqual(yield* stored, [1])
    }).pipe(withFaults({ script: [{ fault }] })))

  it.effect("HalfOpen never answers, and the request does not arrive", () =>
    Effect.gen(function*() {
      const fiber = yield* forked(raw(publishTarget))
      yield* TestClock.adjust("1 day")
      assert.isUndefined(fiber.pollUnsafe())
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(withFaults({ script: [{ fault: Fault.HalfOpen() }] })))

  it.effect("HalfOpen with lasting also swallows the answers to requests that were sent before", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      const waiting = yield* forked(poll("a", cursor))
      const dead = yield* forked(publish("a", "not sent"))
      yield* PubNubEmulator.PubNubEmulator.use((emulator) => emulator.publish({ channel: "a", message: "hello" }))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(waiting.pollUnsafe())
      assert.isUndefined(dead.pollUnsafe())
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["hello"])
    }).pipe(withFaults({ script: [{ skip: 2, fault: Fault.HalfOpen(), lasting: "1 minute" }] })))

  it.effect("Slow handles a request at once and answers late", () =>
    Effect.gen(function*() {
      const fiber = yield* forked(raw(publishTarget))
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      assert.deepStrictEqual(yield* stored, [1])
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }).pipe(withFaults({ script: [{ fault: Fault.Slow({ by: "1 minute" }) }] })))

  it.effect("Restart resets its request and all waiting polls, and then answers again", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      const waiting = yield* forked(codeOf(poll("a", cursor)))
      assert.deepStrictEqual(yield* codeOf(raw(publishTarget)), ["TransportError", "ECONNRESET"])
      assert.deepStrictEqual(yield* Fiber.join(waiting), ["TransportError", "ECONNRESET"])
      assert.strictEqual(yield* PubNubEmulator.PubNubEmulator.use(({ readers }) => readers), 0)
      assert.deepStrictEqual(yield* stored, [])
      yield* publish("a", "after")
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["after"])
    }).pipe(withFaults({ script: [{ on: "publish", fault: Fault.Restart() }] })))
})

describe("service faults", () => {
  it.effect.each([500, 502, 503, 504] as const)(
    "ServerError %s answers with HTML, whether the request was handled or not",
    (status) =>
      Effect.gen(function*() {
        for (const expected of [[], [1]]) {
          const answer = yield* raw(publishTarget)
          assert.strictEqual(answer.status, status)
          assert.strictEqual(answer.headers["content-type"], "text/html")
          assert.match(answer.text, /^<html>/)
          assert.deepStrictEqual(yield* stored, expected)
        }
      }).pipe(withFaults({
        script: [{ fault: Fault.ServerError({ status, handled: false }) }, {
          fault: Fault.ServerError({ status, handled: true })
        }]
      }))
  )

  it.effect("RateLimited answers 429 with Retry-After in seconds", () =>
    Effect.gen(function*() {
      const answer = yield* raw(publishTarget)
      assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [429, "7"])
      assert.include(answer.text, "Too Many Requests")
      assert.deepStrictEqual(yield* stored, [])
    }).pipe(withFaults({ script: [{ fault: Fault.RateLimited({ retryAfter: "7 seconds" }) }] })))

  it.effect("AccessDenied names the channels of the request", () =>
    Effect.gen(function*() {
      const denied = [yield* subscribe("a/b,c"), yield* publish("d e", 1), yield* presence("/channel/f/leave")]
      assert.deepStrictEqual(denied.map(({ status }) => status), [403, 403, 403])
      const named = ["\"channels\":[\"a/b\",\"c\"]", "\"channels\":[\"d e\"]", "\"channels\":[\"f\"]"]
      for (const [index, { text }] of denied.entries()) assert.include(text, named[index] ?? "?")
      assert.strictEqual((yield* subscribe("a")).status, 200)
    }).pipe(withFaults({ script: [{ fault: Fault.AccessDenied(), times: 3 }] })))

  it.effect.each(
    [
      [Fault.MalformedJson(), "{\"t\":{\"t\":oops"],
      [Fault.EmptyBody(), ""],
      [Fault.EmptyObject(), "{}"],
      [Fault.TruncatedJson(), "[1,\"Sent\",\"1700"]
    ] as const
  )("%s answers 200 with a bad body after the request was handled", ([fault, text]) =>
    Effect.gen(function*() {
      const answer = yield* raw(publishTarget)
      assert.deepStrictEqual([answer.status, answer.text], [200, text])
      assert.deepStrictEqual(yield* stored, [1])
    }).pipe(withFaults({ script: [{ fault }] })))

  const envelopes = "\"m\":[{\"a\":\"3\",\"f\":514,\"i\":\"you\",\"p\":{\"t\":\"17000000000000001\",\"r\":1}," +
    "\"k\":\"demo-sub\",\"c\":\"a\",\"d\":\"one\"}]"
  it.effect.each(
    [
      [Fault.NullMessages(), "{\"t\":{\"t\":\"17000000000000001\",\"r\":1},\"m\":null}"],
      [Fault.NullCursor(), `{"t":null,${envelopes}}`],
      [Fault.ZeroCursor(), `{"t":{"t":"0","r":1},${envelopes}}`],
      [Fault.FutureCursor(), `{"t":{"t":"17315360000000001","r":1},${envelopes}}`],
      [Fault.BackwardCursor(), `{"t":{"t":"16999964000000001","r":1},${envelopes}}`]
    ] as const
  )("%s changes only its own part of a page", ([fault, text]) =>
    Effect.gen(function*() {
      const cursor = yield* afterOne
      assert.strictEqual((yield* raw(pollTarget(cursor))).text, text)
    }).pipe(withFaults({ script: [{ on: "poll", fault }] })))

  it.effect("RepeatedPage delivers a page twice", () =>
    Effect.gen(function*() {
      const cursor = yield* afterOne
      const first = yield* raw(pollTarget(cursor))
      yield* publish("a", "two")
      assert.deepStrictEqual((yield* poll("a", "17000000000000001", { uuid: "other" })).payloads, ["two"])
      assert.strictEqual((yield* raw(pollTarget("17000000000000001"))).text, first.text)
      assert.deepStrictEqual((yield* poll("a", "17000000000000001")).payloads, ["two"])
      assert.strictEqual((yield* injected).length, 1)
    }).pipe(withFaults({ script: [{ on: "poll", fault: Fault.RepeatedPage() }] })))

  it.effect("OldPage delivers an older page again", () =>
    Effect.gen(function*() {
      const cursor = yield* afterOne
      const first = yield* raw(pollTarget(cursor))
      yield* publish("a", "two")
      assert.deepStrictEqual((yield* poll("a", "17000000000000001")).payloads, ["two"])
      yield* publish("a", "three")
      assert.strictEqual((yield* raw(pollTarget("17000000000000002"))).text, first.text)
      assert.deepStrictEqual((yield* poll("a", "17000000000000002")).payloads, ["three"])
    }).pipe(withFaults({ script: [{ on: "poll", skip: 2, fault: Fault.OldPage() }] })))
})

describe("fault script", () => {
  it.effect("knows the kind of each request", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      const requests = [
        ["handshake", handshake("a")],
        ["publish", publish("a", 1)],
        ["poll", poll("a", cursor)],
        ["signal", signal("a", 1)],
        ["leave", presence("/channel/a/leave")],
        ["presence", presence("/channel/leave")],
        ["presence", presence("/channel/a/heartbeat")],
        ["presence", presence("/uuid/me")],
        ["history", history("a,b")],
        ["history", historyWithActions("a")],
        ["history", legacyHistory("a")],
        ["historyCounts", counts("a,b", { timetoken: cursor })],
        ["channelGroups", group("/all")],
        ["channelGroups", group("/all", { add: "a" })],
        ["messageActions", addAction("a", cursor, { type: "x", value: "y" })],
        ["messageActions", removeAction("a", cursor, cursor)],
        ["messageActions", getActions("a")],
        ["appContext", getObjects("/uuids")],
        ["appContext", setObjects("/channels/a/uuids", {})],
        ["appContext", removeObject("/channels/a")],
        ["other", deleteMessages("a")],
        ["other", get("/time/0")]
      ] as const
      for (const [, request] of requests) yield* request
      assert.deepStrictEqual(
        (yield* injected).slice(1).map(({ kind }) => kind),
        requests.map(([kind]) => kind)
      )
    }).pipe(withFaults({ script: [{ fault: Fault.Slow({ by: 0 }), times: 99 }] }, { addOns: { presence: true } })))

  it.effect.each(
    [
      ["history", history("a,b"), { channels: ["a", "b"] }],
      ["historyCounts", counts("b", { timetoken: "17000000000000000" }), { channels: ["b"] }],
      ["channelGroups", group("/all"), { "channel-groups": [":all"] }],
      ["messageActions", getActions("a b"), { channels: ["a b"] }],
      ["appContext", setObjects("/uuids/ada", {}), { channels: ["ada"] }]
    ] as const
  )("names what was asked for when it refuses %s", ([kind, request, payload]) =>
    Effect.gen(function*() {
      const { body, status } = yield* request
      assert.strictEqual(status, 403)
      assert.deepInclude(body as object, { payload })
      assert.strictEqual((yield* request).status, 200)
    }).pipe(withFaults({ script: [{ on: kind, fault: Fault.AccessDenied() }] })))

  it.effect.each(
    [
      [Fault.MalformedJson(), "{\"t\":{\"t\":oops"],
      [Fault.EmptyBody(), ""],
      [Fault.EmptyObject(), "{}"],
      [Fault.TruncatedJson(), "{\"status\":200,\"error\":false,\"e"]
    ] as const
  )("answers history with %s, and ignores a fault that only fits pages", ([fault, text]) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* raw("/v3/history/sub-key/demo-sub/channel/a?uuid=me")).text, text)
      assert.deepStrictEqual((yield* injected).map(({ fault: { _tag } }) => _tag), [fault._tag])
    }).pipe(withFaults({ script: [{ fault: Fault.NullMessages() }, { on: "history", fault }] })))

  it.effect("applies skip, times and lasting to the requests that a rule matches", () =>
    Effect.gen(function*() {
      const statuses = Effect.map(
        Effect.all([raw(publishTarget), raw("/publish/demo-pub/demo-sub/0/b/0/1?uuid=you"), raw("/time/0")]),
        (all) => all.map(({ status }) => status)
      )
      assert.deepStrictEqual(yield* statuses, [200, 500, 429])
      assert.deepStrictEqual(yield* statuses, [403, 500, 429])
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* statuses, [403, 500, 200])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* statuses, [200, 200, 200])
    }).pipe(
      withFaults({
        script: [
          {
            on: ({ url }) => url.includes("/b/"),
            fault: Fault.ServerError({ status: 500, handled: false }),
            lasting: "1 minute"
          },
          { on: "publish", skip: 1, times: 2, fault: Fault.AccessDenied() },
          { on: "other", times: 2, lasting: "1 hour", fault: Fault.RateLimited({ retryAfter: "1 second" }) }
        ]
      })
    ))

  it.effect("takes rules later, and stops all faults on heal", () =>
    Effect.gen(function*() {
      const { add, heal } = yield* Faults.Faults
      const status = Effect.map(get("/time/0"), ({ status }) => status)
      assert.strictEqual(yield* status, 200)
      yield* add({ fault: Fault.AccessDenied(), lasting: "1 hour" })
      assert.strictEqual(yield* status, 403)
      yield* heal
      assert.strictEqual(yield* status, 200)
    }).pipe(withFaults({})))

  it.effect("keeps the newest injected faults, and fewer when their addresses are long", () =>
    Effect.gen(function*() {
      const path = (number: number) => `/time/${number}/${"0".repeat(1_000_000)}`
      for (let number = 1; number <= 20; number++) yield* Effect.exit(get(path(number)))
      const kept = (yield* injected).map(({ request }) => request.slice(0, 12))
      assert.deepStrictEqual(kept.slice(-1), ["GET /time/20"])
      assert.isBelow(kept.length, 17)
    }).pipe(withFaults({ script: [{ fault: Fault.ConnectionRefused(), times: 20 }] })))

  it.effect("formats the injected faults without keys and tokens", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 second")
      yield* raw("/time/0?auth=secret")
      assert.strictEqual(
        Faults.format(yield* injected),
        "1970-01-01T00:00:01.000Z ServerError {\"status\":503,\"handled\":true} GET /time/0"
      )
    }).pipe(withFaults({ script: [{ fault: Fault.ServerError({ status: 503, handled: true }) }] })))
})

describe("random faults", () => {
  /** Two hundred requests of every kind, three seconds apart, and what went wrong with them. */
  const schedule = (chance: Faults.Chance) =>
    Effect.gen(function*() {
      let cursor = "17000000000000000"
      for (let index = 0; index < 200; index++) {
        const request = [
          raw(publishTarget),
          raw(pollTarget(cursor)),
          raw("/v2/subscribe/demo-sub/a/0?uuid=me"),
          raw("/_storage/demo-sub/a/1/b")
        ][index % 4]!
        const fiber = yield* forked(Effect.exit(request))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.interrupt(fiber)
        cursor = String(BigInt(cursor) + 30_000_000n)
      }
      return Faults.format(yield* injected)
    }).pipe(withFaults({ chance }, { hold: "0 millis" }))

  it.effect("injects the same faults for the same seed", () =>
    Effect.gen(function*() {
      const first = yield* Effect.provide(schedule({ seed: 7, rate: 0.3 }), TestClock.layer())
      const again = yield* Effect.provide(schedule({ seed: 7, rate: 0.3 }), TestClock.layer())
      const other = yield* Effect.provide(schedule({ seed: 8, rate: 0.3 }), TestClock.layer())
      assert.isAbove(first.split("\n").length, 40)
      assert.strictEqual(again, first)
      assert.notStrictEqual(other, first)
    }))

  it.effect("injects every kind of fault over some seeds", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      for (let seed = 0; seed < 12; seed++) {
        const lines = yield* Effect.provide(schedule({ seed, rate: 0.5 }), TestClock.layer())
        for (const line of lines.split("\n")) seen.add(line.split(" ")[1] ?? "")
      }
      const kinds = new Set(Faults.everything.map(({ fault }) => fault._tag))
      assert.deepStrictEqual([...seen].toSorted(), [...kinds].toSorted())
    }))

  it.effect("stops after during, and injects only the kinds of faults", () =>
    Effect.gen(function*() {
      const lines = yield* Effect.provide(
        schedule({ seed: 1, rate: 1, during: "30 seconds", faults: [{ fault: Fault.EmptyBody() }] }),
        TestClock.layer()
      )
      const entries = lines.split("\n")
      assert.strictEqual(entries.length, 10)
      assert.isTrue(entries.every((line) => / EmptyBody /.test(line)))
    }))

  it.effect("injects nothing at rate 0", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.provide(schedule({ seed: 1, rate: 0 }), TestClock.layer()), "")
    }))
})
