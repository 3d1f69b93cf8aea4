/**
 * The PubNub service, in memory: what a test provides in place of the network.
 *
 * `layer` serves an `HttpClient` in the caller's own fibers. There is no socket, so virtual time and interruption reach
 * it, and the state of the service can be read and changed through `PubNubEmulator`. `PubNubEmulatorServer` of
 * `effect-herald/node` puts the same state machine on a port.
 *
 * It shares no code with the client: the same mistake on both sides would hide itself.
 *
 * **What it keeps to**
 *
 * - Time is the caller's `Clock`. A clock that is too early for timetokens of 17 digits, as a `TestClock` is, counts
 *   from 2023-11-14T22:13:20Z.
 * - A request changes the state in one synchronous step; only waiting for an answer can be interrupted.
 * - Whoever reads gets the newest 100 events after their cursor, over all they are subscribed to. The rest is lost
 *   without a word, as it is in life.
 * - A cursor is a place in the order of arrival, not a publish timetoken: an event of another region can arrive late.
 * - Groups without channels, and no channel beside them, are refused with a 400. A poll one of whose groups loses a channel is
 *   answered at once, empty, with the cursor that it came with.
 * - It can run for days: of ten thousand events and more, those are forgotten that have a whole queue of younger ones on
 *   their own channel. A reader with a filter may find fewer for that, and all others find the same.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import type * as actions from "./pubnub/actions.ts"
import * as answers from "./pubnub/answers.ts"
import { ConnectionReset } from "./server/connection.ts"
import * as cors from "./server/cors.ts"
import * as exchange from "./server/exchange.ts"
import * as json from "./server/json.ts"
import * as keysets from "./pubnub/keyset.ts"
import * as objects from "./pubnub/objects.ts"
import * as plainBody from "./server/plainBody.ts"
import * as recent from "./server/recent.ts"
import * as routes from "./pubnub/routes.ts"
import { sign } from "./pubnub/signature.ts"

export { ConnectionReset }

/**
 * An answer on its way to the client: status, headers, and the body as text.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = answers.Answer

/**
 * A request as it comes over the wire: `target` is path and query, still percent-encoded. `body` is text, or bytes, which
 * may be compressed as `content-encoding` says: gzip or deflate.
 *
 * @category models
 * @since 0.1.0
 */
export type Request = routes.Request

/**
 * What a keyset can do beyond publish and subscribe. Everything but `accessManager` and `presenceDeltas` is on by
 * default.
 *
 * - `accessManager`: a request with neither a signature nor a token is refused with 403, whatever channel or group it
 *   names. Tokens are not read: each one that is neither revoked nor expired lets everything through.
 * - `appContext`: users, channels and memberships. Off, their endpoints answer 403.
 * - `persistence`: published messages are kept, and message actions. Off, messages are only delivered, and actions are
 *   answered with 403.
 * - `presence`: who is where, and its events. Off, its endpoints answer 402.
 * - `presenceDeltas`: events of channels with many users tell who came and went, not only how many are there.
 * - `streamController`: wildcards, channel groups and filters. Off, they are answered with 403.
 *
 * @category models
 * @since 0.1.0
 */
export type AddOns = keysets.AddOns

/**
 * Who is refused what. Without `uuids` it holds for everybody; without `channels` and `groups`, for every name.
 *
 * @category models
 * @since 0.1.0
 */
export type Denial = keysets.Denial

/**
 * What a keyset refuses, and how much it keeps for its readers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /**
   * The percent-encoded message, its channel and its metadata together, in bytes. Default 32,768. `!~*'()` count as three
   * bytes each, as the service's own clients send them, in a GET and in a POST. No recording shows where its limit is.
   */
  readonly messageBytes: number
  /** The JSON of a signal, in bytes. Default 64. */
  readonly signalBytes: number
  /** Path and query of any request, in bytes: a longer one is answered with 414. Default 32,768. */
  readonly urlBytes: number
  /**
   * The body of any request, without its compression, in bytes: a larger one is answered with 413. Default 2,097,152,
   * which is the most that the service takes of anybody; `messageBytes` when that is more.
   */
  readonly bodyBytes: number
  /**
   * How much is stored of messages, as much again of message actions, and as much again of events for readers: the bytes
   * of their JSON, and 1 KiB for each. Beyond it the oldest go. Default: all is stored; `PubNubEmulatorServer` stores 64 MiB.
   */
  readonly storedBytes: number
  /** The events kept for a reader. Default 100. */
  readonly queueLength: number
  /** How long an event is kept for readers. Default: for ever. */
  readonly queueRetention: Duration.Input
  /** How long a message is stored whose publisher gave no `ttl`. Default: for ever. */
  readonly retention: Duration.Input
  /**
   * How long a user is present after a subscribe or a heartbeat, unless it says or said otherwise. One that is silent
   * for longer times out, even while its poll waits. Default 300 seconds.
   */
  readonly presenceTimeout: Duration.Input
  /**
   * The most users of a channel for whom each coming and going is an event of its own. With more, there is one event
   * every `presenceInterval`. Default 20.
   */
  readonly announceMax: number
  /** Default 10 seconds; less than one counts as one. */
  readonly presenceInterval: Duration.Input
  /**
   * The most message actions on a page of history, where whole messages are left to the next page: one of them is
   * always there, however many actions it has. Default 25,000.
   */
  readonly actionsPerPage: number
}

