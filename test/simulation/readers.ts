/**
 * Many readers of one `Subscriber` in virtual time: they join, leave and change their names, each at its own pace, while
 * messages come in bursts and requests fail. A plan is plain data made from a seed; a run says what a reader was given
 * wrong. One that fails is shrunk.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Cursor } from "effect-herald/Cursor"
import {
  PubNubConfig,
  Subscribe,
  type SubscribeError,
  type SubscribeEvent,
  Subscriber,
  Subscription,
  Timetoken
} from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime as Virtual } from "effect-herald/testing"
import * as Marks from "../../src/pubnub/internal/reading/marks.ts"
import { start } from "../kit/emulated.ts"
import * as Mixed from "./mixed.ts"
import type * as Tokens from "./tokens.ts"
import {
  crew,
  dice,
  type Handled,
  handledOf,
  isLater,
  isLong,
  isOfLostSum,
  killsOf,
  type Kind,
  lengthsOf,
  makeMachine,
  maxAnswerSizeOf,
  type Mishap,
  namedBy,
  numberIn,
  opensOf,
  payloadOf,
  rulesOf,
  serverOf,
  type Shape,
  shownFault,
  spare,
  type Strain,
  type StrainName as Common,
  strains as common,
  strainsOf,
  without
} from "./world.ts"
import * as Possible from "./faults.ts"

// --------------------------------------------------------------------------------------------------------------------
// plans
// --------------------------------------------------------------------------------------------------------------------

export interface ReaderPlan {
  readonly names: ReadonlyArray<string>
  readonly capacity: number
  readonly strategy: Subscribe.Strategy
  readonly catchUp: Subscribe.CatchUp
  /** It stops for so many milliseconds after each so many events. */
  readonly every: number
  readonly stall: number
  /** It begins with the first message of all. */
  readonly past: boolean
}

export type Act =
  | Change
  /** The next `times` times that the reader is given such an event, its handler does this before it returns. */
  | {
    readonly _tag: "Inside"
    readonly reader: number
    readonly on: SubscribeEvent.SubscribeEvent["_tag"]
    readonly times: number
    readonly act: Change
  }
  | {
    readonly _tag: "Publish"
    readonly count: number
    readonly channels: ReadonlyArray<string>
    readonly kind: Kind
    readonly region: number
    readonly shape?: Shape | undefined
  }
  | Strain
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "Jump" | "Restart" }

/** What readers do, also in their handlers. */
type Change =
  | { readonly _tag: "Join"; readonly reader: number }
  | { readonly _tag: "Leave"; readonly reader: number }
  /** The reader is killed, and another goes on at once from the last cursor that it handled. */
  | { readonly _tag: "Kill"; readonly reader: number }
  /** The reader leaves, and joins at once. */
  | { readonly _tag: "Again"; readonly reader: number }
  | { readonly _tag: "Add" | "Remove"; readonly reader: number; readonly name: string }
  | { readonly _tag: "Disconnect" | "Reconnect" }
  /** All readers are ended. Each of them joins again as soon as it is. */
  | { readonly _tag: "UnsubscribeAll" }

/** What a plan has of these. */
export const strains = [...common, "reentrant"] as const
export type StrainName = typeof strains[number]

export interface Plan {
  readonly seed: number
  /** So many further names, of 80 characters, of the first reader: 32 kB hold about 380. */
  readonly further: number
  readonly latency: number
  /** How far the clock of the readers' machine is from the service's. */
  readonly skew: number
  /** Whether there is an access token, in a reference. */
  readonly token: boolean
  /** The server that gives access tokens which renew themselves. It goes before a reference. */
  readonly server?: Tokens.Setting | undefined
  /** How long it takes to decrypt a page, where some messages are encrypted, and some with a key that readers lack. */
  readonly opens?: number | undefined
  /** The most bytes of an answer. No single message is larger. */
  readonly maxAnswerSize?: number | undefined
  readonly historyDelay: number
  readonly lateBy: number
  readonly readers: ReadonlyArray<ReaderPlan>
  readonly acts: ReadonlyArray<Act>
  readonly mishaps: ReadonlyArray<Mishap>
}

const channels = ["orders", "news", "alerts.red", "alerts.blue", ...crew]
const group = "group crew"
/** It has no channels at first. */
const idle = "group idle"
const isGroup = (name: string) => name === group || name === idle
const groupOf = (name: string) => name.slice("group ".length)
const memberOf = (name: string) => isGroup(name) ? Subscription.group(groupOf(name)) : Subscription.channel(name)

const covers = (name: string, channel: string): boolean =>
  name === channel || name === group && crew.includes(channel) || name === idle && channel === spare ||
  name.endsWith(".*") && channel.startsWith(name.slice(0, -1))

