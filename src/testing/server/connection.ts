/** The failure of requests that wait when an emulator restarts. */
import * as Schema from "effect/Schema"

/**
 * `restart` reset the connection of a request that waited for its answer.
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
