/**
 * Who is where: {@link hereNow} and {@link stream} for the users of channels, {@link live} for the users of a channel as
 * they come and go, {@link whereNow} for the channels of a user, {@link getState} and {@link setState} for what users tell
 * about themselves. Its events come with `Subscribe.presence`. It needs the Presence add-on.
 *
 * @since 0.1.0
 */
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
 * What a user tells about itself on a channel: a JSON object. The service forgets it when the user leaves the channel
 * or times out.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  readonly [key: string]: Schema.Json
}

// --------------------------------------------------------------------------------------------------------------------
// who is there
// --------------------------------------------------------------------------------------------------------------------

/**
 * A user on a channel. `state` is there if it was asked for and the user has one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Occupant {
  /** Who is there. */
  readonly userId: string
  /** Only when asked for with `includeState`. Absent when this user has none here. */
  readonly state?: State
}

/**
 * How many users are on a channel, and who they are. `users` holds one page of them, or nobody if they were not asked
 * for; `occupancy` always counts all.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOccupancy {
  /** How many users are there, also when `users` has fewer. */
  readonly occupancy: number
  /** One page of them; nobody with `includeUsers: false`. */
  readonly users: ReadonlyArray<Occupant | UndecodableItem>
}

/**
 * Who is there. `channels` has every channel that was asked for by name, and of groups, or of the whole keyset, those
 * where somebody is.
 *
 * @category models
 * @since 0.1.0
 */
export interface HereNow {
  /** Over all channels; a user on two of them counts twice. */
  readonly totalOccupancy: number
  /** How many channels somebody is on. */
  readonly totalChannels: number
  /** By the name of the channel. */
  readonly channels: ReadonlyMap<string, ChannelOccupancy>
  /** The channels of which the service told something else than who is there, if any. They are not in `channels`. */
  readonly undecodable?: ReadonlyMap<string, UndecodableItem>
}

/**
 * What {@link hereNow} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface HereNowOptions {
  /**
   * Neither wildcards nor presence names. Without `channels` and `groups` all channels of the keyset are asked about;
   * lists that are both empty are refused.
   */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Channel groups, for their channels. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** Whether to tell the users' states. Default: `false`. */
  readonly includeState?: boolean | undefined
  /** Whether to tell who the users are, not only how many. Default: `true`. */
  readonly includeUsers?: boolean | undefined
  /** The most users of each channel, 1 to 1,000. Default: the service's own 1,000. */
  readonly limit?: number | undefined
  /** How many users of each channel to pass over. Default: 0. */
  readonly offset?: number | undefined
}

/**
 * Who is on some channels, on the channels of some groups, or, with neither, on all channels of the keyset. Fails with
 * `PubNubError`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channels}`, and without `/channel/…` for all. The service counts
 * users within seconds of their coming; one without a leave counts until its presence timeout is over.
 *
 * **Example** (How many are in a room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const howMany = (room: string) =>
 *   Presence.hereNow({ channels: [room], includeUsers: false }).pipe(Effect.map((here) => here.totalOccupancy))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const hereNow = (
  options: HereNowOptions = {}
): Effect.Effect<HereNow, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  askHereNow(() => options, "limit")

/**
 * What {@link stream} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** Whether to tell the users' states. Default: `false`. */
  readonly includeState?: boolean | undefined
  /** How many users to ask for at once, 1 to 1,000. Default: 1,000. */
  readonly pageSize?: number | undefined
}

