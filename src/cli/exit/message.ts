/**
 * The message of a failure in the words of the command line: flags and arguments rather than options.
 */
import * as String_ from "effect/String"
import * as Reason from "../../Reason.ts"
import type { Reportable } from "./failure.ts"

/** The message of a failure. Its advice names the flag or variable that gives the wrong setting. */
export const messageOf = (error: Reportable): string => {
  // Its advice is an option that the command line does not have.
  if (error._tag === "MessageTooLarge") return error.message.replace(/ If the keyset allows more.*$/s, "")
  if (!("reason" in error)) return error.message
  if (error.reason._tag === "BadRequest" && error.reason.status === undefined) {
    const { description, details, message } = error.reason
    const one = "operation" in error ? oneOf[error.operation.split(".")[0] ?? ""] : undefined
    const isGrant = "operation" in error && error.operation === "Access.grant"
    const isFile = "operation" in error && (error.operation === "Files.download" || error.operation === "Files.remove")
    const toInput = (option: string) => {
      if (isGrant) return ofGrant[option] ?? inputOf(option)
      // The configuration has the user of the keyset. Requests about a user have `--user`.
      if (option === "userId" && description === "The configuration is not valid") return "--user-id"
      return option === "id" && one !== undefined ? one : isFile && option === "name" ? option : inputOf(option)
    }
    const inFlags = details.map((detail) => ({
      ...detail,
      ...detail.location !== undefined && {
        // A flag sets the same field of all members or memberships.
        location: detail.location.replace(/^(?:(?:users|channels)\[\d+\]|device)\.(?=\w)/, "")
          .replace(/^(patterns\.)?\w+/, toInput)
      },
      message: detail.message
        .replace(/(?<=^and )groups\b|(?<= than )since$|(?<=^is given beside )\w+/, inputOf)
        .replace("which tls chooses", "which --tls chooses")
    }))
    return error.message.replace(message, () => new Reason.BadRequest({ description, details: inFlags }).message)
  }
  return adviceOf(error).reduce((text, [advice, inFlags]) => text.replace(advice, () => inFlags), error.message)
}

/** The name of the argument that has the id, for each command about objects. */
const oneOf: { readonly [module: string]: string } = { Users: "user", Channels: "channel" }

/** The flags of a grant, which has no arguments. */
const ofGrant: { readonly [option: string]: string } = {
  channels: "--channel",
  groups: "--group",
  users: "--user",
  user: "--authorized-user",
  "patterns.channels": "--channel-pattern",
  "patterns.groups": "--group-pattern",
  "patterns.users": "--user-pattern"
}

/** Arguments: they have no name on the command line but their place. */
const positional: { readonly [option: string]: string } = {
  ...Object.fromEntries(
    ["channel", "channels", "user", "users", "message", "messages", "type", "value", "group", "id"].map((name) => [
      name,
      name
    ])
  ),
  actionTimetoken: "action",
  messageId: "message",
  token: "device",
  messageTimetoken: "message",
  streamId: "stream"
}

const renamed: { readonly [option: string]: string } = {
  groups: "--group",
  state: "--set",
  userId: "--user or --user-id",
  attachments: "--attachment",
  fromDate: "--since",
  toDate: "--until"
}

/** The flag or the argument of an option. */
const inputOf = (option: string): string =>
  positional[option] ?? renamed[option] ?? `--${String_.snakeToKebab(String_.camelToSnake(option))}`

/** The parts of a message that name options, and what to say on the command line. */
const adviceOf = (
  { _tag, reason }: Extract<Reportable, { readonly reason: object }>
): ReadonlyArray<readonly [RegExp, string]> => {
  switch (reason._tag) {
    case "InvalidKey":
      return [[/Check \w+ in PubNubConfig/, `Check --${reason.key}-key or PUBNUB_${reason.key.toUpperCase()}_KEY`]]
    case "Timeout":
      return [[/Try again, or raise requestTimeout/, "Try again"]]
    case "Malformed":
      return [[/Ask for less, or raise maxAnswerSize, which is/, "Ask for less: the limit is"]]
    case "Transport":
      return [[
        /configure it: tls: false for PubNub, scheme: "http" for Symphony/,
        _tag === "SymphonyError" || _tag === "MessageOutcomeUnknown"
          ? "pass --host as http://name:port"
          : "pass --no-tls, or set PUBNUB_TLS=false"
      ]]
    default:
      return []
  }
}
