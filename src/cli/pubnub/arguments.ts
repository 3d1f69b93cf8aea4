/**
 * Names of channels, groups and users on the command line.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Inputs from "../input/flags.ts"

export const channel = Argument.String("channel").pipe(Argument.withDescription("The channel"))

/** A minimum number of channels. */
export const channels = (min: number, description = "Channels") =>
  Argument.String("channels").pipe(Argument.variadic({ min }), Argument.withDescription(description))

export const groups = Inputs.texts("group", "A channel group.").pipe(Flag.withAlias("g"))

/** The user whose data a command reads or writes. */
export const user = Inputs.text("user", "The user (default: --user-id)", "name")
