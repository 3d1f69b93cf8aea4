/**
 * The memberships of a user: the channels that App Context keeps with it. {@link list} and {@link stream} read, {@link set},
 * {@link remove} and {@link manage} write, {@link update} does both, and {@link live} keeps them current. {@link withCustom}
 * gives custom data a type. The details of each request are in `Relations.Relations`.
 *
 * A member need not be a subscriber, and a subscriber need not be a member. For subscribers see `Presence`. `Members` has the
 * same memberships from the side of a channel.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as AppContext from "./AppContext.ts"
import type * as Channels from "./Channels.ts"
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

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options that say whose memberships are meant.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserOptions {
  /** The id of the user, up to 92 bytes, neither `.` nor `..`. Default: the user of the configuration. */
  readonly userId?: string | undefined
}

/**
 * The id of the channel of a membership, as results and input have it.
 *
 * @category models
 * @since 0.1.0
 */
export interface MembershipId {
  /** The channel, up to 92 bytes, neither `.` nor `..`. */
  readonly channelId: string
}

/**
 * What distinguishes memberships from members, as types: `Relations.ListOptions<Memberships.MembershipKind, "channel">` are options of
 * {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface MembershipKind extends Relations.Kind {
  /** The parts that `include` can ask for. */
  readonly include: Part
  /** A membership. */
  readonly record: Membership<Part & this["part"], this["custom"]>
  /** The options that say whose memberships are meant. */
  readonly owner: UserOptions
  /** The id of a membership. */
  readonly id: MembershipId
  /** The option that lists channels. */
  readonly items: {
    /** Names of channels, or objects with `channelId` (and, to set, fields). At least one, and none twice. */
    readonly channels: unknown
  }
  /** The options that say which membership to update. */
  readonly which: UserOptions & {
    /** The channel, up to 92 bytes, neither `.` nor `..`. */
    readonly channel: string
  }
  /** The keys that a list can be sorted by. */
  readonly sortKey: "updated" | "status" | "type" | `channel.${Objects.SortKey}`
  /** The fields that a filter can use. */
  readonly filterField: "updated" | "status" | "type" | `channel.${Channels.ChannelKind["filterField"]}`
  /** The parts that {@link live} keeps: those of the membership. */
  readonly livePart: AppContext.Part
}

/**
 * The parts of a membership that `include` can ask for. A part of the channel brings the channel too.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = AppContext.Part | "channel" | `channel.${AppContext.Part}`

/**
 * A membership with the parts `P`. Parts that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type Membership<P extends Part = never, C = AppContext.Custom> =
  & MembershipId
  & AppContext.Versioned
  & Pick<
    AppContext.Included<C> & {
      /** The metadata of the channel. Absent when there is none. */
      readonly channel?: Channels.Channel<Relations.EndPart<P>>
    },
    Relations.Key<"channel", P>
  >

/**
 * A membership to write: the channel, and the fields to write. A membership of a list fits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input<C = AppContext.Custom> extends MembershipId, AppContext.Fields<C> {}

/**
 * The requests about memberships whose custom data has the type `C`, and a decoder of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedMemberships<C, RD = never, RE = never>
  extends Relations.Relations<MembershipKind, C, AppContext.CustomMismatch, RD, RE>
{
  /** Decodes the custom data in the change of an event. Fails with `CustomMismatch`. */
  readonly event: (
    event: SubscribeEvent.MembershipEvent
  ) => Effect.Effect<SubscribeEvent.MembershipEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

type Untyped = Relations.Relations<MembershipKind, AppContext.Custom, never>

