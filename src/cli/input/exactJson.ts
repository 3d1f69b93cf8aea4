/**
 * JSON of the command line: an integer that JavaScript would round is refused.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Json from "../../internal/json.ts"
import { BadInput } from "../exit/failure.ts"

export interface Parsed {
  readonly value: Schema.Json
  /** An integer that JavaScript cannot hold. */
  readonly rounded: string | undefined
}

/** The value, and whether it is what was written. */
export const parse = (text: string): Result.Result<Parsed, string> =>
  Result.map(Json.parse(text), (value) => ({
    value,
    rounded: Json.longIntegers(text).find(({ digits }) => !Number.isSafeInteger(Number(digits)))?.digits
  }))

/** The value, if it is. */
export const exact = ({ rounded, value }: Parsed): Effect.Effect<Schema.Json, BadInput> =>
  rounded === undefined
    ? Effect.succeed(value)
    : Effect.fail(
      new BadInput({ description: `The number ${rounded} would be rounded: send it as a string, in quotes` })
    )
