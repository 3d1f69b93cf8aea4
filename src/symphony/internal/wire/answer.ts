/**
 * Reads an answer of the service: the result, or the reason of the failure.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Rule from "../../../internal/answer.ts"
import * as Json from "../../../internal/json.ts"
import type { Answer } from "../../../internal/operation.ts"
import * as RetryAfter from "../../../internal/retryAfter.ts"
import * as SymphonyError from "../../SymphonyError.ts"

/** How the answer of an endpoint is read. */
export interface Readable<A> {
  /** The result of an answer with 204. Without it, 204 is malformed. */
  readonly empty?: Effect.Effect<A, SymphonyError.NotFound> | undefined
  /** Whether the answer holds a token. Errors then quote nothing of it. */
  readonly isSecret?: boolean | undefined
  /** The result, or a sentence on what is wrong with the answer. */
  readonly decode: (text: string) => Result.Result<A, string>
}

/** The result or the reason of an answer. A login is a request without a session. */
export const read = <A>(
  endpoint: Readable<A>,
  hasSession: boolean,
  answer: Answer
): Effect.Effect<A, SymphonyError.Reason> => {
  const { status, text } = answer
  if (status === 204) {
    return endpoint.empty === undefined
      ? Effect.fail(new SymphonyError.Malformed({ status, description: "it is empty", excerpt: "" }))
      : endpoint.empty
  }
  if (status >= 200 && status < 300) {
    const decoded = answer.limit === undefined ? endpoint.decode(text) : Result.fail(Rule.oversized)
    return Result.isSuccess(decoded) ? Effect.succeed(decoded.success) : Effect.fail(
      new SymphonyError.Malformed({
        status,
        description: answer.told(decoded.failure),
        excerpt: endpoint.isSecret === true ? "" : answer.told(text),
        ...answer.limit === undefined ? {} : { limit: answer.limit }
      })
    )
  }
  // A refused session may come without a text. A refused login has one.
  if (status === 401 && hasSession && text.trim() === "") {
    return Effect.fail(new SymphonyError.Unauthorized({ description: Rule.unexplained }))
  }
  return Effect.flatMap(RetryAfter.of(answer), (wait) => Effect.fail(reasonOf(answer, wait)))
}

/** The service's record of a failure. Gateways that write JSON have no code in it, or a textual one. */
const decodeSaid = Schema.decodeUnknownOption(
  Schema.Struct({
    code: Schema.Int,
    message: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

/** The record of the service, if the service itself answered. */
const bodyOf = ({ limit, text }: Answer): { readonly code: number; readonly message?: string | null } | undefined => {
  const json = limit !== undefined ? undefined : Result.getOrElse(Json.parse(text), () => undefined)
  return Predicate.isObject(json) ? Option.getOrUndefined(decodeSaid(json)) : undefined
}

// The status decides, because the code in the body may contradict it.
const reasonOf = (answer: Answer, wait: Duration.Duration | undefined): SymphonyError.Reason => {
  const { status, text, told } = answer
  const body = bodyOf(answer)
  const said = {
    ...body === undefined ? {} : { code: body.code },
    description: Rule.isRedirect(status)
      ? Rule.redirected
      : told(body?.message ?? (text.trim() === "" ? Rule.unexplained : text))
  }
  switch (Rule.judge(status, body !== undefined)) {
    case "RateLimited":
      return new SymphonyError.RateLimited({ ...said, retryAfter: wait })
    case "TooLarge":
      return new SymphonyError.BadRequest({ ...said, status, details: [] })
    case "Failed":
      return new SymphonyError.ServerFailure({
        ...said,
        status,
        answeredBy: body === undefined || Rule.isRedirect(status) ? "intermediary" : "service",
        retryAfter: wait
      })
    case "Refused":
      return refusal(status, said)
  }
}

const refusal = (
  status: number,
  said: { readonly code?: number; readonly description: string }
): SymphonyError.Reason => {
  switch (status) {
    case 401:
      return new SymphonyError.Unauthorized(said)
    case 403:
      return new SymphonyError.AccessDenied(said)
    case 404:
      return new SymphonyError.NotFound(said)
    case 451:
      return new SymphonyError.Blocked(said)
    default:
      return new SymphonyError.BadRequest({ ...said, status, details: [] })
  }
}
