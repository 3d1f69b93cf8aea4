/**
 * Access Manager: {@link grant} makes tokens, {@link revoke} takes them back, and {@link explain} says why a call is refused.
 * `AccessToken.parse` reads a token. A server with the secret key of the keyset grants; the users' programs have the tokens only,
 * as `authToken` of `PubNubConfig`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../internal/codec.ts"
import * as Input from "../internal/input.ts"
import * as Json from "../internal/json.ts"
import * as Secret from "../internal/secret.ts"
import * as Url from "../internal/url.ts"
import type { AccessExplanation } from "./AccessExplanation.ts"
import * as AccessToken from "./AccessToken.ts"
import * as Bits from "./internal/access/bits.ts"
import * as Explain from "./internal/access/explain.ts"
import * as Needs from "./internal/access/needs.ts"
import * as Pattern from "./internal/access/pattern.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import { Explainer } from "./internal/wire/explainer.ts"
import * as Names from "./internal/wire/names.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as Payload from "./internal/wire/payload.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"

// --------------------------------------------------------------------------------------------------------------------
// rights
// --------------------------------------------------------------------------------------------------------------------

/**
 * Rights on a channel. `"read"`: subscribe, history, presence. `"write"`: publish, signal, add message actions. `"delete"`: remove
 * messages and message actions. `"get"`, `"update"`, `"delete"`: its metadata. `"manage"`: its members. `"join"`: be a member.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChannelRight = Schema.Literals(Bits.channelRights)

/**
 * @category models
 * @since 0.1.0
 */
export type ChannelRight = typeof ChannelRight.Type

/**
 * Rights on a channel group. `"read"`: subscribe, presence. `"manage"`: its channels.
 *
 * @category schemas
 * @since 0.1.0
 */
export const GroupRight = Schema.Literals(Bits.groupRights)

/**
 * @category models
 * @since 0.1.0
 */
export type GroupRight = typeof GroupRight.Type

/**
 * Rights on the metadata of a user.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserRight = Schema.Literals(Bits.userRights)

/**
 * @category models
 * @since 0.1.0
 */
export type UserRight = typeof UserRight.Type

/**
 * Rights by name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Resources {
  /** Rights on channels. For the presence of a channel grant `"read"` on its presence name, `room-pnpres`. */
  readonly channels?: { readonly [name: string]: ReadonlyArray<ChannelRight> } | undefined
  /** Rights on channel groups. They give no right on the channels of the group by their own names. */
  readonly groups?: { readonly [name: string]: ReadonlyArray<GroupRight> } | undefined
  /** Rights on the metadata of users, by user id. */
  readonly users?: { readonly [name: string]: ReadonlyArray<UserRight> } | undefined
}

/**
 * A grant. It needs at least one right.
 *
 * @category models
 * @since 0.1.0
 */
export interface GrantOptions extends Resources {
  /** How long the token lasts: 1 to 43,200 whole minutes, which is 30 days. */
  readonly ttl: Duration.Input
  /** The only user that may use the token. Default: any user may. */
  readonly user?: string | undefined
  /**
   * Rights by pattern: a regular expression in the dialect RE2, which has no look-around and no back-references. The service finds
   * it anywhere in a name, so it must begin with `^` and end with `$`: `^room-[0-9]+$`. For a part of a name write `^.*part.*$`.
   */
  readonly patterns?: Resources | undefined
  /** Rights over all channels or all users of the keyset. The service knows only `"get"`: to list them all. */
  readonly categories?: {
    /** Rights over all channels. */
    readonly channels?: ReadonlyArray<"get"> | undefined
    /** Rights over all users. */
    readonly users?: ReadonlyArray<"get"> | undefined
  } | undefined
  /** Data of the application, which everybody who has the token can read. Default: none. */
  readonly meta?: { readonly [key: string]: Schema.Json } | undefined
}

const kinds = [
  ["channels", "channels", Bits.channelRights],
  ["groups", "groups", Bits.groupRights],
  ["users", "uuids", Bits.userRights]
] as const

// --------------------------------------------------------------------------------------------------------------------
// grant and revoke
// --------------------------------------------------------------------------------------------------------------------