/**
 * One keyset of the service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keyset {
  /** By which requests find it. */
  readonly subscribeKey: string
  /** A request to publish must have it. */
  readonly publishKey: string
  /**
   * When given, a request that carries a signature is refused unless it is right. One without is let through unless the
   * add-on `accessManager` is on, as by the service.
   */
  readonly secretKey?: string
  /** Those that are not given are as `AddOns` says. */
  readonly addOns?: Partial<AddOns>
  /** Those that are not given are as `Limits` says. */
  readonly limits?: Partial<Limits>
}

/**
 * Options of the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The keysets; the first is the one that the emulator's own methods work on. Default: `demo-sub` and `demo-pub`. */
  readonly keysets?: readonly [Keyset, ...ReadonlyArray<Keyset>]
  /** For every keyset that does not say otherwise. */
  readonly addOns?: Partial<AddOns>
  /** For every keyset that does not say otherwise. */
  readonly limits?: Partial<Limits>
  /** How long a poll waits before it is answered with nothing. Default 280 seconds. */
  readonly hold?: Duration.Input
  /** The most events of one page: the rest comes with the next poll. Default: no such limit. */
  readonly maxPage?: number
  /** The region of all readers and publishers. Default 1. */
  readonly region?: number
  /** How much later than with its readers a message is in history and in counts. Default: no time. */
  readonly historyDelay?: Duration.Input
  /**
   * Whether a page of message actions that leaves out older ones says so, with `more`. The service is documented to, and
   * was never seen to. Default: no.
   */
  readonly moreActions?: boolean
  /** Computed for each request: how long its answer takes, after it was handled. Default: no time. */
  readonly latency?: Effect.Effect<Duration.Input>
}

/**
 * A message that the service publishes by itself, as if another client had.
 *
 * @category models
 * @since 0.1.0
 */
export interface PublishOptions {
  /** One channel. */
  readonly channel: string
  /** Any JSON value. */
  readonly message: unknown
  /** The user id of the publisher. Default: none. */
  readonly publisher?: string
  /** Any JSON value beside the message. Default: none. */
  readonly meta?: unknown
  /** A label that travels with it. Default: none. */
  readonly customMessageType?: string
  /** The region it is published in. Default: the emulator's. */
  readonly region?: number
  /** Whether history has it. Default: yes. */
  readonly store?: boolean
  /** How many hours it is stored, and 0 is for ever. Default: as long as the keyset's `retention`. */
  readonly ttl?: number
  /** How much later than its timetoken it arrives, with its readers and in history. Default: no time. */
  readonly delay?: Duration.Input
  /** Default: the first keyset. */
  readonly subscribeKey?: string
}

/**
 * An event of any kind: App Context is 2, a message action 3, a file 4.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmitOptions {
  /** One channel. */
  readonly channel: string
  /** The number by which the service calls this kind. */
  readonly type: number
  /** Any JSON value. */
  readonly payload: unknown
  /** The user id of the publisher. Default: none. */
  readonly publisher?: string
  /** Any JSON value, as the metadata of a file. Default: none. */
  readonly meta?: unknown
  /** A label that travels with it. Default: none. */
  readonly customMessageType?: string
  /** Whether history has it, as it has files. Default: no. */
  readonly store?: boolean
  /** Default: the first keyset. */
  readonly subscribeKey?: string
}

/**
 * A message as the service keeps it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMessage {
  readonly channel: string
  readonly timetoken: string
  readonly message: unknown
  readonly meta: unknown
  readonly publisher: string | undefined
  readonly customMessageType: string | undefined
  /** Hours, as the publisher asked for. */
  readonly ttl: number | undefined
}

/**
 * Named scalars, in the `custom` of users, channels and memberships.
 *
 * @category models
 * @since 0.1.0
 */
export type Custom = objects.Custom

