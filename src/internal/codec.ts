/**
 * Decodes and encodes foreign values with schemas of this library and of users. A schema may throw: a transformation calls
 * `BigInt("x")`, a recursive one overflows the stack. Here that is a failure like any other, with a sentence of limited length.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Text from "./text.ts"
import * as Usual from "./usual.ts"

/** What is wrong with a value. It may quote foreign text. */
export const issueOf = (error: Schema.SchemaError): string => {
  try {
    return Text.bounded(error.message)
  } catch {
    // The path to the problem is too long to show.
    return "it does not match, many levels deep"
  }
}

const thrown = (defect: unknown): string => `its schema threw ${Text.ofDefect(defect)}`

// Most schemas need no fiber: they give an `Exit`, which stays one. The steps of a fiber would cost more than the schema.
const orSentence = <A, R>(run: () => Effect.Effect<A, Schema.SchemaError, R>): Effect.Effect<A, string, R> => {
  try {
    const effect = Effect.mapErrorEager(run(), issueOf)
    return Exit.isExit(effect) && !Exit.hasDies(effect)
      ? effect
      : Effect.catchDefect(effect, (defect) => Effect.fail(thrown(defect)))
  } catch (defect) {
    return Exit.fail(thrown(defect))
  }
}

/** Decodes the encoded form of a schema, or fails with a sentence. */
export const decode = <A, RD>(
  schema: Schema.ConstraintDecoder<A, RD>
): (input: unknown) => Effect.Effect<A, string, RD> => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (input) => orSentence(() => decode(input))
}

/** The same without an Effect, for a schema without services. Reads the usual results of `JSON.parse` with the check of the schema. */
export const decodeResult = <A>(schema: Schema.ConstraintDecoder<A>): (input: unknown) => Result.Result<A, string> => {
  const check = Usual.of(schema)
  const bySchema = decodeBySchema(schema)
  return (input) => {
    const value = check?.(input)
    return isUsual(schema, value) ? Result.succeed(value) : bySchema(input)
  }
}

// Tests show that a check gives the same value as its schema.
const isUsual = <A>(_schema: Schema.ConstraintDecoder<A>, value: unknown): value is A =>
  value !== Usual.unusual && value !== undefined

/** Decodes with the schema alone. */
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

/** Encodes a value with a schema, or fails with a sentence. */
export const encode = <A, I, RE>(
  schema: Schema.ConstraintCodec<A, I, unknown, RE>
): (input: unknown) => Effect.Effect<I, string, RE> => {
  const encode = Schema.encodeUnknownEffect(schema)
  return (input) => orSentence(() => encode(input))
}
