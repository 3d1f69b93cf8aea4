/** A reader goes on after what no service said: a balancer's page is the end of nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { PubNubConfig, Subscribe, Subscriber } from "effect-herald/pubnub"
import { VirtualTime } from "effect-herald/testing"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { start } from "../kit/emulated.ts"

const html = "<html><head><title>404 Not Found</title></head></html>"

interface Answer {
  readonly status?: number
  readonly body?: string
}

const page = (t: number, ...m: ReadonlyArray<unknown>): Answer => ({
  body: JSON.stringify({ t: { t: String(BigInt(start + t) * 10_000n), r: 1 }, m })
})

const message = { c: "a", d: "heard", p: { t: String(BigInt(start + 1) * 10_000n), r: 1 }, i: "bob" }

const answers: ReadonlyArray<readonly [string, Answer]> = [
  ...[302, 400, 401, 403, 404, 405, 407, 408, 410, 425, 451, 499].flatMap((status) => [
    [`a page with ${status}`, { status, body: html }] as const,
    [`nothing with ${status}`, { status }] as const,
    [`JSON of a gateway with ${status}`, { status, body: "{\"message\":\"no\"}" }] as const
  ]),
  ["the service's own 408", { status: 408, body: "{\"status\":408,\"error\":true,\"message\":\"timeout\"}" }]
]

/** A handshake and a poll are answered so, and then as the service does. */
const service = (first: Answer) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.sync(() => {
      const asked = { handshake: 0, poll: 0 }
      return HttpClient.make((request, { pathname, searchParams }) => {
        const kind = !pathname.startsWith("/v2/subscribe") ? undefined : searchParams.has("tt") ? "poll" : "handshake"
        const number = kind === undefined ? 1 : asked[kind]++
        if (kind === "poll" && number > 1) return Effect.never
        const answer = number === 0 ? first : kind === "poll" ? page(2, message) : page(0)
        const { body = "", status = 200 } = answer
        return Effect.delay(Effect.succeed(Exchange.response(request, { status, headers: {}, body })), "20 millis")
      })
    })
  )

const ways = [
  ["alone", Layer.empty],
  ["with a shared connection", Subscriber.layer()]
] as const

describe.each(ways)("a reader %s", (_, sharing) => {
  const world = (answer: Answer) =>
    sharing.pipe(
      Layer.provideMerge(service(answer)),
      Layer.provideMerge(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", sendLeave: false })),
      Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
      Layer.provideMerge(VirtualTime.layer)
    )

  it.effect.each(answers)(
    "emits Interrupted after %s, and then delivers the next message",
    ([_, answer]) =>
      Effect.gen(function*() {
        const reader = yield* Effect.forkChild(
          Stream.runCollect(
            Subscribe.stream({ channels: ["a"] }).pipe(Stream.takeUntil(({ _tag }) => _tag === "Message"))
          )
        )
        yield* VirtualTime.advance("1 minute")
        assert.isDefined(reader.pollUnsafe(), "it is still waiting")
        const events = yield* Fiber.join(reader)
        const interruptions = events.flatMap((event) => event._tag === "Interrupted" ? [event.reason] : [])
        assert.isNotEmpty(interruptions)
        for (const reason of interruptions) assert.strictEqual(reason._tag, "ServerFailure")
      }).pipe(Effect.provide(world(answer)))
  )
})
