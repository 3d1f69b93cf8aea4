/** The official client, unchanged, as a black box: one made and closed with the scope, and what it hears in a queue. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { NodePubNub, PubNubEmulatorServer } from "effect-herald/node"
import PubNub from "pubnub"

/** An emulator on a port, and our client of it, beside which the official one is used. */
export const both = Layer.unwrap(
  Effect.map(
    PubNubEmulatorServer.PubNubEmulatorServer,
    ({ origin }) =>
      NodePubNub.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ours", origin, tls: false })
  )
).pipe(Layer.provideMerge(PubNubEmulatorServer.layer()))

export const client = (userId: string, options: Partial<PubNub.PubNubConfiguration> = {}) =>
  Effect.acquireRelease(
    Effect.map(PubNubEmulatorServer.PubNubEmulatorServer, ({ origin }) =>
      new PubNub({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId, origin, ssl: false, ...options })),
    (client) =>
      Effect.sync(() => {
        client.unsubscribeAll()
        client.destroy()
      })
  )

export interface Heard {
  readonly kind: string
  readonly [field: string]: unknown
}

/** Subscribes, waits until the client says that it is connected, and gives what it hears, in order. */
export const subscribed = (
  client: PubNub,
  to: { channels?: Array<string>; channelGroups?: Array<string>; withPresence?: boolean }
) =>
  Effect.gen(function*() {
    const heard = yield* Queue.unbounded<Heard>()
    const connected = yield* Deferred.make<void>()
    const hear = (kind: string) => (event: object) => {
      Queue.offerUnsafe(heard, { ...event, kind })
    }
    client.addListener({
      status: ({ category }) => {
        if (category === "PNConnectedCategory") Deferred.doneUnsafe(connected, Effect.void)
      },
      message: hear("message"),
      signal: hear("signal"),
      presence: hear("presence"),
      messageAction: hear("messageAction"),
      objects: hear("objects"),
      file: hear("file")
    })
    client.subscribe(to)
    yield* Deferred.await(connected)
    return heard
  })

/** The next event that is wanted: what a user hears of themselves comes when it comes. */
export const next = <Event>(heard: Queue.Dequeue<Event>, wanted: (event: Event) => boolean): Effect.Effect<Event> =>
  Effect.filterOrElse(Queue.take(heard), wanted, () => next(heard, wanted))

export const theirs = <A>(promise: () => Promise<A>) => Effect.promise(promise)
