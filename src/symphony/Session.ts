/**
 * The session with which requests are made: that of a bot, or of a user on whose behalf an application acts. It logs in when the
 * first request needs it. When the service refuses its tokens, it logs in again, once for all requests.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberHandle from "effect/FiberHandle"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Input from "../internal/input.ts"
import * as Body from "./internal/wire/body.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Identities from "./internal/feed/identities.ts"
import { Impatient } from "./internal/feed/impatient.ts"
import * as Jwt from "./internal/config/jwt.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { agent, login, type Path, relay } from "./internal/wire/path.ts"
import { type Bot, SymphonyConfig } from "./SymphonyConfig.ts"
import * as SymphonyError from "./SymphonyError.ts"

/**
 * The tokens that a request carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tokens {
  /** The token of the pod. */
  readonly sessionToken: Redacted.Redacted
  /** The token of the key manager. `undefined` on behalf of a user, and where the pod delivers keys in the simplified way. */
  readonly keyManagerToken: Redacted.Redacted | undefined
}

/**
 * The session with which requests are made.
 *
 * @category services
 * @since 0.1.0
 */
export class Session extends Context.Service<Session, {
  /** The tokens of the session. Logs in when there are none. */
  readonly tokens: Effect.Effect<Tokens, SymphonyError.SymphonyError>
  /**
   * Gives other tokens than those that the service refused: the session's own, if it has others by now, or those of a new login.
   * Callers that come during a login wait for that login.
   */
  readonly renew: (refused: Tokens) => Effect.Effect<Tokens, SymphonyError.SymphonyError>
}>()("effect-herald/symphony/Session") {}

type LoginEffect<A> = Effect.Effect<A, SymphonyError.SymphonyError, HttpClient.HttpClient | SymphonyConfig>

const ofLogin = Effect.fnUntraced(function*(newLogin: () => LoginEffect<Tokens>) {
  const needs = Context.pick(HttpClient.HttpClient, SymphonyConfig)(
    yield* Effect.context<HttpClient.HttpClient | SymphonyConfig>()
  )
  /** One attempt of a login, and a login that is retried until the schedule ends. The second runs the first. */
  const sent = yield* FiberHandle.make<Tokens, SymphonyError.SymphonyError>()
  const tried = yield* FiberHandle.make<Tokens, SymphonyError.SymphonyError>()
  let current: Tokens | undefined
  let login = newLogin()
  let arrived = Deferred.makeUnsafe<Tokens>()

  const closed = Deferred.makeUnsafe<never, SymphonyError.SymphonyError>()
  // This runs before the logins are interrupted, so that requests that wait for them fail with the reason.
  yield* Effect.addFinalizer(() => Effect.suspend(() => Deferred.fail(closed, afterScope())))

  // A login runs on a fiber of its own with the context of its first caller, and goes on when that caller is interrupted: others
  // wait for it. Looking for a login and starting one is one step.
  const shared = (
    handle: FiberHandle.FiberHandle<Tokens, SymphonyError.SymphonyError>,
    effect: LoginEffect<Tokens>,
    onSuccess: (tokens: Tokens) => void = () => {}
  ): Effect.Effect<Tokens, SymphonyError.SymphonyError> =>
    Effect.contextWith((caller: Context.Context<never>) => {
      if (Deferred.isDoneUnsafe(closed)) return Deferred.await(closed)
      const fiber = Option.getOrElse(FiberHandle.getUnsafe(handle), () => {
        const fiber = Effect.runForkWith(Context.merge(caller, needs))(effect)
        FiberHandle.setUnsafe(handle, fiber)
        // After the handle's own observer, so that the next caller does not find this login still running.
        fiber.addObserver((exit) => {
          if (Exit.isSuccess(exit)) onSuccess(exit.value)
        })
        return fiber
      })
      return Effect.raceFirst(Fiber.join(fiber), Deferred.await(closed))
    })

  const once = shared(sent, Effect.suspend(() => login), (tokens) => {
    current = tokens
    login = newLogin()
    // Ends the pause of a login that waits for its next attempt.
    const waited = arrived
    arrived = Deferred.makeUnsafe()
    Deferred.doneUnsafe(waited, Effect.succeed(tokens))
  })
  const patient = shared(
    tried,
    Effect.flatMap(SymphonyConfig, ({ retry }) =>
      Effect.suspend(() =>
        Effect.raceFirst(
          Effect.retry(once, { schedule: retry, while: ({ isRetryable }) => isRetryable }),
          Deferred.await(arrived)
        )
      ))
  )
  const logIn = Effect.flatMap(Impatient, (isImpatient) => isImpatient ? once : patient)

  return Session.of({
    tokens: Effect.suspend(() => current === undefined ? logIn : Effect.succeed(current)),
    renew: (refused) =>
      Effect.suspend(() => current === undefined || current === refused ? logIn : Effect.succeed(current))
  })
})

/**
 * The options of {@link make} and {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The bot that logs in. Default: the bot of the configuration. */
  readonly bot?: Bot | undefined
}

