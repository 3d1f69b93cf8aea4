import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Session, SymphonyConfig, type SymphonyError } from "effect-herald/symphony"
import { SymphonyEmulator, Transport } from "effect-herald/testing"
import * as NodeCrypto from "node:crypto"
import * as Pem from "../../src/symphony/internal/config/pem.ts"
import { failNext } from "../kit/failNext.ts"
import { keys, start } from "../testing/symphonyHttp.ts"
import {
  adaId,
  app,
  asBot,
  atAgent,
  bot,
  config,
  emulator,
  logins,
  plain,
  pod,
  timesOf,
  tokens,
  until,
  whoAmI
} from "./bots.ts"

const login = "/login/pubkey/authenticate"
const relay = "/relay/pubkey/authenticate"

const reasonOf = (error: SymphonyError.SymphonyError) => error.reason

/** The claims of the tokens that were sent to log in. */
const claimsOf = (body: string) => JSON.parse(Buffer.from(JSON.parse(body).token.split(".")[1], "base64url").toString())

describe("the session of a bot", () => {
  it.effect("logs in at the pod and the key manager when the first request needs it, and once", () =>
    Effect.gen(function*() {
      yield* Session.Session
      assert.deepStrictEqual(yield* logins, {})
      assert.strictEqual(yield* whoAmI, "bot")
      assert.include(yield* atAgent, "[")
      yield* Effect.all(Array.from({ length: 50 }, () => whoAmI), { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* logins, { "session bot": 1, "keyManager bot": 1 })
    }).pipe(asBot()))

  it.effect("sends both logins at the same time", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(tokens)
      yield* until(Effect.map(Transport.Exchanges.use(({ all }) => all), ({ length }) => length === 2))
      const exchanges = yield* Transport.Exchanges.use(({ all }) => all)
      assert.sameMembers(exchanges.map(({ url }) => new URL(url).pathname), [login, relay])
      yield* TestClock.adjust("10 seconds")
      assert.isDefined((yield* Fiber.join(fiber)).keyManagerToken)
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(config()),
        Layer.provideMerge(Transport.layerScripted([
          { body: "{\"token\":\"t\"}", delay: "10 seconds" },
          { body: "{\"token\":\"t\"}", delay: "10 seconds" }
        ]))
      )
    )))

  it.effect("signs a token with the bot's name and an end in 240 seconds, by the program's clock", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 day")
      yield* tokens
      const [exchange] = yield* Transport.Exchanges.use(({ all }) => all)
      const [head, claims, signature] = JSON.parse(exchange!.body).token.split(".")
      assert.deepStrictEqual(JSON.parse(Buffer.from(head, "base64url").toString()), { alg: "RS512", typ: "JWT" })
      assert.deepStrictEqual(claimsOf(exchange!.body), { sub: "bot", exp: start / 1000 + 86_400 + 240 })
      assert.isTrue(NodeCrypto.verify(
        "sha512",
        Buffer.from(`${head}.${claims}`),
        keys.bot.publicKey,
        Buffer.from(signature, "base64url")
      ))
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(config()),
        Layer.provideMerge(Transport.layerRecording),
        Layer.provideMerge(pod())
      )
    )))

  it.effect("fails before a request when the configuration has no bot", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(tokens)
      assert.deepInclude(reasonOf(error), { _tag: "BadRequest", description: "The configuration is not complete" })
      assert.match(error.message, /^Session.login: .*bot is not set.*Nothing was sent/)
      assert.deepStrictEqual(yield* emulator.use(({ requests }) => requests), [])
    }).pipe(asBot({ config: { bot: undefined } })))
})

