/**
 * Classifies an answer of the service: its JSON, or the reason of the failure. Bodies have many shapes
 * ("Answers" in docs/design.md), and a 200 may hold a failure.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Rule from "../../../internal/answer.ts"
import type { Answer } from "../../../internal/operation.ts"
import * as RetryAfter from "../../../internal/retryAfter.ts"
import * as PubNubError from "../../PubNubError.ts"

/** The reasons that an answer can have. The other reasons are those of requests without an answer. */
export type AnswerReason = Exclude<PubNubError.Reason, PubNubError.Transport | PubNubError.Timeout>

export interface Reader<A> {
  /** The path of the request, which shows the service that answers. Called only for a failure. */
  readonly path: () => string
  readonly parse: (text: string) => Result.Result<Schema.Json, string>
  /** Decodes the JSON of a success, or says what is wrong with it. */
  readonly decode: (json: Schema.Json, told: (text: string) => string) => Result.Result<A, string>
}

export const read = <A>(answer: Answer, { decode, parse, path }: Reader<A>): Effect.Effect<A, AnswerReason> => {
  const { status } = answer
  const parsed = answer.limit === undefined ? parse(answer.text) : Result.fail(Rule.oversized)
  if (status >= 200 && status < 300 && Result.isFailure(parsed)) {
    return Effect.fail(malformed(answer, parsed.failure))
  }
  const complaint = Rule.isRedirect(status)
    ? foreign(status, Rule.redirected)
    : Result.match(parsed, {
      onFailure: () => complaintOfText(answer),
      onSuccess: (json) => complaintOf(json, answer)
    })
  if (complaint !== undefined) {
    return Effect.flatMap(RetryAfter.of(answer), (wait) => Effect.fail(classify(answer, complaint, path(), wait)))
  }
  if (Result.isFailure(parsed)) return Effect.fail(malformed(answer, parsed.failure))
  const decoded = decode(parsed.success, answer.told)
  return Result.isSuccess(decoded) ? Effect.succeed(decoded.success) : Effect.fail(malformed(answer, decoded.failure))
}

export const malformed = (answer: Answer, description: string): PubNubError.Malformed =>
  new PubNubError.Malformed({
    status: answer.status,
    description: answer.told(description),
    excerpt: answer.told(answer.text),
    ...answer.limit === undefined ? {} : { limit: answer.limit }
  })

// --------------------------------------------------------------------------------------------------------------------
// complaints
// --------------------------------------------------------------------------------------------------------------------

interface Complaint {
  readonly status: number
  /** Whether the service itself wrote it. */
  readonly isOwn: boolean
  /** The text as it came. It must not go into an error without cleaning. */
  readonly text: string
  readonly details: ReadonlyArray<PubNubError.Detail>
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
}

const nothingMore = { details: [], channels: [], groups: [] }

const foreign = (status: number, text: string): Complaint => ({ ...nothingMore, status, isOwn: false, text })

/** The most details: more names than an address has room for. */
const mostNames = 16_384
const mostDetails = 100

const NameList = Schema.Array(Schema.String)
const names = (value: unknown, { told }: Answer): ReadonlyArray<string> =>
  Option.match(Schema.decodeUnknownOption(NameList)(value), {
    onNone: () => [],
    onSome: (names) => names.slice(0, mostNames).map(told)
  })

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = (...candidates: ReadonlyArray<unknown>): string | undefined =>
  candidates.find((candidate): candidate is string => typeof candidate === "string" && candidate !== "")

const complaintOf = (json: Schema.Json, answer: Answer): Complaint | undefined => {
  const httpStatus = answer.status
  const isFailure = httpStatus >= 400
  if (Array.isArray(json)) {
    return json[0] === 0
      ? { ...nothingMore, status: httpStatus, isOwn: true, text: text(json[1]) ?? "the service refused it" }
      : isFailure
      ? foreign(httpStatus, answer.text)
      : undefined
  }
  if (!isRecord(json)) return isFailure ? foreign(httpStatus, answer.text) : undefined
  const { data, error, payload } = json
  const status = Number.isSafeInteger(json.status) && Number(json.status) >= 400 ? Number(json.status) : httpStatus
  const failed = status >= 400 ||
    (data === undefined && error !== undefined && error !== null && error !== false && error !== 0)
  if (!failed) return undefined
  if (isFailure && !isOwn(json, httpStatus)) return foreign(httpStatus, answer.text)
  const nested = isRecord(error) ? error : {}
  return {
    status,
    isOwn: true,
    text: text(nested.message, json.error_message, json.message, error) ?? Rule.unexplained,
    details: Array.isArray(nested.details)
      ? nested.details.slice(0, mostDetails).flatMap((each) => detail(each, answer))
      : [],
    channels: isRecord(payload) ? names(payload.channels, answer) : [],
    // The service writes a colon before the name of each group that it refuses.
    groups: isRecord(payload) ? names(payload["channel-groups"], answer).map((name) => name.replace(/^:/, "")) : []
  }
}

/**
 * Whether the service itself wrote this record. Its known records have a status or an error beside the text. Gateways write only
 * a message, or a status and a textual error. Only the push service writes nothing but text, with 400.
 */
const isOwn = (
  { error, error_message, errors, message, status }: { readonly [key: string]: unknown },
  httpStatus: number
) =>
  typeof error === "string"
    ? httpStatus === 400 && status === undefined
    : Number.isSafeInteger(status) || error_message !== undefined || isRecord(error) || error === true || error === 1 ||
      typeof message === "string" && disabled.test(message) ||
      Array.isArray(errors) && errors.some((each) => isRecord(each) && typeof each.errorCode === "string")

