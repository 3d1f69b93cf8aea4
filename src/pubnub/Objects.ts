/**
 * The requests about users and channels: what `Users` and `Channels` have in common.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Live } from "../Live.ts"
import type * as Retry from "../Retry.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"
import type * as AppContext from "./AppContext.ts"
import type * as ObjectFilter from "./ObjectFilter.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type { PubNubError } from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * What distinguishes users from channels, as types: `Users.UserKind` is one, `Channels.ChannelKind` the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kind {
  /** The parts of an object, which {@link Item} sets. */
  readonly part: unknown
  /** The type of its custom data, which {@link Item} sets. */
  readonly custom: unknown
  /** An object with these parts and this custom data. */
  readonly record: object
  /** The fields to write that only this kind has. */
  readonly fields: object
  /** The options that say which object is meant. */
  readonly which: {
    /** The id of the object. A kind may let it default to the own user. */
    readonly id?: string | undefined
  }
  /** The fields that a filter of a list can use. */
  readonly filterField: string
}

/**
 * An object of the kind `K` with the parts `P` and custom data of the type `C`.
 *
 * @category models
 * @since 0.1.0
 */
export type Item<K extends Kind, P extends AppContext.Part, C = AppContext.Custom> = (K & {
  /** The parts of the object. */
  readonly part: P
  /** The type of its custom data. */
  readonly custom: C
})["record"]

/**
 * The fields to write of an object of the kind `K`.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields<K extends Kind, C = AppContext.Custom> = K["fields"] & AppContext.Fields<C>

/**
 * The keys that a list can be sorted by.
 *
 * @category models
 * @since 0.1.0
 */
export type SortKey = "id" | "name" | "updated" | "status" | "type"

/**
 * Which parts of an object to get.
 *
 * @category models
 * @since 0.1.0
 */
export interface Including<P extends AppContext.Part> {
  /** The parts to get. Others are not in the type. `[]` gets none. Default: `["status", "type"]`. */
  readonly include?: ReadonlyArray<P> | undefined
}

/**
 * Which objects to get, and which parts of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection<K extends Kind, P extends AppContext.Part> extends Including<P> {
  /** Only objects that match: a filter as data, or text of the service's language (`name LIKE "A*"`). Default: all. */
  readonly filter?: string | ObjectFilter.Filter<K["filterField"]> | undefined
  /** Sorts by the first key, then by the next. Ascending, unless `:desc` says otherwise. Default: the service's order. */
  readonly sort?: ReadonlyArray<SortKey | `${SortKey}:${"asc" | "desc"}`> | undefined
}

/**
 * The options of `get`.
 *
 * @category models
 * @since 0.1.0
 */
export type GetOptions<K extends Kind, P extends AppContext.Part> = K["which"] & Including<P>

/**
 * The options of `list`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions<K extends Kind, P extends AppContext.Part>
  extends Selection<K, P>, AppContext.PageOptions
{}

/**
 * The options of `stream`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<K extends Kind, P extends AppContext.Part> extends Selection<K, P> {
  /** How many objects one request gets: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * The options of `set`. `T` is the type of `ifMatchesEtag`: `undefined` where there is none.
 *
 * @category models
 * @since 0.1.0
 */
export type SetOptions<
  K extends Kind,
  P extends AppContext.Part,
  C = AppContext.Custom,
  T extends AppContext.Etag | undefined = AppContext.Etag
> =
  & GetOptions<K, P>
  & Fields<K, C>
  & {
    /** Writes only if the object still has this etag. Default: writes in any case. */
    readonly ifMatchesEtag?: T | undefined
  }

/**
 * The options of `update`.
 *
 * @category models
 * @since 0.1.0
 */
export type UpdateOptions<K extends Kind> =
  & K["which"]
  & AppContext.MergeOptions
  & {
    /**
     * When to start again after somebody else changed the object. Default: `Retry.contention`, at most 100 times within a few
     * minutes. When it ends, the update fails with `ObjectChanged`.
     */
    readonly retry?: Retry.Policy<AppContext.ObjectChanged> | undefined
  }

/**
 * Options as the parameters of a function: they may be left out where none of them is required.
 *
 * @category models
 * @since 0.1.0
 */
export type Optional<O> = {} extends O ? [options?: O] : [options: O]

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/**
 * The requests about objects of the kind `K`, with custom data of the type `C`. `Users` and `Channels` have them with custom
 * data of any scalars; their `withCustom` gives them with the type of a schema. `E` is `CustomMismatch` with a schema and
 * `never` without one. `RD` and `RE` are the services that the schema needs to decode and to encode.
 *
 * An id has up to 92 bytes. It may hold spaces, `/`, `%` and any script. `.` and `..` alone are refused, because no URL can
 * carry them.
 *
 * All requests fail with `PubNubError`: `BadRequest` for input that is refused before a request is made, `AccessDenied`,
 * `FeatureDisabled` without App Context, and the reasons of every request.
 *
 * @category requests
 * @since 0.1.0
 */
