/**
 * Publishes in order, at the rate that the service recommends, and repeats a request only when that is safe.
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
import * as Token from "./internal/wire/token.ts"
import * as MessageIds from "./internal/reading/messageIds.ts"
import * as Publish from "./Publish.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import * as Timetoken from "./Timetoken.ts"
import type * as PubNubError from "./PubNubError.ts"

/**
 * The most messages to one channel in any window of time, wherever the window begins.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  /** The messages of a window, 1 or more. They may follow each other at once. */
  readonly limit: number
  /** The length of the window. */
  readonly window: Duration.Input
}

/**
 * The options of {@link make} and {@link layer}. They hold no keys: each call uses the configuration in its context.
 *
 * @category models
 * @since 0.1.0
 */
export type Options =
  & {
    /** The messages that may wait on a channel, beside the one in flight. Further ones wait for room. Default: 64. */
    readonly capacity?: number | undefined
    /**
     * The rate of each channel. Failed attempts count. Default: 5 messages per second, as the service recommends. `"none"`
     * sends a message as soon as the one before it is answered.
     */
    readonly rateLimit?: RateLimit | "none" | undefined
    /**
     * When to send a message again that the service certainly did not accept. Messages behind it on its channel wait.
     * Default: for one minute, with pauses of half a second to 30 seconds. A schedule of your own should heed `retryAfter`,
     * as `Retry.backoff` does; `Schedule.recurs(0)` sends nothing again.
     */
    readonly retry?: Schedule.Schedule<unknown, Publish.PublishError> | undefined
    /** How long messages that wait are still sent after the scope closes. Default: 5 seconds. */
    readonly flushTimeout?: Duration.Input | undefined
  }
  & (
    | {
      /** Whether each message gets an id: {@link messageIdKey} of its `meta`. Default: `false`. */
      readonly messageIds?: false | undefined
      /** Needs `messageIds`: without an id, history cannot tell one message from another. */
      readonly settleUnknown?: false | undefined
      /** Needs `messageIds`: without an id, subscribers cannot recognise a second copy. */
      readonly resendUnknown?: false | undefined
    }
    | {
      /** Gives each message an id: {@link messageIdKey} of its `meta`. */
      readonly messageIds: true
      /**
       * Whether the publisher looks in history for a message whose outcome is unknown. A message that it finds is published.
       * It needs Message Persistence and, with access control, the permission to read. Default: `false`.
       */
      readonly settleUnknown?: boolean | undefined
      /**
       * Whether the publisher sends a message again whose outcome is unknown, with the same id. With `settleUnknown`, it looks
       * in history first. The message may be stored twice: streams of `Subscribe` leave out the second copy, other clients
       * do not. Default: `false`.
       */
      readonly resendUnknown?: boolean | undefined
    }
  )

/**
 * The publisher was closed before it sent this message.
 *
 * @category errors
 * @since 0.1.0
 */
export class PublisherClosed extends Failure.TaggedError<PublisherClosed>("pubnub")("PublisherClosed", {
  /** The channel of the message. */
  channel: Schema.String
}, {
  message: ({ channel }) =>
    `The publisher closed before it sent the message for ${channel}. Publish before its scope closes, ` +
    "or raise flushTimeout."
}) {}

/**
 * The errors of {@link publish}.
 *
 * @category errors
 * @since 0.1.0
 */
export type PublisherError = Publish.PublishError | PublisherClosed

/**
 * The errors of {@link enqueue}, before the message has its place.
 *
 * @category errors
 * @since 0.1.0
 */
export type EnqueueError = PublisherClosed | Publish.PrepareError

/**
 * Publishes in order and at a limited rate.
 *
 * **Details**
 *
 * - Each channel has one message in flight. Channels do not wait for each other.
 * - A message that the service certainly did not accept (`Transport`, `RateLimited`, `ServerFailure`) is sent again by the
 *   `retry` schedule, and messages behind it on its channel wait. Other failures end the message, and the next one follows.
 * - A message with `PublishOutcomeUnknown` is not sent again, unless `resendUnknown` is set.
 * - With `settleUnknown`, the publisher looks in history for such a message, while the messages behind it wait: at once and
 *   again after three seconds, among the newest thousand of its channel. If history has it, the message is published, with
 *   the timetoken of history. If not, its outcome stays unknown, because a request may still be on its way. The publisher
 *   asks for one minute while history does not answer, and logs a warning when history refuses. History never has a
 *   message with `store: false`.
 * - If the outcome of one attempt was unknown and the service refused a later one, the outcome of the message is unknown.
 * - When the scope closes, messages that wait for room fail with {@link PublisherClosed}. Messages that have their place are
 *   sent for `flushTimeout` longer; then they fail likewise, or with the error of their last attempt. A request in flight
 *   may finish, so closing takes at most `flushTimeout` and one `requestTimeout`.
 *
 * @category services
 * @since 0.1.0
 */
