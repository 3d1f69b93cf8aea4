/**
 * Turns the stream of all events into the one that a caller asked for: with payloads decoded by a schema, or with events of one
 * kind. Then all notices go to `onStatus`.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Envelope from "../wire/envelope.ts"
import * as Payload from "../wire/payload.ts"
import { isStatus } from "./place.ts"

// --- payloads through the caller's schema

const read = <A, RD>(
  event: SubscribeEvent.Message | SubscribeEvent.Signal,
  decode: (payload: Schema.Json) => Effect.Effect<A, string, RD>
): Effect.Effect<SubscribeEvent.Message<A> | SubscribeEvent.Signal<A> | SubscribeEvent.Undecodable, never, RD> =>
  Effect.matchEager(decode(event.payload), {
    onSuccess: (payload) => ({ ...event, payload }),
    onFailure: (issue) => Envelope.undecodable(event.payload, issue, event)
  })

/**
 * Decodes the payloads of messages, or of signals. One that does not match the schema becomes `Undecodable`. Without a schema,
 * `A` is JSON.
 */
export function typed<A, RD, E, R>(
  stream: Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>,
  tag: "Message",
  schema: Schema.ConstraintDecoder<A, RD> | undefined
): Stream.Stream<SubscribeEvent.SubscribeEvent<A>, E, R | RD>
export function typed<A, RD, E, R>(
  stream: Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>,
  tag: "Signal",
  schema: Schema.ConstraintDecoder<A, RD> | undefined
): Stream.Stream<WithSignals<A>, E, R | RD>
export function typed<A, RD, E, R>(
  stream: Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>,
  tag: "Message" | "Signal",
  schema: Schema.ConstraintDecoder<A, RD> | undefined
) {
  if (schema === undefined) return stream
  const decode = Payload.decodeWith(schema)
  type Event = SubscribeEvent.SubscribeEvent<A | Schema.Json> | SubscribeEvent.Signal<A>
  const decoded = (events: Arr.NonEmptyReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
    forEachEager(
      events,
      (event): Effect.Effect<Event, never, RD> => event._tag === tag ? read(event, decode) : Effect.succeed(event)
    )
  // `Stream.mapArrayEffect` can run several effects at once, and would bring queues and semaphores into each bundle.
  return Stream.transformPull(stream, (pull) => Effect.succeed(Effect.flatMap(pull, decoded)))
}

/** Does the same as `Effect.forEach`, in one step if all results are there at once. */
const forEachEager = <A, B, E, R>(
  items: Arr.NonEmptyReadonlyArray<A>,
  f: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<Arr.NonEmptyReadonlyArray<B>, E, R> => {
  const results: Array<B> = []
  const areThere = items.every((item) => {
    const kept = Effect.mapEager(f(item), (result) => results.push(result))
    return Exit.isExit(kept) && Exit.isSuccess(kept)
  })
  return areThere && Arr.isArrayNonEmpty(results) ? Effect.succeed(results) : Effect.forEach(items, f)
}

type WithSignals<A> = Exclude<SubscribeEvent.SubscribeEvent, SubscribeEvent.Signal> | SubscribeEvent.Signal<A>

// --- one kind of event

/**
 * Streams the events with these tags. Notices go to `onStatus`: after the data before them in the page was handled, and before
 * the data after them is seen.
 */
export const only = <A extends { readonly _tag: string }, T extends A["_tag"], E, R, E2 = never, R2 = never>(
  stream: Stream.Stream<A, E, R>,
  tags: ReadonlyArray<T>,
  onStatus: (notice: SubscribeEvent.Notice) => Effect.Effect<unknown, E2, R2> = logged
): Stream.Stream<Extract<A, { readonly _tag: T }>, E | E2, R | R2> => {
  type One = Extract<A, { readonly _tag: T }>
  // There are few tags. A set for each stream would take more memory and time.
  const wanted: ReadonlyArray<string> = tags
  const isWanted = (event: A): event is One => wanted.includes(event._tag)
  return Stream.transformPull(stream, (pull) => {
    let waiting: ReadonlyArray<A> = []
    const next: Pull.Pull<Arr.NonEmptyReadonlyArray<One>, E | E2, void, R2> = Effect.suspend(() => {
      const data: Array<One> = []
      let index = -1
      for (const event of waiting) {
        index++
        if (isWanted(event)) data.push(event)
        else if (isNotice(event)) {
          if (Arr.isReadonlyArrayNonEmpty(data)) {
            waiting = waiting.slice(index)
            return Effect.succeed(data)
          }
          waiting = waiting.slice(index + 1)
          return Effect.andThen(onStatus(event), next)
        }
      }
      waiting = []
      if (Arr.isReadonlyArrayNonEmpty(data)) return Effect.succeed(data)
      return Effect.flatMap(pull, (events) => {
        waiting = events
        return next
      })
    })
    return Effect.succeed(next)
  })
}

export const isNotice = (event: { readonly _tag: string }): event is SubscribeEvent.Notice =>
  isStatus(event) || event._tag === "Undecodable" || event._tag === "Unknown"

/** Logs a notice: as a warning if events may be lost, else at debug. */
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
