/**
 * Decodes the one-letter envelopes of the wire to events. An envelope that cannot be decoded becomes an `Undecodable` in its
 * place and does not affect the others.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import * as Usual from "../../../internal/usual.ts"
import type { Cursor } from "../../../Cursor.ts"
import { Etag } from "../../AppContext.ts"
import * as ChannelName from "../../ChannelName.ts"
import type { Opened } from "../../Encryption.ts"
import { MessageAction } from "../../MessageAction.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import { Timetoken } from "../../Timetoken.ts"
import { notBlank, UserId } from "./userId.ts"

/** The result of `JSON.parse`. */
export const Parsed = Usual.Parsed

/** Absent, or null where a newer service or a proxy writes one. */
export const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** Whether a field has a value. History writes empty text where there is none, so empty text is none in an envelope too. */
export const given = <A>(value: A | null | undefined): value is A =>
  value !== undefined && value !== null && value !== ""

/** The publisher of a field. Blank text is no publisher, and does not make the envelope undecodable. */
export const publisherOf = (name: string | null | undefined): string | undefined =>
  typeof name === "string" && notBlank.test(name) ? name : undefined

// The wire's own names: renaming them by schema would cost a fifth of all work.
const Envelope = Schema.Struct({
  /** channel */
  c: Schema.NonEmptyString,
  /** payload */
  d: Parsed,
  /** published: timetoken, region */
  p: Schema.Struct({ t: Timetoken, r: optional(Schema.Int) }),
  /** kind of event */
  e: optional(Schema.Int),
  /** publisher */
  i: optional(Schema.String),
  /** the subscribed name that matched */
  b: optional(Schema.String),
  /** metadata */
  u: optional(Parsed),
  /** custom message type */
  cmt: optional(Schema.String)
})

/** An envelope of any kind. */
export type Envelope = typeof Envelope.Type

/** Decodes by the schema alone. */
export const decodeBySchema = Codec.decodeBySchema(Envelope)

/** Whether an optional field has text or nothing. */
export const isTextOrNothing = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === "string"

const isIntOrNothing = (value: unknown): boolean => value === undefined || value === null || Number.isSafeInteger(value)

const timetoken = /^\d{17}$/

/** What the schema accepts, checked by hand: the schema takes ten times as long, and would be the largest cost of a message. */
const isEnvelope = (raw: unknown): raw is Envelope => {
  if (!Json.isRecord(raw)) return false
  const { b, c, cmt, d, e, i, p } = raw
  return typeof c === "string" && c !== "" && d !== undefined &&
    Json.isRecord(p) && typeof p.t === "string" && timetoken.test(p.t) && isIntOrNothing(p.r) &&
    isIntOrNothing(e) && isTextOrNothing(i) && isTextOrNothing(b) && isTextOrNothing(cmt)
}

/** Decodes an envelope that `JSON.parse` gave. It stays the same object. The schema says what is wrong with any other value. */
export const decode = (raw: Schema.Json): Result.Result<Envelope, string> =>
  isEnvelope(raw) ? Result.succeed(raw) : decodeBySchema(raw)

/** The identity of a message: channel, timetoken and publisher. Two deliveries with the same identity are duplicates. */
export const idOf = ({ c, i, p }: Pick<Envelope, "c" | "i" | "p">): string => `${p.t}/${c}/${publisherOf(i) ?? ""}`

/** The subscribed name that an envelope came by. */
export const nameOf = ({ b, c }: Envelope): string => given(b) ? b : c

const Identity = Schema.Struct({
  c: Schema.String,
  p: Schema.Struct({ t: Timetoken }),
  i: optional(Schema.String)
})
const decodeIdentity = Schema.decodeUnknownOption(Identity)

/** The identity of an envelope that cannot be decoded, if it has these fields. Identities are compared as text, by their timetokens. */
export const idOfRaw = (raw: unknown): string | undefined =>
  Option.getOrUndefined(Option.map(decodeIdentity(raw), idOf))

const subscriptionOf = ({ b, c }: Envelope): string => ChannelName.withoutPresence(given(b) ? b : c)

const delivery = (envelope: Envelope, cursor: Cursor): SubscribeEvent.Delivery => {
  const { c, i, p } = envelope
  const publisher = publisherOf(i)
  const delivery: Types.Mutable<SubscribeEvent.Delivery> = {
    channel: ChannelName.withoutPresence(c),
    subscription: subscriptionOf(envelope),
    timetoken: p.t,
    cursor
  }
  if (given(p.r)) delivery.region = p.r
  if (publisher !== undefined) delivery.publisher = publisher
  return delivery
}

const message = (envelope: Envelope, cursor: Cursor): SubscribeEvent.Message => {
  const { c: channel, cmt, d: payload, p: { r: region, t: timetoken }, u } = envelope
  const publisher = publisherOf(envelope.i)
  // Nearly all have both. One object with all fields takes a third of the memory of one to which they are added.
  const message: Types.Mutable<SubscribeEvent.Message> = given(region) && publisher !== undefined
    ? {
      _tag: "Message",
      channel,
      subscription: subscriptionOf(envelope),
      timetoken,
      region,
      publisher,
      cursor,
      payload
    }
    : { _tag: "Message", ...delivery(envelope, cursor), payload }
  if (given(u)) message.meta = u
  if (given(cmt)) message.customMessageType = cmt
  return message
}

