/** Encodes and checks times. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Input from "../../../internal/input.ts"

type Time = DateTime.DateTime.Input | undefined

/** The milliseconds of a time, if it is given and valid. */
export const millisOf = (input: Time): number | undefined => {
  // A JavaScript caller may pass anything.
  const time = input === undefined ? undefined : Result.getOrUndefined(Result.try(() => DateTime.make(input)))
  const millis = time === undefined || Option.isNone(time) ? Number.NaN : DateTime.toEpochMillis(time.value)
  return millis >= 0 ? Math.floor(millis) : undefined
}

/** The same as a query parameter. */
export const parameter = (input: Time): string | undefined => millisOf(input)?.toString()

/** Checks an optional time. */
export const check = (input: Time): Input.Problem =>
  input === undefined || millisOf(input) !== undefined ? undefined : "is not a time since 1970"

/** The order of a list by time. */
export const order = Input.oneOf(["newestFirst", "oldestFirst"])
