/**
 * What the requests of App Context have in common, whatever the objects are: how they fail, and what they say of an object.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import * as Input from "../../../internal/input.ts"
import * as AppContext from "../../AppContext.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { UserId } from "../wire/userId.ts"
import * as Endpoint from "../wire/endpoint.ts"

export type Needs = HttpClient.HttpClient | PubNubConfig

/** What a caller gives, with what the configuration says in place of what is left out. */
export type Given<A> = (config: PubNubConfig["Service"]) => A

/** Reads what a caller gives, once, and refuses it where something is wrong with it. */
export const reading = <O extends object, A, E, R>(
  operation: string,
  given: Given<O>,
  then: (options: O) => Effect.Effect<A, E, R>,
  issuesOf: (options: O) => ReadonlyArray<PubNubError.Detail> = () => []
): Effect.Effect<A, E | PubNubError.PubNubErrorOf<PubNubError.BadRequest>, R | PubNubConfig> =>
  Effect.flatMap(
    PubNubConfig,
    (config) =>
      Endpoint.reading(operation, (): Effect.Effect<A, E | PubNubError.PubNubErrorOf<PubNubError.BadRequest>, R> => {
        const read = given(config)
        const wrong = Input.record(read)
        const options = { ...read }
        const issues = wrong === undefined ? issuesOf(options) : [{ location: "options", message: wrong }]
        return issues.length === 0 ? then(options) : Effect.fail(Endpoint.refusal(operation, issues))
      })
  )

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

/** An id, in the path of a request or in its body. */
export const id: Input.Check = Input.all(Input.notBlank, Input.bytes(92), Input.segment)

export const idIssues = (location: string, given: string): ReadonlyArray<PubNubError.Detail> =>
  Input.each(location, [given], id)
