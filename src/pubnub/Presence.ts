/**
 * Which users are on which channels: {@link hereNow} and {@link stream} for the users of channels, {@link live} for the users of
 * a channel as they join and leave, {@link whereNow} for the channels of a user, {@link getState} and {@link setState} for the
 * states of users. `Subscribe.presence` streams the events. All of it needs the Presence add-on of the keyset.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import * as Failure from "../internal/failure.ts"
import * as Codec from "../internal/codec.ts"
import * as Input from "../internal/input.ts"
import * as Json from "../internal/json.ts"
import type { Live } from "../Live.ts"
import * as LiveOccupancy from "./internal/live/liveOccupancy.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Envelope from "./internal/wire/envelope.ts"
import * as Items from "./internal/wire/items.ts"
import * as Names from "./internal/wire/names.ts"
import * as Paging from "../internal/paging.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as Payload from "./internal/wire/payload.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import { isDecoded, isUndecodable, type UndecodableItem } from "../UndecodableItem.ts"
import { UserId } from "./internal/wire/userId.ts"

/**
 * The presence state of a user on a channel: a JSON object that the user sets. The service forgets it when the user leaves the
 * channel or times out.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  readonly [key: string]: Schema.Json
}

// --------------------------------------------------------------------------------------------------------------------
// users of channels
// --------------------------------------------------------------------------------------------------------------------

/**
 * The parts that {@link hereNow}, {@link stream} and {@link live} can include.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "users" | "state"

/**
 * A user on a channel. `P` names the included parts.
 *
 * @category models
 * @since 0.1.0
 */
export type Occupant<P extends Part = Part> =
  & {
    /** The id of the user. */
    readonly userId: string
  }
  & Pick<{
    /** The state of the user on this channel. Absent when it has none. */
    readonly state?: State
  }, P & "state">

/**
 * How many users are on a channel, and the users. `P` names the included parts.
 *
 * @category models
 * @since 0.1.0
 */
export type Occupancy<P extends Part = Part> =
  & {
    /** How many users are on the channel, as the service counts. `users` may have fewer: one page, or those known so far. */
    readonly occupancy: number
  }
  & Pick<{
    /** The users, by their ids. */
    readonly users: ReadonlyMap<string, Occupant<P>>
    /** Users that cannot be decoded. Absent when there are none. */
    readonly undecodable?: ReadonlyArray<UndecodableItem>
  }, "users" extends P ? "users" | "undecodable" : never>

/**
 * The result of {@link hereNow}. `P` names the included parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface HereNow<P extends Part = Part> {
  /** How many users are on all of these channels. A user on two channels counts twice. */
  readonly totalOccupancy: number
  /** How many of these channels have users. */
  readonly totalChannels: number
  /** The channels by their names: all that were named, and those of groups or of the keyset that have users. */
  readonly channels: ReadonlyMap<string, Occupancy<P>>
  /** Channels whose occupancy cannot be decoded. Absent when there are none. They are not in `channels`. */
  readonly undecodable?: ReadonlyMap<string, UndecodableItem>
}

/**
 * Options of {@link hereNow}.
 *
 * @category models
 * @since 0.1.0
 */
export interface HereNowOptions<P extends Part = Part> {
  /** Names of channels, without wildcards and presence names. Default, without `groups` too: all channels of the keyset. */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Names of channel groups, for their channels. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** `"users"` lists the users, and `"state"` adds the state of each. `[]` only counts them. Default: `["users"]`. */
  readonly include?: ReadonlyArray<P> | undefined
  /** The most users of each channel, 1 to 1,000. Default: the service's own 1,000. */
  readonly limit?: number | undefined
  /** How many users of each channel to skip. Default: 0. */
  readonly offset?: number | undefined
}

