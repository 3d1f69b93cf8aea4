/**
 * This package through its public modules. Nothing is switched off: it leaves out duplicates, makes cursors, and asks history
 * for missing messages. One runtime does all samples, with one run for each.
 */
import * as NodeTransport from "effect-herald/node/NodeTransport"
import * as Encryption from "effect-herald/pubnub/Encryption"
import * as History from "effect-herald/pubnub/History"
import * as Publish from "effect-herald/pubnub/Publish"
import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
import * as Subscribe from "effect-herald/pubnub/Subscribe"
import * as Subscriber from "effect-herald/pubnub/Subscriber"
import * as Users from "effect-herald/pubnub/Users"
import * as Datafeed from "effect-herald/symphony/Datafeed"
import * as Messages from "effect-herald/symphony/Messages"
import * as Session from "effect-herald/symphony/Session"
import * as SymphonyConfig from "effect-herald/symphony/SymphonyConfig"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { generateKeyPairSync } from "node:crypto"
import { channelsOf, type Contender, keys, namesOf, pauseMillis, payload, subscribeInTurn } from "../contender.ts"

const Order = Schema.Struct({ id: Schema.Int, price: Schema.Finite, text: Schema.String })

const times = <E, R>(count: number, concurrency: number, step: () => Effect.Effect<unknown, E, R>) => {
  const worker = Effect.forEach(Array.from({ length: Math.ceil(count / concurrency) }), step, { discard: true })
  return Effect.all(Array.from({ length: concurrency }, () => worker), { concurrency, discard: true })
}

const encryption = Encryption.make({ key: Redacted.make("k".repeat(32)) })

/** By default, what `NodePubNub.layer` and `NodeSymphony.layer` give. */
export const make = (
  origin: string,
  transport: Layer.Layer<HttpClient.HttpClient> = NodeTransport.layer
): Contender => {
  const base = Layer.merge(
    PubNubConfig.layer({
      ...keys,
      userId: "bench",
      origin,
      tls: false,
      // The others take leave after their samples.
      sendLeave: false
    }),
    transport
  )
  // Each is built when it is first used.
  const pubnub = ManagedRuntime.make(base)
  const shared = ManagedRuntime.make(Layer.merge(Subscriber.layer(), base))

  /** Lazily, as its key takes a while to make. */
  let symphony: ReturnType<typeof makeSymphony> | undefined
  const makeSymphony = () => {
    const [host = "", port] = origin.split(":")
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" }
    })
    return ManagedRuntime.make(
      Session.layer().pipe(Layer.provideMerge(Layer.merge(
        SymphonyConfig.layer({
          scheme: "http",
          host,
          port: Number(port),
          bot: { username: "bench", privateKey: Redacted.make(privateKey) }
        }),
        transport
      )))
    )
  }

  const receive = <R>(messages: Stream.Stream<unknown, unknown, R>, count: number) =>
    messages.pipe(Stream.take(count), Stream.runForEach(() => Effect.void))

  return {
    Publish: ({ bytes, concurrency, count, method }) => {
      const message = payload(bytes)
      return pubnub.runPromise(
        times(count, concurrency, () => Publish.publish({ channel: "bench", message, method }))
      )
    },
    Receive: (job, id) => pubnub.runPromise(receive(Subscribe.messages({ channels: channelsOf(job, id) }), job.count)),
    Decode: (job, id) =>
      pubnub.runPromise(receive(Subscribe.messages({ channels: channelsOf(job, id), schema: Order }), job.count)),
    Share: (job, id) =>
      shared.runPromise(
        Effect.gen(function*() {
          const all = yield* Deferred.make<void>()
          let received = 0
          for (const channel of channelsOf(job, id)) {
            yield* Subscribe.messages({ channels: [channel] }).pipe(
              Stream.runForEach(() => {
                received++
                return received === job.count ? Deferred.succeed(all, undefined) : Effect.void
              }),
              Effect.forkScoped
            )
          }
          yield* Deferred.await(all)
        }).pipe(Effect.scoped)
      ),
    Latency: ({ count }, channel) =>
      pubnub.runPromise(
        Effect.gen(function*() {
          const message = payload(100)
          const latencies: Array<number> = []
          let arrived: Effect.Effect<unknown> = Effect.void
          yield* Subscribe.messages({ channels: [channel] }).pipe(
            Stream.runForEach(() => arrived),
            Effect.forkScoped
          )
          for (let sent = 0; sent < count; sent++) {
            yield* Effect.sleep(pauseMillis)
            const arrival = Deferred.makeUnsafe<void>()
            const start = performance.now()
            arrived = Effect.suspend(() => {
              latencies.push(performance.now() - start)
              return Deferred.succeed(arrival, undefined)
            })
            yield* Publish.publish({ channel, message })
            yield* Deferred.await(arrival)
          }
          return latencies
        }).pipe(Effect.scoped)
      ),
    Encrypt: ({ bytes, count }) => {
      const text = JSON.stringify(payload(bytes))
      return pubnub.runPromise(
        Effect.flatMap(
          encryption,
          ({ openAll, seal }) =>
            // A page is parsed as a whole, and is not measured here. The ciphertext needs no escapes.
            times(count, 1, () => Effect.flatMap(seal(text), (sealed) => openAll([sealed.slice(1, -1)])))
        )
      )
    },
    History: ({ count }) => pubnub.runPromise(times(count, 1, () => History.list({ channel: "stored" }))),
    Users: ({ count }) => pubnub.runPromise(times(count, 1, () => Users.list())),
    Send: ({ concurrency, count }) => {
      const message = `<messageML>${"x".repeat(100)}</messageML>`
      return (symphony ??= makeSymphony()).runPromise(
        times(count, concurrency, () => Messages.send({ streamId: "bench", message }))
      )
    },
    Feed: ({ count }) => (symphony ??= makeSymphony()).runPromise(receive(Datafeed.stream(), count)),
    Subscribe: (job, id) =>
      subscribeInTurn(namesOf(job, id), (channel) => {
        shared.runFork(Stream.runDrain(Subscribe.stream({ channels: [channel] })))
      })
  }
}