export const planOf = (seed: number, names: ReadonlyArray<StrainName> = []): Plan => {
  const { between, next, one, pick } = dice(seed)
  const strained = new Set(names.filter((name): name is Common => name !== "reentrant"))
  const later = dice(seed ^ 0x70CE)
  const possible = [...channels, "alerts.*", group, ...strained.has("groups") ? [idle] : []]
  const unstored = one(5)
  const suspending = one(10)
  const strategy = (): Subscribe.Strategy =>
    suspending && one(3) ? "suspend" : one(4) ? pick(["sliding", "dropping", "fail"] as const) : "catchUp"
  const readers = Array.from({ length: between(2, 6) }, (): ReaderPlan => {
    const isSlow = one(2)
    return {
      names: [...new Set(Array.from({ length: between(1, 3) }, () => pick(possible)))],
      capacity: one(3) ? 1_000 : between(1, 60),
      strategy: strategy(),
      catchUp: one(4) ? "none" : one(4) ? { within: between(0, 60_000) } : "history",
      every: between(1, 60),
      stall: isSlow ? between(1, 60) * 1_000 : 0,
      past: one(8)
    }
  })
  const joined = new Map<number, Set<string>>()
  const acts: Array<Act> = []
  const join = (reader: number) => {
    joined.set(reader, new Set(readers[reader]!.names))
    acts.push({ _tag: "Join", reader })
  }
  const publish = (count: number) =>
    acts.push({
      _tag: "Publish",
      count,
      channels: count > 1 && one(2) ? channels : [pick(channels)],
      kind: unstored && one(6) ? pick(["unstored", "signal"] as const) : "stored",
      region: one(8) ? 2 : 1
    })
  join(0)
  let isDown = false
  for (let index = 0; index < 30; index++) {
    publish(one(3) ? between(2, 30) : 1)
    if (one(15)) publish(Math.floor(101 + 899 * next() ** 3))
    if (one(3)) {
      const reader = between(0, readers.length - 1)
      const names = joined.get(reader)
      const name = pick(possible)
      if (names === undefined) join(reader)
      else if (one(3)) {
        acts.push({ _tag: "Leave", reader })
        joined.delete(reader)
        // Again at once, at times: within the time in which changes are one.
        if (one(3)) join(reader)
      } else if (names.has(name) && names.size > 1) {
        names.delete(name)
        acts.push({ _tag: "Remove", reader, name })
        if (one(3)) {
          names.add(name)
          acts.push({ _tag: "Add", reader, name })
        }
      } else if (!names.has(name)) {
        names.add(name)
        acts.push({ _tag: "Add", reader, name })
      }
    }
    if (one(40)) acts.push({ _tag: "Jump" })
    if (one(30)) acts.push({ _tag: "Restart" })
    if (one(25)) {
      acts.push({ _tag: isDown ? "Reconnect" : one(3) ? "Reconnect" : "Disconnect" })
      isDown = acts.at(-1)?._tag === "Disconnect"
    }
    acts.push({ _tag: "Wait", millis: between(0, one(4) ? 20_000 : one(2) ? 500 : 30) })
  }
  const server = serverOf(strained, later)
  for (const strain of strained) {
    const random = isLater(strain) ? later : { between, one, pick }
    for (let index = random.between(1, 4); index > 0; index--) {
      acts.splice(random.between(0, acts.length), 0, ...strainsOf(strain, random))
    }
  }
  if (names.includes("reentrant")) {
    for (let index = later.between(2, 12); index > 0; index--) {
      acts.splice(later.between(0, acts.length), 0, insideOf(readers.length, possible, later))
    }
  }
  // A poll that begins anew knows only near its cursor what it had.
  const begins = acts.some(({ _tag }) =>
    _tag === "Disconnect" || _tag === "Reconnect" || _tag === "Defect" || _tag === "Inside"
  )
  const faults = Possible.faults.filter(({ fault }) => !begins || fault._tag !== "OldPage")
  const mishaps: Array<Mishap> = []
  const rate = one(4) ? 0 : 0.1
  for (let at = 0; at < 150; at++) if (next() < rate) mishaps.push({ at, ...pick(faults) })
  for (const on of ["history", "historyCounts", "channelGroups"] as const) {
    for (let at = 0; at < 6; at++) if (next() < rate) mishaps.push({ at, on, ...pick(faults) })
  }
  const further = one(8) ? 400 : 0
  return {
    seed,
    further,
    latency: one(3) ? between(1, 200) : 0,
    skew: strained.has("skew") ? between(-1_440, 1_440) * 60_000 : 0,
    token: strained.has("token"),
    ...server === undefined ? {} : { server },
    ...strained.has("mixed") ? { opens: opensOf(strained, seed) } : {},
    ...strained.has("small")
      ? { maxAnswerSize: maxAnswerSizeOf(strained, seed, strained.has("deep") || further > 0) }
      : {},
    historyDelay: strained.has("history") && one(2) ? between(0, 20_000) : one(4) ? between(0, 900) : 0,
    lateBy: one(2) ? between(0, 5_000) : 0,
    readers,
    acts,
    mishaps
  }
}