/**
 * The users of one channel, however many they are: a page is asked for when its reader wants it, and none after the
 * reader stopped. Pages are counted from the start of the service's list, so that a user who comes or goes between two
 * of them may move another over the edge, who is then told twice or not at all. Fails with `PubNubError`.
 *
 * **Details**
 *
 * As {@link hereNow}, with `limit` and `offset`.
 *
 * **Example** (The first five who are in the mood)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Presence from "effect-herald/pubnub/Presence"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const five = Presence.stream({ channel: "lobby", includeState: true }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.filter(({ state }) => state?.mood === "good"),
 *   Stream.take(5)
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = (
  options: StreamOptions
): Stream.Stream<Occupant | UndecodableItem, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.readingStream("hereNow", () => Stream.flatMap(pagesOf(options), ({ users }) => Stream.fromIterable(users)))

const pagesOf = (
  { channel, includeState, pageSize = mostUsers }: StreamOptions
): Stream.Stream<ChannelOccupancy, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Stream.suspend(() => {
    const known = new Set<string>()
    return Paging.paginate(0, (offset) =>
      Effect.map(
        askHereNow(
          () => ({ channels: [channel], includeState, limit: pageSize, offset }),
          "pageSize",
          // What ignores the offset gives the same users again and again.
          ({ channels }) => {
            const users = channels.get(channel)?.users ?? []
            const isMoving = offset === 0 || users.some((user) => !known.has(keyOf(user)))
            for (const user of users) known.add(keyOf(user))
            return isMoving || users.length < pageSize ? undefined : "the next page has the users of earlier ones again"
          }
        ),
        ({ channels, undecodable: unreadable }) => {
          const odd = unreadable?.get(channel)
          const page = channels.get(channel) ?? (odd === undefined ? nobody : { occupancy: 0, users: [odd] })
          const end = offset + pageSize
          return [[page], page.users.length < pageSize || end >= page.occupancy ? Option.none() : Option.some(end)]
        }
      ))
  })

const keyOf = (entry: Occupant | UndecodableItem): string => "userId" in entry ? entry.userId : Json.text(entry.raw)

const nobody: ChannelOccupancy = { occupancy: 0, users: [] }

const askHereNow = (
  read: () => HereNowOptions,
  limitName: string,
  doubt: (found: HereNow) => string | undefined = () => undefined
): Effect.Effect<HereNow, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("hereNow", () => {
    const options = read()
    const { includeState = false, includeUsers = true, limit, offset = 0 } = options
    const names = namesOf(options)
    const { channels, groups } = names
    const isOfAll = channels.length + groups.length === 0
    return {
      path: isOfAll
        ? path`/v2/presence/sub-key/${subscribeKey}`
        : path`/v2/presence/sub-key/${subscribeKey}/channel/${channels}`,
      query: {
        "channel-group": groups.join(",") || undefined,
        state: includeState ? "1" : undefined,
        disable_uuids: includeUsers ? undefined : "1",
        limit: limit === undefined ? undefined : String(limit),
        offset: offset === 0 ? undefined : String(offset)
      },
      longInput: { location: "channels", advice: "ask for fewer at once" },
      issues: [
        ...nameIssues(options),
        ...options.channels === undefined && options.groups === undefined ? [] : emptyIssues(names),
        ...Input.issues({
          options: Input.record(options),
          [limitName]: Input.optional(Input.whole(1, mostUsers))(limit),
          offset: Input.whole(0)(offset),
          includeUsers: Input.flag(includeUsers),
          includeState: includeState && !includeUsers
            ? "needs includeUsers: states come with their users"
            : Input.flag(includeState)
        })
      ],
      // States keep their numbers.
      parse: Json.parse,
      decode: (json) =>
        Result.flatMap((channels.length === 1 ? decodeOneOrMany : decodeMany)(json), (answer) => {
          const found = toHereNow(answer, channels)
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
// The service writes many also for one channel, when there is a group beside it.
const OneOrMany = Schema.Union([Many, One])
const decodeMany = Codec.decodeResult(Many)
const decodeOneOrMany = Codec.decodeResult(OneOrMany)

const toHereNow = (answer: typeof OneOrMany.Type, channels: ReadonlyArray<string>): HereNow => {
  if (!("payload" in answer)) {
    return {
      totalOccupancy: answer.occupancy,
      totalChannels: answer.occupancy === 0 ? 0 : 1,
      channels: new Map(channels.map((channel) => [channel, toOccupancy(answer)]))
    }
  }
  const { payload } = answer
  const found = new Map(channels.map((channel) => [channel, nobody]))
  const unreadable = new Map<string, UndecodableItem>()
  for (const [channel, raw] of Object.entries(payload.channels)) {
    const one = readOne(raw)
    if (isDecoded(one)) found.set(channel, toOccupancy(one))
    else {
      found.delete(channel)
      unreadable.set(channel, one)
    }
  }
  return {
    totalOccupancy: payload.total_occupancy,
    totalChannels: payload.total_channels,
    channels: found,
    ...unreadable.size === 0 ? {} : { undecodable: unreadable }
  }
}

const readOne = Items.reader(One)

// Objects when states were asked for.
const readOccupant = Items.reader(
  Schema.Union([UserId, Schema.Struct({ uuid: UserId, state: Schema.optionalKey(StateRecord) })])
)

const toOccupancy = ({ occupancy, uuids = [] }: typeof One.Type): ChannelOccupancy => ({
  occupancy,
  users: uuids.map(readOccupant).map((entry) =>
    typeof entry === "string"
      ? { userId: entry }
      : "uuid" in entry
      ? { userId: entry.uuid, ...entry.state === undefined ? {} : { state: entry.state } }
      : entry
  )
})

// --------------------------------------------------------------------------------------------------------------------
// who is there, as it changes
// --------------------------------------------------------------------------------------------------------------------

/**
 * The users of a channel, and how many they are: the value of {@link live}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Occupancy {
  /** How many users are on the channel, as the service counts. `users` may have fewer when somebody came while they were listed. */
  readonly occupancy: number
  /** The users, by their ids. */
  readonly users: ReadonlyMap<string, Occupant>
}

