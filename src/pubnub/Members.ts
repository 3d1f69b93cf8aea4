/**
 * The members of a channel: the users that App Context keeps with it. {@link list} and {@link stream} read, {@link set},
 * {@link remove} and {@link manage} write, {@link update} does both, and {@link live} keeps them current. {@link withCustom}
 * gives custom data a type. The details of each request are in `Relations.Relations`.
 *
 * A member need not be a subscriber, and a subscriber need not be a member. For subscribers see `Presence`. `Memberships` has
 * the same memberships from the side of a user.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as AppContext from "./AppContext.ts"
import * as LiveRelations from "./internal/live/liveRelations.ts"
import * as Custom from "./internal/objects/custom.ts"
import * as ObjectFields from "./internal/objects/fields.ts"
import * as Options from "./internal/objects/options.ts"
import * as Requests from "./internal/objects/relations.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as ObjectFilter from "./ObjectFilter.ts"
import type * as Objects from "./Objects.ts"
import type * as Relations from "./Relations.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"
import type * as Users from "./Users.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options that say whose members are meant.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** The channel, up to 92 bytes, neither `.` nor `..`. */
  readonly channel: string
}

/**
 * The id of a member, as results and input have it.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemberId {
  /** The id of the user, up to 92 bytes, neither `.` nor `..`. */
  readonly userId: string
}

/**
 * What distinguishes members from memberships, as types: `Relations.ListOptions<Members.MemberKind, "user">` are options of
 * {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemberKind extends Relations.Kind {
  /** The parts that `include` can ask for. */
  readonly include: Part
  /** A member. */
  readonly record: Member<Part & this["part"], this["custom"]>
  /** The options that say whose members are meant. */
  readonly owner: ChannelOptions
  /** The id of a member. */
  readonly id: MemberId
  /** The option that lists members. */
  readonly items: {
    /** Ids of users, or objects with `userId` (and, to set, fields). At least one, and none twice. */
    readonly users: unknown
  }
  /** The options that say which member to update. */
  readonly which: ChannelOptions & MemberId
  /** The keys that a list can be sorted by. */
  readonly sortKey: "updated" | "status" | "type" | `user.${Objects.SortKey}`
  /** The fields that a filter can use. */
  readonly filterField: "updated" | "status" | "type" | `user.${Users.UserKind["filterField"]}`
  /** The parts that {@link live} keeps: all. */
  readonly livePart: Part
}

/**
 * The parts of a member that `include` can ask for. A part of the user brings the user too.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = AppContext.Part | "user" | `user.${AppContext.Part}`

/**
 * A member with the parts `P`. Parts that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type Member<P extends Part = never, C = AppContext.Custom> =
  & MemberId
  & AppContext.Versioned
  & Pick<
    AppContext.Included<C> & {
      /** The metadata of the user. Absent when there is none. */
      readonly user?: Users.User<Relations.EndPart<P>>
    },
    Relations.Key<"user", P>
  >

/**
 * A member to write: the id of the user, and the fields to write. A member of a list fits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input<C = AppContext.Custom> extends MemberId, AppContext.Fields<C> {}

/**
 * The requests about members whose custom data has the type `C`, and a decoder of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedMembers<C, RD = never, RE = never>
  extends Relations.Relations<MemberKind, C, AppContext.CustomMismatch, RD, RE>
{
  /** Decodes the custom data in the change of an event. Fails with `CustomMismatch`. */
  readonly event: (
    event: SubscribeEvent.MembershipEvent
  ) => Effect.Effect<SubscribeEvent.MembershipEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

type Untyped = Relations.Relations<MemberKind, AppContext.Custom, never>