/**
 * A user of App Context as the service keeps it. What is not set is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredUser {
  readonly id: string
  readonly name: string | undefined
  readonly externalId: string | undefined
  readonly profileUrl: string | undefined
  readonly email: string | undefined
  readonly status: string | undefined
  readonly type: string | undefined
  readonly custom: Custom | undefined
  /** ISO 8601, UTC. */
  readonly updated: string
  readonly eTag: string
}

/**
 * The metadata of a channel as the service keeps it. What is not set is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredChannel {
  readonly id: string
  readonly name: string | undefined
  readonly description: string | undefined
  readonly status: string | undefined
  readonly type: string | undefined
  readonly custom: Custom | undefined
  /** ISO 8601, UTC. */
  readonly updated: string
  readonly eTag: string
}

/**
 * A user in a channel, neither of which needs metadata. What is not set is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMembership {
  readonly user: string
  readonly channel: string
  readonly status: string | undefined
  readonly type: string | undefined
  readonly custom: Custom | undefined
  /** ISO 8601, UTC. */
  readonly updated: string
  readonly eTag: string
}

/**
 * What is changed of a membership, as the service takes it: what is left out stays, `null` clears, and `custom` is
 * replaced as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface MembershipChange {
  readonly status?: string | null
  readonly type?: string | null
  readonly custom?: Custom | null
}

/**
 * What is changed of a channel: see `MembershipChange`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelChange extends MembershipChange {
  readonly name?: string | null
  readonly description?: string | null
}

/**
 * What is changed of a user: see `MembershipChange`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserChange extends MembershipChange {
  readonly name?: string | null
  readonly externalId?: string | null
  readonly profileUrl?: string | null
  readonly email?: string | null
}

/**
 * A message action as the service keeps it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredAction {
  readonly type: string
  readonly value: string
  /** The user who added it. */
  readonly uuid: string
  readonly actionTimetoken: string
  readonly messageTimetoken: string
}

/**
 * A message action that the service adds by itself, as if another client had.
 *
 * @category models
 * @since 0.1.0
 */
export interface AddActionOptions extends Omit<StoredAction, "actionTimetoken"> {
  readonly channel: string
  /** Default: the first keyset. */
  readonly subscribeKey?: string
}

/**
 * A request that the emulator was given.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledRequest {
  readonly method: string
  /** Path and query, as they came. Of one that is too long, what is not. */
  readonly target: string
  readonly uuid: string | undefined
  /** Milliseconds of the caller's wall clock. */
  readonly time: number
}