/**
 * The options of {@link live}.
 *
 * @category models
 * @since 0.1.0
 */
export interface LiveOptions {
  /** One channel, neither a wildcard nor a presence name. */
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
    return LiveOccupancy.keep(channel, includeState, Stream.runCollect(pagesOf({ channel, includeState })))
  })

// --------------------------------------------------------------------------------------------------------------------
// where somebody is
// --------------------------------------------------------------------------------------------------------------------

/**
 * What {@link whereNow} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface WhereNowOptions {
  /** Default: the user of the configuration. */
  readonly userId?: string | undefined
}

/**
 * The channels that a user is on. What is no name is an `UndecodableItem` in its place. Fails with `PubNubError`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/uuid/{user}`
 *
 * **Example** (Is somebody online)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Presence from "effect-herald/pubnub/Presence"
 *
 * const isOnline = (user: string) => Effect.map(Presence.whereNow({ user }), (channels) => channels.length > 0)
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
  Endpoint.run("whereNow", ({ userId }) => {
    const { userId: user = userId } = options
    return {
      path: path`/v2/presence/sub-key/${subscribeKey}/uuid/${user}`,
      issues: Input.issues({ user: Names.user(user) }),
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
 * Whose state, and where. At least one channel or group is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface StateOptions {
  /** Neither wildcards nor presence names. */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Channel groups, for their channels. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** Default: the user of the configuration. */
  readonly userId?: string | undefined
}

/**
 * What {@link getState} takes where states have a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface GetStateOptions<A, RD = never> extends StateOptions {
  /** Reads each state from its JSON. */
  readonly schema: Payload.Reader<A, RD>
}

