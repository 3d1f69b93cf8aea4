import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Faults from "effect-herald/testing/Faults"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import { emulator, get, keys, login, post, remove, room, send, start, update } from "./symphonyHttp.ts"

const { Fault } = Faults

const faulty = Effect.provide(
  Faults.layer().pipe(
    Layer.provideMerge(SymphonyEmulator.layer({ users: [{ username: "bot", publicKey: keys.bot.publicKey }] })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start)))
  )
)

const add = (rule: Faults.Rule) => Faults.Faults.use((faults) => faults.add(rule))

describe("faults before the Symphony emulator", () => {
  it.effect("applies to the kind of request that a rule names", () =>
    Effect.gen(function*() {
      yield* add({ on: "login", fault: Fault.ConnectionRefused() })
      assert.isTrue((yield* Effect.exit(login)).toString().includes("ECONNREFUSED"))
      const headers = yield* login
      const streamId = yield* room()
      yield* add({ on: "datafeed", fault: Fault.ServerError({ status: 502, handled: true }), times: 4 })
      yield* add({ on: "send", fault: Fault.RateLimited({ retryAfter: "3 seconds" }) })
      yield* add({ on: "update", fault: Fault.AccessDenied() })
      yield* add({ on: "search", fault: Fault.EmptyBody() })
      yield* add({ on: "attachment", fault: Fault.TruncatedBody() })
      const limited = yield* send(headers, streamId, "Hi")
      assert.deepStrictEqual([limited.status, limited.headers["retry-after"]], [429, "3"])
      assert.strictEqual(JSON.parse(limited.text).code, 429)
      const denied = yield* update(headers, streamId, "AAAA", "Hi")
      assert.deepStrictEqual([denied.status, denied.body.code], [403, 403])
      const sent = yield* send(headers, streamId, "Hi")
      assert.strictEqual(sent.status, 200)
      const searched = yield* Effect.exit(post("/agent/v1/message/search", headers, {}))
      assert.include(String(searched), "JSON")
      const cut = yield* Effect.exit(get(`/agent/v1/stream/${streamId}/attachment`, headers))
      assert.isTrue(cut._tag === "Failure")
      const feeds = "/agent/v5/datafeeds"
      for (
        const request of [
          get(feeds, headers),
          post(feeds, headers, {}),
          remove(`${feeds}/x`, headers),
          post(`${feeds}/x/read`, headers, { ackId: "" })
        ]
      ) assert.deepInclude(yield* request, { status: 502 })
      assert.strictEqual((yield* emulator.use(({ feeds }) => feeds)).length, 1)
      assert.deepStrictEqual(
        (yield* Faults.Faults.use(({ injected }) => injected)).map(({ kind }) => kind),
        ["login", "send", "update", "search", "attachment", "datafeed", "datafeed", "datafeed", "datafeed"]
      )
    }).pipe(faulty))

  it.effect("ResetBeforeAnswer fails the request after the message was sent", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      yield* add({ on: "send", fault: Fault.ResetBeforeAnswer() })
      assert.isTrue((yield* Effect.exit(send(headers, streamId, "Hi"))).toString().includes("ECONNRESET"))
      assert.strictEqual((yield* emulator.use(({ messages }) => messages({ streamId }))).length, 1)
    }).pipe(faulty))
})
