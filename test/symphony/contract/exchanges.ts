/** Asking the mock for a certain answer, and what went over the line. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { SymphonyConfig } from "effect-herald/symphony"
import type { Failure } from "./calls.ts"
import type { Name } from "./vendor.ts"

export interface Exchange {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  /** What the mock complains of, as JSON text; empty where all is well. */
  readonly violations: string
  readonly response: HttpClientResponse.HttpClientResponse
}

/**
 * An effect's result, and the exchanges of its own: not those of a session that was there before. Their bodies can be read
 * afterwards only if `withBodies`.
 */
export const recorded = <A, E, R>(effect: Effect.Effect<A, E, R>, { withBodies = false } = {}) =>
  Effect.gen(function*() {
    const exchanges: Array<Exchange> = []
    const client = yield* HttpClient.HttpClient
    const recording = HttpClient.tap(client, (response) =>
      Effect.sync(() => {
        const { method, url } = response.request
        exchanges.push({
          method,
          path: new URL(url).pathname,
          status: response.status,
          violations: Option.getOrElse(Headers.get(response.headers, "sl-violations"), () => ""),
          response
        })
      }).pipe(Effect.andThen(withBodies ? Effect.ignore(response.text) : Effect.void)))
    const result = yield* Effect.result(Effect.provideService(effect, HttpClient.HttpClient, recording))
    return { result, exchanges }
  })

/** Whether a request is for an operation. */
export const isFor = (name: Name, { method, path }: Pick<Exchange, "method" | "path">): boolean =>
  new RegExp(`^${name.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(`${method} ${path}`)

/**
 * Has an operation answered so: `code=401`, `example=nulls` or `dynamic=true, seed=1`. By the configuration of its service, so
 * that the session is not concerned; and where there are more requests to that service, by its path.
 */
export const preferring = (name: Name, preference: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  // The mock chooses by `Accept` first: who wants a file gets no error, which is JSON.
  const headers = name.endsWith("/attachment") ? { prefer: preference, accept: "*/*" } : { prefer: preference }
  if (name.startsWith("POST /login/pubkey/app/user") || name.includes("/agent/v1/info")) {
    return Effect.updateService(
      effect,
      HttpClient.HttpClient,
      HttpClient.mapRequestInput((request) =>
        isFor(name, { method: request.method, path: new URL(request.url).pathname })
          ? HttpClientRequest.setHeaders(request, headers)
          : request
      )
    )
  }
  const service = name.startsWith("POST /relay/") ? "keyManager" : name.includes(" /agent/") ? "agent" : "pod"
  return Effect.updateService(effect, SymphonyConfig.SymphonyConfig, (config) => ({
    ...config,
    [service]: { ...config[service], headers }
  }))
}

/** A value without the types of the library: a time in milliseconds, what is redacted, and so on. */
export const plain = (value: unknown): unknown => {
  if (DateTime.isDateTime(value)) return DateTime.toEpochMillis(value)
  if (Option.isOption(value)) return plain(Option.getOrNull(value))
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Map) return plain(Object.fromEntries(value))
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
}

/** A failure in a line: `RateLimited: Too many requests`. */
export const lineOf = (error: Failure): string => {
  const { reason } = error
  const said = "description" in reason ? `${reason._tag}: ${reason.description}` : reason._tag
  return error._tag === "SymphonyError" ? said : `${error._tag}, ${said}`
}
