/**
 * What App Context has, kept current: it is read once, then followed by events, and read again whenever the events do not
 * say for certain what the service has now.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Input from "../../../internal/input.ts"
import type { Live } from "../../../Live.ts"
import type * as AppContext from "../../AppContext.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Streams from "../reading/streams.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import type { UndecodableItem } from "../../../UndecodableItem.ts"
import * as Defects from "../wire/defect.ts"
import * as Endpoint from "../wire/endpoint.ts"
import * as Loss from "./loss.ts"
import * as Names from "../wire/names.ts"
import * as Reread from "./reread.ts"
import * as Objects from "../objects/objects.ts"

export type Needs = Objects.Needs

type Events = ReadonlyArray<SubscribeEvent.SubscribeEvent>

/** What can keep a value from being current. */
type Failure<E> = PubNubError.PubNubError | SubscribeError | E

type Ref<A, E> = SubscriptionRef.SubscriptionRef<Live<A, Failure<E>>>

/** What is kept, and how. `A` is the value, `K` names the parts of it that can be read by themselves. */
export interface Source<A, K, E extends AppContext.CustomMismatch, R> {
  readonly operation: string
  readonly kind: "user" | "channel"
  /** Of the object, and the channel where its events come. */
  readonly id: string
  /** What the service has. */
  readonly read: Effect.Effect<A, PubNubError.PubNubError | E, R>
  /** What it has that the latest reading could not make out. */
  readonly undecodable?: () => ReadonlyArray<UndecodableItem>
  /** The same with only these parts read, the others as they are held. */
  readonly readParts: (held: A, parts: ReadonlySet<K>) => Effect.Effect<A, PubNubError.PubNubError | E, R>
  /** What the events did for certain, and which parts they leave in doubt. The same value if that is nothing. */
  readonly follow: (held: A, events: Events) => Effect.Effect<Followed<A, K>, never, R>
  /** Whether these events told of something that a value read after them does not have. */
  readonly isBehind: (value: A, events: Events) => boolean
}

export interface Followed<A, K> {
  readonly value: A
  readonly doubted: ReadonlySet<K>
}

/** Gives the value as soon as it has been read, and keeps it for as long as the scope is open. */
export const keep = <A, K, E extends AppContext.CustomMismatch, R>(
  source: Source<A, K, E, R>
): Effect.Effect<Ref<A, E>, PubNubError.PubNubError | SubscribeError | E, Objects.Needs | Scope.Scope | R> =>
  Effect.gen(function*() {
    const issues = [
      ...Objects.idIssues(source.kind, source.id),
      // Its id is the name of a channel too: what only a subscription may be called would bring other events.
      ...Input.each(source.kind, [source.id], Names.withoutPresence(", as only presence events have"))
    ]
    if (issues.length > 0) return yield* Endpoint.refusal(source.operation, issues)
    const first = yield* Deferred.make<Ref<A, E>, PubNubError.PubNubError | SubscribeError | E>()
    const keeper = yield* Effect.forkScoped(run(source, first))
    return yield* Effect.onError(Deferred.await(first), () => Fiber.interrupt(keeper))
  })

const run = <A, K, E extends AppContext.CustomMismatch, R>(
  source: Source<A, K, E, R>,
  first: Deferred.Deferred<Ref<A, E>, PubNubError.PubNubError | SubscribeError | E>
) =>
  Effect.suspend(() => {
    let live: Ref<A, E> | undefined
    /** What is to be read before the value is current again: all of it, or these parts. */
    let lost = true
    let doubted: ReadonlySet<K> = new Set()

    /** An answer may be older than the events that made it necessary: then it is asked for once more, a second later. */
    const ask = (asked: Effect.Effect<A, PubNubError.PubNubError | E, R>, events: Events) =>
      Effect.gen(function*() {
        const read = Reread.untilRead(asked, {
          isFirst: live === undefined,
          tell: (failure) =>
            Effect.andThen(
              Effect.logWarning(`${source.id} is not kept current: ${failure.message}`),
              live === undefined || failure.isRetryable
                ? Effect.void
                : SubscriptionRef.update(live, ({ value }) => ({ value, ...stale, failure }))
            )
        })
        const value = yield* read
        const newest = source.isBehind(value, events) ? yield* Effect.delay(read, "1 second") : value
        return (yield* source.follow(newest, events)).value
      })

    const current = (value: A): Live<A, Failure<E>> => {
      const unreadable = source.undecodable?.() ?? []
      return { value, state: "current", ...unreadable.length === 0 ? {} : { undecodable: unreadable } }
    }

    const begin = Effect.fnUntraced(function*(events: Events) {
      live = yield* SubscriptionRef.make<Live<A, Failure<E>>>(current(yield* ask(source.read, events)))
      lost = false
      yield* Deferred.succeed(first, live)
    })

    const proceed = Effect.fnUntraced(function*(live: Ref<A, E>, events: Events) {
      const before = yield* SubscriptionRef.get(live)
      const { doubted: more, value } = yield* source.follow(before.value, events)
      const isLost = events.some(Loss.isLoss)
      lost ||= isLost
      doubted = new Set([...doubted, ...more])
      // What could not be read is not asked for again before something happens.
      const isNews = isLost || more.size > 0 || value !== before.value
      if (!isNews || !lost && doubted.size === 0) {
        const { state } = events.some(isInterruption) ? stale : before
        if (isNews || state !== before.state) yield* SubscriptionRef.set(live, { ...before, value, state })
        return
      }
      yield* SubscriptionRef.set(live, { value, ...stale })
      yield* Effect.matchEffect(ask(lost ? source.read : source.readParts(value, doubted), events), {
        onSuccess: (value) => {
          lost = false
          doubted = new Set()
          return SubscriptionRef.set(live, current(value))
        },
        onFailure: (failure) => SubscriptionRef.set(live, { value, ...stale, failure })
      })
    })

    // History has no events of App Context: what may be missing is told without asking it.
    return Streams.events({ channels: [source.id], catchUp: "none" }).pipe(
      // Nothing is polled while it is read: what happens meanwhile comes next, from the same cursor.
      Stream.runForEachArray((events) =>
        Effect.andThen(
          Effect.forEach(events, Loss.warn, { discard: true }),
          live !== undefined ? proceed(live, events) : events.some(Loss.isLoss) ? begin(events) : Effect.void
        )
      ),
      Effect.catchDefect((defect) =>
        Effect.flatMap(PubNubConfig, (config) => Effect.fail(Defects.toError(config, defect, undefined)))
      ),
      Effect.onError((cause) => {
        if (live === undefined) return Deferred.failCause(first, cause)
        const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
        return Effect.andThen(
          failure === undefined ? Effect.void : Effect.logWarning(`${source.id} is kept no longer: ${failure.message}`),
          SubscriptionRef.update(live, ({ value }): Live<A, Failure<E>> => ({
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
