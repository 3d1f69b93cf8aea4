/**
 * Transports for tests: one answers from a script, one records the exchanges of another.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as exchange from "./server/exchange.ts"

/**
 * What a scripted transport does with a request: answers (default: 200 and an empty body), fails with the code of a network
 * error such as `"ECONNREFUSED"`, or never answers. `delay` is how long it takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | {
    /** The HTTP status. Default: 200. */
    readonly status?: number
    /** The headers. Default: none. */
    readonly headers?: Readonly<Record<string, string>>
    /** The body as text. Default: empty. */
    readonly body?: string
    /** The time before the answer comes. Default: none. */
    readonly delay?: Duration.Input
  }
  | {
    /** The code of the network error, such as `"ECONNREFUSED"`. */
    readonly failure: string
    /** The time before the request fails. Default: none. */
    readonly delay?: Duration.Input
  }
  | {
    /** The request gets no answer. */
    readonly never: true
  }

/**
 * A request and its outcome: an answer, a failure of the transport, or `Pending` while it waits or after it was interrupted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exchange {
  /** The method, in upper case. */
  readonly method: string
  /** The whole URL, with all keys and tokens of its query. */
  readonly url: string
  /** The headers of the request. */
  readonly headers: Readonly<Record<string, string>>
  /** The body of the request as text. */
  readonly body: string
  /** What came of it. */
  readonly outcome:
    | { readonly _tag: "Pending" }
    | {
      readonly _tag: "Answered"
      /** The HTTP status. */
      readonly status: number
      /** The body of the answer as text. */
      readonly body: string
    }
    | {
      readonly _tag: "Failed"
      /** The error of the transport. */
      readonly cause: unknown
    }
}

/**
 * The exchanges of a transport.
 *
 * @category services
 * @since 0.1.0
 */
export class Exchanges extends Context.Service<Exchanges, {
  /** All exchanges, oldest request first. */
  readonly all: Effect.Effect<ReadonlyArray<Exchange>>
}>()("effect-herald/testing/Transport/Exchanges") {}

/** A list of exchanges, and a function that adds a request to it. */
const record = () => {
  const exchanges: Array<Exchange> = []
  return {
    exchanges: Exchanges.of({ all: Effect.sync(() => [...exchanges]) }),
    recorded: <E>(
      request: HttpClientRequest.HttpClientRequest,
      url: string,
      body: string,
      answer: Effect.Effect<
        { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string },
        E
      >
    ) =>
      Effect.suspend(() => {
        const { headers, method } = request
        const index = exchanges.push({ method, url, headers, body, outcome: { _tag: "Pending" } }) - 1
        const settle = (outcome: Exchange["outcome"]) =>
          Effect.sync(() => {
            exchanges[index] = { method, url, headers, body, outcome }
          })
        return answer.pipe(
          Effect.tap(({ body, status }) => settle({ _tag: "Answered", status, body })),
          Effect.tapError((cause) => settle({ _tag: "Failed", cause })),
          Effect.map((answer) => exchange.response(request, answer))
        )
      })
  }
}

/**
 * Answers each request with the next answer of a list. After the last one, it refuses connections.
 *
 * **Example** (A refusal, then an answer)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Transport from "effect-herald/testing/Transport"
 *
 * const program = HttpClient.get("http://any.host/time/0").pipe(
 *   Effect.retry({ times: 1 }),
 *   Effect.andThen(Transport.Exchanges.use(({ all }) => all)),
 *   Effect.provide(Transport.layerScripted([{ failure: "ECONNREFUSED" }, { body: "[17000000000000000]" }]))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerScripted = (answers: ReadonlyArray<Answer>): Layer.Layer<HttpClient.HttpClient | Exchanges> =>
  Layer.effectContext(Effect.sync(() => {
    const { exchanges, recorded } = record()
    let next = 0
    const client = HttpClient.make((request, url) =>
      Effect.flatMap(exchange.bodyText(request), (body) => {
        const answer = answers[next++] ?? { failure: "ECONNREFUSED" }
        if ("never" in answer) return recorded(request, url.href, body, Effect.never)
        const outcome = "failure" in answer
          ? Effect.fail(exchange.failure(request, answer.failure))
          : Effect.succeed({ status: answer.status ?? 200, headers: answer.headers ?? {}, body: answer.body ?? "" })
        return recorded(
          request,
          url.href,
          body,
          answer.delay === undefined ? outcome : Effect.delay(outcome, answer.delay)
        )
      })
    )
    return Context.make(HttpClient.HttpClient, client).pipe(Context.add(Exchanges, exchanges))
  }))

/**
 * Records the exchanges of the transport beneath it. It reads a body to its end before it gives the response.
 *
 * **Example** (What did the client send?)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Layer from "effect/Layer"
 * import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
 * import * as Transport from "effect-herald/testing/Transport"
 *
 * const program = Effect.gen(function*() {
 *   yield* HttpClient.get("http://any.host/time/0")
 *   return yield* (yield* Transport.Exchanges).all
 * }).pipe(Effect.provide(Transport.layerRecording.pipe(Layer.provide(PubNubEmulator.layer()))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRecording: Layer.Layer<HttpClient.HttpClient | Exchanges, never, HttpClient.HttpClient> = Layer
  .effectContext(Effect.gen(function*() {
    const { exchanges, recorded } = record()
    const client = HttpClient.transform(
      yield* HttpClient.HttpClient,
      (sent, request) =>
        Effect.flatMap(exchange.bodyText(request), (body) =>
          recorded(
            request,
            exchange.urlOf(request),
            body,
            Effect.flatMap(
              sent,
              (response) =>
                Effect.map(response.text, (body) => ({ status: response.status, headers: response.headers, body }))
            )
          ))
    )
    return Context.make(HttpClient.HttpClient, client).pipe(Context.add(Exchanges, exchanges))
  }))