/** The event of an envelope. `opened` says what its payload was, where there is encryption. */
export const toEvent = (envelope: Envelope, cursor: Cursor, opened?: Opened): SubscribeEvent.Received => {
  if (opened === undefined) return eventOf(envelope, cursor)
  if (opened._tag === "Unreadable") {
    const common = delivery(envelope, cursor)
    const { issue, reason } = opened
    return { ...undecodable(envelope.d, issue, common), reason, subscription: common.subscription }
  }
  const encrypted = opened._tag === "Decrypted"
  const event = eventOf(encrypted ? { ...envelope, d: opened.payload } : envelope, cursor)
  return event._tag === "Message" || event._tag === "FileShared" ? { ...event, encrypted } : event
}

const eventOf = (envelope: Envelope, cursor: Cursor): SubscribeEvent.Received => {
  const { c, cmt, d: payload, u } = envelope
  const kind = envelope.e ?? 0
  if (kind === 0 && !ChannelName.isPresence(c)) return message(envelope, cursor)
  const common = delivery(envelope, cursor)
  if (kind === 0) return presence(common, payload)
  const meta = given(u) ? { meta: u } : {}
  const label = given(cmt) ? { customMessageType: cmt } : {}
  switch (kind) {
    case 1:
      return { _tag: "Signal", ...common, payload, ...label }
    case 2:
      return appContext(common, payload)
    case 3:
      return action(common, payload)
    case 4: {
      const file = decodeFile(payload)
      return Result.isSuccess(file)
        ? { _tag: "FileShared", ...common, ...file.success, ...meta, ...label }
        : undecodable(payload, file.failure, common)
    }
    default:
      return { ...unknown(common, kind, payload), ...meta, ...label }
  }
}

/** Takes the place of an envelope or a payload that cannot be decoded. */
export const undecodable = (
  raw: Schema.Json,
  issue: string,
  at: Cursor | SubscribeEvent.Delivery
): SubscribeEvent.Undecodable =>
  "cursor" in at
    ? {
      _tag: "Undecodable",
      raw,
      issue,
      channel: at.channel,
      timetoken: at.timetoken,
      ...(at.publisher === undefined ? {} : { publisher: at.publisher }),
      cursor: at.cursor
    }
    : { _tag: "Undecodable", raw, issue, cursor: at }

const unknown = (common: SubscribeEvent.Delivery, kind: number, payload: Schema.Json): SubscribeEvent.Unknown => ({
  _tag: "Unknown",
  ...common,
  kind,
  payload
})

// --------------------------------------------------------------------------------------------------------------------
// presence
// --------------------------------------------------------------------------------------------------------------------

// One old capture has the seconds as text.
const Seconds = Schema.Union([Schema.Finite, Schema.FiniteFromString])
const Users = optional(Schema.Array(UserId))

const PresencePayload = Schema.Struct({
  action: Schema.String,
  uuid: optional(UserId),
  timestamp: Seconds,
  precise_timestamp: optional(Seconds),
  occupancy: optional(Schema.Int),
  data: optional(Parsed),
  join: Users,
  joined: Users,
  leave: Users,
  left: Users,
  timeout: Users,
  timedout: Users,
  here_now_refresh: optional(Schema.Boolean)
})
const decodePresence = Codec.decodeResult(PresencePayload)

const movements = { join: "Joined", leave: "Left", timeout: "TimedOut" } as const

const presence = (common: SubscribeEvent.Delivery, payload: Schema.Json): SubscribeEvent.Received => {
  const decoded = decodePresence(payload)
  if (Result.isFailure(decoded)) return undecodable(payload, decoded.failure, common)
  const { action, data, occupancy, uuid, ...rest } = decoded.success
  const timestamp = DateTime.make(rest.precise_timestamp ?? rest.timestamp * 1000)
  if (Option.isNone(timestamp)) return undecodable(payload, "a timestamp that no calendar has", common)
  const occupied = { ...common, timestamp: timestamp.value, ...(given(occupancy) ? { occupancy } : {}) }
  switch (action) {
    case "join":
    case "leave":
    case "timeout":
      return given(uuid)
        ? { _tag: movements[action], ...occupied, userId: uuid, ...(given(data) ? { state: data } : {}) }
        : undecodable(payload, `${action} without a uuid`, common)
    case "state-change":
      if (!given(uuid)) return undecodable(payload, "state-change without a uuid", common)
      return given(data)
        ? { _tag: "StateChanged", ...occupied, userId: uuid, state: data }
        : undecodable(payload, "state-change without a state", common)
    case "interval":
      return {
        _tag: "Interval",
        ...occupied,
        joined: rest.join ?? rest.joined ?? [],
        left: rest.leave ?? rest.left ?? [],
        timedOut: rest.timeout ?? rest.timedout ?? [],
        hereNowRefresh: rest.here_now_refresh ?? false
      }
    default:
      return unknown(common, 0, payload)
  }
}

