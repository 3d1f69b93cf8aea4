/**
 * The requests of App Context, whatever the objects are: their addresses, how they fail, and what they say of an object.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import * as Url from "../../../internal/url.ts"
import * as AppContext from "../../AppContext.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { UserId } from "../../UserId.ts"
import * as Endpoint from "../wire/endpoint.ts"

export type Needs = HttpClient.HttpClient | PubNubConfig

export interface Call<A> {
  readonly operation: string
  readonly method: "GET" | "PATCH" | "DELETE"
  /** Behind the subscribe key, not encoded. */
  readonly path: ReadonlyArray<string>
  readonly query?: Url.Query | undefined
  readonly body?: { readonly [key: string]: Schema.Json } | undefined
  readonly ifMatch?: AppContext.Etag | undefined
  /** What is wrong with the input. */
  readonly issues: ReadonlyArray<PubNubError.Detail>
  readonly answer: Schema.ConstraintDecoder<A>
}

/** Sends a request, unless something is wrong with the input. */
export const call = <A>(request: Call<A>): Effect.Effect<A, PubNubError.PubNubError, Needs> =>
  Effect.flatMap(PubNubConfig, (config) => {
    const { answer, body, ifMatch, issues, method, operation, path, query = [] } = request
    const where = { operation, method, shownPath: ["/v2/objects/{subscribeKey}", ...path].join("/") }
    const decode = Codec.decodeResult(answer)
    const endpoint = () => ({
      ...where,
      path: ["/v2/objects", config.subscribeKey, ...path.map(Url.encode)].join("/"),
      query,
      body: body === undefined ? undefined : JSON.stringify(body),
      ifMatch,
      // Custom numbers stay numbers.
      parse: Json.parse,
      decode
    })
    const tooLong = (problem: string) => ({ message: `the input ${problem}` })
    return Endpoint.ask(config, { issues, endpoint, tooLong }, Endpoint.errorOf(where))
  })

/** Whether a request failed because the service answered with this status. */
export const isStatus = (error: PubNubError.PubNubError, status: number): boolean =>
  error.reason._tag === "BadRequest" && error.reason.status === status

/** The answer to what gives nothing back. */
export const Nothing = Schema.Struct({ status: Schema.Literal(200) })

// --------------------------------------------------------------------------------------------------------------------
// parts of objects
// --------------------------------------------------------------------------------------------------------------------

/** The parts of every object that come when they are asked for. */
export const parts = ["custom", "status", "type"] as const

/** A field that the service leaves out, or writes as null, when it is not set or was not asked for. */
const Text = Schema.OptionFromOptionalNullOr(Schema.String)

/** What every object has on the wire. */
export const Common = {
  status: Text,
  type: Text,
  custom: Schema.OptionFromOptionalNullOr(AppContext.Custom),
  updated: Schema.DateTimeUtcFromString,
  etag: AppContext.Etag
}

/** A user on the wire. */
export const User = Schema.Struct({
  id: UserId,
  name: Text,
  externalId: Text,
  profileUrl: Text,
  email: Text,
  ...Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

/** A channel on the wire. */
export const Channel = Schema.Struct({
  id: Schema.String,
  name: Text,
  description: Text,
  ...Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

const utf8 = new TextEncoder()
const longestId = 92

/** What is wrong with the id of a user or a channel. */
export const idIssues = (location: string, id: string): ReadonlyArray<PubNubError.Detail> => {
  const bytes = utf8.encode(id).length
  const wrong = id.trim() === ""
    ? "is blank"
    : bytes > longestId
    ? `has ${bytes} bytes, and ${longestId} are the most`
    : Url.segmentIssue(id)
  return wrong === undefined ? [] : [{ location, message: `${JSON.stringify(id.slice(0, 100))} ${wrong}` }]
}

/** What is wrong with a tag as the value of a header. */
export const etagIssues = (etag: AppContext.Etag | undefined): ReadonlyArray<PubNubError.Detail> =>
  etag === undefined || /^[\x21-\x7e]+$/.test(etag)
    ? []
    : [{ location: "ifMatchesEtag", message: "holds what no header can carry" }]
