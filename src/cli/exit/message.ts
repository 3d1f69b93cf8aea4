/**
 * The message of a failure in the words of the command line: flags rather than options.
 */
import * as String_ from "effect/String"
import * as ConnectFailure from "../../internal/connectFailure.ts"
import * as Reason from "../../Reason.ts"
import type { Reportable } from "./failure.ts"

/** The message of a failure, and the flag or variable that gives the wrong setting. */
export const messageOf = (error: Reportable): string => {
  // Its advice is an option that the command line does not have.
  if (error._tag === "MessageTooLarge") return error.message.replace(/ If the keyset allows more.*$/s, "")
  if (!("reason" in error)) return error.message
  if (error.reason._tag === "BadRequest" && error.reason.status === undefined) {
    const { description, details, message } = error.reason
    // The configuration has the user of the keyset. Requests about a user have `--user`.
    const toInput = (option: string) =>
      option === "userId" && description === "The configuration is not valid" ? "--user-id" : inputOf(option)
    const inFlags = details.map((detail) => ({
      ...detail,
      ...detail.location !== undefined && { location: detail.location.replace(/^\w+/, toInput) },
      message: detail.message.replace(/(?<=^and )groups\b|(?<= than )since$|(?<=^is given beside )\w+/, inputOf)
    }))
    return error.message.replace(message, () => new Reason.BadRequest({ description, details: inFlags }).message)
  }
  const place = placeOf(error)
  return place === undefined ? error.message : `${error.message} Here it comes from ${place}.`
}

/** Arguments: they have no name on the command line but their place. */
const positional = /^(channels?|users|messages?|type|value|group|id|(stream|message)Id|(message|action)Timetoken)$/

const renamed: { readonly [option: string]: string } = {
  groups: "--group",
  state: "--set",
  userId: "--user or --user-id",
  attachments: "--attachment",
  fromDate: "--since",
  toDate: "--until"
}

/** The flag of an option. */
const inputOf = (option: string): string =>
  positional.test(option)
    ? option
    : renamed[option] ?? `--${String_.snakeToKebab(String_.camelToSnake(option))}`

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
