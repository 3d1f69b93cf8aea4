/**
 * Users: what App Context keeps of them. {@link get}, {@link list} and {@link stream} read, {@link set} and
 * {@link remove} write, {@link update} does both without losing what others write, and {@link live} keeps a user current.
 * {@link withCustom} gives custom data a type.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Live } from "../Live.ts"
import type * as AppContext from "./AppContext.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"
import type * as ObjectFilter from "./ObjectFilter.ts"
import * as Custom from "./internal/objects/custom.ts"
import * as LiveObject from "./internal/live/liveObject.ts"
import * as Metadata from "./internal/objects/metadata.ts"
import * as Objects from "./internal/objects/objects.ts"
import * as Setting from "./internal/objects/setting.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The parts of a user that can be asked for with `include`. Default: status and type.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "custom" | "status" | "type"

/**
 * What every user has, whatever was asked for. `None` where nothing is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Profile extends AppContext.Versioned {
  /** The id of the user. */
  readonly id: string
  /** `None` where it is not set. */
  readonly name: Option.Option<string>
  /** The id of the user in another system. `None` where it is not set. */
  readonly externalId: Option.Option<string>
  /** Where a picture of the user is. `None` where it is not set. */
  readonly profileUrl: Option.Option<string>
  /** `None` where it is not set. */
  readonly email: Option.Option<string>
}

/**
 * A user with the parts `P`: those that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type User<P extends Part = "status" | "type", C = AppContext.Custom> = Profile & Pick<AppContext.Included<C>, P>

/**
 * What can be set of a user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fields<C = AppContext.Custom> {
  /** At most 2,048 characters. */
  readonly name?: AppContext.Settable<string> | undefined
  /** The id of the user in another system. At most 2,048 characters. */
  readonly externalId?: AppContext.Settable<string> | undefined
  /** Where a picture of the user is. At most 2,048 characters. */
  readonly profileUrl?: AppContext.Settable<string> | undefined
  /** At most 320 characters. */
  readonly email?: AppContext.Settable<string> | undefined
  /** At most 50 characters. */
  readonly status?: AppContext.Settable<string> | undefined
  /** At most 50 characters. */
  readonly type?: AppContext.Settable<string> | undefined
  /** Takes the place of all custom data that is there. */
  readonly custom?: AppContext.Settable<C> | undefined
}

/**
 * Which user.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserOptions {
  /** Up to 92 bytes, and neither `.` nor `..`. Default: the user of the configuration. */
  readonly id?: string | undefined
}

/**
 * Which parts come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Including<P extends Part> {
  /**
   * The parts that come. Others are not in the type; at run time they are `None`, whatever the service keeps. Default:
   * `["status", "type"]`.
   */
  readonly include?: ReadonlyArray<P> | undefined
}

/**
 * What {@link set} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetOptions<P extends Part, C = AppContext.Custom> extends UserOptions, Fields<C>, Including<P> {}

/**
 * What {@link set} takes for a write on condition.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetIfOptions<P extends Part, C = AppContext.Custom> extends SetOptions<P, C> {
  /** Writes only if the user is still what had this tag. Default: writes whatever is there. */
  readonly ifMatchesEtag?: AppContext.Etag | undefined
}

/**
 * What {@link update} takes beside its function.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions extends UserOptions, AppContext.UpdateOptions {}

/**
 * What users can be sorted by.
 *
 * @category models
 * @since 0.1.0
 */
export type SortKey = "id" | "name" | "updated" | "status" | "type"

/**
 * What users can be filtered by.
 *
 * @category models
 * @since 0.1.0
 */
export type FilterField = "id" | "name" | "externalId" | "profileUrl" | "email" | "status" | "type" | "updated"

/**
 * Which users.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection<P extends Part> extends Including<P> {
  /** Which users: a filter as data, or text of the service's language (`name LIKE "A*"`). Default: all. */
  readonly filter?: string | ObjectFilter.Filter<FilterField> | undefined
  /** First by the first key, and ascending where nothing is said. */
  readonly sort?: ReadonlyArray<SortKey | `${SortKey}:${"asc" | "desc"}`> | undefined
}

