/**
 * The memberships of a user: the channels that App Context keeps with it. {@link list} and {@link stream} read,
 * {@link set}, {@link remove} and {@link manage} write, {@link update} does both. {@link withCustom} gives custom data a
 * type.
 *
 * A membership is not a subscription: who is a member need not listen, and the other way round. For who listens see
 * `Presence`. The same memberships from the side of a channel are in `Members`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type * as AppContext from "./AppContext.ts"
import type * as Channels from "./Channels.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"
import type * as ObjectFilter from "./ObjectFilter.ts"
import * as Custom from "./internal/objects/custom.ts"
import * as Objects from "./internal/objects/objects.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as Relations from "./internal/objects/relations.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The parts of a membership that can be asked for with `include`: its own, its channel, and those of its channel. A part
 * of the channel brings the channel. Default: none.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "custom" | "status" | "type" | "channel" | "channel.custom" | "channel.status" | "channel.type"

/**
 * What every membership has, whatever was asked for. The `etag` names its state, and no more: the service cannot be asked
 * to write on condition of it, and memberships with the same content may have the same.
 *
 * @category models
 * @since 0.1.0
 */
export interface Relation extends AppContext.Versioned {
  /** Of which channel: the `id` that was set. */
  readonly channelId: string
}

/**
 * What can be asked for beside that. `None` where nothing is set, and for a channel of which no metadata is stored. `Q` are
 * the parts of the channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface Included<Q extends Channels.Part, C = AppContext.Custom> extends AppContext.Included<C> {
  /** The metadata of the channel. `None` where none is stored. */
  readonly channel: Option.Option<Channels.Channel<Q>>
}

type Key<P extends Part> = P extends `channel${string}` ? "channel" : Extract<P, Channels.Part>

type ChannelPart<P extends Part> = P extends `channel.${infer Q extends Channels.Part}` ? Q : never

/**
 * A membership with the parts `P`: those that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type Membership<P extends Part = never, C = AppContext.Custom> =
  & Relation
  & Pick<Included<ChannelPart<P>, C>, Key<P>>

/**
 * What can be set of a membership, from either side.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fields<C = AppContext.Custom> {
  /** At most 50 characters, as `type`. */
  readonly status?: AppContext.Settable<string> | undefined
  readonly type?: AppContext.Settable<string> | undefined
  /** Takes the place of all custom data that is there. */
  readonly custom?: AppContext.Settable<C> | undefined
}

/**
 * Which membership, and what is set of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings<C = AppContext.Custom> extends Fields<C> {
  /** The channel of a user, or the user of a channel. Up to 92 bytes, and neither `.` nor `..`. */
  readonly id: string
}

/**
 * Whose memberships.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserOptions {
  /** Up to 92 bytes, and neither `.` nor `..`. Default: the user of the configuration. */
  readonly user?: string | undefined
}

/**
 * What memberships can be sorted by.
 *
 * @category models
 * @since 0.1.0
 */
export type SortKey = "updated" | "status" | "type" | `channel.${Channels.SortKey}`

/**
 * What memberships can be filtered by.
 *
 * @category models
 * @since 0.1.0
 */
export type FilterField = "updated" | "status" | "type" | `channel.${Channels.FilterField}`

/**
 * Which memberships, and which parts of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection<P extends Part> extends UserOptions {
  /**
   * The parts that come. Others are not in the type; at run time they are `None`, whatever the service keeps. Default: none.
   */
  readonly include?: ReadonlyArray<P> | undefined
  /** A filter as data, or text of the service's language (`channel.name LIKE "A*"`). Default: all. */
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
  /** How many memberships are asked for at once: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * What {@link set} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetOptions<P extends Part, C = AppContext.Custom> extends ListOptions<P> {
  /** Ids of channels, or ids with what is set of the membership. At least one, and none twice. */
  readonly channels: ReadonlyArray<string | Settings<C>>
}

