/**
 * Lines on standard output. They go through `Stdio` rather than `Console`: a slow reader holds the stream back, and a
 * reader that left (`| head`) is a failure that ends it.
 */
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import { Root } from "../pubnub/keyset.ts"

/** Writes each element as a line, as it comes. */
export const writeLines = <E, R>(
  lines: Stream.Stream<string, E, R>
): Effect.Effect<void, E | PlatformError.PlatformError, R | Stdio.Stdio> =>
  Stdio.Stdio.use((stdio) => Stream.run(Stream.map(lines, (line) => `${guarded(line)}\n`), stdio.stdout()))

/** Lines of our own, and our own colour: dim, and the end of it. */
// oxlint-disable-next-line no-control-regex
const ours = /(\n|\u001b\[22?m)/

/** A line without what would speak to the terminal. JSON still means the same: it is for programs. */
const guarded = (line: string): string =>
  line.startsWith("{")
    ? Text.harmlessJson(line)
    : line.split(ours).map((part, index) => index % 2 === 0 ? Text.harmless(part) : part).join("")

/** What cannot be read of an answer. */
export const undecodable = ({ issue, raw }: { readonly issue: string; readonly raw: unknown }): string =>
  `cannot be read (${issue}): ${Json.text(raw)}`

/** Writes one line. */
export const writeLine = (line: string) => writeLines(Stream.succeed(line))

/** Writes each value as a line: for people on a terminal, as JSON elsewhere, and as `--json` and `--no-json` say. */
export const writeValues = Effect.fnUntraced(function*<A, E, R>(
  values: Stream.Stream<A, E, R>,
  format: { readonly toText: (value: A) => string; readonly toJson: (value: A) => string }
) {
  const { json } = yield* Root
  const stdio = yield* Stdio.Stdio
  yield* writeLines(Stream.map(values, json ?? !(yield* stdio.stdoutIsTerminal) ? format.toJson : format.toText))
})

/** Whether a failure is that nobody reads standard output any more. */
export const isClosed = (error: PlatformError.PlatformError): boolean => {
  const { cause } = error.reason
  return cause instanceof Error && "code" in cause && cause.code === "EPIPE"
}