/**
 * What {@link list} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions<P extends Part> extends Selection<P>, AppContext.PageOptions {}

/**
 * What {@link stream} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<P extends Part> extends Selection<P> {
  /** How many users are asked for at once: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * The requests about users, with custom data of type `C`: what {@link withCustom} gives, and what this module is for
 * custom data without a type. `E` is `CustomMismatch` where there is a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Users<C, E = AppContext.CustomMismatch, RD = never, RE = never> {
  /** Gets one user. Details: {@link get}. */
  readonly get: <const P extends Part = "status" | "type">(
    options?: UserOptions & Including<P>
  ) => Effect.Effect<
    User<P, C>,
    PubNubError.PubNubError | AppContext.ObjectNotFound | E,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Gets one page of users. Details: {@link list}. */
  readonly list: <const P extends Part = "status" | "type">(
    options?: ListOptions<P>
  ) => Effect.Effect<
    AppContext.Page<User<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Streams all users, page by page. Details: {@link stream}. */
  readonly stream: <const P extends Part = "status" | "type">(
    options?: StreamOptions<P>
  ) => Stream.Stream<
    User<P, C> | UndecodableItem,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Keeps one user current while the scope is open. Details: {@link live}. */
  readonly live: (options?: UserOptions) => Effect.Effect<
    SubscriptionRef.SubscriptionRef<Live<Option.Option<User<Part, C>>, PubNubError.PubNubError | SubscribeError | E>>,
    PubNubError.PubNubError | SubscribeError | E,
    HttpClient.HttpClient | PubNubConfig | Scope.Scope | RD
  >
  /** Removes all that is kept of a user. Details: {@link remove}. */
  readonly remove: (
    options?: UserOptions
  ) => Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig>
  /** Creates a user, or changes the fields that are given. Details: {@link set}. */
  readonly set: {
    <const P extends Part = "status" | "type">(
      options: SetOptions<P, C> & { readonly ifMatchesEtag?: undefined }
    ): Effect.Effect<User<P, C>, PubNubError.PubNubError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
    <const P extends Part = "status" | "type">(
      options: SetIfOptions<P, C>
    ): Effect.Effect<
      User<P, C>,
      PubNubError.PubNubError | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
      HttpClient.HttpClient | PubNubConfig | RD | RE
    >
  }
  /** Changes one user by what it is now. Details: {@link update}. */
  readonly update: (
    options: UpdateOptions,
    f: (user: User<Part, C>) => Fields<C>
  ) => Effect.Effect<User<Part, C>, UpdateError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
}

