/**
 * Channels: what App Context keeps of them. {@link get}, {@link list} and {@link stream} read, {@link set} and
 * {@link remove} write, {@link update} does both without losing what others write, and {@link live} keeps a channel current.
 * {@link withCustom} gives custom data a type. A channel needs no metadata to be published to.
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
 * The parts of a channel that can be asked for with `include`. Default: status and type.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "custom" | "status" | "type"

/**
 * What every channel has, whatever was asked for. `None` where nothing is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Description extends AppContext.Versioned {
  /** The name of the channel. */
  readonly id: string
  /** What people call it. `None` where it is not set. */
  readonly name: Option.Option<string>
  /** `None` where it is not set. */
  readonly description: Option.Option<string>
}

/**
 * A channel with the parts `P`: those that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type Channel<P extends Part = "status" | "type", C = AppContext.Custom> =
  & Description
  & Pick<AppContext.Included<C>, P>

/**
 * What can be set of a channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fields<C = AppContext.Custom> {
  /** At most 2,048 characters. */
  readonly name?: AppContext.Settable<string> | undefined
  /** At most 2,048 characters. */
  readonly description?: AppContext.Settable<string> | undefined
  /** At most 50 characters. */
  readonly status?: AppContext.Settable<string> | undefined
  /** At most 50 characters. */
  readonly type?: AppContext.Settable<string> | undefined
  /** Takes the place of all custom data that is there. */
  readonly custom?: AppContext.Settable<C> | undefined
}

/**
 * Which channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** Up to 92 bytes, and neither `.` nor `..`. */
  readonly id: string
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
export interface SetOptions<P extends Part, C = AppContext.Custom> extends ChannelOptions, Fields<C>, Including<P> {}

/**
 * What {@link set} takes for a write on condition.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetIfOptions<P extends Part, C = AppContext.Custom> extends SetOptions<P, C> {
  /** Writes only if the channel is still what had this tag. Default: writes whatever is there. */
  readonly ifMatchesEtag?: AppContext.Etag | undefined
}

/**
 * What {@link update} takes beside its function.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions extends ChannelOptions, AppContext.UpdateOptions {}

/**
 * What channels can be sorted by.
 *
 * @category models
 * @since 0.1.0
 */
export type SortKey = "id" | "name" | "updated" | "status" | "type"

/**
 * What channels can be filtered by.
 *
 * @category models
 * @since 0.1.0
 */
export type FilterField = "id" | "name" | "description" | "status" | "type" | "updated"