const kind: Requests.Kind<typeof ObjectFields.Member.Type, MemberKind> = {
  module: "Members",
  owner: "channel",
  other: "user",
  wire: "uuid",
  names: { owner: "channel", id: "userId", items: "users" },
  ownerOf: ({ channel }) => channel,
  updatedId: ({ userId }) => userId,
  itemsOf: ({ users }) => users,
  path: (channel) => path`/v2/objects/${subscribeKey}/channels/${channel}/uuids`,
  schema: ObjectFields.Member,
  idOf: ({ uuid }) => uuid.id,
  inputId: ({ userId }) => userId,
  build: ({ custom: _, uuid, ...own }, custom) => ({
    ...own,
    ...custom,
    userId: uuid.id,
    ..."etag" in uuid ? { user: uuid } : {}
  })
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Relations.Relations<MemberKind, C, E, RD, RE>, "live"> => Requests.make(kind, codec)

/** All parts. */
const parts = [...ObjectFields.parts, "user", "user.custom", "user.status", "user.type"] as const

const liveKind = <C>(): LiveRelations.Kind<Member<Part, C>, Users.User<AppContext.Part>, "user.id"> => ({
  ...kind,
  filterOf: (id) => ObjectFilter.equals("user.id", id),
  newsOf: (event, channel) => {
    switch (event._tag) {
      case "MembershipSet":
      case "MembershipRemoved":
        return event.channelId === channel ? { id: event.userId, isAboutEnd: false, event } : undefined
      case "UserSet":
      case "UserRemoved":
        return { id: event.userId, isAboutEnd: true, event }
      default:
        return undefined
    }
  },
  endOf: ({ user }) => user,
  withEnd: ({ user: _, ...member }, user) => ({ ...member, ...user === undefined ? {} : { user } })
})

/** Apart from the other requests, and marked as pure below: a bundle that only reads and writes has no code to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  requests: Pick<Relations.Relations<MemberKind, C, E, RD, RE>, "list" | "stream">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Relations.Relations<MemberKind, C, E, RD, RE>["live"] =>
(options) =>
  Options.reading("Members.live", () => options, ({ channel }) =>
    LiveRelations.keep(
      liveKind<C>(),
      {
        all: requests.stream({ channel, include: parts }),
        page: (filter) => requests.list({ channel, include: parts, filter }),
        total: Effect.map(requests.list({ channel, limit: 1, totalCount: true }), ({ totalCount }) => totalCount)
      },
      codec,
      channel
    ))

const members = make(Custom.untyped)

/**
 * Gets one page of the members of a channel. Details: {@link Relations.Relations.list}.
 *
 * `GET /v2/objects/{subscribeKey}/channels/{channel}/uuids`
 *
 * **Example** (The names of the owners of a room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Members from "effect-herald/pubnub/Members"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const owners = (channel: string) =>
 *   Members.list({ channel, include: ["user"], filter: ObjectFilter.equals("type", "owner"), sort: ["user.name"] }).pipe(
 *     Effect.map(({ items }) =>
 *       items.filter(UndecodableItem.isDecoded).map(({ user, userId }) => user?.name ?? userId)
 *     )
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Untyped["list"] = members.list

/**
 * Streams all members of a channel, page by page. Details: {@link Relations.Relations.stream}.
 *
 * `GET /v2/objects/{subscribeKey}/channels/{channel}/uuids`
 *
 * **Example** (A message to every member)
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
 * @category streams
 * @since 0.1.0
 */
export const stream: Untyped["stream"] = members.stream

/**
 * Keeps the members of a channel current while the scope is open, each with all parts and its user. Details:
 * {@link Relations.Relations.live}.
 *
 * **Example** (The names of the members of a room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Live from "effect-herald/Live"
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const names = Stream.unwrap(Effect.map(Members.live({ channel: "lobby" }), Live.values)).pipe(
 *   Stream.map((members) => Array.from(members.values(), ({ user, userId }) => user?.name ?? userId))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Untyped["live"] = /* @__PURE__ */ makeLive(members, Custom.untyped)

/**
 * Makes users members of a channel, or changes memberships. Other members stay. Details: {@link Relations.Relations.set}.
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{channel}/uuids`
 *
 * **Example** (Copy the members of a room to another)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Members from "effect-herald/pubnub/Members"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Members.list({ channel: "old", include: ["status", "type", "custom"] }).pipe(
 *   Effect.flatMap(({ items }) => Members.set({ channel: "new", users: items.filter(UndecodableItem.isDecoded) }))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Untyped["set"] = members.set

/**
 * Removes members of a channel. Users that are not members do no harm. Details: {@link Relations.Relations.remove}.
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{channel}/uuids`
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Untyped["remove"] = members.remove

/**
 * Sets some members of a channel and removes others, in one request. Details: {@link Relations.Relations.manage}.
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{channel}/uuids`
 *
 * **Example** (Replace the owner)
 *
 * ```ts
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const replace = (channel: string, old: string, owner: string) =>
 *   Members.manage({ channel, set: [{ userId: owner, type: "owner" }], remove: [old] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const manage: Untyped["manage"] = members.manage

/**
 * Changes a membership by its current state. Updates in one process are never lost; other writers may be overwritten. Details:
 * {@link Relations.Relations.update}.
 *
 * **Example** (One more warning)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Members from "effect-herald/pubnub/Members"
 *
 * const Guests = Members.withCustom(Schema.Struct({ warnings: Schema.Int }))
 *
 * const warn = (channel: string, userId: string) =>
 *   Guests.update({ channel, userId, custom: "merge" }, ({ custom }) => {
 *     const warnings = (custom?.warnings ?? 0) + 1
 *     return { custom: { warnings }, ...warnings < 3 ? {} : { status: "muted" } }
 *   })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Untyped["update"] = members.update

/**
 * The same requests with custom data of a type, and `event`, which decodes it from events. It is the custom data of the
 * memberships; that of the users stays without a type. Data that does not match fails with `CustomMismatch`; in a list it
 * becomes an `UndecodableItem`.
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
 * const changes = Subscribe.memberships({ channels: ["lobby"] }).pipe(Stream.mapEffect(Guests.event))
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
        Custom.typedChange(codec, event.change, { operation: "Members.event", kind: "membership", id: event.userId }),
        (change) => ({ ...event, change })
      )
  }
}