/**
 * Reads which users are on channels, on the channels of groups, or on all channels of the keyset. Fails with `PubNubError`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channels}`, and without `/channel/…` for all. The service counts a user within
 * seconds, and until it leaves or its presence timeout ends. Two empty lists are a `BadRequest`.
 *
 * **Example** (How many users are in a room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const howMany = (room: string) =>
 *   Presence.hereNow({ channels: [room], include: [] }).pipe(Effect.map((here) => here.totalOccupancy))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const hereNow = <P extends Part = "users">(
  options: HereNowOptions<P> = {}
): Effect.Effect<HereNow<P>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Effect.map(askHereNow("Presence.hereNow", () => options, "limit"), ({ channels, ...rest }) => ({
    ...rest,
    channels: new Map(Array.from(channels, ([channel, listed]) => [channel, toOccupancy(listed)]))
  }))

const toOccupancy = ({ occupancy, users }: Listed): Occupancy => {
  const undecodable = users.filter(isUndecodable)
  return {
    occupancy,
    users: new Map(users.filter(isDecoded).map((user) => [user.userId, user])),
    ...undecodable.length === 0 ? {} : { undecodable }
  }
}

/**
 * Options of {@link stream}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<P extends "state" = "state"> {
  /** The name of a channel, not a wildcard or a presence name. */
  readonly channel: string
  /** `["state"]` adds the state of each user. Default: none. */
  readonly include?: ReadonlyArray<P> | undefined
  /** How many users one request asks for, 1 to 1,000. Default: 1,000. */
  readonly pageSize?: number | undefined
}

/**
 * Streams the users of one channel, page after page, as far as the reader pulls. The service counts pages from the start of its
 * list, so a user that joins or leaves between two requests may move another one across the edge, which then comes twice or not at
 * all. Fails with `PubNubError`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channel}`, with `limit` and `offset`.
 *
 * **Example** (The first five users in a good mood)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Presence from "effect-herald/pubnub/Presence"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const five = Presence.stream({ channel: "lobby", include: ["state"] }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.filter(({ state }) => state?.mood === "good"),
 *   Stream.take(5)
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = <P extends "state" = never>(
  options: StreamOptions<P>
): Stream.Stream<Occupant<P> | UndecodableItem, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.readingStream(
    "Presence.stream",
    () =>
      pagesOf("Presence.stream", options).pipe(
        Stream.map(({ users }) => users),
        Stream.filter((users) => Arr.isReadonlyArrayNonEmpty(users)),
        Stream.flattenArray
      )
  )

const pagesOf = (
  operation: string,
  { channel, include, pageSize = mostUsers }: StreamOptions
): Stream.Stream<Listed, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Stream.suspend(() => {
    const known = new Set<string>()
    const ask = (offset: number) =>
      askHereNow(
        operation,
        () => ({ channels: [channel], include: ["users", ...include ?? []], limit: pageSize, offset }),
        "pageSize",
        // A service that ignores the offset would send the same users for ever.
        ({ channels }) => {
          const users = channels.get(channel)?.users ?? []
          const isMoving = offset === 0 || users.some((user) => !known.has(keyOf(user)))
          for (const user of users) known.add(keyOf(user))
          return isMoving || users.length < pageSize ? undefined : "the next page has the users of earlier ones again"
        }
      )
    return Paging.paginate(0, (offset) =>
      Effect.map(ask(offset), ({ channels, undecodable }) => {
        const odd = undecodable?.get(channel)
        const page = channels.get(channel) ?? (odd === undefined ? nobody : { occupancy: 0, users: [odd] })
        const end = offset + pageSize
        return [[page], page.users.length < pageSize || end >= page.occupancy ? Option.none() : Option.some(end)]
      }))
  })

const keyOf = (entry: Occupant | UndecodableItem): string => "userId" in entry ? entry.userId : Json.text(entry.raw)

/** The users of a channel as the service lists them. */
interface Listed {
  readonly occupancy: number
  readonly users: ReadonlyArray<Occupant | UndecodableItem>
}

const nobody: Listed = { occupancy: 0, users: [] }

type Answer = Omit<HereNow, "channels"> & { readonly channels: ReadonlyMap<string, Listed> }