/**
 * A state that is not what the schema given to {@link getState} says. `issue` tells where they differ.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateMismatch extends Failure.TaggedError<StateMismatch>("pubnub")("StateMismatch", {
  channel: Schema.String,
  userId: Schema.String,
  issue: Schema.String
}, {
  message: ({ channel, issue, userId }) =>
    `getState: the state of ${userId} on ${channel} does not match its schema: ${issue}. Whoever ` +
    "set it may be of another version."
}) {}

/**
 * What a user tells about itself, by channel. A channel where it has no state, or an empty one, is not in the map. Of several
 * channels, what is no JSON object is an `UndecodableItem` in its place. Fails with `PubNubError`, and with
 * {@link StateMismatch} where a `schema` is given that a state does not match.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channels}/uuid/{user}`
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
 * const scoreOf = (user: string) =>
 *   Presence.getState({ channels: ["game"], user, schema: Player }).pipe(
 *     Effect.map((states) => states.get("game")?.score ?? 0)
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export function getState(
  options: StateOptions & { readonly schema?: undefined }
): Effect.Effect<
  ReadonlyMap<string, State | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
>
export function getState<A, RD = never>(
  options: GetStateOptions<A, RD>
): Effect.Effect<
  ReadonlyMap<string, A>,
  PubNubError.PubNubError | StateMismatch,
  HttpClient.HttpClient | PubNubConfig | RD
>
export function getState<A, RD>(
  options: StateOptions & { readonly schema?: Payload.Reader<A, RD> | undefined }
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
  return Endpoint.reading("getState", (): States => {
    const { schema, ...whose } = options
    if (schema === undefined) return askState(whose)
    const decode = Payload.decodeWith(schema)
    return Effect.gen(function*() {
      const { userId } = yield* PubNubConfig
      const { userId: user = userId } = whose
      const states = yield* Effect.forEach(
        [...yield* askState(whose)],
        ([channel, state]) =>
          (isUndecodable(state) ? Effect.fail(state.issue) : decode(state)).pipe(
            Effect.map((typed) => [channel, typed] as const),
            Effect.mapError((issue) => new StateMismatch({ channel, userId: user, issue }))
          )
      )
      return new Map(states)
    })
  })
}

/**
 * What {@link setState} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SetStateOptions<A = { readonly [key: string]: unknown }, RE = never> extends StateOptions {
  /** A JSON object, which replaces the one before. An empty one clears it. */
  readonly state: NoInfer<A>
  /** Encodes the state, so that it is checked before it is sent and its dates and big integers survive. */
  readonly schema?: Payload.Writer<A, RE> | undefined
}

/**
 * Tells something about a user on some channels, or on the channels of some groups; whoever listens to their presence
 * gets a `StateChanged`. Gives the state as the service keeps it. Fails with `PubNubError`: a state that is not
 * a JSON object, or does not match its schema, is `BadRequest`.
 *
 * **Details**
 *
 * `GET /v2/presence/sub-key/{subscribeKey}/channel/{channels}/uuid/{user}/data?state=…`
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
  Endpoint.reading("setState", () => {
    const { schema, state, ...whose } = options
    const encoded = schema === undefined ? Effect.fromResult(Payload.encode(state)) : Payload.encodeWith(schema, state)
    return Effect.flatMap(Effect.result(encoded), (text) => {
      const issue = Result.isFailure(text)
        ? text.failure
        : text.success.startsWith("{")
        ? undefined
        : "is not a JSON object"
      return Effect.map(
        Endpoint.run("setState", (config) => {
          const { issues, names, user } = stateOf(whose, config)
          return {
            path: path`/v2/presence/sub-key/${subscribeKey}/channel/${names.channels}/uuid/${user}/data`,
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
  options: StateOptions
): Effect.Effect<
  ReadonlyMap<string, State | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> =>
  Endpoint.run("getState", (config) => {
    const { issues, names: { channels, groups }, user } = stateOf(options, config)
    const [only, ...others] = channels
    return {
      path: path`/v2/presence/sub-key/${subscribeKey}/channel/${channels}/uuid/${user}`,
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

const stateOf = (options: StateOptions, { userId }: PubNubConfig["Service"]) => {
  const { userId: user = userId } = options
  const names = namesOf(options)
  return {
    user,
    names,
    issues: [...nameIssues(options), ...emptyIssues(names), ...Input.issues({ user: Names.user(user) })]
  }
}

// --------------------------------------------------------------------------------------------------------------------
// names
// --------------------------------------------------------------------------------------------------------------------

type ChannelsAndGroups = Pick<StateOptions, "channels" | "groups">

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
  channels.length + groups.length === 0 ? [{ location: "channels", message: "and groups are both empty" }] : []
