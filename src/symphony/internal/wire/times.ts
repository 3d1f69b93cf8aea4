/** Times as the service wants them. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Input from "../../../internal/input.ts"

type Time = DateTime.DateTime.Input | undefined

/** The milliseconds of a time, or nothing where there is none. */
export const millisOf = (input: Time): number | undefined => {
  // A caller without the compiler may pass anything.
  const time = input === undefined ? undefined : Result.getOrUndefined(Result.try(() => DateTime.make(input)))
  const millis = time === undefined || Option.isNone(time) ? Number.NaN : DateTime.toEpochMillis(time.value)
  return millis >= 0 ? Math.floor(millis) : undefined
}

/** The same as a parameter. */
export const parameter = (input: Time): string | undefined => millisOf(input)?.toString()

/** A time that the service can be asked for, or none. */
export const check = (input: Time): Input.Problem =>
  input === undefined || millisOf(input) !== undefined ? undefined : "is not a time since 1970"

/** The order of a list by time. */
export const order = Input.oneOf(["newestFirst", "oldestFirst"])
