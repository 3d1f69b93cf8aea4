/**
 * What an envelope must become, said a second time and without a line of the client: its own decoders would hide their
 * own mistakes.
 */
import * as Predicate from "effect/Predicate"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** An event as plain data: moments as milliseconds, a cleared field as null. */
export type Plain = Readonly<Record<string, unknown>>

/** The same form for an event of the client. Cursors are looked at apart. */
export const plain = (event: object): Plain => {
  const { cursor: _cursor, ...fields } = { cursor: undefined, ...event }
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value)]))
}

const plainValue = (value: unknown): unknown =>
  DateTime.isDateTime(value)
    ? DateTime.toEpochMillis(value)
    : Option.isOption(value)
    ? Option.getOrNull(value)
    : Array.isArray(value)
    ? value.map(plainValue)
    : typeof value === "object" && value !== null && !Duration.isDuration(value)
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainValue(item)]))
    : value

const Envelope = Schema.Struct({
  c: Schema.String,
  d: Schema.Json,
  p: Schema.Struct({ t: Schema.String, r: Schema.Int }),
  b: Schema.optionalKey(Schema.String),
  e: Schema.optionalKey(Schema.Int),
  i: Schema.optionalKey(Schema.String),
  u: Schema.optionalKey(Schema.Json),
  cmt: Schema.optionalKey(Schema.String)
})

type Payload = { readonly [key: string]: Schema.Json }
const payloadOf = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Json))

const base = (name: string): string => name.replace(/-pnpres$/, "")

/** The event of an envelope, without its cursor. */
export const expectedEvent = (raw: unknown): Plain => {
  const { b, c, cmt, d, e = 0, i, p, u } = Schema.decodeUnknownSync(Envelope)(raw)
  const delivery = {
    channel: base(c),
    subscription: base(b ?? c),
    timetoken: p.t,
    region: p.r,
    ...i === undefined ? {} : { publisher: i }
  }
  const label = cmt === undefined ? {} : { customMessageType: cmt }
  switch (e) {
    case 0:
      return c.endsWith("-pnpres")
        ? { ...delivery, ...expectedPresence(payloadOf(d)) }
        : { _tag: "Message", ...delivery, payload: d, ...u === undefined ? {} : { meta: u }, ...label }
    case 1:
      return { _tag: "Signal", ...delivery, payload: d, ...label }
    case 2:
      return { ...delivery, ...expectedChange(payloadOf(d)) }
    case 3: {
      const { data, event } = payloadOf(d)
      const { actionTimetoken, messageTimetoken, type, value } = payloadOf(data)
      return {
        _tag: event === "added" ? "MessageActionAdded" : "MessageActionRemoved",
        ...delivery,
        action: { type, value, userId: i, actionTimetoken, messageTimetoken }
      }
    }
    case 4: {
      const { file, message } = payloadOf(d)
      const meta = u === undefined ? {} : { meta: u }
      return {
        _tag: "FileShared",
        ...delivery,
        file,
        ...message === undefined ? {} : { payload: message },
        ...meta,
        ...label
      }
    }
    default:
      return { _tag: "Unknown", ...delivery, kind: e, payload: d }
  }
}

const expectedPresence = (payload: Payload): Plain => {
  const { action, data, occupancy, precise_timestamp: precise, timestamp, uuid } = payload
  const occupied = { occupancy, timestamp: precise ?? Number(timestamp) * 1000 }
  const person = { userId: uuid, ...data === undefined ? {} : { state: data } }
  switch (action) {
    case "join":
      return { _tag: "Joined", ...occupied, ...person }
    case "leave":
      return { _tag: "Left", ...occupied, ...person }
    case "timeout":
      return { _tag: "TimedOut", ...occupied, ...person }
    case "state-change":
      return { _tag: "StateChanged", ...occupied, ...person }
    default:
      return {
        _tag: "Interval",
        ...occupied,
        joined: payload.join ?? [],
        left: payload.leave ?? [],
        timedOut: payload.timeout ?? [],
        hereNowRefresh: payload.here_now_refresh ?? false
      }
  }
}

// The service tells of custom data that was cleared as empty.
const cleared = (change: { readonly [field: string]: unknown }) =>
  Predicate.isObject(change.custom) && Object.keys(change.custom).length === 0 ? { ...change, custom: null } : change

const expectedChange = (payload: Payload): Plain => {
  const { eTag, updated, ...told } = payloadOf(payload.data)
  // A custom that was cleared is told as an empty one.
  const isCleared = told.custom !== undefined && JSON.stringify(told.custom) === "{}"
  const data: Payload = isCleared ? { ...told, custom: null } : told
  const version = {
    ...typeof updated === "string" ? { updated: Date.parse(updated) } : {},
    ...eTag === undefined ? {} : { etag: eTag }
  }
  const set = payload.event === "set"
  switch (payload.type) {
    case "uuid": {
      const { id, ...change } = data
      return set
        ? { _tag: "UserSet", ...version, userId: id, change: cleared(change) }
        : { _tag: "UserRemoved", userId: id }
    }
    case "channel": {
      const { id, ...change } = data
      return set
        ? { _tag: "ChannelSet", ...version, channelId: id, change: cleared(change) }
        : { _tag: "ChannelRemoved", channelId: id }
    }
    default: {
      const { channel, uuid, ...change } = data
      const who = { userId: payloadOf(uuid).id, channelId: payloadOf(channel).id }
      return set
        ? { _tag: "MembershipSet", ...version, ...who, change: cleared(change) }
        : { _tag: "MembershipRemoved", ...who }
    }
  }
}