export class Publisher extends Context.Service<Publisher, {
  /** See {@link publish}. */
  readonly publish: <A, RE = never>(
    options: Publish.PublishOptions<A, RE>
  ) => Effect.Effect<Publish.Published, PublisherError, PubNubConfig | RE>
  /** See {@link enqueue}. */
  readonly enqueue: <A, RE = never>(
    options: Publish.PublishOptions<A, RE>
  ) => Effect.Effect<Effect.Effect<Publish.Published, PublisherError>, EnqueueError, PubNubConfig | RE>
}>()("effect-herald/pubnub/Publisher") {}

/**
 * Publishes one message when it is its turn, and completes with its outcome.
 *
 * **Details**
 *
 * The message is encoded at once, so a message that does not match its schema fails with `BadRequest` at once. A message
 * that is interrupted while it waits, or between two attempts, is never sent. If it is interrupted in flight, that attempt
 * finishes before the next message of its channel, and there is no other attempt.
 *
 * **Example** (The outcomes)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 *
 * const place = (id: number) =>
 *   Publisher.publish({ channel: "orders", message: { id } }).pipe(
 *     Effect.map((sent) => `accepted at ${sent.timetoken}`),
 *     Effect.catchTags({
 *       PublishOutcomeUnknown: () => Effect.succeed("perhaps accepted"),
 *       PublisherClosed: () => Effect.succeed("not sent"),
 *       PubNubError: (error) => Effect.succeed(`not accepted: ${error.reason._tag}`),
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
): Effect.Effect<Publish.Published, PublisherError, Publisher | PubNubConfig | RE> =>
  Publisher.use((publisher) => publisher.publish(options))

/**
 * Gives one message its place. While its channel has no room, it waits: that is the backpressure. The inner effect waits
 * for the outcome of the message, any number of times. The message is sent also if nobody runs it.
 *
 * **Details**
 *
 * The message is encoded before it has its place. A message that is interrupted while it waits for room is never sent.
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
): Effect.Effect<Effect.Effect<Publish.Published, PublisherError>, EnqueueError, Publisher | PubNubConfig | RE> =>
  Publisher.use((publisher) => publisher.enqueue(options))

/**
 * Provides a publisher. Each call uses the configuration in its own context.
 *
 * **Details**
 *
 * Order and rate hold per configuration (compared by its values) and channel, so several keysets never mix over one layer,
 * and one keyset keeps its order wherever its configuration is provided. A layer that is provided again further in has an
 * order and a rate of its own.
 *
 * **Example** (Two keysets over one publisher)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 * import * as Publisher from "effect-herald/pubnub/Publisher"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * const audit = Publisher.publish({ channel: "audit", message: "started" }).pipe(
 *   Effect.provide(PubNubConfig.layer({ subscribeKey: "sub-c-2", publishKey: "pub-c-2", userId: "shop" }))
 * )
 *
 * const main = Effect.andThen(audit, Publisher.publish({ channel: "orders", message: { id: 1 } })).pipe(
 *   Effect.provide(Publisher.layer({ messageIds: true }).pipe(
 *     Layer.provideMerge(NodePubNub.layer({ subscribeKey: "sub-c-1", publishKey: "pub-c-1", userId: "shop" }))
 *   ))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Publisher, never, HttpClient.HttpClient> =>
  Layer.effect(Publisher, make(options))

/**
 * Makes a publisher that closes with its scope. {@link layer} says how it finds its configuration.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<Publisher["Service"], never, Scope.Scope | HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const { capacity, flushTimeout, issues, messageIds, pace, resends, retry, settles } = optionsOf(options)

  const lanes = new Set<Lane>()
  const unsettled = new Set<Entry>()
  const settled = Latch.makeUnsafe(true)
  let closed = false

  const laneOf = (config: PubNubConfig["Service"]): Lane => {
    for (const lane of lanes) if (Token.isSame(lane.config, config)) return lane
    const lane: Lane = { config, lines: new Map() }
    lanes.add(lane)
    return lane
  }

  const forget = ({ channel, lane }: Line) => {
    lane.lines.delete(channel)
    if (lane.lines.size === 0) lanes.delete(lane)
  }

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
    // From the first attempt that may have been stored, with a minute for wrong clocks.
    const began = entry.unknown?.began ?? (yield* DateTime.now)
    const since = DateTime.makeUnsafe(DateTime.toEpochMillis(began) - 60_000)
    const stored = entry.stored === undefined ? Option.none() : yield* entry.stored(since)
    if (Option.isNone(stored)) return yield* error
    entry.last = Exit.succeed(stored.value)
    return stored.value
  })

  // Sends one message until it is accepted, given up or stopped. An attempt that has begun always finishes.
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

  // The fiber of a channel. It ends, and forgets its turns, after a whole window without messages.
  const work = Effect.fnUntraced(function*(line: Line) {
    const turns = pace === undefined
      ? unlimited
      : SlidingWindow.turnsOf({ limit: pace.limit, window: Duration.toNanosUnsafe(pace.window) })
    // A timer may fire a little early, and a turn that still counts must stay.
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
        forget(line)
        return
      }
    }
  })

  const run = yield* FiberSet.makeRuntime()

  // Fails all messages of a line whose fiber died.
  const broken = (line: Line) => (defect: unknown) =>
    Effect.sync(() => {
      forget(line)
      for (const entry of unsettled) {
        if (entry.line !== line) continue
        Deferred.doneUnsafe(entry.admitted, Effect.die(defect))
        finish(entry, Exit.die(defect))
      }
    })

  const add = (entry: Entry) => {
    unsettled.add(entry)
    settled.closeUnsafe()
    if (closed) return refuse(entry)
    const { channel, config } = entry
    const lane = laneOf(config)
    const known = lane.lines.get(channel)
    const line = known ?? { lane, channel, waiting: new Set(), outside: new Set(), wake: Latch.makeUnsafe() }
    entry.line = line
    line.outside.add(entry)
    admit(line)
    if (known !== undefined) return
    lane.lines.set(channel, line)
    run(Effect.catchDefect(work(line), broken(line)))
  }

  const withdraw = (entry: Entry) =>
    Effect.sync(() => {
      Deferred.doneUnsafe(entry.stopped, Effect.void)
      const { line } = entry
      if (line !== undefined && (line.outside.delete(entry) || line.waiting.delete(entry))) {
        admit(line)
        finish(entry, Exit.interrupt())
      }
    })

  // Added after the fibers of the channels, so it runs before they are interrupted.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      closed = true
      for (const { lines } of lanes) {
        for (const { outside } of lines.values()) {
          for (const entry of outside) refuse(entry)
          outside.clear()
        }
      }
      const inTime = yield* Effect.timeoutOption(settled.await, flushTimeout)
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
    })

  const entryOf = Effect.fnUntraced(function*<A, RE>(operation: Operation, options: Publish.PublishOptions<A, RE>) {
    const { given: { channel, meta, store }, send } = yield* prepare(operation, options)
    // The caller's configuration, span and log annotations; the publisher's transport.
    const context = Context.add(yield* Effect.context<PubNubConfig>(), HttpClient.HttpClient, client)
    const id = MessageIds.idOf(meta)
    const entry: Entry = {
      channel,
      config: Context.get(context, PubNubConfig),
      line: undefined,
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

  /** Adds the message and waits. Withdraws the message when it is interrupted. */
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

