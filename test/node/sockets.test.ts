/**
 * Real sockets that break, and a service that is killed and comes back: whatever was published is delivered, once each
 * and in order. `SEED=7 npx vitest run test/node/sockets.test.ts` runs another schedule of faults.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { NodePubNub, PubNubEmulatorServer } from "effect-herald/node"
import { Subscribe } from "effect-herald/pubnub"
import * as FaultyProxy from "./faultyProxy.ts"
import * as Quick from "./quick.ts"

/** The service keeps the newest hundred for a reader: more at once, or while it is away, only history can give. */
const largestBurst = 300

/** History gives two thousand a second at most, and this network less: who publishes more for ever is never caught up with. */
const mostUnderWay = 1_000

const seeds = process.env.SEED === undefined ? [1, 2] : [Number(process.env.SEED)]

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), until(holds)))

it.live.each(seeds)("delivers each message once, in order: seed %i", (seed) =>
  Effect.gen(function*() {
    const { emulator, kill, listen, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
    const proxy = yield* FaultyProxy.make({ port, seed, rate: 0.3 })
    const random = FaultyProxy.numbersFrom(seed + 1)
    const between = (low: number, high: number) => low + Math.floor(random() * (high - low))

    const delivered: Array<unknown> = []
    let connected = false
    yield* Subscribe.messages({
      channels: ["orders"],
      reconnect: Quick.reconnect,
      onStatus: ({ _tag }) =>
        Effect.sync(() => {
          connected ||= _tag === "Connected"
        })
    }).pipe(
      Stream.runForEach(({ payload }) => Effect.sync(() => delivered.push(payload))),
      Effect.provide(NodePubNub.layer({
        subscribeKey: "demo-sub",
        userId: "reader",
        origin: proxy.origin,
        tls: false,
        ...Quick.timeouts
      })),
      Effect.forkScoped
    )
    yield* until(() => connected)

    let published = 0
    const publish = (count: number) =>
      emulator.publishAll(Array.from({ length: count }, () => ({ channel: "orders", message: published++ })))
    yield* Effect.forkScoped(Effect.forever(Effect.gen(function*() {
      yield* Effect.sleep(between(200, 500))
      yield* kill
      yield* Effect.sleep(between(20, 200))
      yield* listen
    })))
    const storm = Effect.gen(function*() {
      while (published < 800 || proxy.injected.length < 30) {
        const burst = between(1, largestBurst + 1)
        if (published - delivered.length < mostUnderWay) yield* publish(burst)
        yield* Effect.sleep(between(0, 60))
      }
      yield* proxy.heal
      yield* publish(1)
      yield* until(() => delivered.includes(published - 1))
    })
    // A reader that is stuck is told of with its seed, as one that loses something is.
    yield* Effect.timeoutOption(storm, "30 seconds")
    const told = `seed ${seed}, after ${proxy.injected.join(", ")}`
    assert.deepStrictEqual(delivered, Array.from({ length: published }, (_, message) => message), told)
    assert.isAtLeast(proxy.injected.length, 30, told)
  }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer())), 60_000)
