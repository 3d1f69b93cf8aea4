/**
 * Decodes, encodes and checks the fields of objects.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Input from "../../../internal/input.ts"
import * as Usual from "../../../internal/usual.ts"
import * as AppContext from "../../AppContext.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { notBlank, UserId } from "../wire/userId.ts"
import type { CustomCodec } from "./custom.ts"

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/** The parts of every object. */
export const parts = ["custom", "status", "type"] as const

/** A field that the service leaves out or writes as null when it is not set or was not requested. */
const optional = <S extends Schema.Constraint>(schema: S) =>
  Usual.define(
    Schema.optionalKey(Schema.NullOr(schema)).pipe(
      Schema.decodeTo(Schema.optionalKey(Schema.toType(schema)), {
        decode: SchemaGetter.transformOptional(Option.filter(Predicate.isNotNull)),
        encode: SchemaGetter.passthrough()
      })
    ),
    Usual.nullish(Usual.of(schema))
  )

const Text = optional(Schema.String)

/** A time as the service writes it. Days after the 28th and other forms are left to `Date`. */
const utc = /^[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3,9}Z$/

/** The number of two digits of a text. */
const two = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * 48

const millisOf = (text: string): number =>
  Date.UTC(
    two(text, 0) * 100 + two(text, 2),
    two(text, 5) - 1,
    two(text, 8),
    two(text, 11),
    two(text, 14),
    two(text, 17),
    two(text, 20) * 10 + text.charCodeAt(22) - 48
  )

/** Reads the usual form in half the time that `Date` takes for any form. */
const timeOf: Usual.Check = (json) =>
  typeof json !== "string"
    ? Usual.unusual
    : utc.test(json)
    ? DateTime.makeUnsafe(millisOf(json))
    : Option.getOrElse(DateTime.make(json), () => Usual.unusual)

/** The fields of every object on the wire. */
const common = {
  status: Text,
  type: Text,
  custom: optional(AppContext.Custom),
  updated: Usual.define(Schema.DateTimeUtcFromString, timeOf),
  etag: AppContext.Etag
}

/** An object on the wire, where the etag has another name. */
const object = <F extends Schema.Struct.Fields>(own: F) => {
  const fields = { ...own, ...common }
  const names = { etag: "eTag" } as const
  return Usual.define(Schema.Struct(fields).pipe(Schema.encodeKeys(names)), Usual.struct(fields, names))
}

const customOf = Usual.checkOf(common.custom)

/** The check of a user by hand. A check that loops over the names of fields takes ten times as long. */
const userOf: Usual.Check = (json) => {
  if (!Predicate.isObject(json)) return Usual.unusual
  const { eTag, email, externalId, id, name, profileUrl, status, type } = json
  const custom = customOf(json.custom)
  const updated = timeOf(json.updated)
  if (
    !Predicate.isString(id) || !notBlank.test(id) || !Predicate.isString(eTag) || eTag === "" ||
    custom === Usual.unusual || updated === Usual.unusual ||
    !isTextOrNothing(name) || !isTextOrNothing(externalId) || !isTextOrNothing(profileUrl) ||
    !isTextOrNothing(email) || !isTextOrNothing(status) || !isTextOrNothing(type)
  ) return Usual.unusual
  const user: { [field: string]: unknown } = { id }
  if (Predicate.isString(name)) user.name = name
  if (Predicate.isString(externalId)) user.externalId = externalId
  if (Predicate.isString(profileUrl)) user.profileUrl = profileUrl
  if (Predicate.isString(email)) user.email = email
  if (Predicate.isString(status)) user.status = status
  if (Predicate.isString(type)) user.type = type
  if (custom !== undefined) user.custom = custom
  user.updated = updated
  user.etag = eTag
  return user
}

const isTextOrNothing = (json: unknown): boolean => json === undefined || json === null || Predicate.isString(json)

/** A user on the wire. */
export const User = Usual.define(
  object({ id: UserId, name: Text, externalId: Text, profileUrl: Text, email: Text }),
  userOf
)

/** A channel on the wire. */
export const Channel = object({ id: Schema.String, name: Text, description: Text })

/** The other end of a membership when it has no metadata or was not requested. */
const bare = <S extends Schema.Constraint>(id: S) => Schema.Struct({ id, eTag: Schema.optionalKey(Schema.Never) })

/** A member of a channel on the wire. */
export const Member = object({ uuid: Schema.Union([User, bare(UserId)]) })

/** A membership of a user on the wire. */
export const Membership = object({ channel: Schema.Union([Channel, bare(Schema.String)]) })

// --------------------------------------------------------------------------------------------------------------------
// writing
// --------------------------------------------------------------------------------------------------------------------

/** An id in a path or a body. */
const id: Input.Check = Input.all(Input.notBlank, Input.bytes(92), Input.segment)

export const idIssues = (location: string, given: string): ReadonlyArray<PubNubError.Detail> =>
  Input.each(location, [given], id)

/** The fields to send. `null` clears a field, and absent fields stay. */
export interface Body {
  readonly [field: string]: AppContext.Custom | string | null
}

/** Fields to write. Texts are looked up by their names. */
export interface Settings<C> {
  readonly custom?: AppContext.Settable<C> | undefined
}

export interface Encoded {
  readonly body: Body
  readonly issues: ReadonlyArray<PubNubError.Detail>
}

/** The texts of every object, and the most characters of each. */
export const longest = { status: 50, type: 50 } as const

/** The change of a field: `Some` sets it, `None` clears it, and `undefined` leaves it. */
const settable = <A>(value: AppContext.Settable<A> | undefined): Option.Option<A> | undefined =>
  value === undefined ? undefined : Option.isOption(value) ? value : Option.some(value)

const encodeTexts = (fields: object, longest: { readonly [field: string]: number }): Encoded => {
  const body: { [field: string]: string | null } = {}
  const problems: { [field: string]: Input.Problem } = {}
  for (const [location, most] of Object.entries(longest)) {
    const given = settable(Predicate.hasProperty(fields, location) ? fields[location] : undefined)
    if (given === undefined) continue
    const text = Option.getOrNull(given)
    problems[location] = text === null ? undefined : Input.characters(most)(text)
    if (text === null || Predicate.isString(text)) body[location] = text
  }
  return { body, issues: Input.issues(problems) }
}

/** Encodes the texts that `longest` names, and the custom data. */
export const encode = <C, RE>(
  codec: Pick<CustomCodec<C, never, never, RE>, "encode">,
  fields: Settings<C>,
  longest: { readonly [field: string]: number }
): Effect.Effect<Encoded, never, RE> => {
  const wrong = Input.record(fields)
  if (wrong !== undefined) return Effect.succeed({ body: {}, issues: [{ location: "fields", message: wrong }] })
  const { body, issues } = encodeTexts(fields, longest)
  const given = settable(fields.custom)
  if (given === undefined) return Effect.succeed({ body, issues })
  if (Option.isNone(given)) return Effect.succeed({ body: { ...body, custom: null }, issues })
  return Effect.match(codec.encode(given.value), {
    onSuccess: (custom) => ({ body: { ...body, custom }, issues }),
    onFailure: (message) => ({ body, issues: [...issues, { location: "custom", message }] })
  })
}