const askHereNow = (
  operation: string,
  read: () => HereNowOptions,
  limitName: string,
  doubt: (found: Answer) => string | undefined = () => undefined
): Effect.Effect<Answer, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run(operation, () => {
    const options = read()
    const { include = ["users"], limit, offset = 0 } = options
    const names = namesOf(options)
    const { channels, groups } = names
    const isOfAll = channels.length + groups.length === 0
    return {
      path: isOfAll
        ? path`/v2/presence/sub-key/${subscribeKey}`
        : path`/v2/presence/sub-key/${subscribeKey}/channel/${channels}`,
      query: {
        "channel-group": groups.join(",") || undefined,
        state: include.includes("state") ? "1" : undefined,
        disable_uuids: include.includes("users") ? undefined : "1",
        limit: limit === undefined ? undefined : String(limit),
        offset: offset === 0 ? undefined : String(offset)
      },
      longInput: { location: "channels", advice: "ask for fewer at once" },
      issues: [
        ...nameIssues(options),
        ...options.channels === undefined && options.groups === undefined ? [] : emptyIssues(names),
        ...Input.each("include", include, Input.oneOf(["users", "state"])),
        ...Input.issues({
          options: Input.record(options),
          [limitName]: Input.optional(Input.whole(1, mostUsers))(limit),
          offset: Input.whole(0)(offset),
          include: include.includes("state") && !include.includes("users") ? "has state without users" : undefined
        })
      ],
      // States keep their numbers.
      parse: Json.parse,
      decode: (json) =>
        Result.flatMap((channels.length === 1 ? decodeOneOrMany : decodeMany)(json), (answer) => {
          const found = toAnswer(answer, channels)
          const wrong = doubt(found)
          return wrong === undefined ? Result.succeed(found) : Result.fail(wrong)
        })
    }
  })

/** The most users of one request. */
const mostUsers = 1000

const StateRecord: Schema.Codec<State> = Schema.Record(Schema.String, Schema.Json)

const One = Schema.Struct({ occupancy: Schema.Int, uuids: Schema.optionalKey(Items.Unread) })
const Many = Schema.Struct({
  payload: Schema.Struct({
    channels: Schema.Record(Schema.String, Envelope.Parsed),
    total_channels: Schema.Int,
    total_occupancy: Schema.Int
  })
})
// The service sends the form for many also for one channel with a group.
const OneOrMany = Schema.Union([Many, One])
const decodeMany = Codec.decodeResult(Many)
const decodeOneOrMany = Codec.decodeResult(OneOrMany)

const toAnswer = (answer: typeof OneOrMany.Type, channels: ReadonlyArray<string>): Answer => {
  if (!("payload" in answer)) {
    return {
      totalOccupancy: answer.occupancy,
      totalChannels: answer.occupancy === 0 ? 0 : 1,
      channels: new Map(channels.map((channel) => [channel, toListed(answer)]))
    }
  }
  const { payload } = answer
  const found = new Map(channels.map((channel) => [channel, nobody]))
  const undecodable = new Map<string, UndecodableItem>()
  for (const [channel, raw] of Object.entries(payload.channels)) {
    const one = readOne(raw)
    if (isDecoded(one)) found.set(channel, toListed(one))
    else {
      found.delete(channel)
      undecodable.set(channel, one)
    }
  }
  return {
    totalOccupancy: payload.total_occupancy,
    totalChannels: payload.total_channels,
    channels: found,
    ...undecodable.size === 0 ? {} : { undecodable }
  }
}

const readOne = Items.reader(One)

// The service sends objects when states are included, else ids.
const readOccupant = Items.reader(
  Schema.Union([UserId, Schema.Struct({ uuid: UserId, state: Schema.optionalKey(StateRecord) })])
)

// A user that clears its state has an empty one.
const unlessEmpty = ({ state = {} }: { readonly state?: State }): { readonly state?: State } =>
  Object.keys(state).length === 0 ? {} : { state }

const toListed = ({ occupancy, uuids = [] }: typeof One.Type): Listed => ({
  occupancy,
  users: uuids.map(readOccupant).map((entry) =>
    typeof entry === "string"
      ? { userId: entry }
      : "uuid" in entry
      ? { userId: entry.uuid, ...unlessEmpty(entry) }
      : entry
  )
})

/**
 * Options of {@link live}.
 *
 * @category models
 * @since 0.1.0
 */
