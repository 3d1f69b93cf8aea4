/**
 * One recorded request, made by one call of ours and answered as it was.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import { PubNubConfig, type PubNubError } from "effect-herald/pubnub"
import type * as Kit from "./kit.ts"
import { recordedParts, recordedQuery } from "./matching.ts"
import * as Replay from "./replay.ts"

/** Ours always says how many it asks for. */
const withoutMeaning = ({ request }: Kit.Exchange): ReadonlyArray<string> =>
  recordedQuery(request).has("limit") ? [] : ["limit"]

/** Who made a request of which the recording does not say it. */
export const nobody = "a user that was not recorded"

/** The configuration of the client that made a request, whose subscribe key is the part of the path at `keyAt`. */
export const configOf = ({ request }: Kit.Exchange, keyAt: number): PubNubConfig.PubNubConfig["Service"] => {
  const query = recordedQuery(request)
  const auth = query.get("auth")
  return PubNubConfig.make({
    subscribeKey: recordedParts(request)[keyAt] ?? "",
    userId: query.get("uuid") ?? nobody,
    ...auth === undefined ? {} : { authToken: Redacted.make(auth) }
  })
}

/** What became of the call. That it makes the recorded request, and no other, is asserted. */
export const replay = Effect.fnUntraced(function*<A, E>(
  exchange: Kit.Exchange,
  call: Effect.Effect<A, E, HttpClient.HttpClient | PubNubConfig.PubNubConfig>,
  options: { readonly exactPath: boolean }
) {
  const transport = Replay.make([exchange], new Set(), { ...options, ignored: withoutMeaning })
  const result = yield* call.pipe(
    Effect.provideService(HttpClient.HttpClient, transport.client),
    Effect.provideService(
      PubNubConfig.PubNubConfig,
      configOf(exchange, 2)
    ),
    Effect.result
  )
  assert.deepStrictEqual(transport.problems(), [], JSON.stringify(result))
  return result
})

const unrecorded = PubNubConfig.make({ subscribeKey: "mySubKey", userId: "myUUID" })

/** How many requests a call makes. All are answered with an error. */
export const requestsOf = Effect.fnUntraced(function*<A, E>(
  call: Effect.Effect<A, E, HttpClient.HttpClient | PubNubConfig.PubNubConfig>
) {
  let requests = 0
  yield* call.pipe(
    Effect.provideService(
      HttpClient.HttpClient,
      Replay.client(() => {
        requests++
        return new Response("{}", { status: 500 })
      })
    ),
    Effect.provideService(PubNubConfig.PubNubConfig, unrecorded),
    Effect.exit
  )
  return requests
})

/** The failure of a call that must make no request. */
export const refused = Effect.fnUntraced(function*<A, E>(
  call: Effect.Effect<A, E, HttpClient.HttpClient | PubNubConfig.PubNubConfig>
) {
  return yield* call.pipe(
    Effect.provideService(HttpClient.HttpClient, Replay.client(({ url }) => assert.fail(`${url} was asked for`))),
    Effect.provideService(PubNubConfig.PubNubConfig, unrecorded),
    Effect.flip
  )
})

/** What a refusal of ours says is wrong. */
export const locations = (failure: { readonly _tag: string; readonly reason?: PubNubError.Reason }) =>
  failure.reason?._tag === "BadRequest" && failure.reason.status === undefined
    ? failure.reason.details.map(({ location }) => location)
    : assert.fail(`not refused by the client: ${failure._tag}`)

/** A case of the JavaScript client as if it were recorded. Each parameter that it repeats is one list. */
export const recordedForm = (
  { request, response }: Kit.Expectation,
  template: (path: string) => string
): Kit.Exchange | undefined =>
  request && response
    ? {
      request: {
        ...request,
        query: Object.fromEntries(Object.entries(request.query).map(([name, value]) => [name, String(value)])),
        headers: request.headers ?? {},
        rawTargetComplete: true,
        template: template(request.path),
        ...request.body === undefined || request.body === null ? {} : { rawBody: JSON.stringify(request.body) }
      },
      response: { status: response.status, headers: response.headers ?? {}, rawBody: JSON.stringify(response.body) }
    }
    : undefined
