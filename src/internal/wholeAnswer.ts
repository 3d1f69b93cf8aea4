/**
 * A transport may offer whole answers beside `execute`: it reads an answer to its end, within a limit of size and a timeout. The
 * streams, abort signals and timers of `execute` cost more than the request itself.
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
  /** Called when a part of the body has arrived. */
  readonly onPart?: (() => void) | undefined
}

/** Sends a request. Undefined if the transport cannot send this request whole; the caller then uses `execute`. */
export type Ask = (
  request: HttpClientRequest.HttpClientRequest,
  limits: Limits
) => Effect.Effect<WholeAnswer, HttpClientError.HttpClientError | "TimedOut"> | undefined

const key: unique symbol = Symbol("effect-herald/wholeAnswer")

/** Adds whole answers to a client. A client that is derived from it, for example with a retry, does not have them. */
export const offer = (client: HttpClient.HttpClient, ask: Ask): HttpClient.HttpClient =>
  Object.assign(client, { [key]: ask })

/** The whole answers of a client, if it offers them. */
export const of = (client: HttpClient.HttpClient & { readonly [key]?: Ask }): Ask | undefined => client[key]
