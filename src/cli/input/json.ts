/**
 * JSON from arguments and from standard input.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Json from "../../internal/json.ts"
import { BadInput } from "../exit/failure.ts"

/** Reads JSON. `undefined` if the text is not JSON. Refuses an integer that JavaScript would round. */
export const parseJson = (text: string): Effect.Effect<Schema.Json | undefined, BadInput> =>
  Result.match(Json.parse(text), {
    onFailure: () => Effect.undefined,
    onSuccess: (value) => {
      const rounded = Json.longIntegers(text).find(({ digits }) => !Number.isSafeInteger(Number(digits)))
      return rounded === undefined
        ? Effect.succeed(value)
        : Effect.fail(
          new BadInput({ description: `The number ${rounded.digits} would be rounded: send it as a string, in quotes` })
        )
    }
  })
