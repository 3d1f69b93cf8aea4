/**
 * Publishing that keeps order, keeps to the pace that the service advises, and sends again only what is safe to send
 * again.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as HttpClient from "effect/http/HttpClient"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Failure from "../internal/failure.ts"
import * as Guarded from "../internal/guarded.ts"
import * as Input from "../internal/input.ts"
import * as SlidingWindow from "../internal/slidingWindow.ts"
import * as Retry from "../Retry.ts"
import * as History from "./History.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as MessageIds from "./internal/reading/messageIds.ts"
import * as Publish from "./Publish.ts"
import * as PubNubConfig from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import * as Timetoken from "./Timetoken.ts"

/**
 * The most messages to one channel in any window of time, wherever that window begins.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  /** How many, a whole number: they may follow each other at once. */
  readonly limit: number
  /** The length of the window. */
  readonly window: Duration.Input
}

/**
 * How a publisher behaves: what {@link make} takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Settings =
  & {
    /** How many messages may wait on a channel, beside the one that is being sent; further ones wait for room. Default: 64. */
    readonly capacity?: number | undefined
    /**
     * The pace of each channel, attempts that failed included. Default: 5 in any second, as the service advises.
     * `"none"`: as fast as the answers come.
     */
    readonly rateLimit?: RateLimit | "none" | undefined
    /**
     * When a message that was certainly not taken is sent again; those behind it on its channel wait. Default: half a
     * second to 30 seconds apart, with jitter, for one minute. A schedule of your own should heed `retryAfter`, as
     * `Retry.backoff` does. `{ maxAttempts: 1 }` sends nothing again.
     */
    readonly retry?: Retry.Policy<Publish.PublishError> | undefined
    /** For how long the messages that wait when the scope closes are still sent. Default: 5 seconds. */
    readonly flush?: Duration.Input | undefined
  }
  & (
    | {
      /** Whether each message gets an id, in its `meta` under {@link messageIdKey}. Default: `false`. */
      readonly messageIds?: false | undefined
      /** Not without ids: history could not tell one message from another. */
      readonly settleUnknown?: false | undefined
      /** Not without ids: readers could not tell a second copy. */
      readonly resendUnknown?: false | undefined
    }
    | {
      readonly messageIds: true
      /**
       * Whether a message whose outcome is unknown is looked for in history: found, it is published. That takes Message
       * Persistence and, with access control, the permission to read. Default: `false`.
       */
      readonly settleUnknown?: boolean | undefined
      /**
       * Whether a message whose outcome is unknown is sent again too, with the same id; with `settleUnknown`, after it was
       * not found. It may then be stored twice: streams of `Subscribe` leave out the second copy, other clients of the
       * service do not. Default: `false`.
       */
      readonly resendUnknown?: boolean | undefined
    }
  )

/**
 * The keys of the service, and how the publisher behaves: what {@link layer} takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = PubNubConfig.Options & Settings

/**
 * The publisher was closed before this message was handed to the network: it was not sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class PublisherClosed
  extends Failure.TaggedError<PublisherClosed>("pubnub")("PublisherClosed", { channel: Schema.String }, {
    message: ({ channel }) =>
      `The publisher was closed before the message for ${channel} was sent. Publish before its scope closes, ` +
      "or give it more time with flush."
  })
{}

/**
 * What publishing through a publisher can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type PublisherError = Publish.PublishError | PublisherClosed

/**
 * What is refused before a message gets its place.
 *
 * @category errors
 * @since 0.1.0
 */
export type EnqueueError = PublisherClosed | Publish.PrepareError

