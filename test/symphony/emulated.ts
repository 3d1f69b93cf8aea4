/**
 * What tests of Symphony under faults share: a pod behind faults, bots with their sessions, what went over the wire as
 * bytes, and a clock that can jump.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Session, SymphonyConfig } from "effect-herald/symphony"
import { Faults, SymphonyEmulator, VirtualTime } from "effect-herald/testing"
import * as NodeCrypto from "node:crypto"

/** 2026-09-21T14:13:20Z */
export const start = 1_790_000_000_000

/** One pair for all bots. It is short, as there are thousands of logins in a simulation. */
export const keys = NodeCrypto.generateKeyPairSync("rsa", {
  modulusLength: 768,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" }
})

// WebCrypto works in threads of its own, which virtual time does not wait for and which come back in any order. What it
// does for a login with these keys is done in place here, so that a seed is a run. It does the rest as always, for the
// other files of the same worker.
const privateKey = NodeCrypto.createPrivateKey(keys.privateKey)
const publicKey = NodeCrypto.createPublicKey(keys.publicKey)
const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }
const inPlace = [
  {
    format: "pkcs8",
    der: privateKey.export({ format: "der", type: "pkcs8" }),
    key: privateKey.toCryptoKey(algorithm, true, ["sign"])
  },
  {
    format: "spki",
    der: publicKey.export({ format: "der", type: "spki" }),
    key: publicKey.toCryptoKey(algorithm, true, ["verify"])
  }
] as const
const bytesOf = (data: BufferSource) =>
  new Uint8Array("buffer" in data ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data)
const derOf = (key: CryptoKey) => inPlace.find((known) => known.key === key)?.der
const { subtle } = crypto
const exportKey = subtle.exportKey.bind(subtle)
const importKey = subtle.importKey.bind(subtle)
const sign = subtle.sign.bind(subtle)
const verify = subtle.verify.bind(subtle)
Object.defineProperties(subtle, {
  importKey: {
    value: async (...asked: Parameters<typeof importKey>) =>
      inPlace.find(({ der, format }) => format === asked[0] && asked[1] instanceof Uint8Array && der.equals(asked[1]))
        ?.key ?? importKey(...asked)
  },
  exportKey: {
    value: async (...asked: Parameters<typeof exportKey>) => derOf(asked[1]) ?? exportKey(...asked)
  },
  sign: {
    value: async (...asked: Parameters<typeof sign>) =>
      derOf(asked[1]) === undefined ? sign(...asked) : NodeCrypto.sign("sha512", bytesOf(asked[2]), privateKey)
  },
  verify: {
    value: async (...asked: Parameters<typeof verify>) =>
      derOf(asked[1]) === undefined
        ? verify(...asked)
        : NodeCrypto.verify("sha512", bytesOf(asked[3]), publicKey, bytesOf(asked[2]))
  }
})

// --------------------------------------------------------------------------------------------------------------------
// the wire
// --------------------------------------------------------------------------------------------------------------------

/** A request as it was sent, whatever became of it. */
export interface Sent {
  readonly method: string
  /** The path, still percent-encoded. */
  readonly path: string
  readonly query: string
  readonly contentType: string
  /** Those that were taken of the body. */
  readonly bytes: Uint8Array
  readonly isStreamed: boolean
  readonly sessionToken: string | undefined
  /** Milliseconds since the start. */
  readonly time: number
}

/** The requests of all bots, oldest first, also those that faults kept from the pod. */
export class Wire extends Context.Service<Wire, { readonly sent: Effect.Effect<ReadonlyArray<Sent>> }>()("test/Wire") {}

const wire = Layer.effectContext(Effect.gen(function*() {
  const sent: Array<Omit<Sent, "bytes"> & { readonly chunks: Array<Uint8Array> }> = []
  const client = HttpClient.mapRequestEffect(
    yield* HttpClient.HttpClient,
    (request) =>
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          const { body, headers, method } = request
          const url = Option.getOrThrow(HttpClientRequest.toUrl(request))
          const chunks = body._tag === "Uint8Array" ? [body.body] : []
          sent.push({
            method,
            path: url.pathname,
            query: url.search,
            contentType: "contentType" in body ? body.contentType ?? "" : "",
            chunks,
            isStreamed: body._tag === "Stream",
            sessionToken: headers["sessiontoken"],
            time: clock.currentTimeMillisUnsafe() - start
          })
          return body._tag !== "Stream" ? request : HttpClientRequest.setBody(
            request,
            HttpBody.stream(
              Stream.tap(body.stream, (chunk) => Effect.sync(() => chunks.push(chunk))),
              body.contentType
            )
          )
        })
      )
  )
  return Context.make(HttpClient.HttpClient, client).pipe(Context.add(
    Wire,
    Wire.of({
      sent: Effect.sync(() =>
        sent.map(({ chunks, ...request }) => ({ ...request, bytes: new Uint8Array(Buffer.concat(chunks)) }))
      )
    })
  ))
}))

/** The requests to addresses that match. */
export const sentTo = (path: RegExp) =>
  Wire.use(({ sent }) => Effect.map(sent, (all) => all.filter((request) => path.test(request.path))))

// --------------------------------------------------------------------------------------------------------------------
// pod and bots
// --------------------------------------------------------------------------------------------------------------------

export const emulator = SymphonyEmulator.SymphonyEmulator

/** A pod with two bots and a user, behind faults. */
export const pod = (options: {
  readonly emulator?: SymphonyEmulator.Options
  readonly script?: ReadonlyArray<Faults.Rule>
  readonly chance?: Faults.Chance
} = {}) =>
  wire.pipe(
    Layer.provideMerge(Faults.layer({
      script: options.script ?? [],
      ...options.chance === undefined ? {} : { chance: options.chance }
    })),
    Layer.provideMerge(SymphonyEmulator.layer({
      users: [
        { username: "bot", publicKey: keys.publicKey },
        { username: "other-bot", publicKey: keys.publicKey },
        { username: "ada", email: "ada@example.com" }
      ],
      ...options.emulator
    })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer)
  )

/** The configuration and the session of a bot. */
export const bot = (username: string, config: Partial<SymphonyConfig.Options> = {}) =>
  Session.layer().pipe(Layer.provideMerge(SymphonyConfig.layer({
    host: "acme.symphony.com",
    bot: { username, privateKey: Redacted.make(keys.privateKey) },
    ...config
  })))

/** The pod, and the session of its first bot. */
export const emulated = (
  options: Parameters<typeof pod>[0] & { readonly config?: Partial<SymphonyConfig.Options> } = {}
) => bot("bot", options.config).pipe(Layer.provideMerge(pod(options)))

/** How often somebody logged in: at the pod, and at the key manager. */
export const loginsOf = (name: string) =>
  Effect.map(emulator.use(({ logins }) => logins), (logins) => {
    const of = (kind: string) => logins.filter((login) => login.name === name && login.kind === kind).length
    return { session: of("session"), keyManager: of("keyManager") }
  })
