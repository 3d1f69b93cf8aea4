/**
 * Users: what App Context keeps of them. {@link get}, {@link list} and {@link stream} read, {@link set} and
 * {@link remove} write.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import * as AppContext from "./AppContext.ts"
import type * as Event from "./Event.ts"
import type * as Filter from "./Filter.ts"
import * as Custom from "./internal/custom.ts"
import * as Live from "./internal/live.ts"
import * as Metadata from "./internal/metadata.ts"
import * as Objects from "./internal/objects.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import { UserId } from "./UserId.ts"

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

type UsualPart = "status" | "type"

/**
 * What every user has, whatever was asked for. `None` where nothing is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Profile extends AppContext.Versioned {
  readonly id: UserId
  readonly name: Option.Option<string>
  readonly externalId: Option.Option<string>
  readonly profileUrl: Option.Option<string>
  readonly email: Option.Option<string>
}

/**
 * A user with the parts `P`: those that were not asked for are not in the type.
 *
 * @category models
 * @since 0.1.0
 */
export type User<P extends Part = UsualPart, C = AppContext.Custom> = Profile & Pick<AppContext.Included<C>, P>

/**
 * What can be set of a user.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fields<C = AppContext.Custom> {
  /** At most 2,048 characters, as `externalId` and `profileUrl`. */
  readonly name?: AppContext.Settable<string> | undefined
  readonly externalId?: AppContext.Settable<string> | undefined
  readonly profileUrl?: AppContext.Settable<string> | undefined
  /** At most 320 characters. */
  readonly email?: AppContext.Settable<string> | undefined
  /** At most 50 characters, as `type`. */
  readonly status?: AppContext.Settable<string> | undefined
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
  /** Up to 92 bytes. Default: the user of the configuration. */
  readonly id?: string | undefined
}

/**
 * Which parts come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Including<P extends Part> {
  /** Default: `["status", "type"]`. */
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
  readonly filter?: string | Filter.Filter<FilterField> | undefined
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

type Needs = HttpClient.HttpClient | PubNubConfig

/**
 * The requests about users, with custom data of type `C`: what {@link withCustom} gives, and what this module is for
 * custom data without a type. `E` is `CustomMismatch` where there is a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Users<C, E = AppContext.CustomMismatch, RD = never, RE = never> {
  /** As {@link get}. */
  readonly get: <const P extends Part = UsualPart>(
    options?: UserOptions & Including<P>
  ) => Effect.Effect<User<P, C>, PubNubError.PubNubError | AppContext.ObjectNotFound | E, Needs | RD>
  /** As {@link list}. */
  readonly list: <const P extends Part = UsualPart>(
    options?: ListOptions<P>
  ) => Effect.Effect<AppContext.Page<User<P, C>>, PubNubError.PubNubError | E, Needs | RD>
  /** As {@link stream}. */
  readonly stream: <const P extends Part = UsualPart>(
    options?: StreamOptions<P>
  ) => Stream.Stream<User<P, C>, PubNubError.PubNubError | E, Needs | RD>
  /** As {@link live}. */
  readonly live: (options?: UserOptions) => Effect.Effect<
    SubscriptionRef.SubscriptionRef<AppContext.Live<Option.Option<User<Part, C>>, E>>,
    PubNubError.PubNubError | SubscribeError | E,
    Needs | Scope.Scope | RD
  >
  /** As {@link remove}. */
  readonly remove: (options?: UserOptions) => Effect.Effect<void, PubNubError.PubNubError, Needs>
  /** As {@link set}. */
  readonly set: {
    <const P extends Part = UsualPart>(
      options: SetOptions<P, C> & { readonly ifMatchesEtag?: undefined }
    ): Effect.Effect<User<P, C>, PubNubError.PubNubError | E, Needs | RD | RE>
    <const P extends Part = UsualPart>(
      options: SetIfOptions<P, C>
    ): Effect.Effect<User<P, C>, PubNubError.PubNubError | AppContext.ObjectChanged | E, Needs | RD | RE>
  }
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const Wire = Schema.Struct({
  id: UserId,
  name: Objects.Text,
  externalId: Objects.Text,
  profileUrl: Objects.Text,
  email: Objects.Text,
  ...Objects.Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

const kind: Metadata.Kind<typeof Wire.Type, Profile> = {
  kind: "user",
  name: "User",
  collection: "uuids",
  schema: Wire,
  build: (wire, custom) => ({ ...wire, custom }),
  longest: { name: 2048, externalId: 2048, profileUrl: 2048, email: 320, ...Objects.longest }
}

const make = <C, E extends AppContext.CustomMismatch, RD, RE>(codec: Custom.CustomCodec<C, E, RD, RE>): Users<C, E, RD, RE> => {
  const requests = Metadata.make(kind, codec)
  const idOf = ({ id }: UserOptions) => Effect.map(PubNubConfig, ({ userId }) => id ?? userId)

  function set<const P extends Part = UsualPart>(
    options: SetOptions<P, C> & { readonly ifMatchesEtag?: undefined }
  ): Effect.Effect<User<P, C>, PubNubError.PubNubError | E, Needs | RD | RE>
  function set<const P extends Part = UsualPart>(
    options: SetIfOptions<P, C>
  ): Effect.Effect<User<P, C>, PubNubError.PubNubError | AppContext.ObjectChanged | E, Needs | RD | RE>
  function set<const P extends Part = UsualPart>(
    options: SetIfOptions<P, C>
  ): Effect.Effect<User<P, C>, PubNubError.PubNubError | AppContext.ObjectChanged | E, Needs | RD | RE> {
    return Effect.flatMap(idOf(options), (id) => requests.set(id, options))
  }

  return {
    get: (options = {}) => Effect.flatMap(idOf(options), (id) => requests.get(id, options)),
    list: (options = {}) => requests.list(options),
    stream: (options = {}) => requests.stream(options),
    live: (options = {}) =>
      Effect.flatMap(idOf(options), (id) => {
        const operation = "liveUser"
        return Live.object({
          operation,
          kind: "user",
          id,
          get: requests.get(id, { include: Metadata.parts }),
          isOf: (event): event is Event.UserEvent =>
            (event._tag === "UserSet" || event._tag === "UserDeleted") && event.user === id,
          decode: (custom) => codec.decode(custom, { operation, kind: "user", id })
        })
      }),
    set,
    remove: (options = {}) => Effect.flatMap(idOf(options), requests.remove)
  }
}

const users = make(Custom.untyped)

export const get: Users<AppContext.Custom, never>["get"] = users.get
export const set: Users<AppContext.Custom, never>["set"] = users.set

/** @since 0.1.0 */
export const live: Users<AppContext.Custom, never>["live"] = users.live
