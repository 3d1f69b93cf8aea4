/**
 * How a user tests a subscriber: an hour's outage, in a few milliseconds.
 *
 * `node --conditions=effect-herald-source docs/examples/testing.ts`
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { PubNubConfig, Subscribe } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as assert from "node:assert/strict"

// The program under test: it adds up orders, and keeps what the connection did.
const Order = Schema.Struct({ amount: Schema.Int })
const seen = { total: 0, statuses: Array<string>() }
const program = Subscribe.messages({
  channels: ["orders"],
  schema: Order,
  onStatus: (status) => Effect.sync(() => seen.statuses.push(status._tag))
}).pipe(Stream.runForEach((message) => Effect.sync(() => seen.total += message.payload.amount)))

const expectTotal = (expected: number) => assert.equal(seen.total, expected)

const test = Effect.gen(function*() {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const faults = yield* Faults.Faults
  yield* Effect.forkScoped(program)
  yield* VirtualTime.advance("1 second")

  // From now on no new connection. The poll that waits already still brings the first order.
  yield* faults.add({ fault: Faults.Fault.ConnectionRefused(), lasting: "1 hour" })
  yield* emulator.publish({ channel: "orders", message: { amount: 10 } })
  yield* VirtualTime.advance("30 minutes")
  yield* emulator.publish({ channel: "orders", message: { amount: 32 } })
  yield* VirtualTime.advance("20 minutes")
  expectTotal(10)
  console.log(`50 minutes later: total ${seen.total}, ${seen.statuses.length - 1} attempts to come back`)

  yield* VirtualTime.advance("11 minutes")
  expectTotal(42)
  const changes = seen.statuses.filter((tag) => tag !== "Interrupted")
  console.log(`after the outage: total ${seen.total}; told: ${changes.join(", ")}`)
})

const world = Faults.layer({}).pipe(
  Layer.provideMerge(PubNubEmulator.layer()),
  Layer.provideMerge(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada" })),
  Layer.provideMerge(VirtualTime.layer),
  Layer.provideMerge(TestClock.layer())
)

await test.pipe(Effect.scoped, Effect.provide(world), Effect.runPromise)
console.log("nothing was lost, and nothing was waited for")