/**
 * Makes the session of a bot. Its scope is the life of the session: see {@link layer}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options = {}
): Effect.Effect<Session["Service"], never, HttpClient.HttpClient | SymphonyConfig | Scope.Scope> =>
  ofLogin(() => botLogin(options))

/**
 * The session of a bot. It logs in at the pod and at the key manager with a token signed by the bot's RSA key, when the first
 * request needs it. Two calls give two sessions, for two bots in one program.
 *
 * **Details**
 *
 * `POST {pod}/login/pubkey/authenticate` and `POST {keyManager}/relay/pubkey/authenticate`, at the same time. The session ignores
 * the second when the token of the first says that keys are delivered in the simplified way, and the Agent
 * (`GET {agent}/agent/v1/info`) has version 24.12 or above. Then requests carry no token of the key manager.
 *
 * A login that the service refuses fails at once, with `Unauthorized`. Other failures are retried by the `retry` of the
 * configuration. Each attempt signs a new token, valid for four minutes by the clock of the program. When a login fails in the
 * end, all requests that wait for it fail, and the next request starts another. A reader of the datafeed emits a status for each
 * attempt that fails.
 *
 * After the scope of the layer ends, requests that need a login fail with `BadRequest`, and so do those that wait for one.
 *
 * **Example** (Two bots in one program)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Session from "effect-herald/symphony/Session"
 * import * as SymphonyConfig from "effect-herald/symphony/SymphonyConfig"
 *
 * declare const announce: Effect.Effect<void, never, Session.Session>
 *
 * const both = (orders: SymphonyConfig.Bot, audit: SymphonyConfig.Bot) =>
 *   Effect.all([
 *     Effect.provide(announce, Session.layer({ bot: orders })),
 *     Effect.provide(announce, Session.layer({ bot: audit }))
 *   ]).pipe(Effect.provide(SymphonyConfig.layer({ host: "acme.symphony.com" })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<Session, never, HttpClient.HttpClient | SymphonyConfig> => Layer.effect(Session, make(options))

/**
 * The user on whose behalf an application acts: exactly one of id and name.
 *
 * @category models
 * @since 0.1.0
 */
export type User =
  | {
    /** The id of the user. */
    readonly userId: number
    /** Not with `userId`. */
    readonly username?: never
  }
  | {
    /** The name for logins. */
    readonly username: string
    /** Not with `username`. */
    readonly userId?: never
  }

/**
 * The session of a user on whose behalf the configuration's application acts. The requests are the same as those of a bot; what
 * the service does not allow on behalf of a user fails with `Unauthorized` or `AccessDenied`.
 *
 * **Details**
 *
 * `POST {pod}/login/pubkey/app/authenticate`, then `POST {pod}/login/pubkey/app/user/{userId}/authenticate` or
 * `POST {pod}/login/pubkey/app/username/{username}/authenticate`. A renewal repeats both. Both of id and name, or
 * neither, is a `BadRequest`.
 *
 * **Example** (As a user, in a program of a bot)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Session from "effect-herald/symphony/Session"
 *
 * const asAda = Effect.provide(Session.layerOnBehalfOf({ username: "ada" }))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOnBehalfOf = (user: User): Layer.Layer<Session, never, HttpClient.HttpClient | SymphonyConfig> =>
  Layer.effect(Session, ofLogin(() => userLogin(user)))

// --------------------------------------------------------------------------------------------------------------------
// logging in
// --------------------------------------------------------------------------------------------------------------------

// The message of a parser quotes the text that it could not read.
const decodeToken = (text: string) =>
  Result.mapBoth(decodeAnswer(text), { onSuccess: ({ token }) => token, onFailure: () => "there is no token in it" })
// A token that no header can carry would break every request of the session.
const Token = Schema.String.pipe(Schema.check(Schema.isPattern(/^[\x20-\x7e]+$/)), Schema.RedactedFromValue)
const decodeAnswer = Lenient.json(Schema.Struct({ token: Token }))

const authentication = (path: Path) => ({ operation: "Session.login", method: "POST", path, isSecret: true } as const)

/** The first request of a bot's login. */
const first = authentication(login`/pubkey/authenticate`)

/** Logs in with a token that is signed for this attempt. */
const authenticate = (
  path: Path,
  name: string,
  key: Redacted.Redacted,
  at: string
): LoginEffect<Redacted.Redacted> => {
  const endpoint = authentication(path)
  const body = Jwt.sign(name, key).pipe(
    Effect.mapError((message) => Endpoint.errorOf(endpoint)(Endpoint.refused([{ location: at, message }]))),
    Effect.flatMap((token) => Body.json({ token }))
  )
  return Endpoint.attempt({ ...endpoint, body, decode: decodeToken }, undefined)
}

/** A part of a login. A retry does not repeat it when only the other part failed. */
const remembered = <A>(part: LoginEffect<A>): LoginEffect<A> => {
  let found: { readonly value: A } | undefined
  return Effect.suspend(() =>
    found === undefined
      ? Effect.tap(part, (value) =>
        Effect.sync(() => {
          found = { value }
        }))
      : Effect.succeed(found.value)
  )
}

