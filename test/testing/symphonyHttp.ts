/** Raw requests to Symphony, so that the emulator is tested against the protocol and not against our client. */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import * as NodeCrypto from "node:crypto"

/** 2026-09-21T14:13:20Z */
export const start = 1_790_000_000_000

/** The keys of the bot and of the application, and others that nobody registered: made by Node, not by the emulator. */
const makeKeys = () =>
  NodeCrypto.generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" }
  })
export const keys = { bot: makeKeys(), app: makeKeys(), other: makeKeys() }

export const emulator = SymphonyEmulator.SymphonyEmulator

/** A pod with a bot, two users, and an application. */
export const emulated = (options: SymphonyEmulator.Options = {}) =>
  Effect.provide(
    SymphonyEmulator.layer({
      users: [
        { username: "bot", displayName: "Orders bot", email: "bot@example.com", publicKey: keys.bot.publicKey },
        { username: "ada", firstName: "Ada", lastName: "Byron", displayName: "Ada Byron", email: "ada@example.com" },
        { username: "bob" }
      ],
      apps: [{ appId: "herald-app", publicKey: keys.app.publicKey }],
      ...options
    }).pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))
  )

export const botId = 7000000000001
export const adaId = 7000000000002
export const bobId = 7000000000003

/** A token of a login, signed by Node. */
export const jwt = (
  options: {
    readonly key?: string
    readonly header?: object
    readonly claims?: object
    readonly hash?: string
    readonly subject?: string
    /** Seconds from now. */
    readonly lifetime?: number
  } = {}
) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const part = (json: object) => Buffer.from(JSON.stringify(json)).toString("base64url")
    const claims = options.claims ??
      { sub: options.subject ?? "bot", exp: Math.floor(now / 1000) + (options.lifetime ?? 240) }
    const text = `${part(options.header ?? { alg: "RS512" })}.${part(claims)}`
    const signature = NodeCrypto.sign(options.hash ?? "sha512", Buffer.from(text), options.key ?? keys.bot.privateKey)
    return `${text}.${signature.toString("base64url")}`
  })

export const answered = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.gen(function*() {
    const response = yield* HttpClient.execute(request)
    const text = yield* response.text
    const isJson = (response.headers["content-type"] ?? "").startsWith("application/json")
    // oxlint-disable-next-line typescript/no-explicit-any -- the shapes are what is tested
    const body: any = isJson ? JSON.parse(text) : text
    return { status: response.status, headers: response.headers, text, body }
  })

const url = (target: string) => `http://acme.symphony.com${target}`

export type Headers = Readonly<Record<string, string>>

export const get = (target: string, headers: Headers = {}) => answered(HttpClientRequest.get(url(target), { headers }))

export const post = (target: string, headers: Headers = {}, body?: unknown) => {
  const request = HttpClientRequest.post(url(target), { headers })
  return answered(
    body === undefined
      ? request
      : HttpClientRequest.bodyText(request, JSON.stringify(body), "application/json")
  )
}

export const remove = (target: string, headers: Headers = {}) =>
  answered(HttpClientRequest.delete(url(target), { headers }))

export type PartInput = readonly [
  name: string,
  content: string | Uint8Array,
  file?: { readonly filename: string; readonly type?: string }
]

const lines = (...parts: ReadonlyArray<string | Uint8Array>) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))))

/** A multipart body, written by hand. */
export const multipartBody = (parts: ReadonlyArray<PartInput>, boundary = "boundary-1") =>
  lines(
    ...parts.flatMap(([name, content, file]) => [
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${
        file === undefined ? "" : `; filename="${file.filename}"`
      }\r\nContent-Type: ${
        file === undefined ? "text/plain; charset=utf-8" : file.type ?? "application/octet-stream"
      }\r\n\r\n`,
      content,
      "\r\n"
    ]),
    `--${boundary}--\r\n`
  )

export const postBytes = (target: string, headers: Headers, bytes: Uint8Array, type: string) =>
  answered(HttpClientRequest.post(url(target), { headers }).pipe(HttpClientRequest.bodyUint8Array(bytes, type)))

export const postParts = (target: string, headers: Headers, parts: ReadonlyArray<PartInput>) =>
  postBytes(target, headers, multipartBody(parts), "multipart/form-data; boundary=boundary-1")

/** Logs the bot in and gives the headers of its requests. */
export const login = Effect.gen(function*() {
  const session = yield* post("/login/pubkey/authenticate", {}, { token: yield* jwt() })
  const keyManager = yield* post("/relay/pubkey/authenticate", {}, { token: yield* jwt() })
  return { sessionToken: String(session.body.token), keyManagerToken: String(keyManager.body.token) }
})

/** Logs in on behalf of a user and gives the headers of its requests. */
export const loginFor = (username: string) =>
  Effect.gen(function*() {
    const token = yield* jwt({ key: keys.app.privateKey, subject: "herald-app" })
    const app = yield* post("/login/pubkey/app/authenticate", {}, { token })
    const user = yield* post(`/login/pubkey/app/username/${username}/authenticate`, { sessionToken: app.body.token })
    return { sessionToken: String(user.body.token) }
  })

export const room = (...members: ReadonlyArray<string>) =>
  emulator.use(({ createStream }) => createStream({ type: "ROOM", name: "Orders", members: ["bot", ...members] }))

export const wrap = (text: string) => `<messageML>${text}</messageML>`

export const send = (headers: Headers, streamId: string, parts: ReadonlyArray<PartInput> | string) =>
  postParts(
    `/agent/v4/stream/${streamId}/message/create`,
    headers,
    typeof parts === "string" ? [["message", wrap(parts)]] : parts
  )

export const update = (
  headers: Headers,
  streamId: string,
  messageId: string,
  parts: ReadonlyArray<PartInput> | string
) =>
  postParts(
    `/agent/v4/stream/${streamId}/message/${messageId}/update`,
    headers,
    typeof parts === "string" ? [["message", wrap(parts)]] : parts
  )

export const toStandard = (id: string) => Buffer.from(id, "base64url").toString("base64")

/** The answer is the service's refusal with this status. */
export const refused = (status: number, answer: { readonly status: number; readonly body: unknown }) => {
  assert.strictEqual(answer.status, status)
  assert.hasAllKeys(answer.body, ["code", "message"])
}
