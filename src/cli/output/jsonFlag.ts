/**
 * The flag that every command has: whether its output is JSON.
 */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

/** `--json`, `--no-json`, or neither. */
export const JsonFlag = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDefault(undefined),
    Flag.withDescription(
      "Print one JSON object per line, or with --no-json text (default: text; for events and lists JSON, except on a terminal)"
    )
  )
})