/**
 * Publishes in order, at a pace, and again where that is safe.
 *
 * **Details**
 *
 * - A channel has one message in flight; channels do not wait for each other.
 * - What was certainly not taken (`Transport`, `RateLimited`, `ServerFailure`) is sent again by the `retry` schedule, and
 *   nothing on its channel overtakes it. Anything else is told at once, and the next message goes on.
 * - `PublishOutcomeUnknown` is not sent again, unless `resendUnknown` says so.
 * - With `settleUnknown` such a message is looked for in history, while those behind it wait: at once and, since history
 *   may be late, again after three seconds, among the newest thousand of its channel. Found, it is published, at the
 *   timetoken that history has. Not found, its outcome stays unknown, since a request may still be on its way. While history
 *   does not answer it is asked again for one minute; one that refuses is told as a warning in the log. A
 *   message with `store: false` cannot be found.
 * - An error is never milder than the truth: when an attempt's outcome was unknown and a later one was refused, the
 *   message's outcome is that unknown one.
 * - When its scope closes, what waits for room fails with {@link PublisherClosed}; what has its place is sent for
 *   `flush` longer, and then fails likewise, or with what its last attempt said. A request in flight is let finish. So
 *   closing takes at most `flush` and one `requestTimeout`.
 *
 * **Example** (Ten orders, in order)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 *
 * const program = Effect.gen(function*() {
 *   const publisher = yield* Publisher.Publisher
 *   for (let id = 1; id <= 10; id++) yield* publisher.publish({ channel: "orders", message: { id } })
 * })
 *
 * const main = program.pipe(
 *   Effect.provide(Publisher.layer({ subscribeKey: "sub-c-1", publishKey: "pub-c-1", userId: "shop" }))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Publisher extends Context.Service<Publisher, {
  /** See {@link publish}. */
  readonly publish: <A, RE = never>(
    options: Publish.PublishOptions<A, RE>
  ) => Effect.Effect<Publish.Published, PublisherError, RE>
  /** See {@link enqueue}. */
  readonly enqueue: <A, RE = never>(
    options: Publish.PublishOptions<A, RE>
  ) => Effect.Effect<Effect.Effect<Publish.Published, PublisherError>, EnqueueError, RE>
}>()("effect-herald/pubnub/Publisher") {}