export interface Objects<K extends Kind, C, E, RD = never, RE = never> {
  /**
   * Gets one object.
   *
   * Custom data comes only when `include` names it. Fails with `ObjectNotFound` when the service has no metadata of the
   * object, and with `CustomMismatch` when its custom data does not match the schema.
   */
  readonly get: <const P extends AppContext.Part = "status" | "type">(
    ...options: Optional<GetOptions<K, P>>
  ) => Effect.Effect<
    Item<K, P, C>,
    PubNubError | AppContext.ObjectNotFound | E,
    HttpClient.HttpClient | PubNubConfig | RD
  >

  /**
   * Gets one page of a list.
   *
   * `next` is there only on a full page, though the service sends a cursor on the last page too. A full last page is followed
   * by an empty one. An item that cannot be decoded, or does not match the schema, is an `UndecodableItem` in its place. When
   * the service sends more items than `limit`, the page has all of them.
   *
   * `BadRequest` also has the details of a filter that the service cannot read. Fails with `Malformed` when the cursor of the
   * next page is the cursor of this page.
   */
  readonly list: <const P extends AppContext.Part = "status" | "type">(
    options?: ListOptions<K, P>
  ) => Effect.Effect<AppContext.Page<Item<K, P, C>>, PubNubError, HttpClient.HttpClient | PubNubConfig | RD>

  /**
   * Streams all items of a list. It requests a page when its reader needs one, and none after the reader stopped.
   *
   * Items that are added meanwhile move others to later pages: the stream gives each item once. Items that are removed
   * meanwhile move others to earlier pages, and the stream may miss one of those. To get a complete list while others remove
   * items, read until two results agree. The stream keeps all ids in memory while it runs.
   */
  readonly stream: <const P extends AppContext.Part = "status" | "type">(
    options?: StreamOptions<K, P>
  ) => Stream.Stream<Item<K, P, C> | UndecodableItem, PubNubError, HttpClient.HttpClient | PubNubConfig | RD>

  /**
   * Keeps one object with all its parts current while the scope is open. `undefined` while the service has no metadata of it.
   *
   * It subscribes to the channel with the name of the object, reads the object, and applies the events. It reads again when
   * events may have been lost (after an interruption, a suspected gap, an event that cannot be decoded), and when an event
   * does not say for certain what the object is now: regions may swap two changes, and an event may have been on its way
   * during the read. Meanwhile the last value stands and is `stale`. A read that may succeed later is repeated as
   * `Retry.reconnect` says.
   *
   * It returns when the object has been read. Fails with `PubNubError` when that is not possible, at once for an id that is
   * not the name of a channel, and with `SubscribeError` when the subscription ends before. After that it does not fail:
   * `state` and `failure` of {@link Live} say what keeps the value from being current. A subscriber of a channel is present on
   * it, here on the one with the name of the object.
   */
  readonly live: (...options: Optional<K["which"]>) => Effect.Effect<
    SubscriptionRef.SubscriptionRef<Live<Item<K, AppContext.Part, C> | undefined, PubNubError | SubscribeError | E>>,
    PubNubError | SubscribeError | E,
    HttpClient.HttpClient | PubNubConfig | Scope.Scope | RD
  >

  /**
   * Creates an object, or changes the given fields and keeps all others. Returns the object as it is then.
   *
   * Custom data is one field, which is replaced as a whole. Writing what is there already changes nothing and makes no event.
   * Fails with `BadRequest` for texts that are too long and for custom data that is not scalars, before a request is made.
   *
   * With `ifMatchesEtag` it fails with `ObjectChanged` and writes nothing when the object has another etag, and with
   * `UpdateOutcomeUnknown` when no answer comes: a second attempt could take its own write for the write of somebody else.
   */
  readonly set: <
    const P extends AppContext.Part = "status" | "type",
    T extends AppContext.Etag | undefined = undefined
  >(options: SetOptions<K, P, C, T>) => Effect.Effect<
    Item<K, P, C>,
    PubNubError | (T extends undefined ? never : AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown) | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >

  /**
   * Changes an object by its current state: reads it with all its parts, applies `f`, and writes the fields that `f` returns,
   * provided that nobody changed the object in between. If somebody did, it starts again, as `retry` says. No change is lost,
   * whoever else updates. When `f` returns no fields (`{}`), nothing is written.
   *
   * It makes a `GET` and a `PATCH` with `If-Match`. Fails with `ObjectNotFound` when there is no such object, with
   * `ObjectChanged` when `retry` has ended, and with the `PubNubError` of either request, which it does not retry.
   *
   * When the answer to a write is lost, it reads again. If the object is unchanged, the update fails with the `PubNubError` and
   * can be retried. Otherwise it fails with `UpdateOutcomeUnknown`. To repeat an update safely after either, even if the lost
   * request arrives late, let `f` write a note of the operation into a custom field, and return `{}` when it finds the note.
   */
  readonly update: (
    options: UpdateOptions<K>,
    f: (object: Item<K, AppContext.Part, C>) => Fields<K, C>
  ) => Effect.Effect<
    Item<K, AppContext.Part, C>,
    PubNubError | AppContext.ObjectNotFound | AppContext.ObjectChanged | AppContext.UpdateOutcomeUnknown | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >

  /** Removes the metadata of an object. Succeeds when there is none. Memberships stay. */
  readonly remove: (
    ...options: Optional<K["which"]>
  ) => Effect.Effect<void, PubNubError, HttpClient.HttpClient | PubNubConfig>
}
