/**
 * How a command that failed is told: a line on standard error, and an exit code that scripts can use.
 */
import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { CursorStoreError } from "../../CursorStore.ts"
import * as ConnectFailure from "../../internal/connectFailure.ts"
import * as Failed from "../../internal/failure.ts"
import * as Text from "../../internal/text.ts"
import type { ListenFailed } from "../../node/Listener.ts"
import * as AppContext from "../../pubnub/AppContext.ts"
import * as MessageActions from "../../pubnub/MessageActions.ts"
import * as PubNubError from "../../pubnub/PubNubError.ts"
import * as Publish from "../../pubnub/Publish.ts"
import { SubscribeError } from "../../pubnub/SubscribeError.ts"
import { MessageOutcomeUnknown } from "../../symphony/Messages.ts"
import * as SymphonyError from "../../symphony/SymphonyError.ts"
import * as Output from "../output/write.ts"

/** Arguments, or input, that cannot be used. */
export class BadInput extends Failed.TaggedError<BadInput>("cli")("BadInput", { description: Schema.String }, {
  message: ({ description }) => description
}) {}

/** The operating system refused something: a port, a pipe. */
export class SystemFailure
  extends Failed.TaggedError<SystemFailure>("cli")("SystemFailure", { description: Schema.String }, {
    message: ({ description }) => description
  })
{}

/** A function threw that must not. */
export class Crash extends Failed.TaggedError<Crash>("cli")("Crash", { description: Schema.String }, {
  message: ({ description }) =>
    `A function threw that must not: ${description}. This is a bug of effect-herald: please report it.`
}) {}

/** What there is to say of a defect. A stack trace would be no line, and may hold an address with its token. */
export const crashOf = (defect: unknown): Crash => new Crash({ description: Text.ofDefect(defect) })

const Reportable = Schema.Union([
  BadInput,
  SystemFailure,
  Crash,
  Publish.MessageTooLarge,
  Publish.PublishOutcomeUnknown,
  MessageActions.ActionExists,
  MessageActions.ActionNotFound,
  MessageActions.ActionOfAnotherUser,
  MessageActions.ActionNotAnnounced,
  AppContext.ObjectNotFound,
  AppContext.ObjectChanged,
  AppContext.UpdateOutcomeUnknown,
  PubNubError.PubNubError,
  SubscribeError,
  CursorStoreError,
  SymphonyError.SymphonyError,
  MessageOutcomeUnknown
])
type Reportable = typeof Reportable.Type

/** All that a command can fail with. */
export type Failure =
  | Reportable
  | CliError.CliError
  | PlatformError.PlatformError
  | ListenFailed

const codes: {
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
  Transport: 4,
  NotFound: 6
}

const exitCode = (error: Reportable): number => {
  switch (error._tag) {
    // It is done, and to try again would be wrong.
    case "ActionNotAnnounced":
      return 0
    case "SystemFailure":
    case "Crash":
    case "CursorStoreError":
      return 1
    case "BadInput":
    case "MessageTooLarge":
      return 2
    case "ActionOfAnotherUser":
      return 3
    case "PubNubError":
    case "SymphonyError":
      return codes[error.reason._tag]
    case "SubscribeError":
      return codes[error.reason._tag === "Exhausted" ? error.reason.last._tag : error.reason._tag]
    case "PublishOutcomeUnknown":
    case "MessageOutcomeUnknown":
    case "UpdateOutcomeUnknown":
      return 5
    case "ActionExists":
    case "ActionNotFound":
    case "ObjectNotFound":
    case "ObjectChanged":
      return 6
  }
}

/** The message, and the flag or variable that gives the wrong setting. */
const messageOf = (error: Reportable): string => {
  const place = "reason" in error ? placeOf(error) : undefined
  return place === undefined ? error.message : `${error.message} Here it comes from ${place}.`
}

const placeOf = ({ _tag, reason }: Extract<Reportable, { readonly reason: object }>): string | undefined => {
  switch (reason._tag) {
    case "InvalidKey":
      return `--${reason.key}-key or PUBNUB_${reason.key.toUpperCase()}_KEY`
    case "Transport":
      return ConnectFailure.kindOf(reason.code) !== "PlainPort"
        ? undefined
        : _tag === "SymphonyError" || _tag === "MessageOutcomeUnknown"
        ? "--host, as http://name:port"
        : "--no-tls or PUBNUB_TLS=false"
    default:
      return undefined
  }
}

/** What there is to say of a failure. Nothing, if help was shown or nobody reads the output any more. */
const toReportable = (failure: Failure): Reportable | undefined => {
  if (CliError.isCliError(failure)) {
    if (failure._tag !== "ShowHelp") return new BadInput({ description: failure.message })
    const wrong = failure.errors.map((error) => error.message.replaceAll(/\s+/g, " ")).join("; ")
    return wrong === ""
      ? undefined
      : new BadInput({ description: `${wrong}. See ${failure.commandPath.join(" ")} --help` })
  }
  if (failure._tag === "PlatformError" && Output.isClosed(failure)) return undefined
  return failure._tag === "PlatformError" || failure._tag === "ListenFailed"
    ? new SystemFailure({ description: failure.message })
    : failure
}

const encode = Schema.encodeEffect(Schema.toCodecJson(Reportable))

/** A command that failed and was reported: what is left is the exit code, which `runMain` reads. */
export class Reported extends Schema.TaggedError<Reported>("effect-herald/cli/Reported")("Reported", {
  exitCode: Schema.Int
}) {
  override readonly [Runtime.errorExitCode] = this.exitCode
  override readonly [Runtime.errorReported] = false
}

/** Tells a failure on standard error, and leaves its exit code. */
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
      ? Text.harmlessJson(JSON.stringify({ error: yield* Effect.orDie(encode(error)), message, exitCode: code }))
      : `herald: ${Text.harmless(message)}`
  )
  if (code !== 0) return yield* new Reported({ exitCode: code })
})