/** A message between its call and its outcome. */
interface Entry {
  readonly channel: string
  readonly config: PubNubConfig["Service"]
  /** The line in which it waits. */
  line: Line | undefined
  /** Sends one request. */
  readonly attempt: Effect.Effect<Publish.Published, Publish.PublishError>
  /** Looks for the message in history. */
  readonly stored: ((since: DateTime.DateTime) => Effect.Effect<Option.Option<Publish.Published>>) | undefined
  readonly admitted: Deferred.Deferred<void, PublisherClosed>
  /** Done when the message is withdrawn or out of time: no further attempt begins. */
  readonly stopped: Deferred.Deferred<void>
  readonly outcome: Deferred.Deferred<Publish.Published, PublisherError>
  last: Exit.Exit<Publish.Published, Publish.PublishError> | undefined
  /** The first attempt whose outcome was unknown. */
  unknown: { readonly error: Publish.PublishOutcomeUnknown; readonly began: DateTime.DateTime } | undefined
}

/** Adds a defect between two attempts, as of a schedule that throws, to the result of the last attempt. */
const noteDefect = (entry: Entry, exit: Exit.Exit<Publish.Published, Publish.PublishError>): void => {
  const { last } = entry
  if (Exit.isSuccess(exit) || !Cause.hasDies(exit.cause)) return
  if (last === undefined) entry.last = exit
  else if (Exit.isFailure(last) && !Cause.hasDies(last.cause)) {
    entry.last = Exit.failCause(Cause.combine(last.cause, exit.cause))
  }
}