/**
 * Publishes one message in its turn, and completes with its outcome.
 *
 * **Details**
 *
 * The message is encoded before it takes its place, so that what does not match its schema fails with `BadRequest` at
 * once. Interrupted while the message waits for its turn or between two attempts, it is withdrawn and never sent.
 * Interrupted while it is in flight, that attempt is let finish before the next message of its channel, no other is
 * made, and nobody is told how it ended.
 *
 * **Example** (The outcomes)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 *
 * const place = (id: number) =>
 *   Publisher.publish({ channel: "orders", message: { id } }).pipe(
 *     Effect.map((sent) => `taken at ${sent.timetoken}`),
 *     Effect.catchTags({
 *       PublishOutcomeUnknown: () => Effect.succeed("perhaps taken"),
 *       PublisherClosed: () => Effect.succeed("not sent"),
 *       PubNubError: (error) => Effect.succeed(`not taken: ${error.reason._tag}`),
 *       MessageTooLarge: () => Effect.succeed("too large")
 *     })
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const publish = <A, RE = never>(
  options: Publish.PublishOptions<A, RE>
): Effect.Effect<Publish.Published, PublisherError, Publisher | RE> =>
  Publisher.use((publisher) => publisher.publish(options))

/**
 * Gives one message its place, waiting while its channel has no room: that is the back-pressure. What comes back waits
 * for the message's outcome, as often as it is asked; not waiting for it withdraws nothing.
 *
 * **Details**
 *
 * The message is encoded before it takes its place. Interrupted while it waits for room, it is withdrawn.
 *
 * **Example** (Read on while messages are sent)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 *
 * const forward = Stream.range(1, 1_000).pipe(
 *   Stream.mapEffect((id) => Publisher.enqueue({ channel: "orders", message: { id } })),
 *   Stream.mapEffect((outcome) => Effect.result(outcome)),
 *   Stream.runCollect
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const enqueue = <A, RE = never>(
  options: Publish.PublishOptions<A, RE>
): Effect.Effect<Effect.Effect<Publish.Published, PublisherError>, EnqueueError, Publisher | RE> =>
  Publisher.use((publisher) => publisher.enqueue(options))

/**
 * A publisher for the given keys.
 *
 * **Details**
 *
 * It has the keys in its options, not from the context, so that one that is shared or nested never publishes with
 * another's keys. For keys from elsewhere there is {@link make}.
 *
 * **Example** (Two keysets in one program)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 *
 * const audit = Publisher.publish({ channel: "audit", message: "started" }).pipe(
 *   Effect.provide(Publisher.layer({ subscribeKey: "sub-c-2", publishKey: "pub-c-2", userId: "shop", capacity: 8 }))
 * )
 *
 * const main = Effect.andThen(audit, Publisher.publish({ channel: "orders", message: { id: 1 } })).pipe(
 *   Effect.provide(Publisher.layer({ subscribeKey: "sub-c-1", publishKey: "pub-c-1", userId: "shop" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Publisher, never, HttpClient.HttpClient> =>
  Layer.effect(Publisher, Effect.provideService(make(options), PubNubConfig.PubNubConfig, PubNubConfig.make(options)))

/**
 * A publisher for the configuration in the context, closed with its scope.
 *
 * **Example** (Keys from the environment)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * const Live = Layer.effect(Publisher.Publisher, Publisher.make({ messageIds: true })).pipe(
 *   Layer.provide(PubNubConfig.layerConfig())
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  settings: Settings = {}
): Effect.fn.Return<Publisher["Service"], never, Scope.Scope | HttpClient.HttpClient | PubNubConfig.PubNubConfig> {
  const config = yield* PubNubConfig.PubNubConfig
  const services = Context.make(HttpClient.HttpClient, yield* HttpClient.HttpClient).pipe(
    Context.add(PubNubConfig.PubNubConfig, config)
  )
  const { capacity, flush, issues, messageIds, pace, resends, retry, settles } = settingsOf(settings)

  const lines = new Map<string, Line>()
  const unsettled = new Set<Entry>()
  const settled = Latch.makeUnsafe(true)
  let closed = false

  const finish = (entry: Entry, outcome: Exit.Exit<Publish.Published, PublisherError>) => {
    unsettled.delete(entry)
    if (unsettled.size === 0) settled.openUnsafe()
    Deferred.doneUnsafe(entry.outcome, outcome)
  }

  const refuse = (entry: Entry) => {
    const error = new PublisherClosed({ channel: entry.channel })
    Deferred.doneUnsafe(entry.admitted, Effect.fail(error))
    finish(entry, Exit.fail(error))
  }

  const admit = (line: Line) => {
    for (const entry of line.outside) {
      if (line.waiting.size >= capacity) return
      line.outside.delete(entry)
      line.waiting.add(entry)
      line.wake.openUnsafe()
      Deferred.doneUnsafe(entry.admitted, Effect.void)
    }
  }

  const isSafe = (error: Publish.PublishError) =>
    error._tag === "PublishOutcomeUnknown" ? resends : error._tag === "PubNubError" && certainlyNotTaken(error.reason)

  const settle = Effect.fnUntraced(function*(entry: Entry, error: Publish.PublishOutcomeUnknown) {
    // Since the first attempt that may have been stored; and a clock may be wrong.
    const since = DateTime.subtract(entry.unknown?.began ?? (yield* DateTime.now), { minutes: 1 })
    const stored = entry.stored === undefined ? Option.none() : yield* entry.stored(since)
    if (Option.isNone(stored)) return yield* error
    entry.last = Exit.succeed(stored.value)
    return stored.value
  })

  // One message, until it is taken, given up, or stopped. Whatever stops it, an attempt that has begun is let finish.
  const send = (entry: Entry, turns: SlidingWindow.Line) =>
    Effect.suspend(() => {
      const attempt = Effect.andThen(turns.take, DateTime.now).pipe(
        Effect.flatMap((began) =>
          Effect.tapErrorTag(entry.attempt, "PublishOutcomeUnknown", (error) =>
            Effect.sync(() => {
              entry.unknown ??= { error, began }
            }))
        ),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            entry.last = exit
          })
        ),
        Effect.uninterruptible,
        Effect.catchTag("PublishOutcomeUnknown", (error) => settle(entry, error))
      )
      const attempts = Effect.andThen(turns.wait, attempt).pipe(
        Effect.retry({ schedule: retry, while: isSafe }),
        Effect.exit,
        Effect.tap((exit) => Effect.sync(() => noteDefect(entry, exit)))
      )
      return Deferred.isDoneUnsafe(entry.stopped)
        ? Effect.void
        : Effect.asVoid(Effect.raceFirst(attempts, Deferred.await(entry.stopped)))
    }).pipe(
      Effect.andThen(Effect.sync(() =>
        entry.last === undefined
          ? refuse(entry)
          : finish(
            entry,
            Exit.mapError(entry.last, (error) => entry.unknown?.error ?? error)
          )
      ))
    )

  // The fiber of a channel: it ends, and its pace is forgotten, when for a whole window there was nothing to send.
  const work = Effect.fnUntraced(function*(channel: string, line: Line) {
    const turns = pace === undefined
      ? unlimited
      : SlidingWindow.turnsOf({ limit: pace.limit, window: Duration.toNanosUnsafe(pace.window) })
    // A timer may fire a little early, and a turn that still counts must not be forgotten.
    const rest = pace === undefined ? Duration.zero : Duration.sum(pace.window, Duration.millis(1))
    while (true) {
      const [entry] = line.waiting
      if (entry !== undefined) {
        line.waiting.delete(entry)
        admit(line)
        yield* send(entry, turns)
        continue
      }
      line.wake.closeUnsafe()
      const woken = yield* Effect.timeoutOption(line.wake.await, rest)
      if (Option.isNone(woken) && line.waiting.size === 0) {
        lines.delete(channel)
        return
      }
    }
  })

  const run = yield* FiberSet.makeRuntime()

  // Nobody else would tell those who wait.
  const broken = (channel: string) => (defect: unknown) =>
    Effect.sync(() => {
      lines.delete(channel)
      for (const entry of unsettled) {
        if (entry.channel !== channel) continue
        Deferred.doneUnsafe(entry.admitted, Effect.die(defect))
        finish(entry, Exit.die(defect))
      }
    })

  const add = (entry: Entry) => {
    unsettled.add(entry)
    settled.closeUnsafe()
    if (closed) return refuse(entry)
    const known = lines.get(entry.channel)
    const line = known ?? { waiting: new Set(), outside: new Set(), wake: Latch.makeUnsafe() }
    line.outside.add(entry)
    admit(line)
    if (known !== undefined) return
    lines.set(entry.channel, line)
    run(Effect.catchDefect(work(entry.channel, line), broken(entry.channel)))
  }

  const withdraw = (entry: Entry) =>
    Effect.sync(() => {
      Deferred.doneUnsafe(entry.stopped, Effect.void)
      const line = lines.get(entry.channel)
      if (line?.outside.delete(entry) === true || line?.waiting.delete(entry) === true) {
        admit(line)
        finish(entry, Exit.interrupt())
      }
    })

  // Added after the fibers of the channels, and so run before they are interrupted.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      closed = true
      for (const { outside } of lines.values()) {
        for (const entry of outside) refuse(entry)
        outside.clear()
      }
      const inTime = yield* Effect.timeoutOption(settled.await, flush)
      if (Option.isSome(inTime)) return
      const left = [...unsettled]
      for (const entry of left) Deferred.doneUnsafe(entry.stopped, Effect.void)
      yield* settled.await
      const unsent = left.filter((entry) => entry.last === undefined).length
      if (unsent > 0) yield* Effect.logWarning(`The publisher was closed before ${unsent} messages were sent`)
    })
  )

  const prepare = <A, RE>(operation: Operation, options: Publish.PublishOptions<A, RE>) =>
    Endpoint.reading(operation, () => {
      if (issues.length > 0) return Effect.fail(Endpoint.refusal(operation, issues))
      const meta = Guarded.attempt(() => messageIds ? withId(options.meta) : options.meta, "meta")
      if (Result.isFailure(meta)) return Effect.fail(Endpoint.refusal(operation, meta.failure))
      const given = { ...options, meta: meta.success }
      return Effect.map(Publish.prepare(given), (send) => ({ given, send }))
    }).pipe(Effect.provideService(PubNubConfig.PubNubConfig, config))

  const entryOf = <A, RE>(operation: Operation, options: Publish.PublishOptions<A, RE>) =>
    Effect.gen(function*() {
      const { given: { channel, meta, store }, send } = yield* prepare(operation, options)
      // Beside the caller's own services (its span, its log annotations), but never with the caller's keys.
      const context = Context.merge(yield* Effect.context<never>(), services)
      const id = MessageIds.idOf(meta)
      const entry: Entry = {
        channel,
        attempt: Effect.provideContext(send, context),
        stored: !settles || id === undefined || store === false
          ? undefined
          : (since) => Effect.provideContext(storedAs({ channel, id, since }), context),
        admitted: Deferred.makeUnsafe(),
        stopped: Deferred.makeUnsafe(),
        outcome: Deferred.makeUnsafe(),
        last: undefined,
        unknown: undefined
      }
      return entry
    })

  /** Adds the message, and waits for what is asked of it; interrupted, withdraws it. */
  const enter = <A, RE, B, E>(
    operation: Operation,
    options: Publish.PublishOptions<A, RE>,
    waitFor: (entry: Entry) => Effect.Effect<B, E>
  ) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(entryOf(operation, options)), (entry) => {
        add(entry)
        return Effect.onInterrupt(restore(waitFor(entry)), () => withdraw(entry))
      })
    )

  return Publisher.of({
    publish: (options) => enter("Publisher.publish", options, (entry) => Deferred.await(entry.outcome)),
    enqueue: (options) =>
      enter(
        "Publisher.enqueue",
        options,
        (entry) => Effect.as(Deferred.await(entry.admitted), Deferred.await(entry.outcome))
      )
  })
})

