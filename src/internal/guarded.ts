/**
 * Reads a caller's input. Getters, proxies and wrong types may throw; then the input is refused like any other wrong input.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Detail } from "./input.ts"
import * as Text from "./text.ts"

/** The result of reading, or why the input cannot be read. */
export const attempt = <A>(read: () => A, location = "input"): Result.Result<A, ReadonlyArray<Detail>> => {
  try {
    return Result.succeed(read())
  } catch (defect) {
    return Result.fail([{ location, message: problemOf(Text.ofDefect(defect)) }])
  }
}

/** An engine's own words for a value that is missing are hard to understand, and each engine has others. All name the value. */
const problemOf = (told: string): string => {
  const missing = /^TypeError: .*\b(undefined|null)\b/s.exec(told)?.[1]
  return missing === undefined
    ? `cannot be read: ${told}`
    : `has ${missing} in place of an object (${Text.clause(told)})`
}

/** Makes the error of an operation whose input is refused. */
type Refusal<E> = (operation: string, details: ReadonlyArray<Detail>) => E

/** Makes an effect from a caller's input. */
export const effect =
  <E>(refusal: Refusal<E>) =>
  <A, E2, R>(operation: string, read: () => Effect.Effect<A, E2, R>): Effect.Effect<A, E | E2, R> =>
    Effect.suspend((): Effect.Effect<A, E | E2, R> => {
      const attempted = attempt(read)
      return Result.isSuccess(attempted) ? attempted.success : Effect.fail(refusal(operation, attempted.failure))
    })

/** Makes a stream from a caller's input. */
export const stream = <E>(refusal: Refusal<E>) => {
  const reading = effect(refusal)
  return <A, E2, R>(operation: string, read: () => Stream.Stream<A, E2, R>): Stream.Stream<A, E | E2, R> =>
    Stream.unwrap(reading(operation, () => Effect.succeed(read())))
}
