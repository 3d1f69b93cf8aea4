/**
 * Fleets of durable readers on Effect Cluster: the channels are spread over lanes, and the lanes over the runners of a cluster. A
 * lane moves to another runner when its own one dies, and goes on at the cursor that was committed last.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as EntityId from "effect/cluster/EntityId"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { CursorStore, type CursorStoreError } from "../CursorStore.ts"
import * as Guarded from "../internal/guarded.ts"
import * as Handling from "../internal/handling.ts"
import * as Input from "../internal/input.ts"
import * as Text from "../internal/text.ts"
import * as ChannelName from "../pubnub/ChannelName.ts"
import type { WithSchema } from "../pubnub/History.ts"
import * as Pace from "../pubnub/internal/reading/pace.ts"
import * as Registry from "../pubnub/internal/reading/registry.ts"
import { PubNubConfig } from "../pubnub/PubNubConfig.ts"
import * as Subscribe from "../pubnub/Subscribe.ts"
import type * as SubscribeEvent from "../pubnub/SubscribeEvent.ts"
import * as Timetoken from "../pubnub/Timetoken.ts"
import * as Retry from "../Retry.ts"
import { FleetError } from "./FleetError.ts"
import type { FleetHealth, LaneState } from "./FleetHealth.ts"
import { FleetStore, type Settings } from "./FleetStore.ts"
import { differing } from "./internal/differing.ts"
import * as CatchUps from "./internal/catchUps.ts"
import * as HandOver from "./internal/handOver.ts"
import * as Lane from "./internal/lane.ts"
import * as LaneOf from "./internal/laneOf.ts"
import * as Metrics from "./internal/metrics.ts"
import * as Named from "./internal/named.ts"
import * as Resize from "./internal/resize.ts"
import * as Spread from "./internal/spread.ts"
import type { Claim } from "./SqlCursorStore.ts"

/**
 * Options of {@link layer} and {@link layerPages}. `Work` is what the handler takes: a message, or the messages of a page.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Work, E, E2 = never, R2 = never, E3 = never, R3 = never> extends
  Pick<
    Subscribe.ConsumeOptions<Work, E, E2, R2, E3, R3>,
    | "catchUp"
    | "commit"
    | "commitRetry"
    | "concurrency"
    | "deadLetter"
    | "filter"
    | "from"
    | "onStatus"
    | "reconnect"
    | "retry"
  >
{
  /** The name of the fleet, at most 100 characters. The readers of its lanes are `name/0`, `name/1`, … */
  readonly name: string
  /**
   * Over how many lanes the channels are spread, from 1 to 10,000. Cursors belong to lanes: all runners need the same number, and
   * only {@link resize} changes it.
   */
  readonly lanes: number
  /**
   * Channels that all runners name, beside those of {@link addChannels}. A wildcard (`a.*`) has a lane of its own. A channel that
   * is in a wildcard, too, is read twice. Default: none.
   */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Channel groups, each with a lane of its own. Wildcards and groups have at most 140 characters here. Default: none. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** The shard group of the cluster in which the lanes run. Default: `default`. */
  readonly shardGroup?: string | undefined
  /** How this runner is named in the database and in messages. Default: a random name. */
  readonly owner?: string | undefined
  /** How often runners look for added and removed channels. Default: 3 seconds. */
  readonly refresh?: Duration.Input | undefined
  /**
   * How long handlers that run, and their transactions, may take to finish when their lane moves. What they finished is committed;
   * what they did not comes again. The reader has 7 seconds more to commit. Then the lane moves even if a handler cannot be
   * interrupted. Default: 2 seconds.
   */
  readonly handOver?: Duration.Input | undefined
  /**
   * After how long a lane is `Stuck`, and its runner not healthy, in which handlers run and none of them ends. Longer than the
   * longest handler, or `Infinity`. Default: 5 minutes.
   */
  readonly stuckAfter?: Duration.Input | undefined
  /**
   * How many handlers may run at once on this runner, over all its lanes: a whole number, or `Infinity`. With `commit:
   * "transaction"` each of them holds a connection of the pool: then it should be at most `maxConnections` less 5, or claims and
   * other lanes wait for a connection. Default: `Infinity`.
   */
  readonly handlersPerRunner?: number | undefined
  /**
   * How long a lane waits after another runner claimed it, before it asks the cluster whether the lane is its own again. It must
   * be longer than a refresh of the shard locks. Default: 12 seconds.
   */
  readonly pause?: Duration.Input | undefined
  /**
   * When a lane starts again whose reader failed. After a minute without a failure it begins anew. Default: a second to 15 seconds
   * apart, without an end.
   */
  readonly restart?: Retry.Policy<string> | undefined
}