/** The function that the caller used. */
type Operation = "Publisher.publish" | "Publisher.enqueue"

/** A message on its way. */
interface Entry {
  readonly channel: string
  /** One request. */
  readonly attempt: Effect.Effect<Publish.Published, Publish.PublishError>
  /** What history has of it. */
  readonly stored: ((since: DateTime.DateTime) => Effect.Effect<Option.Option<Publish.Published>>) | undefined
  readonly admitted: Deferred.Deferred<void, PublisherClosed>
  /** Withdrawn, or out of time: no further attempt is to begin. */
  readonly stopped: Deferred.Deferred<void>
  readonly outcome: Deferred.Deferred<Publish.Published, PublisherError>
  last: Exit.Exit<Publish.Published, Publish.PublishError> | undefined
  /** The first attempt whose outcome was unknown. */
  unknown: { readonly error: Publish.PublishOutcomeUnknown; readonly began: DateTime.DateTime } | undefined
}

/** What threw between two attempts (a schedule, perhaps) is told beside what the last attempt said. */
const noteDefect = (entry: Entry, exit: Exit.Exit<Publish.Published, Publish.PublishError>): void => {
  const { last } = entry
  if (Exit.isSuccess(exit) || !Cause.hasDies(exit.cause)) return
  if (last === undefined) entry.last = exit
  else if (Exit.isFailure(last) && !Cause.hasDies(last.cause)) {
    entry.last = Exit.failCause(Cause.combine(last.cause, exit.cause))
  }
}