describe("simplified key delivery", () => {
  const tokenOf = Effect.map(tokens, ({ keyManagerToken }) => keyManagerToken !== undefined)

  it.effect.each<readonly [string, SymphonyEmulator.Options, boolean]>([
    ["the token says so, and the Agent is new enough", { simplifiedKeyDelivery: true }, false],
    ["the Agent is just new enough", { simplifiedKeyDelivery: true, agentVersion: "Agent-24.12.0-x" }, false],
    ["the Agent is of a later year", { simplifiedKeyDelivery: true, agentVersion: "Agent-25.1.0-x" }, false],
    ["the Agent is one too old", { simplifiedKeyDelivery: true, agentVersion: "Agent-24.11.9-x" }, true],
    ["the Agent is of an earlier year", { simplifiedKeyDelivery: true, agentVersion: "Agent-23.13.0-x" }, true],
    ["the Agent has an odd version", { simplifiedKeyDelivery: true, agentVersion: "25.8.1" }, true],
    ["the token does not say so", { simplifiedKeyDelivery: false }, true]
  ])("asks for the right tokens when %s", ([, options, hasToken]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* tokenOf, hasToken)
    }).pipe(asBot({ pod: options })))

  it.effect("asks for the key manager token when the Agent's version cannot be read", () =>
    Effect.gen(function*() {
      yield* failNext({ on: "agentInfo", status: 503 })
      assert.isTrue(yield* tokenOf)
    }).pipe(asBot({ pod: { simplifiedKeyDelivery: true } })))

  const odd = [
    "t",
    "a.b.c",
    `a.${Buffer.from("{").toString("base64url")}.c`,
    `a.${Buffer.from("{\"canUseSimplifiedKeyDelivery\":\"true\"}").toString("base64url")}.c`
  ]
  it.effect.each(odd.map((token) => [token] as const))(
    "asks for the key manager token when the session token is %s",
    ([token]) =>
      Effect.gen(function*() {
        assert.isTrue(yield* tokenOf)
      }).pipe(Effect.provide(
        Session.layer().pipe(
          Layer.provideMerge(config()),
          Layer.provideMerge(Transport.layerScripted([
            { body: JSON.stringify({ token }) },
            { body: JSON.stringify({ token }) },
            { body: "{\"version\":\"Agent-99.1.0\"}" }
          ]))
        )
      ))
  )

  it.effect("works without a key manager, and sends no token of it", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* whoAmI, "bot")
      const [request] = (yield* emulator.use(({ requests }) => requests)).filter(({ kind }) => kind === "sessionInfo")
      assert.hasAnyKeys(request!.headers, ["sessiontoken"])
      assert.doesNotHaveAnyKeys(request!.headers, ["keymanagertoken"])
    }).pipe(asBot({
      pod: { simplifiedKeyDelivery: true },
      config: { host: undefined, pod: { host: "p" }, agent: { host: "a" } }
    })))
})

describe("a session that the service refuses", () => {
  it.effect("is renewed once for 200 concurrent requests", () =>
    Effect.gen(function*() {
      yield* whoAmI
      const { expireSessions } = yield* SymphonyEmulator.SymphonyEmulator
      yield* expireSessions()
      const fiber = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 200 }, () => whoAmI), { concurrency: "unbounded" })
      )
      yield* until(Effect.map(logins, (counts) => counts["keyManager bot"] === 2))
      yield* until(
        Effect.as(TestClock.adjust("100 millis"), fiber.pollUnsafe() !== undefined).pipe(
          Effect.map(() => fiber.pollUnsafe() !== undefined)
        )
      )
      assert.isTrue((yield* Fiber.join(fiber)).every((name) => name === "bot"))
      assert.deepStrictEqual(yield* logins, { "session bot": 2, "keyManager bot": 2 })
      // Each request twice, and the first one.
      assert.lengthOf(
        (yield* emulator.use(({ requests }) => requests)).filter(({ kind }) => kind === "sessionInfo"),
        401
      )
    }).pipe(asBot()))

  it.effect("is not renewed for tokens that were replaced already", () =>
    Effect.gen(function*() {
      const { renew } = yield* Session.Session
      const first = yield* tokens
      const second = yield* renew(first)
      assert.notStrictEqual(second, first)
      assert.strictEqual(yield* renew(first), second)
      assert.strictEqual(yield* tokens, second)
      assert.deepStrictEqual(yield* logins, { "session bot": 2, "keyManager bot": 2 })
    }).pipe(asBot()))

  it.effect("fails with Unauthorized when the renewed session is refused too", () =>
    Effect.gen(function*() {
      yield* failNext({ on: "sessionInfo", status: 401, times: 100 })
      const fiber = yield* Effect.forkChild(Effect.flip(whoAmI))
      yield* until(Effect.map(TestClock.adjust("1 second"), () => fiber.pollUnsafe() !== undefined))
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.operation, "whoAmI")
      assert.strictEqual(error.reason._tag, "Unauthorized")
    }).pipe(asBot({ config: { retry: { maxAttempts: 3 } } })))
})

