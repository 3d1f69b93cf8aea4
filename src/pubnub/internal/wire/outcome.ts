/**
 * Whether a write that failed may have been carried out. Not, where no connection existed, and where the service itself
 * says that it refused; anything else is not known.
 */
import * as Result from "effect/Result"
import * as PubNubError from "../../PubNubError.ts"

/** What leaves the outcome open. */
export const Unknown = [
  PubNubError.Transport,
  PubNubError.Timeout,
  PubNubError.ServerFailure,
  PubNubError.Malformed
] as const

export type Unknown = InstanceType<typeof Unknown[number]>

/** What says that nothing was done. A time-out never does, and what only a subscribe can answer is a plain refusal. */
export type Refusal = Exclude<PubNubError.Reason, PubNubError.Timeout | PubNubError.EmptySubscription>

export const judge = (reason: PubNubError.Reason): Result.Result<Refusal, Unknown> => {
  switch (reason._tag) {
    case "Transport":
      return reason.sent ? Result.fail(reason) : Result.succeed(reason)
    case "Timeout":
      return Result.fail(reason)
    case "ServerFailure":
      // It may have given up on what it began.
      return reason.answeredBy === "intermediary" || reason.status === 504 || reason.status < 500
        ? Result.fail(reason)
        : Result.succeed(reason)
    case "Malformed":
      return reason.status < 300 ? Result.fail(reason) : Result.succeed(reason)
    case "EmptySubscription":
      return Result.succeed(
        new PubNubError.BadRequest({ status: reason.status, description: reason.description, details: [] })
      )
    default:
      return Result.succeed(reason)
  }
}
