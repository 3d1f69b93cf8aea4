/**
 * The requests to the storage: the service signs an address, which needs no token and must get none. Its refusals are XML.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import * as Headers from "effect/http/Headers"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Json from "../../../internal/json.ts"
import * as Operation from "../../../internal/operation.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Answer from "../wire/answer.ts"
import * as Endpoint from "../wire/endpoint.ts"
import * as Token from "../wire/token.ts"
import type { Form } from "./form.ts"

/** A refusal of the storage itself. */
export interface Refused {
  readonly _tag: "Refused"
  readonly status: number
  /** As the storage writes it: `EntityTooLarge`. */
  readonly code: string
  readonly description: string
  /** The limit that it names, if the content is too large. */
  readonly limit: number | undefined
}

export type Failure = Refused | PubNubError.Reason

/** A part of a file, from a position to its end. */
export interface Part {
  /** The position of the first byte. */
  readonly start: number
  /** The size of the whole file, where the storage says it. */
  readonly size: number | undefined
  /** Differs from that of another content. Undefined if the bytes are compressed: then positions in them are not those of the file. */
  readonly version: string | undefined
  readonly bytes: Stream.Stream<Uint8Array, PubNubError.Reason>
}

interface Call {
  readonly operation: string
  readonly config: PubNubConfig["Service"]
}

/** What a log may show of an address of the storage. */
const shown = () => "{storage}"

const foreign = "it is no answer of the storage"

/** The most bytes of an answer without a file. */
const longestAnswer = 64 * 1024

const callOf = ({ config, operation }: Call, timeout: Duration.Duration) => ({
  name: operation,
  address: shown,
  attributes: () => ({ "messaging.system": "pubnub", "messaging.operation.name": operation }),
  timeout,
  maxSize: longestAnswer,
  secrets: () => Token.secrets(config),
  unanswered: Endpoint.unanswered(timeout)
})

/** Uploads with a form. */
export const put = (
  call: Call,
  { fields, url }: Form,
  body: HttpBody.HttpBody,
  timeout: Duration.Duration
): Effect.Effect<void, Failure, HttpClient.HttpClient> => {
  const common = callOf(call, timeout)
  return Operation.run({
    ...common,
    secrets: () => [...common.secrets(), ...fields.map(([, value]) => value)],
    request: () => Effect.succeed(HttpClientRequest.setBody(HttpClientRequest.post(url), body)),
    answered: (answer): Effect.Effect<void, Failure> => {
      const { status, text } = answer
      if (status === 204) return Effect.void
      return status >= 200 && status < 300
        ? text.trim() === "" || text.includes("<PostResponse>")
          ? Effect.void
          : Effect.fail(Answer.malformed(unlimited(answer), foreign))
        : failed(answer)
    }
  })
}

/** Gets a file from a position on. */
export const get = (
  call: Call,
  url: string,
  { follows = false, start }: { readonly start: number; readonly follows?: boolean }
): Effect.Effect<Part, Failure, HttpClient.HttpClient> => {
  const { requestTimeout } = call.config
  const request = HttpClientRequest.get(url)
  const common = callOf(call, requestTimeout)
  return Operation.run({
    ...common,
    secrets: () => [...common.secrets(), ...keysOf(url)],
    follows,
    streamed: true,
    request: () =>
      Effect.succeed(start === 0 ? request : HttpClientRequest.setHeader(request, "range", `bytes=${start}-`)),
    answered: (answer): Effect.Effect<Part, Failure> =>
      answer.bytes === undefined
        // It has ended before: a position at its end is behind it.
        ? failed(answer)
        : Effect.succeed({
          ...extentOf(answer),
          bytes: Stream.transformPull(answer.bytes, (pull) =>
            Effect.succeed(
              Effect.timeoutOrElse(pull, { duration: requestTimeout, orElse: () => Effect.fail(tooSlow) })
            )).pipe(Stream.mapError(common.unanswered))
        })
  })
}

const tooSlow: Operation.Unanswered = { _tag: "TimedOut", description: "no answer in time", code: undefined }

/** Where an answer with bytes begins, and how large the whole file is. Compressed, it may have any size. */
const extentOf = ({ headers, status }: Operation.Answer): Omit<Part, "bytes"> => {
  const header = (name: string) => Option.getOrElse(Headers.get(headers, name), () => "")
  const [, from, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header("content-range")) ?? []
  const version = header("content-encoding") === "" ? header("etag") : undefined
  // A part that does not say which one it is fits nowhere.
  if (status === 206) return { start: Number(from), size: numberOf(size), version }
  return { start: 0, size: version === undefined ? undefined : numberOf(header("content-length")), version }
}

/** The parts of a signed address that open the file. Short ones are no secrets, but words such as "host". */
const keysOf = (url: string): ReadonlyArray<string> =>
  URL.canParse(url) ? [...new URL(url).searchParams.values()].filter(({ length }) => length >= 16) : []

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** XML of the storage may start with a declaration, and has no namespace. */
const refusal = /^\s*(?:<\?xml[^>]*>\s*)?<Error>[^]*?<Code>(\w{1,100})<\/Code>/

/** The answer without its limit: that is no setting, so no error may advise to raise it. */
const unlimited = ({ headers, status, text, told }: Operation.Answer): Operation.Answer => ({
  headers,
  status,
  text,
  told
})

const failed = (answer: Operation.Answer): Effect.Effect<never, Failure> => {
  const { status, text, told } = answer
  const code = refusal.exec(text)?.[1]
  const of = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return code === undefined
    ? Answer.read(unlimited(answer), {
      path: shown,
      parse: Json.parse,
      decode: () => Result.fail(foreign)
    })
    : Effect.fail({
      _tag: "Refused",
      status,
      code: told(code),
      description: told(of("Message") ?? "no explanation"),
      limit: numberOf(of("MaxSizeAllowed"))
    })
}