describe("a login that fails", () => {
  it.effect("fails all waiting requests, and is started again by the next", () =>
    Effect.gen(function*() {
      yield* failNext({ on: ({ url }) => url.endsWith(login), status: 401 })
      const exits = yield* Effect.all(Array.from({ length: 20 }, () => Effect.flip(whoAmI)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(exits.map(({ operation, reason }) => `${operation} ${reason._tag}`))], [
        "Session.login Unauthorized"
      ])
      assert.lengthOf(yield* timesOf(login), 1)
      assert.strictEqual(yield* whoAmI, "bot")
      assert.lengthOf(yield* timesOf(login), 2)
    }).pipe(asBot()))

  it.effect("with 401 fails at once, and the error names what to check", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(tokens)
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.match(error.message, /Check the user name, its public key in the pod, and the clock/)
      assert.lengthOf(yield* timesOf(login), 1)
    }).pipe(asBot({ config: { bot: { ...bot, username: "nobody" } } })))

  it.effect("because of a wrong clock names the clock", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(tokens)
      assert.match(error.message, /^Session.login: Not authorized: .* the clock of this machine\.$/)
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(config()),
        // The service is six minutes behind.
        Layer.provideMerge(Layer.effect(
          HttpClient.HttpClient,
          Effect.map(
            HttpClient.HttpClient,
            HttpClient.transform((sent) =>
              Effect.flatMap(Clock.Clock, (clock) => {
                const late: Clock.Clock = Object.create(clock)
                const now = () => clock.currentTimeMillisUnsafe() - Duration.toMillis("6 minutes")
                Object.assign(late, { currentTimeMillisUnsafe: now, currentTimeMillis: Effect.sync(now) })
                return Effect.provideService(sent, Clock.Clock, late)
              })
            )
          )
        )),
        Layer.provideMerge(pod())
      )
    )))

  it.effect("for another reason is retried on schedule, each time with a new token", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(tokens)
      const bodies = Effect.map(
        Transport.Exchanges.use(({ all }) => all),
        (all) => all.filter(({ url }) => url.includes(login)).map(({ body }) => claimsOf(body).exp - start / 1000)
      )
      const ends: Array<number> = [240]
      yield* until(Effect.map(bodies, ({ length }) => length === 1))
      for (const [index, wait] of [1000, 1000, 7000, 1000].entries()) {
        yield* TestClock.adjust(wait - 1)
        assert.lengthOf(yield* bodies, index + 1)
        yield* TestClock.adjust(1)
        yield* until(Effect.map(bodies, ({ length }) => length === index + 2))
        ends.push(240 + [1, 2, 9, 10][index]!)
      }
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* bodies, ends)
    }).pipe(Effect.provide(
      Layer.effectDiscard(TestClock.setTime(start)).pipe(
        Layer.provideMerge(Session.layer()),
        Layer.provideMerge(config({ retry: { base: "1 second", factor: 1 } })),
        Layer.provideMerge(
          Layer.effect(
            HttpClient.HttpClient,
            Effect.map(HttpClient.HttpClient, (pod) =>
              // The key manager is not what is asked about.
              HttpClient.transform(pod, (sent, request) =>
                request.url.includes("/relay/")
                  ? Effect.provide(
                    HttpClient.execute(request),
                    Transport.layerScripted([{ body: "{\"token\":\"km\"}" }])
                  )
                  : sent))
          ).pipe(Layer.provideMerge(Transport.layerScripted([
            { failure: "ECONNREFUSED" },
            { status: 500 },
            { status: 429, headers: { "retry-after": "7" } },
            { failure: "ECONNRESET" },
            { body: "{\"token\":\"t\"}" }
          ])))
        )
      )
    )))

  it.effect("is tried as often as maxAttempts says", () =>
    Effect.gen(function*() {
      yield* failNext({ on: "login", status: 503, times: 100 })
      const fiber = yield* Effect.forkChild(Effect.flip(tokens))
      yield* until(Effect.map(TestClock.adjust("5 minutes"), () => fiber.pollUnsafe() !== undefined))
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "ServerFailure")
      assert.lengthOf(yield* timesOf(login), 10)
    }).pipe(asBot()))

  it.effect.each(["", "a\r\nx-b: c", "a\0", "tökén", "☃"])(
    "with the token %j, which no header can carry, fails with Malformed",
    (token) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.flip(tokens))
        yield* until(Effect.map(TestClock.adjust("5 minutes"), () => fiber.pollUnsafe() !== undefined))
        assert.deepInclude({ ...(yield* Fiber.join(fiber)).reason }, { _tag: "Malformed", excerpt: "" })
      }).pipe(Effect.provide(
        Session.layer().pipe(
          Layer.provideMerge(config({ retry: { maxAttempts: 1 } })),
          Layer.provideMerge(
            Transport.layerScripted(Array.from({ length: 9 }, () => ({ body: JSON.stringify({ token }) })))
          )
        )
      ))
  )

  it.effect("because of a certificate is not retried", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(tokens)
      assert.deepInclude(reasonOf(error), { _tag: "Transport", sent: false, code: "CERT_HAS_EXPIRED" })
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(config()),
        Layer.provideMerge(Transport.layerScripted([{ failure: "CERT_HAS_EXPIRED" }, { failure: "CERT_HAS_EXPIRED" }]))
      )
    )))
})

