/**
 * The channels of App Context. {@link get}, {@link list} and {@link stream} read, {@link set} and {@link remove} write,
 * {@link update} does both without losing what others write, and {@link live} keeps a channel current. {@link withCustom} gives
 * custom data a type. Publishing to a channel needs no metadata. The details of each request are in `Objects.Objects`.
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
 * The fields of every channel, whatever parts were asked for. A field that is not set is an absent key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Metadata extends AppContext.Versioned {
  /** The name of the channel in subscriptions. */
  readonly id: string
  /** The name that people read. */
  readonly name?: string
  /** A description. */
  readonly description?: string
}

/**
 * A channel with the parts `P`. Parts that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type Channel<P extends AppContext.Part = "status" | "type", C = AppContext.Custom> =
  & Metadata
  & Pick<AppContext.Included<C>, P>

/**
 * The fields of a channel to write, beside status, type and custom data.
 *
 * @category models
 * @since 0.1.0
 */
export interface MetadataFields {
  /** The name that people read, at most 2,048 characters. */
  readonly name?: AppContext.Settable<string> | undefined
  /** A description, at most 2,048 characters. */
  readonly description?: AppContext.Settable<string> | undefined
}

/**
 * The options that say which channel is meant.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** The name of the channel, up to 92 bytes, neither `.` nor `..`. */
  readonly id: string
}

/**
 * What distinguishes channels from other objects, as types: `Objects.ListOptions<Channels.ChannelKind, "custom">` are options of {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelKind extends Objects.Kind {
  /** A channel. */
  readonly record: Channel<AppContext.Part & this["part"], this["custom"]>
  /** The fields to write. */
  readonly fields: MetadataFields
  /** The options that say which channel is meant. */
  readonly which: ChannelOptions
  /** The fields that a filter can use. */
  readonly filterField: "id" | "name" | "description" | "status" | "type" | "updated"
}

/**
 * The requests about channels whose custom data has the type `C`, and a decoder of their events.
 *
 * @category models
 * @since 0.1.0
 */
