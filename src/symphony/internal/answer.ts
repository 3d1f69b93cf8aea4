/**
 * What an answer of the service means: what its endpoint reads from it, or the one reason that the request failed for.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../../internal/json.ts"
import type { Answer } from "../../internal/operation.ts"
import * as RetryAfter from "../../internal/retryAfter.ts"
import * as Text from "../../internal/text.ts"
import * as SymphonyError from "../SymphonyError.ts"

/** How the answer of an endpoint is read. */
export interface Readable<A> {
  /** What the service says with 204; without it, 204 is unreadable. */
  readonly empty?: { readonly value: A } | undefined
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
      ? Effect.fail(new SymphonyError.Unreadable({ status, description: "there is nothing in it", excerpt: "" }))
      : Effect.succeed(endpoint.empty.value)
  }
  if (status >= 200 && status < 300) {
    return Result.match(endpoint.decode(text), {
      onSuccess: Effect.succeed,
      onFailure: (description) =>
        Effect.fail(
          new SymphonyError.Unreadable({
            status,
            description,
            excerpt: endpoint.isSecret === true ? "" : text.slice(0, 1024)
          })
        )
    })
  }
  // Who refuses a session need not say a word. A login that is refused is told why.
  if (status === 401 && hasSession && text.trim() === "") {
    return Effect.fail(new SymphonyError.Unauthorized({ description: unexplained }))
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

const unexplained = "no explanation"

/** What any hop may answer on its own, in whatever words: it never is the last word on a request. */
const passing = [408, 425, 499]

/** What is too large is so whoever says it. */
const sizes = [413, 414, 431]

// The status decides: the code in a body may contradict it. But only a body that is the service's own makes a refusal of it:
// an empty one, or some gateway's page, says nothing of what the service would do.
const reasonOf = ({ status, text }: Answer, wait: Option.Option<Duration.Duration>): SymphonyError.Reason => {
  const json = Result.getOrElse(Json.parse(text), () => undefined)
  const body = Predicate.isObject(json) ? Option.getOrUndefined(decodeSaid(json)) : undefined
  const said = {
    ...body === undefined ? {} : { code: body.code },
    description: Text.bounded(body?.message ?? (text.trim() === "" ? unexplained : text))
  }
  if (status === 429) return new SymphonyError.Throttled({ ...said, retryAfter: wait })
  if (sizes.includes(status)) return new SymphonyError.InvalidRequest({ ...said, status, details: [] })
  if (body === undefined || status < 400 || status >= 500 || passing.includes(status)) {
    return new SymphonyError.ServiceFailure({
      ...said,
      status,
      answeredBy: body === undefined ? "intermediary" : "service",
      retryAfter: wait
    })
  }
  switch (status) {
    case 401:
      return new SymphonyError.Unauthorized(said)
    case 403:
      return new SymphonyError.Forbidden(said)
    case 404:
      return new SymphonyError.NotFound(said)
    case 451:
      return new SymphonyError.Blocked(said)
    default:
      return new SymphonyError.InvalidRequest({ ...said, status, details: [] })
  }
}