/**
 * What {@link remove} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoveOptions<P extends Part> extends ListOptions<P> {
  /** Ids of channels, or what has one. At least one, and none twice. */
  readonly channels: ReadonlyArray<string | { readonly id: string }>
}

/**
 * What {@link manage} takes: at least one channel, and none twice.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManageOptions<P extends Part, C = AppContext.Custom> extends ListOptions<P> {
  /** As the channels of {@link set}. */
  readonly set?: ReadonlyArray<string | Settings<C>> | undefined
  /** As the channels of {@link remove}. */
  readonly remove?: ReadonlyArray<string | { readonly id: string }> | undefined
}

/**
 * What {@link update} takes beside its function.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions extends UserOptions, Pick<AppContext.UpdateOptions, "custom"> {
  /** Up to 92 bytes, and neither `.` nor `..`. */
  readonly channel: string
}

/**
 * The requests about memberships, with custom data of type `C`: what {@link withCustom} gives, and what this module is for
 * custom data without a type. `E` is `CustomMismatch` where there is a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Memberships<C, E = AppContext.CustomMismatch, RD = never, RE = never> {
  /** Gets one page of memberships of a user. Details: {@link list}. */
  readonly list: <const P extends Part = never>(
    options?: ListOptions<P>
  ) => Effect.Effect<
    AppContext.Page<Membership<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Streams all memberships of a user, page by page. Details: {@link stream}. */
  readonly stream: <const P extends Part = never>(
    options?: StreamOptions<P>
  ) => Stream.Stream<
    Membership<P, C> | UndecodableItem,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Makes a user a member of channels, or changes memberships. Details: {@link set}. */
  readonly set: <const P extends Part = never>(
    options: SetOptions<P, C>
  ) => Effect.Effect<
    AppContext.Page<Membership<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
  /** Takes a user out of channels. Details: {@link remove}. */
  readonly remove: <const P extends Part = never>(
    options: RemoveOptions<P>
  ) => Effect.Effect<
    AppContext.Page<Membership<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Sets some and removes others, in one request. Details: {@link manage}. */
  readonly manage: <const P extends Part = never>(
    options: ManageOptions<P, C>
  ) => Effect.Effect<
    AppContext.Page<Membership<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
  /** Changes one membership by what it is now. Details: {@link update}. */
  readonly update: (
    options: UpdateOptions,
    f: (membership: Membership<Channels.Part, C>) => Fields<C>
  ) => Effect.Effect<Membership<Channels.Part, C>, UpdateError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
}