export interface LiveOptions {
  /** The name of a channel, not a wildcard or a presence name. */
  readonly channel: string
  /** `["state"]` adds the states of the users, and their changes. Default: none. */
  readonly include?: ReadonlyArray<"state"> | undefined
}

/**
 * Keeps the users of a channel current while the scope is open. Watching a channel does not join it.
 *
 * **Details**
 *
 * It subscribes to the presence events of the channel, then asks for the users as {@link stream} does, and then follows the
 * events, page by page: everything within one page is one change. It asks again when events may have been lost (after an
 * interruption, a suspected gap, a doubted cursor, an event that cannot be decoded), when an `Interval` says so, and when an
 * event counts other users than are known here. Meanwhile the value is `stale`. A read that may succeed later is repeated as
 * `Retry.reconnect` says. Users that cannot be decoded are in `undecodable` of {@link Live}.
 *
 * It returns when the users are known. Fails with `PubNubError` when they cannot be read (`AccessDenied`, `FeatureDisabled`, …),
 * at once for a wrong name, and with `SubscribeError` when the subscription ends before. After that it does not fail: `state`
 * and `failure` of {@link Live} say what keeps the value from being current.
 *
 * **Gotchas**
 *
 * On a channel with more users than the keyset's announce max the service sends only intervals, and lists who came and went
 * only with presence deltas. Without them all users are read after each interval in which their number changed, and a user who
 * came in place of another appears with the next such read.
 *
 * **Example** (Log the users in the lobby)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const program = Stream.unwrap(Effect.map(Presence.live({ channel: "lobby" }), SubscriptionRef.changes)).pipe(
 *   Stream.runForEach(({ state, value: { occupancy, users } }) =>
 *     Effect.log(`${occupancy} users (${state}): ${[...users.keys()].join(", ")}`)
 *   )
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live = (
  options: LiveOptions
): Effect.Effect<
  SubscriptionRef.SubscriptionRef<Live<Occupancy, PubNubError.PubNubError | SubscribeError>>,
  PubNubError.PubNubError | SubscribeError,
  HttpClient.HttpClient | PubNubConfig | Scope.Scope
> =>
  Endpoint.reading("Presence.live", () => {
    const { channel, include = [] } = options
    const issues = [
      ...nameIssues({ channels: [channel] }),
      ...Input.each("include", include, Input.oneOf(["state"]))
    ]
    if (issues.length > 0) return Effect.fail(Endpoint.refusal("Presence.live", issues))
    const includeState = include.includes("state")
    return LiveOccupancy.keep(channel, includeState, Stream.runCollect(pagesOf("Presence.live", { channel, include })))
  })

// --------------------------------------------------------------------------------------------------------------------
// channels of a user
// --------------------------------------------------------------------------------------------------------------------

/**
 * Options of {@link whereNow}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WhereNowOptions {
  /** The id of the user. Default: the user of the configuration. */
  readonly userId?: string | undefined
}

/**
 * Reads the channels that a user is on. A name that cannot be decoded is an `UndecodableItem` in its place. Fails with
 * `PubNubError`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/uuid/{userId}`
 *
 * **Example** (Whether a user is online)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const isOnline = (userId: string) => Effect.map(Presence.whereNow({ userId }), (channels) => channels.length > 0)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const whereNow = (
  options: WhereNowOptions = {}
): Effect.Effect<
  ReadonlyArray<string | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> =>
  Endpoint.run("Presence.whereNow", (config) => {
    const { userId = config.userId } = options
    return {
      path: path`/v2/presence/sub-key/${subscribeKey}/uuid/${userId}`,
      issues: Input.issues({ userId: Names.user(userId) }),
      decode: (json) => Result.map(decodeWhereNow(json), ({ payload }) => (payload?.channels ?? []).map(Items.readName))
    }
  })

const decodeWhereNow = Codec.decodeResult(
  Schema.Struct({ payload: Schema.optionalKey(Schema.Struct({ channels: Items.Unread })) })
)

// --------------------------------------------------------------------------------------------------------------------
// state
// --------------------------------------------------------------------------------------------------------------------

/**
 * Options of {@link getState} and {@link setState}. At least one channel or group is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface GetStateOptions {
  /** Names of channels, without wildcards and presence names. */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Names of channel groups, for their channels. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** The id of the user. Default: the user of the configuration. */
  readonly userId?: string | undefined
}

