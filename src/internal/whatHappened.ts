/**
 * What happened to a request of which nobody knows what became of it, without the advice of its reason: "try again" is
 * wrong for a message that may have been taken.
 */
import * as Duration from "effect/Duration"
import * as Text from "./text.ts"

/** A duration as messages tell it. */
export const seconds = (duration: Duration.Duration): string => `${Math.ceil(Duration.toSeconds(duration))} s`

/** One sentence, for the reasons of both services. */
export const whatHappened = (
  reason:
    | { readonly _tag: "Transport" | "Unreachable"; readonly description: string }
    | { readonly _tag: "Timeout" | "NoAnswer"; readonly after: Duration.Duration }
    | { readonly _tag: "ServerFailure" | "ServiceFailure"; readonly status: number; readonly description: string }
    | { readonly _tag: "Malformed" | "Unreadable"; readonly status: number; readonly description: string }
): string => {
  switch (reason._tag) {
    case "Transport":
    case "Unreachable":
      return Text.sentence(reason.description)
    case "Timeout":
    case "NoAnswer":
      return `No answer within ${seconds(reason.after)}.`
    case "ServerFailure":
    case "ServiceFailure":
      return `The answer was ${reason.status}: ${Text.sentence(reason.description)}`
    case "Malformed":
    case "Unreadable":
      return `The answer (${reason.status}) cannot be read: ${Text.sentence(reason.description)}`
  }
}
