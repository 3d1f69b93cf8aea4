/**
 * The options of a reader, checked before any request: names, start and retries.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Cursor } from "../../../Cursor.ts"
import * as Retry from "../../../Retry.ts"
import * as Input from "../../../internal/input.ts"
import * as ChannelName from "../../ChannelName.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import type { Timetoken } from "../../Timetoken.ts"
import * as Endpoint from "../wire/endpoint.ts"
import * as Payload from "../wire/payload.ts"
import * as Subscribe from "../wire/subscribe.ts"

type Config = PubNubConfig["Service"]

export interface Names {
  readonly channels?: ReadonlyArray<string> | undefined
  readonly groups?: ReadonlyArray<string> | undefined
  readonly presence?: boolean | undefined
  readonly state?: { readonly [channelOrGroup: string]: { readonly [key: string]: unknown } } | undefined
}

export type From = Cursor | Timetoken | { readonly timetoken: Timetoken; readonly region?: number | undefined }

/** The schedule of each kind of failure. Other kinds end a reader at once. */
export const reconnect = {
  Transport: Retry.reconnect,
  Timeout: Retry.reconnect,
  RateLimited: Retry.reconnect,
  ServerFailure: Retry.reconnect,
  Malformed: Retry.reconnect,
  TokenUnavailable: Retry.reconnect,
  // This is no fault. The group may get its first channel at any time, and the reader misses messages until it asks again.
  EmptySubscription: Retry.backoff({ base: "1 second", cap: "5 seconds" }),
  // A single 403 may be temporary. The application must handle one that lasts.
  AccessDenied: Retry.backoff({ maxAttempts: 4 })
} as const

export type Schedules = {
  readonly [K in PubNubError.Reason["_tag"]]?: Retry.Policy<PubNubError.Reason> | undefined
}

const never: Schedule.Schedule<unknown, PubNubError.Reason> = Schedule.recurs(0)
const usual: Schedules = reconnect

/** Gives the schedule of a failure: the chosen one, or the default. Always the same object for one kind. */
export const scheduleOf = (chosen: Schedules = {}) => {
  const schedules = new Map<string, Schedule.Schedule<unknown, PubNubError.Reason>>()
  return ({ _tag }: PubNubError.Reason) => {
    const schedule = schedules.get(_tag) ?? Retry.toSchedule(chosen[_tag] ?? usual[_tag] ?? never)
    schedules.set(_tag, schedule)
    return schedule
  }
}

/** How many milliseconds a reader waits for a gap to be filled. */
export const patienceOf = (catchUp: "history" | "none" | { readonly within: Duration.Input } = "history"): number =>
  catchUp === "history"
    ? Infinity
    : catchUp === "none"
    ? 0
    : Duration.toMillis(Duration.fromInputUnsafe(catchUp.within))

/** The longest address that the service reads. */
export const longestAddress = 32_768

/** How long the address of a subscription is. */
export const sizeOf = (config: Config, target: Subscribe.Target): number =>
  Endpoint.addressSize(config, Subscribe.handshake(config, target))

/** The names as they are sent, and the start. */
export const check = (
  config: Config,
  options: Names & { readonly filter?: string | undefined; readonly from?: From | undefined },
  mayBeEmpty = false
): Result.Result<
  { readonly target: Subscribe.Target; readonly from: Cursor | undefined },
  PubNubError.BadRequest | PubNubError.InvalidKey
> => {
  if (config.subscribeKey === "") {
    return Result.fail(new PubNubError.InvalidKey({ key: "subscribe", description: "it is not set" }))
  }
  const { channels = [], groups = [] } = options
  const details: Array<PubNubError.Detail> = [
    ...Input.each("channels", channels, ChannelName.subscriptionIssue),
    ...Input.each(
      "groups",
      groups,
      (name) => typeof name === "string" ? ChannelName.issue(ChannelName.withoutPresence(name)) : Input.text(name)
    ),
    ...Input.issues({
      presence: Input.optional(Input.flag)(options.presence),
      filter: Input.optional(Input.text)(options.filter)
    })
  ]
  if (channels.length + groups.length === 0 && !mayBeEmpty) {
    details.push({ location: "channels", message: "and groups are both empty: pass at least one" })
  }
  const state = stateOf(options)
  if (Result.isFailure(state)) details.push(...state.failure)
  const from = cursorOf(options.from)
  if (from === "invalid") details.push({ location: "from", message: "is not a cursor or a timetoken of 17 digits" })
  const target: Subscribe.Target = {
    channels: sent(channels, options.presence),
    groups: sent(groups, options.presence),
    filter: options.filter === "" ? undefined : options.filter,
    state: Result.getOrUndefined(state)
  }
  return details.length > 0 || from === "invalid"
    ? Result.fail(Endpoint.refused(details))
    : Result.succeed({ target, from })
}

const sent = (names: ReadonlyArray<string>, presence: boolean | undefined): ReadonlyArray<string> =>
  [...new Set(presence === true ? names.flatMap((name) => [name, ChannelName.presenceOf(name)]) : names)].toSorted()

const stateOf = (names: Names): Result.Result<string | undefined, ReadonlyArray<PubNubError.Detail>> => {
  const { state = {} } = names
  const wrong = Input.record(state)
  if (wrong !== undefined) return Result.fail([{ location: "state", message: wrong }])
  const details = Object.entries(state).flatMap(([name, value]) => {
    const issue = stateIssue(names, name, value)
    return issue === undefined ? [] : [{ location: "state", message: `${Input.shown(name)} ${issue}` }]
  })
  if (details.length > 0) return Result.fail(details)
  return Object.keys(state).length === 0
    ? Result.succeed(undefined)
    : Result.mapError(Payload.encode(state), (issue) => [{ location: "state", message: issue }])
}

/** Checks the state of one name: a channel, a group, or a channel that may be in one of the groups. */
const stateIssue = ({ channels = [], groups = [] }: Names, name: string, value: unknown): string | undefined => {
  if (ChannelName.isPresence(name)) return "is a presence name, which has no state"
  const issue = ChannelName.issue(name)
  if (issue !== undefined) return issue
  // The channels of a group are not known here. A presence name has no users.
  if (!channels.includes(name) && groups.every(ChannelName.isPresence)) return "is not subscribed to"
  const text = Payload.encode(value)
  if (Result.isFailure(text)) return text.failure
  return text.success.startsWith("{") ? undefined : "has a state that is not a JSON object"
}

/** A stored cursor may be of any shape, although its type says otherwise. */
const cursorOf = (from: From | undefined): Cursor | undefined | "invalid" => {
  if (from === undefined) return undefined
  const cursor: Cursor = typeof from === "string"
    ? { position: from, delivered: [] }
    : "position" in from
    ? from
    : { position: from.timetoken, delivered: [], ...(from.region === undefined ? {} : { region: from.region }) }
  return isCursor(cursor) ? believed(cursor) : "invalid"
}

/** How far a position may be behind the start of its reader, in ticks. Regions differ, so it goes back a little. */
const furthestBack = 6_000_000_000n

/** Drops `recent` if it says that the reader starts later than that: the reader would get no events until then. */
const believed = ({ recent, ...cursor }: Cursor): Cursor =>
  recent === undefined || BigInt(recent.since) - BigInt(cursor.position) > furthestBack
    ? cursor
    : { ...cursor, recent }

const isCursor = Schema.is(Cursor)