/**
 * The state of the emulated service: to read it, to change it, and to make it behave badly.
 *
 * **Example** (A message from elsewhere)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* PubNubEmulator.PubNubEmulator
 *   yield* emulator.publish({ channel: "orders", message: { id: 1 } })
 *   return yield* emulator.messages("orders")
 * }).pipe(Effect.provide(PubNubEmulator.layer()))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class PubNubEmulator extends Context.Service<PubNubEmulator, {
  /** Handles one request as the service would. Waits as long as a poll is held. */
  readonly handle: (request: Request) => Effect.Effect<Answer, ConnectionReset>
  /** Publishes a message and gives its timetoken. */
  readonly publish: (options: PublishOptions) => Effect.Effect<string>
  /** Publishes messages in one step, however many, and gives their timetokens. */
  readonly publishAll: (
    messages: ReadonlyArray<Omit<PublishOptions, "subscribeKey">>,
    subscribeKey?: string
  ) => Effect.Effect<ReadonlyArray<string>>
  /** Sends a signal and gives its timetoken. */
  readonly signal: (options: Omit<PublishOptions, "meta" | "store" | "ttl">) => Effect.Effect<string>
  /** Sends an event of any kind and gives its timetoken. */
  readonly emit: (options: EmitOptions) => Effect.Effect<string>
  /** Puts something of any shape where an envelope should be, and gives its timetoken. */
  readonly emitRaw: (options: {
    readonly channel: string
    readonly envelope: unknown
    readonly subscribeKey?: string
  }) => Effect.Effect<string>
  /** What history has of a channel, oldest first. What has expired is gone. */
  readonly messages: (channel: string, subscribeKey?: string) => Effect.Effect<ReadonlyArray<StoredMessage>>
  /** The user ids present on a channel, in the order in which they came. */
  readonly occupants: (channel: string, subscribeKey?: string) => Effect.Effect<ReadonlyArray<string>>
  /** The users that have metadata, by id. */
  readonly users: (subscribeKey?: string) => Effect.Effect<ReadonlyArray<StoredUser>>
  /** The channels that have metadata, by id. */
  readonly channels: (subscribeKey?: string) => Effect.Effect<ReadonlyArray<StoredChannel>>
  /** Who is a member of what, by channel and then by user. */
  readonly memberships: (subscribeKey?: string) => Effect.Effect<ReadonlyArray<StoredMembership>>
  /** Creates or changes the metadata of a user. One that changes nothing is no event. */
  readonly setUser: (id: string, change: UserChange, subscribeKey?: string) => Effect.Effect<StoredUser>
  /** Removes the metadata of a user. Memberships stay. */
  readonly removeUser: (id: string, subscribeKey?: string) => Effect.Effect<void>
  /** Creates or changes the metadata of a channel. One that changes nothing is no event. */
  readonly setChannel: (id: string, change: ChannelChange, subscribeKey?: string) => Effect.Effect<StoredChannel>
  /** Removes the metadata of a channel. Memberships stay. */
  readonly removeChannel: (id: string, subscribeKey?: string) => Effect.Effect<void>
  /** Makes a user a member of a channel, or changes the membership. One that changes nothing is no event. */
  readonly setMembership: (
    user: string,
    channel: string,
    change?: MembershipChange,
    subscribeKey?: string
  ) => Effect.Effect<StoredMembership>
  /** Takes a user out of a channel. */
  readonly removeMembership: (user: string, channel: string, subscribeKey?: string) => Effect.Effect<void>
  /** The message actions of a channel, oldest first. */
  readonly actions: (channel: string, subscribeKey?: string) => Effect.Effect<ReadonlyArray<StoredAction>>
  /** Adds a message action. What the user had added already is given back as it is. */
  readonly addAction: (options: AddActionOptions) => Effect.Effect<StoredAction>
  /** Removes a message action, whoever added it. */
  readonly removeAction: (
    channel: string,
    action: Pick<StoredAction, "actionTimetoken" | "messageTimetoken">,
    subscribeKey?: string
  ) => Effect.Effect<void>
  /** The next changes of message actions, so many, are made and not published: a request for one is answered with 207. */
  readonly withholdActions: (count: number, subscribeKey?: string) => Effect.Effect<void>
  /** The channels of a group. */
  readonly groupChannels: (group: string, subscribeKey?: string) => Effect.Effect<ReadonlyArray<string>>
  /** Adds channels to a group, which need not exist. */
  readonly addToGroup: (
    group: string,
    channels: ReadonlyArray<string>,
    subscribeKey?: string
  ) => Effect.Effect<void>
  /** Takes channels out of a group. */
  readonly removeFromGroup: (
    group: string,
    channels: ReadonlyArray<string>,
    subscribeKey?: string
  ) => Effect.Effect<void>
  /** Refuses with 403, until `allow`. A poll that waits already goes on. */
  readonly deny: (denial: Denial, subscribeKey?: string) => Effect.Effect<void>
  /** Takes back every `deny`. */
  readonly allow: (subscribeKey?: string) => Effect.Effect<void>
  /** Refuses the requests that carry this token, for good: it was revoked. */
  readonly revokeToken: (token: string, subscribeKey?: string) => Effect.Effect<void>
  /** Refuses the requests that carry this token, for good: its time is over. */
  readonly expireToken: (token: string, subscribeKey?: string) => Effect.Effect<void>
  /** Turns add-ons on and off. */
  readonly setAddOns: (addOns: Partial<AddOns>, subscribeKey?: string) => Effect.Effect<void>
  /** Moves one user, or everybody, to a region. */
  readonly setRegion: (region: number, uuid?: string) => Effect.Effect<void>
  /** Cuts the connection of every poll that waits. All state is kept. */
  readonly restart: Effect.Effect<void>
  /** The requests so far, oldest first: the newest 10,000, and fewer when their addresses have more than 16 MB. */
  readonly requests: Effect.Effect<ReadonlyArray<HandledRequest>>
  /** How many polls wait now. */
  readonly readers: Effect.Effect<number>
}>()("effect-herald/testing/PubNubEmulator") {}

/** Requests that are remembered: so many of few bytes, and fewer of more. */
const keptRequests = 10_000
const keptPerRequest = 1_600

const defaultKeyset: Keyset = { subscribeKey: "demo-sub", publishKey: "demo-pub" }

// For ever is ten thousand years.
const durationTicks = (input: Duration.Input): bigint =>
  BigInt(Math.round(Math.min(Duration.toMillis(Duration.fromInputUnsafe(input)), 3e14))) * 10_000n

