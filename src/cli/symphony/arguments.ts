/**
 * Ids of streams and messages on the command line.
 */
import * as Argument from "effect/cli/Argument"

export const streamId = Argument.String("stream").pipe(Argument.withDescription("The id of the stream"))

export const messageId = Argument.String("message").pipe(Argument.withDescription("The id of the message"))
