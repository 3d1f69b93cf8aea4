/**
 * What users, channels, memberships and members of App Context have in common: custom data, entity tags, pages, and what
 * can go wrong with an object. The requests are in `Users`, `Channels`, `Memberships` and `Members`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Retry from "../Retry.ts"
import * as Failure from "../internal/failure.ts"
import * as Json from "../internal/json.ts"
import type * as Pages from "../Page.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"
import { whatHappened } from "../internal/whatHappened.ts"
import * as Outcome from "./internal/wire/outcome.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * What a custom field can hold: the service keeps no lists and no objects.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Scalar = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])

/**
 * @category models
 * @since 0.1.0
 */
export type Scalar = typeof Scalar.Type

/**
 * An application's own fields. `withCustom` of each module gives them a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Custom {
  readonly [field: string]: Scalar
}

/**
 * The schema of {@link Custom}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Custom: Schema.Codec<Custom> = Schema.Record(Schema.String, Scalar)

/**
 * The schema of an application's own fields, as `withCustom` of each module takes it: what it writes is an object of
 * scalars, which is checked before anything is sent.
 *
 * @category models
 * @since 0.1.0
 */
export type CustomSchema<C, RD = never, RE = never> = Schema.ConstraintCodec<C, unknown, RD, RE>

/**
 * Names one state of an object: as long as it is the same, the object is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Etag = Schema.NonEmptyString.pipe(Schema.brand("Etag"))

/**
 * @category models
 * @since 0.1.0
 */
export type Etag = typeof Etag.Type

/**
 * A place in a list, as the service gives it: there is nothing to read in it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PageCursor = Schema.NonEmptyString.pipe(Schema.brand("PageCursor"))

/**
 * @category models
 * @since 0.1.0
 */
export type PageCursor = typeof PageCursor.Type

/**
 * A page of a list of App Context. An item that cannot be read is an `UndecodableItem` in its place.
 *
 * @category models
 * @since 0.1.0
 */
export type Page<A> = Pages.Page<A | UndecodableItem, PageCursor>

/**
 * What every object has: when it changed, and the tag of what it is now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Versioned {
  /** When it was changed last. */
  readonly updated: DateTime.Utc
  /** Names this version. `Users.set` and `Channels.set` take it as `ifMatchesEtag`. */
  readonly etag: Etag
}

/**
 * The parts that come when they are asked for with `include`. `None` where nothing is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Included<C = Custom> {
  /** Custom data. `None` where it is not set. */
  readonly custom: Option.Option<C>
  /** `None` where it is not set. */
  readonly status: Option.Option<string>
  /** `None` where it is not set. */
  readonly type: Option.Option<string>
}

/**
 * The value of a field to set: the value itself or `Some` of it sets it, `None` clears it. A field that is absent, or
 * `undefined`, is left as it is.
 *
 * **Example** (One field set, one cleared, all others left)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Users.set({ id: "ada", status: "away", email: Option.none() })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Settable<A> = A | Option.Option<A>

/**
 * One page of which list, whatever it lists.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageOptions {
  /** The most items of the page: 1 to 100. Default: 100. */
  readonly limit?: number | undefined
  /** The `next` of another page. Default: the first page. */
  readonly next?: PageCursor | undefined
  /** The `previous` of another page. Not together with `next`. */
  readonly previous?: PageCursor | undefined
  /** Whether the page says how many items all pages have. Default: `false`. */
  readonly totalCount?: boolean | undefined
}

/**
 * How an update writes.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions {
  /**
   * What becomes of custom fields that the new custom data does not name: `"replace"` removes them, `"merge"` keeps them,
   * also those that a schema does not know. Default: `"replace"`, as the service does.
   */
  readonly custom?: "replace" | "merge" | undefined
  /** When to begin anew after somebody else's change. Default: `Retry.contention`. */
  readonly retry?: Retry.Policy<ObjectChanged> | undefined
}

// --------------------------------------------------------------------------------------------------------------------
// errors
// --------------------------------------------------------------------------------------------------------------------

/**
 * The kinds of objects.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals(["user", "channel", "membership"])

/**
 * @category models
 * @since 0.1.0
 */
export type Kind = typeof Kind.Type

/**
 * The service has no metadata of this user or channel, or no such membership. It may exist nevertheless: one can publish
 * without metadata.
 *
 * @category errors
 * @since 0.1.0
 */
export class ObjectNotFound extends Failure.TaggedError<ObjectNotFound>("pubnub")("ObjectNotFound", {
  operation: Schema.String,
  kind: Kind,
  id: Schema.String
}, {
  message: ({ id, kind, operation }) =>
    `${operation}: there is no metadata of ${kind} ${JSON.stringify(id)}. Set it first.`
}) {}

/**
 * The object was changed by somebody else since its `etag` was read (412). Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class ObjectChanged extends Failure.TaggedError<ObjectChanged>("pubnub")("ObjectChanged", {
  operation: Schema.String,
  kind: Kind,
  id: Schema.String,
  etag: Etag
}, {
  message: ({ etag, id, kind, operation }) =>
    `${operation}: ${kind} ${JSON.stringify(id)} no longer has the etag ${etag}: ` +
    "somebody else changed it. Read it again and decide anew; update does both."
}) {}

/**
 * Custom data that is not what the schema given to `withCustom` says. `custom` is what the service has; without the
 * schema it can be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class CustomMismatch extends Failure.TaggedError<CustomMismatch>("pubnub")("CustomMismatch", {
  operation: Schema.String,
  kind: Kind,
  id: Schema.String,
  issue: Schema.String,
  custom: Schema.Record(Schema.String, Schema.Json)
}, {
  message: ({ id, issue, kind, operation }) =>
    `${operation}: the custom data of ${kind} ${JSON.stringify(id)} does not match its schema: ` +
    `${issue}. Whoever set it may be of another version.`
}) {
  // The custom data is foreign, and a logger walks it by recursion.
  override toJSON(): object {
    return { ...this, custom: Json.shallow(this.custom) }
  }
}

/**
 * An update was sent, no answer came, and to read again did not settle it: the object has changed since, by this update
 * or by somebody else, or it could not be read. Whether to make the update once more is for the caller to say; an update
 * that notes itself in the object can always be made once more.
 *
 * @category errors
 * @since 0.1.0
 */
export class UpdateOutcomeUnknown extends Failure.TaggedError<UpdateOutcomeUnknown>("pubnub")("UpdateOutcomeUnknown", {
  operation: Schema.String,
  kind: Kind,
  id: Schema.String,
  /** Why there was no answer. */
  reason: Schema.Union(Outcome.Unknown)
}, {
  message: ({ id, kind, operation, reason }) =>
    `${operation}: whether ${kind} ${JSON.stringify(id)} was changed by this update is not known. ` +
    `${whatHappened(reason)} Read it before the update is made once more.`
}) {}