/** What a reader does in its handler. Some of it causes the same event again, and so has an end. */
const insideOf = (
  readers: number,
  names: ReadonlyArray<string>,
  { between, one, pick }: ReturnType<typeof dice>
): Act => {
  const reader = between(0, readers - 1)
  const other = one(2) ? reader : between(0, readers - 1)
  const on = pick(
    [
      "Message",
      "GapSuspected",
      "Gap",
      "Interrupted",
      "Disconnected",
      "Reconnected",
      "Connected",
      "ChannelsChanged"
    ] as const
  )
  const act = pick<Change>([
    { _tag: "Again", reader },
    { _tag: "Again", reader },
    { _tag: pick(["Again", "Leave", "Join", "Kill"] as const), reader: other },
    { _tag: pick(["Add", "Remove"] as const), reader: other, name: pick(names) },
    { _tag: pick(["Add", "Remove"] as const), reader: other, name: pick(names) },
    { _tag: pick(["Disconnect", "Reconnect", "Reconnect", "UnsubscribeAll"] as const) }
  ])
  const isEndless = on === "Connected" || on === "ChannelsChanged" || act._tag === "Disconnect" ||
    act._tag === "Reconnect" || act._tag === "UnsubscribeAll"
  return { _tag: "Inside", reader, on, times: isEndless ? between(1, 3) : pick([1, 3, 1_000]), act }
}

/** A plan of a seed in which readers are killed often, each of a wildcard among other names. */
export const crashyOf = (seed: number): Plan => {
  const random = dice(~seed)
  const { between, one } = random
  // The cursor of an event is that of one poll: who is killed with several loses what another one was to give.
  const plan = { ...planOf(seed), further: 0 }
  const readers = plan.readers.map((reader) => ({ ...reader, names: [...new Set([...reader.names, "alerts.*"])] }))
  const kill = () => ({ _tag: "Kill", reader: between(0, readers.length - 1) }) as const
  // Each reader has the wildcard all the time.
  const acts = plan.acts.filter((act) => !("name" in act && act.name === "alerts.*"))
  for (let index = between(2, 6); index > 0; index--) {
    const kills = killsOf(one(2) ? kill : () => ({ _tag: "Kill", reader: 0 }) as const, random)
    acts.splice(between(0, acts.length), 0, ...kills)
  }
  const mishaps = one(2) ? [] : plan.mishaps
  return { ...plan, readers, acts, mishaps }
}

const show = ({ acts, mishaps, readers, ...setting }: Plan): string =>
  [
    JSON.stringify(setting),
    ...readers.map((reader, index) => `reader ${index}: ${JSON.stringify(reader)}`),
    ...acts.map(({ _tag, ...details }) => `${_tag} ${JSON.stringify(details)}`),
    ...mishaps.map(({ at, on, ...rest }) => `from ${on ?? "request"} ${at} on: ${shownFault(rest)}`)
  ].join("\n")

// --------------------------------------------------------------------------------------------------------------------
// runs
// --------------------------------------------------------------------------------------------------------------------

interface Sent {
  readonly id: number
  readonly by: number
  readonly channel: string
  readonly region: number
  readonly kind: Kind
  readonly timetoken: bigint
  /** When it came, as far as can be said: a burst takes a little longer than its moment. */
  readonly arrived: bigint
}

/** A name of a reader: from when to when it is surely heard, and from when to when it may be. */
interface Heard {
  readonly name: string
  readonly asked: bigint
  from: bigint | undefined
  to: bigint | undefined
  /** Whether the name was removed: then what was still waiting is forgone. */
  isRemoved?: boolean
}

/** One life of a reader. */
interface Life {
  readonly plan: ReaderPlan
  readonly index: number
  readonly scope: Scope.Closeable
  readonly heard: Array<Heard>
  readonly seen: Array<Handled>
  readonly gaps: Array<{ readonly at: number; readonly gap: Gap }>
  readonly pasts: bigint | undefined
  readonly before: Set<string>
  set?: Subscription.SubscriptionSet
  fiber?: Fiber.Fiber<unknown, unknown> | undefined
  interrupted: boolean
  hasLeft: boolean
  /** The last cursor that it handled. */
  cursor?: Cursor
  /** Goes on from that cursor. */
  goOn?: Effect.Effect<Fiber.Fiber<unknown, unknown>, never, Needs>
  /** It went on from the cursor of a failure, which may be further back than what it had. */
  hasResumed: boolean
  /** When it went on after it died, and from which cursor. */
  readonly restarts: Array<{ readonly at: bigint; readonly from: Cursor }>
}

interface From {
  readonly from?: Cursor | Timetoken.Timetoken
}

type Gap = Extract<SubscribeEvent.SubscribeEvent, { readonly _tag: "Gap" | "GapSuspected" }>

/** What ends the stream of a reader from inside of its handler. */
class Left {
  readonly _tag = "Left"
  /** Whether it joins again. */
  readonly isAgain: boolean

  constructor(isAgain: boolean) {
    this.isAgain = isAgain
  }
}

/** What is still to be done in a handler. */
interface Armed {
  readonly reader: number
  readonly on: string
  readonly act: Change
  left: number
  /** How often it was done in one moment. */
  count: number
  at: bigint
}

type Needs = HttpClient.HttpClient | PubNubConfig.PubNubConfig

type Reading = Effect.Effect<void, SubscribeError.SubscribeError | Left, Needs>

interface Entered {
  readonly life: Life
  readonly reading: Effect.Effect<void, SubscribeError.SubscribeError, Needs>
}

interface Problem {
  readonly kind: string
  readonly details: string
}

