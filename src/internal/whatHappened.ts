/**
 * Describes a request with an unknown outcome, without the advice of its reason: "try again" is wrong for a message that the
 * service may have accepted.
 */
import * as Duration from "effect/Duration"
import * as Text from "./text.ts"

/** A duration as messages show it. */
export const seconds = (duration: Duration.Duration): string => `${Math.ceil(Duration.toSeconds(duration))} s`

/** One sentence. */
export const whatHappened = (
  reason:
    | { readonly _tag: "Transport"; readonly description: string }
    | { readonly _tag: "Timeout"; readonly after: Duration.Duration }
    | { readonly _tag: "ServerFailure" | "Malformed"; readonly status: number; readonly description: string }
): string => {
  switch (reason._tag) {
    case "Transport":
      return Text.sentence(reason.description)
    case "Timeout":
      return `The service did not answer within ${seconds(reason.after)}.`
    case "ServerFailure":
      return `The answer was ${reason.status}: ${Text.sentence(reason.description)}`
    case "Malformed":
      return `The answer (${reason.status}) cannot be read: ${Text.sentence(reason.description)}`
  }
}
