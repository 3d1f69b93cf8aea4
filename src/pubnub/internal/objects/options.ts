/** Reads the options of a call once. */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Input from "../../../internal/input.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Endpoint from "../wire/endpoint.ts"

export type Needs = HttpClient.HttpClient | PubNubConfig

/** The options of a call, with defaults of the configuration. */
export type Given<A> = (config: PubNubConfig["Service"]) => A

/** Reads the options of a call once, and refuses them if `issuesOf` finds a problem. */
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