const worldOf = ({ historyDelay, latency, maxAnswerSize, mishaps }: Plan) =>
  Faults.layer({ script: rulesOf(mishaps) }).pipe(
    Layer.provideMerge(PubNubEmulator.layer({
      historyDelay,
      ...latency === 0 ? {} : { latency: Effect.succeed(latency) }
    })),
    Layer.provideMerge(PubNubConfig.layer({
      subscribeKey: "demo-sub",
      publishKey: "demo-pub",
      userId: "reader",
      origin: "emulator",
      historyRetention: Duration.infinity,
      maxAnswerSize
    })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(Virtual.layer),
    Layer.provideMerge(TestClock.layer())
  )

const now = Effect.map(Clock.currentTimeMillis, (millis) => BigInt(Math.floor(millis)) * 10_000n)

const live = Effect.fnUntraced(function*(plan: Plan) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const faults = yield* Faults.Faults
  yield* emulator.addToGroup({ group: "crew", channels: crew })
  const problems: Array<Problem> = []
  const fail = (kind: string, details: string) => {
    problems.push({ kind, details })
  }
  let running = 0
  const counting: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => running++,
    recordFiberEnd: () => running--
  }
  const machine = yield* makeMachine(plan.skew, plan.token, plan.server, plan.opens)
  const sent: Array<Sent> = []
  const lives: Array<Life> = []
  const current = new Map<number, Life>()
  const armed: Array<Armed> = []
  let isHealed = false
  let hasUnsubscribed = false
  let isDown = false
  const scope = yield* Scope.make()
  const sharing = yield* Layer.buildWithScope(Subscriber.layer({ reconnect: machine.reconnect }), scope)
  const further = Array.from({ length: plan.further }, (_, n) => `further-${n}-`.padEnd(80, "x"))
  // A reader that starts another one in its handler may end before that one.
  const fibers = yield* Scope.make()

  const enter: (index: number) => Effect.Effect<Entered, never, Needs> = Effect.fnUntraced(function*(index) {
    const reader = plan.readers[index]!
    const asked = yield* now
    const first = sent[0]?.timetoken
    const life: Life = {
      plan: reader,
      index,
      scope: yield* Scope.make(),
      heard: reader.names.map((name) => ({ name, asked, from: undefined, to: undefined })),
      seen: [],
      gaps: [],
      pasts: reader.past ? first : undefined,
      before: new Set(),
      interrupted: false,
      hasLeft: false,
      hasResumed: false,
      restarts: []
    }
    lives.push(life)
    current.set(index, life)
    let count = 0
    const handle = (event: SubscribeEvent.SubscribeEvent) =>
      Effect.gen(function*() {
        machine.tell(event)
        if (life.hasLeft) fail("given something after it left", event._tag)
        if ("cursor" in event && event.cursor !== undefined) {
          life.cursor = event.cursor
          if (isLong(event.cursor)) fail("a long cursor", lengthsOf(event.cursor))
        }
        const mistaken = plan.opens === undefined ? undefined : Mixed.mistakeOf(event, numberIn)
        if (mistaken !== undefined) fail("not what it was", mistaken)
        const handled = handledOf(event)
        if (handled !== undefined) life.seen.push(handled)
        switch (event._tag) {
          case "Gap":
          case "GapSuspected":
            life.gaps.push({ at: life.seen.length, gap: event })
            break
          case "Interrupted":
          case "Disconnected":
            life.interrupted = true
            break
          case "Reconnected":
            life.interrupted = false
            break
          case "Connected":
          case "ChannelsChanged": {
            if (event._tag === "Connected") life.interrupted = false
            // Where the poll is in the middle of a page, the cursor names what was given of it before.
            if (event._tag === "Connected") {
              for (const mark of [...event.cursor.delivered, ...Marks.split(event.cursor.recent?.marks ?? "")]) {
                life.before.add(mark)
              }
            }
            // The moment itself is of either side.
            const at = (yield* now) + 10_000n
            const isNamed = ({ name }: Heard) =>
              isGroup(name) ? event.groups.includes(groupOf(name)) : event.channels.includes(name)
            const names = life.heard.filter(({ isRemoved }) => isRemoved !== true)
            for (const heard of names) {
              // A status has all names that there were. One that waited for the reader while a name was removed and added again
              // tells of the time before: it lacks what was added meanwhile, or the next one lacks the name.
              if (!isNamed(heard)) heard.from = undefined
              else if (names.every((other) => other.asked > heard.asked || isNamed(other))) {
                heard.from ??= event._tag === "Connected" ? BigInt(event.cursor.position) : at
              }
            }
          }
        }
        yield* inside(life, event._tag)
        if (!isHealed && reader.stall > 0 && ++count % reader.every === 0) yield* Effect.sleep(reader.stall)
      })
    const members = [...reader.names.map(memberOf), ...index === 0 ? further.map(memberOf) : []]
    const options = { capacity: reader.capacity, strategy: reader.strategy, catchUp: reader.catchUp }
    const from = life.pasts === undefined ? {} : { from: Timetoken.Timetoken.make(String(life.pasts)) }
    // A set changes, and one that fails goes on from its cursor.
    const isSet = reader.strategy !== "fail"
    const setOf = (members: ReadonlyArray<Subscription.Subscription>, from: From) =>
      Subscribe.subscriptionSet({ subscriptions: members, ...options, ...from }).pipe(
        Scope.provide(life.scope),
        Effect.provideContext(sharing),
        Effect.provideService(Metric.FiberRuntimeMetrics, counting),
        machine.on,
        Effect.orDie
      )
    if (isSet) life.set = yield* setOf(members, from)
    const streamOf = (from: From) =>
      life.set?.stream ??
        Stream.provideContext(Subscribe.stream({ subscriptions: members, ...options, ...from }), sharing)
    const again = (from: From): Reading =>
      Effect.gen(function*() {
        if (typeof from.from === "object") life.restarts.push({ at: yield* now, from: from.from })
        if (life.set !== undefined) {
          const names = life.heard.filter(({ isRemoved }) => isRemoved !== true).map(({ name }) => memberOf(name))
          life.set = yield* setOf([...names, ...index === 0 ? further.map(memberOf) : []], from)
        }
        return yield* reading(from)
      })
    const reading = (from: From): Reading =>
      Stream.runForEach(streamOf(from), (event) => machine.off(handle(event))).pipe(
        Effect.catchIf(
          (error) =>
            error._tag === "SubscribeError" &&
            (error.reason._tag === "InboxOverflow" || error.reason._tag === "Defect"),
          (error) => {
            if (error._tag === "Left") return Effect.fail(error)
            const { cursor, reason } = error
            if (reason._tag === "Defect") life.hasResumed = true
            return again(cursor === undefined ? from : { from: cursor })
          }
        )
      )
    const whole = (reading: Reading) =>
      reading.pipe(
        Effect.as(true),
        Effect.catchTag("Left", ({ isAgain }) => Effect.succeed(isAgain)),
        Effect.flatMap((isAgain) => over(life, isAgain)),
        machine.on
      )
    life.goOn = Effect.suspend(() => begin(whole(again(life.cursor === undefined ? from : { from: life.cursor }))))
    return { life, reading: whole(reading(from)) }
  })

  const begin = (reading: Entered["reading"]) =>
    Effect.forkIn(reading, fibers).pipe(Effect.provideService(Metric.FiberRuntimeMetrics, counting))

  const join = Effect.fnUntraced(function*(index: number) {
    const { life, reading } = yield* enter(index)
    life.fiber = yield* begin(reading)
    yield* Effect.yieldNow
  })

  const gone = Effect.fnUntraced(function*(life: Life) {
    current.delete(life.index)
    life.hasLeft = true
    const at = yield* machine.off(now)
    for (const heard of life.heard) heard.to ??= at
  })

  const leave = Effect.fnUntraced(function*(life: Life) {
    yield* gone(life)
    yield* Fiber.interrupt(life.fiber!)
    yield* Scope.close(life.scope, Exit.void)
  })

  /** The stream of a reader ended, in its own handler or with all others. */
  const over = Effect.fnUntraced(function*(life: Life, isAgain: boolean) {
    if (current.get(life.index) !== life) return
    if (isAgain && !hasUnsubscribed && !life.hasLeft) fail("ended", `reader ${life.index}, without a failure`)
    yield* gone(life)
    yield* Scope.close(life.scope, Exit.void)
    if (!isAgain) return
    const next = yield* machine.off(enter(life.index))
    next.life.fiber = life.fiber
    yield* next.reading
  })

  /** Does in a handler what is to be done there. */
  const inside = Effect.fnUntraced(function*(life: Life, tag: string) {
    for (const one of armed) {
      if (one.left === 0 || one.reader !== life.index || one.on !== tag || life.hasLeft) continue
      one.left--
      const at = yield* now
      const isOwn = "reader" in one.act && one.act.reader === life.index
      // Many messages may come at once, though not to who joins again.
      one.count = one.at === at && (tag !== "Message" || isOwn && one.act._tag === "Again") ? one.count + 1 : 0
      one.at = at
      if (one.count > 300) {
        one.left = 0
        // The service refuses an expired token at once, each time that the reader begins again.
        const isRefused = plan.token && one.on === "Interrupted"
        // The only stream begins with a new connection each time, and each may fail at once.
        const isAlone = current.size === 1 && one.act._tag === "Again"
        if (!isRefused && !isAlone) fail("without end", `reader ${one.reader} on ${one.on}: ${one.act._tag}`)
      }
      // The cursor of an event is that of one poll: who is killed with several loses what another one was to give.
      if (one.act._tag === "Kill" && one.act.reader === 0 && plan.further > 0) continue
      if (isOwn && (one.act._tag === "Leave" || one.act._tag === "Again")) {
        life.hasLeft = true
        return yield* Effect.fail(new Left(one.act._tag === "Again"))
      }
      if (isOwn && one.act._tag === "Kill" && life.goOn !== undefined) {
        life.fiber = yield* life.goOn
        return yield* Effect.interrupt
      }
      yield* change(one.act)
    }
  })

  const change: (act: Change) => Effect.Effect<void, never, Needs> = Effect.fnUntraced(function*(act) {
    const life = "reader" in act ? current.get(act.reader) : undefined
    switch (act._tag) {
      case "Join":
        return life === undefined ? yield* join(act.reader) : undefined
      case "Again":
        if (life === undefined) return
        yield* leave(life)
        return yield* join(act.reader)
      case "Leave":
        return life === undefined ? undefined : yield* leave(life)
      case "Kill":
        if (life?.fiber === undefined || life.goOn === undefined) return
        life.fiber.interruptUnsafe()
        life.fiber = yield* life.goOn
        return
      case "Add":
        if (life?.set === undefined || life.heard.some(({ name, to }) => name === act.name && to === undefined)) return
        life.heard.push({ name: act.name, asked: yield* now, from: undefined, to: undefined })
        return yield* Effect.orDie(machine.on(life.set.add(memberOf(act.name))))
      case "Remove": {
        if (life?.set === undefined) return
        const at = yield* now
        for (const heard of life.heard) {
          if (heard.name !== act.name || heard.to !== undefined) continue
          heard.to = at
          heard.isRemoved = true
        }
        return yield* machine.on(life.set.remove(memberOf(act.name)))
      }
      case "Disconnect":
        isDown = true
        return yield* machine.on(Effect.provideContext(Subscriber.disconnect, sharing))
      case "Reconnect":
        isDown = false
        return yield* machine.on(Effect.provideContext(Subscriber.reconnect, sharing))
      case "UnsubscribeAll":
        hasUnsubscribed = true
        return yield* machine.on(Effect.provideContext(Subscriber.unsubscribeAll, sharing))
    }
  })

  const act = Effect.fnUntraced(function*(act: Act) {
    switch (act._tag) {
      case "Inside":
        armed.push({ ...act, left: act.times, count: 0, at: 0n })
        return
      case "Publish": {
        const { channels, count, kind, region, shape } = act
        const delay = region === 2 ? plan.lateBy : 0
        const messages = Array.from({ length: count }, (_, index) => ({
          channel: channels[index % channels.length]!,
          message: shape === undefined && plan.opens !== undefined && kind !== "signal"
            ? Mixed.payloadOf(sent.length + index)
            : payloadOf(sent.length + index, shape),
          publisher: `p${index % 3}`,
          region,
          delay
        }))
        const timetokens = kind === "signal"
          ? (yield* Effect.forEach(messages, (message) => emulator.signal(message))).map(({ timetoken }) => timetoken)
          : yield* emulator.publishAll(messages.map((message) => ({ ...message, store: kind === "stored" })))
        messages.forEach(({ channel }, index) => {
          const timetoken = BigInt(timetokens[index]!)
          const arrived = timetoken + BigInt(delay) * 10_000n + 20_000n
          sent.push({ id: sent.length, by: index % 3, channel, region, kind, timetoken, arrived })
        })
        // Readers get what is there before the next act.
        return yield* Effect.yieldNow
      }
      case "Wait":
        return yield* Virtual.advance(act.millis)
      case "Jump":
        return yield* Virtual.jump("8 hours")
      case "Restart":
        return yield* emulator.restart
      case "Join":
      case "Leave":
      case "Kill":
      case "Again":
      case "Add":
      case "Remove":
      case "Disconnect":
      case "Reconnect":
      case "UnsubscribeAll":
        return yield* change(act)
      default:
        return yield* machine.act(act)
    }
  })
  for (const next of plan.acts) yield* act(next)
  yield* faults.heal
  yield* machine.heal
  isHealed = true
  armed.length = 0
  yield* emulator.addToGroup({ group: "idle", channels: [spare] })
  if (isDown) yield* machine.on(Effect.provideContext(Subscriber.reconnect, sharing))
  yield* Virtual.advance("7 minutes")
  const last = sent.length
  const all = [...channels, spare]
  yield* act({ _tag: "Publish", count: all.length, channels: all, kind: "stored", region: 1 })
  yield* Virtual.advance("2 minutes")
  const injected = yield* faults.injected
  problems.push(...machine.problems(injected))
  const refused = injected.some(({ fault, kind }) =>
    fault._tag === "AccessDenied" && (kind === "history" || kind === "historyCounts" || kind === "channelGroups")
  ) || plan.acts.some((act) =>
    act._tag === "Token" && act.after > 0
  ) || machine.mayRefuse()
  // What a slow reader does not find in history by then is told as lost, though a later look may find it.
  const unstored = sent.some(({ kind }) => kind !== "stored") || plan.historyDelay > 7_000
  const unplain = plan.readers.some(({ names }) => names.some((name) => isGroup(name) || name.endsWith(".*"))) ||
    plan.acts.some((act) => act._tag === "Add" && (isGroup(act.name) || act.name.endsWith(".*")))

  // --- each reader

  const published = new Map<unknown, Sent>(sent.map((message) => [message.id, message]))
  for (const life of lives) {
    const { gaps, heard, index, plan: { catchUp }, seen } = life
    // What history is not asked for cannot be caught up with.
    const strategy = catchUp === "none" && life.plan.strategy === "catchUp" ? "dropping" : life.plan.strategy
    const who = `reader ${index} (${strategy})`
    const mayRepeat = strategy === "fail" && (plan.further > 0 || life.pasts !== undefined) || life.hasResumed
    if (!life.hasLeft) {
      const ended = life.fiber?.pollUnsafe()
      if (ended !== undefined) fail("ended", `${who} ${String(ended)}`)
      if (life.interrupted) fail("interrupted", `${who}, and no end of it was told`)
      for (const { from, name, to } of heard) {
        if (to === undefined && from === undefined) fail("never connected", `${who} to ${name}`)
      }
    }
    const own = sent.filter(({ channel }) => heard.some(({ name }) => covers(name, channel)))
    // Sums do not fit a reader that resumes with other names, nor where history is refused. Where the last reader of a wildcard failed,
    // its channels are forgotten: history does not show the events of the sums before the live service does.
    const isWild = strategy === "fail" && heard.some(({ name }) => name.endsWith(".*"))
    const mayComeAgain = ({ timetoken }: Sent) =>
      isOfLostSum(timetoken, life.restarts, own, ({ at, from }) => {
        const isOfChange = (moment: bigint | undefined) => moment !== undefined && timetoken < moment && moment <= at
        return refused || isWild && namedBy(from) > 430 ||
          heard.some(({ asked, to }) => isOfChange(asked) || isOfChange(to))
      })
    const ids = new Set<unknown>()
    const newest = new Map<string, bigint>()
    const isTold = ({ arrived, channel, kind, timetoken }: Sent) =>
      gaps.some(({ gap }) =>
        arrived >= BigInt(gap.since) - 1n && timetoken < BigInt(gap.before) &&
        (gap._tag === "GapSuspected" ||
          covers(["crew", "idle"].includes(gap.channel) ? `group ${gap.channel}` : gap.channel, channel) &&
            (gap.kinds === undefined ||
              kind !== "stored" && gap.kinds.includes(kind === "signal" ? "Signal" : "Message")))
      )
    for (const event of seen) {
      const message = published.get(event.payload)
      if (message === undefined || String(message.timetoken) !== event.timetoken) {
        fail("delivered, and not so published", `${who} ${JSON.stringify(event)}`)
        continue
      }
      const { channel, id, kind, region, timetoken } = message
      const isRepeated = ids.has(id)
      if (isRepeated && !mayRepeat && !mayComeAgain(message)) {
        fail("delivered twice", `${who} ${id} of ${channel}`)
      }
      ids.add(id)
      // A cursor does not say when its names were added: who goes on from it may get all from where it begins.
      const isResumed = life.restarts.some(({ from: { position, recent } }) =>
        timetoken >= BigInt(recent?.since ?? position)
      )
      const may = heard.some(({ asked, name, to }) =>
        covers(name, channel) && (to === undefined || timetoken <= to + 10_000n + BigInt(plan.latency) * 20_000n) &&
        (life.pasts !== undefined || timetoken > asked - 864_000_000_000n || isResumed)
      )
      if (!may) fail("not its own", `${who} ${id} of ${channel}`)
      // What an earlier life had of several polls, or of history before it, it may be given again.
      if (isTold(message) || mayRepeat || isRepeated) continue
      // The moment at which a name was added is of either side.
      const isEarly = heard.every(({ asked, name }) => !covers(name, channel) || timetoken < asked + 10_000n)
      if (isEarly && isResumed) continue
      // By two names it may come by two polls, between which there is no order.
      if (plan.further > 0 && heard.filter(({ name }) => covers(name, channel)).length > 1) continue
      const place = `${channel} of region ${region}, ${kind}`
      const before = newest.get(place)
      if (before !== undefined && timetoken < before) fail("out of order", `${who} ${id} of ${place}`)
      else newest.set(place, timetoken)
    }
    for (const message of sent) {
      const { channel, id, kind, region, timetoken } = message
      if (ids.has(id) || life.before.has(Marks.of(`${timetoken}/${channel}/p${message.by}`))) continue
      // What was on its way before the poll began, and is then too much for the service's queue, no poll can know of.
      if (life.pasts !== undefined && region === 2) continue
      // What was left out is told before the next event: who leaves before that is not told.
      if (life.hasLeft && (strategy === "sliding" || strategy === "dropping")) continue
      // Who left in a gap was not told yet what history lacks: its last cursor says where the gap begins, to who goes on from there.
      if (life.hasLeft && life.cursor?.hole !== undefined && timetoken > BigInt(life.cursor.hole)) continue
      // Who left, or left a name, had not taken everything yet, but nothing younger either.
      const isMissing = heard.some(({ from, isRemoved, name, to }) =>
        isRemoved !== true && covers(name, channel) && from !== undefined && timetoken > from &&
        (to === undefined || !life.hasLeft ?
          to === undefined :
          timetoken < to &&
          seen.some((event) =>
            event.channel === channel && BigInt(event.timetoken) > timetoken && BigInt(event.timetoken) < to &&
            published.get(event.payload)?.region === region && published.get(event.payload)?.kind === kind
          ))
      )
      if (!isMissing || isTold(message)) continue
      // Nobody can know of what was not stored and dropped by the service.
      if (kind !== "stored") continue
      fail(`lost (${kind})`, `${who} ${id} of ${channel} at ${timetoken}${id >= last ? ": stuck" : ""}`)
    }
    // --- no gap without need
    const isPlain = heard.every(({ name }) => !isGroup(name) && !name.endsWith(".*"))
    for (const { gap } of gaps) {
      // What the service still has for who begins in the past may be too large.
      const isTooLarge = plan.maxAnswerSize !== undefined && (life.pasts !== undefined || life.restarts.length > 0)
      const allowed = gap._tag === "GapSuspected"
        ? unstored || unplain || refused || catchUp !== "history" || isTooLarge
        : gap.reason === "InboxOverflow"
        ? strategy === "sliding" || strategy === "dropping"
        : gap.reason === "NotStored" || gap.reason === "NotInHistory"
        ? unstored
        : !isPlain || refused
      if (!allowed) fail("a gap, and no need of it", `${who} ${JSON.stringify(gap)}`)
      if (gap._tag === "Gap" && isPlain && !heard.some(({ name }) => covers(name, gap.channel))) {
        fail("a gap of somebody else", `${who} ${JSON.stringify(gap)}`)
      }
    }
  }

  // --- the end

  for (const life of current.values()) yield* leave(life)
  yield* Virtual.advance("2 seconds")
  const left = yield* machine.on(Effect.provideContext(Subscriber.subscribed, sharing))
  if (left.channels.length + left.groups.length > 0) fail("names are left", JSON.stringify(left))
  if ((yield* emulator.readers) > 0) fail("polls are left", String(yield* emulator.readers))
  yield* Scope.close(scope, Exit.void)
  yield* Virtual.advance("2 seconds")
  if (running !== 0) fail("fibers are left", String(running))
  yield* Scope.close(fibers, Exit.void)

  const present = new Map<string, boolean>()
  for (const { target } of yield* emulator.requests) {
    const { pathname, searchParams } = new URL(target, "http://emulator")
    const parts = pathname.split("/")
    const isLeave = pathname.endsWith("/leave")
    if (!isLeave && parts[2] !== "subscribe") continue
    const named = decodeURIComponent(parts[isLeave ? 6 : 4]!).split(",")
    const groups = (searchParams.get("channel-group") ?? "").split(",").filter((name) => name !== "")
    for (const name of [...named.filter((name) => name !== ""), ...groups.map((name) => `group ${name}`)]) {
      if (isLeave && present.get(name) === false && injected.length === 0 && !machine.hasRepeated()) {
        fail(
          "left twice",
          name
        )
      }
      present.set(name, !isLeave)
    }
  }
  // A leave that fails is not sent again.
  const isLeaveLost = injected.some(({ kind }) => kind === "leave") || machine.mayLoseLeave()
  for (const [name, isPresent] of present) {
    if (isPresent && !isLeaveLost) fail("not left", name)
  }
  return {
    problems,
    published: sent.length,
    delivered: lives.reduce((sum, { seen }) => sum + seen.length, 0),
    lives: lives.length
  }
})