/**
 * A fleet on this runner.
 *
 * @category services
 * @since 0.1.0
 */
export class Fleet extends Context.Service<Fleet, {
  /** The name of the fleet. */
  readonly name: string
  /** How this runner is named. */
  readonly owner: string
  /** See {@link health}. */
  readonly health: Effect.Effect<FleetHealth>
}>()("effect-herald/fleet/Fleet") {}

/**
 * Succeeds with the state of the fleet on this runner, for a probe. It asks nothing of the database.
 *
 * **Example** (A route for a probe)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import * as Fleet from "effect-herald/fleet/Fleet"
 *
 * const probe = HttpRouter.add(
 *   "GET",
 *   "/health",
 *   Effect.map(Fleet.health, ({ isHealthy }) => HttpServerResponse.empty({ status: isHealthy ? 200 : 503 }))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const health: Effect.Effect<FleetHealth, never, Fleet> = Effect.flatMap(Fleet, ({ health }) => health)

type Needs<RD, R> = Sharding.Sharding | FleetStore | HttpClient.HttpClient | PubNubConfig | RD | Exclude<R, Scope.Scope>

/**
 * Runs a fleet of durable readers: on each runner of a cluster, with the same options. Each message is handled at least once, by
 * the runner that owns the lane of its channel.
 *
 * **Details**
 *
 * A channel is read by the lane `hash(channel) % lanes`. Each lane is a singleton of the cluster with one long poll and one
 * cursor, and reads as `Subscribe.consume` does; `concurrency`, `retry` and `deadLetter` have the same meaning here. A lane whose
 * reader fails is started again by `restart`, and does not concern the others.
 *
 * When a runner dies, the cluster gives its lanes to the others. Each new owner claims the lane, so the old one cannot commit any
 * more even if it was only frozen, and goes on at the last commit. In an orderly move (a deploy, a further runner) handlers that
 * run may finish first, for at most `handOver`, and what they handled does not come again.
 *
 * While lanes catch up from history, all runners together make at most `historyRate` requests a second (`PubNubConfig`).
 *
 * Fails with `FleetError` at the start: `BadOptions`; `Mismatch` if the database knows this fleet with another number of lanes or
 * shards; `Duplicate` if this program runs it already. Metrics: `herald_fleet_lanes`, `herald_fleet_lag_millis`,
 * `herald_fleet_oldest_commit_millis`, `herald_fleet_failing_lanes`, and counters `herald_fleet_handled`,
 * `herald_fleet_refused_commits`, `herald_fleet_take_overs`, `herald_fleet_failures`, `herald_fleet_history_requests`,
 * `herald_fleet_catch_ups`: how often lanes began to ask history, after a minute or more without a request.
 *
 * **Example** (A runner)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import type * as Sharding from "effect/cluster/Sharding"
 * import type * as SqlClient from "effect/sql/SqlClient"
 * import * as Fleet from "effect-herald/fleet/Fleet"
 * import * as SqlFleetStore from "effect-herald/fleet/SqlFleetStore"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 *
 * declare const Cluster: Layer.Layer<Sharding.Sharding, never, SqlClient.SqlClient>
 * declare const Postgres: Layer.Layer<SqlClient.SqlClient>
 *
 * const Orders = Fleet.layer((message) => Effect.log(message.channel, message.payload), { name: "orders", lanes: 64 })
 *
 * const Runner = Orders.pipe(
 *   Layer.provide([Cluster, SqlFleetStore.layer(), NodePubNub.layerConfig()]),
 *   Layer.provide(Postgres)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R, A = Schema.Json, RD = never, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (message: SubscribeEvent.Message<A>) => Effect.Effect<unknown, E, R>,
  options: Options<SubscribeEvent.Message<A>, E, E2, R2, E3, R3> & WithSchema<A, RD>
): Layer.Layer<Fleet, FleetError, Needs<RD, R | R2 | R3>> =>
  make(handler, options, ({ deadLetter, ...options }, guard, lane) =>
    Subscribe.consume<E, R, A, RD, E2, R2, E3, R3>(
      (message) => guard(() => handler(message), [message]),
      {
        ...options,
        ...lane,
        deadLetter: deadLetter && ((message, error) => guard(() => deadLetter(message, error), [message]))
      }
    ))

/**
 * Runs a fleet whose handler takes all messages of a page at once, as `Subscribe.consumePages` does: for one insert instead of a
 * hundred. Otherwise it is like {@link layer}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPages = <E, R, A = Schema.Json, RD = never, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (messages: Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A>>) => Effect.Effect<unknown, E, R>,
  options:
    & Options<Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A>>, E, E2, R2, E3, R3>
    & WithSchema<A, RD>
): Layer.Layer<Fleet, FleetError, Needs<RD, R | R2 | R3>> =>
  make(
    handler,
    options,
    ({ deadLetter, ...options }, guard, lane) =>
      Subscribe.consumePages<E, R, A, RD, E2, R2, E3, R3>(
        (messages) => guard(() => handler(messages), messages),
        {
          ...options,
          ...lane,
          deadLetter: deadLetter && ((messages, error) => guard(() => deadLetter(messages, error), messages))
        }
      )
  )

// --------------------------------------------------------------------------------------------------------------------
// channels and lanes
// --------------------------------------------------------------------------------------------------------------------

/**
 * Options of {@link addChannels}, {@link removeChannels} and {@link untilRead}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelsOptions {
  /** The name of the fleet. It need not run. */
  readonly fleet: string
  /** The channels: names without wildcards, of at most 2,000 bytes. */
  readonly channels: ReadonlyArray<string>
}

