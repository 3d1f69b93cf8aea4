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
import * as Text from "../../internal/text.ts"
import type { ListenFailed } from "../../node/PubNubEmulatorServer.ts"
import * as AppContext from "../../pubnub/AppContext.ts"
import * as MessageActions from "../../pubnub/MessageActions.ts"
import * as PubNubError from "../../pubnub/PubNubError.ts"
import * as Publish from "../../pubnub/Publish.ts"
import { SubscribeError } from "../../pubnub/SubscribeError.ts"
import { MessageOutcomeUnknown } from "../../symphony/Messages.ts"
import * as SymphonyError from "../../symphony/SymphonyError.ts"
import * as Output from "../output/lines.ts"

/** Arguments, or input, that cannot be used. */
export class BadInput extends Schema.TaggedError<BadInput>("effect-herald/cli/BadInput")("BadInput", {
  description: Schema.String
}) {
  override get message(): string {
    return this.description
  }
}

/** The operating system refused something: a port, a pipe. */
export class SystemFailure extends Schema.TaggedError<SystemFailure>("effect-herald/cli/SystemFailure")(
  "SystemFailure",
  { description: Schema.String }
) {
  override get message(): string {
    return this.description
  }
}

/** A function threw that must not. */
export class Crash extends Schema.TaggedError<Crash>("effect-herald/cli/Crash")("Crash", {
  description: Schema.String
}) {
  override get message(): string {
    return `A function threw that must not: ${this.description}. This is a bug of effect-herald: please report it.`
  }
}

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
  MessageActions.PartialFailure,
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

const codes: { readonly [K in PubNubError.Reason["_tag"] | "Defect" | "InboxOverflow"]: number } = {
  Defect: 1,
  InboxOverflow: 4,
  BadRequest: 2,
  AccessDenied: 3,
  InvalidKey: 3,
  FeatureDisabled: 3,
  EmptySubscription: 4,
  Transport: 4,
  Timeout: 4,
  RateLimited: 4,
  ServerFailure: 4,
  Malformed: 4
}

const symphonyCodes: { readonly [K in SymphonyError.Reason["_tag"]]: number } = {
  InvalidRequest: 2,
  Unauthorized: 3,
  Forbidden: 3,
  Blocked: 3,
  Unreachable: 4,
  NoAnswer: 4,
  Throttled: 4,
  ServiceFailure: 4,
  Unreadable: 4,
  NotFound: 6
}

const exitCode = (error: Reportable): number => {
  switch (error._tag) {
    // It is done, and to try again would be wrong.
    case "PartialFailure":
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
      return codes[error.reason._tag]
    case "SubscribeError":
      return codes[error.reason._tag === "Exhausted" ? error.reason.last._tag : error.reason._tag]
    case "SymphonyError":
      return symphonyCodes[error.reason._tag]
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

/** The message, and where the setting that is wrong comes from here. */
const messageOf = (error: Reportable): string => {
  const place = "reason" in error ? placeOf(error.reason) : undefined
  return place === undefined ? error.message : `${error.message} Here it comes from ${place}.`
}

const placeOf = (reason: Extract<Reportable, { readonly reason: object }>["reason"]): string | undefined => {
  switch (reason._tag) {
    case "InvalidKey":
      return `--${reason.key}-key or PUBNUB_${reason.key.toUpperCase()}_KEY`
    case "Transport":
      return ConnectFailure.kindOf(reason.code) === "PlainPort" ? "--no-tls or PUBNUB_TLS=false" : undefined
    case "Unreachable":
      return ConnectFailure.kindOf(reason.code) === "PlainPort" ? "--host, as http://name:port" : undefined
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
