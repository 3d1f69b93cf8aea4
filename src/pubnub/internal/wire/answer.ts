/**
 * What an answer of the service means: its JSON, or the one reason that it failed for. The bodies come in many shapes
 * ("Answers" in docs/design.md), and a 200 may hold a failure.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Answer } from "../../../internal/operation.ts"
import * as RetryAfter from "../../../internal/retryAfter.ts"
import * as Text from "../../../internal/text.ts"
import * as PubNubError from "../../PubNubError.ts"

/** Fails with every reason that an answer can carry; the others are of requests that got none. */
export type AnswerReason = Exclude<PubNubError.Reason, PubNubError.Transport | PubNubError.Timeout>

export const read = (
  answer: Answer,
  parse: (text: string) => Result.Result<Schema.Json, string>
): Effect.Effect<Schema.Json, AnswerReason> => {
  const parsed = parse(answer.text)
  if (Result.isFailure(parsed)) {
    return Effect.flatMap(RetryAfter.of(answer), (wait) => unreadable(answer, parsed.failure, wait))
  }
  const complaint = complaintOf(parsed.success, answer.status)
  if (complaint === undefined) return Effect.succeed(parsed.success)
  return Effect.flatMap(RetryAfter.of(answer), (wait) => Effect.fail(classify(answer, complaint, wait)))
}

export const malformed = (answer: Answer, description: string): PubNubError.Malformed =>
  new PubNubError.Malformed({ status: answer.status, description, excerpt: answer.text.slice(0, 1024) })

interface Complaint {
  readonly status: number
  readonly text: string
  readonly details: ReadonlyArray<PubNubError.Detail>
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
}

const NameList = Schema.Array(Schema.String)
const names = (value: unknown): ReadonlyArray<string> =>
  Option.getOrElse(Schema.decodeUnknownOption(NameList)(value), () => [])

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = (...candidates: ReadonlyArray<unknown>): string | undefined =>
  candidates.find((candidate): candidate is string => typeof candidate === "string" && candidate !== "")

const complaintOf = (json: Schema.Json, httpStatus: number): Complaint | undefined => {
  const none = { details: [], channels: [], groups: [] }
  if (Array.isArray(json)) {
    return json[0] === 0 || httpStatus >= 400
      ? { ...none, status: httpStatus, text: Text.bounded(text(json[1]) ?? "the service refused it") }
      : undefined
  }
  if (!isRecord(json)) return httpStatus >= 400 ? { ...none, status: httpStatus, text: "no explanation" } : undefined
  const { data, error, payload } = json
  const status = Number.isSafeInteger(json.status) && Number(json.status) >= 400 ? Number(json.status) : httpStatus
  const failed = status >= 400 ||
    (data === undefined && error !== undefined && error !== null && error !== false && error !== 0)
  if (!failed) return undefined
  const nested = isRecord(error) ? error : {}
  return {
    status,
    text: Text.bounded(text(nested.message, json.error_message, json.message, error) ?? "no explanation"),
    details: Array.isArray(nested.details) ? nested.details.flatMap(detail) : [],
    channels: isRecord(payload) ? names(payload.channels) : [],
    // The service writes a colon before the name of each group that it refuses.
    groups: isRecord(payload) ? names(payload["channel-groups"]).map((name) => name.replace(/^:/, "")) : []
  }
}

const detail = (value: unknown): ReadonlyArray<PubNubError.Detail> => {
  if (!isRecord(value)) return []
  const given = text(value.message)
  if (given === undefined) return []
  const message = Text.bounded(given)
  const location = text(value.location)
  return [location === undefined ? { message } : { message, location: Text.bounded(location) }]
}

const classify = (answer: Answer, complaint: Complaint, wait: Option.Option<Duration.Duration>): AnswerReason => {
  const { channels, details, groups, status } = complaint
  const cause = Headers.get(answer.headers, "x-pn-cause")
  const description = Option.isSome(cause) ? `${complaint.text} (x-pn-cause ${cause.value})` : complaint.text
  if (status === 429) return new PubNubError.RateLimited({ description, retryAfter: wait })
  if (status >= 500) {
    return new PubNubError.ServerFailure({ status, description, answeredBy: "service", retryAfter: wait })
  }
  const key = keys.find(([pattern]) => pattern.test(complaint.text))?.[1]
  if (key !== undefined) return new PubNubError.InvalidKey({ status, key, description })
  if (status === 402 || /add-on|not enabled|not available for used key/i.test(complaint.text)) {
    return new PubNubError.FeatureDisabled({ status, addOn: addOnOf(complaint.text), description })
  }
  if (status === 401 || status === 403) return new PubNubError.AccessDenied({ status, description, channels, groups })
  if (status === 400 && isEmptySubscription(complaint.text)) {
    return new PubNubError.EmptySubscription({ status, description })
  }
  return new PubNubError.BadRequest({ status, description, details })
}

/** Whether the groups of a subscription hold no channels. Only the sentence tells this 400 from any other. */
const isEmptySubscription = (text: string): boolean => /\bempty subscription set\b/i.test(text)

const keys = [
  [/^invalid key\.?$/i, "publish"],
  [/^invalid sub(scribe )?key\.?$/i, "subscribe"],
  [/^(invalid|wrong) signature\b/i, "secret"]
] as const

const addOns: ReadonlyArray<readonly [RegExp, PubNubError.AddOn]> = [
  [/stream controller|channel group|multiplex|wildcard|filter/i, "StreamController"],
  [/presence/i, "Presence"],
  [/persistence|storage|history|delet/i, "MessagePersistence"],
  [/push/i, "MobilePush"],
  [/files/i, "Files"],
  [/functions/i, "Functions"],
  [/objects|app context/i, "AppContext"]
]

const addOnOf = (description: string): PubNubError.AddOn =>
  addOns.find(([pattern]) => pattern.test(description))?.[1] ?? "Unnamed"

// Not JSON: a proxy's page, the XML of file storage, or nothing at all.
const unreadable = (
  answer: Answer,
  description: string,
  wait: Option.Option<Duration.Duration>
): Effect.Effect<never, AnswerReason> => {
  const { status } = answer
  const explanation = Text.bounded(/<Message>([^<]*)<\/Message>/.exec(answer.text)?.[1] ?? "no explanation")
  if (status === 429) return Effect.fail(new PubNubError.RateLimited({ description: explanation, retryAfter: wait }))
  if (status >= 500) {
    return Effect.fail(
      new PubNubError.ServerFailure({
        status,
        description: answer.text === "" ? explanation : answer.text.slice(0, 1024),
        answeredBy: "intermediary",
        retryAfter: wait
      })
    )
  }
  // A page of 413 or 414 is the same refusal, whoever wrote it; one of 403 may be of a hotel's network.
  if (status === 413 || status === 414 || (status >= 400 && (answer.text === "" || explanation !== "no explanation"))) {
    const complaint = { status, text: explanation, details: [], channels: [], groups: [] }
    return Effect.fail(classify(answer, complaint, wait))
  }
  return Effect.fail(malformed(answer, description))
}
