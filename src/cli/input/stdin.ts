/**
 * Standard input.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** The text of standard input. On a terminal, it prints how to end the input. */
export const stdin = (hint: string) =>
  Stream.unwrap(Effect.gen(function*() {
    const stdio = yield* Stdio.Stdio
    if (yield* stdio.stdinIsTerminal) yield* Console.error(hint)
    return Stream.decodeText(stdio.stdin)
  }))