/**
 * Grants a token. It is its whole content: a later grant takes nothing from it, and it lasts until it expires or is revoked. The
 * configuration needs all three keys of the keyset.
 *
 * **Details**
 *
 * `POST /v3/pam/{subscribeKey}/grant`, signed with the secret key and without `authToken`. Fails with `PubNubError`: `InvalidKey`
 * without a secret key, and `BadRequest` without a `status` for wrong input: a `ttl` out of range, no right at all, a name with an
 * asterisk, a pattern without `^` and `$`. Then nothing was sent.
 *
 * **Example** (A token for one user and one hour)
 *
 * ```ts
 * import * as Access from "effect-herald/pubnub/Access"
 *
 * const tokenOf = (user: string) =>
 *   Access.grant({
 *     ttl: "1 hour",
 *     user,
 *     channels: { lobby: ["read", "write"], "lobby-pnpres": ["read"] },
 *     users: { [user]: ["get", "update"] },
 *     patterns: { channels: { "^room-[0-9]+$": ["read"] } }
 *   })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const grant = (
  options: GrantOptions
): Effect.Effect<Redacted.Redacted, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("Access.grant", () => {
    const { categories, meta, patterns, ttl, user } = options
    const issues = issuesOf(options)
    return {
      method: "POST" as const,
      path: path`/v3/pam/${subscribeKey}/grant`,
      credential: "signature" as const,
      issues,
      body: issues.length > 0 ? undefined : Json.text({
        ttl: minutesOf(ttl),
        permissions: {
          resources: masksOf(options),
          patterns: masksOf(patterns),
          ...categories === undefined ? {} : { categories: categoryMasks(categories) },
          meta: meta ?? {},
          ...user === undefined ? {} : { uuid: user }
        }
      }),
      decode: (json) => Result.map(decodeGranted(json), ({ data }) => Redacted.make(data.token))
    }
  })

const decodeGranted = Codec.decodeResult(Schema.Struct({ data: Schema.Struct({ token: Schema.NonEmptyString }) }))

const masksOf = (resources: Resources = {}) =>
  Object.fromEntries(kinds.map(([kind, wire]) => [
    wire,
    Object.fromEntries(Object.entries(resources[kind] ?? {}).map(([name, rights]) => [name, Bits.maskOf(rights)]))
  ]))

const categoryMasks = ({ channels, users }: NonNullable<GrantOptions["categories"]>) => ({
  ...channels === undefined ? {} : { channels: Bits.maskOf(channels) },
  ...users === undefined ? {} : { uuids: Bits.maskOf(users) }
})

const mostMinutes = 43_200

// A duration that cannot be read has no minutes, and NaN is one to Effect.
const minutesOf = (ttl: Duration.Input): number | undefined =>
  Number.isNaN(ttl) ? undefined : Option.getOrUndefined(Option.map(Duration.fromInput(ttl), Duration.toMinutes))

const issuesOf = (options: GrantOptions): ReadonlyArray<PubNubError.Detail> => {
  const wrong = Input.record(options)
  if (wrong !== undefined) return [{ location: "options", message: wrong }]
  const { categories, meta, patterns, ttl, user } = options
  const given = [
    ...kinds.flatMap(([kind, , rights]) => resourceIssues(kind, options[kind], rights, nameIssue)),
    ...patterns === undefined
      ? []
      : Input.record(patterns) === undefined
      ? kinds.flatMap(([kind, , rights]) => resourceIssues(`patterns.${kind}`, patterns[kind], rights, patternIssue))
      : Input.issues({ patterns: Input.record(patterns) }),
    ...categories === undefined
      ? []
      : Input.record(categories) === undefined
      ? (["channels", "users"] as const).flatMap((kind) =>
        categories[kind] === undefined ? [] : Input.each(`categories.${kind}`, categories[kind], Input.oneOf(["get"]))
      )
      : Input.issues({ categories: Input.record(categories) })
  ]
  return [
    ...Input.issues({
      ttl: Input.whole(1, mostMinutes)(minutesOf(ttl)) === undefined
        ? undefined
        : `is not a duration of 1 to ${mostMinutes} whole minutes`,
      user: Input.optional(Names.user)(user),
      meta: meta === undefined ? undefined : Input.record(meta) ?? jsonIssue(meta)
    }),
    ...given,
    ...given.length === 0 && isEmpty(options)
      ? [{
        location: "channels",
        message: "is empty, as are groups, users, patterns and categories: a grant needs a right"
      }]
      : []
  ]
}

const jsonIssue = (value: unknown): Input.Problem =>
  Result.match(Payload.encode(value), {
    onFailure: (lost) => lost,
    onSuccess: (text) => text.startsWith("{") ? undefined : "is not a JSON object"
  })

const isEmpty = ({ categories = {}, patterns = {}, ...resources }: GrantOptions): boolean =>
  [resources, patterns].every((some) => kinds.every(([kind]) => Object.keys(some[kind] ?? {}).length === 0)) &&
  (categories.channels ?? []).length + (categories.users ?? []).length === 0

const resourceIssues = (
  location: string,
  resources: unknown,
  known: ReadonlyArray<string>,
  issueOf: Input.Check
): ReadonlyArray<PubNubError.Detail> => {
  if (resources === undefined) return []
  if (!Json.isRecord(resources)) return Input.issues({ [location]: Input.record(resources) })
  return Object.entries(resources).flatMap(([name, rights]) => {
    const message = issueOf(name)
    return [
      ...message === undefined ? [] : [{ location, message: `${Input.shown(name)} ${message}` }],
      ...Input.list(1)(rights) === undefined
        ? Input.each(`${location}[${Input.shown(name)}]`, rights, Input.oneOf(known))
        : Input.issues({ [`${location}[${Input.shown(name)}]`]: Input.list(1)(rights) })
    ]
  })
}

const nameIssue: Input.Check = (name) =>
  typeof name === "string" && name.includes("*")
    ? `has *, which means nothing in a name: grant it under patterns as ${Input.shown(Explain.patternOf(name))}`
    : Input.filled(name)

const patternIssue: Input.Check = (pattern) =>
  Input.filled(pattern) ?? (typeof pattern !== "string" ? undefined : Result.match(Pattern.parse(pattern), {
    onFailure: (problem) => problem,
    onSuccess: ({ isAnchored }) =>
      isAnchored
        ? undefined
        : "is found anywhere in a name: write ^ before it and $ behind it, or ^.* and .*$ if that is what you want"
  }))

/**
 * Revokes a token: from then on, within a minute, the service refuses requests with it. The keyset needs the switch "Revoke v3
 * Token" of the vendor's portal.
 *
 * **Details**
 *
 * `DELETE /v3/pam/{subscribeKey}/grant/{token}`, signed with the secret key. Fails with `PubNubError`: `BadRequest` for a token that
 * has expired.
 *
 * **Example** (Revoke the token of a user that logs out)
 *
 * ```ts
 * import type * as Redacted from "effect/Redacted"
 * import * as Access from "effect-herald/pubnub/Access"
 *
 * const logOut = (token: Redacted.Redacted) => Access.revoke(token)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const revoke = (
  token: Redacted.Redacted
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("Access.revoke", () => {
    const text = Secret.textOf(token) ?? ""
    return {
      method: "DELETE" as const,
      path: path`/v3/pam/${subscribeKey}/grant/${{ shown: "{token}", encoded: Url.encode(text) }}`,
      credential: "signature" as const,
      secrets: [text],
      issues: Input.issues({ token: Secret.check(token) ?? Input.segment(text) }),
      longInput: { location: "token", advice: "pass the whole token, and nothing else" },
      decode: (json) => Result.map(decodeRevoked(json), () => undefined)
    }
  })

const decodeRevoked = Codec.decodeResult(Schema.Struct({ status: Schema.Literal(200) }))

// --------------------------------------------------------------------------------------------------------------------
// explain
// --------------------------------------------------------------------------------------------------------------------

/**
 * The functions that {@link explain} knows, by their names: `"Publish.publish"`. `"Subscribe.stream"` stands for every subscription.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = Needs.Operation

/**
 * All operations that {@link explain} knows.
 *
 * @category constants
 * @since 0.1.0
 */
