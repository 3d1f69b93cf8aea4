/**
 * An access token that renews itself: an Effect of the application asks its own server for a token, and the library decides when.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Guarded from "../internal/guarded.ts"
import * as Input from "../internal/input.ts"
import * as Secret from "../internal/secret.ts"
import * as Retry from "../Retry.ts"
import * as AccessToken from "./AccessToken.ts"
import * as Renewal from "./internal/wire/renewal.ts"
import { type Renewing, TypeId } from "./internal/wire/renewing.ts"

/**
 * A source of tokens for `authToken` of the configuration. `R` is what its Effect needs. The layer of the configuration takes that
 * from its context once.
 *
 * @category models
 * @since 0.1.0
 */
export type RenewingToken<R = never> = Renewing<R>

/**
 * A token with its end. A token of the service says its end itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Granted {
  /** The token. */
  readonly token: Redacted.Redacted
  /** When it expires, by the service's clock. Default: what the token says. Without either, the end is unknown. */
  readonly expires?: DateTime.Utc | undefined
}

/**
 * Options of {@link make}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long before its end a token is renewed, and at most half of the time that it had left when it came. It should be more than
   * twice `pollTimeout`, so that no long poll crosses the end of its token. Default: 2 minutes.
   */
  readonly margin?: Duration.Input | undefined
  /**
   * When to ask again after a failure: the input of a schedule is what the Effect failed with. Attempts are made only while requests
   * need them. When the schedule ends, it begins again 30 seconds later. Default: `Retry.reconnect`, for ever, half a second to 30
   * seconds apart.
   */
  readonly retry?: Retry.Policy<unknown> | undefined
}

/**
 * Makes a source of tokens from an Effect that asks for one, such as a request to your own server, which knows the secret key.
 *
 * **Details**
 *
 * The Effect runs when the first request needs a token, and again `margin` before the end of the token that it gave. Meanwhile all
 * requests use that token. It runs once for any number of requests, which go on with the old token until the new one is there. A
 * running stream takes the new token at its next poll. The end is in the token. If it is unknown, the token is used until the service
 * refuses it.
 *
 * A request that the service refuses since its token has expired or was revoked is repeated once with a new token: the service has
 * not carried it out. This needs no correct clock. A refusal that names channels or groups is about a missing right, and renews
 * nothing before the token is due. Two renewals of one cause are at least 30 seconds apart, whatever the clock, the server or the
 * service says.
 *
 * If the Effect fails, `retry` decides when to ask again. Requests go on with the old token to its end. After it they wait for at
 * most `requestTimeout`, and fail with the reason `TokenUnavailable`. An attempt has `requestTimeout`, too. There is no fiber
 * between requests. If a caller is interrupted, the attempt goes on for the others.
 *
 * Each configuration that {@link PubNubConfig.layer} builds has tokens of its own. Wrong options are `issues` of the configuration.
 *
 * **Example** (A token from the server of the application)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as HttpClient from "effect/http/HttpClient"
 * import type * as HttpClientError from "effect/http/HttpClientError"
 * import * as Layer from "effect/Layer"
 * import type * as Redacted from "effect/Redacted"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 * import * as NodeTransport from "effect-herald/node/NodeTransport"
 * import * as RenewingToken from "effect-herald/pubnub/RenewingToken"
 *
 * declare const fromMyServer: Effect.Effect<Redacted.Redacted, HttpClientError.HttpClientError, HttpClient.HttpClient>
 *
 * const Live = NodePubNub.layer({
 *   subscribeKey: "sub-c-1",
 *   userId: "ada",
 *   authToken: RenewingToken.make(fromMyServer)
 * }).pipe(Layer.provide(NodeTransport.layer))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E, R>(
  token: Effect.Effect<Redacted.Redacted | Granted, E, R>,
  options: Options = {}
): RenewingToken<R> => {
  const given = Guarded.attempt(() => {
    const { margin = "2 minutes", retry = Retry.reconnect } = options
    const issues = [
      ...Input.issues({
        authToken: Effect.isEffect(token) ? undefined : "is not made from an Effect",
        "authToken.margin": Input.patience(margin)
      }),
      ...Input.retry("authToken.retry", retry)
    ]
    return {
      margin: Duration.toMillis(Option.getOrElse(Duration.fromInput(margin), () => Duration.zero)),
      retry: issues.length > 0 ? Retry.reconnect : Retry.toSchedule(retry),
      issues
    }
  }, "authToken")
  return {
    [TypeId]: new Renewal.Renewal<R>({
      ask: token,
      read,
      ...Result.getOrElse(given, (issues) => ({ margin: 0, retry: Retry.reconnect, issues }))
    })
  }
}

/** Without a compiler the Effect may give anything. */
const read = (answer: unknown): Renewal.Given | string => {
  const isBare = Redacted.isRedacted(answer)
  const token = !isBare && Predicate.hasProperty(answer, "token") ? answer.token : answer
  const text = Secret.textOf(token)
  if (text === undefined || text === "") return "no Redacted text that can be sent"
  const expires = !isBare && Predicate.hasProperty(answer, "expires") ? answer.expires : undefined
  if (expires !== undefined && !DateTime.isDateTime(expires)) return "a token whose end is no DateTime"
  const copy = Redacted.make(text)
  const end = expires ?? Result.getOrUndefined(AccessToken.parse(copy))?.expires
  return { token: copy, expires: end === undefined ? undefined : DateTime.toEpochMillis(end) }
}
