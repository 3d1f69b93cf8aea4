/**
 * The members of a channel: the users that App Context keeps with it. {@link list} and {@link stream} read, {@link set},
 * {@link remove} and {@link manage} write, {@link update} does both. Who is a member need not be subscribed, and the
 * other way round: for who is there now see `Presence`.
 *
 * The same relations from their other end are in `Memberships`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type * as AppContext from "./AppContext.ts"
import type * as Filter from "./Filter.ts"
import * as Custom from "./internal/custom.ts"
import * as Objects from "./internal/objects.ts"
import * as Relations from "./internal/relations.ts"
import type * as Memberships from "./Memberships.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import { UserId } from "./UserId.ts"
import * as Users from "./Users.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The parts of a member that can be asked for with `include`: those of the membership itself, the user, and the parts of
 * the user. A part of the user brings the user. Default: none.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "custom" | "status" | "type" | "user" | "user.custom" | "user.status" | "user.type"

/**
 * What every member has, whatever was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Relation extends AppContext.Versioned {
  readonly userId: UserId
}

/**
 * What can be asked for beside that. `None` where nothing is set, and for a user of whom no metadata is stored. `Q` are
 * the parts of the user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Included<Q extends Users.Part, C = AppContext.Custom> extends AppContext.Included<C> {
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
 * Which channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** Up to 92 bytes. */
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
 * What members can be filtered by. The service's own language, for filters that are text, writes `uuid.name` for
 * `user.name`.
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
export interface Selection<P extends Part> {
  /** Default: nothing. */
  readonly include?: ReadonlyArray<P> | undefined
  /** Which members: a filter as data, or text of the service's language (`uuid.name LIKE "A*"`). Default: all. */
  readonly filter?: string | Filter.Filter<FilterField> | undefined
  /** First by the first key, and ascending where nothing is said. */
  readonly sort?: ReadonlyArray<SortKey | `${SortKey}:${"asc" | "desc"}`> | undefined
}

/**
 * One page of which members. A change takes it, too: its answer is such a page.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions<P extends Part> extends ChannelOptions, Selection<P>, AppContext.PageOptions {}

/**
 * What {@link stream} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<P extends Part> extends ChannelOptions, Selection<P> {
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
  /** Ids of users, or ids with what to set of the membership. At least one, and none twice. */
  readonly users: ReadonlyArray<Memberships.Item<C>>
}

/**
 * What {@link remove} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoveOptions<P extends Part> extends ListOptions<P> {
  /** At least one, and none twice. */
  readonly users: ReadonlyArray<string | { readonly id: string }>
}

/**
 * What {@link manage} takes. No user may be named twice, and at least one must be.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManageOptions<P extends Part, C = AppContext.Custom> extends ListOptions<P> {
  /** As the users of {@link set}. */
  readonly set?: ReadonlyArray<Memberships.Item<C>> | undefined
  /** As the users of {@link remove}. */
  readonly remove?: ReadonlyArray<string | { readonly id: string }> | undefined
}

type Needs = HttpClient.HttpClient | PubNubConfig

/**
 * The requests about members, with custom data of type `C`: what {@link withCustom} gives, and what this module is for
 * custom data without a type. `E` is `CustomMismatch` where there is a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Members<C, E = AppContext.CustomMismatch, RD = never, RE = never> {
  /** As {@link list}. */
  readonly list: <const P extends Part = never>(
    options: ListOptions<P>
  ) => Effect.Effect<AppContext.Page<Member<P, C>>, PubNubError.PubNubError | E, Needs | RD>
  /** As {@link stream}. */
  readonly stream: <const P extends Part = never>(
    options: StreamOptions<P>
  ) => Stream.Stream<Member<P, C>, PubNubError.PubNubError | E, Needs | RD>
  /** As {@link set}. */
  readonly set: <const P extends Part = never>(
    options: SetOptions<P, C>
  ) => Effect.Effect<AppContext.Page<Member<P, C>>, PubNubError.PubNubError | E, Needs | RD | RE>
  /** As {@link remove}. */
  readonly remove: <const P extends Part = never>(
    options: RemoveOptions<P>
  ) => Effect.Effect<AppContext.Page<Member<P, C>>, PubNubError.PubNubError | E, Needs | RD>
  /** As {@link manage}. */
  readonly manage: <const P extends Part = never>(
    options: ManageOptions<P, C>
  ) => Effect.Effect<AppContext.Page<Member<P, C>>, PubNubError.PubNubError | E, Needs | RD | RE>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const Wire = Schema.Struct({
  uuid: Schema.Union([Users.Wire, Relations.bare(UserId)]),
  ...Objects.Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

const kind: Relations.Kind<typeof Wire.Type, Relation & Pick<Included<Users.Part>, "user">> = {
  name: "Member",
  owner: "channel",
  other: "user",
  wire: "uuid",
  path: (channel) => ["channels", channel, "uuids"],
  schema: Wire,
  idOf: ({ uuid }) => uuid.id,
  build: ({ uuid, ...own }, custom) => ({
    ...own,
    custom,
    userId: uuid.id,
    user: "etag" in uuid ? Option.some(uuid) : Option.none()
  })
}

const make = <C, E, RD, RE>(codec: Custom.CustomCodec<C, E, RD, RE>): Members<C, E, RD, RE> => {
  const requests = Relations.make(kind, codec)
  return {
    list: ({ channel, ...options }) => requests.list(channel, options),
    stream: ({ channel, ...options }) => requests.stream(channel, options),
    set: ({ channel, users, ...options }) => requests.set(channel, { ...options, set: users }),
    remove: ({ channel, users, ...options }) => requests.remove(channel, { ...options, remove: users }),
    manage: ({ channel, ...options }) => requests.manage(channel, options)
  }
}

const members = make(Custom.untyped)

export const list: Members<AppContext.Custom, never>["list"] = members.list