/**
 * Adds channels to a fleet, from any process. Their lanes read them within `refresh`, and every lane that moves later knows them.
 * A channel that is there stays as it is.
 *
 * **Gotchas**
 *
 * Messages that are published before the lane has noticed its new channel may be missed. To lose none, wait with {@link untilRead}
 * before the first one is published.
 *
 * Fails with `FleetError`: `BadOptions` for a name that is not a plain channel.
 *
 * **Example** (A channel for each room)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Fleet from "effect-herald/fleet/Fleet"
 *
 * const open = (room: string) =>
 *   Effect.andThen(
 *     Fleet.addChannels({ fleet: "orders", channels: [room] }),
 *     Fleet.untilRead({ fleet: "orders", channels: [room] })
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const addChannels = (options: ChannelsOptions): Effect.Effect<void, FleetError, FleetStore> =>
  ofChannels("Fleet.addChannels", options, (store, fleet, channels) => store.addChannels(fleet, channels))

/**
 * Removes channels from a fleet, from any process. Their lanes leave them within `refresh`. Messages that a lane had already
 * received are still handled. Fails with `FleetError`.
 *
 * @category requests
 * @since 0.1.0
 */
export const removeChannels = (options: ChannelsOptions): Effect.Effect<void, FleetError, FleetStore> =>
  ofChannels("Fleet.removeChannels", options, (store, fleet, channels) => store.removeChannels(fleet, channels))

/**
 * Waits until the lanes of channels read them: every message that is published afterwards is handled. It asks twice a second, and
 * waits as long as the fleet does not run: use `Effect.timeout`. Fails with `FleetError`.
 *
 * @category requests
 * @since 0.1.0
 */
export const untilRead = (options: ChannelsOptions): Effect.Effect<void, FleetError, FleetStore> =>
  ofChannels("Fleet.untilRead", options, (store, fleet, channels) =>
    Effect.asVoid(
      Effect.repeat(store.waiting(fleet, channels), {
        until: (waiting) => waiting === 0,
        schedule: Schedule.spaced("500 millis")
      })
    ))

/**
 * The lane that reads a channel: a number from 0 on. It is the FNV-1a hash (32 bits) of the name's UTF-8 bytes behind the
 * finalizer of MurmurHash3, modulo `lanes`, and never changes.
 *
 * @category conversions
 * @since 0.1.0
 */
