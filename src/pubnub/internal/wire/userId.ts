/** The id of a user, as it comes from the service. */
import * as Schema from "effect/Schema"

/** The service requires an id, and a blank one is none. */
export const UserId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/\S/, { expected: "a user id that is not blank" }))
)
