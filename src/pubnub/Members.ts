/**
 * The members of a channel: the users that App Context keeps with it. {@link list} and {@link stream} read, {@link set},
 * {@link remove} and {@link manage} write, {@link update} does both, and {@link live} keeps them current.
 * {@link withCustom} gives custom data a type.
 *
 * A member is not a subscriber: who is a member need not listen, and the other way round. For who listens see `Presence`. The
 * same memberships from the side of a user are in `Memberships`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Live } from "../Live.ts"
import type * as AppContext from "./AppContext.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"
import type * as ObjectFilter from "./ObjectFilter.ts"
import * as Custom from "./internal/objects/custom.ts"
import * as LiveMembers from "./internal/live/liveMembers.ts"
import * as Objects from "./internal/objects/objects.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as Relations from "./internal/objects/relations.ts"
import type * as Memberships from "./Memberships.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"
import { UserId } from "./internal/wire/userId.ts"
import type * as Users from "./Users.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The parts of a member that can be asked for with `include`: those of the membership itself, the user, and those of the
 * user. A part of the user brings the user. Default: none.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "custom" | "status" | "type" | "user" | "user.custom" | "user.status" | "user.type"

/**
 * What every member has, whatever was asked for. `updated` and `etag` are those of the membership. The `etag` names its
 * state, and no more: the service cannot be asked to write on condition of it, and memberships with the same content may
 * have the same.
 *
 * @category models
 * @since 0.1.0
 */
export interface Relation extends AppContext.Versioned {
  /** Who is the member: the `id` that was set. */
  readonly userId: string
}

/**
 * What can be asked for beside that. `None` where nothing is set, and for a user of whom no metadata is stored. `Q` are the
 * parts of the user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Included<Q extends Users.Part, C = AppContext.Custom> extends AppContext.Included<C> {
  /** The metadata of the member. `None` where none is stored. */
  readonly user: Option.Option<Users.User<Q>>
}

type Key<P extends Part> = P extends `user${string}` ? "user" : Extract<P, Users.Part>

type UserPart<P extends Part> = P extends `user.${infer Q extends Users.Part}` ? Q : never

/**
 * A member with the parts `P`: those that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type Member<P extends Part = never, C = AppContext.Custom> =
  & Relation
  & Pick<Included<UserPart<P>, C>, Key<P>>

/**
 * What can be set of a membership, as from the side of the user.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields<C = AppContext.Custom> = Memberships.Fields<C>

/**
 * Which membership, by the id of its user, and what is set of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Settings<C = AppContext.Custom> = Memberships.Settings<C>

/**
 * Of which channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** Up to 92 bytes, and neither `.` nor `..`. */
  readonly channel: string
}

/**
 * What members can be sorted by.
 *
 * @category models
 * @since 0.1.0
 */
export type SortKey = "updated" | "status" | "type" | `user.${Users.SortKey}`

/**
 * What members can be filtered by. A filter that is text writes `uuid.name` where this says `user.name`: it is sent as it is.
 *
 * @category models
 * @since 0.1.0
 */
export type FilterField = "updated" | "status" | "type" | `user.${Users.FilterField}`

/**
 * Which members, and which parts of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection<P extends Part> extends ChannelOptions {
  /**
   * The parts that come. Others are not in the type; at run time they are `None`, whatever the service keeps. Default: none.
   */
  readonly include?: ReadonlyArray<P> | undefined
  /** A filter as data, or text of the service's language (`uuid.name LIKE "A*"`). Default: all. */
  readonly filter?: string | ObjectFilter.Filter<FilterField> | undefined
  /** First by the first key, and ascending where nothing is said. */
  readonly sort?: ReadonlyArray<SortKey | `${SortKey}:${"asc" | "desc"}`> | undefined
}

/**
 * What {@link list} takes, and {@link set} and others for the page that they answer with.
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
  /** How many members are asked for at once: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * What {@link set} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetOptions<P extends Part, C = AppContext.Custom> extends ListOptions<P> {
  /** Ids of users, or ids with what is set of the membership. At least one, and none twice. */
  readonly users: ReadonlyArray<string | Settings<C>>
}

/**
 * What {@link remove} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoveOptions<P extends Part> extends ListOptions<P> {
  /** Ids of users, or what has one. At least one, and none twice. */
  readonly users: ReadonlyArray<string | { readonly id: string }>
}

/**
 * What {@link manage} takes: at least one user, and none twice.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManageOptions<P extends Part, C = AppContext.Custom> extends ListOptions<P> {
  /** As the users of {@link set}. */
  readonly set?: ReadonlyArray<string | Settings<C>> | undefined
  /** As the users of {@link remove}. */
  readonly remove?: ReadonlyArray<string | { readonly id: string }> | undefined
}

