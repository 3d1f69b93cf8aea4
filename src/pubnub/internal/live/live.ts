/**
 * A value that events keep current. It is read once, and then updated by events. It is read again whenever the events do not
 * determine what the service has now. Every public `live` uses this module.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Live } from "../../../Live.ts"
import type { UndecodableItem } from "../../../UndecodableItem.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Streams from "../reading/streams.ts"
import * as Defects from "../wire/defect.ts"
import * as Reread from "./reread.ts"

export type Needs = HttpClient.HttpClient | PubNubConfig

export type Events = ReadonlyArray<SubscribeEvent.SubscribeEvent>

/** An error of a read, apart from the requests of this library. */
type Known = { readonly _tag: string; readonly message: string; readonly isRetryable: boolean }

/** Why a value may not be current. */
export type Failure<E> = PubNubError.PubNubError | SubscribeError | E

type Ref<A, E> = SubscriptionRef.SubscriptionRef<Live<A, Failure<E>>>

/** Reads until it succeeds or fails for good. */
export type UntilRead<E> = <A, R>(
  read: Effect.Effect<A, PubNubError.PubNubError | E, R>
) => Effect.Effect<A, PubNubError.PubNubError | E, R>

/** Describes a live value. `H` is the state that events update, `A` is the value that users get. */
export interface Source<H, A, E, R> {
  /** The value in warnings: `the members of lobby`. */
  readonly name: string
  /** The names that its events arrive by. */
  readonly subscription: Streams.Options
  /** Whether the value is read for the first time when this event arrives. */
  readonly begins: (event: SubscribeEvent.SubscribeEvent) => boolean
  /** Reads the state from the service. `held` is the state so far, `events` are the events that made the read necessary. */
  readonly read: (
    held: H | undefined,
    events: Events,
    untilRead: UntilRead<E>
  ) => Effect.Effect<H, PubNubError.PubNubError | E, R>
  /** Applies the events that leave no doubt. Says whether others make a read necessary. */
  readonly follow: (held: H, events: Events) => Effect.Effect<Followed<H>, never, R>
  readonly valueOf: (held: H) => A
  /** Whether two values are the same to a user. */
  readonly isSame: (one: A, other: A) => boolean
  /** The items of the value that could not be decoded. */
  readonly undecodableOf: (held: H) => ReadonlyArray<UndecodableItem>
}

export interface Followed<H> {
  readonly held: H
  readonly isDoubted: boolean
}

/** Gives the value after the first read, and keeps it current while the scope is open. */
export const keep = Effect.fnUntraced(
  function*<H, A, E extends Known, R>(
    source: Source<H, A, E, R>
  ): Effect.fn.Return<Ref<A, E>, Failure<E>, Needs | Scope.Scope | R> {
    const first = yield* Deferred.make<Ref<A, E>, Failure<E>>()
    const keeper = yield* Effect.forkScoped(run(source, first))
    return yield* Effect.onError(Deferred.await(first), () => Fiber.interrupt(keeper))
  }
)

const run = <H, A, E extends Known, R>(
  source: Source<H, A, E, R>,
  first: Deferred.Deferred<Ref<A, E>, Failure<E>>
) =>
  Effect.suspend(() => {
    let live: { readonly ref: Ref<A, E>; readonly held: H } | undefined

    const read = (held: H | undefined, events: Events) =>
      source.read(held, events, (asked) =>
        Reread.untilRead(asked, {
          isFirst: live === undefined,
          onFailure: (failure) =>
            Effect.andThen(
              Effect.logWarning(`${source.name}: not current. ${failure.message}`),
              live === undefined || failure.isRetryable
                ? Effect.void
                : SubscriptionRef.update(live.ref, ({ value }) => ({ value, ...stale, failure }))
            )
        }))

    const current = (held: H, value: A): Live<A, Failure<E>> => {
      const undecodable = source.undecodableOf(held)
      return { value, state: "current", ...undecodable.length === 0 ? {} : { undecodable } }
    }

    const begin = Effect.fnUntraced(function*(events: Events) {
      const held = yield* read(undefined, events)
      const ref = yield* SubscriptionRef.make<Live<A, Failure<E>>>(current(held, source.valueOf(held)))
      live = { ref, held }
      yield* Deferred.succeed(first, ref)
    })

    const proceed = Effect.fnUntraced(function*(ref: Ref<A, E>, before: H, events: Events) {
      const known = yield* SubscriptionRef.get(ref)
      const { held, isDoubted } = yield* source.follow(before, events)
      live = { ref, held }
      const followed = source.valueOf(held)
      const value = source.isSame(followed, known.value) ? known.value : followed
      if (!isDoubted) {
        const { state } = events.some(isInterruption) ? stale : known
        if (state !== known.state || value !== known.value) {
          yield* SubscriptionRef.set(ref, { ...known, value, state })
        }
        return
      }
      yield* SubscriptionRef.set(ref, { value, ...stale })
      yield* Effect.matchEffect(read(held, events), {
        onSuccess: (held) => {
          live = { ref, held }
          const read = source.valueOf(held)
          return SubscriptionRef.set(ref, current(held, source.isSame(read, value) ? value : read))
        },
        onFailure: (failure) => SubscriptionRef.set(ref, { value, ...stale, failure })
      })
    })

    return Streams.events(source.subscription).pipe(
      // Pulls nothing during a read. Events of that time arrive afterwards, from the same cursor.
      Stream.runForEachArray((events) =>
        Effect.andThen(
          Effect.forEach(events, Reread.warn, { discard: true }),
          live !== undefined
            ? proceed(live.ref, live.held, events)
            : events.some(source.begins)
            ? begin(events)
            : Effect.void
        )
      ),
      Effect.catchDefect((defect) =>
        Effect.flatMap(PubNubConfig, (config) => Effect.fail(Defects.toError(config, defect, undefined)))
      ),
      Effect.onError((cause) => {
        if (live === undefined) return Deferred.failCause(first, cause)
        const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
        return Effect.andThen(
          failure === undefined ? Effect.void : Effect.logWarning(`${source.name}: no longer kept. ${failure.message}`),
          SubscriptionRef.update(live.ref, ({ value }): Live<A, Failure<E>> => ({
            value,
            state: "ended",
            ...failure === undefined ? {} : { failure }
          }))
        )
      })
    )
  })

const stale = { state: "stale" } as const

const isInterruption = (event: SubscribeEvent.SubscribeEvent): boolean => event._tag === "Interrupted"
