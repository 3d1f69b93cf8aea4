/**
 * What a transport may offer beside `execute`: an answer that it read to its end by itself, within a size and a time. Streams,
 * abort signals and a timer for each request cost more than the request itself.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Body from "./body.ts"

export interface WholeAnswer extends Body.Body {
  readonly status: number
  readonly headers: Headers.Headers
}

export interface Limits {
  /** How many bytes of the body are read. */
  readonly maxSize: number
  readonly timeout: Duration.Duration | undefined
}

/** Undefined for a request that is not of the usual kind: `execute` sends it. */
export type Ask = (
  request: HttpClientRequest.HttpClientRequest,
  limits: Limits
) => Effect.Effect<WholeAnswer, HttpClientError.HttpClientError | "TimedOut"> | undefined

const key: unique symbol = Symbol("effect-herald/wholeAnswer")

/** The client, which answers whole as well. A client that is made of it, with a retry perhaps, does not. */
export const offer = (client: HttpClient.HttpClient, ask: Ask): HttpClient.HttpClient =>
  Object.assign(client, { [key]: ask })

/** What the client offers. */
export const of = (client: HttpClient.HttpClient & { readonly [key]?: Ask }): Ask | undefined => client[key]