export const operations: ReadonlyArray<Operation> = Needs.operations

/**
 * A call: a right on one thing, or a function of this library and the names that it is called with.
 *
 * @category models
 * @since 0.1.0
 */
export type Call =
  & {
    /** The user that makes the call. Default: it is not checked. */
    readonly user?: string | undefined
  }
  & (
    | {
      /** What the right is on. */
      readonly kind: "channel"
      /** The name of the channel. */
      readonly name: string
      /** The right. */
      readonly right: ChannelRight
    }
    | {
      /** What the right is on. */
      readonly kind: "group"
      /** The name of the group. */
      readonly name: string
      /** The right. */
      readonly right: GroupRight
    }
    | {
      /** What the right is on. */
      readonly kind: "user"
      /** The id of the user. */
      readonly name: string
      /** The right. */
      readonly right: UserRight
    }
    | {
      /** The function. */
      readonly operation: Operation
      /** Its channels. Default: none. */
      readonly channels?: ReadonlyArray<string> | undefined
      /** Its channel groups. Default: none. */
      readonly groups?: ReadonlyArray<string> | undefined
      /** Its users. Default: none. */
      readonly users?: ReadonlyArray<string> | undefined
    }
  )

/**
 * Says whether a token allows a call, and if not, why. It asks nobody: the clock of this machine decides whether the token has
 * expired. A token that was revoked seems `Allowed`, and so does the list of all users or channels of a keyset that disallows it. Fails with `InvalidToken` if the text is no token, and with `BadRequest` for a
 * call that is none.
 *
 * **Example** (Why was I refused?)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as Redacted from "effect/Redacted"
 * import * as Access from "effect-herald/pubnub/Access"
 *
 * const why = (token: Redacted.Redacted) =>
 *   Access.explain(token, { operation: "Publish.publish", channels: ["lobby"], user: "ada" }).pipe(
 *     Effect.flatMap(({ message }) => Effect.log(message))
 *   )
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const explain = (
  token: Redacted.Redacted,
  call: Call
): Effect.Effect<
  AccessExplanation,
  AccessToken.InvalidToken | PubNubError.PubNubErrorOf<PubNubError.BadRequest>
> =>
  Endpoint.reading("Access.explain", (): ReturnType<typeof explain> => {
    const needs = "operation" in call ? Needs.ofOperation(call.operation, call) : [call]
    const issues = callIssues(call)
    if (issues.length > 0) return Effect.fail(Endpoint.refusal("Access.explain", issues))
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.fromResult(Result.map(AccessToken.parse(token), (content) =>
        Explain.explain(content, { needs, user: call.user, now }))))
  })

const callIssues = (call: Call): ReadonlyArray<PubNubError.Detail> => [
  ...Input.issues({ user: Input.optional(Input.text)(call.user) }),
  ...("operation" in call
    ? [
      ...Input.issues({ operation: Input.oneOf(Needs.operations)(call.operation) }),
      ...kinds.flatMap(([kind]) => call[kind] === undefined ? [] : Input.each(kind, call[kind], Input.text))
    ]
    : Input.issues({
      name: Input.text(call.name),
      kind: Input.oneOf(["channel", "group", "user"])(call.kind),
      right: Input.oneOf(kinds.find(([kind]) => kind === `${call.kind}s`)?.[2] ?? [])(call.right)
    }))
]

/**
 * Lets every `AccessDenied` carry an `explanation`, as far as the token is known. `NodePubNub.layer` has it already. A program in a
 * browser, or with a transport of its own, adds this line; without it the reader of tokens is not in its bundle.
 *
 * **Example** (Explanations in a browser)
 *
 * ```ts
 * import * as FetchHttpClient from "effect/http/FetchHttpClient"
 * import * as Layer from "effect/Layer"
 * import * as Access from "effect-herald/pubnub/Access"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * const Live = Layer.mergeAll(
 *   PubNubConfig.layer({ subscribeKey: "sub-c-1", userId: "ada" }),
 *   FetchHttpClient.layer,
 *   Access.layerExplanations
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerExplanations: Layer.Layer<never> = /* @__PURE__ */ Layer.succeed(
  Explainer,
  ({ channels, groups, request, token, user }) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      Result.match(AccessToken.parse(Redacted.make(token)), {
        onFailure: () => undefined,
        onSuccess: (content) => {
          const needs = Needs.ofRequest(request, { channels, groups })
          const explanation = Explain.explain(content, { needs, user, now })
          if (explanation._tag !== "Allowed" || needs.length > 0) return explanation
          const listed = Needs.listedBy(request.operation)
          // That the token allows a request whose needs are not known nobody can say.
          return listed === undefined ? undefined : Explain.explainList(content, listed) ?? explanation
        }
      }))
)
