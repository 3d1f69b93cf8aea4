/**
 * Reads an answer of the service: the value of its endpoint, or the reason of the failure.
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
  /** What the service means with 204; without it, 204 is unreadable. */
  readonly empty?: Effect.Effect<A, SymphonyError.NotFound> | undefined
  /** The answer is a token: where it cannot be read, nothing of it is told. */
  readonly isSecret?: boolean | undefined
  /** The result, or a sentence on what is wrong with the answer. */
  readonly decode: (text: string) => Result.Result<A, string>
}

/** What the endpoint makes of an answer. A request of a session is told apart from a login, which has none. */
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
    return Result.match(answer.limit === undefined ? endpoint.decode(text) : Result.fail(Rule.oversized), {
      onSuccess: Effect.succeed,
      onFailure: (description) =>
        Effect.fail(
          new SymphonyError.Malformed({
            status,
            description: answer.told(description),
            excerpt: endpoint.isSecret === true ? "" : answer.told(text),
            ...answer.limit === undefined ? {} : { limit: answer.limit }
          })
        )
    })
  }
  // Who refuses a session need not say a word. A login that is refused is told why.
  if (status === 401 && hasSession && text.trim() === "") {
    return Effect.fail(new SymphonyError.Unauthorized({ description: Rule.unexplained }))
  }
  return Effect.flatMap(RetryAfter.of(answer), (wait) => Effect.fail(reasonOf(answer, wait)))
}

/** What the service says of a failure. Gateways that write JSON have no code in it, or one that is text. */
const decodeSaid = Schema.decodeUnknownOption(
  Schema.Struct({
    code: Schema.Int,
    message: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

/** What the service says, if it is the service that does. */
const bodyOf = ({ limit, text }: Answer): { readonly code: number; readonly message?: string | null } | undefined => {
  const json = limit !== undefined ? undefined : Result.getOrElse(Json.parse(text), () => undefined)
  return Predicate.isObject(json) ? Option.getOrUndefined(decodeSaid(json)) : undefined
}

// The status decides: the code in a body may contradict it.
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
