/**
 * The long poll by itself: handshake, then poll from a cursor, and come back after a failure from the same cursor. It
 * turns into a stream of what happened. It knows no service, no gap, no duplicate and no acknowledgement: the datafeed of
 * Symphony is made of it, and so can be a reader of a service of your own.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { debug } from "./internal/operation.ts"

/**
 * How one service is polled. `C` is a cursor, `P` a page, `E` a failure of a request; `ER` and `R` are what a schedule can fail
 * with, and what all of it needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface LongPoll<C, P, E, ER, R> {
  /** What it is called in logs. */
  readonly name: string
  /** Where to start; none is where the service stands now. */
  readonly from: C | undefined
  /** Until when the service was listened to before, in milliseconds of the wall clock. Default: until now. */
  readonly heardAt?: number | undefined
  /** Answered at once. Given where the reader stands, it says where to poll from. */
  readonly handshake: (standing: C | undefined) => Effect.Effect<C, E, R>
  /**
   * What comes after the cursor. `unheardFor` is the longest time since the last answer in which nobody was listening, by
   * the wall clock. An answer that came from elsewhere than the live service has not `listened`: that time goes on. One
   * that is to be followed by a handshake says `prove`.
   */
  readonly poll: (
    cursor: C,
    unheardFor: Duration.Duration
  ) => Effect.Effect<
    { readonly page: P; readonly next: C; readonly listened: boolean; readonly prove?: boolean },
    E,
    R
  >
  /**
   * How long a poll may be silent by the wall clock. It is then cut, and the handshake proves that the service is still
   * there: only if that fails is it an interruption.
   */
  readonly patience: Duration.Duration
  /** The schedule for a kind of failure. The same schedule goes on until a poll is answered. */
  readonly schedule: (failure: E) => Schedule.Schedule<unknown, E, ER, R>
}

/**
 * What happened. A `Page` has the cursor that it was `asked` for with, and the `next` one. `Interrupted` is told before its
 * delay: the handshake is made again after `retryIn`. `Reconnected` is the end of it, `downFor` since the last answer.
 *
 * @category models
 * @since 0.1.0
 */
export type Step<C, P, E> =
  | { readonly _tag: "Connected"; readonly cursor: C }
  | { readonly _tag: "Page"; readonly page: P; readonly asked: C; readonly next: C }
  | {
    readonly _tag: "Interrupted"
    readonly failure: E
    readonly cursor: C | undefined
    readonly attempt: number
    readonly retryIn: Duration.Duration
  }
  | { readonly _tag: "Reconnected"; readonly cursor: C; readonly downFor: Duration.Duration }
  /** The service is there, after a silence or because a poll asked for proof. */
  | { readonly _tag: "Proven"; readonly cursor: C }

/**
 * The schedule for this failure has ended.
 *
 * @category errors
 * @since 0.1.0
 */
export class GaveUp<C, E> {
  readonly _tag = "GaveUp"
  readonly failure: E
  readonly cursor: C | undefined
  readonly attempts: number
  constructor(failure: E, cursor: C | undefined, attempts: number) {
    this.failure = failure
    this.cursor = cursor
    this.attempts = attempts
  }
}