/**
 * A state does not match the schema of {@link getState}. `issue` says where.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateMismatch extends Failure.TaggedError<StateMismatch>("pubnub")("StateMismatch", {
  /** The channel of the state. */
  channel: Schema.String,
  /** The user of the state. */
  userId: Schema.String,
  /** Where the state differs from the schema. */
  issue: Schema.String
}, {
  message: ({ channel, issue, userId }) =>
    `Presence.getState: the state of ${userId} on ${channel} does not match the schema: ${issue}. ` +
    "Check the schema, and the versions of the programs that set this state."
}) {}

/**
 * Reads the states of a user, by channel. A channel where the user has no state, or an empty one, is not in the map. With several
 * channels, a state that is not a JSON object is an `UndecodableItem` in its place. Fails with `PubNubError`, and with
 * {@link StateMismatch} when a state does not match the `schema`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channels}/uuid/{userId}`
 *
 * **Example** (A typed state)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const Player = Schema.Struct({ score: Schema.Int })
 *
 * const scoreOf = (userId: string) =>
 *   Presence.getState({ channels: ["game"], userId, schema: Player }).pipe(
 *     Effect.map((states) => states.get("game")?.score ?? 0)
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export function getState(
  options: GetStateOptions & { readonly schema?: undefined }
): Effect.Effect<
  ReadonlyMap<string, State | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
>
export function getState<A, RD = never>(
  options: GetStateOptions & {
    /** Decodes each state from its JSON form. */
    readonly schema: Schema.ConstraintDecoder<A, RD>
  }
): Effect.Effect<
  ReadonlyMap<string, A>,
  PubNubError.PubNubError | StateMismatch,
  HttpClient.HttpClient | PubNubConfig | RD
>
export function getState<A, RD>(
  options: GetStateOptions & { readonly schema?: Schema.ConstraintDecoder<A, RD> | undefined }
): Effect.Effect<
  ReadonlyMap<string, A | State | UndecodableItem>,
  PubNubError.PubNubError | StateMismatch,
  HttpClient.HttpClient | PubNubConfig | RD
> {
  type States = Effect.Effect<
    ReadonlyMap<string, A | State | UndecodableItem>,
    PubNubError.PubNubError | StateMismatch,
    HttpClient.HttpClient | PubNubConfig | RD
  >
  return Endpoint.reading("Presence.getState", (): States => {
    const { schema, ...whose } = options
    if (schema === undefined) return askState(whose)
    const decode = Payload.decodeWith(schema)
    return Effect.gen(function*() {
      const { userId = (yield* PubNubConfig).userId } = whose
      const states = yield* Effect.forEach(
        [...yield* askState(whose)],
        ([channel, state]) =>
          (isUndecodable(state) ? Effect.fail(state.issue) : decode(state)).pipe(
            Effect.map((typed) => [channel, typed] as const),
            Effect.mapError((issue) => new StateMismatch({ channel, userId, issue }))
          )
      )
      return new Map(states)
    })
  })
}

/**
 * Options of {@link setState}.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetStateOptions<A = { readonly [key: string]: unknown }, RE = never> extends GetStateOptions {
  /** A JSON object. It replaces the state before; an empty one clears it. */
  readonly state: NoInfer<A>
  /** Encodes the state: it is checked before it is sent, and its dates and big integers survive. */
  readonly schema?: Schema.ConstraintCodec<A, unknown, unknown, RE> | undefined
}

