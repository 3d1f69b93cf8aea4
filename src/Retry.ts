/**
 * Named `Schedule`s for what is worth trying again, with the figures that long-lived readers want.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"

/**
 * What a schedule of this module looks at: the wait that the server asked for, if it did.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * Settings of {@link backoff}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackoffOptions {
  /** The shortest delay. Default: half a second. */
  readonly floor?: Duration.Input | undefined
  /** The longest delay before jitter is taken off. Default: 30 seconds. */
  readonly cap?: Duration.Input | undefined
  /** The longest wait that a server may ask for with `Retry-After`. Default: 150 seconds. */
  readonly longestHint?: Duration.Input | undefined
}

/**
 * An endless schedule: each delay is drawn evenly between the floor and a bound that doubles from twice the floor up
 * to the cap, so that many clients do not come back at the same moment. A server's `Retry-After` is a lower bound.
 *
 * **Example** (At most five more attempts, 100 milliseconds to 2 seconds apart)
 *
 * ```ts
 * import * as Schedule from "effect/Schedule"
 * import * as Retry from "effect-herald/Retry"
 *
 * const brisk = Retry.backoff({ floor: "100 millis", cap: "2 seconds" }).pipe(Schedule.upTo({ times: 5 }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const backoff = (options: BackoffOptions = {}): Schedule.Schedule<number, Failure> => {
  const floor = Duration.toMillis(Duration.fromInputUnsafe(options.floor ?? "500 millis"))
  const cap = Duration.toMillis(Duration.fromInputUnsafe(options.cap ?? "30 seconds"))
  const longestHint = Duration.fromInputUnsafe(options.longestHint ?? "150 seconds")
  return Schedule.forever.pipe(
    Schedule.setInputType<Failure>(),
    Schedule.modifyDelay(({ attempt, input }) => {
      const bound = Math.max(floor, Math.min(cap, floor * 2 ** Math.min(attempt, 30)))
      return Effect.map(Random.nextBetween(floor, bound), (drawn) => {
        const delay = Duration.millis(Math.round(drawn))
        return input.retryAfter === undefined
          ? delay
          : Duration.max(delay, Duration.min(input.retryAfter, longestHint))
      })
    })
  )
}

/**
 * How a reader comes back by default: for ever, half a second to 30 seconds apart with jitter, and never before the
 * server's own `Retry-After`.
 *
 * @category constants
 * @since 0.1.0
 */
export const reconnect: Schedule.Schedule<number, Failure> = backoff()

/**
 * How a writer comes back by default whose object was changed by another in the meantime: a hundred times, 20 milliseconds
 * to 5 seconds apart with jitter. Fifty writers of one object that never pause all come through, at half a second a request
 * too.
 *
 * @category constants
 * @since 0.1.0
 */
export const contention: Schedule.Schedule<number, Failure> = backoff({ floor: "20 millis", cap: "5 seconds" }).pipe(
  Schedule.upTo({ times: 100 })
)

/**
 * The default schedule for saving a cursor that was not saved: ten more attempts within about half a minute, 100 milliseconds
 * to 5 seconds apart.
 *
 * @category constants
 * @since 0.1.0
 */
export const commit: Schedule.Schedule<Duration.Duration> = Schedule.exponential("100 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(5)))),
  Schedule.upTo({ times: 10 })
)
