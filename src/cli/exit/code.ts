/**
 * The exit code of each failure. `herald --help` and `docs/reference/commands.md` list what the codes mean.
 */
import type * as PubNubError from "../../pubnub/PubNubError.ts"
import type * as SymphonyError from "../../symphony/SymphonyError.ts"
import type { Reportable } from "./failure.ts"

/** The text about exit codes in `herald --help`. */
export const meanings = "Exit codes: 0 done; 1 unexpected; 2 wrong input; 3 refused (access, key, add-on); " +
  "4 the network or the service failed, and no message was sent; 5 sent, but the outcome is unknown; " +
  "6 nothing was done: not found, exists already, or changed meanwhile; 130 interrupted by Ctrl-C or SIGTERM."

const byReason: {
  readonly [K in PubNubError.Reason["_tag"] | SymphonyError.Reason["_tag"] | "Defect" | "InboxOverflow"]: number
} = {
  Defect: 1,
  BadRequest: 2,
  AccessDenied: 3,
  Blocked: 3,
  FeatureDisabled: 3,
  InvalidKey: 3,
  Unauthorized: 3,
  EmptySubscription: 4,
  InboxOverflow: 4,
  Malformed: 4,
  RateLimited: 4,
  ServerFailure: 4,
  Timeout: 4,
  TokenUnavailable: 3,
  Transport: 4,
  NotFound: 6
}

/** The exit code of a failure. */
export const exitCode = (error: Reportable): number => {
  switch (error._tag) {
    // The change was made: a script must not repeat it.
    case "ActionNotAnnounced":
      return 0
    case "SystemFailure":
    case "Crash":
    case "CursorStoreError":
    case "ContentFailed":
    case "Undecryptable":
    case "FleetError":
      return 1
    case "ProblemsFound":
      return error.code
    case "BadInput":
    case "MessageTooLarge":
    case "FileTooLarge":
      return 2
    case "ActionOfAnotherUser":
      return 3
    case "StorageRefused":
    case "DownloadCut":
      return 4
    case "FileNotAnnounced":
    case "PubNubError":
    case "SymphonyError":
      return byReason[error.reason._tag]
    case "SubscribeError":
      return byReason[error.reason._tag === "Exhausted" ? error.reason.last._tag : error.reason._tag]
    case "PublishOutcomeUnknown":
    case "AnnouncementOutcomeUnknown":
    case "MessageOutcomeUnknown":
    case "UpdateOutcomeUnknown":
      return 5
    case "ActionExists":
    case "ActionNotFound":
    case "FileNotFound":
    case "ObjectNotFound":
    case "ObjectChanged":
      return 6
  }
}
