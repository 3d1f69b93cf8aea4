/**
 * Reading and writing with schemas, of ours and of users, when the input is foreign. A schema may throw: a transformation
 * calls `BigInt("x")`, a recursive one overflows the stack. That is an answer like any other here, in a bounded sentence.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Text from "./text.ts"
import * as Usual from "./usual.ts"

/** What is wrong with a value. It may quote what others wrote. */
export const issueOf = (error: Schema.SchemaError): string => {
  try {
    return Text.bounded(error.message)
  } catch {
    // The path to the place is too long to be told.
    return "it does not match, many levels deep"
  }
}

const thrown = (defect: unknown): string => `its schema threw ${Text.ofDefect(defect)}`

const orSentence = <A, R>(effect: Effect.Effect<A, Schema.SchemaError, R>): Effect.Effect<A, string, R> =>
  effect.pipe(
    Effect.mapError(issueOf),
    Effect.catchDefect((defect) => Effect.fail(thrown(defect)))
  )

/** Reads what a schema's own encoded form is, or fails with a sentence. */
export const decode = <A, RD>(
  schema: Schema.ConstraintDecoder<A, RD>
): (input: unknown) => Effect.Effect<A, string, RD> => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (input) => orSentence(Effect.suspend(() => decode(input)))
}

/** The same at once, for a schema that needs nothing. What `JSON.parse` gave is read by the schema's check where it is usual. */
export const decodeResult = <A>(schema: Schema.ConstraintDecoder<A>): (input: unknown) => Result.Result<A, string> => {
  const check = Usual.of(schema)
  const bySchema = decodeBySchema(schema)
  return (input) => {
    const value = check?.(input)
    return isUsual(schema, value) ? Result.succeed(value) : bySchema(input)
  }
}

// That a check gives what its schema gives is shown by tests.
const isUsual = <A>(_schema: Schema.ConstraintDecoder<A>, value: unknown): value is A =>
  value !== Usual.unusual && value !== undefined

/** Decodes by the schema alone. */
export const decodeBySchema = <A>(
  schema: Schema.ConstraintDecoder<A>
): (input: unknown) => Result.Result<A, string> => {
  const decode = Schema.decodeUnknownExit(schema)
  return (input) =>
    Exit.match(decode(input), {
      onSuccess: (value) => Result.succeed(value),
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        return Result.fail(Schema.isSchemaError(error) ? issueOf(error) : thrown(error))
      }
    })
}

/** Writes a schema's encoded form, or fails with a sentence. */
export const encode = <A, I, RE>(
  schema: Schema.ConstraintCodec<A, I, unknown, RE>
): (input: unknown) => Effect.Effect<I, string, RE> => {
  const encode = Schema.encodeUnknownEffect(schema)
  return (input) => orSentence(Effect.suspend(() => encode(input)))
}
