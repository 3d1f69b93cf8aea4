/**
 * Makes streams of events, and sets of subscriptions, from the options of a caller. Options are checked before any request. The
 * connection is shared if the context has a registry. Otherwise each stream and each set has its own.
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Cursor } from "../../../Cursor.ts"
import * as Guarded from "../../../internal/guarded.ts"
import * as Input from "../../../internal/input.ts"
import { debug } from "../../../internal/operation.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { SubscribeError } from "../../SubscribeError.ts"
import * as Subscription from "../../Subscription.ts"
import * as Endpoint from "../wire/endpoint.ts"
import { path, subscribeKey } from "../wire/path.ts"
import * as Request from "./request.ts"
import * as Engine from "./engine.ts"
import type { Reader, Strategy } from "./reader.ts"
import * as Registry from "./registry.ts"

/** The options of `Subscribe.StreamOptions`, documented there. */
export interface Options extends Request.Names {
  readonly subscriptions?: ReadonlyArray<Subscription.Subscription> | undefined
  readonly filter?: string | undefined
  readonly from?: Request.From | undefined
  readonly catchUp?: "history" | "none" | { readonly within: Duration.Input } | undefined
  readonly capacity?: number | undefined
  readonly strategy?: Strategy | undefined
  readonly reconnect?: Request.Schedules | undefined
}

type Config = PubNubConfig["Service"]

/** Streams all events of the names, and all statuses of the connection. */
export const events = (
  options: Options
): Stream.Stream<SubscribeEvent.SubscribeEvent, SubscribeError, HttpClient.HttpClient | PubNubConfig> =>
  streamOf(() => opened(options))

/** A reader, and the effect with which it leaves. */
interface Opened {
  readonly reader: Reader
  readonly leave: () => Effect.Effect<void>
}

const opened = Effect.fnUntraced(
  function*(options: Options): Effect.fn.Return<Opened, SubscribeError, HttpClient.HttpClient | PubNubConfig> {
    const config = yield* PubNubConfig
    const registry = yield* Registry.Current
    const checked = checkedOf(config, options, registry)
    if (Result.isFailure(checked)) return yield* new SubscribeError({ reason: checked.failure })
    const { from, target } = checked.success
    yield* debug(() => [`Subscribe.poll to ${[...target.channels, ...target.groups].join(",")}`])
    const { reconnect, state } = options
    if (registry !== undefined && state === undefined && reconnect === undefined) {
      const lease = yield* registry.lease(target.filter)
      return leased(lease, lease.engine.join(subscriptionsOf(options), shared(options, from)))
    }
    const size = Request.sizeOf(config, target)
    if (size > Request.longestAddress) {
      const what = target.state === undefined ? "make" : "and their state make"
      const message =
        `${what} an address of ${size} bytes; ${Request.longestAddress} can be sent. With Subscriber.layer any number can be`
      return yield* new SubscribeError({ reason: Endpoint.refused([{ location: "channels", message }]) })
    }
    const engine = yield* Engine.make(config, {
      filter: target.filter,
      state: target.state,
      schedule: Request.scheduleOf(reconnect),
      // The one reader drives the poll by its pull.
      demand: "pull",
      from,
      gathered: 0
    })
    const within = Request.patienceOf(options.catchUp)
    const reader = engine.join(subscriptionsOf(options), { from, capacity: Infinity, strategy: "suspend", within })
    return { reader, leave: () => engine.close }
  }
)

/** Not in `opened`: a stream keeps `leave` as long as it runs, and a closure there would keep all of its variables. */
const leased = (lease: Registry.Lease, reader: Reader): Opened => ({ reader, leave: () => lease.giveBack(reader) })

/**
 * Streams what a reader pulls, until the stream ends. It uses no scoped stream, and is suspended: a running stream keeps the
 * effect with which it began, and memory per reader stays small.
 */
const streamOf = <E, R>(
  open: () => Effect.Effect<Opened, E, R>
): Stream.Stream<SubscribeEvent.SubscribeEvent, E | SubscribeError, R> =>
  Stream.fromChannel(
    Channel.fromTransform((_upstream, scope) =>
      Effect.suspend(() =>
        Effect.uninterruptible(
          Effect.flatMap(open(), ({ leave, reader }) => Effect.as(Scope.addFinalizerExit(scope, leave), reader.pull))
        )
      )
    )
  )

export const subscriptionSet = /* @__PURE__ */ Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<
  Subscription.SubscriptionSet,
  PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>,
  HttpClient.HttpClient | PubNubConfig | Scope.Scope