/**
 * Sets the state of a user on channels, or on the channels of groups. Programs that subscribe to their presence receive a
 * `StateChanged`. Succeeds with the state as the service stored it. Fails with `PubNubError`: a state that is not a JSON object, or
 * does not match its schema, is a `BadRequest`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channels}/uuid/{userId}/data?state=…`
 *
 * **Example** (A mood)
 *
 * ```ts
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const program = Presence.setState({ channels: ["lobby"], state: { mood: "good" } })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const setState = <A = { readonly [key: string]: unknown }, RE = never>(
  options: SetStateOptions<A, RE>
): Effect.Effect<State, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig | RE> =>
  Endpoint.reading("Presence.setState", () => {
    const { schema, state, ...whose } = options
    const encoded = schema === undefined ? Effect.fromResult(Payload.encode(state)) : Payload.encodeWith(schema, state)
    return Effect.flatMap(Effect.result(encoded), (text) => {
      const issue = Result.isFailure(text)
        ? text.failure
        : text.success.startsWith("{")
        ? undefined
        : "is not a JSON object"
      return Effect.map(
        Endpoint.run("Presence.setState", (config) => {
          const { issues, names, userId } = stateOf(whose, config)
          return {
            path: path`/v2/presence/sub-key/${subscribeKey}/channel/${names.channels}/uuid/${userId}/data`,
            query: {
              state: Result.getOrElse(text, () => ""),
              "channel-group": names.groups.join(",") || undefined
            },
            longInput: { location: "state", advice: "set a smaller one, or on fewer channels at once" },
            issues: [...issues, ...Input.issues({ state: issue })],
            parse: Json.parse,
            decode: decodeOneState
          }
        }),
        ({ payload }) => payload
      )
    })
  })

const decodeOneState = Codec.decodeResult(Schema.Struct({ payload: StateRecord }))
const decodeManyStates = Codec.decodeResult(
  Schema.Struct({ payload: Schema.Struct({ channels: Schema.Record(Schema.String, Envelope.Parsed) }) })
)
const readState = Items.reader(StateRecord)

const askState = (
  options: GetStateOptions
): Effect.Effect<
  ReadonlyMap<string, State | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> =>
  Endpoint.run("Presence.getState", (config) => {
    const { issues, names: { channels, groups }, userId } = stateOf(options, config)
    const [only, ...others] = channels
    return {
      path: path`/v2/presence/sub-key/${subscribeKey}/channel/${channels}/uuid/${userId}`,
      query: { "channel-group": groups.join(",") || undefined },
      issues,
      longInput: { location: "channels", advice: "ask for fewer at once" },
      parse: Json.parse,
      decode: (json) =>
        Result.map(
          // A state may have a key that is named channels: only the request tells the two shapes apart.
          only !== undefined && others.length + groups.length === 0
            ? Result.map(decodeOneState(json), ({ payload }) => [[only, payload] as const])
            : Result.map(
              decodeManyStates(json),
              ({ payload }) =>
                Object.entries(payload.channels).map(([channel, raw]) => [channel, readState(raw)] as const)
            ),
          (all) => new Map(all.filter(([, state]) => Object.keys(state).length > 0))
        )
    }
  })

const stateOf = (options: GetStateOptions, config: PubNubConfig["Service"]) => {
  const { userId = config.userId } = options
  const names = namesOf(options)
  return {
    userId,
    names,
    issues: [...nameIssues(options), ...emptyIssues(names), ...Input.issues({ userId: Names.user(userId) })]
  }
}

// --------------------------------------------------------------------------------------------------------------------
// names
// --------------------------------------------------------------------------------------------------------------------

type ChannelsAndGroups = Pick<GetStateOptions, "channels" | "groups">

const namesOf = ({ channels = [], groups = [] }: ChannelsAndGroups) => ({
  channels: Names.unique(channels),
  groups: Names.unique(groups)
})

const issue = Names.withoutPresence(": ask about the name without it")

const nameIssues = ({ channels = [], groups = [] }: ChannelsAndGroups): ReadonlyArray<PubNubError.Detail> => [
  ...Names.issuesOf("channels", channels, Infinity, { fewest: 0, issue }),
  ...Names.issuesOf("groups", groups, Infinity, { fewest: 0, issue })
]

const emptyIssues = ({ channels, groups }: ReturnType<typeof namesOf>): ReadonlyArray<PubNubError.Detail> =>
  channels.length + groups.length === 0
    ? [{ location: "channels", message: "and groups are both empty: pass at least one" }]
    : []