/**
 * What {@link update} can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type UpdateError = PubNubError.PubNubError | AppContext.ObjectNotFound | AppContext.UpdateOutcomeUnknown

/**
 * The requests about memberships whose custom data has the type `C`, and a reader of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedMemberships<C, RD = never, RE = never> extends Memberships<C, AppContext.CustomMismatch, RD, RE> {
  /** The same event, with the custom data of its change read: `None` where it was cleared. */
  readonly event: (
    event: SubscribeEvent.MembershipEvent
  ) => Effect.Effect<SubscribeEvent.MembershipEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const Wire = Schema.Struct({
  channel: Schema.Union([Objects.Channel, Relations.bare(Schema.String)]),
  ...Objects.Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

const kind: Relations.Kind<typeof Wire.Type, Relation & Pick<Included<Channels.Part>, "channel">> = {
  name: "Membership",
  owner: "user",
  other: "channel",
  wire: "channel",
  path: (user) => path`/v2/objects/${subscribeKey}/uuids/${user}/channels`,
  schema: Wire,
  idOf: ({ channel }) => channel.id,
  build: ({ channel, ...own }, custom) => ({
    ...own,
    custom,
    channelId: channel.id,
    channel: "etag" in channel ? Option.some(channel) : Option.none()
  })
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Memberships<C, E, RD, RE> => {
  const requests = Relations.make(kind, codec)
  const given = <O extends UserOptions>(options: O) => ({ userId }: PubNubConfig["Service"]) => ({
    ...options,
    owner: options.user ?? userId
  })

  return {
    list: (options = {}) => requests.list(given(options)),
    stream: (options = {}) => requests.stream(given(options)),
    set: (options) => requests.set((config) => ({ ...given(options)(config), set: options.channels })),
    remove: (options) => requests.remove((config) => ({ ...given(options)(config), remove: options.channels })),
    manage: (options) => requests.manage(given(options)),
    update: (options, f) => requests.update((config) => ({ ...given(options)(config), id: options.channel }), f)
  }
}

const memberships = make(Custom.untyped)

/**
 * One page of the memberships of a user, the configured one by default.
 *
 * **Details**
 *
 * `GET /v2/objects/{subscribeKey}/uuids/{user}/channels`. Parts come only when `include` names them. The channel of a
 * membership is `None` where no metadata of it is stored: one can be a member of a channel that nobody described. A user
 * without memberships has an empty page, also one that does not exist.
 *
 * What cannot be read is an `UndecodableItem` in its place. `next` is there only on a full page, though the service gives a cursor on the last page too. Fails with `PubNubError`:
 * `BadRequest` for input that was refused before a request was made, or for a filter that the service cannot read,
 * `AccessDenied`, `FeatureDisabled` without App Context, and what every request can fail with.
 *
 * **Example** (The rooms of a user, the last changed first)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Memberships.list({
 *   user: "ada",
 *   include: ["status", "channel.type"],
 *   filter: ObjectFilter.like("channel.name", "Room*"),
 *   sort: ["updated:desc"]
 * }).pipe(
 *   Effect.map(({ items }) =>
 *     items.filter(UndecodableItem.isDecoded).map(({ channel, channelId, status }) => ({
 *       name: Option.getOrElse(Option.flatMap(channel, ({ name }) => name), () => channelId),
 *       status
 *     }))
 *   )
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Memberships<AppContext.Custom, never>["list"] = memberships.list

/**
 * All memberships of a user, page by page as they are pulled.
 *
 * **Details**
 *
 * The request of {@link list}, once a page, and none after the reader has stopped. What is added while the stream runs
 * moves others to later pages: none comes twice. What is removed moves others to earlier pages, and one that moves to a
 * page which was read already is not seen. The ids of all channels that were given are kept for as long as the stream runs.
 *
 * **Example** (Listening to the channels of the configured user)
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
 * @category requests
 * @since 0.1.0
 */
export const stream: Memberships<AppContext.Custom, never>["stream"] = memberships.stream

/**
 * Makes a user a member of channels, or changes memberships. Those that are not named stay as they are: for the others to go
 * see {@link manage}. Gives the page of memberships that results, as {@link list} would with the same options; those that
 * were set may be on another page.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{user}/channels`. Fields that are not given are not sent: with users and channels
 * that leaves them as they are, and of memberships no recording shows it. `None` clears a field, and custom data is one
 * field, which is replaced as a whole. To set what is there already makes no event. Neither the channel nor the user needs
 * metadata.
 *
 * Fails with `PubNubError`: `BadRequest` before a request is made for no channels, a channel that is named twice, texts that
 * are too long, and custom data that is not scalars. How many channels the service takes in one request is not written
 * down: more than that is its `BadRequest`, and nothing is split into several requests here.
 *
 * **Example** (Two channels, one of them with what is known of the membership)
 *
 * ```ts
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const program = Memberships.set({
 *   user: "ada",
 *   channels: ["lobby", { id: "room #1", status: "active", type: "owner", custom: { since: 2026 } }],
 *   include: ["custom"],
 *   limit: 10
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Memberships<AppContext.Custom, never>["set"] = memberships.set

/**
 * Ends memberships of a user. Those that do not exist do no harm. Gives the page of what is left, as {@link list} would with
 * the same options.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{user}/channels`. Fails with `PubNubError`, as {@link set}.
 *
 * **Example** (Leaving two channels)
 *
 * ```ts
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const program = Memberships.remove({ user: "ada", channels: ["lobby", "room #1"] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Memberships<AppContext.Custom, never>["remove"] = memberships.remove

/**
 * Sets and ends memberships of a user in one request. Gives the page of memberships that results, as {@link list} would with
 * the same options.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/uuids/{user}/channels`. Fails with `PubNubError`, as {@link set}; one of the two lists
 * may be empty, and no channel may be in both.
 *
 * **Example** (From one channel to another)
 *
 * ```ts
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const move = (user: string, from: string, to: string) =>
 *   Memberships.manage({ user, set: [{ id: to, status: "active" }], remove: [from] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const manage: Memberships<AppContext.Custom, never>["manage"] = memberships.manage

/**
 * Changes a membership by what it is: reads it with its own parts, applies a function, and writes what that gives. A function
 * that gives no fields (`{}`) writes nothing.
 *
 * **What is guaranteed, and what is not.** Updates of one membership in one process come one after another, from this side
 * or that of `Members`, so that none of them is lost. Against all other writers there is no guarantee: the service does not
 * write memberships on condition, so what another process writes between the read and the write is overwritten, and a
 * membership that is removed there comes back. Where several processes count, keep the count with the channel or the user:
 * `Channels.update` and `Users.update` lose nothing.
 *
 * **Details**
 *
 * A `GET` of `/v2/objects/{subscribeKey}/uuids/{user}/channels` with a filter, and a `PATCH` with status, type and custom
 * data, those that stay included. An id that holds both kinds of quotes cannot be in a filter: then the pages are read until
 * it comes. Gives the membership as it is after the write.
 *
 * Fails with `ObjectNotFound` when there is no such membership, and with the `PubNubError` of either request. A write whose
 * answer was lost is looked for by reading once more: the update has succeeded if what it wrote is there, fails with the
 * `PubNubError` if the membership is what it was, and else with `UpdateOutcomeUnknown`.
 *
 * **Example** (What has been read of a channel)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import * as Schema from "effect/Schema"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 *
 * const Readers = Memberships.withCustom(Schema.Struct({ unread: Schema.Int }))
 *
 * const oneMore = (user: string, channel: string) =>
 *   Readers.update({ user, channel, custom: "merge" }, ({ custom }) => ({
 *     custom: { unread: Option.match(custom, { onNone: () => 1, onSome: ({ unread }) => unread + 1 }) }
 *   }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Memberships<AppContext.Custom, never>["update"] = memberships.update

// --------------------------------------------------------------------------------------------------------------------
// typed custom data
// --------------------------------------------------------------------------------------------------------------------

/**
 * The same requests with custom data of a type: that of the memberships, while that of their channels stays without one. What
 * is set is encoded and checked before it is sent, what is read is decoded: data that does not match fails with
 * `CustomMismatch`, which has it; in a list it is an `UndecodableItem` in its place. The schema has to write scalars: text,
 * numbers, booleans and null.
 *
 * **Example** (Since when)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Memberships from "effect-herald/pubnub/Memberships"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const Seats = Memberships.withCustom(Schema.Struct({ since: Schema.DateTimeUtc }))
 *
 * const join = (channel: string) =>
 *   Effect.flatMap(DateTime.now, (since) => Seats.set({ channels: [{ id: channel, custom: { since } }] }))
 *
 * const changes = Subscribe.memberships({ channels: ["lobby"] }).pipe(
 *   Stream.mapEffect(Seats.event)
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const withCustom = <C, RD = never, RE = never>(
  schema: AppContext.CustomSchema<C, RD, RE>
): TypedMemberships<C, RD, RE> => {
  const codec = Custom.typed(schema)
  return {
    ...make(codec),
    event: (event) =>
      event._tag === "MembershipRemoved" ? Effect.succeed(event) : Effect.map(
        Custom.typedChange(codec, event.change, {
          operation: "membershipEvent",
          kind: "membership",
          id: event.channelId
        }),
        (change) => ({ ...event, change })
      )
  }
}
