/**
 * The current access token. The configuration has it as a value, as an Effect that gives one for each request, or as a
 * reference that holds one.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Secret from "../../../internal/secret.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"

type Config = PubNubConfig["Service"]
type Token = Redacted.Redacted | undefined

/** The characters that an address reserves for a token that is not known yet. */
const usualSize = 2_048

/** The tokens of one source to remember: requests with them may still be in flight. */
const mostRemembered = 8

/** The tokens that Effects and references gave, newest first. They are copies, because the caller may wipe its own. */
const given = new WeakMap<object, ReadonlyArray<Redacted.Redacted>>()

/** Whether the token never changes. */
export const isFixed = ({ authToken }: Pick<Config, "authToken">): boolean =>
  !Effect.isEffect(authToken) && !SubscriptionRef.isSubscriptionRef(authToken)

/** Whether two configurations are the same by their values, and get their tokens from the same place. */
export const isSame = <C extends Pick<Config, "authToken">>(one: C, other: C): boolean =>
  one === other || hasSameSource(one, other) && Equal.equals(withoutToken(one), withoutToken(other))

// Tokens of two sources that are equal now may differ later.
const hasSameSource = (
  { authToken: one }: Pick<Config, "authToken">,
  { authToken: other }: Pick<Config, "authToken">
) => one === other || Redacted.isRedacted(one) && Redacted.isRedacted(other) && Equal.equals(one, other)

const withoutToken = <C extends Pick<Config, "authToken">>({ authToken: _, ...rest }: C) => rest

/** The token for a request now. An Effect has `requestTimeout` to give it. */
export const current = (
  { authToken, requestTimeout }: Config
): Effect.Effect<Token, PubNubError.Transport | PubNubError.BadRequest> => {
  if (authToken === undefined) return Effect.succeed(authToken)
  if (Redacted.isRedacted(authToken)) return usable(authToken)
  const token = Effect.isEffect(authToken)
    ? Effect.timeoutOrElse(Effect.mapError(authToken, lost), {
      duration: requestTimeout,
      orElse: () => Effect.fail(late())
    })
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

// The type says that the Effect cannot fail, but a caller without the compiler may pass one. Its error may hold secrets.
const lost = () => new PubNubError.Transport({ description: "The access token could not be read", sent: false })

// Made when it happens, so that its stack says where.
const late = () => new PubNubError.Transport({ description: "The access token was not ready in time", sent: false })

const remember = (source: object, token: Redacted.Redacted): void => {
  const others = given.get(source) ?? []
  const [newest] = others
  if (newest !== undefined && Equal.equals(newest, token)) return
  given.set(source, [Redacted.make(Redacted.value(token)), ...others.slice(0, mostRemembered - 1)])
}

/** The same configuration for one request, with the token that was found for it. */
export const pinned = (config: Config, authToken: Token): Config =>
  authToken === config.authToken ? config : { ...config, authToken }

/** Whether the token has changed since an earlier request. */
export const isOther = (config: Config, earlier: Token): Effect.Effect<boolean> =>
  isFixed(config) ? Effect.succeed(false) : Effect.match(current(config), {
    onFailure: () => false,
    onSuccess: (now) => !Equal.equals(now, earlier)
  })

/** Makes a request. Repeats it once if the service refused its token and there is a new one. */
export const renewing = <A, R>(
  config: Config,
  request: (config: Config) => Effect.Effect<A, PubNubError.Reason, R>
): Effect.Effect<A, PubNubError.Reason, R> =>
  Effect.flatMap(
    current(config),
    (token) =>
      Effect.catchTag(request(pinned(config, token)), "AccessDenied", (denied) =>
        Effect.flatMap(
          isOther(config, token),
          (isOther) => isOther ? request(config) : Effect.fail(denied)
        ))
  )

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