export interface TypedChannels<C, RD = never, RE = never>
  extends Objects.Objects<ChannelKind, C, AppContext.CustomMismatch, RD, RE>
{
  /** Decodes the custom data in the change of an event. Fails with `CustomMismatch`. */
  readonly event: (
    event: SubscribeEvent.ChannelEvent
  ) => Effect.Effect<SubscribeEvent.ChannelEvent<C>, AppContext.CustomMismatch, RD>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

type Untyped = Objects.Objects<ChannelKind, AppContext.Custom, never>

const kind: Requests.Kind<typeof ObjectFields.Channel.Type, ChannelKind> = {
  kind: "channel",
  module: "Channels",
  collection: "channels",
  schema: ObjectFields.Channel,
  build: (wire, custom) => ({ ...Custom.withoutCustom(wire), ...custom }),
  longest: { name: 2048, description: 2048, ...ObjectFields.longest },
  idOf: ({ id }) => id
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(
  codec: Custom.CustomCodec<C, E, RD, RE>
): Omit<Objects.Objects<ChannelKind, C, E, RD, RE>, "live"> => {
  return Requests.make(kind, codec)
}

/** Apart from the other requests, and marked as pure below: a bundle that only reads and writes has no code to subscribe. */
const makeLive = <C, E extends AppContext.CustomMismatch, RD, RE>(
  { get }: Pick<Objects.Objects<ChannelKind, C, E, RD, RE>, "get">,
  codec: Custom.CustomCodec<C, E, RD, RE>
): Objects.Objects<ChannelKind, C, E, RD, RE>["live"] =>
(options) =>
  Options.reading("Channels.live", () => ({ id: options.id }), ({ id }) => {
    const owner = { operation: "Channels.live", kind: "channel", id } as const
    return LiveObject.keep({
      ...owner,
      get: get({ id, include: ObjectFields.parts }),
      isOf: (event): event is SubscribeEvent.ChannelEvent =>
        (event._tag === "ChannelSet" || event._tag === "ChannelRemoved") && event.channelId === id,
      decode: (custom) => codec.decode(custom, owner)
    })
  })

const channels = make(Custom.untyped)

/**
 * Gets one channel. Fails with `ObjectNotFound` when the service has no metadata of the
 * channel. Details: {@link Objects.Objects.get}.
 *
 * `GET /v2/objects/{subscribeKey}/channels/{id}`
 *
 * **Example** (A name to show)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const title = (id: string) =>
 *   Channels.get({ id, include: [] }).pipe(
 *     Effect.map(({ name }) => name ?? id),
 *     Effect.catchTag("ObjectNotFound", () => Effect.succeed(id))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const get: Untyped["get"] = channels.get

/**
 * Gets one page of channels. Details: {@link Objects.Objects.list}.
 *
 * `GET /v2/objects/{subscribeKey}/channels`
 *
 * **Example** (How many channels there are, and the newest ten)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Channels from "effect-herald/pubnub/Channels"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const program = Channels.list({ limit: 10, sort: ["updated:desc", "id"], totalCount: true }).pipe(
 *   Effect.map(({ items, totalCount }) => {
 *     const ids = items.filter(UndecodableItem.isDecoded).map(({ id }) => id)
 *     return `${totalCount} channels, the newest: ${ids.join(", ")}`
 *   })
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Untyped["list"] = channels.list

/**
 * Streams all channels, page by page. Details: {@link Objects.Objects.stream}.
 *
 * `GET /v2/objects/{subscribeKey}/channels`
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
 * @category streams
 * @since 0.1.0
 */
export const stream: Untyped["stream"] = channels.stream

/**
 * Keeps a channel with all parts current while the scope is open. The value is `undefined` while the channel has no metadata.
 * Details: {@link Objects.Objects.live}.
 *
 * **Example** (The name of a room, and whenever it changes)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Live from "effect-herald/Live"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const names = Stream.unwrap(Effect.map(Channels.live({ id: "lobby" }), Live.values)).pipe(
 *   Stream.map((channel) => channel?.name ?? "lobby")
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live: Untyped["live"] = /* @__PURE__ */ makeLive(channels, Custom.untyped)

/**
 * Creates a channel, or changes the given fields and keeps all others. With `ifMatchesEtag` it writes only if nobody else changed
 * the channel. Details: {@link Objects.Objects.set}.
 *
 * `PATCH /v2/objects/{subscribeKey}/channels/{id}`
 *
 * **Example** (A new description)
 *
 * ```ts
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const program = Channels.set({ id: "lobby", description: "Where everybody meets", custom: { floor: 0 } })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const set: Untyped["set"] = channels.set

/**
 * Changes a channel by its current state, and starts again when somebody else changed it in between: no change is lost. Details:
 * {@link Objects.Objects.update}.
 *
 * **Example** (One more visitor)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Channels from "effect-herald/pubnub/Channels"
 *
 * const Rooms = Channels.withCustom(Schema.Struct({ visitors: Schema.Int }))
 *
 * const enter = (id: string) =>
 *   Rooms.update({ id, custom: "merge" }, ({ custom }) => ({ custom: { visitors: (custom?.visitors ?? 0) + 1 } }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const update: Untyped["update"] = channels.update

/**
 * Removes the metadata of a channel. Succeeds when there is none. Memberships stay.
 *
 * `DELETE /v2/objects/{subscribeKey}/channels/{id}`
 *
 * @category requests
 * @since 0.1.0
 */
export const remove: Untyped["remove"] = channels.remove

/**
 * The same requests with custom data of a type, and `event`, which decodes it from events. Custom data is encoded and checked
 * before it is sent. Data that does not match fails with `CustomMismatch`; in a list it becomes an `UndecodableItem`.
 *
 * **Example** (Rooms with a capacity)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Channels from "effect-herald/pubnub/Channels"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const Rooms = Channels.withCustom(Schema.Struct({ capacity: Schema.Int }))
 *
 * const lobby = Rooms.get({ id: "lobby", include: ["custom"] })
 * const changes = Subscribe.channels({ channels: ["lobby"] }).pipe(Stream.mapEffect(Rooms.event))
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
        Custom.typedChange(codec, event.change, { operation: "Channels.event", kind: "channel", id: event.channelId }),
        (change) => ({ ...event, change })
      )
  }
}