const detail = (value: unknown, { told }: Answer): ReadonlyArray<PubNubError.Detail> => {
  if (!isRecord(value)) return []
  const message = text(value.message)
  if (message === undefined) return []
  const location = text(value.location)
  return [{ message: told(message), ...location === undefined ? {} : { location: told(location) } }]
}

/** A complaint that is not JSON: the XML of file storage, the page of a proxy, or nothing at all. */
const complaintOfText = ({ status, text }: Answer): Complaint => {
  const storage = /^\s*(?:<\?xml[^>]*>\s*)?<Error>[^]*?<Message>([^<]*)<\/Message>/.exec(text)?.[1]
  return storage === undefined
    ? foreign(status, text.trim() === "" ? Rule.unexplained : text)
    : { ...nothingMore, status, isOwn: true, text: storage }
}

// --------------------------------------------------------------------------------------------------------------------
// reasons
// --------------------------------------------------------------------------------------------------------------------

const classify = (
  answer: Answer,
  complaint: Complaint,
  path: string,
  wait: Duration.Duration | undefined
): AnswerReason => {
  const { channels, details, groups, isOwn, status } = complaint
  const cause = Headers.get(answer.headers, "x-pn-cause")
  const description = answer.told(
    Option.isSome(cause) ? `${complaint.text} (x-pn-cause ${cause.value})` : complaint.text
  )
  // A refusal with the status 200 is a refusal.
  switch (Rule.judge(status < 300 && isOwn ? 400 : status, isOwn)) {
    case "RateLimited":
      return new PubNubError.RateLimited({ description, retryAfter: wait })
    case "TooLarge":
      return new PubNubError.BadRequest({ status, description, details })
    case "Failed":
      return new PubNubError.ServerFailure({
        status,
        description,
        answeredBy: isOwn ? "service" : "intermediary",
        retryAfter: wait
      })
    case "Refused":
      return refusal({ ...complaint, description }, path, channels, groups)
  }
}

const refusal = (
  { description, details, status, text }: Complaint & { readonly description: string },
  path: string,
  channels: ReadonlyArray<string>,
  groups: ReadonlyArray<string>
): AnswerReason => {
  const key = keys.find(([pattern]) => pattern.test(text))?.[1]
  if (key !== undefined) return new PubNubError.InvalidKey({ status, key, description })
  if (status === 402 || disabled.test(text)) {
    return new PubNubError.FeatureDisabled({ status, addOn: addOnOf(path, text), description })
  }
  if (status === 401 || status === 403) return new PubNubError.AccessDenied({ status, description, channels, groups })
  if (status === 400 && isEmptySubscription(text)) return new PubNubError.EmptySubscription({ status, description })
  return new PubNubError.BadRequest({
    status,
    description,
    details: isWrongTime(text) && details.length === 0 ? [clockOff] : details
  })
}

/** The text of the service about an add-on that is off. */
const disabled = /add-on|not enabled|not available for used key/i

/** Whether the groups of a subscription have no channels. Only the text distinguishes this 400 from others. */
const isEmptySubscription = (text: string): boolean => /\bempty subscription set\b/i.test(text)

/** Whether the time of a signed request is wrong by more than a minute. Only the text shows it. */
const isWrongTime = (text: string): boolean => /^invalid timestamp\b/i.test(text)

const clockOff: PubNubError.Detail = {
  location: "timestamp",
  message: "is more than a minute off: set the clock of this machine"
}

// Only the text shows which key is wrong. Message actions write "Invalid Subkey".
const keys = [
  [/^invalid key\.?$/i, "publish"],
  [/^invalid sub(scribe)?[ -]?key\.?$/i, "subscribe"],
  [/^(invalid|wrong) signature\b/i, "secret"],
  [/^signature does not match\b/i, "secret"]
] as const

/** The add-on that the service of a path needs. */
const addOnsOfPaths: ReadonlyArray<readonly [RegExp, PubNubError.AddOn]> = [
  [/^\/v\d\/presence\//, "Presence"],
  [/^\/v\d\/history/, "MessagePersistence"],
  [/^\/v\d\/message-actions\//, "MessagePersistence"],
  [/^\/v\d\/channel-registration\//, "StreamController"],
  [/^\/v\d\/objects\//, "AppContext"],
  [/^\/v\d\/push\//, "MobilePush"],
  [/^\/v\d\/files\//, "Files"]
]

/** The texts of other services about a missing add-on: a subscribe may need several. */
const addOnsOfPhrases: ReadonlyArray<readonly [RegExp, PubNubError.AddOn]> = [
  [/stream controller|channel group|multiplex|wildcard|filter/i, "StreamController"],
  [/presence/i, "Presence"],
  [/persistence|storage|history|delet/i, "MessagePersistence"],
  [/push/i, "MobilePush"],
  [/files/i, "Files"],
  [/functions/i, "Functions"],
  [/objects|app context/i, "AppContext"]
]

const addOnOf = (path: string, text: string): PubNubError.AddOn =>
  addOnsOfPaths.find(([pattern]) => pattern.test(path))?.[1] ??
    addOnsOfPhrases.find(([pattern]) => pattern.test(text))?.[1] ??
    "Unnamed"