const afterScope = () =>
  Endpoint.errorOf(first)(
    new SymphonyError.BadRequest({
      description:
        "The session is closed, because the scope of its layer has ended; provide the layer around all requests",
      details: []
    })
  )

const invalid = (description: string, details: ReadonlyArray<SymphonyError.Detail>) =>
  Effect.fail(Endpoint.errorOf(first)(new SymphonyError.BadRequest({ description, details })))

const validConfig = Effect.flatMap(
  SymphonyConfig,
  (config) =>
    config.issues.length > 0 ? invalid("The configuration is not valid", config.issues) : Effect.succeed(config)
)

const missing = (location: string, what: string) =>
  invalid("The configuration is not complete", [{ location, message: `is not set, and ${what}` }])

const userId = Input.whole(1)
const username = Input.all(Input.notBlank, Input.segment)

const userIssues = (user: User): ReadonlyArray<SymphonyError.Detail> =>
  Input.issues(
    (user.userId === undefined) === (user.username === undefined)
      ? { user: "must be exactly one of userId and username" }
      : {
        "user.userId": Input.optional(userId)(user.userId),
        "user.username": Input.optional(username)(user.username)
      }
  )

// At the same time: only the answer to the first says whether the second was needed, and most pods need it.
const botLogin = (options: Options): LoginEffect<Tokens> => {
  const logIn = (path: Path) =>
    remembered(
      Effect.flatMap(botOf(options), ({ privateKey, username }) =>
        authenticate(path, username, privateKey, "bot.privateKey"))
    )
  const [atPod, atKeyManager] = [logIn(first.path), logIn(relay`/pubkey/authenticate`)]
  return Effect.gen(function*() {
    yield* botOf(options)
    const keyManager = yield* Effect.forkChild(atKeyManager)
    const sessionToken = yield* atPod
    if (yield* isKeyDeliverySimple(sessionToken)) {
      yield* Fiber.interrupt(keyManager)
      return { sessionToken, keyManagerToken: undefined }
    }
    return { sessionToken, keyManagerToken: yield* Fiber.join(keyManager) }
  })
}

const botOf = (options: Options): Effect.Effect<Bot, SymphonyError.SymphonyError, SymphonyConfig> =>
  Effect.flatMap(validConfig, (config) =>
    Endpoint.reading("Session.login", () => {
      const { bot = config.bot } = options
      if (bot === undefined) return missing("bot", "this is the session of a bot")
      const issues = Identities.issuesOf("bot", "username", bot)
      return issues.length === 0 ? Effect.succeed(bot) : invalid("The session is of no bot", issues)
    }))

const appOf = Effect.flatMap(
  validConfig,
  ({ app }) => app === undefined ? missing("app", "this is the session of an application") : Effect.succeed(app)
)

const userLogin = (user: User): LoginEffect<Tokens> => {
  const logIn = remembered(
    Effect.flatMap(
      appOf,
      ({ appId, privateKey }) => authenticate(login`/pubkey/app/authenticate`, appId, privateKey, "app.privateKey")
    )
  )
  const pathOf = Endpoint.reading("Session.login", () => {
    const issues = userIssues(user)
    return issues.length > 0 ? invalid("The session is of no user", issues) : Effect.succeed(
      user.userId === undefined
        ? login`/pubkey/app/username/${user.username}/authenticate`
        : login`/pubkey/app/user/${String(user.userId)}/authenticate`
    )
  })
  return Effect.gen(function*() {
    yield* appOf
    const path = yield* pathOf
    const appToken = yield* logIn
    const sessionToken = yield* Endpoint.attempt(
      { ...authentication(path), credential: "session", decode: decodeToken },
      { sessionToken: appToken, keyManagerToken: undefined }
    )
    return { sessionToken, keyManagerToken: undefined }
  })
}

// --- simplified key delivery

const decodeClaims = Lenient.json(Schema.Struct({ canUseSimplifiedKeyDelivery: Schema.Boolean }))

const decodeAgent = Lenient.json(Schema.Struct({ version: Schema.optionalKey(Schema.NullOr(Schema.String)) }))

/** The first version of the Agent that needs no token of the key manager. */
const [major, minor] = [24, 12]

/** Whether the token says so and the Agent is new enough. Anything unexpected means no. */
const isKeyDeliverySimple = Effect.fnUntraced(
  function*(sessionToken: Redacted.Redacted) {
    const claims = Redacted.value(sessionToken).split(".")[1] ?? ""
    const text = Result.getOrElse(Base64Url.decodeString(claims), () => "")
    const decoded = decodeClaims(text)
    if (Result.isFailure(decoded) || !decoded.success.canUseSimplifiedKeyDelivery) return false
    const { version } = yield* Endpoint.attempt({
      operation: "Session.agentInfo",
      path: agent`/v1/info`,
      decode: decodeAgent
    }, undefined)
    const [, ...numbers] = /^Agent-(\d+)\.(\d+)\./.exec(version ?? "") ?? []
    const [theirMajor = 0, theirMinor = 0] = numbers.map(Number)
    return theirMajor > major || theirMajor === major && theirMinor >= minor
  },
  Effect.orElseSucceed(() => false)
)