/** What waits on a channel: at most `capacity` inside, in order, and those who wait for room. */
interface Line {
  readonly waiting: Set<Entry>
  readonly outside: Set<Entry>
  readonly wake: Latch.Latch
}

const untilTaken = Schedule.upTo(Retry.reconnect, { duration: "1 minute" })

const certainlyNotTaken = (reason: PubNubError.Reason) =>
  reason._tag === "Transport" || reason._tag === "RateLimited" || reason._tag === "ServerFailure"

interface Pace {
  readonly limit: number
  readonly window: Duration.Duration
}

const unlimited: SlidingWindow.Line = { wait: Effect.void, take: Effect.void }

/** The settings with their defaults, and what is wrong with them: that is said at each call. */
const settingsOf = (settings: Settings) =>
  Result.getOrElse(
    Guarded.attempt(() => checkedOf({ ...settings }), "settings"),
    (issues) => ({ ...checkedOf({}), issues })
  )

const checkedOf = (settings: Settings) => {
  const { capacity, flush, messageIds, rateLimit, resendUnknown, retry, settleUnknown } = { ...settings }
  const { limit, window } = rateLimit === undefined || rateLimit === "none"
    ? { limit: 5, window: "1 second" as const }
    : { ...rateLimit }
  const issues = [
    ...Input.issues({
      capacity: Input.optional(Input.whole(1))(capacity),
      "rateLimit.limit": Input.whole(1)(limit),
      "rateLimit.window": Input.duration(window),
      flush: flush === undefined ? undefined : Input.patience(flush),
      messageIds: Input.optional(Input.flag)(messageIds),
      settleUnknown: Input.optional(Input.flag)(settleUnknown),
      resendUnknown: Input.optional(Input.flag)(resendUnknown)
    }),
    ...Input.retry("retry", retry)
  ]
  const isValid = issues.length === 0
  const pace: Pace | undefined = rateLimit === "none" || !isValid
    ? undefined
    : { limit, window: Duration.fromInputUnsafe(window) }
  return {
    issues,
    capacity: capacity ?? 64,
    pace,
    retry: Retry.toSchedule(isValid ? retry ?? untilTaken : untilTaken),
    flush: Duration.fromInputUnsafe(isValid ? flush ?? "5 seconds" : "5 seconds"),
    messageIds: messageIds === true,
    settles: messageIds === true && settleUnknown === true,
    resends: messageIds === true && resendUnknown === true
  }
}