/**
 * The stream of steps. Each pull makes at most what is needed for one step, so a reader that does not pull makes no request.
 * Steps are told as soon as they are known: an interruption before its delay, a reconnection before its poll.
 *
 * It fails with {@link GaveUp} when the schedule for a failure ends. A schedule starts afresh after every poll that was answered.
 *
 * **Example** (A service that is asked for what comes after a number)
 *
 * ```ts
 * import * as Duration from "effect/Duration"
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 * import * as Stream from "effect/Stream"
 * import * as LongPoll from "effect-herald/LongPoll"
 *
 * declare const isThere: Effect.Effect<void, "offline">
 * declare const after: (cursor: number) => Effect.Effect<ReadonlyArray<string>, "offline">
 *
 * const lines = LongPoll.stream({
 *   name: "log",
 *   from: 0,
 *   handshake: (standing = 0) => Effect.as(isThere, standing),
 *   poll: (cursor) =>
 *     Effect.map(after(cursor), (page) => ({ page, next: cursor + page.length, listened: true })),
 *   patience: Duration.minutes(1),
 *   schedule: () => Schedule.spaced("1 second")
 * }).pipe(Stream.flatMap((step) => step._tag === "Page" ? Stream.fromIterable(step.page) : Stream.empty))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = <C, P, E, ER, R>(
  options: LongPoll<C, P, E, ER, R>
): Stream.Stream<Step<C, P, E>, GaveUp<C, E> | ER, R> =>
  Stream.fromPull(Effect.map(Clock.currentTimeMillis, (now) => pullFrom(options, now)))

const pullFrom = <C, P, E, ER, R>(
  options: LongPoll<C, P, E, ER, R>,
  start: number
): Effect.Effect<Arr.NonEmptyReadonlyArray<Step<C, P, E>>, GaveUp<C, E> | ER, R> => {
  type StepFn = Effect.Success<ReturnType<typeof toStep>>
  const toStep = (schedule: Schedule.Schedule<unknown, E, ER, R>) => Schedule.toStep(schedule)
  const schedules = new Map<Schedule.Schedule<unknown, E, ER, R>, StepFn>()

  let cursor = options.from
  let connected = false
  // Whether the service has proved that it is there since the last failure or silence.
  let proven = false
  let failures = 0
  let delay: Duration.Duration | undefined
  // Until when the service is known to have been listened to.
  let heardAt = options.heardAt ?? start
  let unheard = 0

  const since = (moment: number) => Math.max(0, moment - heardAt)

  const failed = Effect.fnUntraced(function*(failure: E) {
    proven = false
    failures++
    const schedule = options.schedule(failure)
    const step = schedules.get(schedule) ?? (yield* toStep(schedule))
    schedules.set(schedule, step)
    const [, retryIn] = yield* step(yield* Clock.currentTimeMillis, failure).pipe(
      Pull.catchDone(() => Effect.fail(new GaveUp(failure, cursor, failures)))
    )
    delay = retryIn
    yield* debug(
      () => [`${options.name} interrupted, attempt ${failures}, again in ${Duration.format(retryIn)}`, failure]
    )
    return interrupted(failure, cursor, failures, retryIn)
  })

  const prove = Effect.gen(function*() {
    const standing = yield* options.handshake(cursor)
    const now = yield* Clock.currentTimeMillis
    proven = true
    cursor = standing
    const step: Step<C, P, E> = !connected
      ? { _tag: "Connected", cursor: standing }
      : failures > 0
      ? { _tag: "Reconnected", cursor: standing, downFor: Duration.millis(since(now)) }
      : { _tag: "Proven", cursor: standing }
    connected = true
    yield* debug(() => [`${options.name} ${step._tag.toLowerCase()}`])
    return step
  })

  const poll = Effect.fnUntraced(function*(asked: C) {
    const sentAt = yield* Clock.currentTimeMillis
    unheard = Math.max(unheard, since(sentAt))
    const polled = yield* impatient(options.poll(asked, Duration.millis(unheard)), options.patience)
    if (polled === undefined) {
      proven = false
      // Not the end of the silence: the connection may have been dead from the first moment on.
      heardAt = sentAt
      yield* debug(
        () => [`${options.name} was silent for ${Duration.format(options.patience)}: proving the connection`]
      )
      return undefined
    }
    if (polled.listened) {
      unheard = 0
      const answeredAt = yield* Clock.currentTimeMillis
      // An answer later than any timer allows came before the machine slept, and says nothing of the time since.
      heardAt = answeredAt - sentAt > Duration.toMillis(options.patience) + 2 * watchEvery ? sentAt : answeredAt
    }
    if (polled.prove === true) proven = false
    cursor = polled.next
    failures = 0
    schedules.clear()
    return page(polled.page, asked, polled.next)
  })

  const next: Effect.Effect<Step<C, P, E> | undefined, GaveUp<C, E> | ER, R> = Effect.suspend(() => {
    if (delay !== undefined) {
      const pause = delay
      delay = undefined
      return Effect.as(Effect.sleep(pause), undefined)
    }
    const request = cursor === undefined || !proven ? prove : poll(cursor)
    return Effect.catch(request, failed)
  })

  const pull: Effect.Effect<Arr.NonEmptyReadonlyArray<Step<C, P, E>>, GaveUp<C, E> | ER, R> = Effect.flatMap(
    next,
    (step) => step === undefined ? pull : Effect.succeed(Arr.of(step))
  )
  return pull
}

const interrupted = <C, E>(
  failure: E,
  cursor: C | undefined,
  attempt: number,
  retryIn: Duration.Duration
): Step<C, never, E> => ({ _tag: "Interrupted", failure, cursor, attempt, retryIn })

const page = <C, P>(page: P, asked: C, next: C): Step<C, P, never> => ({ _tag: "Page", page, asked, next })

const watchEvery = 5_000

// A machine that sleeps stops its timers but not the world: short sleeps find out soon after it wakes.
const impatient = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  patience: Duration.Duration
): Effect.Effect<A | undefined, E, R> => {
  const limit = Duration.toMillis(patience)
  const silence = Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    let passed = 0
    while (passed < limit) {
      yield* Effect.sleep(Math.min(watchEvery, limit - passed))
      passed = (yield* Clock.currentTimeMillis) - start
    }
  })
  return Effect.raceFirst(effect, Effect.as(silence, undefined))
}