export const laneOf = (channel: string, lanes: number): number => LaneOf.laneOf(channel, lanes)

/**
 * Changes the number of lanes of a fleet that is stopped, and of its shards. Of the old and the new number of lanes one must be a
 * multiple of the other.
 *
 * **Details**
 *
 * When lanes are split, each new lane starts at the cursor of the lane that its channels come from: nothing is lost, and nothing
 * comes twice. When lanes are merged, the lane takes the older cursor: nothing is lost, and what the others had handled after it
 * comes again. Wildcards and groups keep their lanes. All of it is one transaction, and each lane is claimed in it: a runner that
 * still works with the old numbers can neither commit nor claim.
 *
 * Fails with `FleetError`, and with `CursorStoreError` if a cursor cannot be read.
 *
 * **Example** (From 8 to 16 lanes)
 *
 * ```ts
 * import * as Fleet from "effect-herald/fleet/Fleet"
 *
 * const grow = Fleet.resize({ fleet: "orders", lanes: 16, shards: 16 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const resize = (options: {
  /** The name of the fleet. */
  readonly fleet: string
  /** The new number of lanes. */
  readonly lanes: number
  /** The new number of shards (`shardsPerGroup` of the cluster), if it changes. Default: as before. */
  readonly shards?: number | undefined
  /** The new shard group, if it changes. Default: as before. */
  readonly shardGroup?: string | undefined
}): Effect.Effect<void, FleetError | CursorStoreError, FleetStore> =>
  Effect.gen(function*() {
    const store = yield* FleetStore
    const given = yield* checked("Fleet.resize", options, ({ fleet }) =>
      fleet, ({ fleet, lanes, shardGroup, shards }) =>
      Input.issues({
        fleet: nameOf(fleet),
        lanes: Input.whole(1, mostLanes)(lanes),
        shards: Input.optional(Input.whole(1))(shards),
        shardGroup: Input.optional(Input.notBlank)(shardGroup)
      }))
    const { fleet, lanes } = given
    const before = yield* store.settings(fleet)
    const refused = (description: string) =>
      new FleetError({ operation: "Fleet.resize", fleet, kind: "BadOptions", description })
    if (before === undefined) {
      return yield* refused("the database does not know this fleet")
    }
    const from = before.lanes
    if (from % lanes !== 0 && lanes % from !== 0) {
      return yield* refused(`it has ${from} lanes, and neither of ${from} and ${lanes} is a multiple of the other`)
    }
    const { shardGroup = before.shardGroup, shards = before.shards } = given
    const settings: Settings = { fleet, lanes, shards, shardGroup }
    if (differing(settings, before) === undefined) {
      return
    }
    yield* store.resize(
      settings,
      Effect.gen(function*() {
        const claims = yield* Effect.forEach(
          Array.from({ length: Math.max(from, lanes) }, (_, lane) =>
            readerOf(fleet, lane)),
          (reader) =>
            store.claim({ settings, reader, owner: "Fleet.resize" })
        )
        const cursors = yield* Effect.forEach(claims.slice(0, from), ({ reader, store }) =>
          store.load(reader))
        for (const [lane, { reader, store }] of claims.slice(0, lanes).entries()) {
          const cursor = Resize.oldest(Resize.sourcesOf(lane, from, lanes).map((source) => cursors[source]))
          if (cursor !== undefined && cursor !== cursors[lane]) yield* store.save(reader, cursor)
        }
      })
    )
  })

// --------------------------------------------------------------------------------------------------------------------
// internal
// --------------------------------------------------------------------------------------------------------------------

const mostLanes = 10_000

const named = (most: number): Input.Check => Input.all(Input.notBlank, Input.characters(most), Input.printable)

const nameOf = named(100)

const readerOf = (fleet: string, lane: number | string): string => `${fleet}/${lane}`

const plainName: Input.Check = (name) => ChannelName.issue(name)

/** The name of a channel in the table, whose index of PostgreSQL holds no longer ones. */
const tableName = Input.all(plainName, Input.bytes(2_000))

/** The name of a wildcard or group, which names its lane: a reader has at most 255 characters. */
const laneName: Input.Check = Input.characters(140)

