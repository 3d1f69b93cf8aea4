/** What a transport hands to a client: a response made of text, or a failure with a code. */
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** An error as a network stack raises it: what went wrong is in its `code`. */
const coded = (code: string): Error => Object.assign(new Error(code), { code })

/** A request that got no answer. The code is one level down, where `fetch` has it. */
export const failure = (request: HttpClientRequest.HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({
      request,
      cause: Object.assign(new TypeError("fetch failed"), { cause: coded(code) })
    })
  })

/** A response of text, made without a promise, so that reading it takes no turn of the event loop. */
export const response = (request: HttpClientRequest.HttpClientRequest, answer: {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}): HttpClientResponse.HttpClientResponse =>
  HttpServerResponse.toClientResponse(
    HttpServerResponse.text(answer.body, {
      status: answer.status,
      headers: answer.headers,
      contentType: answer.headers["content-type"] ?? "text/plain"
    }),
    { request }
  )

/** A response whose body breaks off after some text. */
export const brokenResponse = (request: HttpClientRequest.HttpClientRequest, answer: {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}, code: string): HttpClientResponse.HttpClientResponse =>
  HttpServerResponse.toClientResponse(
    HttpServerResponse.stream(
      Stream.concat(
        Stream.succeed(new TextEncoder().encode(answer.body)),
        Stream.fail(Object.assign(new TypeError("terminated"), { cause: coded(code) }))
      ),
      { status: answer.status, headers: answer.headers }
    ),
    { request }
  )

/** The body of a request, as text. */
export const bodyText = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<string, HttpClientError.HttpClientError> =>
  request.body._tag === "Empty" ? Effect.succeed("") : Effect.mapError(
    HttpServerRequest.fromClientRequest(request).text,
    (cause) => new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
  )

/** The body of a request: text, or bytes where it is compressed or comes in pieces. */
export const body = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<string | Uint8Array, HttpClientError.HttpClientError> =>
  request.headers["content-encoding"] === undefined && request.body._tag !== "Stream"
    ? bodyText(request)
    : Effect.map(bodyBytes(request), ({ bytes }) => bytes)

/** More than any service takes: a body of pieces may have no end. */
const mostBytes = 32 * 1024 * 1024

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The bytes of a stream, up to the first that are too many. */
const collected = <E>(stream: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> =>
  Effect.suspend(() => {
    let size = 0
    return stream.pipe(
      Stream.takeUntil((chunk) => (size += chunk.length) > mostBytes),
      Stream.runCollect,
      Effect.map(joined)
    )
  })

/** The body of a request as it goes over the wire, and its type: that of a form has the boundary in it. */
export const bodyBytes = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<
  { readonly bytes: Uint8Array; readonly contentType: string | undefined },
  HttpClientError.HttpClientError
> => {
  const { body } = request
  const failed = (cause: unknown) =>
    new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({ bytes: new Uint8Array(), contentType: request.headers["content-type"] })
    case "FormData":
      return Effect.tryPromise({
        try: async () => {
          const form = new Response(body.formData)
          return {
            bytes: new Uint8Array(await form.arrayBuffer()),
            contentType: form.headers.get("content-type") ?? undefined
          }
        },
        catch: failed
      })
    case "Stream":
      return Effect.mapBoth(collected(body.stream), {
        onFailure: failed,
        onSuccess: (bytes) => ({ bytes, contentType: request.headers["content-type"] })
      })
    default:
      return HttpServerRequest.fromClientRequest(request).arrayBuffer.pipe(
        Effect.map((buffer) => ({ bytes: new Uint8Array(buffer), contentType: request.headers["content-type"] })),
        Effect.mapError(failed)
      )
  }
}

/** The whole URL of a request. */
export const urlOf = (request: HttpClientRequest.HttpClientRequest): string =>
  Option.match(HttpClientRequest.toUrl(request), { onNone: () => request.url, onSome: (url) => url.href })
