/**
 * The current access token. The configuration has it as a value, as a source that renews it, or as a reference that holds one.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Secret from "../../../internal/secret.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import * as Renewing from "./renewing.ts"

type Config = PubNubConfig["Service"]
type Token = Redacted.Redacted | undefined

/** The characters that an address reserves for a token that is not known yet. */
const usualSize = 2_048

/** The tokens of one source to remember: requests with them may still be in flight. */
const mostRemembered = 8

/** The tokens that sources gave, newest first. They are copies, because the caller may wipe its own. */
const given = new WeakMap<object, ReadonlyArray<Redacted.Redacted>>()

/** Whether the token never changes. */
export const isFixed = ({ authToken }: Pick<Config, "authToken">): boolean =>
  authToken === undefined || Redacted.isRedacted(authToken)

/** Whether two configurations are the same by their values, and get their tokens from the same place. */
export const isSame = <C extends Pick<Config, "authToken">>(one: C, other: C): boolean =>
  one === other || hasSameSource(one, other) && Equal.equals(withoutToken(one), withoutToken(other))

// Tokens of two sources that are equal now may differ later.
const hasSameSource = (
  { authToken: one }: Pick<Config, "authToken">,
  { authToken: other }: Pick<Config, "authToken">
) => one === other || Redacted.isRedacted(one) && Redacted.isRedacted(other) && Equal.equals(one, other)

const withoutToken = <C extends Pick<Config, "authToken">>({ authToken: _, ...rest }: C) => rest

/** The token for a request now. A source that renews it has `requestTimeout` to give it. */
export const current = (
  { authToken, requestTimeout }: Config
): Effect.Effect<Token, PubNubError.TokenUnavailable | PubNubError.BadRequest> => {
  if (authToken === undefined) return Effect.succeed(authToken)
  if (Redacted.isRedacted(authToken)) return usable(authToken)
  const token = Renewing.isRenewing(authToken)
    ? authToken[Renewing.TypeId].current(requestTimeout)
    : SubscriptionRef.get(authToken)
  return Effect.tap(Effect.flatMap(token, usable), (token) => Effect.sync(() => remember(authToken, token)))
}

/** Refuses a token that was wiped, or that a caller without the compiler passed. */
const usable = (token: Redacted.Redacted): Effect.Effect<Redacted.Redacted, PubNubError.BadRequest> => {
  const message = Secret.check(token)
  return message === undefined ? Effect.succeed(token) : Effect.fail(
    new PubNubError.BadRequest({ description: "There is no token", details: [{ location: "authToken", message }] })
  )
}

const remember = (source: object, token: Redacted.Redacted): void => {
  const others = given.get(source) ?? []
  const [newest] = others
  if (newest !== undefined && Equal.equals(newest, token)) return
  given.set(source, [Redacted.make(Redacted.value(token)), ...others.slice(0, mostRemembered - 1)])
}

/** The configurations that {@link pinned} made last. Each encodes what its addresses share. */
const latest = new WeakMap<Config, Config>()

/** The same configuration for one request, with the token that was found for it. */
export const pinned = (config: Config, authToken: Token): Config => {
  if (authToken === config.authToken) return config
  const known = latest.get(config)
  if (known !== undefined && known.authToken === authToken) return known
  const made = { ...config, authToken }
  latest.set(config, made)
  return made
}

/** Whether there is another token than that of a refused request. A source that renews it may have to ask for one. */
export const replaced = (
  config: Config,
  refused: Token,
  denied: PubNubError.Reason
): Effect.Effect<boolean> => {
  const { authToken, requestTimeout } = config
  if (refused === undefined || denied._tag !== "AccessDenied" || isFixed(config)) return Effect.succeed(false)
  if (Renewing.isRenewing(authToken)) return authToken[Renewing.TypeId].refused(refused, denied, requestTimeout)
  return Effect.match(current(config), {
    onFailure: () => false,
    onSuccess: (now) => !Equal.equals(now, refused)
  })
}

/** Makes a request with the current token. Repeats it once if the service refused that token and there is another one. */
export const send = <A>(
  config: Config,
  request: (config: Config) => Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>
): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> => {
  if (isFixed(config)) return request(config)
  const requestWith = (token: Token) => request(pinned(config, token))
  return Effect.flatMap(
    current(config),
    (token) =>
      Effect.catchTag(requestWith(token), "AccessDenied", (denied) =>
        Effect.flatMap(
          replaced(config, token, denied),
          (isReplaced) => isReplaced ? Effect.flatMap(current(config), requestWith) : Effect.fail(denied)
        ))
  )
}

/** Runs an effect once, when a reference holds a new token. Gives nothing to wait for if the token is not a reference. */
export const onChange = (
  { authToken }: Config,
  earlier: () => Token,
  then: Effect.Effect<void>
): Effect.Effect<void> | undefined =>
  SubscriptionRef.isSubscriptionRef(authToken)
    ? SubscriptionRef.changes(authToken).pipe(
      Stream.filter((now) => !Equal.equals(now, earlier())),
      Stream.take(1),
      Stream.runForEach(() => then)
    )
    : undefined

/** The tokens of recent requests. */
export const used = ({ authToken }: Config): ReadonlyArray<string> => {
  if (authToken === undefined) return []
  return Secret.textsOf(isFixed({ authToken }) ? [authToken] : given.get(authToken) ?? [])
}

/** The secrets of a configuration, which no error may show. */
export const secrets = (config: Config): ReadonlyArray<string> => [
  ...used(config),
  ...Secret.textsOf([config.secretKey])
]

/** A text as long as the token may become. */
export const sized = (config: Config): string | undefined => {
  const { authToken } = config
  if (isFixed(config)) return Secret.textOf(authToken)
  const known = SubscriptionRef.isSubscriptionRef(authToken) ? Secret.textsOf([authToken.value]) : used(config)
  return known.reduce((longest, token) => token.length > longest.length ? token : longest, "").padEnd(usualSize, "-")
}