/**
 * Which channels.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection<P extends Part> extends Including<P> {
  /** Which channels: a filter as data, or text of the service's language (`name LIKE "A*"`). Default: all. */
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
  /** How many channels are asked for at once: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * The requests about channels, with custom data of type `C`: what {@link withCustom} gives, and what this module is for
 * custom data without a type. `E` is `CustomMismatch` where there is a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Channels<C, E = AppContext.CustomMismatch, RD = never, RE = never> {
  /** Gets one channel. Details: {@link get}. */
  readonly get: <const P extends Part = "status" | "type">(
    options: ChannelOptions & Including<P>
  ) => Effect.Effect<
    Channel<P, C>,
    PubNubError.PubNubError | AppContext.ObjectNotFound | E,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Gets one page of channels. Details: {@link list}. */
  readonly list: <const P extends Part = "status" | "type">(
    options?: ListOptions<P>
  ) => Effect.Effect<
    AppContext.Page<Channel<P, C>>,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Streams all channels, page by page. Details: {@link stream}. */
  readonly stream: <const P extends Part = "status" | "type">(
    options?: StreamOptions<P>
  ) => Stream.Stream<
    Channel<P, C> | UndecodableItem,
    PubNubError.PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  /** Keeps one channel current while the scope is open. Details: {@link live}. */
  readonly live: (options: ChannelOptions) => Effect.Effect<
    SubscriptionRef.SubscriptionRef<
      Live<Option.Option<Channel<Part, C>>, PubNubError.PubNubError | SubscribeError | E>
    >,
    PubNubError.PubNubError | SubscribeError | E,
    HttpClient.HttpClient | PubNubConfig | Scope.Scope | RD
  >
  /** Removes all that is kept of a channel. Details: {@link remove}. */
  readonly remove: (
    options: ChannelOptions
  ) => Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig>
  /** Creates a channel, or changes the fields that are given. Details: {@link set}. */
  readonly set: {
    <const P extends Part = "status" | "type">(
      options: SetOptions<P, C> & { readonly ifMatchesEtag?: undefined }
    ): Effect.Effect<Channel<P, C>, PubNubError.PubNubError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
    <const P extends Part = "status" | "type">(
      options: SetIfOptions<P, C>
    ): Effect.Effect<
      Channel<P, C>,
      PubNubError.PubNubError | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
      HttpClient.HttpClient | PubNubConfig | RD | RE
    >
  }
  /** Changes one channel by what it is now. Details: {@link update}. */
  readonly update: (
    options: UpdateOptions,
    f: (channel: Channel<Part, C>) => Fields<C>
  ) => Effect.Effect<Channel<Part, C>, UpdateError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
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
 * The requests about channels whose custom data has the type `C`, and a reader of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedChannels<C, RD = never, RE = never> extends Channels<C, AppContext.CustomMismatch, RD, RE> {
  /** The same event, with the custom data of its change read: `None` where it was cleared. */
  readonly event: (
    event: SubscribeEvent.ChannelEvent
  ) => Effect.Effect<SubscribeEvent.ChannelEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const kind: Metadata.Kind<typeof Objects.Channel.Type, Description> = {
  kind: "channel",
  name: "Channel",
  collection: "channels",
  schema: Objects.Channel,
  build: (wire, custom) => ({ ...wire, custom }),
  longest: { name: 2048, description: 2048, ...Setting.longest }
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Channels<C, E, RD, RE>, "live"> => {
  const requests = Metadata.make(kind, codec)

  function set<const P extends Part = "status" | "type">(
    options: SetOptions<P, C> & { readonly ifMatchesEtag?: undefined }
  ): Effect.Effect<Channel<P, C>, PubNubError.PubNubError | E, HttpClient.HttpClient | PubNubConfig | RD | RE>
  function set<const P extends Part = "status" | "type">(
    options: SetIfOptions<P, C>
  ): Effect.Effect<
    Channel<P, C>,
    PubNubError.PubNubError | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
  function set<const P extends Part = "status" | "type">(
    options: SetIfOptions<P, C>
  ): Effect.Effect<
    Channel<P, C>,
    PubNubError.PubNubError | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  > {
    return requests.set(() => options)
  }

  return {
    get: (options) => requests.get(() => options),
    list: (options = {}) => requests.list(() => options),
    stream: (options = {}) => requests.stream(() => options),
    set,
    update: (options, f) => requests.update(() => options, f),
    remove: (options) => requests.remove(() => options)
  }
}

/** Beside the others, and marked as pure below: a bundle that only reads and writes has nothing of what it takes to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  { get }: Pick<Channels<C, E, RD, RE>, "get">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Channels<C, E, RD, RE>["live"] =>
(options) =>
  Objects.reading("liveChannel", () => options, ({ id }) => {
    const names = { operation: "liveChannel", kind: "channel", id } as const
    return LiveObject.keep({
      ...names,
      get: get({ id, include: Objects.parts }),
      isOf: (event): event is SubscribeEvent.ChannelEvent =>
        (event._tag === "ChannelSet" || event._tag === "ChannelRemoved") && event.channelId === id,
      decode: (custom) => codec.decode(custom, names)
    })
  })

const channels = make(Custom.untyped)

/**
 * One channel.
 *
 * **Details**
 *
 * `GET /v2/objects/{subscribeKey}/channels/{id}`. Custom data comes only when `include` names it; `include: []` asks for no
 * part at all. Fails with `ObjectNotFound` for a channel without metadata, and with `PubNubError`: `BadRequest` for input that
 * was refused before a request was made, `AccessDenied`, `FeatureDisabled` without App Context, and what every request can
 * fail with.
 *
 * An id may hold spaces, `/`, `%` and any script. `.` and `..` alone are refused: no URL can carry them.
 *
 * **Example** (A name to show)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const title = (id: string) =>
 *   Channels.get({ id, include: [] }).pipe(
 *     Effect.map((channel) => Option.getOrElse(channel.name, () => id)),
 *     Effect.catchTag("ObjectNotFound", () => Effect.succeed(id))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const get: Channels<AppContext.Custom, never>["get"] = channels.get

/**
 * One page of channels.
 *
 * **Details**
 *
 * `GET /v2/objects/{subscribeKey}/channels`. `next` is there only on a full page, though the service gives a cursor on the
 * last page too. A page that is full and the last is followed by an empty one. What cannot be read is an `UndecodableItem`
 * in its place, and should the service answer with more than `limit`, all of them are there. Fails with `PubNubError`:
 * `BadRequest` for input that was refused before a request was made, or for a filter that the service cannot read, with
 * its details; `Malformed` when the cursor of the next page is the one of this page.
 *
 * **Example** (How many there are, and the newest ten)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Channels from "effect-herald/pubnub/Channels"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Channels.list({ limit: 10, sort: ["updated:desc", "id"], totalCount: true }).pipe(
 *   Effect.map(({ items, totalCount }) => {
 *     const ids = items.filter(UndecodableItem.isDecoded).map(({ id }) => id)
 *     return `${totalCount} channels, of late ${ids.join(", ")}`
 *   })
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Channels<AppContext.Custom, never>["list"] = channels.list

/**
 * All channels, page by page as they are pulled.
 *
 * **Details**
 *
 * The request of {@link list}, once a page, and none after the reader has stopped. What is added while the stream runs
 * moves others to later pages: none comes twice. What is removed moves others to earlier pages, and one that moves to a
 * page which was read already is not seen: a list that must be complete while others remove is read again until two
 * readings agree. The ids of all channels that were given are kept for as long as the stream runs.
 *
 * **Example** (The channels of a team)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Channels from "effect-herald/pubnub/Channels"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const ids = Channels.stream({ filter: ObjectFilter.equals("type", "team"), include: [] }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.map(({ id }) => id)
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const stream: Channels<AppContext.Custom, never>["stream"] = channels.stream

/**
 * The metadata of a channel that is kept current: it is read once, and then follows the changes that others make, for as long
 * as the scope is open. `None` while the channel has none. All parts are in it.
 *
 * **Details**
 *
 * It subscribes to the channel and does the rest as `Users.live`: what keeps the value from being current is in its `state`
 * and `failure`. Messages on the channel are passed over. Fails with `PubNubError` when the channel cannot be read
 * (`AccessDenied`, `FeatureDisabled`, …), at once for a wrong name, and with `SubscribeError` when the subscription ends
 * before.
 *
 * **Gotchas**
 *
 * Who listens to a channel is present on it.
 *
 * **Example** (The name of a room, and whenever it changes)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const names = Stream.unwrap(Effect.map(Channels.live({ id: "lobby" }), SubscriptionRef.changes)).pipe(
 *   Stream.map(({ value }) => Option.flatMap(value, (channel) => channel.name))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Channels<AppContext.Custom, never>["live"] = /* @__PURE__ */ makeLive(channels, Custom.untyped)

/**
 * Creates a channel, or changes the fields that are given and leaves all others as they are. Custom data is one field: it is
 * replaced as a whole. To set what is there already changes nothing and makes no event.
 *
 * **Details**
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{id}`. Gives the channel as it is then. Fails with `PubNubError`: `BadRequest` for
 * texts that are too long and custom data that is not scalars, before a request is made. With `ifMatchesEtag` it fails with
 * {@link AppContext.ObjectChanged}, and writes nothing, when the channel is not what had this tag.
 * With a tag and without an answer it fails with {@link AppContext.UpdateOutcomeUnknown}: made once more, it could take its
 * own write for somebody else's.
 *
 * **Example** (Only if nobody else has changed it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const program = Effect.gen(function*() {
 *   const room = yield* Channels.set({ id: "room #1", name: "Room 1", custom: { floor: 3, projector: true } })
 *   return yield* Channels.set({ id: "room #1", description: Option.none(), ifMatchesEtag: room.etag })
 * }).pipe(
 *   Effect.catchTag("ObjectChanged", (changed) => Effect.logWarning(changed.message))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Channels<AppContext.Custom, never>["set"] = channels.set

/**
 * Changes a channel by what it is: reads it with all its parts, applies a function, and writes what that gives, provided that
 * nobody has changed the channel in between. If somebody has, it begins anew, when `retry` says. No change is lost, whoever
 * else updates.
 *
 * **Details**
 *
 * A `GET` and a `PATCH` with `If-Match`. A function that gives no fields (`{}`) writes nothing. Fails with `ObjectNotFound`
 * when there is no such channel, with `ObjectChanged` when `retry` has ended, and with the `PubNubError` of either request,
 * which is not retried here.
 *
 * A write whose answer was lost is settled by reading again. If the channel is what it was, nothing was written so far and the
 * update fails with the `PubNubError`, which may be retried. If it is not, or cannot be read, the update fails with
 * `UpdateOutcomeUnknown`.
 *
 * To make an update that can be repeated after either, even if the lost request arrives late, let the function note the
 * operation in a custom field, and give no fields when it finds the note: the example of `Users.update` does.
 *
 * **Example** (A line more)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const append = (id: string, line: string) =>
 *   Channels.update({ id }, ({ description }) => ({
 *     description: Option.match(description, { onNone: () => line, onSome: (text) => `${text}\n${line}` })
 *   }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Channels<AppContext.Custom, never>["update"] = channels.update

/**
 * Removes all that is kept of a channel. It is done, too, when there is nothing. Memberships stay.
 *
 * **Details**
 *
 * `DELETE /v2/objects/{subscribeKey}/channels/{id}`. Fails with `PubNubError`.
 *
 * **Example** (A room that is no more)
 *
 * ```ts
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const program = Channels.remove({ id: "room #1" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Channels<AppContext.Custom, never>["remove"] = channels.remove

// --------------------------------------------------------------------------------------------------------------------
// typed custom data
// --------------------------------------------------------------------------------------------------------------------

/**
 * The same requests with custom data of a type. What is set is encoded and checked before it is sent, what is read is
 * decoded: data that does not match fails with `CustomMismatch`, which has it; in a list it is an `UndecodableItem` in its
 * place. The schema has to write scalars: text, numbers, booleans and null.
 *
 * **Example** (Rooms on floors)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Channels from "effect-herald/pubnub/Channels"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const Rooms = Channels.withCustom(Schema.Struct({ floor: Schema.Int, bookedUntil: Schema.optionalKey(Schema.DateTimeUtc) }))
 *
 * const floors = Rooms.list({ include: ["custom"] }).pipe(
 *   Effect.map(({ items }) => items.filter(UndecodableItem.isDecoded).map(({ custom, id }) => [id, custom] as const))
 * )
 *
 * const changes = Subscribe.channels({ channels: ["room #1"] }).pipe(
 *   Stream.mapEffect(Rooms.event)
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const withCustom = <C, RD = never, RE = never>(
  schema: AppContext.CustomSchema<C, RD, RE>
): TypedChannels<C, RD, RE> => {
  const codec = Custom.typed(schema)
  const requests = make(codec)
  return {
    ...requests,
    live: makeLive(requests, codec),
    event: (event) =>
      event._tag === "ChannelRemoved" ? Effect.succeed(event) : Effect.map(
        Custom.typedChange(codec, event.change, { operation: "channelEvent", kind: "channel", id: event.channelId }),
        (change) => ({ ...event, change })
      )
  }
}
