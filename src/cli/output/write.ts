/**
 * Values on standard output, one per line. They go through `Stdio` rather than `Console`: a slow reader slows the stream
 * down, and a reader that went away (`| head`) ends it.
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import * as UndecodableItem from "../../UndecodableItem.ts"
import { JsonFlag } from "./jsonFlag.ts"

/** How a value is printed. */
export interface Format<A> {
  /** For people: a line, or several. Control characters in it are replaced. */
  readonly toText: (value: A) => Lines | Effect.Effect<Lines>
  /** Default: the value as JSON. */
  readonly toJson?: (value: A) => Effect.Effect<string>
  /** Which values are dimmed on a terminal with colours. Default: none. */
  readonly isDim?: (value: A) => boolean
  /** What is printed without `--json` and `--no-json`, if standard output is not a terminal. Default: text. */
  readonly piped?: "json"
}

type Lines = string | ReadonlyArray<string>

/** Prints each value as it comes. */
export const writeValues = Effect.fnUntraced(function*<A, E, R>(values: Stream.Stream<A, E, R>, format: Format<A>) {
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  const stdio = yield* Stdio.Stdio
  const { isDim = () => false, piped, toJson = (value) => Effect.sync(() => Json.text(value)), toText } = format
  const json = (yield* JsonFlag) ?? (piped === "json" && !(yield* stdio.stdoutIsTerminal))
  const toLine = (value: A) =>
    json
      ? Effect.map(toJson(value), Text.harmlessJson)
      : Effect.map(orEffect(toText(value)), (text) => {
        const lines = [text].flat().map(Text.harmless).join("\n")
        return canColor && isDim(value) ? `\u001b[2m${lines}\u001b[22m` : lines
      })
  yield* values.pipe(
    Stream.mapEffect(toLine),
    Stream.map((line) => `${line}\n`),
    Stream.run(stdio.stdout())
  )
})

const orEffect = (text: Lines | Effect.Effect<Lines>): Effect.Effect<Lines> =>
  Effect.isEffect(text) ? text : Effect.succeed(text)

/** Prints one value. */
export const writeValue = <A>(value: A, toText: (value: A) => Lines) => writeValues(Stream.succeed(value), { toText })

/** The text of a part of an answer that could not be decoded. */
export const undecodable = ({ issue, raw }: UndecodableItem.UndecodableItem): string =>
  `cannot be read (${issue}): ${Json.text(raw)}`

/** The text of a part of an answer, decoded or not. */
export const orUndecodable =
  <A>(toText: (value: A) => string) => (value: A | UndecodableItem.UndecodableItem): string =>
    UndecodableItem.isUndecodable(value) ? undecodable(value) : toText(value)

/** The code of the operating system, such as `ENOSPC`. */
export const codeOf = ({ reason: { cause } }: PlatformError.PlatformError): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** Whether a failure means that the reader closed standard output. */
export const isClosed = (error: PlatformError.PlatformError): boolean => codeOf(error) === "EPIPE"
