/**
 * The schedules for failures in a row. Each kind of failure has a schedule, which continues through the row and starts again after it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/** After how many milliseconds to try again, or that the schedule has ended. */
export type Decision = { readonly _tag: "Retry"; readonly millis: number } | { readonly _tag: "GaveUp" }

export interface Retries<F, R> {
  /** Takes the next step of the schedule for this failure. */
  readonly ask: (failure: F) => Effect.Effect<Decision, never, R>
  /** Ends the row: all schedules start again. */
  readonly forget: () => void
}

export const make = <F, R>(
  scheduleOf: (failure: F) => Schedule.Schedule<unknown, F, never, R>
): Retries<F, R> => {
  type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, F, never, R>>>
  const steps = new Map<Schedule.Schedule<unknown, F, never, R>, Step>()
  return {
    ask: Effect.fnUntraced(function*(failure: F) {
      const schedule = scheduleOf(failure)
      const step = steps.get(schedule) ?? (yield* Schedule.toStep(schedule))
      steps.set(schedule, step)
      const now = yield* Clock.currentTimeMillis
      return yield* step(now, failure).pipe(
        Effect.map(([, delay]): Decision => ({ _tag: "Retry", millis: Duration.toMillis(delay) })),
        Pull.catchDone(() => Effect.succeed<Decision>({ _tag: "GaveUp" }))
      )
    }),
    forget: () => steps.clear()
  }
}
