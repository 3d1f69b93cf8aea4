/**
 * The requests about memberships, from either side: what `Members` and `Memberships` have in common.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Live } from "../Live.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"
import type * as AppContext from "./AppContext.ts"
import type * as ObjectFilter from "./ObjectFilter.ts"
import type * as Objects from "./Objects.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type { PubNubError } from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * What distinguishes the members of a channel from the memberships of a user, as types: `Members.MemberKind` is one,
 * `Memberships.MembershipKind` the other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kind {
  /** The parts that `include` can ask for. */
  readonly include: string
  /** The parts of a membership, which {@link Relation} sets. */
  readonly part: unknown
  /** The type of its custom data, which {@link Relation} sets. */
  readonly custom: unknown
  /** A membership with these parts and this custom data. */
  readonly record: object
  /** The option that says whose memberships are meant. */
  readonly owner: object
  /** The id of the other end, as results and input have it. */
  readonly id: object
  /** The option that lists the other ends. */
  readonly items: object
  /** The options that say which membership to update. */
  readonly which: object
  /** The keys that a list can be sorted by. */
  readonly sortKey: string
  /** The fields that a filter of a list can use. */
  readonly filterField: string
  /** The parts that `live` keeps. */
  readonly livePart: string
}

/**
 * A membership of the kind `K` with the parts `P` and custom data of the type `C`.
 *
 * @category models
 * @since 0.1.0
 */
export type Relation<K extends Kind, P extends K["include"], C = AppContext.Custom> = (K & {
  /** The parts of the membership. */
  readonly part: P
  /** The type of its custom data. */
  readonly custom: C
})["record"]

/**
 * The parts of the other end among the parts `P`.
 *
 * @category models
 * @since 0.1.0
 */
export type EndPart<P extends string> = P extends `${string}.${infer Q extends AppContext.Part}` ? Q : never

/**
 * The keys that the parts `P` of a membership bring. A part of the other end brings the other end, whose key is `End`.
 *
 * @category models
 * @since 0.1.0
 */
export type Key<End extends string, P extends string> = P extends AppContext.Part ? P
  : P extends `${End}${string}` ? End
  : never

/**
 * A membership to write: the id of its other end, and the fields to write. A membership of a list fits.
 *
 * @category models
 * @since 0.1.0
 */
export type Input<K extends Kind, C = AppContext.Custom> = K["id"] & AppContext.Fields<C>

/**
 * Which memberships of an owner to get, and which parts of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection<K extends Kind, P extends K["include"]> {
  /** The parts to get. Others are not in the type. Default: none. */
  readonly include?: ReadonlyArray<P> | undefined
  /**
   * Only memberships that match: a filter as data, or text of the service's language, which calls a user `uuid`
   * (`uuid.name LIKE "A*"`). Default: all.
   */
  readonly filter?: string | ObjectFilter.Filter<K["filterField"]> | undefined
  /** Sorts by the first key, then by the next. Ascending, unless `:desc` says otherwise. Default: the service's order. */
  readonly sort?: ReadonlyArray<K["sortKey"] | `${K["sortKey"]}:${"asc" | "desc"}`> | undefined
}

/**
 * The options of `list`. `set`, `remove` and `manage` take them too, for the page that they return.
 *
 * @category models
 * @since 0.1.0
 */
export type ListOptions<K extends Kind, P extends K["include"]> = K["owner"] & Selection<K, P> & AppContext.PageOptions

/**
 * The options of `stream`.
 *
 * @category models
 * @since 0.1.0
 */
