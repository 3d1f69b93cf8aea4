/**
 * What a long command is doing, for a person who waits: on standard error, and only if that is a terminal.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Text from "../../internal/text.ts"

/** Prints one line. */
export const say = Effect.fnUntraced(function*(text: string) {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  if (yield* stderrIsTerminal) yield* Console.error(Text.harmless(text))
})
