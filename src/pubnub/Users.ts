/**
 * The users of App Context. {@link get}, {@link list} and {@link stream} read, {@link set} and {@link remove} write,
 * {@link update} does both without losing what others write, and {@link live} keeps a user current. {@link withCustom} gives
 * custom data a type. The details of each request are in `Objects.Objects`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as AppContext from "./AppContext.ts"
import * as LiveObject from "./internal/live/liveObject.ts"
import * as Custom from "./internal/objects/custom.ts"
import * as ObjectFields from "./internal/objects/fields.ts"
import * as Options from "./internal/objects/options.ts"
import * as Requests from "./internal/objects/requests.ts"
import type * as Objects from "./Objects.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The fields of every user, whatever parts were asked for. A field that is not set is an absent key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Profile extends AppContext.Versioned {
  /** The id of the user. */
  readonly id: string
  /** The name. */
  readonly name?: string
  /** The id of the user in another system. */
  readonly externalId?: string
  /** The address of a picture of the user. */
  readonly profileUrl?: string
  /** The mail address. */
  readonly email?: string
}

/**
 * A user with the parts `P`. Parts that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type User<P extends AppContext.Part = "status" | "type", C = AppContext.Custom> =
  & Profile
  & Pick<AppContext.Included<C>, P>

/**
 * The fields of a user to write, beside status, type and custom data.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProfileFields {
  /** The name, at most 2,048 characters. */
  readonly name?: AppContext.Settable<string> | undefined
  /** The id of the user in another system, at most 2,048 characters. */
  readonly externalId?: AppContext.Settable<string> | undefined
  /** The address of a picture of the user, at most 2,048 characters. */
  readonly profileUrl?: AppContext.Settable<string> | undefined
  /** The mail address, at most 320 characters. */
  readonly email?: AppContext.Settable<string> | undefined
}

/**
 * The options that say which user is meant.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserOptions {
  /** The id of the user, up to 92 bytes, neither `.` nor `..`. Default: the user of the configuration. */
  readonly id?: string | undefined
}

/**
 * What distinguishes users from other objects, as types: `Objects.ListOptions<Users.UserKind, "custom">` are options of {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserKind extends Objects.Kind {
  /** A user. */
  readonly record: User<AppContext.Part & this["part"], this["custom"]>
  /** The fields to write. */
  readonly fields: ProfileFields
  /** The options that say which user is meant. */
  readonly which: UserOptions
  /** The fields that a filter can use. */
  readonly filterField: "id" | "name" | "externalId" | "profileUrl" | "email" | "status" | "type" | "updated"
}

/**
 * The requests about users whose custom data has the type `C`, and a decoder of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedUsers<C, RD = never, RE = never>
  extends Objects.Objects<UserKind, C, AppContext.CustomMismatch, RD, RE>
{
  /** Decodes the custom data in the change of an event. Fails with `CustomMismatch`. */
  readonly event: (
    event: SubscribeEvent.UserEvent
  ) => Effect.Effect<SubscribeEvent.UserEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

type Untyped = Objects.Objects<UserKind, AppContext.Custom, never>

