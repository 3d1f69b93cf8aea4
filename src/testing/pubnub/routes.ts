/** The endpoints: each request is one step on a keyset, and has the service's answer. */
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as actions from "./messageActionRequests.ts"
import * as answers from "./answers.ts"
import * as files from "./fileRequests.ts"
import * as filter from "./filter.ts"
import * as history from "./historyRequests.ts"
import * as json from "../server/json.ts"
import type { Answer } from "../server/message.ts"
import * as keysets from "./keyset.ts"
import * as objects from "./appContextRequests.ts"
import * as push from "./pushRequests.ts"
import { encode } from "../server/percent.ts"
import { type Address, type Moment, namesOf, type Request } from "./request.ts"

/** A poll that may have to wait. */
export interface Poll {
  readonly keyset: keysets.Keyset
  readonly subscription: keysets.Subscription
  readonly cursor: bigint
  /** How often its groups had lost channels when it began. */
  readonly removals: number
}

/** The outcome of a step: an answer, or a poll that may wait. */
export type Outcome =
  | { readonly _tag: "Answered"; readonly answer: Answer }
  | { readonly _tag: "Polling"; readonly poll: Poll }

const answered = (answer: Answer): Outcome => ({ _tag: "Answered", answer })

const distinct = (text: string | undefined): ReadonlyArray<string> => Arr.dedupe(namesOf(text))

/** The subscribe key of a request, wherever its path has it. */
export const subscribeKeyOf = ({ segments }: Address): string | undefined => {
  const [first, second, third, fourth] = segments
  switch (first) {
    case "publish":
    case "signal":
      return third
    case "v1":
      if (second === "message-actions") return third
      if (second === "files") return files.subscribeKeyOf(segments)
      return (second === "channel-registration" || second === "push") && third === "sub-key" ? fourth : undefined
    case "v2":
      if (second === "subscribe" || second === "objects") return third
      if (second === "history") return history.subscribeKeyOf(segments)
      if (second === "publish" || second === "push" && third === "sub-key") return fourth
      return second === "presence" && (third === "sub-key" || third === "sub_key") ? fourth : undefined
    case "v3":
      return second === "pam" ? third : history.subscribeKeyOf(segments)
    default:
      return undefined
  }
}

const encodedLength = (text: string) => encode(text).length

/** The most bytes of a message of the first version of publish. */
const usualMessageSize = 32_768

const publish = (keyset: keysets.Keyset, parsed: Request, { now, region }: Moment): Answer => {
  const isLarge = parsed.segments[0] === "v2"
  const [kind, publishKey, , , channel = "", , inPath] = isLarge ? parsed.segments.slice(1) : parsed.segments
  // Only for keysets to which the vendor allows large messages. The refusal of the others is not known.
  if (isLarge && keyset.limits.maxMessageSize <= usualMessageSize) return answers.notFound
  const { method, query } = parsed
  const isSignal = kind === "signal"
  const payload = method === "POST" && !isSignal ? parsed.body : inPath
  if (payload === undefined) return answers.notFound
  if (publishKey !== keyset.publishKey) return answers.invalidPublishKey(keyset.position(now))
  const publisher = query.get("uuid")
  const refused = keyset.refused(query, isSignal ? "signal" : "publish", { channels: [channel] })
  if (refused.channels.length > 0) return answers.forbidden(refused.channels)
  const meta = query.get("meta")
  if (Option.isNone(keysets.parseJson(payload)) || meta !== undefined && Option.isNone(keysets.parseJson(meta))) {
    return answers.invalidJson(keyset.position(now))
  }
  const customMessageType = query.get("custom_message_type")
  if (isSignal) {
    if (new TextEncoder().encode(payload).length > keyset.limits.maxSignalSize) {
      return answers.signalTooLarge(keyset.position(now))
    }
    return answers.sent(keyset.append({ channel, payload, type: 1, publisher, customMessageType }, region, now))
  }
  if (isLarge) {
    if (new TextEncoder().encode(payload).length > keyset.limits.maxMessageSize) return answers.requestEntityTooLarge
  } else {
    const size = encodedLength(payload) + encodedLength(channel) + encodedLength(meta ?? "")
    if (size > Math.min(keyset.limits.maxMessageSize, usualMessageSize)) {
      return answers.messageTooLarge(keyset.position(now))
    }
  }
  const norep = query.get("norep")
  const ttl = query.get("ttl")
  const timetoken = keyset.append(
    {
      channel,
      payload,
      publisher,
      meta,
      customMessageType,
      live: norep !== "true" && norep !== "1",
      stored: query.get("store") === "0" ? undefined : { ttl: ttl === undefined ? undefined : Number(ttl) }
    },
    region,
    now
  )
  if (keyset.addOns().mobilePush) {
    keyset.push.publish(channel, Option.getOrUndefined(keysets.parseJson(payload)), timetoken)
  }
  return answers.sent(timetoken)
}

