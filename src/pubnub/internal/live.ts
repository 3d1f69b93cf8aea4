/**
 * What App Context has, kept current: it is read once, then followed by events, and read again whenever the events do not
 * say for certain what the service has now.
 *
 * An event tells what changed and when, not from what. Regions may swap two events, and a read may be younger than an event
 * that is still on its way. So only what is certain is applied: a change that is later than what is held, and a removal that
 * is later by more than regions differ. What has the same time and tag is known already. All else is read again: what is
 * older with another tag (it may be in what is held, or have come from another region behind it), what has the same
 * millisecond, a removal that may be older than what is held, and what creates (it may be older than a removal). A change
 * that is applied without one that came before it is right as soon as that one arrives, late: it is older, and so it is read.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Retry from "../../Retry.ts"
import * as AppContext from "../AppContext.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type * as PubNubError from "../PubNubError.ts"
import * as Subscribe from "../Subscribe.ts"
import type { SubscribeError } from "../SubscribeError.ts"
import * as Endpoint from "./endpoint.ts"
import * as Family from "./family.ts"
import { isLoss } from "./loss.ts"
import * as Objects from "./objects.ts"
import * as Position from "./position.ts"

export type Needs = Objects.Needs

type Events = ReadonlyArray<Event.SubscribeEvent>

type Ref<A, E> = SubscriptionRef.SubscriptionRef<AppContext.Live<A, E>>

/** What is kept, and how. `A` is the value, `K` names the parts of it that can be read by themselves. */
export interface Source<A, K, E extends AppContext.CustomMismatch, R> {
  readonly operation: string
  readonly kind: "user" | "channel"
  /** Of the object, and the channel where its events come. */
  readonly id: string
  /** What the service has. */
  readonly read: Effect.Effect<A, PubNubError.PubNubError | E, R>
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

// --------------------------------------------------------------------------------------------------------------------
// the keeper
// --------------------------------------------------------------------------------------------------------------------

/** Gives the value as soon as it has been read, and keeps it for as long as the scope is open. */
export const keep = <A, K, E extends AppContext.CustomMismatch, R>(
  source: Source<A, K, E, R>
): Effect.Effect<Ref<A, E>, PubNubError.PubNubError | SubscribeError | E, Objects.Needs | Scope.Scope | R> =>
  Effect.gen(function*() {
    const issues = [...Objects.idIssues(source.kind, source.id), ...nameIssues(source)]
    if (issues.length > 0) {
      const shownPath = `/v2/subscribe/{subscribeKey}/${source.id}/0`
      return yield* Endpoint.errorOf({ operation: source.operation, method: "GET", shownPath })(
        Endpoint.refused(issues)
      )
    }
    const first = yield* Deferred.make<Ref<A, E>, PubNubError.PubNubError | SubscribeError | E>()
    const keeper = yield* Effect.forkScoped(run(source, first))
    return yield* Effect.onError(Deferred.await(first), () => Fiber.interrupt(keeper))
  })

// Its id is the name of a channel too: what only a subscription may be called would bring other events.
const nameIssues = (
  { id, kind }: { readonly id: string; readonly kind: string }
): ReadonlyArray<PubNubError.Detail> => {
  const wrong = Channel.isPresence(id) ? "is the name of presence events" : Channel.issue(id)
  return wrong === undefined ? [] : [{ location: kind, message: `${JSON.stringify(id.slice(0, 100))} ${wrong}` }]
}

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
        const read = asked.pipe(
          Effect.tapError((error) => Effect.logWarning(`${source.id} is not kept current: ${error.message}`)),
          Effect.retry({ schedule: Retry.reconnect, while: ({ isRetryable }) => isRetryable })
        )
        const value = yield* read
        const newest = source.isBehind(value, events) ? yield* Effect.delay(read, "1 second") : value
        return (yield* source.follow(newest, events)).value
      })

    const begin = Effect.fnUntraced(function*(events: Events) {
      live = yield* SubscriptionRef.make<AppContext.Live<A, E>>({
        value: yield* ask(source.read, events),
        state: "current"
      })
      lost = false
      yield* Deferred.succeed(first, live)
    })

    const proceed = Effect.fnUntraced(function*(live: Ref<A, E>, events: Events) {
      const before = yield* SubscriptionRef.get(live)
      const { doubted: more, value } = yield* source.follow(before.value, events)
      const isLost = events.some(isLoss)
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
          return SubscriptionRef.set(live, { value, state: "current" })
        },
        onFailure: (failure) => SubscriptionRef.set(live, { value, ...stale, failure })
      })
    })

    // History has no events of App Context: what may be missing is told without asking it.
    return Subscribe.stream({ channels: [source.id], catchUp: "none" }).pipe(
      // Nothing is polled while it is read: what happens meanwhile comes next, from the same cursor.
      Stream.runForEachArray((events) =>
        Effect.andThen(
          Effect.forEach(events.filter(Family.isNotice), Family.logged, { discard: true }),
          live !== undefined ? proceed(live, events) : events.some(isLoss) ? begin(events) : Effect.void
        )
      ),
      Effect.onError((cause) => {
        if (live === undefined) return Deferred.failCause(first, cause)
        const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
        return Effect.andThen(
          failure === undefined ? Effect.void : Effect.logWarning(`${source.id} is kept no longer: ${failure.message}`),
          SubscriptionRef.update(live, ({ value }): AppContext.Live<A, E> => ({
            value,
            state: "ended",
            ...failure === undefined ? {} : { failure }
          }))
        )
      })
    )
  })

