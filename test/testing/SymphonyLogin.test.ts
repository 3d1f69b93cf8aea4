import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import { adaId, emulated, emulator, get, jwt, keys, login, loginFor, post, room, send } from "./symphonyHttp.ts"

const podLogin = "/login/pubkey/authenticate"
const keyManagerLogin = "/relay/pubkey/authenticate"

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())

describe("bot login", () => {
  it.effect("gives new tokens of the pod and the key manager at each login", () =>
    Effect.gen(function*() {
      const session = yield* post(podLogin, {}, { token: yield* jwt() })
      const keyManager = yield* post(keyManagerLogin, {}, { token: yield* jwt() })
      assert.deepStrictEqual([session.status, session.body.name], [200, "sessionToken"])
      assert.deepStrictEqual([keyManager.status, keyManager.body.name], [200, "keyManagerToken"])
      const again = yield* post(podLogin, {}, { token: yield* jwt() })
      assert.notStrictEqual(again.body.token, session.body.token)
      assert.deepInclude(claimsOf(session.body.token), { sub: "bot", iat: 1_790_000_000 })
      assert.notProperty(claimsOf(session.body.token), "canUseSimplifiedKeyDelivery")
      assert.deepStrictEqual(yield* emulator.use(({ logins }) => logins), [
        { kind: "session", name: "bot", time: DateTime.makeUnsafe(1_790_000_000_000) },
        { kind: "keyManager", name: "bot", time: DateTime.makeUnsafe(1_790_000_000_000) },
        { kind: "session", name: "bot", time: DateTime.makeUnsafe(1_790_000_000_000) }
      ])
    }).pipe(emulated()))

  it.effect.each(
    [
      ["a key that nobody registered", { key: keys.other.privateKey }],
      ["the key of somebody else", { key: keys.app.privateKey }],
      ["an unknown name", { subject: "nobody" }],
      ["the name of a user without a key", { subject: "ada" }],
      ["the past", { lifetime: 0 }],
      ["too far a future", { lifetime: 301 }],
      ["another algorithm in the header", { header: { alg: "RS256" } }],
      ["another hash", { hash: "sha256" }],
      ["no end", { claims: { sub: "bot" } }],
      ["an end in milliseconds", { claims: { sub: "bot", exp: 1_790_000_240_000 } }],
      ["an end as text", { claims: { sub: "bot", exp: "1790000240" } }],
      ["a beginning that is not yet there", { claims: { sub: "bot", exp: 1_790_000_240, nbf: 1_790_000_060 } }],
      ["an extension that is critical", { header: { alg: "RS512", crit: ["exp"] } }],
      ["no extension that is critical", { header: { alg: "RS512", crit: [] } }],
      ["a body that is not encoded", { header: { alg: "RS512", b64: false, crit: ["b64"] } }],
      ["another type", { header: { alg: "RS512", typ: "JWE" } }],
      ["no algorithm at all", { header: { alg: "none" } }],
      ["a header that is a list", { header: [{ alg: "RS512" }] }]
    ] as const
  )("refuses a token with %s", ([_, options]) =>
    Effect.gen(function*() {
      const { body, status } = yield* post(podLogin, {}, { token: yield* jwt(options) })
      assert.deepStrictEqual([status, body.code, typeof body.message], [401, 401, "string"])
      assert.deepStrictEqual(yield* emulator.use(({ logins }) => logins), [])
    }).pipe(emulated()))

  it.effect.each(["", "a.b", "a.b.c", "a.b.c.d"])(
    "refuses a token that is not a JWT: %s",
    (token) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* post(podLogin, {}, { token })).status, 401)
      }).pipe(emulated())
  )

  it.effect("accepts a token with a type in its header, and one with a past nbf", () =>
    Effect.gen(function*() {
      for (
        const token of [
          yield* jwt({ header: { alg: "RS512", typ: "JWT" } }),
          yield* jwt({ claims: { sub: "bot", exp: 1_790_000_240, nbf: 1_789_999_999, iat: 1_789_999_999 } })
        ]
      ) {
        assert.strictEqual((yield* post(podLogin, {}, { token })).status, 200)
      }
    }).pipe(emulated()))

  /** The same signature, to who reads it leniently. */
  const altered: ReadonlyArray<readonly [string, (token: string) => string]> = [
    ["padding", (token) => `${token}==`],
    ["padding of its header", (token) => token.replace(".", "=.")],
    ["a line's end behind it", (token) => `${token}\n`],
    ["a space before it", (token) => ` ${token}`],
    ["a line's end within it", (token) => token.replace(/\.(.{8})/, ".$1\n")],
    ["a byte behind its signature", (token) => `${token}AA`],
    ["a dot behind it", (token) => `${token}.`],
    ["the letters of the other alphabet", (token) => {
      const [head, body, tail = ""] = token.split(".")
      // One in 64 of its 342 letters is each of these: a signature without both has not been seen.
      return `${head}.${body}.${tail.replaceAll("-", "+").replaceAll("_", "/")}`
    }],
    // The last letter of 256 bytes holds two bits of them, and four that are to be none.
    ["bits behind its last byte", (token) => {
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      return token.slice(0, -1) + (alphabet[alphabet.indexOf(token.at(-1) ?? "") + 1] ?? "")
    }]
  ]

  it.effect.each(altered)("refuses a token that has %s", ([_, alter]) =>
    Effect.gen(function*() {
      const token = yield* jwt()
      assert.notStrictEqual(alter(token), token)
      assert.strictEqual((yield* post(podLogin, {}, { token: alter(token) })).status, 401)
      assert.strictEqual((yield* post(podLogin, {}, { token })).status, 200)
    }).pipe(emulated()))

  it.effect("accepts a token that ends in 300 seconds, until they are over", () =>
    Effect.gen(function*() {
      const token = yield* jwt({ lifetime: 300 })
      assert.strictEqual((yield* post(podLogin, {}, { token })).status, 200)
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual((yield* post(podLogin, {}, { token })).status, 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* post(podLogin, {}, { token })).status, 401)
    }).pipe(emulated()))

  it.effect("accepts a token that is signed by a key of keyPair", () =>
    Effect.gen(function*() {
      const { privateKey, publicKey } = yield* SymphonyEmulator.keyPair
      assert.match(publicKey, /^-----BEGIN PUBLIC KEY-----\n/)
      assert.strictEqual(JSON.stringify(privateKey), "\"<redacted>\"")
      yield* emulator.use(({ addUser }) => addUser({ username: "second", publicKey }))
      const token = yield* jwt({ key: Redacted.value(privateKey), subject: "second" })
      assert.strictEqual((yield* post(podLogin, {}, { token })).status, 200)
    }).pipe(emulated()))

  it.effect("dies when a public key cannot be read", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(emulator.use(({ addUser }) => addUser({ username: "x", publicKey: "no key" })))
      assert.include(String(exit), "the public key of \"x\" is not PEM")
    }).pipe(emulated()))
})