/** Reads the options of a caller once, or fails with what is wrong with them. */
const checked = <O extends object>(
  operation: string,
  options: O,
  fleetOf: (options: O) => unknown,
  issues: (options: O) => ReadonlyArray<Input.Detail>
): Effect.Effect<O, FleetError> =>
  Effect.suspend(() => {
    let fleet = ""
    const read = Result.flatMap(
      Guarded.attempt((): Result.Result<O, ReadonlyArray<Input.Detail>> => {
        const wrong = Input.record(options)
        const given = { ...options }
        const name = fleetOf(given)
        if (typeof name === "string" && nameOf(name) === undefined) fleet = name
        const details = wrong === undefined ? issues(given) : [{ location: "options", message: wrong }]
        return details.length > 0 ? Result.fail(details) : Result.succeed(given)
      }),
      (read) => read
    )
    return Result.isSuccess(read) ? Effect.succeed(read.success) : Effect.fail(
      new FleetError({ operation, fleet, kind: "BadOptions", description: Text.complaint("", read.failure) })
    )
  })

const ofChannels = (
  operation: string,
  options: ChannelsOptions,
  work: (
    store: FleetStore["Service"],
    fleet: string,
    channels: ReadonlyArray<string>
  ) => Effect.Effect<void, FleetError>
) =>
  Effect.gen(function*() {
    const { channels, fleet } = yield* checked(operation, options, ({ fleet }) => fleet, ({ channels, fleet }) => [
      ...Input.issues({ fleet: nameOf(fleet) }),
      ...Input.each("channels", channels, tableName)
    ])
    if (channels.length > 0) yield* work(yield* FleetStore, fleet, [...new Set(channels)])
  })

const readName: Input.Check = (name) =>
  ChannelName.subscriptionIssue(name) ??
    (typeof name === "string" && ChannelName.isWildcard(name) ? laneName(name) : undefined)

type Common = Options<never, never, unknown, unknown, unknown, unknown>

const issuesOf = (handler: unknown, options: Common): ReadonlyArray<Input.Detail> => {
  const optional = (value: Duration.Input | undefined) => value === undefined ? undefined : Input.duration(value)
  const wholeOrInfinity: Input.Check = (value) => value === Infinity ? undefined : Input.whole(1)(value)
  return [
    ...Input.issues({
      name: nameOf(options.name),
      lanes: Input.whole(1, mostLanes)(options.lanes),
      shardGroup: Input.optional(Input.notBlank)(options.shardGroup),
      owner: Input.optional(named(200))(options.owner),
      refresh: optional(options.refresh),
      handOver: options.handOver === undefined ? undefined : Input.patience(options.handOver),
      stuckAfter: options.stuckAfter === undefined ? undefined : Input.patience(options.stuckAfter),
      handlersPerRunner: Input.optional(wholeOrInfinity)(options.handlersPerRunner),
      pause: optional(options.pause)
    }),
    ...Input.retry("restart", options.restart),
    ...Handling.issuesOf(handler, options, wholeOrInfinity),
    ...options.channels === undefined ? [] : Input.each("channels", options.channels, readName),
    ...options.groups === undefined ? [] : Input.each("groups", options.groups, Input.all(plainName, laneName))
  ]
}

/** Runs a handler within the limits of the runner and of its lane. */
type Guard = <E, R>(
  handler: () => Effect.Effect<unknown, E, R>,
  messages: ReadonlyArray<SubscribeEvent.Message<unknown>>
) => Effect.Effect<unknown, E, R>

/** Whether a handler runs in a transaction, which is guarded as a whole. */
const InTransaction = /* @__PURE__ */ Context.Reference<boolean>("effect-herald/fleet/Fleet/InTransaction", {
  defaultValue: () => false
})

/**
 * The store, with transactions that wait for their turn before they take a connection, and that a hand-over lets finish up to their
 * COMMIT.
 */
const inTurn = (store: Claim["store"], { guard }: HandOver.HandOver): Claim["store"] => ({
  ...store,
  transaction: (reader, cursor, work) =>
    guard(store.transaction(reader, cursor, Effect.provideService(work, InTransaction, true)))
})

