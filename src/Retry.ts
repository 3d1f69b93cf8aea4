/**
 * Schedules for what is worth trying again. Every error of this package has `isRetryable`, which says whether a retry can help, and
 * `retryAfter`, the wait that the service asked for.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"

/**
 * Settings of {@link backoff}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BackoffOptions {
  /** The shortest delay. Default: half a second. */
  readonly base?: Duration.Input | undefined
  /** By what the bound of the delay grows with each attempt, at least 1. Default: 2. */
  readonly factor?: number | undefined
  /** The longest delay, unless the service asks for more. Default: 30 seconds. */
  readonly cap?: Duration.Input | undefined
  /** How many attempts there are in all, the first one included. Default: `Infinity`. */
  readonly maxAttempts?: number | undefined
  /** The longest wait that a service may ask for with `Retry-After`. Default: 150 seconds. */
  readonly maxRetryAfter?: Duration.Input | undefined
}

/**
 * When to try again after an `E`: settings of {@link backoff}, or a schedule of your own.
 *
 * @category models
 * @since 0.1.0
 */
export type Policy<E> = BackoffOptions | Schedule.Schedule<unknown, E>

/**
 * Waits longer after each attempt. Each delay is drawn evenly between `base` and a bound, so that many clients do not come back at
 * the same moment. The bound starts at `base * factor` and grows by `factor` up to `cap`. The `retryAfter` of an error is a lower
 * bound of its delay, up to `maxRetryAfter`.
 *
 * **Example** (Six attempts, 100 milliseconds to 2 seconds apart)
 *
 * ```ts
 * import * as Retry from "effect-herald/Retry"
 *
 * const brisk = Retry.backoff({ base: "100 millis", cap: "2 seconds", maxAttempts: 6 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const backoff = (options: BackoffOptions = {}): Schedule.Schedule<number> => {
  const { factor = 2, maxAttempts = Infinity } = options
  const base = Duration.toMillis(options.base ?? "500 millis")
  const cap = Duration.toMillis(options.cap ?? "30 seconds")
  const maxRetryAfter = Duration.fromInputUnsafe(options.maxRetryAfter ?? "150 seconds")
  const delays = Schedule.forever.pipe(
    Schedule.modifyDelay(({ attempt, input }) => {
      const bound = Math.max(base, Math.min(cap, base * Math.min(factor ** attempt, Number.MAX_SAFE_INTEGER)))
      return Effect.map(Random.next, (random) => {
        const delay = Duration.millis(Math.round(base + random * (bound - base)))
        const retryAfter = Predicate.hasProperty(input, "retryAfter") ? input.retryAfter : undefined
        return Duration.isDuration(retryAfter) ? Duration.max(delay, Duration.min(retryAfter, maxRetryAfter)) : delay
      })
    })
  )
  return maxAttempts === Infinity ? delays : Schedule.upTo(delays, { times: maxAttempts - 1 })
}

/**
 * Default of readers that lost their connection: for ever, half a second to 30 seconds apart with jitter, and never before the
 * service's own `Retry-After`.
 *
 * @category constants
 * @since 0.1.0
 */
export const reconnect: Schedule.Schedule<number> = backoff()

/**
 * Default of `update` after a concurrent change: a hundred more attempts, 20 milliseconds to 5 seconds apart with jitter. Fifty
 * writers of one object that never pause all succeed, even when a request takes half a second.
 *
 * @category constants
 * @since 0.1.0
 */
export const contention: Schedule.Schedule<number> = /* @__PURE__ */ backoff({
  base: "20 millis",
  cap: "5 seconds",
  maxAttempts: 101
})

/**
 * Default of readers that could not save a cursor: ten more attempts within about half a minute, 100 milliseconds to 5 seconds
 * apart.
 *
 * @category constants
 * @since 0.1.0
 */
export const commit: Schedule.Schedule<Duration.Duration> = Schedule.exponential("100 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(5)))),
  Schedule.upTo({ times: 10 })
)

/** @internal */
export const toSchedule = <E>(policy: Policy<E>, defaults: BackoffOptions = {}): Schedule.Schedule<unknown, E> => {
  if (Schedule.isSchedule(policy)) return policy
  const {
    base,
    cap = defaults.cap,
    factor,
    maxAttempts = defaults.maxAttempts,
    maxRetryAfter = defaults.maxRetryAfter
  } = policy
  return backoff({ base, cap, factor, maxAttempts, maxRetryAfter })
}
