/** What a client meets when an emulator is restarted. */
import * as Schema from "effect/Schema"

/**
 * The connection of a request was cut before its answer, by `restart`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionReset extends Schema.TaggedError<ConnectionReset>("effect-herald/testing/ConnectionReset")(
  "ConnectionReset",
  {}
) {
  override get message() {
    return "the emulator was restarted while this request waited for its answer"
  }
}
