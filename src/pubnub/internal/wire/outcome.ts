/**
 * Judges whether the service may have carried out a write that failed. It did not if there was no connection, or if the
 * service itself refused. In all other cases the outcome is unknown.
 */
import * as Result from "effect/Result"
import * as PubNubError from "../../PubNubError.ts"

/** The reasons that leave the outcome unknown. */
export const Unknown = [
  PubNubError.Transport,
  PubNubError.Timeout,
  PubNubError.ServerFailure,
  PubNubError.Malformed
] as const

export type Unknown = InstanceType<typeof Unknown[number]>

/** The reasons that say that nothing was done. A `Timeout` never does. A write cannot have `EmptySubscription`. */
export type Refusal = Exclude<PubNubError.Reason, PubNubError.Timeout | PubNubError.EmptySubscription>

export const judge = (reason: PubNubError.Reason): Result.Result<Refusal, Unknown> => {
  switch (reason._tag) {
    case "Transport":
      return reason.sent ? Result.fail(reason) : Result.succeed(reason)
    case "Timeout":
      return Result.fail(reason)
    case "ServerFailure":
      // The service may have started the work before it gave up.
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
