/**
 * What users, channels, memberships and members of App Context have in common: custom data, etags, pages, and errors. The
 * requests are in `Users`, `Channels`, `Memberships` and `Members`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Json from "../internal/json.ts"
import * as Text from "../internal/text.ts"
import type * as Pages from "../Page.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"
import { whatHappened } from "../internal/whatHappened.ts"
import * as Outcome from "./internal/wire/outcome.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The value of a custom field. The service stores no lists and no objects in it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Scalar = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])

/**
 * The value of a custom field.
 *
 * @category models
 * @since 0.1.0
 */
export type Scalar = typeof Scalar.Type

/**
 * The fields that an application adds to an object. `withCustom` of each module gives them a type.
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
export const Custom: Schema.Codec<Custom> = /* @__PURE__ */ Schema.Record(Schema.String, Scalar)

/**
 * The schema that `withCustom` of each module takes. It must write an object of scalars, which is checked before anything is
 * sent.
 *
 * @category models
 * @since 0.1.0
 */
export type CustomSchema<C, RD = never, RE = never> = Schema.ConstraintCodec<C, unknown, RD, RE>

/**
 * The name of one version of an object, made by the service. The object has not changed while its etag is the same.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Etag = Schema.NonEmptyString.pipe(Schema.brand("Etag"))

/**
 * The name of one version of an object, made by the service.
 *
 * @category models
 * @since 0.1.0
 */
export type Etag = typeof Etag.Type

/**
 * A place in a list, made by the service. Its text has no meaning.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PageCursor = /* @__PURE__ */ Schema.NonEmptyString.pipe(Schema.brand("PageCursor"))

/**
 * A place in a list, made by the service.
 *
 * @category models
 * @since 0.1.0
 */
export type PageCursor = typeof PageCursor.Type

/**
 * A page of a list of App Context. An item that cannot be decoded is an `UndecodableItem` in its place.
 *
 * @category models
 * @since 0.1.0
 */
export type Page<A> = Pages.Page<A | UndecodableItem, PageCursor>

/**
 * The version of an object. Every object has it, whatever parts were asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Versioned {
  /** When it was changed last. */
  readonly updated: DateTime.Utc
  /** The name of this version. `Users.set` and `Channels.set` take it as `ifMatchesEtag`. */
  readonly etag: Etag
}

/**
 * The parts of every object that `include` can ask for.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "custom" | "status" | "type"

/**
 * The parts of an object. A part that was not asked for is not in the type. A part that is not set is an absent key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Included<C = Custom> {
  /** The custom data. */
  readonly custom?: C
  /** The status. */
  readonly status?: string
  /** The type. */
  readonly type?: string
}

/**
 * The value of a field to write: the value itself or `Some` of it sets the field, `None` clears it. An absent or `undefined`
 * field stays as it is.
 *
 * **Example** (Set one field, clear another)
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
 * The fields to write that users, channels and memberships have in common.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fields<C = Custom> {
  /** The status, at most 50 characters. */
  readonly status?: Settable<string> | undefined
  /** The type, at most 50 characters. */
  readonly type?: Settable<string> | undefined
  /** The custom data. It replaces all custom data of the object. */
  readonly custom?: Settable<C> | undefined
}

/**
 * Which page of a list to get.
 *
 * @category models
 * @since 0.1.0
 */
export interface PageOptions {
  /** How many items the page has at most: 1 to 100. Default: 100. */
  readonly limit?: number | undefined
  /** The `next` of another page. Default: the first page. */
  readonly next?: PageCursor | undefined
  /** The `previous` of another page. Not together with `next`. */
  readonly previous?: PageCursor | undefined
  /** Whether the page says how many items all pages have. Default: `false`. */
  readonly totalCount?: boolean | undefined
}

/**
 * How `update` writes custom data.
 *
 * @category models
 * @since 0.1.0
 */
export interface MergeOptions {
  /**
   * What happens to custom fields that the new custom data does not have. `"replace"` removes them. `"merge"` keeps them, also
   * those that a schema does not know. Default: `"replace"`, as the service does.
   */
  readonly custom?: "replace" | "merge" | undefined
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
 * The kinds of objects.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = typeof Kind.Type

/**
 * The service has no metadata of this user or channel, or no such membership. The user or channel may be in use nevertheless:
 * publishing needs no metadata.
 *
 * @category errors
 * @since 0.1.0
 */
export class ObjectNotFound extends /* @__PURE__ */ Failure.TaggedError<ObjectNotFound>("pubnub")("ObjectNotFound", {
  /** The function that failed: `Users.update`. */
  operation: Schema.String,
  /** The kind of the object. */
  kind: Kind,
  /** The id of the object; of a membership, the id of its other end. */
  id: Schema.String
}, {
  message: ({ id, kind, operation }) =>
    `${operation}: there is no metadata of ${kind} ${Text.quoted(id)}. Set it first.`
}) {}

/**
 * Somebody else changed the object after its `etag` was read (412). Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class ObjectChanged extends /* @__PURE__ */ Failure.TaggedError<ObjectChanged>("pubnub")("ObjectChanged", {
  /** The function that failed: `Users.update`. */
  operation: Schema.String,
  /** The kind of the object. */
  kind: Kind,
  /** The id of the object; of a membership, the id of its other end. */
  id: Schema.String,
  /** The etag that the object no longer has. */
  etag: Etag
}, {
  message: ({ etag, id, kind, operation }) =>
    `${operation}: ${kind} ${Text.quoted(id)} no longer has the etag ${etag}: ` +
    "somebody else changed it. Read it again, then write; update does both."
}) {}

/**
 * The custom data does not match the schema given to `withCustom`. `custom` is what the service has.
 *
 * @category errors
 * @since 0.1.0
 */
export class CustomMismatch extends /* @__PURE__ */ Failure.TaggedError<CustomMismatch>("pubnub")("CustomMismatch", {
  /** The function that failed: `Users.update`. */
  operation: Schema.String,
  /** The kind of the object. */
  kind: Kind,
  /** The id of the object; of a membership, the id of its other end. */
  id: Schema.String,
  /** What does not match. */
  issue: Schema.String,
  /** The custom data of the service. */
  custom: Schema.Record(Schema.String, Schema.Json)
}, {
  message: ({ id, issue, kind, operation }) =>
    `${operation}: the custom data of ${kind} ${Text.quoted(id)} does not match its schema: ` +
    `${issue}. Another version of the program may have written it.`
}) {
  // The custom data is foreign, and a logger walks it by recursion.
  override toJSON(): object {
    return { ...this, custom: Json.shallow(this.custom) }
  }
}

/**
 * An update was sent, and its answer was lost. A second read did not settle it: the object has changed, by this update or by
 * somebody else, or it could not be read. An update that writes a note of itself into the object can be repeated safely.
 *
 * @category errors
 * @since 0.1.0
 */
export class UpdateOutcomeUnknown
  extends /* @__PURE__ */ Failure.TaggedError<UpdateOutcomeUnknown>("pubnub")("UpdateOutcomeUnknown", {
    /** The function that failed: `Users.update`. */
    operation: Schema.String,
    /** The kind of the object. */
    kind: Kind,
    /** The id of the object; of a membership, the id of its other end. */
    id: Schema.String,
    /** Why there was no answer. */
    reason: Schema.Union(Outcome.Unknown)
  }, {
    message: ({ id, kind, operation, reason }) =>
      `${operation}: this update may or may not have changed ${kind} ${Text.quoted(id)}. ` +
      `${whatHappened(reason)} Read it before you repeat the update.`
  })
{}