type Given = Pick<Subscribe.PagesOptions, "channels" | "groups" | "reader">

/** The fleets that a program runs on each of its clusters. The cluster would end the program that registers a lane twice. */
const fleetsOn = /* @__PURE__ */ new WeakMap<Sharding.Sharding["Service"], Set<string>>()

const usualRestart = { base: "1 second", cap: "15 seconds" } as const

const make = <O extends Common, E, R>(
  handler: unknown,
  given: O,
  read: (options: O, guard: Guard, lane: Given) => Effect.Effect<void, E, R | CursorStore>
) =>
  Layer.effect(
    Fleet,
    Effect.gen(function*() {
      const options = yield* checked("Fleet.layer", given, ({ name }) => name, (options) => issuesOf(handler, options))
      const { handlersPerRunner = Infinity, lanes, name, refresh = "3 seconds", shardGroup = "default" } = options
      const owner = options.owner ?? `runner-${yield* Random.nextIntBetween(0, 2 ** 31)}`
      const failed = (kind: FleetError["kind"], description: string) =>
        new FleetError({ operation: "Fleet.layer", fleet: name, kind, description })
      const config = yield* PubNubConfig
      if (config.issues.length > 0) return yield* failed("BadOptions", Text.complaint("", config.issues))
      const clock = yield* Clock.Clock
      const sharding = yield* Sharding.Sharding
      const store = yield* FleetStore
      const cluster = yield* Effect.serviceOption(ShardingConfig.ShardingConfig)
      if (Option.isSome(cluster) && !cluster.value.assignedShardGroups.includes(shardGroup)) {
        return yield* failed("BadOptions", `shard group ${shardGroup} is not in assignedShardGroups of the cluster`)
      }
      const shardOf = (name: string) => sharding.getShardId(EntityId.make(name), shardGroup)

      // All runners must agree, or two of them would read one lane.
      const settings: Settings = { fleet: name, lanes, shards: Spread.shardsOf((name) => shardOf(name).id), shardGroup }
      const stored = yield* store.begin(settings)
      const difference = differing(settings, stored)
      if (difference !== undefined) return yield* failed("Mismatch", difference)

      const here = fleetsOn.get(sharding) ?? new Set()
      fleetsOn.set(sharding, here)
      if (here.has(name)) return yield* failed("Duplicate", "this program runs it already")
      here.add(name)
      yield* Effect.addFinalizer(() => Effect.sync(() => here.delete(name)))

      const metrics = Metrics.make(name)
      const states = new Map<string, LaneState>()
      // The cluster stops the lanes of a layer one after another. They must end together, or a deploy takes long.
      const running = new Set<string>()
      const ending = Latch.makeUnsafe(false)
      const ended = Latch.makeUnsafe(true)
      const permits = handlersPerRunner === Infinity ? undefined : Semaphore.makeUnsafe(handlersPerRunner)
      const restart = Retry.toSchedule(options.restart ?? usualRestart)
      // Where the database cannot be asked, the limit of each lane holds.
      const historyTurn = metrics.askedHistory.pipe(
        Effect.andThen(store.historyTurn(name, config.historyRate)),
        Effect.flatMap(Effect.sleep),
        Effect.ignore
      )

      const all = [...new Set(options.channels)]
      const fixed = all.filter((channel) => !ChannelName.isWildcard(channel))
      const none: Lane.Names = { channels: [], groups: [], waiting: [] }
      const hashed = yield* Effect.forEach(Array.from({ length: lanes }), () => SubscriptionRef.make(none))
      const special = yield* Effect.forEach([
        ...all.filter(ChannelName.isWildcard).map((channel) => [channel, { ...none, channels: [channel] }] as const),
        ...[...new Set(options.groups)].map((group) => [`group ${group}`, { ...none, groups: [group] }] as const)
      ], ([lane, names]) => Effect.map(SubscriptionRef.make<Lane.Names>(names), (names) => [lane, names] as const))

      let version: number | undefined
      let tableFailure: string | undefined
      // Names that somebody else wrote into the table: one of them would stop the reader of its lane.
      let leftOut = new Set<string>()
      const readTable = Effect.gen(function*() {
        const table = yield* store.channels(name, version)
        tableFailure = undefined
        if (table === undefined) return
        const channels = Array.from({ length: lanes }, (): Array<string> => [])
        const wrong = new Map(
          table.channels.flatMap((channel) => {
            const issue = ChannelName.issue(channel)
            return issue === undefined ? [] : [[channel, issue] as const]
          })
        )
        for (const [channel, issue] of wrong) {
          if (leftOut.has(channel)) continue
          const shown = Text.told(Text.bounded(channel, 100))
          yield* Effect.logWarning(`The channel "${shown}" in the table is left out: its name ${issue}.`)
        }
        leftOut = new Set(wrong.keys())
        for (const channel of new Set([...fixed, ...table.channels])) {
          if (leftOut.has(channel)) continue
          channels[LaneOf.laneOf(channel, lanes)]?.push(channel)
        }
        const waiting = new Set(table.waiting)
        for (const [lane, ref] of hashed.entries()) {
          const own = (channels[lane] ?? []).toSorted()
          const names = { ...none, channels: own, waiting: own.filter((channel) => waiting.has(channel)) }
          const isKnown = Lane.isSame(names, yield* SubscriptionRef.get(ref)) && names.waiting.length === 0
          if (!isKnown) yield* SubscriptionRef.set(ref, names)
        }
        version = table.version
      })
      // One look after the other: an older answer must not come after a newer one. Lanes that are claimed together share the first
      // look that begins after their claims.
      const oneLook = Semaphore.makeUnsafe(1).withPermits(1)
      let order = 0
      let lastLook = -1
      const look = Effect.suspend(() => {
        const asked = order++
        return oneLook(Effect.suspend(() => {
          if (lastLook > asked) return Effect.void
          const began = order++
          return Effect.map(readTable, () => {
            lastLook = began
          })
        }))
      })
      yield* Effect.annotateLogs(look, { fleet: name })

      const laneOn = (reader: string, names: SubscriptionRef.SubscriptionRef<Lane.Names>, isOurs: () => boolean) => {
        const report: Lane.Lane["report"] = (state) => {
          const before = states.get(reader)
          const now = clock.currentTimeMillisUnsafe()
          states.set(reader, {
            reader,
            channels: 0,
            epoch: 0,
            ...before,
            since: before?.state === state.state ? before.since : now,
            ...state
          })
        }
        const turn = CatchUps.counted(historyTurn, metrics.caughtUp)
        return Lane.run({
          reader,
          names,
          // The runner before may have noted channels as read that this one has not seen.
          claim: Effect.tap(store.claim({ settings, reader, owner }), () => look),
          isOurs,
          pause: options.pause ?? "12 seconds",
          restart,
          report,
          refused: metrics.refused,
          failed: metrics.failed,
          claimed: ({ epoch }) => epoch > 1 ? metrics.takenOver : Effect.void,
          taken: (channels, claim) =>
            Effect.ignore(Effect.retry(store.taken(name, channels, claim), Schedule.spaced(refresh))),
          read: (names, store, stop) => {
            note(reader, { handlingSince: undefined })
            const handOver = HandOver.make(
              options.handOver ?? "2 seconds",
              permits,
              (running) => note(reader, { handlingSince: running === 0 ? undefined : clock.currentTimeMillisUnsafe() })
            )
            const guard: Guard = (handler, messages) =>
              Effect.tap(
                Effect.flatMap(
                  InTransaction,
                  (isGuarded) => isGuarded ? handler() : handOver.guard(Effect.suspend(handler))
                ),
                () => Effect.andThen(metrics.handled(messages.length), noteLag(reader, messages))
              )
            return handOver.run(read(options, guard, { ...names, reader }), stop).pipe(
              Effect.provideService(CursorStore, Lane.onSave(inTurn(store, handOver), noteCommit(reader))),
              Effect.provideService(Pace.Shared, turn),
              // Each lane has a connection of its own.
              Effect.provideService(Registry.Current, undefined)
            )
          }
        }).pipe(
          Effect.raceFirst(ending.await),
          Effect.annotateLogs({ fleet: name, lane: reader }),
          Effect.ensuring(Effect.sync(() => {
            states.delete(reader)
            running.delete(reader)
            if (running.size === 0) ended.openUnsafe()
          })),
          (lane) =>
            Effect.suspend(() => {
              running.add(reader)
              ended.closeUnsafe()
              return lane
            })
        )
      }
      const note = (reader: string, what: Partial<LaneState>) => {
        const before = states.get(reader)
        if (before !== undefined) states.set(reader, { ...before, ...what })
      }
      const noteCommit = (reader: string) =>
        Effect.map(Clock.currentTimeMillis, (committedAt) => note(reader, { committedAt }))
      const noteLag = (reader: string, messages: ReadonlyArray<SubscribeEvent.Message<unknown>>) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const last = messages.at(-1)
          if (last !== undefined) note(reader, { lag: now - Number(Timetoken.toBigInt(last.timetoken) / 10_000n) })
        })

      const readers = [
        ...hashed.map((names, lane) => ({ reader: readerOf(name, lane), names })),
        ...special.map(([lane, names]) => ({ reader: readerOf(name, lane), names }))
      ]
      const singletons = Spread.names(readers.map(({ reader }) => reader), (name) => shardOf(name).id)
      for (const [index, { names, reader }] of readers.entries()) {
        const singleton = singletons[index] ?? reader
        const run = laneOn(reader, names, () => sharding.hasShardId(shardOf(singleton)))
        yield* sharding.registerSingleton(singleton, run, { shardGroup })
      }

      yield* Effect.addFinalizer(() => Effect.andThen(ending.open, ended.await))

      // A lane that moves to a runner with other names passes over what it no longer reads. The newest start counts.
      const hash = Named.hash(options.channels, options.groups)
      yield* store.noteNamed(name, { owner, hash })
      const ownReaders = new Set(readers.map(({ reader }) => reader))
      let differs: string | undefined
      const compare = Effect.gen(function*() {
        const newest = yield* store.named(name)
        const isOther = newest !== undefined && newest.hash !== hash &&
          (yield* store.lanes(name)).some(({ owner, reader }) => owner === newest.owner && ownReaders.has(reader))
        const before = differs
        differs = isOther
          ? `runner ${Text.told(newest.owner)}, which started later, names other channels or groups`
          : undefined
        if (differs !== undefined && differs !== before) {
          yield* Effect.logWarning(`${differs}: messages are lost when lanes move between the two`)
        }
      })

      const stuckAfter = Duration.toMillis(options.stuckAfter ?? "5 minutes")
      const shownAt = (now: number) => (lane: LaneState): LaneState =>
        lane.state === "Reading" && lane.handlingSince !== undefined && now - lane.handlingSince >= stuckAfter
          ? { ...lane, state: "Stuck", since: lane.handlingSince + stuckAfter }
          : lane
      const measure = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const own = [...states.values()].map(shownAt(now))
        return metrics.gauges({
          lanes: own.length,
          lag: Math.max(0, ...own.map(({ lag }) => lag ?? 0)),
          oldest: Math.max(0, ...own.map(({ committedAt }) => committedAt === undefined ? 0 : now - committedAt)),
          failing: own.filter(({ state }) => state === "Failing" || state === "Stopped" || state === "Stuck").length
        })
      })
      yield* look.pipe(
        Effect.andThen(compare),
        Effect.catch((error) =>
          Effect.suspend(() => {
            tableFailure = error.message
            return Effect.logWarning(error.message)
          })
        ),
        Effect.andThen(measure),
        Effect.delay(refresh),
        Effect.forever,
        Effect.annotateLogs({ fleet: name }),
        Effect.forkScoped
      )
      const isWell = ({ state }: LaneState) => state === "Reading" || state === "Waiting"
      return Fleet.of({
        name,
        owner,
        health: Effect.sync(() => {
          const own = [...states.values()].toSorted((one, other) => one.reader < other.reader ? -1 : 1)
            .map(shownAt(clock.currentTimeMillisUnsafe()))
          return {
            isHealthy: tableFailure === undefined && own.every(isWell),
            lanes: own,
            ...leftOut.size === 0 ? {} : { leftOut: leftOut.size },
            ...tableFailure === undefined ? {} : { failure: tableFailure },
            ...differs === undefined ? {} : { differs }
          }
        })
      })
    })
  )
