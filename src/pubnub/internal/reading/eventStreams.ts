/**
 * From a stream of raw events to what a caller asked for: payloads through a schema, one family of events, and the rest
 * told.
 */
import type * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Envelope from "../wire/envelope.ts"
import * as Payload from "../wire/payload.ts"
import { isStatus } from "./place.ts"

// --- payloads through the caller's schema

const read = <E extends SubscribeEvent.Message | SubscribeEvent.Signal, A, RD>(
  event: E,
  decode: (payload: Schema.Json) => Effect.Effect<A, string, RD>
): Effect.Effect<Omit<E, "payload"> & { readonly payload: A } | SubscribeEvent.Undecodable, never, RD> =>
  Effect.match(decode(event.payload), {
    onSuccess: (payload) => ({ ...event, payload }),
    onFailure: (issue) => Envelope.undecodable(event.payload, issue, event)
  })

/** Messages as the schema has them; one that does not match is `Undecodable` in its place. */
export const typedMessages = <A, RD, E, R>(
  stream: Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>,
  schema: Payload.Reader<A, RD>
): Stream.Stream<SubscribeEvent.SubscribeEvent<A>, E, R | RD> => {
  const decode = Payload.decodeWith(schema)
  return Stream.mapArrayEffect(
    stream,
    (events) =>
      Effect.forEach(
        events,
        (event): Effect.Effect<SubscribeEvent.SubscribeEvent<A>, never, RD> =>
          event._tag === "Message" ? read(event, decode) : Effect.succeed(event)
      )
  )
}

/** The same for signals. */
export const typedSignals = <A, RD, E, R>(
  stream: Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>,
  schema: Payload.Reader<A, RD>
) => {
  const decode = Payload.decodeWith(schema)
  type Typed = Exclude<SubscribeEvent.SubscribeEvent, SubscribeEvent.Signal> | SubscribeEvent.Signal<A>
  return Stream.mapArrayEffect(
    stream,
    (events) =>
      Effect.forEach(
        events,
        (event): Effect.Effect<Typed, never, RD> =>
          event._tag === "Signal" ? read(event, decode) : Effect.succeed(event)
      )
  )
}

// --- one family, the rest told

/**
 * Data goes on, what is not data goes to `onStatus`: after the data ahead of it in the page was handled, and before what
 * comes behind it is seen.
 */
export const only = <
  A extends SubscribeEvent.SubscribeEvent<unknown> | SubscribeEvent.Signal<unknown>,
  B,
  E,
  R,
  E2,
  R2
>(
  stream: Stream.Stream<A, E, R>,
  options: { readonly onStatus?: ((notice: SubscribeEvent.Notice) => Effect.Effect<unknown, E2, R2>) | undefined },
  select: (event: A) => B | undefined
): Stream.Stream<B, E | E2, R | R2> => {
  const onStatus: (notice: SubscribeEvent.Notice) => Effect.Effect<unknown, E2, R2> = options.onStatus ?? logged
  return Stream.transformPull(stream, (pull) => {
    let waiting: ReadonlyArray<A> = []
    const next: Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E | E2, void, R2> = Effect.suspend(() => {
      const data: Array<B> = []
      for (const [index, event] of waiting.entries()) {
        const selected = select(event)
        if (selected !== undefined) data.push(selected)
        else if (isNotice(event)) {
          if (isNonEmpty(data)) {
            waiting = waiting.slice(index)
            return Effect.succeed(data)
          }
          waiting = waiting.slice(index + 1)
          return Effect.andThen(onStatus(event), next)
        }
      }
      waiting = []
      if (isNonEmpty(data)) return Effect.succeed(data)
      return Effect.flatMap(pull, (events) => {
        waiting = events
        return next
      })
    })
    return Effect.succeed(next)
  })
}

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is Arr.NonEmptyReadonlyArray<A> => values.length > 0

export const isNotice = (event: { readonly _tag: string }): event is SubscribeEvent.Notice =>
  isStatus(event) || event._tag === "Undecodable" || event._tag === "Unknown"

/** What may mean loss is a warning, the rest is for debugging. */
export const logged = (notice: SubscribeEvent.Notice): Effect.Effect<void> => {
  switch (notice._tag) {
    case "Gap":
      return Effect.logWarning(
        `${notice.channel}: messages since ${notice.since} and before ${notice.before} are lost (${notice.reason})`,
        notice
      )
    case "GapSuspected":
      return Effect.logWarning(
        `messages since ${notice.since} and before ${notice.before} may be missing (${notice.reason})`
      )
    case "Undecodable": {
      const { channel = "an unknown channel", issue, timetoken = "an unknown time" } = notice
      return Effect.logWarning(`an event on ${channel} at ${timetoken} cannot be read: ${issue}`)
    }
    case "Interrupted":
      return Effect.logWarning(`interrupted: ${notice.reason.message}`)
    default:
      return Effect.logDebug(notice._tag)
  }
}
