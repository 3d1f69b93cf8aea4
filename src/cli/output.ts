/**
 * Lines on standard output. They go through `Stdio` rather than `Console`: a slow reader holds the stream back, and a
 * reader that left (`| head`) is a failure that ends it.
 */
import type * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** Writes each element as a line, as it comes. */
export const writeLines = <E, R>(
  lines: Stream.Stream<string, E, R>
): Effect.Effect<void, E | PlatformError.PlatformError, R | Stdio.Stdio> =>
  Stdio.Stdio.use((stdio) => Stream.run(Stream.map(lines, (line) => `${line}\n`), stdio.stdout()))

/** Writes one line. */
export const writeLine = (line: string) => writeLines(Stream.succeed(line))

/** Whether a failure is that nobody reads standard output any more. */
export const isClosed = (error: PlatformError.PlatformError): boolean => {
  const { cause } = error.reason
  return cause instanceof Error && "code" in cause && cause.code === "EPIPE"
}