/**
 * What {@link update} takes beside its function.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions extends ChannelOptions, Pick<AppContext.UpdateOptions, "custom"> {
  /** Up to 92 bytes, and neither `.` nor `..`. */
  readonly user: string
}

/**
 * The requests about members, with custom data of type `C`: what {@link withCustom} gives, and what this module is for
 * custom data without a type. `E` is `CustomMismatch` where there is a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Members<C, E = AppContext.CustomMismatch, RD = never, RE = never> {
  /** Gets one page of members of a channel. Details: {@link list}. */
  readonly list: <const P extends Part = never>(
    options: ListOptions<P>
  ) => Effect.Effect<
    AppContext.Page<Member<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Streams all members of a channel, page by page. Details: {@link stream}. */
  readonly stream: <const P extends Part = never>(
    options: StreamOptions<P>
  ) => Stream.Stream<
    Member<P, C> | UndecodableItem,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Keeps the members of a channel current while the scope is open. Details: {@link live}. */
  readonly live: (options: ChannelOptions) => Effect.Effect<
    SubscriptionRef.SubscriptionRef<
      Live<ReadonlyMap<string, Member<Part, C>>, PubNubError.PubNubError | SubscribeError | E>
    >,
    PubNubError.PubNubError | SubscribeError | E,
    HttpClient.HttpClient | PubNubConfig | Scope.Scope | RD
  >
  /** Makes users members of a channel, or changes memberships. Details: {@link set}. */
  readonly set: <const P extends Part = never>(
    options: SetOptions<P, C>
  ) => Effect.Effect<
    AppContext.Page<Member<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
  /** Takes users out of a channel. Details: {@link remove}. */
  readonly remove: <const P extends Part = never>(
    options: RemoveOptions<P>
  ) => Effect.Effect<
    AppContext.Page<Member<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Sets some and removes others, in one request. Details: {@link manage}. */
  readonly manage: <const P extends Part = never>(
    options: ManageOptions<P, C>
  ) => Effect.Effect<
    AppContext.Page<Member<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
  /** Changes one membership by what it is now. Details: {@link update}. */
  readonly update: (
    options: UpdateOptions,
    f: (member: Member<Users.Part, C>) => Fields<C>
  ) => Effect.Effect<Member<Users.Part, C>, UpdateError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
}