const makeKeyset = (keyset: Keyset, options: Options) => {
  const limits: Limits = {
    messageBytes: 32_768,
    signalBytes: 64,
    urlBytes: 32_768,
    bodyBytes: Math.max(2_097_152, keyset.limits?.messageBytes ?? options.limits?.messageBytes ?? 0),
    storedBytes: Number.POSITIVE_INFINITY,
    queueLength: 100,
    queueRetention: Duration.infinity,
    retention: Duration.infinity,
    presenceTimeout: "300 seconds",
    announceMax: 20,
    presenceInterval: "10 seconds",
    actionsPerPage: 25_000,
    ...options.limits,
    ...keyset.limits
  }
  return keysets.make({
    subscribeKey: keyset.subscribeKey,
    publishKey: keyset.publishKey,
    secretKey: keyset.secretKey,
    addOns: {
      accessManager: false,
      appContext: true,
      persistence: true,
      presence: true,
      presenceDeltas: false,
      streamController: true,
      ...options.addOns,
      ...keyset.addOns
    },
    limits: {
      ...limits,
      queueRetentionMillis: Duration.toMillis(Duration.fromInputUnsafe(limits.queueRetention)),
      retentionMillis: Duration.toMillis(Duration.fromInputUnsafe(limits.retention)),
      historyDelayMillis: Duration.toMillis(Duration.fromInputUnsafe(options.historyDelay ?? 0))
    },
    moreActions: options.moreActions ?? false,
    presence: {
      timeout: durationTicks(limits.presenceTimeout),
      announceMax: limits.announceMax,
      interval: durationTicks(Duration.max(Duration.fromInputUnsafe(limits.presenceInterval), Duration.seconds(1)))
    }
  })
}

// The first millisecond whose timetoken has 17 digits, and where a clock that is not there yet counts from.
const firstMillis = 1_000_000_000_000
const epochMillis = 1_700_000_000_000

const ticks = (millis: number): bigint =>
  BigInt(Math.floor(millis < firstMillis ? millis + epochMillis : millis)) * 10_000n

const optionalJson = (value: unknown): string | undefined => value === undefined ? undefined : json.write(value)

const changeOf = (change: object): objects.Change =>
  new Map(Object.entries(change).filter(([, value]) => value !== undefined))

const sortedBy = <A>(items: Iterable<A>, key: (item: A) => string): ReadonlyArray<A> =>
  [...items].sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)

/** A field that holds text. */
const textOf = ({ fields }: objects.Item, name: string): string | undefined => {
  const value = fields.get(name)
  return typeof value === "string" ? value : undefined
}

const described = (item: objects.Item) => {
  const custom = item.fields.get("custom")
  return {
    status: textOf(item, "status"),
    type: textOf(item, "type"),
    custom: typeof custom === "object" ? custom : undefined,
    updated: objects.iso(item.updated),
    eTag: item.eTag
  }
}

const storedUser = (id: string, item: objects.Item): StoredUser => ({
  id,
  name: textOf(item, "name"),
  externalId: textOf(item, "externalId"),
  profileUrl: textOf(item, "profileUrl"),
  email: textOf(item, "email"),
  ...described(item)
})

const storedChannel = (id: string, item: objects.Item): StoredChannel => ({
  id,
  name: textOf(item, "name"),
  description: textOf(item, "description"),
  ...described(item)
})

const storedAction = ({ actionTimetoken, messageTimetoken, type, uuid, value }: actions.Action): StoredAction => ({
  type,
  value,
  uuid,
  actionTimetoken: String(actionTimetoken),
  messageTimetoken: String(messageTimetoken)
})

