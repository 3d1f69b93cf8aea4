/** What a program of a user does first: it subscribes, publishes, reads history, and knows an error by its tag. */
import { Effect, type Layer, Stream } from "effect"
import type { HttpClient } from "effect/http"
import { History, Publish, PubNubConfig, Subscribe, Users } from "effect-herald/pubnub"

const seen = Effect.fn(function*(channel: string) {
  const received = yield* Subscribe.stream({ channels: [channel] }).pipe(
    Stream.tap((event) => event._tag === "Connected" ? Publish.publish({ channel, message: { id: 1 } }) : Effect.void),
    Stream.filter((event) => event._tag === "Message"),
    Stream.take(1),
    Stream.runCollect
  )
  const { items } = yield* History.list({ channel })
  const failure = yield* Effect.flip(Users.get({ id: "nobody" }))
  return {
    received: received.map(({ payload }) => payload),
    stored: items.map((item) => item._tag === "StoredMessage" ? item.payload : item._tag),
    failure: failure._tag
  }
})

/** What the program sees through each transport, by its name. */
export const report = (place: string, origin: string, transports: Record<string, Layer.Layer<HttpClient.HttpClient>>) =>
  Effect.runPromise(
    Effect.all(
      Object.entries(transports).map(([name, transport]) =>
        seen(`${place}-${name}`).pipe(
          Effect.timeout("20 seconds"),
          Effect.map((seen) => ({ [name]: seen })),
          Effect.provide(transport)
        )
      )
    ).pipe(
      Effect.map((all) => JSON.stringify(Object.assign({}, ...all))),
      Effect.provide(
        PubNubConfig.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada", origin, tls: false })
      )
    )
  )