/**
 * What {@link update} can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type UpdateError = PubNubError.PubNubError | AppContext.ObjectNotFound | AppContext.UpdateOutcomeUnknown

/**
 * The requests about members whose custom data has the type `C`, and a reader of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedMembers<C, RD = never, RE = never> extends Members<C, AppContext.CustomMismatch, RD, RE> {
  /** The same event, with the custom data of its change read: `None` where it was cleared. */
  readonly event: (
    event: SubscribeEvent.MembershipEvent
  ) => Effect.Effect<SubscribeEvent.MembershipEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const Wire = Schema.Struct({
  uuid: Schema.Union([Objects.User, Relations.bare(UserId)]),
  ...Objects.Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

const kind: Relations.Kind<typeof Wire.Type, Relation & Pick<Included<Users.Part>, "user">> = {
  name: "Member",
  owner: "channel",
  other: "user",
  wire: "uuid",
  path: (channel) => path`/v2/objects/${subscribeKey}/channels/${channel}/uuids`,
  schema: Wire,
  idOf: ({ uuid }) => uuid.id,
  build: ({ uuid, ...own }, custom) => ({
    ...own,
    custom,
    userId: uuid.id,
    user: "etag" in uuid ? Option.some(uuid) : Option.none()
  })
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Members<C, E, RD, RE>, "live"> => {
  const requests = Relations.make(kind, codec)
  const given = <O extends ChannelOptions>(options: O) => () => ({ ...options, owner: options.channel })
  return {
    list: (options) => requests.list(given(options)),
    stream: (options) => requests.stream(given(options)),
    set: (options) => requests.set(() => ({ ...given(options)(), set: options.users })),
    remove: (options) => requests.remove(() => ({ ...given(options)(), remove: options.users })),
    manage: (options) => requests.manage(given(options)),
    update: (options, f) => requests.update(() => ({ ...given(options)(), id: options.user }), f)
  }
}

/** Beside the others, and marked as pure below: a bundle that only reads and writes has nothing of what it takes to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  requests: Pick<Members<C, E, RD, RE>, "list" | "stream">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Members<C, E, RD, RE>["live"] =>
(options) =>
  Objects.reading("liveMembers", () => options, ({ channel }) =>
    LiveMembers.keep(
      {
        all: requests.stream({ channel, include: LiveMembers.include }),
        page: (filter) => requests.list({ channel, include: LiveMembers.include, filter }),
        total: Effect.map(requests.list({ channel, limit: 1, totalCount: true }), ({ totalCount }) => totalCount)
      },
      codec,
      channel
    ))

const members = make(Custom.untyped)

/**
 * One page of the members of a channel.
 *
 * **Details**
 *
 * `GET /v2/objects/{subscribeKey}/channels/{channel}/uuids`. Parts come only when `include` names them. The user of a member
 * is `None` where no metadata of it is stored: one can be a member without. A channel without members has an empty page,
 * also one that does not exist.
 *
 * What cannot be read is an `UndecodableItem` in its place. `next` is there only on a full page, though the service gives a cursor on the last page too. Fails with `PubNubError`:
 * `BadRequest` for input that was refused before a request was made, or for a filter that the service cannot read,
 * `AccessDenied`, `FeatureDisabled` without App Context, and what every request can fail with.
 *
 * **Example** (Who owns a room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as Members from "effect-herald/pubnub/Members"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const owners = (channel: string) =>
 *   Members.list({ channel, include: ["user"], filter: ObjectFilter.equals("type", "owner"), sort: ["user.name"] }).pipe(
 *     Effect.map(({ items }) =>
 *       items.filter(UndecodableItem.isDecoded).map(({ user, userId }) =>
 *         Option.getOrElse(Option.flatMap(user, ({ name }) => name), () => userId)
 *       )
 *     )
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Members<AppContext.Custom, never>["list"] = members.list

/**
 * All members of a channel, page by page as they are pulled.
 *
 * **Details**
 *
 * The request of {@link list}, once a page, and none after the reader has stopped. What is added while the stream runs
 * moves others to later pages: none comes twice. What is removed moves others to earlier pages, and one that moves to a
 * page which was read already is not seen. The ids of all users that were given are kept for as long as the stream runs.
 *
 * **Example** (A letter to everybody)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Members from "effect-herald/pubnub/Members"
 * import * as Publish from "effect-herald/pubnub/Publish"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Members.stream({ channel: "room #1" }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.mapEffect(({ userId }) => Publish.publish({ channel: `inbox.${userId}`, message: "The room is closed." }), {
 *     concurrency: 4
 *   }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const stream: Members<AppContext.Custom, never>["stream"] = members.stream

/**
 * The members of a channel, each with its user and with all parts, kept current: they are read once, and then follow the
 * changes that others make to memberships and to the users, for as long as the scope is open.
 *
 * **Details**
 *
 * It subscribes to the channel, reads all pages, and applies the events that come, page by page. All members are read again
 * when events may have been lost (after an interruption, a suspected gap, something that cannot be read). When an event does
 * not say for certain what a member is now (one that has just come, changes that regions swapped), only that member is, with
 * a filter; of a channel with up to 100 members all are, in one request. Meanwhile the last value stands, and is `stale`:
 * `state` and `failure` of {@link Live} tell all that keeps it from being current. Reads that are worth trying
 * again are made as `Retry.reconnect` says.
 *
 * It gives the value when all members have been read. Fails with `PubNubError` when that cannot be (`AccessDenied`,
 * `FeatureDisabled`, …), at once for a wrong name, and with `SubscribeError` when the subscription ends before. After that
 * it does not fail: it tells.
 *
 * **Gotchas**
 *
 * Who listens to a channel is present on it. All members are kept in memory, and the map is another with each page of
 * events that changes it.
 *
 * **Example** (The names of who belongs to a room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const names = Stream.unwrap(Effect.map(Members.live({ channel: "lobby" }), SubscriptionRef.changes)).pipe(
 *   Stream.map(({ value }) =>
 *     Array.from(value.values(), ({ user, userId }) =>
 *       Option.getOrElse(Option.flatMap(user, ({ name }) => name), () => userId))
 *   )
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Members<AppContext.Custom, never>["live"] = /* @__PURE__ */ makeLive(members, Custom.untyped)

/**
 * Makes users members of a channel, or changes memberships. Those that are not named stay as they are: for the others to go
 * see {@link manage}. Gives the page of members that results, as {@link list} would with the same options; those that were
 * set may be on another page.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{channel}/uuids`. Fields that are not given are not sent: with users and
 * channels that leaves them as they are, and of memberships no recording shows it. `None` clears a field, and custom data is
 * one field, which is replaced as a whole. To set what is there already makes no event. Neither the channel nor the users
 * need metadata.
 *
 * Fails with `PubNubError`: `BadRequest` before a request is made for no users, a user that is named twice, texts that are
 * too long, and custom data that is not scalars. How many users the service takes in one request is not written down: more
 * than that is its `BadRequest`, and nothing is split into several requests here.
 *
 * **Example** (Two users, one of them with what is known of the membership)
 *
 * ```ts
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const program = Members.set({
 *   channel: "room #1",
 *   users: ["bob", { id: "ada", status: "active", type: "owner", custom: { since: 2026 } }],
 *   include: ["custom"],
 *   limit: 10
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Members<AppContext.Custom, never>["set"] = members.set

/**
 * Takes members out of a channel. Those that are none do no harm. Gives the page of what is left, as {@link list} would with
 * the same options.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{channel}/uuids`. Fails with `PubNubError`, as {@link set}.
 *
 * **Example** (Two users leave)
 *
 * ```ts
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const program = Members.remove({ channel: "room #1", users: ["ada", "bob"] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Members<AppContext.Custom, never>["remove"] = members.remove

/**
 * Sets members of a channel and takes others out, in one request. Gives the page of members that results, as {@link list}
 * would with the same options.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{channel}/uuids`. Fails with `PubNubError`, as {@link set}; one of the two lists
 * may be empty, and no user may be in both.
 *
 * **Example** (A new owner)
 *
 * ```ts
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const replace = (channel: string, old: string, owner: string) =>
 *   Members.manage({ channel, set: [{ id: owner, type: "owner" }], remove: [old] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const manage: Members<AppContext.Custom, never>["manage"] = members.manage

/**
 * Changes a membership by what it is: reads it with its own parts, applies a function, and writes what that gives. A function
 * that gives no fields (`{}`) writes nothing.
 *
 * **What is guaranteed, and what is not.** Updates of one membership in one process come one after another, from this side
 * or that of `Memberships`, so that none of them is lost. Against all other writers there is no guarantee: the service does
 * not write memberships on condition, so what another process writes between the read and the write is overwritten, and a
 * membership that is removed there comes back. Where several processes count, keep the count with the channel or the user:
 * `Channels.update` and `Users.update` lose nothing.
 *
 * **Details**
 *
 * A `GET` of `/v2/objects/{subscribeKey}/channels/{channel}/uuids` with a filter, and a `PATCH` with status, type and custom
 * data, those that stay included. An id that holds both kinds of quotes cannot be in a filter: then the pages are read until
 * it comes. Gives the member as it is after the write.
 *
 * Fails with `ObjectNotFound` when there is no such member, and with the `PubNubError` of either request. A write whose
 * answer was lost is looked for by reading once more: the update has succeeded if what it wrote is there, fails with the
 * `PubNubError` if the membership is what it was, and else with `UpdateOutcomeUnknown`.
 *
 * **Example** (A warning more)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import * as Schema from "effect/Schema"
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const Guests = Members.withCustom(Schema.Struct({ warnings: Schema.Int }))
 *
 * const warn = (channel: string, user: string) =>
 *   Guests.update({ channel, user, custom: "merge" }, ({ custom }) => {
 *     const warnings = Option.match(custom, { onNone: () => 1, onSome: ({ warnings }) => warnings + 1 })
 *     return { custom: { warnings }, ...warnings < 3 ? {} : { status: "muted" } }
 *   })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Members<AppContext.Custom, never>["update"] = members.update

// --------------------------------------------------------------------------------------------------------------------
// typed custom data
// --------------------------------------------------------------------------------------------------------------------

/**
 * The same requests with custom data of a type: that of the memberships, while that of their users stays without one. What is
 * set is encoded and checked before it is sent, what is read is decoded: data that does not match fails with
 * `CustomMismatch`, which has it; in a list it is an `UndecodableItem` in its place. The schema has to write scalars: text,
 * numbers, booleans and null.
 *
 * **Example** (Since when)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Members from "effect-herald/pubnub/Members"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const Guests = Members.withCustom(Schema.Struct({ since: Schema.DateTimeUtc }))
 *
 * const oldest = Guests.list({ channel: "lobby", include: ["custom"], sort: ["updated"], limit: 1 })
 *
 * const changes = Subscribe.memberships({ channels: ["lobby"] }).pipe(
 *   Stream.mapEffect(Guests.event)
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const withCustom = <C, RD = never, RE = never>(
  schema: AppContext.CustomSchema<C, RD, RE>
): TypedMembers<C, RD, RE> => {
  const codec = Custom.typed(schema)
  const requests = make(codec)
  return {
    ...requests,
    live: makeLive(requests, codec),
    event: (event) =>
      event._tag === "MembershipRemoved" ? Effect.succeed(event) : Effect.map(
        Custom.typedChange(codec, event.change, { operation: "membershipEvent", kind: "membership", id: event.userId }),
        (change) => ({ ...event, change })
      )
  }
}