const stale = { state: "stale" } as const

const isInterruption = (event: Event.SubscribeEvent): boolean => event._tag === "Interrupted"

// --------------------------------------------------------------------------------------------------------------------
// one object
// --------------------------------------------------------------------------------------------------------------------

/** An event of a user, a channel or a membership. */
export type ObjectEvent = Event.UserEvent | Event.ChannelEvent | Event.MembershipEvent

type Item<C> = AppContext.Versioned & AppContext.Included<C>

type DecodeCustom<C, R> = (custom: Option.Option<AppContext.Custom>) => Effect.Effect<Option.Option<C>, unknown, R>

const inDoubt = Effect.undefined

/** What is there after an event, `None` if nothing. `undefined` where that is in doubt. */
export const after = <A extends Item<C>, C, R>(
  held: Option.Option<A>,
  event: ObjectEvent,
  decode: DecodeCustom<C, R>
): Effect.Effect<Option.Option<A> | undefined, never, R> => {
  const isSet = "change" in event
  if (Option.isNone(held)) return isSet ? inDoubt : Effect.succeed(held)
  const item = held.value
  if (!isSet) return removedAt(event) - timeOf(item) > aMinute ? Effect.succeedNone : inDoubt
  const { change, etag, updated } = event
  if (updated === undefined || !isEtag(etag)) return inDoubt
  const isLater = updated.epochMilliseconds > timeOf(item)
  if (!isLater) return etag === item.etag ? Effect.succeed(held) : inDoubt
  const { custom, ...texts } = change
  if (custom === undefined) return Effect.succeedSome({ ...item, ...texts, updated, etag })
  const scalars = Option.filter(custom, isCustom)
  if (Option.isSome(custom) && Option.isNone(scalars)) return inDoubt
  // What does not match its schema fails the read, where it can be seen.
  return Effect.match(decode(scalars), {
    onSuccess: (custom) => Option.some({ ...item, ...texts, custom, updated, etag }),
    onFailure: () => undefined
  })
}

/** Whether an event told of something that is not in what was read after it. */
export const isBehind = (read: Option.Option<AppContext.Versioned>, event: ObjectEvent): boolean =>
  "change" in event
    ? Option.match(read, {
      onNone: () => true,
      onSome: (item) => event.updated !== undefined && timeOf(item) < event.updated.epochMilliseconds
    })
    : Option.exists(read, (item) => timeOf(item) <= removedAt(event))

/** No two regions differ by as much. */
export const aMinute = 60_000

const timeOf = ({ updated }: AppContext.Versioned): number => updated.epochMilliseconds

// A removal has no time of its own.
const removedAt = ({ timetoken }: Event.Delivery): number => Position.millisOf(timetoken)

const isEtag = Schema.is(AppContext.Etag)
const isCustom = Schema.is(AppContext.Custom)

/** One user, or one channel. */
export const object = <A extends Item<C>, C, E extends AppContext.CustomMismatch, R, R2>(
  { decode, get, isOf, ...names }: Pick<Source<A, never, E, R>, "operation" | "kind" | "id"> & {
    readonly get: Effect.Effect<A, PubNubError.PubNubError | AppContext.ObjectNotFound | E, R>
    readonly isOf: (event: Event.SubscribeEvent) => event is Event.UserEvent | Event.ChannelEvent
    readonly decode: DecodeCustom<C, R2>
  }
) => {
  const read = get.pipe(Effect.asSome, Effect.catchTag("ObjectNotFound", () => Effect.succeedNone))
  return keep<Option.Option<A>, string, E, R | R2>({
    ...names,
    read,
    readParts: () => read,
    follow: Effect.fnUntraced(function*(held: Option.Option<A>, events: Events) {
      const doubted = new Set<string>()
      let value = held
      for (const event of events.filter(isOf)) {
        const next = yield* after(value, event, decode)
        if (next === undefined) doubted.add(names.id)
        else value = next
      }
      return { value, doubted }
    }),
    isBehind: (value, events) => {
      const last = events.findLast(isOf)
      return last !== undefined && isBehind(value, last)
    }
  })
}