> {
  const config = yield* PubNubConfig
  const fail = Endpoint.errorOf({
    operation: "Subscribe.subscriptionSet",
    path: path`/v2/subscribe/${subscribeKey}/${{ shown: "{channels}", encoded: "" }}/0`
  })
  const registry = yield* Registry.Current
  const { from, target } = yield* Effect.mapError(
    Effect.fromResult(checkedOf(config, options, registry, true)),
    fail
  )
  const { engine } = yield* Effect.acquireRelease(
    registry === undefined
      ? Effect.map(
        Engine.make(config, {
          filter: target.filter,
          state: undefined,
          schedule: Request.scheduleOf(),
          demand: "ahead",
          from: undefined,
          gathered: Registry.gathered
        }),
        owned
      )
      : registry.lease(target.filter),
    ({ giveBack }) => giveBack()
  )
  const subscriptions = new Map(subscriptionsOf(options).map((one) => [keyOf(one), one]))
  let isLeft = false
  const readers = new Set<Reader>()
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isLeft = true
      for (const reader of readers) reader.finish(Exit.fail(Cause.Done()))
    })
  )
  const stream: Subscription.SubscriptionSet["stream"] = Stream.suspend(() =>
    isLeft ? Stream.empty : streamOf(() =>
      Effect.sync(() => {
        const reader = engine.join(subscriptions.values(), shared(options, from))
        readers.add(reader)
        const leave = () =>
          Effect.sync(() => {
            readers.delete(reader)
            engine.leave(reader)
          })
        return { reader, leave }
      })
    )
  )
  return {
    stream,
    add: Effect.fnUntraced(function*(...added) {
      const more = added.map(subscriptionOf)
      yield* Effect.mapError(Effect.fromResult(checkedOf(config, { subscriptions: more }, registry)), fail)
      for (const one of more) subscriptions.set(keyOf(one), one)
      for (const reader of readers) engine.add(reader, more)
    }),
    remove: (...removed) =>
      Effect.sync(() => {
        const gone = removed.map(subscriptionOf)
        for (const one of gone) for (const presence of [true, false]) subscriptions.delete(keyOf({ ...one, presence }))
        for (const reader of readers) engine.remove(reader, gone)
      }),
    subscriptions: Effect.sync(() => [...subscriptions.values()])
  }
})

/** An engine that only one set uses. */
const owned = (engine: Engine.Engine): Registry.Lease => ({ engine, giveBack: () => engine.close })

const usualCapacity = 1_000

/** The options that most readers have: one object is enough for all of them. */
const usual: Reader["options"] = {
  from: undefined,
  capacity: usualCapacity,
  strategy: "catchUp",
  within: Infinity
}

/** The options of a reader of a shared connection. */
const shared = (
  { capacity = usualCapacity, catchUp, filter, strategy = "catchUp" }: Options,
  from: Cursor | undefined
): Reader["options"] => {
  const within = Request.patienceOf(catchUp)
  const isBlind = within === 0 || filter !== undefined && filter !== ""
  if (
    from === undefined && capacity === usual.capacity && strategy === usual.strategy && within === usual.within &&
    !isBlind
  ) {
    return usual
  }
  // Without history there is nothing to catch up with.
  return { from, capacity, strategy: strategy === "catchUp" && isBlind ? "dropping" : strategy, within }
}

/** Checks the options, and those of shared connections. Gives the names to send, and the start. */
const checkedOf = (config: Config, options: Options, registry: Registry.Registry | undefined, mayBeEmpty = false) =>
  Result.flatMap(
    Result.mapError(Guarded.attempt(() => check(config, options, registry, mayBeEmpty)), Endpoint.refused),
    (checked) => checked
  )

const check = (config: Config, options: Options, registry: Registry.Registry | undefined, mayBeEmpty: boolean) => {
  const { capacity = usualCapacity, catchUp, strategy, subscriptions = [] } = options
  const { reconnect = registry?.reconnect ?? {} } = options
  const isGroup = ({ _tag }: Subscription.Subscription) => _tag === "Group"
  const named = (subscriptions: ReadonlyArray<Subscription.Subscription>) => subscriptions.map(({ name }) => name)
  const checked = Request.check(config, {
    ...options,
    channels: [...options.channels ?? [], ...named(subscriptions.filter((one) => !isGroup(one)))],
    groups: [...options.groups ?? [], ...named(subscriptions.filter(isGroup))]
  }, mayBeEmpty)
  const issues = Input.issues({
    channels: Input.optional(Input.list(0))(options.channels),
    groups: Input.optional(Input.list(0))(options.groups),
    subscriptions: Input.list(0)(subscriptions),
    capacity: capacity === Infinity ? undefined : Input.whole(1)(capacity),
    strategy: Input.optional(Input.oneOf(["catchUp", "sliding", "dropping", "fail", "suspend"]))(strategy),
    catchUp: catchUp === undefined || catchUp === "history" || catchUp === "none"
      ? undefined
      : Input.record(catchUp) ?? Input.patience(catchUp.within),
    reconnect: Input.record(reconnect)
  })
  const schedules = Object.entries(reconnect ?? {}).flatMap(([kind, policy]) =>
    Input.retry(`reconnect.${kind}`, policy)
  )
  const all = [...issues, ...schedules]
  return all.length === 0 || Result.isFailure(checked) ? checked : Result.fail(Endpoint.refused(all))
}

const subscriptionsOf = (
  { channels = [], groups = [], presence, subscriptions = [] }: Options
): ReadonlyArray<Subscription.Subscription> => [
  ...channels.map((name) => Subscription.channel(name, { presence })),
  ...groups.map((name) => Subscription.group(name, { presence })),
  ...subscriptions
]

const keyOf = ({ _tag, name, presence }: Subscription.Subscription): string => `${_tag} ${presence} ${name}`

const subscriptionOf = (subscription: Subscription.Subscription | string): Subscription.Subscription =>
  typeof subscription === "string" ? Subscription.channel(subscription) : subscription
