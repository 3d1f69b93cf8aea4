/**
 * Who publishes, subscribes and is present.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The id that an application gives to one user or device, the same every time that user connects. The service
 * requires one; blank text is none.
 *
 * @category models
 * @since 0.1.0
 */
export const UserId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/\S/, { expected: "a user id that is not blank" }))
)

/**
 * @category models
 * @since 0.1.0
 */
export type UserId = typeof UserId.Type
