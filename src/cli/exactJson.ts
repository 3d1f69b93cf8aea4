/**
 * JSON of the command line: an integer that JavaScript would round is refused.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { BadInput } from "./failure.ts"

export interface Parsed {
  readonly value: Schema.Json
  /** An integer that JavaScript cannot hold. */
  readonly rounded: string | undefined
}

/** The value, and whether it is what was written. */
export const parse = (text: string): Result.Result<Parsed, unknown> =>
  Result.try(() => {
    let rounded: string | undefined
    const value: Schema.Json = JSON.parse(text, (_, part: unknown, context?: { readonly source?: string }) => {
      if (typeof part === "number" && !Number.isSafeInteger(part) && /^-?\d+$/.test(context?.source ?? "")) {
        rounded = context?.source
      }
      return part
    })
    return { value, rounded }
  })

/** The value, if it is. */
export const exact = ({ rounded, value }: Parsed): Effect.Effect<Schema.Json, BadInput> =>
  rounded === undefined
    ? Effect.succeed(value)
    : Effect.fail(
      new BadInput({ description: `The number ${rounded} would be rounded: send it as a string, in quotes` })
    )
