/**
 * Reports a failure: one line on standard error, and an exit code for scripts.
 */
import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Text from "../../internal/text.ts"
import * as Lengths from "../output/lengths.ts"
import { codeOf, isClosed } from "../output/write.ts"
import { exitCode } from "./code.ts"
import { BadInput, type Failure, Reportable, SystemFailure } from "./failure.ts"
import { messageOf } from "./message.ts"

/** The failure to report. None if help was shown, or if the reader closed the output. */
const toReportable = (failure: Failure): Reportable | undefined => {
  if (CliError.isCliError(failure)) {
    if (failure._tag !== "ShowHelp") return new BadInput({ description: failure.message })
    const wrong = failure.errors.map((error) =>
      error.message.replaceAll(/\s+/g, " ").replace("Expected: Schema validation failed: ", "")
    ).join("; ")
    return wrong === ""
      ? undefined
      : new BadInput({ description: `${wrong}. See ${failure.commandPath.join(" ")} --help` })
  }
  if (failure._tag === "PlatformError") {
    if (isClosed(failure)) return undefined
    const code = codeOf(failure)
    const isUnknown = failure.reason._tag === "Unknown" && code !== undefined
    return new SystemFailure({ description: isUnknown ? `${failure.message}: ${code}` : failure.message })
  }
  return failure._tag === "ListenFailed" ? new SystemFailure({ description: failure.message }) : failure
}

const encode = Schema.encodeEffect(Schema.toCodecJson(Reportable))

/** A failure that was reported. `runMain` reads its exit code. */
export class Reported extends Schema.TaggedError<Reported>("effect-herald/cli/Reported")("Reported", {
  exitCode: Schema.Int
}) {
  override readonly [Runtime.errorExitCode] = this.exitCode
  override readonly [Runtime.errorReported] = false
}

/** Writes a failure to standard error, and fails with its exit code. */
export const report = Effect.fnUntraced(function*(
  failure: Failure,
  options: { readonly json: boolean }
): Effect.fn.Return<void, Reported> {
  const error = toReportable(failure)
  if (error === undefined) return
  const message = messageOf(error)
  const code = exitCode(error)
  yield* Console.error(
    options.json
      ? Text.harmlessJson(
        JSON.stringify({ error: Lengths.inMillis(yield* Effect.orDie(encode(error))), message, exitCode: code })
      )
      : `herald: ${Text.harmless(message)}`
  )
  if (code !== 0) return yield* new Reported({ exitCode: code })
})
