/**
 * What a long command is doing, for a person who waits: on standard error, and only if that is a terminal.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Text from "../../internal/text.ts"

/** Prints one line. */
export const say = Effect.fnUntraced(function*(text: string) {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  if (yield* stderrIsTerminal) yield* Console.error(Text.harmless(text))
})

/**
 * Shows every second how many values came, in one line that is cleared at the end. It shows nothing if the values themselves
 * go to a terminal.
 */
export const counting = <A, E, R>(values: Stream.Stream<A, E, R>): Stream.Stream<A, E, R | Stdio.Stdio> =>
  Stream.unwrap(Effect.gen(function*() {
    const stdio = yield* Stdio.Stdio
    if (!(yield* stdio.stderrIsTerminal) || (yield* stdio.stdoutIsTerminal)) return values
    let count = 0
    const show = (text: string) =>
      Effect.ignore(Stream.run(Stream.succeed(`\r\u001b[K${text}`), stdio.stderr({ endOnDone: false })))
    yield* Effect.addFinalizer(() => show(""))
    yield* Effect.suspend(() => show(String(count))).pipe(
      Effect.delay("1 second"),
      Effect.repeat(Schedule.forever),
      Effect.forkScoped
    )
    return Stream.tap(values, () => Effect.sync(() => count++))
  }))