describe("a request that waits for a login", () => {
  it.effect("can be interrupted, and the login goes on for the others", () =>
    Effect.gen(function*() {
      const first = yield* Effect.forkChild(tokens)
      const second = yield* Effect.forkChild(tokens)
      yield* until(Effect.map(timesOf(relay), ({ length }) => length === 1))
      yield* Fiber.interrupt(first)
      yield* until(Effect.map(TestClock.adjust("1 second"), () => second.pollUnsafe() !== undefined))
      assert.isDefined((yield* Fiber.join(second)).sessionToken)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(first)))
      assert.deepStrictEqual(yield* logins, { "session bot": 1, "keyManager bot": 1 })
    }).pipe(asBot({ pod: { latency: Effect.succeed("10 seconds") } })))

  it.effect("can be interrupted at any moment, and the next request logs in", () =>
    Effect.gen(function*() {
      for (let turns = 0; turns < 8; turns++) {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(Session.layer(), scope)
        const mine = Effect.provideContext(tokens, context)
        const fiber = yield* Effect.forkChild(mine)
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        assert.isDefined((yield* mine).sessionToken)
        yield* Scope.close(scope, Exit.void)
      }
    }).pipe(asBot()))

  it.effect("fails when the session's scope closes, and so do later ones", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Session.layer(), scope)
      const mine = Effect.provideContext(tokens, context)
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(Effect.flip(Effect.andThen(Deferred.succeed(begun, undefined), mine)))
      yield* Deferred.await(begun)
      yield* until(Effect.map(timesOf(relay), ({ length }) => length === 1))
      yield* Scope.close(scope, Exit.void)
      for (const error of [yield* Fiber.join(fiber), yield* Effect.flip(mine)]) {
        assert.strictEqual(error.reason._tag, "BadRequest")
        assert.match(error.message, /^Session.login: The session is closed, because the scope of its layer has ended/)
      }
    }).pipe(asBot({ pod: { latency: Effect.succeed("10 seconds") } })))

  it.effect("fails after the scope closed when the session expired, and so does renew", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Session.layer(), scope)
      const session = yield* Effect.provideContext(Session.Session, context)
      const first = yield* session.tokens
      yield* Scope.close(scope, Exit.void)
      yield* emulator.use(({ expireSessions }) => expireSessions())
      const request = yield* Effect.flip(Effect.provideContext(whoAmI, context))
      const renewal = yield* Effect.flip(session.renew(first))
      for (const error of [request, renewal]) assert.match(error.message, /^Session.login: The session is closed/)
      assert.deepStrictEqual(yield* logins, { "session bot": 1, "keyManager bot": 1 })
    }).pipe(asBot()))
})

