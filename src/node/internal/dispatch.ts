/**
 * An `HttpClient` on undici's `dispatch`. A whole answer to a request without a stream is one callback. Effect's own client for
 * undici sends all other requests, over the same connections.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as Undici from "@effect/platform-node/Undici"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Body from "../../internal/body.ts"
import * as Text from "../../internal/text.ts"
import * as WholeAnswer from "../../internal/wholeAnswer.ts"
import * as Deadlines from "./deadlines.ts"

/** Makes the client. Its connections close with the scope. */
export const make = Effect.fnUntraced(
  function*(options: Undici.Agent.Options): Effect.fn.Return<HttpClient.HttpClient, never, Scope.Scope> {
    const deadlines = Deadlines.make(yield* Effect.scope)
    // By its default export: bundlers that split their output lose the others, which `NodeHttpClient` takes.
    const { default: { Agent } } = yield* Effect.promise(() => import("@effect/platform-node/Undici"))
    // Bun puts a stand-in in undici's place, which sends nothing.
    if (!("dispatch" in Agent.prototype)) return yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer)
    const dispatcher = yield* Effect.acquireRelease(
      Effect.sync(() => new Agent(options)),
      (agent) => Effect.promise(() => agent.destroy())
    )
    const stock = yield* Effect.provideService(NodeHttpClient.makeUndici, NodeHttpClient.Dispatcher, dispatcher)
    return WholeAnswer.offer(stock, (request, limits) => {
      const target = targetOf(request)
      return target === undefined ? undefined : Effect.withFiber((fiber) =>
        Effect.callback((resume) => {
          const exchange = new Exchange(request, limits, resume)
          if (limits.timeout !== undefined) {
            exchange.forget = deadlines.set(fiber.getRef(Clock.Clock), limits.timeout, exchange.expire)
          }
          try {
            dispatcher.dispatch({ ...target, headersTimeout: 0, bodyTimeout: 0 }, exchange)
          } catch (cause) {
            exchange.unsent(cause)
          }
          return Effect.sync(() => exchange.abort())
        })
      )
    })
  }
)

/** The request for undici. Undefined if its body is a stream, if it asks for an upgrade, or if its URL is not a plain string. */
const targetOf = (
  { body, hash, headers, method, url, urlParams }: HttpClientRequest.HttpClientRequest
): Undici.Dispatcher.DispatchOptions | undefined => {
  if (
    urlParams.params.length > 0 || Option.isSome(hash) || headers["upgrade"] !== undefined ||
    body._tag !== "Empty" && body._tag !== "Uint8Array"
  ) return undefined
  const slash = url.indexOf("/", "https://".length)
  return slash === -1 ? undefined : {
    origin: url.slice(0, slash),
    path: url.slice(slash),
    method,
    headers,
    body: body._tag === "Empty" ? null : body.body
  }
}

type Result = Effect.Effect<WholeAnswer.WholeAnswer, HttpClientError.HttpClientError | "TimedOut">

/** One request, until its answer, its failure, its timeout or its interruption. */
class Exchange implements Undici.Dispatcher.DispatchHandler {
  readonly #request: HttpClientRequest.HttpClientRequest
  readonly #maxSize: number
  readonly #onPart: (() => void) | undefined
  readonly #resume: (result: Result) => void
  /** Cancels the timeout. */
  forget: () => void = nothing
  #isOver = false
  #controller: Undici.Dispatcher.DispatchController | undefined
  #status = 0
  #headers: Headers.Input = {}
  readonly #chunks: Array<Buffer> = []
  #size = 0

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    { maxSize, onPart }: WholeAnswer.Limits,
    resume: (result: Result) => void
  ) {
    this.#request = request
    this.#maxSize = maxSize
    this.#onPart = onPart
    this.#resume = resume
  }

  onRequestStart(controller: Undici.Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(aborted)
  }

  onResponseStart(_: unknown, status: number, headers: Headers.Input): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Undici.Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
    this.#onPart?.()
    if (this.#size <= this.#maxSize) return
    this.#answer({ text: `${this.#text(Text.most)}…`, limit: this.#maxSize })
    controller.abort(aborted)
  }

  onResponseEnd(): void {
    this.#answer({ text: this.#text() })
  }

  onResponseError(_: unknown, cause: Error): void {
    this.#end(
      Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({ request: this.#request, cause })
        })
      )
    )
  }

  /** Undici refused the request itself. */
  unsent(cause: unknown): void {
    this.#end(
      Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.InvalidUrlError({ request: this.#request, cause })
        })
      )
    )
  }

  readonly expire = (): void => {
    this.#end(Effect.fail("TimedOut"))
    this.#controller?.abort(aborted)
  }

  abort(): void {
    this.#isOver = true
    this.forget()
    this.#controller?.abort(aborted)
  }

  #text(size?: number): string {
    const [first] = this.#chunks
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    const text = bytes.toString("utf8", 0, size)
    return text.startsWith("\uFEFF") ? text.slice(1) : text
  }

  #answer(body: Body.Body): void {
    if (!this.#isOver) this.#end(Effect.succeed(new Answered(this.#status, this.#headers, body)))
  }

  #end(result: Result): void {
    if (this.#isOver) return
    this.#isOver = true
    this.forget()
    this.#resume(result)
  }
}

/** Parses headers only when they are read: few callers read them. */
class Answered implements WholeAnswer.WholeAnswer {
  readonly status: number
  readonly text: string
  readonly limit?: number
  readonly #input: Headers.Input

  constructor(status: number, input: Headers.Input, { limit, text }: Body.Body) {
    this.status = status
    this.#input = input
    this.text = text
    if (limit !== undefined) this.limit = limit
  }

  get headers(): Headers.Headers {
    return Headers.fromInput(this.#input)
  }
}

const nothing = () => {}
const aborted = new Error("the request was given up")