export const run = (plan: Plan) =>
  live(plan).pipe(Effect.provide(worldOf(plan)), Random.withSeed(plan.seed), Effect.scoped)

const smaller = function*(plan: Plan): Generator<Plan> {
  for (const mishaps of without(plan.mishaps)) yield { ...plan, mishaps }
  for (const acts of without(plan.acts)) yield { ...plan, acts }
  for (const [index, act] of plan.acts.entries()) {
    if (act._tag !== "Publish" || act.count === 1) continue
    for (const count of [Math.ceil(act.count / 2), act.count - 1]) {
      yield { ...plan, acts: plan.acts.with(index, { ...act, count }) }
    }
  }
  for (const name of ["further", "latency", "historyDelay", "lateBy", "skew"] as const) {
    if (plan[name] !== 0) yield { ...plan, [name]: 0 }
  }
  if (plan.server !== undefined) yield { ...plan, server: undefined }
  if (plan.opens !== undefined) yield { ...plan, opens: undefined }
  if (plan.maxAnswerSize !== undefined) yield { ...plan, maxAnswerSize: undefined }
  for (const [index, reader] of plan.readers.entries()) {
    if (reader.names.length > 1) {
      yield { ...plan, readers: plan.readers.with(index, { ...reader, names: reader.names.slice(1) }) }
    }
    if (reader.stall > 0) yield { ...plan, readers: plan.readers.with(index, { ...reader, stall: 0 }) }
    if (reader.catchUp !== "history") {
      yield { ...plan, readers: plan.readers.with(index, { ...reader, catchUp: "history" }) }
    }
  }
}

/** Fails with the smallest plan that was found, when a plan fails. */
export const hold = Effect.fnUntraced(function*(plan: Plan) {
  const outcome = yield* run(plan)
  const [first] = outcome.problems
  if (first === undefined) return outcome
  let smallest = { plan, problem: first }
  let left = 300
  search: for (;;) {
    for (const candidate of smaller(smallest.plan)) {
      if (left-- === 0) break search
      const same = (yield* run(candidate)).problems.find(({ kind }) => kind === first.kind)
      if (same !== undefined) {
        smallest = { plan: candidate, problem: same }
        continue search
      }
    }
    break
  }
  return yield* Effect.die(
    new Error(
      `SEED=${plan.seed}: ${outcome.problems.length} problems, the first: ${first.kind}: ${first.details}\n` +
        `The smallest plan that was found: ${smallest.problem.kind}: ${smallest.problem.details}\n${
          show(smallest.plan)
        }`
    )
  )
})