describe("a login in two parts", () => {
  it.effect("repeats only the part that failed", () =>
    Effect.gen(function*() {
      // The first at the pod goes well.
      yield* failNext({ on: "agentInfo", status: 503 })
      assert.isDefined((yield* tokens).keyManagerToken)
      const [pod, keyManager] = [yield* timesOf(login), yield* timesOf(relay)]
      assert.deepStrictEqual([pod.length, keyManager.length], [1, 3])
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(config({ retry: { base: 0 } })),
        Layer.provideMerge(
          Layer.effect(
            HttpClient.HttpClient,
            Effect.map(HttpClient.HttpClient, (pod) => {
              let times = 0
              return HttpClient.transform(pod, (sent, request) =>
                request.url.includes("/relay/") && times++ < 2
                  ? Effect.andThen(
                    Effect.ignore(sent),
                    Effect.provide(
                      HttpClient.execute(request),
                      Transport.layerScripted([{ status: 503 }])
                    )
                  )
                  : sent)
            })
          )
        ),
        Layer.provideMerge(pod())
      )
    )))
})

const pemOf = (key: NodeCrypto.KeyObject): string => String(key.export({ type: "pkcs8", format: "pem" }))

describe("the private key", () => {
  const pkcs8 = keys.bot.privateKey
  const pkcs1 = String(NodeCrypto.createPrivateKey(pkcs8).export({ type: "pkcs1", format: "pem" }))

  const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
  const ec = pemOf(NodeCrypto.generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)

  it.effect.each<readonly [string, string]>([
    ["PKCS#8", pkcs8],
    ["PKCS#1", pkcs1],
    ["PKCS#8 on one line", pkcs8.trim().replaceAll("\n", "\\n")],
    ["PKCS#1 on one line", pkcs1.replaceAll("\n", "\\n")],
    ["line breaks of Windows", pkcs8.replaceAll("\n", "\r\n")],
    ["blanks around", `\n  ${pkcs1}\n\n`],
    ["line breaks of old Macs", pkcs8.replaceAll("\n", "\r")],
    ["line breaks of Windows on one line", pkcs1.replaceAll("\n", "\\r\\n")],
    ["blanks for line breaks", pkcs8.trim().replaceAll("\n", " ")],
    ["blank lines between", pkcs8.replaceAll("\n", "\n\n")],
    ["PKCS#8, indented", pkcs8.replaceAll(/^/gm, "      ")],
    ["PKCS#1, indented by tabs", pkcs1.replaceAll(/^/gm, "\t")],
    ["a byte order mark", `\ufeff${pkcs8}`],
    ["attributes before it", `Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n${pkcs8}`],
    ["attributes before PKCS#1", `subject=/CN=bot\n\n${pkcs1}`],
    ["a certificate behind it", pkcs8 + certificate],
    ["a certificate in front of PKCS#1", certificate + pkcs1],
    ["another key behind it", pkcs8 + ec],
    ["PKCS#8 under the name of PKCS#1", pkcs8.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY")],
    ["PKCS#1 under the name of PKCS#8", pkcs1.replaceAll("RSA PRIVATE KEY", "PRIVATE KEY")]
  ])("is accepted: %s", ([, pem]) =>
    Effect.gen(function*() {
      assert.isDefined((yield* tokens).sessionToken)
    }).pipe(asBot({ config: { bot: { username: "bot", privateKey: Redacted.make(pem) } } })))

  it("in PKCS#1 is the same bytes in PKCS#8 as Node writes", () => {
    const der = NodeCrypto.createPrivateKey(pkcs8).export({ type: "pkcs8", format: "der" })
    assert.deepStrictEqual(Pem.read(pkcs1), Result.succeed(Uint8Array.from(der)))
  })

  it.effect("is accepted with 4096 bits", () => {
    const long = NodeCrypto.generateKeyPairSync("rsa", {
      modulusLength: 4096,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" }
    })
    return Effect.gen(function*() {
      assert.isDefined((yield* tokens).sessionToken)
    }).pipe(asBot({
      pod: { users: [{ username: "bot", publicKey: long.publicKey }] },
      config: { bot: { username: "bot", privateKey: Redacted.make(long.privateKey) } }
    }))
  })

  const encryptedBy = (type: "pkcs1" | "pkcs8") =>
    String(
      NodeCrypto.createPrivateKey(pkcs8).export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
    )
  const unknown = "is not an RSA key in PEM (PKCS#8 or PKCS#1)"
  it.effect.each<readonly [string, string, string]>([
    ["one for EC", ec, "is a key for EC"],
    [
      "one for EC in a format of its own",
      String(NodeCrypto.createPrivateKey(ec).export({ type: "sec1", format: "pem" })),
      "is a key for EC"
    ],
    ["one for Ed25519", pemOf(NodeCrypto.generateKeyPairSync("ed25519").privateKey), "is a key for Ed25519"],
    [
      "one for RSA-PSS",
      pemOf(NodeCrypto.generateKeyPairSync("rsa-pss", { modulusLength: 1024 }).privateKey),
      "is a key for RSA-PSS"
    ],
    ["one that is encrypted", encryptedBy("pkcs8"), "is encrypted"],
    ["PKCS#1 that is encrypted", encryptedBy("pkcs1"), "is encrypted"],
    ["one of OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----", "of OpenSSH"],
    ["a public one", keys.bot.publicKey, `${unknown}: it is a public key`],
    ["a certificate", certificate, `${unknown}: it is a certificate`],
    ["half of one", pkcs8.slice(0, 400), `${unknown}: it is cut short or damaged`],
    ["one without its middle", pkcs8.slice(0, 200) + pkcs8.slice(300), "damaged"],
    [
      "one without one of its lines",
      pkcs8.split("\n").toSpliced(5, 1).join("\n"),
      "is an RSA key that cannot be used: it is damaged or too short"
    ],
    [
      "one that is too short for a signature",
      pemOf(NodeCrypto.generateKeyPairSync("rsa", { modulusLength: 512 }).privateKey),
      "it is damaged or too short"
    ],
    ["a short one", "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----", "it is damaged"],
    ["one that is no base64", pkcs8.replace("M", "\u00e4"), "damaged"],
    ["no PEM", "hush-hush", unknown],
    ["nothing", "", unknown]
  ])(
    "is refused before a request, named and not shown: %s",
    ([, pem, message]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(tokens)
        assert(error.reason._tag === "BadRequest")
        assert.deepStrictEqual(error.reason.details.map(({ location }) => location), ["bot.privateKey"])
        assert.include(error.reason.details[0]?.message, message)
        for (const secret of ["hush-hush", ...pem.split("\n").filter((line) => !line.startsWith("-"))]) {
          if (secret !== "") assert.notInclude(JSON.stringify(error), secret)
        }
        assert.deepStrictEqual(yield* emulator.use(({ requests }) => requests), [])
      }).pipe(asBot({ config: { bot: { username: "bot", privateKey: Redacted.make(pem) } } }))
  )
})

