/**
 * The requests of a datafeed. Each is one attempt: when to make another is for the long poll to say. A session that is
 * refused is renewed within it.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Session } from "../Session.ts"
import { NoAnswer, type SymphonyError } from "../SymphonyError.ts"
import * as Endpoint from "./endpoint.ts"
import { Impatient } from "./impatient.ts"
import * as Lenient from "./lenient.ts"
import { isSessionRefused, type Needs } from "./request.ts"

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

const feeds = ["v5", "datafeeds"]

const body = (json: object) => Effect.sync(() => HttpBody.jsonUnsafe(json))

/** The id of the user whose session it is. */
export const sessionUser: Request<number> = attempt({
  operation: "sessionInfo",
  service: "pod",
  method: "GET",
  path: ["v2", "sessioninfo"],
  decode: (text) => Result.map(decodeSession(text), ({ id }) => id)
})
const decodeSession = Endpoint.json(Schema.Struct({ id: Lenient.Integer }))

const listing = { operation: "listDatafeeds", service: "agent", method: "GET", path: feeds } as const

/** The first request of a datafeed, where the input is wrong. */
export const refused = Endpoint.errorOf(listing)

/** The feeds that this user has, those of other kinds too. */
export const list = (tag: string | undefined): Request<ReadonlyArray<Feed>> =>
  attempt({
    ...listing,
    query: tag === undefined ? [] : [["tag", tag]],
    empty: { value: [] },
    // What has no id is no feed.
    decode: (text) =>
      Result.map(decodeList(text), (entries) =>
        entries.flatMap((entry) => {
          const id = entry?.id
          return id === undefined || id === null ? [] : [{ ...entry, id }]
        }))
  })
// It goes into addresses, and half a character has no UTF-8 form.
const FeedId = Schema.NonEmptyString.pipe(Schema.check(Schema.makeFilter((id: string) => id.isWellFormed())))
const Feed = Schema.Struct({
  id: FeedId,
  type: Lenient.optional(Schema.String),
  createdAt: Lenient.optional(Lenient.Integer)
})
export type Feed = typeof Feed.Type
const decodeList = Endpoint.json(
  Schema.Array(Schema.NullOr(Schema.Struct({ ...Feed.fields, id: Schema.optionalKey(Schema.NullOr(FeedId)) })))
)

/** Makes a feed and gives its id. */
export const create = ({ includeInvisible, tag }: {
  readonly tag: string | undefined
  readonly includeInvisible: boolean | undefined
}): Request<string> =>
  attempt({
    operation: "createDatafeed",
    service: "agent",
    method: "POST",
    path: feeds,
    body: body({ tag, includeInvisible }),
    decode: (text) => Result.map(decodeFeed(text), ({ id }) => id)
  })
const decodeFeed = Endpoint.json(Feed)

export const remove = (feedId: string): Request<void> =>
  attempt({
    operation: "deleteDatafeed",
    service: "agent",
    method: "DELETE",
    path: [...feeds, feedId],
    empty: { value: undefined },
    decode: () => Result.void
  })

export interface Answer {
  readonly events: ReadonlyArray<Schema.Json>
  readonly ackId: string
}

const reading = (feedId: string) => ({
  operation: "readDatafeed",
  service: "agent",
  method: "POST",
  path: [...feeds, feedId, "read"]
} as const)

/** A read that was not answered in time. */
export const unanswered = (feedId: string, after: Duration.Duration): SymphonyError =>
  Endpoint.errorOf(reading(feedId))(new NoAnswer({ after }))

/** What the feed has to tell, once there is something or half a minute has passed. It is told with the acknowledgement of what was told before. */
export const read = (feedId: string, ackId: string): Request<Answer> =>
  attempt({
    ...reading(feedId),
    body: body({ ackId }),
    decode: (text) => Result.map(decodeRead(text), ({ ackId, events }) => ({ ackId, events: events ?? [] }))
  })
const decodeRead = Endpoint.json(
  Schema.Struct({
    events: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Json))),
    ackId: Schema.String
  })
)
