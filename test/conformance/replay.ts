/**
 * A transport that answers with what was recorded, and notes what was asked otherwise.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Exchange } from "./kit.ts"
import { differences, encodingDifferences, recordedQuery, type Sent, sentQuery } from "./matching.ts"

const utf8 = new TextDecoder()

const sentOf = ({ body, headers, method }: HttpClientRequest.HttpClientRequest, url: URL): Sent => ({
  method,
  url,
  ifMatch: headers["if-match"],
  ...body._tag === "Uint8Array"
    ? { body: utf8.decode(body.body), contentType: body.contentType }
    : { body: undefined, contentType: undefined }
})

/** A client that is a function of the request. `"hang"` never answers, `"cut"` loses the connection. */
export const client = (
  answer: (sent: Sent) => Response | "hang" | "cut"
): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const response = answer(sentOf(request, url))
      return response === "hang"
        ? Effect.never
        : response === "cut"
        ? Effect.fail(
          new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({
              request,
              cause: Object.assign(new Error("the connection was cut"), { code: "ECONNRESET" })
            })
          })
        )
        : Effect.succeed(HttpClientResponse.fromWeb(request, response))
    })
  )

/** The answer as it was recorded, to the byte. */
export const recordedAnswer = ({ response }: Exchange): Response => {
  const { rawBody, status } = response
  return new Response(status === 204 ? null : rawBody ?? "", { status, headers: response.headers })
}

export interface Replay {
  readonly client: HttpClient.HttpClient
  /** Done with the request once a long poll is made for which nothing was recorded; it stays open. */
  readonly open: Deferred.Deferred<Sent>
  /** What went wrong so far: requests that differ or were not expected, exchanges that nobody asked for. */
  readonly problems: () => ReadonlyArray<string>
}

export interface Options {
  /** Whether the recording kept the bytes of the path. */
  readonly exactPath: boolean
  /** Parameters that are not compared. */
  readonly ignored?: (exchange: Exchange) => ReadonlyArray<string>
  /** What is wrong with a request by rules that are ours alone. */
  readonly objections?: (sent: Sent) => ReadonlyArray<string>
}

const isPoll = (sent: Sent): boolean =>
  sent.url.pathname.startsWith("/v2/subscribe/") && sent.url.searchParams.has("tt")

/** The first path segments are enough to tell our templates apart, and a poll from a handshake by its position. */
const kindOfSent = (sent: Sent): string =>
  `${sent.method} ${operationOf(decodeURIComponent(sent.url.pathname))}${isPoll(sent) ? " poll" : ""}`

const kindOfRecorded = ({ request }: Exchange, poll: boolean): string =>
  `${request.method} ${operationOf(request.path)}${poll ? " poll" : ""}`

const operationOf = (path: string): string =>
  path.startsWith("/v2/presence/") ? path.slice(path.lastIndexOf("/") + 1) : path.split("/", 3).slice(1).join("/")

/**
 * Answers each kind of request with the exchanges of that kind, in their order. `polls` are those with a position,
 * which some recordings have left out.
 */
export const make = (
  exchanges: ReadonlyArray<Exchange>,
  polls: ReadonlySet<Exchange>,
  options: Options
): Replay => {
  const waiting = new Map<string, Array<Exchange>>()
  for (const exchange of exchanges) {
    const kind = kindOfRecorded(exchange, polls.has(exchange))
    waiting.set(kind, [...waiting.get(kind) ?? [], exchange])
  }
  const problems: Array<string> = []
  const open = Deferred.makeUnsafe<Sent>()
  return {
    client: client((sent) => {
      const exchange = waiting.get(kindOfSent(sent))?.shift()
      if (exchange === undefined) {
        if (isPoll(sent)) Deferred.doneUnsafe(open, Effect.succeed(sent))
        else problems.push(`not recorded: ${sent.method} ${sent.url.pathname}${sent.url.search}`)
        return "hang"
      }
      const cursorless = polls.has(exchange) && !recordedQuery(exchange.request).has("tt") ? ["tt", "tr"] : []
      const found = [
        ...differences(sent, exchange.request, [...cursorless, ...options.ignored?.(exchange) ?? []]),
        ...options.objections?.(sent) ?? [],
        ...options.exactPath ? encodingDifferences(sent, exchange.request) : [],
        ...sent.url.origin === "https://ps.pndsn.com" ? [] : [`origin: ${sent.url.origin}`]
      ]
      problems.push(...found.map((difference) => `${exchange.request.method} ${exchange.request.path}: ${difference}`))
      return recordedAnswer(exchange)
    }),
    open,
    problems: () => [
      ...problems,
      ...[...waiting.values()].flat().map(({ request }) => `never asked: ${request.method} ${request.path}`)
    ]
  }
}

/** Where a poll stands. */
export const positionOf = (sent: Sent): { readonly tt: string | undefined; readonly tr: string | undefined } => {
  const query = sentQuery(sent)
  return { tt: query.get("tt"), tr: query.get("tr") }
}