describe("the session on behalf of a user", () => {
  const asUser = (user: Session.User, options?: Partial<SymphonyConfig.Options>) =>
    Effect.provide(Session.layerOnBehalfOf(user).pipe(Layer.provideMerge(config(options)), Layer.provideMerge(pod())))

  it.effect.each<readonly [Session.User, string]>([
    [{ username: "ada l" }, "/login/pubkey/app/username/ada%20l/authenticate"],
    [{ userId: adaId }, `/login/pubkey/app/user/${adaId}/authenticate`]
  ])("logs in for %j", ([user, path]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* whoAmI, "ada l")
      assert.isUndefined((yield* tokens).keyManagerToken)
      assert.lengthOf(yield* timesOf(path), 1)
      assert.deepStrictEqual(yield* logins, { "app herald-app": 1, "onBehalfOf ada l": 1 })
      for (const { headers } of yield* emulator.use(({ requests }) => requests)) {
        assert.doesNotHaveAnyKeys(headers, ["keymanagertoken"])
      }
    }).pipe(asUser(user)))

  it.effect("is renewed by both logins", () =>
    Effect.gen(function*() {
      const { expireSessions } = yield* SymphonyEmulator.SymphonyEmulator
      yield* whoAmI
      yield* expireSessions()
      const fiber = yield* Effect.forkChild(whoAmI)
      yield* until(Effect.map(TestClock.adjust("100 millis"), () => fiber.pollUnsafe() !== undefined))
      assert.strictEqual(yield* Fiber.join(fiber), "ada l")
      assert.deepStrictEqual(yield* logins, { "app herald-app": 2, "onBehalfOf ada l": 2 })
    }).pipe(asUser({ username: "ada l" })))

  const both: Session.User = JSON.parse(`{"userId":1,"username":"ada l"}`)
  const neither: Session.User = JSON.parse("{}")
  const blank: Session.User = { username: " " }
  const broken: Session.User = { userId: Number.NaN }
  it.effect.each([both, neither, blank, broken].map((user) => [user] as const))(
    "refuses the user %j before a request",
    ([user]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(tokens)
        assert.strictEqual(error.reason._tag, "BadRequest")
        assert.match(
          error.message,
          /user(\.username is blank|\.userId is NaN, not a .*| must be exactly one of userId and username)\. Nothing was sent/
        )
        assert.deepStrictEqual(yield* emulator.use(({ requests }) => requests), [])
      }).pipe(asUser(user))
  )

  it.effect("fails without an application", () =>
    Effect.gen(function*() {
      assert.match((yield* Effect.flip(tokens)).message, /app is not set/)
    }).pipe(asUser({ username: "ada l" }, { app: undefined })))

  it.effect("fails with Unauthorized for an unknown user", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(tokens)).reason._tag, "Unauthorized")
    }).pipe(asUser({ username: "nobody" })))

  it.effect("needs no bot, and names an invalid key of the application", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(tokens)
      assert.match(error.message, /app\.privateKey is not an RSA key/)
    }).pipe(asUser({ userId: adaId }, { bot: undefined, app: { ...app, privateKey: Redacted.make("x") } })))
})