const kind: Requests.Kind<typeof ObjectFields.Membership.Type, MembershipKind> = {
  module: "Memberships",
  owner: "user",
  other: "channel",
  wire: "channel",
  names: { owner: "userId", id: "channel", items: "channels" },
  ownerOf: (options, { userId }) => options.userId ?? userId,
  updatedId: ({ channel }) => channel,
  itemsOf: ({ channels }) => channels,
  path: (user) => path`/v2/objects/${subscribeKey}/uuids/${user}/channels`,
  schema: ObjectFields.Membership,
  idOf: ({ channel }) => channel.id,
  inputId: ({ channelId }) => channelId,
  build: ({ channel, custom: _, ...own }, custom) => ({
    ...own,
    ...custom,
    channelId: channel.id,
    ..."etag" in channel ? { channel } : {}
  })
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Relations.Relations<MembershipKind, C, E, RD, RE>, "live"> => {
  const requests = Requests.make(kind, codec)
  return {
    ...requests,
    list: (options = {}) => requests.list(options),
    stream: (options = {}) => requests.stream(options)
  }
}

// Events of a channel arrive on that channel only, so its metadata cannot be kept current here.
const liveKind = <C>(): LiveRelations.Kind<Membership<AppContext.Part, C>, never, "channel.id"> => ({
  ...kind,
  filterOf: (id) => ObjectFilter.equals("channel.id", id),
  newsOf: (event, user) =>
    (event._tag === "MembershipSet" || event._tag === "MembershipRemoved") && event.userId === user
      ? { id: event.channelId, isAboutEnd: false, event }
      : undefined,
  endOf: () => undefined,
  withEnd: (membership) => membership
})

/** Apart from the other requests, and marked as pure below: a bundle that only reads and writes has no code to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  requests: Pick<Relations.Relations<MembershipKind, C, E, RD, RE>, "list" | "stream">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Relations.Relations<MembershipKind, C, E, RD, RE>["live"] =>
(options = {}) =>
  Options.reading(
    "Memberships.live",
    (config) => ({ userId: options.userId ?? config.userId }),
    ({ userId }) =>
      LiveRelations.keep(
        liveKind<C>(),
        {
          all: requests.stream({ userId, include: ObjectFields.parts }),
          page: (filter) => requests.list({ userId, include: ObjectFields.parts, filter }),
          total: Effect.map(requests.list({ userId, limit: 1, totalCount: true }), ({ totalCount }) => totalCount)
        },
        codec,
        userId
      )
  )

const memberships = make(Custom.untyped)

/**
 * Gets one page of the memberships of a user, by default the user of the configuration. Details:
 * {@link Relations.Relations.list}.
 *
 * `GET /v2/objects/{subscribeKey}/uuids/{userId}/channels`
 *
 * **Example** (The rooms of a user, the last changed first)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Memberships.list({
 *   userId: "ada",
 *   include: ["status", "channel.type"],
 *   filter: ObjectFilter.like("channel.name", "Room*"),
 *   sort: ["updated:desc"]
 * }).pipe(
 *   Effect.map(({ items }) =>
 *     items.filter(UndecodableItem.isDecoded).map(({ channel, channelId, status }) => [channel?.name ?? channelId, status])
 *   )
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Untyped["list"] = memberships.list

/**
 * Streams all memberships of a user, page by page. Details: {@link Relations.Relations.stream}.
 *
 * `GET /v2/objects/{subscribeKey}/uuids/{userId}/channels`
 *
 * **Example** (Listen to the channels of the configured user)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const messages = Memberships.stream().pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.map(({ channelId }) => channelId),
 *   Stream.runCollect,
 *   Effect.map((channels) => Subscribe.messages({ channels })),
 *   Stream.unwrap
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream: Untyped["stream"] = memberships.stream

/**
 * Keeps the memberships of a user current while the scope is open, by their channels, each with status, type and custom data.
 * The metadata of the channels is not in it, because their events arrive only on each channel: `Channels.live` keeps one
 * current. Details: {@link Relations.Relations.live}.
 *
 * **Example** (The rooms of a user, whenever they change)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Live from "effect-herald/Live"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const rooms = Stream.unwrap(Effect.map(Memberships.live({ userId: "ada" }), Live.values)).pipe(
 *   Stream.map((memberships) => [...memberships.keys()])
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Untyped["live"] = /* @__PURE__ */ makeLive(memberships, Custom.untyped)

/**
 * Makes a user a member of channels, or changes memberships. Other memberships stay. Details:
 * {@link Relations.Relations.set}.
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{userId}/channels`
 *
 * **Example** (Two channels, one of them with fields)
 *
 * ```ts
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const program = Memberships.set({
 *   userId: "ada",
 *   channels: ["lobby", { channelId: "room #1", status: "active", type: "owner", custom: { since: 2026 } }],
 *   include: ["custom"],
 *   limit: 10
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Untyped["set"] = memberships.set

/**
 * Ends memberships of a user. Channels without a membership do no harm. Details: {@link Relations.Relations.remove}.
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{userId}/channels`
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Untyped["remove"] = memberships.remove

/**
 * Sets some memberships of a user and ends others, in one request. Details: {@link Relations.Relations.manage}.
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{userId}/channels`
 *
 * **Example** (Move from one channel to another)
 *
 * ```ts
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const move = (userId: string, from: string, to: string) =>
 *   Memberships.manage({ userId, set: [{ channelId: to, status: "active" }], remove: [from] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const manage: Untyped["manage"] = memberships.manage

/**
 * Changes a membership by its current state. Updates in one process are never lost; other writers may be overwritten. Details:
 * {@link Relations.Relations.update}.
 *
 * **Example** (One more unread message)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const Readers = Memberships.withCustom(Schema.Struct({ unread: Schema.Int }))
 *
 * const oneMore = (userId: string, channel: string) =>
 *   Readers.update({ userId, channel, custom: "merge" }, ({ custom }) => ({
 *     custom: { unread: (custom?.unread ?? 0) + 1 }
 *   }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Untyped["update"] = memberships.update

/**
 * The same requests with custom data of a type, and `event`, which decodes it from events. It is the custom data of the
 * memberships; that of the channels stays without a type. Data that does not match fails with `CustomMismatch`; in a list it
 * becomes an `UndecodableItem`.
 *
 * **Example** (Since when)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const Seats = Memberships.withCustom(Schema.Struct({ since: Schema.DateTimeUtc }))
 *
 * const join = (channelId: string) =>
 *   Effect.flatMap(DateTime.now, (since) => Seats.set({ channels: [{ channelId, custom: { since } }] }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const withCustom = <C, RD = never, RE = never>(
  schema: AppContext.CustomSchema<C, RD, RE>
): TypedMemberships<C, RD, RE> => {
  const codec = Custom.typed(schema)
  const requests = make(codec)
  return {
    ...requests,
    live: makeLive(requests, codec),
    event: (event) =>
      event._tag === "MembershipRemoved" ? Effect.succeed(event) : Effect.map(
        Custom.typedChange(codec, event.change, {
          operation: "Memberships.event",
          kind: "membership",
          id: event.channelId
        }),
        (change) => ({ ...event, change })
      )
  }
}