// --------------------------------------------------------------------------------------------------------------------
// message actions, files
// --------------------------------------------------------------------------------------------------------------------

const { userId: _, ...actionFields } = MessageAction.fields
const decodeAction = Codec.decodeResult(
  Schema.Struct({ event: Schema.String, data: Schema.Struct(actionFields) })
)

const action = (common: SubscribeEvent.Delivery, payload: Schema.Json): SubscribeEvent.Received => {
  const decoded = decodeAction(payload)
  if (Result.isFailure(decoded)) return undecodable(payload, decoded.failure, common)
  const { data, event } = decoded.success
  if (event !== "added" && event !== "removed") return unknown(common, 3, payload)
  if (common.publisher === undefined) return undecodable(payload, "a message action without a publisher", common)
  const action = { ...data, userId: common.publisher }
  return { _tag: event === "added" ? "MessageActionAdded" : "MessageActionRemoved", ...common, action }
}

const decodeFilePayload = Codec.decodeResult(
  Schema.Struct({
    file: Schema.Struct({ id: Schema.String, name: Schema.String }),
    message: Schema.optionalKey(Parsed)
  })
)

/** Decodes the payload of a shared file, live or stored. */
export const decodeFile = (
  payload: Schema.Json
): Result.Result<Pick<SubscribeEvent.FileShared, "file" | "payload">, string> =>
  Result.mapBoth(decodeFilePayload(payload), {
    onFailure: (issue) => issue,
    onSuccess: ({ file, message }) => ({ file, ...(message === undefined ? {} : { payload: message }) })
  })

// --------------------------------------------------------------------------------------------------------------------
// App Context
// --------------------------------------------------------------------------------------------------------------------

// An absent key is unchanged, null is cleared.
const Text = Schema.optionalKey(Schema.OptionFromNullOr(Schema.String))

const Change = {
  updated: Schema.optionalKey(Schema.DateTimeUtcFromString),
  eTag: Schema.optionalKey(Schema.String),
  status: Text,
  type: Text,
  custom: Schema.optionalKey(Schema.OptionFromNullOr(Schema.Record(Schema.String, Parsed)))
}

// The service reports cleared custom data as an empty object.
const cleared = <A extends { readonly custom?: SubscribeEvent.Changed<SubscribeEvent.CustomChange> }>(change: A): A =>
  change.custom === undefined
    ? change
    : { ...change, custom: Option.filter(change.custom, (fields) => Object.keys(fields).length > 0) }

const decodeObject = Codec.decodeResult(
  Schema.Struct({ event: Schema.String, type: Schema.String, data: Parsed })
)
const decodeUser = Codec.decodeResult(
  Schema.Struct({ id: UserId, ...Change, name: Text, externalId: Text, profileUrl: Text, email: Text })
)
const decodeChannel = Codec.decodeResult(
  Schema.Struct({ id: Schema.String, ...Change, name: Text, description: Text })
)
const decodeMembership = Codec.decodeResult(
  Schema.Struct({
    uuid: Schema.Struct({ id: UserId }),
    channel: Schema.Struct({ id: Schema.String }),
    ...Change
  })
)

const version = (
  { eTag, updated }: { readonly eTag: string | undefined; readonly updated: DateTime.Utc | undefined }
) => ({
  ...(updated === undefined ? {} : { updated }),
  ...(given(eTag) ? { etag: Etag.make(eTag) } : {})
})

const appContext = (common: SubscribeEvent.Delivery, payload: Schema.Json): SubscribeEvent.Received => {
  const failed = (issue: string) => undecodable(payload, issue, common)
  const object = decodeObject(payload)
  if (Result.isFailure(object)) return failed(object.failure)
  const { data, event, type } = object.success
  if (event !== "set" && event !== "delete") return unknown(common, 2, payload)
  const set = event === "set"
  switch (type) {
    case "uuid":
      return Result.match(decodeUser(data), {
        onFailure: failed,
        onSuccess: ({ eTag, id, updated, ...change }): SubscribeEvent.Received =>
          set
            ? { _tag: "UserSet", ...common, ...version({ eTag, updated }), userId: id, change: cleared(change) }
            : { _tag: "UserRemoved", ...common, userId: id }
      })
    case "channel":
      return Result.match(decodeChannel(data), {
        onFailure: failed,
        onSuccess: ({ eTag, id, updated, ...change }): SubscribeEvent.Received =>
          set
            ? { _tag: "ChannelSet", ...common, ...version({ eTag, updated }), channelId: id, change: cleared(change) }
            : { _tag: "ChannelRemoved", ...common, channelId: id }
      })
    case "membership":
      return Result.match(decodeMembership(data), {
        onFailure: failed,
        onSuccess: ({ channel, eTag, updated, uuid, ...change }): SubscribeEvent.Received =>
          set
            ? {
              _tag: "MembershipSet",
              ...common,
              ...version({ eTag, updated }),
              userId: uuid.id,
              channelId: channel.id,
              change: cleared(change)
            }
            : { _tag: "MembershipRemoved", ...common, userId: uuid.id, channelId: channel.id }
      })
    default:
      return unknown(common, 2, payload)
  }
}
