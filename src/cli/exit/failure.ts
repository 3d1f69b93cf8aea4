/**
 * The failures of commands.
 */
import type * as CliError from "effect/cli/CliError"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { CursorStoreError } from "../../CursorStore.ts"
import { FleetError } from "../../fleet/FleetError.ts"
import * as Failed from "../../internal/failure.ts"
import * as Text from "../../internal/text.ts"
import type { ListenFailed } from "../../node/Listener.ts"
import * as AppContext from "../../pubnub/AppContext.ts"
import { Undecryptable } from "../../pubnub/Encryption.ts"
import * as Files from "../../pubnub/Files.ts"
import * as MessageActions from "../../pubnub/MessageActions.ts"
import * as PubNubError from "../../pubnub/PubNubError.ts"
import * as Publish from "../../pubnub/Publish.ts"
import { SubscribeError } from "../../pubnub/SubscribeError.ts"
import { MessageOutcomeUnknown } from "../../symphony/Messages.ts"
import * as SymphonyError from "../../symphony/SymphonyError.ts"

/** Wrong arguments or wrong input. */
export class BadInput extends Failed.TaggedError<BadInput>("cli")("BadInput", { description: Schema.String }, {
  message: ({ description }) => description
}) {}

/** The operating system refused something: a port, a pipe. */
export class SystemFailure
  extends Failed.TaggedError<SystemFailure>("cli")("SystemFailure", { description: Schema.String }, {
    message: ({ description }) => description
  })
{}

/** `doctor` found problems, which it printed. */
export class ProblemsFound extends Failed.TaggedError<ProblemsFound>("cli")("ProblemsFound", {
  count: Schema.Int,
  /** The exit code of the first one. */
  code: Schema.Int
}, {
  message: ({ count }) => count === 1 ? "There is a problem" : `There are ${count} problems`
}) {}

/** A function threw: a bug. */
export class Crash extends Failed.TaggedError<Crash>("cli")("Crash", { description: Schema.String }, {
  message: ({ description }) => `A function threw: ${description}. This is a bug of effect-herald: please report it.`
}) {}

/** A defect as a failure. Its stack trace has many lines, and may hold an address with a token: it is left out. */
export const crashOf = (defect: unknown): Crash => new Crash({ description: Text.ofDefect(defect) })

/** The failures that have a code of their own. */
export const Reportable = Schema.Union([
  BadInput,
  SystemFailure,
  ProblemsFound,
  Crash,
  Publish.MessageTooLarge,
  Publish.PublishOutcomeUnknown,
  MessageActions.ActionExists,
  MessageActions.ActionNotFound,
  MessageActions.ActionOfAnotherUser,
  MessageActions.ActionNotAnnounced,
  Files.FileTooLarge,
  Files.FileNotAnnounced,
  Files.AnnouncementOutcomeUnknown,
  Files.StorageRefused,
  Files.ContentFailed,
  Files.FileNotFound,
  Files.DownloadCut,
  Undecryptable,
  AppContext.ObjectNotFound,
  AppContext.ObjectChanged,
  AppContext.UpdateOutcomeUnknown,
  PubNubError.PubNubError,
  SubscribeError,
  CursorStoreError,
  FleetError,
  SymphonyError.SymphonyError,
  MessageOutcomeUnknown
])
export type Reportable = typeof Reportable.Type

/** All failures of commands. */
export type Failure =
  | Reportable
  | CliError.CliError
  | PlatformError.PlatformError
  | ListenFailed
