/** An agent, or what stands between, that answers what no agent should: a feed asks no storm, and holds no more than it must. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Datafeed, type DatafeedEvent } from "effect-herald/symphony"
import { VirtualTime } from "effect-herald/testing"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { start } from "../kit/emulated.ts"
import { isLong } from "../simulation/seeds.ts"
import { config, session } from "./kit.ts"

interface Answer {
  readonly status?: number
  readonly body: unknown
}

/** A feed that is there, whose reads are answered so after 20 milliseconds. */
const agent = (
  read: (number: number, ackId: string) => Answer,
  list: () => Answer = () => ({ body: [{ id: "abc_f_def", type: "fanout" }] })
) => {
  const counts = { reads: 0, all: 0 }
  const layer = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.gen(function*() {
        counts.all++
        const text = yield* Exchange.bodyText(request)
        const { body, status = 200 }: Answer = url.pathname.endsWith("/sessioninfo")
          ? { body: { id: 1 } }
          : url.pathname.endsWith("/read")
          ? read(counts.reads++, text.match(/"ackId":"([^"]*)"/)?.[1] ?? "")
          : list()
        yield* Effect.sleep("20 millis")
        return Exchange.response(request, {
          status,
          headers: {},
          body: typeof body === "string" ? body : JSON.stringify(body)
        })
      })
    )
  )
  return { counts, layer }
}

const world = (layer: Layer.Layer<HttpClient.HttpClient>) =>
  Layer.mergeAll(session(), config(), layer).pipe(
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer)
  )

const listen = Effect.gen(function*() {
  const seen: Array<DatafeedEvent.DatafeedEvent> = []
  const fiber = yield* Datafeed.stream({}).pipe(
    Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
    Effect.forkChild({ startImmediately: true })
  )
  return { seen, fiber }
})

const sent = (id: string) => ({ id, type: "MESSAGESENT", timestamp: 1, payload: {} })

describe("Datafeed.stream paces its requests", () => {
  it.effect.each(
    [
      ["null, again and again", () => ({ body: { events: [null], ackId: "same" } })],
      ["an event without an id, again and again", () => ({ body: { events: [{ type: "X" }], ackId: "same" } })],
      ["one event, again and again", () => ({ body: { events: [sent("1")], ackId: "same" } })],
      [
        "one event, each time with another acknowledgement",
        (n: number) => ({ body: { events: [sent("1")], ackId: String(n) } })
      ],
      [
        "nothing, each time with another acknowledgement",
        (n: number) => ({ body: { events: null, ackId: String(n) } })
      ],
      ["a refusal of each acknowledgement", (n: number, ackId: string) =>
        ackId === ""
          ? { body: { events: [sent("1")], ackId: String(n) } }
          : { status: 400, body: { code: 400, message: "no" } }],
      [
        "a 400 now and then",
        (n: number) =>
          n % 2 === 0 ? { body: { events: [], ackId: String(n) } } : { status: 400, body: { code: 400, message: "no" } }
      ],
      ["a page of the wrong types", () => ({ body: { events: "x", ackId: 7 } })],
      ["HTML", () => ({ body: "<html>hello</html>" })],
      ["nothing at all", () => ({ body: "" })]
    ] as const
  )("when reads are answered at once with %s", ([_, read]) => {
    const { counts, layer } = agent(read)
    return Effect.gen(function*() {
      const { fiber, seen } = yield* listen
      yield* VirtualTime.advance("2 minutes")
      assert.isBelow(counts.all, 120)
      assert.isUndefined(fiber.pollUnsafe())
      assert.isBelow(seen.length, 120)
    }).pipe(Effect.provide(world(layer)))
  })
})

describe("Datafeed.stream bounds what it holds", () => {
  const day = isLong ? 24 : 4
  it.effect("when everything fails for hours and the reader takes no events", () => {
    let isDown = false
    const failed = { status: 503, body: "<html>503</html>" }
    const { counts, layer } = agent(
      (n) => isDown ? failed : { body: { events: [sent(String(n))], ackId: String(n) } },
      () => isDown ? failed : { body: [{ id: "abc_f_def", type: "fanout" }] }
    )
    return Effect.gen(function*() {
      const seen: Array<DatafeedEvent.DatafeedEvent> = []
      let interruptions = 0
      yield* Datafeed.stream({}).pipe(
        Stream.runForEach((event) => {
          seen.push(event)
          return event._tag === "FeedInterrupted" && ++interruptions === 1
            ? Effect.sleep(Duration.hours(day))
            : Effect.void
        }),
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      isDown = true
      yield* VirtualTime.advance(Duration.hours(day - 1))
      assert.isAbove(counts.all, 20)
      const before = seen.length
      yield* VirtualTime.advance("2 hours")
      const told = seen.slice(before).filter(({ _tag }) => _tag === "FeedInterrupted")
      // The newest of those that waited, and what came in the hour after.
      assert.isBelow(told.length, 300)
      assert.isAbove(told.length, 0)
    }).pipe(Effect.provide(world(layer)))
  })
})