export type StreamOptions<K extends Kind, P extends K["include"]> = K["owner"] & Selection<K, P> & {
  /** How many memberships one request gets: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * The options of `set`.
 *
 * @category models
 * @since 0.1.0
 */
export type SetOptions<K extends Kind, P extends K["include"], C = AppContext.Custom> =
  & ListOptions<K, P>
  & { readonly [Name in keyof K["items"]]: ReadonlyArray<string | Input<K, C>> }

/**
 * The options of `remove`.
 *
 * @category models
 * @since 0.1.0
 */
export type RemoveOptions<K extends Kind, P extends K["include"]> =
  & ListOptions<K, P>
  & { readonly [Name in keyof K["items"]]: ReadonlyArray<string | K["id"]> }

/**
 * The options of `manage`: at least one id, and none twice.
 *
 * @category models
 * @since 0.1.0
 */
export type ManageOptions<K extends Kind, P extends K["include"], C = AppContext.Custom> = ListOptions<K, P> & {
  /** The memberships to set: ids, or ids with fields. */
  readonly set?: ReadonlyArray<string | Input<K, C>> | undefined
  /** The memberships to remove: ids, or anything with the id. */
  readonly remove?: ReadonlyArray<string | K["id"]> | undefined
}

/**
 * The options of `update`.
 *
 * @category models
 * @since 0.1.0
 */
export type UpdateOptions<K extends Kind> = K["which"] & AppContext.MergeOptions

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/**
 * The requests about memberships of the kind `K`, with custom data of the type `C`. `Members` and `Memberships` have them with
 * custom data of any scalars; their `withCustom` gives them with the type of a schema. `E` is `CustomMismatch` with a schema
 * and `never` without one. `RD` and `RE` are the services that the schema needs to decode and to encode.
 *
 * The custom data is that of the memberships. Neither the user nor the channel needs metadata. The `etag` of a membership is
 * the name of its state only: the service cannot write memberships on condition, and two memberships may have the same etag.
 *
 * All requests fail with `PubNubError`: `BadRequest` for input that is refused before a request is made, or for a filter that
 * the service cannot read, `AccessDenied`, `FeatureDisabled` without App Context, and the reasons of every request.
 *
 * @category requests
 * @since 0.1.0
 */
export interface Relations<K extends Kind, C, E, RD = never, RE = never> {
  /**
   * Gets one page of memberships.
   *
   * Parts come only when `include` names them. The other end is absent when the service has no metadata of it. An owner
   * without memberships has an empty page, also one that does not exist.
   *
   * `next` is there only on a full page, though the service sends a cursor on the last page too. An item that cannot be
   * decoded, or does not match the schema, is an `UndecodableItem` in its place.
   */
  readonly list: <const P extends K["include"] = never>(
    ...options: Objects.Optional<ListOptions<K, P>>
  ) => Effect.Effect<
    AppContext.Page<Relation<K, P, C>>,
    PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >

  /**
   * Streams all memberships of the owner. It requests a page when its reader needs one, and none after the reader stopped.
   *
   * Memberships that are added meanwhile move others to later pages: the stream gives each once. Memberships that are removed
   * meanwhile move others to earlier pages, and the stream may miss one of those. The stream keeps all ids in memory while it
   * runs.
   */
  readonly stream: <const P extends K["include"] = never>(
    ...options: Objects.Optional<StreamOptions<K, P>>
  ) => Stream.Stream<Relation<K, P, C> | UndecodableItem, PubNubError, HttpClient.HttpClient | PubNubConfig | RD>

  /**
   * Keeps all memberships of the owner current while the scope is open, by the ids of their other ends.
   *
   * It subscribes to the channel with the name of the owner, reads all pages, and applies the events, page by page. It reads
   * all memberships again when events may have been lost (after an interruption, a suspected gap, an event that cannot be
   * decoded). When an event does not say for certain what a membership is now (a new one, changes that regions swapped), it
   * reads only that one, with a filter; of an owner with up to 100 memberships it reads all, in one request. Meanwhile the last
   * value stands and is `stale`. A read that may succeed later is repeated as `Retry.reconnect` says.
   *
   * It returns when all memberships have been read. Fails with `PubNubError` when that is not possible, at once for a wrong
   * name, and with `SubscribeError` when the subscription ends before. After that it does not fail: `state` and `failure` of
   * {@link Live} say what keeps the value from being current. Memberships that cannot be decoded are in its `undecodable`.
   *
   * A subscriber of a channel is present on it. All memberships stay in memory, and each page of events that changes them makes
   * a new map.
   */
  readonly live: (...options: Objects.Optional<K["owner"]>) => Effect.Effect<
    SubscriptionRef.SubscriptionRef<
      Live<ReadonlyMap<string, Relation<K, K["livePart"], C>>, PubNubError | SubscribeError | E>
    >,
    PubNubError | SubscribeError | E,
    HttpClient.HttpClient | PubNubConfig | Scope.Scope | RD
  >

  /**
   * Creates memberships, or changes their fields. Other memberships stay; `manage` also removes. Returns a page of the
   * memberships that result, as `list` would with the same options. It may not have those that were set.
   *
   * A field that is absent is not sent, `None` clears a field, and custom data is replaced as a whole. Memberships of a list can
   * be written as they are. Writing what is there already makes no event.
   *
   * Fails with `BadRequest` before a request is made: for no memberships, an id that is named twice, texts that are too long,
   * and custom data that is not scalars. The service does not document how many it takes in one request; it refuses more with
   * `BadRequest`. Nothing is split into several requests.
   */
  readonly set: <const P extends K["include"] = never>(options: SetOptions<K, P, C>) => Effect.Effect<
    AppContext.Page<Relation<K, P, C>>,
    PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >

  /**
   * Removes memberships. Those that do not exist do no harm. Returns a page of the memberships that are left, as `list` would
   * with the same options. Fails as `set` does.
   */
  readonly remove: <const P extends K["include"] = never>(options: RemoveOptions<K, P>) => Effect.Effect<
    AppContext.Page<Relation<K, P, C>>,
    PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD
  >

  /**
   * Sets some memberships and removes others, in one request. Returns a page of the memberships that result, as `list` would
   * with the same options. Fails as `set` does. One of the two lists may be empty, and no id may be in both.
   */
  readonly manage: <const P extends K["include"] = never>(options: ManageOptions<K, P, C>) => Effect.Effect<
    AppContext.Page<Relation<K, P, C>>,
    PubNubError,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >

  /**
   * Changes a membership by its current state: reads it with its own parts, applies `f`, and writes the fields that `f`
   * returns. When `f` returns no fields (`{}`), nothing is written. Returns the membership as it is then.
   *
   * **What is guaranteed.** Updates of one membership in one process run one after another, from either side, so none of them
   * is lost. There is no guarantee against other writers, because the service does not write memberships on condition: what
   * another process writes between the read and the write is overwritten, and a membership that is removed there comes back.
   * Where several processes count, keep the count with the channel or the user: `Channels.update` and `Users.update` lose
   * nothing.
   *
   * It makes a `GET` with a filter, and a `PATCH` with status, type and custom data, including those that stay. No filter can
   * hold an id with both kinds of quotes: then it reads all pages. Fails with `ObjectNotFound` when there is no such membership,
   * and with the `PubNubError` of either request. When the answer to a write is lost, it reads once more: it succeeds if the
   * write is there, fails with the `PubNubError` if the membership is unchanged, and otherwise with `UpdateOutcomeUnknown`.
   */
  readonly update: (
    options: UpdateOptions<K>,
    f: (membership: Relation<K, AppContext.Part, C>) => AppContext.Fields<C>
  ) => Effect.Effect<
    Relation<K, AppContext.Part, C>,
    PubNubError | AppContext.ObjectNotFound | AppContext.UpdateOutcomeUnknown | E,
    HttpClient.HttpClient | PubNubConfig | RD | RE
  >
}
