/** What tests of Symphony share: a session that needs no login, scripts in place of the network, and a pod in memory. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  Attachments,
  Messages,
  MessageSearch,
  MessageStatus,
  Session,
  SymphonyConfig,
  SymphonyError
} from "effect-herald/symphony"
import { SymphonyEmulator, Transport } from "effect-herald/testing"

export const sid = "FH6C-spkoCH0rxgMKsvqqP___susIzthuw"
export const sidStandard = "FH6C+spkoCH0rxgMKsvqqP///susIzthuw=="
export const mid = "TYgOZ65dVsu3SeK7u2YdfH___o6fzBu0"

/** A session whose tokens are `session 1` and `key manager 1`, then `session 2`, …. */
export const session = (options: { readonly onBehalf?: boolean } = {}) =>
  Layer.sync(Session.Session, () => {
    let number = 1
    const tokens = () => ({
      sessionToken: Redacted.make(`session ${number}`),
      keyManagerToken: options.onBehalf === true ? undefined : Redacted.make(`key manager ${number}`)
    })
    return Session.Session.of({
      tokens: Effect.sync(tokens),
      renew: () =>
        Effect.sync(() => {
          number++
          return tokens()
        })
    })
  })

/** A configuration that waits for nothing between its three attempts. */
export const config = (options: Partial<SymphonyConfig.Options> = {}) =>
  SymphonyConfig.layer({
    host: "acme.symphony.com",
    retry: { base: 0, maxAttempts: 3 },
    ...options
  })

/** Answers of a script. */
export const scripted = (...answers: ReadonlyArray<Transport.Answer>) =>
  Layer.mergeAll(Transport.layerScripted(answers), config(), session())

export const exchanges = Transport.Exchanges.use(({ all }) => all)

/** A request as its bytes. */
export interface Sent {
  readonly url: string
  readonly contentType: string
  /** Whether the body was a stream. */
  readonly isStreamed: boolean
  readonly bytes: Uint8Array
  readonly sessionToken: string | undefined
}

/**
 * Answers of a script to requests whose bodies are kept as bytes. A body that fails is a connection that failed, as `fetch`
 * has it.
 */
export const recorder = (
  answers: ReadonlyArray<{ readonly status: number; readonly body?: string | Stream.Stream<Uint8Array, Error> }>
) => {
  const sent: Array<Sent> = []
  const client = HttpClient.make((request, url) =>
    Effect.gen(function*() {
      const { body } = request
      const chunks: Array<Uint8Array> = body._tag === "Stream"
        ? yield* Stream.runCollect(body.stream).pipe(
          Effect.mapError((cause) =>
            new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
          )
        )
        : body._tag === "Uint8Array"
        ? [body.body]
        : []
      sent.push({
        url: url.href,
        contentType: body._tag === "Empty" ? "" : body.contentType ?? "",
        isStreamed: body._tag === "Stream",
        bytes: new Uint8Array(Buffer.concat(chunks)),
        sessionToken: request.headers["sessiontoken"]
      })
      const { body: answer = "", status } = answers[sent.length - 1] ?? { status: 500 }
      return HttpClientResponse.fromWeb(
        request,
        new Response(typeof answer === "string" ? answer : Stream.toReadableStream(answer), { status })
      )
    })
  )
  return { sent, layer: Layer.mergeAll(Layer.succeed(HttpClient.HttpClient, client), config(), session()) }
}

/** The parts of a body, read by the platform's own parser: text, and files as their names, types and bytes. */
export const partsOf = ({ bytes, contentType }: Pick<Sent, "bytes" | "contentType">) =>
  Effect.promise(async () => {
    const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }).formData()
    return Promise.all(
      [...form.entries()].map(async ([name, value]) =>
        typeof value === "string"
          ? [name, value] as const
          : [name, {
            name: value.name,
            type: value.type,
            bytes: [...new Uint8Array(await value.arrayBuffer())]
          }] as const
      )
    )
  })

/** The same of a scripted exchange, whose body is text. */
export const textParts = ({ body, headers }: Transport.Exchange) =>
  partsOf({ bytes: new TextEncoder().encode(body), contentType: headers["content-type"] ?? "" })

export const tagOf = (error: { readonly _tag: string }): string =>
  error instanceof SymphonyError.SymphonyError ? error.reason._tag : error._tag

export const detailsOf = (error: unknown): ReadonlyArray<string> =>
  error instanceof SymphonyError.SymphonyError && error.reason._tag === "BadRequest"
    ? error.reason.details.map(({ location, message }) => `${location} ${message}`)
    : []

/** A pod in memory with a bot and two users, and the bot's session. */
export const emulated = (options: SymphonyEmulator.Options = {}) =>
  Layer.unwrap(Effect.map(SymphonyEmulator.keyPair, ({ privateKey, publicKey }) =>
    Session.layer().pipe(
      Layer.provideMerge(SymphonyConfig.layer({
        host: "acme.symphony.com",
        bot: { username: "bot", privateKey },
        app: { appId: "herald-app", privateKey },
        retry: { base: 0, maxAttempts: 3 }
      })),
      Layer.provideMerge(SymphonyEmulator.layer({
        users: [
          { username: "bot", publicKey },
          { username: "ada", firstName: "Ada", email: "ada@example.com" },
          { username: "bob" }
        ],
        apps: [{ appId: "herald-app", publicKey }],
        ...options
      }))
    )))

export const emulator = SymphonyEmulator.SymphonyEmulator

export const room = (...members: ReadonlyArray<string>) =>
  emulator.use(({ createStream }) => createStream({ type: "ROOM", name: "Orders", members: ["bot", ...members] }))

/** The operation of an error, as `Messages.send`, by the name of the function. */
export const operationOf = (name: string): string | undefined =>
  Object.entries({ Attachments, Messages, MessageSearch, MessageStatus })
    .flatMap(([module, symbols]) => name in symbols ? [`${module}.${name}`] : [])[0]