const kind: Requests.Kind<typeof ObjectFields.User.Type, UserKind> = {
  kind: "user",
  module: "Users",
  collection: "uuids",
  schema: ObjectFields.User,
  build: (wire, custom) => ({ ...Custom.withoutCustom(wire), ...custom }),
  longest: { name: 2048, externalId: 2048, profileUrl: 2048, email: 320, ...ObjectFields.longest },
  idOf: ({ id }, { userId }) => id ?? userId
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Objects.Objects<UserKind, C, E, RD, RE>, "live"> => {
  const requests = Requests.make(kind, codec)
  return {
    ...requests,
    get: (options = {}) => requests.get(options),
    remove: (options = {}) => requests.remove(options)
  }
}

/** Apart from the other requests, and marked as pure below: a bundle that only reads and writes has no code to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  { get }: Pick<Objects.Objects<UserKind, C, E, RD, RE>, "get">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Objects.Objects<UserKind, C, E, RD, RE>["live"] =>
(options = {}) =>
  Options.reading("Users.live", ({ userId }) => ({ id: options.id ?? userId }), ({ id }) => {
    const owner = { operation: "Users.live", kind: "user", id } as const
    return LiveObject.keep({
      ...owner,
      get: get({ id, include: ObjectFields.parts }),
      isOf: (event): event is SubscribeEvent.UserEvent =>
        (event._tag === "UserSet" || event._tag === "UserRemoved") && event.userId === id,
      decode: (custom) => codec.decode(custom, owner)
    })
  })

const users = make(Custom.untyped)

/**
 * Gets one user, by default the user of the configuration. Fails with `ObjectNotFound` when the service has no metadata of the
 * user. Details: {@link Objects.Objects.get}.
 *
 * `GET /v2/objects/{subscribeKey}/uuids/{id}`
 *
 * **Example** (A name, and a custom field)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Users.get({ id: "ada", include: ["custom"] }).pipe(
 *   Effect.map((ada) => `${ada.name ?? "somebody"} of ${ada.custom?.team ?? "no team"}`),
 *   Effect.catchTag("ObjectNotFound", () => Effect.succeed("nobody"))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const get: Untyped["get"] = users.get

/**
 * Gets one page of users. Details: {@link Objects.Objects.list}.
 *
 * `GET /v2/objects/{subscribeKey}/uuids`
 *
 * **Example** (How many users there are, and the newest ten)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Users from "effect-herald/pubnub/Users"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Users.list({ limit: 10, sort: ["updated:desc", "id"], totalCount: true }).pipe(
 *   Effect.map(({ items, totalCount }) => {
 *     const ids = items.filter(UndecodableItem.isDecoded).map(({ id }) => id)
 *     return `${totalCount} users, the newest: ${ids.join(", ")}`
 *   })
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Untyped["list"] = users.list

/**
 * Streams all users, page by page. Details: {@link Objects.Objects.stream}.
 *
 * `GET /v2/objects/{subscribeKey}/uuids`
 *
 * **Example** (The addresses of the active users)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as Users from "effect-herald/pubnub/Users"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const addresses = Users.stream({ filter: ObjectFilter.equals("status", "active"), include: [] }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.map(({ email }) => email)
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream: Untyped["stream"] = users.stream

/**
 * Keeps a user with all parts current while the scope is open. The value is `undefined` while the user has no metadata.
 * Details: {@link Objects.Objects.live}.
 *
 * **Example** (A name that is always the newest)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Live from "effect-herald/Live"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Stream.unwrap(Effect.map(Users.live({ id: "ada" }), Live.values)).pipe(
 *   Stream.runForEach((ada) => Effect.log(ada?.name ?? "somebody"))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Untyped["live"] = /* @__PURE__ */ makeLive(users, Custom.untyped)

/**
 * Creates a user, or changes the given fields and keeps all others. With `ifMatchesEtag` it writes only if nobody else changed
 * the user. Details: {@link Objects.Objects.set}.
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{id}`
 *
 * **Example** (Only if nobody else changed it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Effect.gen(function*() {
 *   const ada = yield* Users.set({ id: "ada", name: "Ada", custom: { team: "core", level: 3 } })
 *   return yield* Users.set({ id: "ada", status: "away", email: Option.none(), ifMatchesEtag: ada.etag })
 * }).pipe(
 *   Effect.catchTag("ObjectChanged", (changed) => Effect.logWarning(changed.message))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Untyped["set"] = users.set

/**
 * Changes a user by its current state, and starts again when somebody else changed it in between: no change is lost. Details:
 * {@link Objects.Objects.update}.
 *
 * **Example** (Points that count once, however often it is tried)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Users from "effect-herald/pubnub/Users"
 * import * as Retry from "effect-herald/Retry"
 *
 * const award = (id: string, prize: string, points: number) =>
 *   Users.update({ id, custom: "merge" }, ({ custom = {} }) =>
 *     prize in custom ? {} : { custom: { points: Number(custom.points ?? 0) + points, [prize]: true } }
 *   ).pipe(
 *     Effect.retry({
 *       schedule: Retry.backoff(),
 *       while: (error) => error._tag === "UpdateOutcomeUnknown" || error.isRetryable
 *     })
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Untyped["update"] = users.update

/**
 * Removes the metadata of a user. Succeeds when there is none. Memberships stay.
 *
 * `DELETE /v2/objects/{subscribeKey}/uuids/{id}`
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Untyped["remove"] = users.remove

/**
 * The same requests with custom data of a type, and `event`, which decodes it from events. Custom data is encoded and checked
 * before it is sent. Data that does not match fails with `CustomMismatch`; in a list it becomes an `UndecodableItem`.
 *
 * **Example** (People with a birthday)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const People = Users.withCustom(Schema.Struct({ born: Schema.DateTimeUtc, team: Schema.Literals(["core", "docs"]) }))
 *
 * const ada = People.get({ id: "ada", include: ["custom"] })
 * const changes = Subscribe.users({ channels: ["ada"] }).pipe(Stream.mapEffect(People.event))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const withCustom = <C, RD = never, RE = never>(
  schema: AppContext.CustomSchema<C, RD, RE>
): TypedUsers<C, RD, RE> => {
  const codec = Custom.typed(schema)
  const requests = make(codec)
  return {
    ...requests,
    live: makeLive(requests, codec),
    event: (event) =>
      event._tag === "UserRemoved" ? Effect.succeed(event) : Effect.map(
        Custom.typedChange(codec, event.change, { operation: "Users.event", kind: "user", id: event.userId }),
        (change) => ({ ...event, change })
      )
  }
}