describe("session and key manager tokens", () => {
  it.effect("requires the session token at the pod, and both tokens at the Agent", () =>
    Effect.gen(function*() {
      const { keyManagerToken, sessionToken } = yield* login
      const statuses = (headers: Readonly<Record<string, string>>) =>
        Effect.all([
          Effect.map(get("/pod/v2/sessioninfo", headers), ({ status }) => status),
          Effect.map(get("/agent/v5/datafeeds", headers), ({ status }) => status)
        ])
      assert.deepStrictEqual(yield* statuses({ sessionToken, keyManagerToken }), [200, 200])
      assert.deepStrictEqual(yield* statuses({ sessionToken }), [200, 401])
      assert.deepStrictEqual(yield* statuses({ sessionToken, keyManagerToken: "" }), [200, 401])
      assert.deepStrictEqual(yield* statuses({ sessionToken, keyManagerToken: sessionToken }), [200, 401])
      assert.deepStrictEqual(yield* statuses({ sessionToken: keyManagerToken, keyManagerToken }), [401, 401])
      assert.deepStrictEqual(yield* statuses({ keyManagerToken }), [401, 401])
      assert.deepStrictEqual((yield* get("/pod/v2/sessioninfo")).body, { code: 401, message: "Invalid session" })
    }).pipe(emulated()))

  it.effect("refuses tokens after expireSessions, and accepts those of a new login", () =>
    Effect.gen(function*() {
      const first = yield* login
      yield* emulator.use(({ expireSessions }) => expireSessions({ name: "ada" }))
      assert.strictEqual((yield* get("/pod/v2/sessioninfo", first)).status, 200)
      yield* emulator.use(({ expireSessions }) => expireSessions({ name: "bot" }))
      assert.strictEqual((yield* get("/pod/v2/sessioninfo", first)).status, 401)
      const second = yield* login
      assert.strictEqual((yield* get("/agent/v5/datafeeds", second)).status, 200)
      yield* emulator.use(({ expireSessions }) => expireSessions())
      assert.strictEqual((yield* get("/agent/v5/datafeeds", second)).status, 401)
    }).pipe(emulated()))

  it.effect("refuses the tokens of another emulator", () =>
    Effect.gen(function*() {
      const tokens = yield* login
      const { status } = yield* Effect.andThen(login, get("/pod/v2/sessioninfo", tokens)).pipe(emulated())
      assert.strictEqual(status, 401)
    }).pipe(emulated()))

  it.effect("leaves tokens out of the recorded requests", () =>
    Effect.gen(function*() {
      const tokens = yield* login
      yield* get("/pod/v2/sessioninfo?x=1", { ...tokens, "x-trace-id": "abc123" })
      const requests = yield* emulator.use(({ requests }) => requests)
      const shown = JSON.stringify(requests)
      for (const token of Object.values(tokens)) assert.notInclude(shown, token)
      assert.deepInclude(requests[2], {
        method: "GET",
        target: "/pod/v2/sessioninfo?x=1",
        kind: "sessionInfo",
        time: DateTime.makeUnsafe(1_790_000_000_000)
      })
      assert.deepInclude(requests[2]?.headers, { sessiontoken: "<redacted>", "x-trace-id": "abc123" })
    }).pipe(emulated()))
})