/**
 * What {@link update} can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type UpdateError =
  | PubNubError.PubNubError
  | AppContext.ObjectNotFound
  | AppContext.ObjectChanged
  | AppContext.UpdateOutcomeUnknown

/**
 * The requests about users whose custom data has the type `C`, and a reader of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedUsers<C, RD = never, RE = never> extends Users<C, AppContext.CustomMismatch, RD, RE> {
  /** The same event, with the custom data of its change read: `None` where it was cleared. */
  readonly event: (
    event: SubscribeEvent.UserEvent
  ) => Effect.Effect<SubscribeEvent.UserEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const kind: Metadata.Kind<typeof Objects.User.Type, Profile> = {
  kind: "user",
  name: "User",
  collection: "uuids",
  schema: Objects.User,
  build: (wire, custom) => ({ ...wire, custom }),
  longest: { name: 2048, externalId: 2048, profileUrl: 2048, email: 320, ...Setting.longest }
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Users<C, E, RD, RE>, "live"> => {
  const requests = Metadata.make(kind, codec)
  const given = <O extends UserOptions>(options: O) => ({ userId }: PubNubConfig["Service"]) => ({
    ...options,
    id: options.id ?? userId
  })

  function set<const P extends Part = "status" | "type">(
    options: SetOptions<P, C> & { readonly ifMatchesEtag?: undefined }
  ): Effect.Effect<User<P, C>, PubNubError.PubNubError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
  function set<const P extends Part = "status" | "type">(
    options: SetIfOptions<P, C>
  ): Effect.Effect<
    User<P, C>,
    PubNubError.PubNubError | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
  function set<const P extends Part = "status" | "type">(
    options: SetIfOptions<P, C>
  ): Effect.Effect<
    User<P, C>,
    PubNubError.PubNubError | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  > {
    return requests.set(given(options))
  }

  return {
    get: (options = {}) => requests.get(given(options)),
    list: (options = {}) => requests.list(() => options),
    stream: (options = {}) => requests.stream(() => options),
    set,
    update: (options, f) => requests.update(given(options), f),
    remove: (options = {}) => requests.remove(given(options))
  }
}

/** Beside the others, and marked as pure below: a bundle that only reads and writes has nothing of what it takes to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  { get }: Pick<Users<C, E, RD, RE>, "get">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Users<C, E, RD, RE>["live"] =>
(options = {}) =>
  Objects.reading("liveUser", ({ userId }) => ({ id: options.id ?? userId }), ({ id }) => {
    const names = { operation: "liveUser", kind: "user", id } as const
    return LiveObject.keep({
      ...names,
      get: get({ id, include: Objects.parts }),
      isOf: (event): event is SubscribeEvent.UserEvent =>
        (event._tag === "UserSet" || event._tag === "UserRemoved") && event.userId === id,
      decode: (custom) => codec.decode(custom, names)
    })
  })

const users = make(Custom.untyped)

/**
 * One user, the configured one by default.
 *
 * **Details**
 *
 * `GET /v2/objects/{subscribeKey}/uuids/{id}`. Custom data comes only when `include` names it; `include: []` asks for no
 * part at all. Fails with `ObjectNotFound` for a user without metadata, and with `PubNubError`: `BadRequest` for input that
 * was refused before a request was made, `AccessDenied`, `FeatureDisabled` without App Context, and what every request can
 * fail with.
 *
 * An id may hold spaces, `/`, `%` and any script. `.` and `..` alone are refused: no URL can carry them.
 *
 * **Example** (A name, or none)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Users.get({ id: "ada", include: ["custom"] }).pipe(
 *   Effect.map((ada) => ({ name: ada.name, team: Option.map(ada.custom, (custom) => custom.team) })),
 *   Effect.catchTag("ObjectNotFound", () => Effect.succeed({ name: Option.none(), team: Option.none() }))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const get: Users<AppContext.Custom, never>["get"] = users.get

/**
 * One page of users.
 *
 * **Details**
 *
 * `GET /v2/objects/{subscribeKey}/uuids`. `next` is there only on a full page, though the service gives a cursor on the
 * last page too. A page that is full and the last is followed by an empty one. What cannot be read is an `UndecodableItem`
 * in its place, and should the service answer with more than `limit`, all of them are there. Fails with `PubNubError`:
 * `BadRequest` for input that was refused before a request was made, or for a filter that the service cannot read, with
 * its details; `Malformed` when the cursor of the next page is the one of this page.
 *
 * **Example** (How many there are, and the newest ten)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Users.list({ limit: 10, sort: ["updated:desc", "id"], totalCount: true }).pipe(
 *   Effect.map(({ items, totalCount }) => {
 *     const ids = items.filter(UndecodableItem.isDecoded).map(({ id }) => id)
 *     return `${totalCount} users, of late ${ids.join(", ")}`
 *   })
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Users<AppContext.Custom, never>["list"] = users.list

/**
 * All users, page by page as they are pulled.
 *
 * **Details**
 *
 * The request of {@link list}, once a page, and none after the reader has stopped. What is added while the stream runs
 * moves others to later pages: none comes twice. What is removed moves others to earlier pages, and one that moves to a
 * page which was read already is not seen: a list that must be complete while others remove is read again until two
 * readings agree. The ids of all users that were given are kept for as long as the stream runs.
 *
 * **Example** (The addresses of a team)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const addresses = Users.stream({ filter: ObjectFilter.equals("type", "core"), include: [] }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.filter((user) => Option.isSome(user.email)),
 *   Stream.map((user) => user.email)
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const stream: Users<AppContext.Custom, never>["stream"] = users.stream

/**
 * A user that is kept current: it is read once, and then follows the changes that others make, for as long as the scope is
 * open. `None` while the user has no metadata. All parts are in it.
 *
 * **Details**
 *
 * It subscribes to the channel named after the user, reads the user as {@link get} does, and applies the events that come.
 * It reads again whenever events may have been lost (after an interruption, a suspected gap, something that cannot be read),
 * and when an event does not say for certain what the user is now: regions may swap two changes, and an event may have been on
 * its way while the user was read. Meanwhile the last value stands, and is `stale`; `state` and `failure` of
 * {@link Live} tell all that keeps it from being current. Reads that are worth trying again are made as
 * `Retry.reconnect` says.
 *
 * It gives the value when the user has been read. Fails with `PubNubError` when that cannot be (`AccessDenied`,
 * `FeatureDisabled`, …), at once for an id that is not the name of a channel, and with `SubscribeError` when the
 * subscription ends before. After that it does not fail: it tells.
 *
 * **Gotchas**
 *
 * Who listens to a channel is present on it, here on the one named after the user.
 *
 * **Example** (A name that is always the newest)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Effect.gen(function*() {
 *   const ada = yield* Users.live({ id: "ada" })
 *   const now = (yield* SubscriptionRef.get(ada)).value
 *   yield* Effect.log(Option.flatMap(now, (user) => user.name))
 *   yield* SubscriptionRef.changes(ada).pipe(
 *     Stream.runForEach(({ state, value }) => Effect.log(state, Option.flatMap(value, (user) => user.name)))
 *   )
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Users<AppContext.Custom, never>["live"] = /* @__PURE__ */ makeLive(users, Custom.untyped)

/**
 * Creates a user, or changes the fields that are given and leaves all others as they are. Custom data is one field: it is
 * replaced as a whole. To set what is there already changes nothing and makes no event.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{id}`. Gives the user as it is then. Fails with `PubNubError`: `BadRequest` for
 * texts that are too long and custom data that is not scalars, before a request is made. With `ifMatchesEtag` it fails with
 * {@link AppContext.ObjectChanged}, and writes nothing, when the user is not what had this tag.
 * With a tag and without an answer it fails with {@link AppContext.UpdateOutcomeUnknown}: made once more, it could take its
 * own write for somebody else's.
 *
 * **Example** (Only if nobody else has changed it)
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
export const set: Users<AppContext.Custom, never>["set"] = users.set

/**
 * Changes a user by what it is: reads it with all its parts, applies a function, and writes what that gives, provided that
 * nobody has changed the user in between. If somebody has, it begins anew, when `retry` says. No change is lost, whoever
 * else updates.
 *
 * **Details**
 *
 * A `GET` and a `PATCH` with `If-Match`. A function that gives no fields (`{}`) writes nothing. Fails with `ObjectNotFound`
 * when there is no such user, with `ObjectChanged` when `retry` has ended, and with the `PubNubError` of either request,
 * which is not retried here.
 *
 * A write whose answer was lost is settled by reading again. If the user is what it was, nothing was written so far and the
 * update fails with the `PubNubError`, which may be retried. If it is not, or cannot be read, the update fails with
 * `UpdateOutcomeUnknown`.
 *
 * To make an update that can be repeated after either, even if the lost request arrives late, let the function note the
 * operation in a custom field, and give no fields when it finds the note.
 *
 * **Example** (Points that count once, however often it is tried)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import type * as AppContext from "effect-herald/pubnub/AppContext"
 * import * as Users from "effect-herald/pubnub/Users"
 * import * as Retry from "effect-herald/Retry"
 *
 * const award = (id: string, prize: string, points: number) =>
 *   Users.update({ id, custom: "merge" }, (user) => {
 *     const custom: AppContext.Custom = Option.getOrElse(user.custom, () => ({}))
 *     return prize in custom ? {} : { custom: { points: Number(custom.points ?? 0) + points, [prize]: true } }
 *   }).pipe(
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
export const update: Users<AppContext.Custom, never>["update"] = users.update

/**
 * Removes all that is kept of a user. It is done, too, when there is nothing. Memberships stay.
 *
 * **Details**
 *
 * `DELETE /v2/objects/{subscribeKey}/uuids/{id}`. Fails with `PubNubError`.
 *
 * **Example** (Forgetting a user)
 *
 * ```ts
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Users.remove({ id: "ada" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Users<AppContext.Custom, never>["remove"] = users.remove

// --------------------------------------------------------------------------------------------------------------------
// typed custom data
// --------------------------------------------------------------------------------------------------------------------

/**
 * The same requests with custom data of a type. What is set is encoded and checked before it is sent, what is read is
 * decoded: data that does not match fails with `CustomMismatch`, which has it; in a list it is an `UndecodableItem` in its
 * place. The schema has to write scalars: text, numbers, booleans and null.
 *
 * **Example** (People with a birthday)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const People = Users.withCustom(Schema.Struct({ born: Schema.DateTimeUtc, team: Schema.Literals(["core", "docs"]) }))
 *
 * const teams = People.list({ include: ["custom"] }).pipe(
 *   Effect.map(({ items }) => items.filter(UndecodableItem.isDecoded).map(({ custom, id }) => [id, custom] as const))
 * )
 *
 * const changes = Subscribe.users({ channels: ["ada"] }).pipe(
 *   Stream.mapEffect(People.event)
 * )
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
        Custom.typedChange(codec, event.change, { operation: "userEvent", kind: "user", id: event.userId }),
        (change) => ({ ...event, change })
      )
  }
}