describe("several sessions in one program", () => {
  const second = config({ bot: { username: "second", privateKey: Redacted.make(keys.other.privateKey) } })

  it.effect("two bots with two configurations stay apart", () =>
    Effect.gen(function*() {
      const one = Effect.provide(Session.layer().pipe(Layer.provideMerge(config())))
      const other = Effect.provide(Session.layer().pipe(Layer.provideMerge(second)))
      assert.deepStrictEqual(
        yield* Effect.all([one(whoAmI), other(whoAmI)], { concurrency: 2 }),
        ["bot", "second"]
      )
    }).pipe(Effect.provide(pod())))

  it.effect("two bots with one configuration use their own options", () =>
    Effect.gen(function*() {
      const other = { username: "second", privateKey: Redacted.make(keys.other.privateKey) }
      const names = Effect.all([
        Effect.provide(whoAmI, Session.layer()),
        Effect.provide(whoAmI, Session.layer({ bot: other }))
      ])
      assert.deepStrictEqual(yield* Effect.provide(names, config()), ["bot", "second"])
    }).pipe(Effect.provide(pod())))

  it.effect("a bot with a blank name is refused before a request", () =>
    Effect.gen(function*() {
      const nobody = Session.layer({ bot: { username: " ", privateKey: Redacted.make(keys.bot.privateKey) } })
      const error = yield* Effect.flip(Effect.provide(whoAmI, nobody))
      assert.strictEqual(error.reason._tag, "BadRequest")
      assert.match(error.message, /bot\.username is blank\. Nothing was sent/)
      assert.deepStrictEqual(yield* logins, {})
    }).pipe(Effect.provide(Layer.provideMerge(config(), pod()))))

  it.effect("nested sessions of bots and users stay apart", () =>
    Effect.gen(function*() {
      const names = Effect.gen(function*() {
        const inner = yield* Effect.provide(whoAmI, Session.layer().pipe(Layer.provideMerge(second)))
        const user = yield* Effect.provide(whoAmI, Session.layerOnBehalfOf({ userId: adaId }))
        return [yield* whoAmI, inner, user, yield* whoAmI]
      })
      assert.deepStrictEqual(yield* names, ["bot", "second", "ada l", "bot"])
    }).pipe(asBot()))

  it.effect("a session keeps the configuration that it was made with", () =>
    Effect.gen(function*() {
      const other = SymphonyConfig.make({
        ...plain,
        bot: { username: "second", privateKey: Redacted.make(keys.other.privateKey) }
      })
      assert.strictEqual(yield* Effect.provideService(whoAmI, SymphonyConfig.SymphonyConfig, other), "bot")
    }).pipe(asBot()))

  it.effect("each service gets its own address and headers", () =>
    Effect.gen(function*() {
      yield* atAgent.pipe(Effect.ignore)
      yield* whoAmI.pipe(Effect.ignore)
      const exchanges = yield* Transport.Exchanges.use(({ all }) => all)
      const seen = new Map(exchanges.map(({ headers, url }) => [url, headers]))
      assert.sameMembers([...seen.keys()], [
        "https://pod.acme.com:8443/one/login/pubkey/authenticate",
        "https://keys.acme.com/relay/pubkey/authenticate",
        "http://agent.acme.com:8080/agent/v5/datafeeds",
        "https://pod.acme.com:8443/one/pod/v2/sessioninfo"
      ])
      assert.deepInclude({ ...seen.get("http://agent.acme.com:8080/agent/v5/datafeeds") }, { "x-mine": "agent" })
      assert.deepInclude({ ...seen.get("https://pod.acme.com:8443/one/pod/v2/sessioninfo") }, {
        "x-all": "1",
        "user-agent": "mine",
        "x-trace-id": "FIXED1"
      })
      assert.doesNotHaveAnyKeys(seen.get("http://agent.acme.com:8080/agent/v5/datafeeds")!, ["x-all"])
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(SymphonyConfig.layer({
          bot,
          headers: { "X-All": "1", "User-Agent": "mine", "X-Trace-Id": "FIXED1" },
          pod: { host: "pod.acme.com", port: 8443, context: "/one/" },
          agent: { host: "agent.acme.com", scheme: "http", port: 8080, headers: { "x-mine": "agent" } },
          keyManager: { host: "keys.acme.com" }
        })),
        Layer.provideMerge(Transport.layerScripted(Array.from({ length: 4 }, () => ({ body: "{\"token\":\"t\"}" }))))
      )
    )))

  it.effect("a missing address is named by the request that needs it", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* whoAmI, "bot")
      const error = yield* Effect.flip(atAgent)
      assert.match(
        error.message,
        /^feeds: The configuration is not complete: agent\.host is not set, and neither is host/
      )
    }).pipe(asBot({ config: { host: undefined, pod: { host: "p" }, keyManager: { host: "k" } } })))

  it.effect("an error shows the trace id that was sent", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(tokens)
      assert.strictEqual(error.request.traceId, "FIXED1")
    }).pipe(asBot({ config: { ...plain, bot: { ...bot, username: "x" }, headers: { "X-Trace-Id": "FIXED1" } } })))
})

it.effect("the tokens of a session are Redacted", () =>
  Effect.map(tokens, (shown) =>
    assert.strictEqual(
      JSON.stringify(shown),
      "{\"sessionToken\":\"<redacted>\",\"keyManagerToken\":\"<redacted>\"}"
    )).pipe(asBot()))
