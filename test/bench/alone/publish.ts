/** The same with an error that is a schema, a payload encoded with the caller's schema, and an answer decoded with one. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { told } from "./told.ts"

export { layer } from "./told.ts"

export class Failure extends Schema.TaggedError<Failure>("alone/Failure")("Failure", {
  status: Schema.Int,
  description: Schema.String
}) {}

const Answer = Schema.fromJsonString(Schema.Tuple([Schema.Literal(1), Schema.String, Schema.String]))

export const publish = <A, R>(channel: string, message: A, schema: Schema.ConstraintEncoder<A, R>) =>
  Effect.gen(function*() {
    const payload = JSON.stringify(yield* Schema.encodeEffect(schema)(message))
    const text = yield* told(`/publish/${encodeURIComponent(channel)}/${encodeURIComponent(payload)}`)
    return yield* Schema.decodeUnknownEffect(Answer)(text)
  }).pipe(Effect.mapError((error) => new Failure({ status: 0, description: String(error) })))
