/**
 * What requests about channels, groups and users have in common: their input is checked before anything is sent, the
 * length of the address too, and a schema reads the answer.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import * as Url from "../../../internal/url.ts"
import * as Channel from "../../Channel.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Endpoint from "./endpoint.ts"

export interface Lookup<A> {
  readonly operation: string
  /** Before the subscribe key, without a slash at its end. */
  readonly base: string
  /** Each segment behind the subscribe key: one text, or a list of names. */
  readonly path: ReadonlyArray<string | ReadonlyArray<string>>
  readonly query: Url.Query
  /** What is wrong with the input. */
  readonly issues: ReadonlyArray<PubNubError.Detail>
  readonly answer: Schema.ConstraintDecoder<A>
}

/** Asks the service, unless something is wrong with the question. */
export const run = <A>(
  lookup: (config: PubNubConfig["Service"]) => Lookup<A>
): Effect.Effect<A, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Effect.gen(function*() {
    const config = yield* PubNubConfig
    const { answer, base, issues, operation, path, query } = lookup(config)
    const lists = path.map((segment) => typeof segment === "string" ? [segment] : segment)
    const where = {
      operation,
      method: "GET",
      shownPath: `${base}/{subscribeKey}${lists.map((names) => `/${names.join(",") || ","}`).join("")}`
    } as const
    const endpoint = () => ({
      ...where,
      path: `${base}/${config.subscribeKey}${lists.map((names) => `/${Url.encodeList(names)}`).join("")}`,
      query,
      // States keep their numbers.
      parse: Json.parse,
      decode: Codec.decodeResult(answer)
    })
    const tooLong = (problem: string) => ({ message: `the input ${problem}: ask in parts` })
    return yield* Endpoint.ask(config, { issues, endpoint, tooLong }, Endpoint.errorOf(where))
  })

/** What is wrong with the names of a list, each said once and with its name. */
export const issuesOf = (
  location: string,
  names: ReadonlyArray<string>,
  issue: (name: string) => string | undefined = Channel.issue
): ReadonlyArray<PubNubError.Detail> =>
  [...new Set(names)].flatMap((name) => {
    const wrong = issue(name)
    return wrong === undefined ? [] : [{ location, message: `${JSON.stringify(name.slice(0, 100))} ${wrong}` }]
  })

/** The parameter that carries groups, if there are any. */
export const groupQuery = (groups: ReadonlyArray<string>): Url.Query =>
  groups.length === 0 ? [] : [["channel-group", groups.join(",")]]
