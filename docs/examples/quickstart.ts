/**
 * Orders are published while somebody reads them, and halfway the server dies. Nothing is lost, and nothing comes twice.
 *
 * `npm start` runs it on the emulator. With PUBNUB_SUBSCRIBE_KEY and PUBNUB_PUBLISH_KEY set it talks to the service.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { NodePubNub, PubNubEmulatorServer } from "effect-herald/node"
import { Publish, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"

const Order = Schema.Struct({ id: Schema.Int, item: Schema.String, placed: Schema.DateTimeUtc })
type Order = typeof Order.Type

const channel = `orders-${crypto.randomUUID().slice(0, 8)}`
const items = ["tea", "milk", "bread", "honey", "salt", "rice", "plums", "eggs", "oats", "figs"]
const published: Array<number> = []
const delivered: Array<number> = []

// What has come, and what is waited for: statuses and signals, by name.
const arrivals = new Map<unknown, Deferred.Deferred<void>>()
const arrival = (name: unknown) => {
  const deferred = arrivals.get(name) ?? Deferred.makeUnsafe<void>()
  arrivals.set(name, deferred)
  return deferred
}

// --- reading: orders, signals, presence and what the connection does, in one stream

const describe = (event: SubscribeEvent.SubscribeEvent<Order>): string => {
  switch (event._tag) {
    case "Message":
      return `<- order ${event.payload.id}: ${event.payload.item}`
    case "Signal":
      return `<- signal ${JSON.stringify(event.payload)}`
    case "Joined":
      return `<- ${event.userId} joined, ${event.occupancy ?? "?"} there`
    case "Interrupted":
      return `** Interrupted (${event.reason._tag}), again in ${Duration.format(event.retryIn)}`
    case "Reconnected":
      return `** Reconnected after ${Duration.format(event.downFor)}, from ${event.cursor.position} on`
    default:
      return `** ${event._tag}`
  }
}

const read = Effect.fnUntraced(function*(event: SubscribeEvent.SubscribeEvent<Order>) {
  if (event._tag === "Message") delivered.push(event.payload.id)
  yield* Console.log(`    ${describe(event)}`)
  yield* Deferred.succeed(arrival(event._tag === "Signal" ? event.payload : event._tag), undefined)
})

const reader = Subscribe.stream({ channels: [channel], presence: true, schema: Order }).pipe(
  Stream.takeUntil((event) => event._tag === "Signal" && event.payload === "done"),
  Stream.runForEach(read)
)

// --- publishing: what was not taken is sent again; what may have been taken is not, before the reader settles it

const persistently = <A, R>(send: Effect.Effect<A, Publish.PublishError, R>) =>
  send.pipe(
    Effect.tapErrorTag("PubNubError", (error) => Console.log(`-> ${error.operation} not taken: ${error.reason._tag}`)),
    Effect.retry({
      schedule: Schedule.spaced("250 millis"),
      while: (error) => error.isRetryable || error._tag === "PublishOutcomeUnknown"
    })
  )

/** Sends a signal and waits until it is read: then all that was published before it has been read as well. */
const roundTrip = (signal: string) =>
  persistently(Publish.signal({ channel, message: signal })).pipe(Effect.andThen(Deferred.await(arrival(signal))))

const place = (order: Order) =>
  Publish.publish({ channel, message: order, schema: Order }).pipe(
    Effect.andThen(Console.log(`-> order ${order.id}`)),
    Effect.catchTag(
      "PublishOutcomeUnknown",
      Effect.fnUntraced(function*(unknown) {
        yield* Console.log(`-> order ${order.id}: no answer. Was it taken?`)
        yield* roundTrip(`after ${order.id}`)
        if (!delivered.includes(order.id)) return yield* unknown
        yield* Console.log(`-> order ${order.id}: yes, the reader has it`)
      })
    ),
    persistently
  )

const write = Effect.fnUntraced(function*<E, R>(outage: Effect.Effect<void, E, R>) {
  yield* Deferred.await(arrival("Connected"))
  for (const [index, item] of items.entries()) {
    const id = index + 1
    // The emulator takes 40 milliseconds to answer: it dies after it took the fifth order, and before it says so.
    if (id === 5) yield* Effect.forkChild(Effect.delay(outage, "20 millis"))
    yield* place({ id, item, placed: yield* DateTime.now })
    published.push(id)
  }
  yield* roundTrip("done")
})

const run = Effect.fnUntraced(function*<E, R>(outage: Effect.Effect<void, E, R>) {
  yield* Effect.all([reader, write(outage)], { concurrency: "unbounded" }).pipe(Effect.timeout("30 seconds"))
  const once = new Set(delivered)
  const lost = published.filter((id) => !once.has(id)).length
  const duplicated = delivered.length - once.size
  yield* Console.log(`published ${published.length}, delivered ${once.size}, lost ${lost}, duplicated ${duplicated}`)
  if (lost > 0 || duplicated > 0) process.exitCode = 1
})

// --- the world: the service if there are keys for it, else the emulator on a port of this machine

const onService = run(Console.log("!! this is the service itself: nobody kills it")).pipe(
  Effect.provide(NodePubNub.layerConfig({ userId: Config.succeed("quickstart") }))
)

const onEmulator = Effect.gen(function*() {
  const { kill, listen, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
  const outage = Effect.gen(function*() {
    yield* Console.log("!! the server is killed")
    yield* kill
    yield* Effect.delay(listen, "1 second")
    yield* Console.log("!! the server is back")
  })
  const keys = { subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "quickstart" }
  yield* run(outage).pipe(Effect.provide(NodePubNub.layer({ ...keys, origin, tls: false })))
}).pipe(Effect.provide(PubNubEmulatorServer.layer({ latency: Effect.succeed("40 millis") })))

if (process.env["PUBNUB_SUBSCRIBE_KEY"] === undefined) NodeRuntime.runMain(onEmulator)
else NodeRuntime.runMain(onService)
