/** Reads the requests of clients, and makes responses and failures with codes. */
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Answer } from "./message.ts"

/** An error of a network stack. Its `code` says what went wrong. */
const coded = (code: string): Error => Object.assign(new Error(code), { code })

/** A request that got no answer. The code is one level down, where `fetch` has it. */
export const failure = (request: HttpClientRequest.HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({
      request,
      cause: Object.assign(new TypeError("fetch failed"), { cause: coded(code) })
    })
  })

/** A response, made without a promise, so that reading its text takes no turn of the event loop. */
export const response = (
  request: HttpClientRequest.HttpClientRequest,
  answer: Answer
): HttpClientResponse.HttpClientResponse =>
  HttpServerResponse.toClientResponse(
    answer.bytes === undefined
      ? HttpServerResponse.text(answer.body, {
        status: answer.status,
        headers: answer.headers,
        contentType: answer.headers["content-type"] ?? "text/plain"
      })
      : HttpServerResponse.uint8Array(answer.bytes, {
        status: answer.status,
        headers: answer.headers,
        contentType: answer.headers["content-type"] ?? "application/octet-stream"
      }),
    { request }
  )

/** A response, read. The storage of files says that it can give ranges of bytes; all other answers are text. */
export const answerOf = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Answer, HttpClientError.HttpClientError> => {
  const { headers, status } = response
  return headers["accept-ranges"] === "bytes"
    ? Effect.map(response.arrayBuffer, (buffer) => ({ status, headers, body: "", bytes: new Uint8Array(buffer) }))
    : Effect.map(response.text, (body) => ({ status, headers, body }))
}

/** The beginning of an answer: half of its body. */
export const half = (answer: Answer): Answer => ({
  ...answer,
  body: answer.body.slice(0, Math.floor(answer.body.length / 2)),
  ...answer.bytes === undefined ? {} : { bytes: answer.bytes.subarray(0, Math.floor(answer.bytes.length / 2)) }
})

/** A response whose body breaks off. */
export const brokenResponse = (
  request: HttpClientRequest.HttpClientRequest,
  answer: Answer,
  code: string
): HttpClientResponse.HttpClientResponse =>
  HttpServerResponse.toClientResponse(
    HttpServerResponse.stream(
      Stream.concat(
        Stream.succeed(answer.bytes ?? new TextEncoder().encode(answer.body)),
        Stream.fail(Object.assign(new TypeError("terminated"), { cause: coded(code) }))
      ),
      { status: answer.status, headers: answer.headers }
    ),
    { request }
  )

/** More than any service takes: a streamed body may have no end. */
const maxStreamed = 32 * 1024 * 1024

/** The bytes of a stream, up to the first that are too many. */
const collect = <E>(stream: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> =>
  Effect.suspend(() => {
    let size = 0
    return stream.pipe(
      Stream.takeUntil((chunk) => (size += chunk.length) > maxStreamed),
      Stream.runCollect,
      Effect.map(Bytes.concat)
    )
  })

const bytesOf = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Uint8Array, unknown> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(new Uint8Array())
    // Without a promise, so that it takes no turn of the event loop.
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Stream":
      return collect(body.stream)
    case "Raw":
      return body.body instanceof Blob ? blobBytes(body.body) : otherBytes(request)
    default:
      return otherBytes(request)
  }
}

const blobBytes = (blob: Blob) => Effect.tryPromise(async () => new Uint8Array(await blob.arrayBuffer()))

const otherBytes = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.map(HttpServerRequest.fromClientRequest(request).arrayBuffer, (buffer) => new Uint8Array(buffer))

/** The body of a request as it goes over the wire, and its type, in which a form has its boundary. */
export const body = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<
  { readonly bytes: Uint8Array; readonly contentType: string | undefined },
  HttpClientError.HttpClientError
> => {
  const { body, headers } = request
  const read = body._tag === "FormData"
    ? Effect.tryPromise(async () => {
      const form = new Response(body.formData)
      return {
        bytes: new Uint8Array(await form.arrayBuffer()),
        contentType: form.headers.get("content-type") ?? undefined
      }
    })
    : Effect.map(bytesOf(request), (bytes) => ({ bytes, contentType: headers["content-type"] }))
  return Effect.mapError(
    read,
    (cause) => new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
  )
}

/** The body of a request as text. */
export const bodyText = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<string, HttpClientError.HttpClientError> =>
  Effect.map(body(request), ({ bytes }) => new TextDecoder().decode(bytes))

/** The whole URL of a request. */
export const urlOf = (request: HttpClientRequest.HttpClientRequest): string =>
  Option.match(HttpClientRequest.toUrl(request), { onNone: () => request.url, onSome: (url) => url.href })
