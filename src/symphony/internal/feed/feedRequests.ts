/**
 * The requests of a datafeed. Each makes one attempt, and renews a refused session. The long poll decides about retries.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Input from "../../../internal/input.ts"
import * as Usual from "../../../internal/usual.ts"
import { Session } from "../../Session.ts"
import { type Detail, type SymphonyError, Timeout } from "../../SymphonyError.ts"
import { isDecoded } from "../../../UndecodableItem.ts"
import * as Body from "../wire/body.ts"
import * as Endpoint from "../wire/endpoint.ts"
import { Impatient } from "./impatient.ts"
import * as Lenient from "../wire/lenient.ts"
import { agent, pod } from "../wire/path.ts"
import { isSessionRefused, type Needs } from "../wire/request.ts"

type Request<A> = Effect.Effect<A, SymphonyError, Needs>

const attempt = <A>(endpoint: Endpoint.Endpoint<A>): Request<A> =>
  Effect.gen(function*() {
    const session = yield* Session
    const tokens = yield* session.tokens
    return yield* Effect.catchIf(
      Endpoint.attempt(endpoint, tokens),
      isSessionRefused,
      () => Effect.flatMap(session.renew(tokens), (renewed) => Endpoint.attempt(endpoint, renewed))
    )
  }).pipe(Effect.provideService(Impatient, true))

/** The id of the user of the session. */
export const sessionUser: Request<number> = attempt({
  operation: "Datafeed.sessionInfo",
  path: pod`/v2/sessioninfo`,
  decode: (text) => Result.map(decodeSession(text), ({ id }) => id)
})
const decodeSession = Lenient.json(Schema.Struct({ id: Lenient.Integer }))

const listing = { operation: "Datafeed.list", path: agent`/v5/datafeeds` }

/** The error of a datafeed with wrong input. */
export const refused = (details: ReadonlyArray<Detail>): SymphonyError =>
  Endpoint.errorOf(listing)(Endpoint.refused(details))

/** Reads the input of a datafeed. */
export const reading = <A, E, R>(read: () => Effect.Effect<A, E, R>): Effect.Effect<A, E | SymphonyError, R> =>
  Endpoint.reading(listing.operation, read)

/** The feeds of this user, of all types. */
export const list = (tag: string | undefined): Request<ReadonlyArray<Feed>> =>
  attempt({
    ...listing,
    query: { tag },
    empty: Effect.succeed([]),
    // Entries without an id are ignored.
    decode: (text) => Result.map(decodeList(text), (entries) => entries.filter(isDecoded))
  })
// The id becomes part of an address.
const FeedId = Schema.String.pipe(Schema.check(Schema.makeFilter((id: string) => Input.segment(id) === undefined)))
const Feed = Schema.Struct({
  id: FeedId,
  type: Lenient.optional(Schema.String),
  createdAt: Lenient.optional(Lenient.Integer)
})
export type Feed = typeof Feed.Type
const decodeList = Lenient.entries(Feed)

/** Creates a feed and returns its id. */
export const create = ({ includeInvisible, tag }: {
  readonly tag: string | undefined
  readonly includeInvisible: boolean
}): Request<string> =>
  attempt({
    operation: "Datafeed.create",
    method: "POST",
    path: agent`/v5/datafeeds`,
    body: Body.json({ tag, includeInvisible: includeInvisible || undefined }),
    decode: (text) => Result.map(decodeFeed(text), ({ id }) => id)
  })
const decodeFeed = Lenient.json(Feed)

export const remove = (feedId: string): Request<void> =>
  attempt({
    operation: "Datafeed.delete",
    method: "DELETE",
    path: agent`/v5/datafeeds/${feedId}`,
    empty: Effect.void,
    decode: () => Result.void
  })

export interface Answer {
  readonly events: ReadonlyArray<Schema.Json>
  readonly ackId: string
}

const readOf = (feedId: string) => ({
  operation: "Datafeed.read",
  method: "POST",
  path: agent`/v5/datafeeds/${feedId}/read`
} as const)

/** The error of a read without an answer in time. */
export const unanswered = (feedId: string, after: Duration.Duration): SymphonyError =>
  Endpoint.errorOf(readOf(feedId))(new Timeout({ after }))

/** Acknowledges earlier events, and reads the next ones. The service answers when there are some, or after half a minute. */
export const read = (feedId: string, ackId: string): Request<Answer> =>
  attempt({
    ...readOf(feedId),
    body: Body.json({ ackId }),
    decode: (text) => Result.map(decodeRead(text), ({ ackId, events }) => ({ ackId, events: events ?? [] }))
  })
const decodeRead = Lenient.json(
  Schema.Struct({
    events: Schema.optionalKey(Schema.NullOr(Schema.Array(Usual.Parsed))),
    ackId: Schema.String
  })
)