// --------------------------------------------------------------------------------------------------------------------
// message ids
// --------------------------------------------------------------------------------------------------------------------

/**
 * Where in `meta` a message has its id: `heraldId`. A publisher with `messageIds` puts a UUID there, unless the caller
 * gave an id of its own: a string that is unique on its channel for this user. Streams of `Subscribe` leave out what has
 * the id of an earlier message.
 *
 * @category constants
 * @since 0.1.0
 */
export const messageIdKey = MessageIds.key

type Meta = { readonly [key: string]: unknown }

/** Metadata that is no object is left as it is, for `Publish.publish` to refuse. */
const withId = (meta: Meta = {}): Meta =>
  typeof meta !== "object" || meta === null || Array.isArray(meta)
    ? meta
    : { ...meta, [messageIdKey]: MessageIds.idOf(meta) ?? globalThis.crypto.randomUUID() }

/** The most entries of history that are looked at for one message. */
const mostEntries = 1_000

/** What history has of a message. It may be a second or two behind, so it is asked twice. */
const storedAs = (
  message: { readonly channel: string; readonly id: string; readonly since: DateTime.DateTime }
): Effect.Effect<Option.Option<Publish.Published>, never, HttpClient.HttpClient | PubNubConfig.PubNubConfig> =>
  Effect.gen(function*() {
    const { userId } = yield* PubNubConfig.PubNubConfig
    const since = Option.getOrUndefined(Timetoken.fromDateTime(message.since))
    const look = History.stream({ channel: message.channel, since }).pipe(
      Stream.take(mostEntries),
      Stream.filter((entry): entry is History.StoredMessage =>
        entry._tag === "StoredMessage" && entry.publisher === userId && MessageIds.idOf(entry.meta) === message.id
      ),
      Stream.map(({ timetoken }): Publish.Published => ({ timetoken })),
      Stream.runHead,
      Effect.retry({ schedule: untilTaken, while: (error) => error.isRetryable })
    )
    const found = yield* look
    return Option.isSome(found) ? found : yield* Effect.delay(look, "3 seconds")
  }).pipe(
    Effect.catch((error) =>
      Effect.as(
        Effect.logWarning(`Whether a message for ${message.channel} was stored cannot be looked up: ${error.message}`),
        Option.none()
      )
    )
  )