/** The states of a subscribe or a heartbeat by channel or group, as JSON text. */
const statesOf = (query: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined => {
  const state = query.get("state")
  if (state === undefined) return new Map()
  const parsed = Option.getOrUndefined(keysets.parseJson(state))
  return Predicate.isObject(parsed)
    ? new Map(Object.entries(parsed).map(([name, value]) => [name, json.write(value)] as const))
    : undefined
}

/**
 * Lets the user join all channels, and keeps the states. The state of a group is for its channels that have none of
 * their own.
 */
const attend = (
  keyset: keysets.Keyset,
  wanted: Pick<keysets.Subscription, "channels" | "groups">,
  query: ReadonlyMap<string, string>,
  states: ReadonlyMap<string, string>,
  { now, region }: Moment
) => {
  if (!keyset.addOns().presence) return
  const uuid = query.get("uuid") ?? ""
  const seconds = query.get("heartbeat") ?? ""
  const timeout = /^0*[1-9]\d*$/.test(seconds) ? BigInt(seconds) * 10_000_000n : undefined
  const places = keyset.places(wanted)
  keyset.presence.join(places, uuid, region, now, timeout)
  for (const channel of places) {
    const group = wanted.groups.find((name) => states.has(name) && keyset.members(name).has(channel))
    const state = states.get(channel) ?? (group === undefined ? undefined : states.get(group))
    if (state !== undefined) keyset.presence.setState(channel, uuid, state, region, now)
  }
}

const subscribe = (keyset: keysets.Keyset, { query, segments }: Request, moment: Moment): Outcome => {
  const { now, region } = moment
  const expression = query.get("filter-expr") ?? ""
  const parsedFilter = expression === "" ? undefined : filter.parse(expression)
  const subscription: keysets.Subscription = {
    channels: distinct(segments[3]),
    groups: distinct(query.get("channel-group")),
    filter: parsedFilter
  }
  const refused = keyset.refused(query, "subscribe", subscription)
  if (refused.channels.length + refused.groups.length > 0) {
    return answered(answers.forbidden(refused.channels, refused.groups))
  }
  if (subscription.channels.length + subscription.groups.length === 0) {
    return answered(answers.badSubscribe("Missing channels"))
  }
  if (!keyset.addOns().streamController) {
    if (keysets.isMultiplexed(subscription)) return answered(answers.noStreamController("channel groups"))
    if (expression !== "") return answered(answers.noStreamController("stream filtering"))
  }
  if (expression !== "" && parsedFilter === undefined) {
    return answered(answers.badSubscribe("Invalid filter expression"))
  }
  if (keyset.isEmpty(subscription)) return answered(answers.emptySubscription)
  const states = statesOf(query)
  if (states === undefined) return answered(answers.badSubscribe("Invalid state"))
  const tt = query.get("tt") ?? "0"
  if (!/^\d+$/.test(tt)) return answered(answers.badSubscribe("Invalid timetoken"))
  // The cursor is taken before the join, so that a reader of the presence channel sees its own join, as in production.
  const start = keyset.position(now)
  attend(keyset, subscription, query, states, moment)
  const cursor = BigInt(tt)
  return cursor === 0n
    ? answered(answers.page(start, region, []))
    : { _tag: "Polling", poll: { keyset, subscription, cursor, removals: keyset.removals(subscription) } }
}

const hereNow = (
  keyset: keysets.Keyset,
  channels: ReadonlyArray<string>,
  single: boolean,
  query: ReadonlyMap<string, string>
): Answer => {
  const limit = Math.min(Number(query.get("limit") ?? 1000), 1000)
  const offset = Number(query.get("offset") ?? 0)
  const describe = (channel: string) => {
    const uuids = [...keyset.presence.occupants(channel).keys()]
    const page = uuids.slice(offset, offset + limit)
    const withState = (uuid: string) => {
      const state = keyset.presence.stateOf(channel, uuid)
      return { uuid, ...(state === undefined ? {} : { state: Option.getOrNull(keysets.parseJson(state)) }) }
    }
    return {
      ...(query.get("disable_uuids") === "1"
        ? {}
        : { uuids: query.get("state") === "1" ? page.map(withState) : page }),
      occupancy: uuids.length
    }
  }
  const [only] = channels
  if (single && only !== undefined) return answers.presence(describe(only))
  const present = channels.filter((channel) => keyset.presence.occupants(channel).size > 0)
  return answers.presence({
    payload: {
      channels: Object.fromEntries(present.map((channel) => [channel, describe(channel)])),
      total_channels: present.length,
      total_occupancy: present.reduce((total, channel) => total + keyset.presence.occupants(channel).size, 0)
    }
  })
}

const presenceOperation = (verb: string | undefined, data: string | undefined) =>
  verb === "leave" || verb === "heartbeat"
    ? verb
    : verb === undefined
    ? "hereNow"
    : data === undefined
    ? "getState"
    : "setState"

const presence = (keyset: keysets.Keyset, parsed: Request, moment: Moment): Answer => {
  const { query } = parsed
  const { now, region } = moment
  const [kind, name, verb, target, data, ...rest] = parsed.segments.slice(4)
  if (rest.length > 0) return answers.notFound
  const uuid = query.get("uuid") ?? ""
  const wanted = { channels: distinct(name), groups: distinct(query.get("channel-group")) }
  if (kind === "channel") {
    const refused = keyset.refused(query, presenceOperation(verb, data), wanted)
    if (refused.channels.length + refused.groups.length > 0) {
      return answers.forbidden(refused.channels, refused.groups)
    }
    // Clients send leaves without presence too.
    if (verb === "leave" && target === undefined) {
      keyset.presence.leave(keyset.places(wanted), uuid, region, now)
      return answers.presence({ action: "leave" })
    }
  }
  if (!keyset.addOns().presence) return answers.noPresence
  if (kind === undefined) return hereNow(keyset, keyset.presence.occupied(), false, query)
  if (kind === "uuid" && name !== undefined && verb === undefined) {
    const channels = keyset.presence.occupied().filter((channel) => keyset.presence.occupants(channel).has(name))
    return answers.presence({ payload: { channels } })
  }
  if (kind !== "channel" || name === undefined) return answers.notFound
  const places = keyset.places(wanted)
  if (verb === undefined) {
    return hereNow(keyset, places, wanted.groups.length === 0 && wanted.channels.length === 1, query)
  }
  if (verb === "heartbeat" && target === undefined) {
    const states = statesOf(query)
    if (states === undefined) return answers.badPresence("Invalid state.")
    attend(keyset, wanted, query, states, moment)
    return answers.presence({})
  }
  if (verb !== "uuid" || target === undefined) return answers.notFound
  if (data === "data") {
    const state = query.get("state")
    if (state === undefined) return answers.badPresence("No state specified.")
    const value = Option.getOrUndefined(keysets.parseJson(state))
    if (!Predicate.isObject(value)) return answers.badPresence("Invalid state.")
    for (const channel of places) keyset.presence.setState(channel, target, json.write(value), region, now)
    return answers.presence({ payload: value })
  }
  if (data !== undefined) return answers.notFound
  const stateOf = (channel: string): unknown =>
    Option.getOrElse(keysets.parseJson(keyset.presence.stateOf(channel, target) ?? "{}"), () => ({}))
  const [channel] = places
  return wanted.groups.length === 0 && wanted.channels.length === 1 && channel !== undefined
    ? answers.presence({ uuid: target, payload: stateOf(channel), channel })
    : answers.presence({
      uuid: target,
      payload: { channels: Object.fromEntries(places.map((channel) => [channel, stateOf(channel)])) }
    })
}

const channelGroups = (keyset: keysets.Keyset, { query, segments }: Request): Answer => {
  const [kind, group, verb, ...rest] = segments.slice(4)
  if (kind !== "channel-group" || rest.length > 0) return answers.notFound
  if (!keyset.addOns().streamController) return answers.noStreamController("channel groups")
  if (group === undefined) return answers.registry({ payload: { namespace: "", groups: keyset.groups() } })
  const refused = keyset.refused(
    query,
    verb === undefined && !query.has("add") && !query.has("remove") ? "listGroup" : "changeGroup",
    {
      groups: [group]
    }
  )
  if (refused.groups.length > 0) return answers.forbidden([], refused.groups)
  if (verb === "remove") {
    keyset.deleteGroup(group)
    return answers.registry({ message: "OK" })
  }
  if (verb !== undefined) return answers.notFound
  const add = distinct(query.get("add"))
  const remove = distinct(query.get("remove"))
  if (add.length + remove.length === 0) {
    return answers.registry({ payload: { channels: [...keyset.members(group)], group } })
  }
  if ([group, ...add].some((name) => /[:*]/.test(name))) {
    return answers.badRegistry("Reserved character in input parameters.")
  }
  keyset.addToGroup(group, add)
  keyset.removeFromGroup(group, remove)
  return answers.registry({ message: "OK" })
}

const uselessToken = (why: NonNullable<ReturnType<keysets.Keyset["useless"]>>): Answer =>
  why === "unknown"
    ? answers.unknownToken
    : why === "of another user"
    ? answers.tokenOfAnother
    : answers.uselessToken(why)

/** `/v3/pam/{sub}/grant` and `/v3/pam/{sub}/grant/{token}`. Signatures are checked earlier. */
const accessManager = (keyset: keysets.Keyset, { body, method, query, segments }: Request, now: bigint): Answer => {
  const [word, token, ...rest] = segments.slice(3)
  if (word !== "grant" || rest.length > 0) return answers.notFound
  if (method !== (token === undefined ? "POST" : "DELETE")) return answers.notFound
  if (!query.has("signature")) return answers.unsignedGrant
  if (token === undefined) return keyset.access.answer(Option.getOrUndefined(keysets.parseJson(body)), now)
  const refusal = keyset.irrevocable(token, now)
  if (refusal !== undefined) return refusal
  keyset.spoil(token, "revoked")
  return answers.revoked
}

/** Handles one request in one step. */
export const route = (keyset: keysets.Keyset, parsed: Request, moment: Moment): Outcome => {
  const { method, query, segments } = parsed
  if ((query.get("uuid") ?? "").trim() === "") return answered(answers.missingUserId)
  if (segments[1] === "pam") return answered(accessManager(keyset, parsed, moment.now))
  const useless = keyset.useless(query, moment.now)
  if (useless !== undefined) return answered(uselessToken(useless))
  const [first, second] = segments
  if (
    first === "publish" && (method === "GET" && segments.length === 7 || method === "POST" && segments.length === 6)
  ) {
    return answered(publish(keyset, parsed, moment))
  }
  if (history.subscribeKeyOf(segments) !== undefined) return answered(history.route(keyset, parsed, moment.now))
  if (second === "message-actions") return answered(actions.route(keyset, parsed, moment))
  if (second === "files") return answered(files.route(keyset, parsed, moment))
  if (second === "objects") return answered(objects.route(keyset, parsed, moment))
  if (second === "publish" && segments.length === 7 && method === "POST") {
    return answered(publish(keyset, parsed, moment))
  }
  if (method !== "GET") return answered(answers.notFound)
  if (second === "push") return answered(push.route(keyset, parsed))
  if (first === "signal" && segments.length === 7) return answered(publish(keyset, parsed, moment))
  if (second === "subscribe" && segments.length === 5) return subscribe(keyset, parsed, moment)
  if (second === "presence") return answered(presence(keyset, parsed, moment))
  if (second === "channel-registration") return answered(channelGroups(keyset, parsed))
  return answered(answers.notFound)
}