/**
 * The state machine itself, for a shell of your own around `handle`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const context = yield* Effect.context<never>()
  const holdTicks = BigInt(
    Math.round(Duration.toMillis(Duration.fromInputUnsafe(options.hold ?? "280 seconds")) * 10_000)
  )
  const maxPage = options.maxPage ?? Number.POSITIVE_INFINITY
  const [first, ...others] = options.keysets ?? [defaultKeyset]
  const main = makeKeyset(first, options)
  const all = [main, ...others.map((keyset) => makeKeyset(keyset, options))]
  const byKey = new Map(all.map((keyset) => [keyset.subscribeKey, keyset]))
  const regions = new Map<string, number>()
  const longestTarget = Math.max(...all.map(({ limits }) => limits.urlBytes))
  const requests = recent.make<HandledRequest>(
    keptRequests * keptPerRequest,
    ({ target }) => Math.max(keptPerRequest, target.length)
  )
  let region = options.region ?? 1

  const regionOf = (uuid: string | undefined) => uuid === undefined ? region : regions.get(uuid) ?? region

  /** One change of the state: synchronous, so that nothing comes between its parts. */
  const step = <A>(change: (now: bigint) => A): Effect.Effect<A> =>
    Clock.clockWith((clock) =>
      Effect.sync(() => {
        const now = ticks(clock.currentTimeMillisUnsafe())
        for (const keyset of all) keyset.settle(now)
        const result = change(now)
        for (const keyset of all) keyset.flush()
        return result
      })
    )

  const stepOn = <A>(
    subscribeKey: string | undefined,
    change: (keyset: keysets.Keyset, now: bigint) => A
  ): Effect.Effect<A> => {
    const keyset = subscribeKey === undefined ? main : byKey.get(subscribeKey)
    return keyset === undefined
      ? Effect.die(new Error(`the emulator has no keyset "${subscribeKey}"`))
      : step((now) => change(keyset, now))
  }

  const publish = (
    keyset: keysets.Keyset,
    { channel, customMessageType, delay, message, meta, publisher, region: from, store, ttl }: PublishOptions,
    now: bigint
  ): string =>
    String(keyset.append(
      {
        channel,
        payload: json.write(message),
        publisher,
        meta: optionalJson(meta),
        customMessageType,
        region: from,
        stored: store === false ? undefined : { ttl }
      },
      region,
      now,
      delay === undefined ? 0n : Duration.toNanosUnsafe(Duration.fromInputUnsafe(delay)) / 100n
    ))

  const poll = (
    request: routes.Poll,
    uuid: string | undefined,
    deadline: bigint
  ): Effect.Effect<Answer, ConnectionReset> => {
    const { cursor, keyset, removals, subscription } = request
    return Effect.acquireUseRelease(
      // Looking and beginning to wait are one step: what arrives between them would be seen by neither.
      step((now) => {
        // When the clock jumps, it is the reader that slept: the service has answered when something came, before it grew old,
        // and when the time had come.
        const page = keyset.read(subscription, cursor, deadline - holdTicks, maxPage)
        if (page !== undefined) return { answer: answers.page(page.cursor, regionOf(uuid), page.envelopes) }
        // A poll whose groups have lost channels is answered at once, with the very cursor that it came with.
        if (keyset.removals(subscription) > removals) return { answer: answers.page(cursor, regionOf(uuid), []) }
        if (now >= deadline) {
          // All that comes from now on has a later position.
          keyset.position(deadline)
          return { answer: answers.page(deadline > cursor ? deadline : cursor, regionOf(uuid), []) }
        }
        const woken = Deferred.makeUnsafe<void, ConnectionReset>()
        const waiter: keysets.Waiter = {
          subscription,
          wake: () => {
            Deferred.doneUnsafe(woken, Effect.void)
          },
          reset: () => {
            Deferred.doneUnsafe(woken, Effect.fail(new ConnectionReset({})))
          }
        }
        keyset.waiters.add(waiter)
        const due = keyset.nextDue()
        const until = due !== undefined && due < deadline ? due : deadline
        return { waiter, woken, millis: Math.ceil(Number(until - now) / 10_000) }
      }),
      (turn) =>
        turn.woken === undefined
          ? Effect.succeed(turn.answer)
          : Effect.as(Effect.timeoutOption(Deferred.await(turn.woken), turn.millis), undefined),
      (turn) =>
        Effect.sync(() => {
          if (turn.waiter !== undefined) keyset.waiters.delete(turn.waiter)
        })
    ).pipe(
      Effect.filterOrElse(
        (answer) => answer !== undefined,
        () => poll(request, uuid, deadline)
      )
    )
  }

  /** What is wrong with the signature of a request, if it has one. */
  const checkSignature = Effect.fnUntraced(function*(keyset: keysets.Keyset, request: routes.Parsed) {
    const { publishKey, secretKey } = keyset
    const signature = request.query.get("signature")
    if (secretKey === undefined || signature === undefined) return undefined
    const seconds = Number(request.query.get("timestamp"))
    const now = yield* Clock.currentTimeMillis
    if (!(Math.abs(now / 1000 - seconds) <= 60)) return answers.invalidTimestamp
    const expected = yield* Effect.promise(() => sign({ ...request, publishKey, secretKey }))
    return signature === expected ? undefined : answers.wrongSignature
  })

  /** The body as text, or what the service says of one that it cannot read. */
  const readBody = ({ body, headers }: Request, most: number): Effect.Effect<string, Answer> => {
    if (body.length > most) return Effect.fail(answers.requestEntityTooLarge)
    if (typeof body === "string") return Effect.succeed(body)
    return plainBody.read(body, headers["content-encoding"], most).pipe(
      Effect.mapError((problem) => problem === "Corrupt" ? answers.badRequest : answers.unsupportedMediaType),
      Effect.flatMap((plain) =>
        plain.length > most
          ? Effect.fail(answers.requestEntityTooLarge)
          : Effect.succeed(new TextDecoder().decode(plain))
      )
    )
  }

  const answer = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Answer, ConnectionReset> {
    const { method, target } = request
    const isTooLong = target.length > longestTarget
    const address = isTooLong ? undefined : routes.parse(request)
    const uuid = address?.query.get("uuid")
    const time = yield* Clock.currentTimeMillis
    requests.add({ method, target: isTooLong ? target.slice(0, longestTarget) : target, uuid, time })
    if (isTooLong) return answers.requestUriTooLong
    if (method === "OPTIONS") return cors.preflight
    if (address === undefined) return answers.badRequest
    if (address.path === "/time/0") return yield* step((now) => answers.time(main.position(now)))
    const subscribeKey = routes.subscribeKeyOf(address)
    if (subscribeKey === undefined) return answers.notFound
    const keyset = byKey.get(subscribeKey)
    if (keyset === undefined) return answers.invalidSubscribeKey
    if (target.length > keyset.limits.urlBytes) return answers.requestUriTooLong
    const body = yield* Effect.result(readBody(request, keyset.limits.bodyBytes))
    if (Result.isFailure(body)) return body.failure
    const parsed = { ...address, body: body.success }
    const refusal = yield* checkSignature(keyset, parsed)
    if (refusal !== undefined) return refusal
    const { deadline, outcome } = yield* step((now) => ({
      deadline: now + holdTicks,
      outcome: routes.route(keyset, parsed, { now, region: regionOf(uuid) })
    }))
    return outcome._tag === "Answered" ? outcome.answer : yield* poll(outcome.poll, uuid, deadline)
  })

  // A server knows nothing of its callers' services: of their context it gets what time, chance and scheduling are.
  const isolate = (caller: Context.Context<never>) =>
    context.pipe(
      Context.add(Clock.Clock, Context.get(caller, Clock.Clock)),
      Context.add(Random.Random, Context.get(caller, Random.Random)),
      Context.add(Scheduler.Scheduler, Context.get(caller, Scheduler.Scheduler))
    )

  const slowly = options.latency === undefined
    ? Effect.void
    : Effect.flatMap(options.latency, (duration) => Effect.sleep(duration))

  return PubNubEmulator.of({
    handle: (request) =>
      answer(request).pipe(Effect.map(cors.allow), Effect.tap(slowly), Effect.updateContext(isolate)),
    publish: (message) => stepOn(message.subscribeKey, (keyset, now) => publish(keyset, message, now)),
    publishAll: (messages, subscribeKey) =>
      stepOn(subscribeKey, (keyset, now) => messages.map((message) => publish(keyset, message, now))),
    signal: ({ channel, customMessageType, delay, message, publisher, region: from, subscribeKey }) =>
      stepOn(subscribeKey, (keyset, now) =>
        String(keyset.append(
          { channel, payload: json.write(message), type: 1, publisher, customMessageType, region: from },
          region,
          now,
          delay === undefined ? 0n : Duration.toNanosUnsafe(Duration.fromInputUnsafe(delay)) / 100n
        ))),
    emit: ({ channel, customMessageType, meta, payload, publisher, store, subscribeKey, type }) =>
      stepOn(subscribeKey, (keyset, now) =>
        String(keyset.append(
          {
            channel,
            payload: json.write(payload),
            type,
            publisher,
            meta: optionalJson(meta),
            customMessageType,
            stored: store === true ? {} : undefined
          },
          region,
          now
        ))),
    emitRaw: ({ channel, envelope, subscribeKey }) =>
      stepOn(
        subscribeKey,
        (keyset, now) => String(keyset.append({ channel, payload: "null", raw: json.write(envelope) }, region, now))
      ),
    messages: (channel, subscribeKey) =>
      stepOn(
        subscribeKey,
        (keyset, now) =>
          keyset.history.page(channel, now, {}, Number.POSITIVE_INFINITY).map((entry) => ({
            channel,
            timetoken: String(entry.timetoken),
            message: entry.data,
            meta: entry.metadata,
            publisher: entry.publisher,
            customMessageType: entry.customMessageType,
            ttl: entry.stored?.ttl
          }))
      ),
    occupants: (channel, subscribeKey) =>
      stepOn(subscribeKey, (keyset) => [...keyset.presence.occupants(channel).keys()]),
    users: (subscribeKey) =>
      stepOn(
        subscribeKey,
        (keyset) => sortedBy(keyset.objects.all("uuid"), ([id]) => id).map(([id, item]) => storedUser(id, item))
      ),
    channels: (subscribeKey) =>
      stepOn(
        subscribeKey,
        (keyset) => sortedBy(keyset.objects.all("channel"), ([id]) => id).map(([id, item]) => storedChannel(id, item))
      ),
    memberships: (subscribeKey) =>
      stepOn(subscribeKey, (keyset) => {
        const byUser = sortedBy(keyset.objects.memberships(), ({ uuid }) => uuid)
        return sortedBy(byUser, ({ channel }) => channel)
          .map(({ channel, item, uuid }) => ({ user: uuid, channel, ...described(item) }))
      }),
    setUser: (id, change, subscribeKey) =>
      stepOn(
        subscribeKey,
        (keyset, now) => storedUser(id, keyset.objects.set("uuid", id, changeOf(change), region, now))
      ),
    removeUser: (id, subscribeKey) =>
      stepOn(subscribeKey, (keyset, now) => keyset.objects.remove("uuid", id, region, now)),
    setChannel: (id, change, subscribeKey) =>
      stepOn(
        subscribeKey,
        (keyset, now) => storedChannel(id, keyset.objects.set("channel", id, changeOf(change), region, now))
      ),
    removeChannel: (id, subscribeKey) =>
      stepOn(subscribeKey, (keyset, now) => keyset.objects.remove("channel", id, region, now)),
    setMembership: (user, channel, change = {}, subscribeKey) =>
      stepOn(subscribeKey, (keyset, now) => ({
        user,
        channel,
        ...described(keyset.objects.join(user, channel, changeOf(change), region, now))
      })),
    removeMembership: (user, channel, subscribeKey) =>
      stepOn(subscribeKey, (keyset, now) => keyset.objects.leave(user, channel, region, now)),
    actions: (channel, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.actions.of(channel).map(storedAction)),
    addAction: ({ channel, messageTimetoken, subscribeKey, type, uuid, value }) =>
      stepOn(subscribeKey, (keyset, now) => {
        const draft = { type, value, uuid, messageTimetoken: BigInt(messageTimetoken) }
        return storedAction(keyset.actions.add(channel, draft, region, now).action)
      }),
    removeAction: (channel, { actionTimetoken, messageTimetoken }, subscribeKey) =>
      stepOn(subscribeKey, (keyset, now) => {
        const action = keyset.actions.find(channel, BigInt(messageTimetoken), BigInt(actionTimetoken))
        if (action !== undefined) keyset.actions.remove(action, region, now)
      }),
    withholdActions: (count, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.actions.withhold(count)),
    groupChannels: (group, subscribeKey) => stepOn(subscribeKey, (keyset) => [...keyset.members(group)]),
    addToGroup: (group, channels, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.addToGroup(group, channels)),
    removeFromGroup: (group, channels, subscribeKey) =>
      stepOn(subscribeKey, (keyset) => keyset.removeFromGroup(group, channels)),
    deny: (denial, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.deny(denial)),
    allow: (subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.allow()),
    revokeToken: (token, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.spoil(token, "revoked")),
    expireToken: (token, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.spoil(token, "expired")),
    setAddOns: (addOns, subscribeKey) => stepOn(subscribeKey, (keyset) => keyset.setAddOns(addOns)),
    setRegion: (to, uuid) =>
      Effect.sync(() => {
        if (uuid === undefined) region = to
        else regions.set(uuid, to)
      }),
    restart: Effect.sync(() => {
      const waiting = all.flatMap((keyset) => [...keyset.waiters])
      for (const waiter of waiting) waiter.reset()
    }),
    requests: Effect.sync(requests.all),
    readers: Effect.sync(() => all.reduce((count, keyset) => count + keyset.waiters.size, 0))
  })
})

/**
 * An `HttpClient` that reaches an emulator of its own, whatever the host, and the emulator's state beside it.
 *
 * It is a function of its options, as layers are shared by identity: two calls are two services.
 *
 * **Example** (Time in place of the network)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
 *
 * const program = HttpClient.get("https://ps.pndsn.com/time/0").pipe(
 *   Effect.flatMap((response) => response.text),
 *   Effect.provide(PubNubEmulator.layer({ hold: "1 minute" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<PubNubEmulator | HttpClient.HttpClient> =>
  Layer.effectContext(Effect.map(make(options), (emulator) =>
    Context.make(PubNubEmulator, emulator).pipe(Context.add(
      HttpClient.HttpClient,
      HttpClient.make((request, url) =>
        Effect.flatMap(exchange.body(request), (body) =>
          emulator.handle({
            method: request.method,
            target: url.pathname + url.search,
            headers: request.headers,
            body
          })).pipe(
            Effect.map((answer) => exchange.response(request, answer)),
            Effect.catchTag("ConnectionReset", () => Effect.fail(exchange.failure(request, "ECONNRESET")))
          )
      )
    ))))