describe("simplified key delivery", () => {
  it.effect("announces it in the session token, and then asks for no key manager token", () =>
    Effect.gen(function*() {
      const { body } = yield* post(podLogin, {}, { token: yield* jwt() })
      assert.strictEqual(claimsOf(body.token).canUseSimplifiedKeyDelivery, true)
      const headers = { sessionToken: body.token }
      assert.strictEqual((yield* get("/agent/v5/datafeeds", headers)).status, 200)
      yield* emulator.use(({ setAgentVersion }) => setAgentVersion("Agent-24.11.9-Linux"))
      assert.strictEqual((yield* get("/agent/v5/datafeeds", headers)).status, 401)
    }).pipe(emulated({ simplifiedKeyDelivery: true, agentVersion: "Agent-24.12.0-Linux" })))

  it.effect("shows the Agent's version without a login", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/agent/v1/info")).body.version, "Agent-25.8.1-Linux")
      yield* emulator.use(({ setAgentVersion }) => setAgentVersion("Agent-20.14.0-Linux"))
      assert.strictEqual((yield* get("/agent/v1/info")).body.version, "Agent-20.14.0-Linux")
    }).pipe(emulated()))
})

describe("on-behalf-of login", () => {
  it.effect("gives a session by user id and by username, without a key manager token", () =>
    Effect.gen(function*() {
      const token = yield* jwt({ key: keys.app.privateKey, subject: "herald-app" })
      const app = yield* post("/login/pubkey/app/authenticate", {}, { token })
      assert.strictEqual(app.status, 200)
      const headers = { sessionToken: app.body.token }
      const byId = yield* post(`/login/pubkey/app/user/${adaId}/authenticate`, headers)
      const byName = yield* post("/login/pubkey/app/username/ada/authenticate", headers)
      for (const { body, status } of [byId, byName]) {
        assert.deepStrictEqual([status, body.name], [200, "sessionToken"])
        const info = yield* get("/pod/v2/sessioninfo", { sessionToken: body.token })
        assert.deepInclude(info.body, { id: adaId, username: "ada", emailAddress: "ada@example.com" })
        assert.strictEqual((yield* get("/agent/v5/datafeeds", { sessionToken: body.token })).status, 200)
      }
      assert.deepStrictEqual(
        (yield* emulator.use(({ logins }) => logins)).map(({ kind, name }) => [kind, name]),
        [["app", "herald-app"], ["onBehalfOf", "ada"], ["onBehalfOf", "ada"]]
      )
    }).pipe(emulated()))

  it.effect("refuses an unknown user, the token of a bot, and other requests of the application", () =>
    Effect.gen(function*() {
      const token = yield* jwt({ key: keys.app.privateKey, subject: "herald-app" })
      const app = yield* post("/login/pubkey/app/authenticate", {}, { token })
      const headers = { sessionToken: app.body.token }
      assert.strictEqual((yield* post("/login/pubkey/app/username/nobody/authenticate", headers)).status, 401)
      assert.strictEqual((yield* post("/login/pubkey/app/user/12/authenticate", headers)).status, 401)
      assert.strictEqual((yield* post("/login/pubkey/app/username/ada/authenticate", yield* login)).status, 401)
      assert.strictEqual((yield* get("/pod/v2/sessioninfo", headers)).status, 401)
      assert.strictEqual((yield* post("/login/pubkey/app/authenticate", {}, { token: yield* jwt() })).status, 401)
    }).pipe(emulated()))

  it.effect("sends messages as the user", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      const { body } = yield* send(yield* loginFor("ada"), streamId, "Hi")
      assert.strictEqual(body.user.userId, adaId)
    }).pipe(emulated()))
})