/** The channels of one configuration that have something to send. */
interface Lane {
  readonly config: PubNubConfig["Service"]
  readonly lines: Map<string, Line>
}

/** The messages that wait on a channel: at most `capacity` in order, and those that wait for room. */
interface Line {
  readonly lane: Lane
  readonly channel: string
  readonly waiting: Set<Entry>
  readonly outside: Set<Entry>
  readonly wake: Latch.Latch
}

const untilTaken = Schedule.upTo(Retry.reconnect, { duration: "1 minute" })

const certainlyNotTaken = (reason: PubNubError.Reason) =>
  reason._tag === "Transport" || reason._tag === "RateLimited" || reason._tag === "ServerFailure" ||
  reason._tag === "TokenUnavailable"

interface Pace {
  readonly limit: number
  readonly window: Duration.Duration
}

const unlimited: SlidingWindow.Line = { wait: Effect.void, take: Effect.void }

/** The options with their defaults, and what is wrong with them: each call fails with it. */
const optionsOf = (options: Options) =>
  Result.getOrElse(
    Guarded.attempt(() => checkedOf({ ...options }), "options"),
    (issues) => ({ ...checkedOf({}), issues })
  )

const checkedOf = (options: Options) => {
  const { capacity, flushTimeout, messageIds, rateLimit, resendUnknown, retry, settleUnknown } = options
  const { limit, window } = rateLimit === undefined || rateLimit === "none"
    ? { limit: 5, window: "1 second" as const }
    : { ...rateLimit }
  const issues = [
    ...Input.issues({
      capacity: Input.optional(Input.whole(1))(capacity),
      "rateLimit.limit": Input.whole(1)(limit),
      "rateLimit.window": Input.duration(window),
      flushTimeout: flushTimeout === undefined ? undefined : Input.patience(flushTimeout),
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
    flushTimeout: Duration.fromInputUnsafe(isValid ? flushTimeout ?? "5 seconds" : "5 seconds"),
    messageIds: messageIds === true,
    settles: messageIds === true && settleUnknown === true,
    resends: messageIds === true && resendUnknown === true
  }
}

// --------------------------------------------------------------------------------------------------------------------
// message ids
// --------------------------------------------------------------------------------------------------------------------

/**
 * The key of `meta` under which a message has its id: `heraldId`. A publisher with `messageIds` puts a UUID there, unless
 * the caller gave an id: text that is unique on its channel for this user. Streams of `Subscribe` leave out a message that
 * has the id of an earlier one.
 *
 * @category constants
 * @since 0.1.0
 */
export const messageIdKey = MessageIds.key

type Meta = { readonly [key: string]: unknown }

/** Adds an id. Metadata that is not an object stays as it is, and `Publish.prepare` refuses it. */
const withId = (meta: Meta = {}): Meta =>
  typeof meta !== "object" || meta === null || Array.isArray(meta)
    ? meta
    : { ...meta, [messageIdKey]: MessageIds.idOf(meta) ?? globalThis.crypto.randomUUID() }

/** The most entries of history to read for one message. */
const mostEntries = 1_000

/** Looks for a message in history, twice, because history may be a second or two behind. */
const storedAs = (
  message: { readonly channel: string; readonly id: string; readonly since: DateTime.DateTime }
): Effect.Effect<Option.Option<Publish.Published>, never, HttpClient.HttpClient | PubNubConfig> =>
  Effect.gen(function*() {
    const { userId } = yield* PubNubConfig
    // A clock may be too early for a timetoken.
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
