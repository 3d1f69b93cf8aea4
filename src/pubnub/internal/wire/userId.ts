/** The id of a user, as it comes from the service. */
import * as Schema from "effect/Schema"

/** Text of a user id: not empty, not only white space. */
export const notBlank = /\S/

/** The service requires an id, and a blank one is none. */
export const UserId = Schema.String.pipe(
  Schema.check(Schema.isPattern(notBlank, { expected: "a user id that is not blank" }))
)
