/**
 * A world in virtual time: a reader, a service with two regions, others who publish, and faults between them. A plan is
 * all that happens in it, as plain data made from a seed; a run says what the reader did wrong. A plan that fails is
 * shrunk: the smallest one that fails in the same way is what there is to look at.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as Cursor from "effect-herald/Cursor"
import * as CursorStore from "effect-herald/CursorStore"
import { type Event, PubNubConfig, Subscribe } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Clock, Faults, PubNubEmulator } from "effect-herald/testing"
import { start } from "../emulated.ts"

// --------------------------------------------------------------------------------------------------------------------
// plans
// --------------------------------------------------------------------------------------------------------------------

/** What is stored, what is not, and what cannot be. */
export type Kind = "stored" | "unstored" | "signal"

/** What happens next. */
export type Act =
  /** So many messages in one moment, to these channels in turn. */
  | {
    readonly _tag: "Publish"
    readonly count: number
    readonly channels: ReadonlyArray<string>
    readonly kind: Kind
    readonly region: number
  }
  | { readonly _tag: "Wait"; readonly millis: number }
  /** The machine sleeps. */
  | { readonly _tag: "Jump"; readonly hours: number }
  /** The service restarts. */
  | { readonly _tag: "Restart" }
  /** The reader is moved to another region. */
  | { readonly _tag: "Move"; readonly region: number }
  /** The reader does nothing for so long, from its next event on. */
  | { readonly _tag: "Stop"; readonly millis: number }
  /** The reader is killed after so many more events (0 is now), and another goes on from the last cursor it handled. */
  | { readonly _tag: "Crash"; readonly after: number }

/** A fault hits the first request that it suits, from the `at`th on. */
export interface Mishap extends Pick<Faults.Rule, "fault" | "lasting"> {
  readonly at: number
  /** Counts these requests only. */
  readonly on?: Faults.Kind
}

/** How the world is. Times are milliseconds. */
export interface Setting {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  /** `stream` handles everything once; `consume` commits, and may repeat what was not committed. */
  readonly reader: "stream" | "consume"
  /** What is published in region 2 comes so much later. */
  readonly lateBy: number
  readonly historyDelay: number
  readonly latency: number
  /** How long the service keeps its queue and its history; the reader is told of the second. */
  readonly queueRetention: number | undefined
  readonly retention: number | undefined
  readonly persistence: boolean
}

export interface Plan {
  readonly seed: number
  readonly setting: Setting
  readonly acts: ReadonlyArray<Act>
  readonly mishaps: ReadonlyArray<Mishap>
}

/** The channels of the group `crew`. */
export const crew = ["team", "den"]

export const plain: Setting = {
  channels: ["orders"],
  groups: [],
  reader: "stream",
  lateBy: 0,
  historyDelay: 0,
  latency: 0,
  queueRetention: undefined,
  retention: undefined,
  persistence: true
}

/** Numbers from 0 to 1 (mulberry32). */
export const dice = (seed: number) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6D2B79F5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    /** One in so many. */
    one: (of: number) => next() * of < 1,
    between: (least: number, most: number) => least + Math.floor(next() * (most - least + 1)),
    pick: <A>(values: ReadonlyArray<A>): A => values[Math.floor(next() * values.length)]!
  }
}

const minute = 60_000

/** A plan of a seed, with everything in it that the seed asks for. */
export const planOf = (seed: number, options: {
  readonly reader?: Setting["reader"]
  readonly messages?: number
  readonly rate?: number
  readonly crashes?: boolean
  readonly faults?: ReadonlyArray<Pick<Faults.Rule, "fault" | "lasting">>
} = {}): Plan => {
  const { between, next, one, pick } = dice(seed)
  const { faults: possible = Faults.everything, messages = 50, rate = 0.12, reader = "stream" } = options
  const wildcard = one(3)
  const group = one(3)
  const unstored = one(4)
  const crashing = one(2) && options.crashes !== false
  const setting: Setting = {
    reader,
    channels: ["orders", "news", ...wildcard ? ["alerts.*"] : []],
    groups: group ? ["crew"] : [],
    lateBy: one(2) ? between(0, 5_000) : 0,
    // A reader looks once more, a second later.
    historyDelay: one(4) ? between(0, 900) : 0,
    latency: one(4) ? between(1, 200) : 0,
    queueRetention: one(4) ? between(3, 6) * minute : undefined,
    retention: one(8) ? between(5, 60) * minute : undefined,
    persistence: !one(16)
  }
  const names = ["orders", "news", ...wildcard ? ["alerts.red", "alerts.blue"] : [], ...group ? crew : []]
  const acts: Array<Act> = []
  const kind = (): Kind => !unstored || !one(6) ? "stored" : reader === "consume" || one(2) ? "unstored" : "signal"
  const publish = (count: number) => {
    const channels = count > 1 && one(2) ? names : [pick(names)]
    acts.push({ _tag: "Publish", count, channels, kind: kind(), region: one(8) ? 2 : 1 })
  }
  for (let index = 0; index < messages; index++) {
    publish(1)
    if (one(40)) publish(Math.floor(101 + 899 * next() ** 3))
    if (one(40)) acts.push({ _tag: "Jump", hours: 8 })
    if (one(40)) acts.push({ _tag: "Restart" })
    if (one(40)) acts.push({ _tag: "Move", region: between(1, 3) })
    if (one(60)) {
      // Stopped, it misses what comes meanwhile.
      acts.push({ _tag: "Stop", millis: between(1, 240) * 1_000 })
      publish(between(1, 300))
    }
    if (crashing && one(20)) acts.push({ _tag: "Crash", after: one(2) ? 0 : between(1, 300) })
    const pause = one(4) ? 20_000 : 500
    acts.push({ _tag: "Wait", millis: between(0, pause) })
  }
  // What it had in an earlier life a reader knows only near its cursor: no page from long ago comes after a crash.
  const crashes = acts.some(({ _tag }) => _tag === "Crash")
  const faults = crashes ? possible.filter(({ fault }) => fault._tag !== "OldPage") : possible
  const mishaps: Array<Mishap> = []
  for (let at = 0; at < 300; at++) if (next() < rate && faults.length > 0) mishaps.push({ at, ...pick(faults) })
  for (const on of ["history", "counts", "groups"] as const) {
    for (let at = 0; at < 6; at++) if (next() < rate && faults.length > 0) mishaps.push({ at, on, ...pick(faults) })
  }
  return { seed, setting, acts, mishaps }
}

/**
 * A plan of a seed in which so much is published that a reader falls behind, and finds full pages one after the other.
 * One message of another region comes late: of two, the second may be found in history where the first was not yet.
 */
export const busyOf = (seed: number): Plan => {
  const { between, one } = dice(seed)
  const { mishaps, setting } = planOf(seed, { messages: 0, rate: one(2) ? 0 : 0.02, crashes: false })
  const most = between(15, 40)
  const late = between(0, 149)
  const acts = Array.from({ length: 150 }, (_, index): ReadonlyArray<Act> => [
    {
      _tag: "Publish",
      count: index === late ? 1 : index % 50 === 0 ? between(100, 700) : between(1, most),
      channels: one(2) ? ["orders", "news"] : ["orders"],
      kind: "stored",
      region: index === late ? 2 : 1
    },
    ...one(150) ? [{ _tag: "Restart" } as const] : [],
    ...one(150) ? [{ _tag: "Stop", millis: between(1, 5_000) } as const] : [],
    ...one(150) ? [{ _tag: "Jump", hours: 8 } as const] : [],
    { _tag: "Wait", millis: between(20, 120) }
  ]).flat()
  return { seed, setting, acts, mishaps }
}

export const shownFault = ({ fault: { _tag, ...details }, lasting }: Pick<Faults.Rule, "fault" | "lasting">) =>
  `${_tag}${Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : ""}${
    lasting === undefined ? "" : ` for ${Duration.format(Duration.fromInputUnsafe(lasting))}`
  }`

/** A plan as it is read: how the world differs from the plain one, what happens, what goes wrong. */
export const show = ({ acts, mishaps, seed, setting }: Plan): string =>
  [
    `seed ${seed}`,
    `in ${
      JSON.stringify(Object.fromEntries(
        Object.entries(setting).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify({ ...plain }[name]))
      ))
    }`,
    ...acts.map(({ _tag, ...details }) => `${_tag} ${JSON.stringify(details)}`),
    ...mishaps.map(({ at, on, ...rest }) => `from ${on ?? "request"} ${at} on: ${shownFault(rest)}`)
  ].join("\n")

// --------------------------------------------------------------------------------------------------------------------
// runs
// --------------------------------------------------------------------------------------------------------------------

interface Sent {
  readonly id: number
  readonly channel: string
  readonly region: number
  readonly kind: Kind
  readonly timetoken: bigint
  /** When it came, as far as can be said: a burst takes a little longer than its moment. */
  readonly arrived: bigint
}

/** What a run found wrong: the kind of it, so that shrinking stays with it, and the facts. */
export interface Problem {
  readonly kind: string
  readonly details: string
}

export interface Outcome {
  readonly problems: ReadonlyArray<Problem>
  readonly published: number
  readonly delivered: number
  readonly gaps: ReadonlyArray<Announced>
  readonly injected: ReadonlyArray<Faults.Injected>
  readonly crashes: number
}

/** A gap that was told, or one that is suspected, which has no channel. */
interface Announced {
  readonly _tag: "Gap" | "GapSuspected"
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly channel?: string
  readonly kinds?: ReadonlyArray<string>
}

type Handled = Event.Message | Event.Signal

const isHandled = (event: { readonly _tag: string }): event is Handled =>
  event._tag === "Message" || event._tag === "Signal"

export const rulesOf = (mishaps: ReadonlyArray<Mishap>): ReadonlyArray<Faults.Rule> => {
  const numbers = new WeakMap<HttpClientRequest.HttpClientRequest, number>()
  let count = 0
  const numberOf = (request: HttpClientRequest.HttpClientRequest) => {
    const number = numbers.get(request) ?? count++
    numbers.set(request, number)
    return number
  }
  const leaving = ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("/leave")
  return mishaps.map(({ at, on, ...rest }) =>
    on === undefined
      ? { ...rest, on: (request) => !leaving(request) && numberOf(request) >= at }
      : { ...rest, on, skip: at }
  )
}

const worldOf = ({ mishaps, setting }: Plan) => {
  const { historyDelay, latency, persistence, queueRetention, retention } = setting
  return Faults.layer({ script: rulesOf(mishaps) }).pipe(
    Layer.provideMerge(PubNubEmulator.layer({
      addOns: { persistence },
      limits: {
        ...queueRetention === undefined ? {} : { queueRetention },
        ...retention === undefined ? {} : { retention }
      },
      historyDelay,
      ...latency === 0 ? {} : { latency: Effect.succeed(latency) }
    })),
    Layer.provideMerge(PubNubConfig.layer({
      subscribeKey: "demo-sub",
      publishKey: "demo-pub",
      userId: "reader",
      origin: "emulator",
      historyRetention: retention ?? Duration.infinity
    })),
    Layer.provideMerge(CursorStore.layerMemory),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(Clock.layer),
    Layer.provideMerge(TestClock.layer())
  )
}

class Crashed {
  readonly _tag = "Crashed"
}

/** The last act of every plan, when all is well again: what is published now must come. */
const epilogue: ReadonlyArray<Act> = [
  { _tag: "Wait", millis: 7 * minute },
  { _tag: "Publish", count: 1, channels: ["orders"], kind: "stored", region: 1 },
  { _tag: "Wait", millis: 2 * minute }
]

const isCrowded = (sent: ReadonlyArray<Sent>, timetoken: string | undefined): boolean => {
  const at = BigInt(timetoken ?? 0)
  const near = (other: Sent) => {
    const distance = BigInt(other.timetoken) - at
    return distance > -100_000_000n && distance < 100_000_000n
  }
  return sent.filter(near).length > 1_000
}

const live = Effect.fnUntraced(function*({ acts, setting }: Plan) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const faults = yield* Faults.Faults
  const store = yield* CursorStore.CursorStore
  yield* emulator.addToGroup("crew", crew)

  const sent: Array<Sent> = []
  const seen: Array<Handled> = []
  const announced: Array<Announced> = []
  const problems: Array<Problem> = []
  const fail = (kind: string, details: string) => {
    problems.push({ kind, details })
  }
  let cursor: Cursor.Cursor | undefined
  let connected = false
  let interrupted = false
  let stop = 0
  let crash = 0
  let crashes = 0
  // What was begun and not committed in this life, what of it was handled to the end, and what of earlier lives is therefore
  // to be handled again.
  let uncommitted = new Set<unknown>()
  const finished = new Set<unknown>()
  // Each second crash is one after which nothing can be saved any more.
  let killed = false
  let repeatable = new Set<unknown>()
  const ids = new Set<unknown>()

  const handle = (event: Event.SubscribeEvent) =>
    Effect.gen(function*() {
      if ("cursor" in event && event.cursor !== undefined) cursor = event.cursor
      if (event._tag === "Connected") connected = true
      if (event._tag === "Interrupted") interrupted = true
      if (event._tag === "Connected" || event._tag === "Reconnected") interrupted = false
      if (event._tag === "Gap" || event._tag === "GapSuspected") announced.push(event)
      if (isHandled(event)) {
        if (!ids.has(event.payload)) seen.push(event)
        // A cursor names a thousand events: who had more within ten seconds and crashed may be given some again.
        else if (!repeatable.delete(event.payload) && (crashes === 0 || !isCrowded(sent, event.timetoken))) {
          fail("handled twice", `${JSON.stringify(event.payload)} of ${event.channel} at ${event.timetoken}`)
        }
        ids.add(event.payload)
        uncommitted.add(event.payload)
      }
      if (stop > 0) {
        const pause = stop
        stop = 0
        yield* Effect.sleep(pause)
      }
      if (crash > 0 && --crash === 0) {
        crashes++
        killed = crashes % 2 === 0
        return yield* Effect.fail(new Crashed())
      }
      if (isHandled(event)) finished.add(event.payload)
    })

  const options: Subscribe.Options = {
    channels: setting.channels,
    groups: setting.groups,
    reconnect: { AccessDenied: Retry.reconnect }
  }
  const committing = CursorStore.CursorStore.of({
    load: store.load,
    save: (reader, cursor) =>
      Effect.suspend(() => {
        if (killed) return Effect.void
        for (const id of finished) uncommitted.delete(id)
        finished.clear()
        return store.save(reader, cursor)
      })
  })
  const reading = Effect.suspend(() => {
    if (setting.reader === "consume") repeatable = new Set([...repeatable, ...uncommitted])
    uncommitted = new Set()
    finished.clear()
    killed = false
    return setting.reader === "consume"
      ? Subscribe.consume(handle, { ...options, reader: "worker", onStatus: handle }).pipe(
        Effect.provideService(CursorStore.CursorStore, committing)
      )
      : Stream.runForEach(Subscribe.stream({ ...options, from: cursor }), handle)
  }).pipe(Effect.retry({ while: ({ _tag }) => _tag === "Crashed" }))

  const begin = Effect.forkChild(reading)
  let reader = yield* begin
  for (let minutes = 0; !connected && minutes < 60; minutes++) yield* Clock.advance("1 minute")
  if (!connected) fail("never connected", "within an hour")

  const act = Effect.fnUntraced(function*(act: Act) {
    switch (act._tag) {
      case "Publish": {
        const { channels, count, kind, region } = act
        const delay = region === 2 ? setting.lateBy : 0
        const messages = Array.from({ length: count }, (_, index) => ({
          channel: channels[index % channels.length]!,
          message: sent.length + index,
          publisher: `p${index % 3}`,
          region,
          delay
        }))
        const timetokens = kind === "signal"
          ? yield* Effect.forEach(messages, (message) => emulator.signal(message))
          : yield* emulator.publishAll(messages.map((message) => ({ ...message, store: kind === "stored" })))
        messages.forEach(({ channel, message }, index) => {
          const timetoken = BigInt(timetokens[index]!)
          const arrived = timetoken + BigInt(delay) * 10_000n + 20_000n
          sent.push({ id: message, channel, region, kind, timetoken, arrived })
        })
        return
      }
      case "Wait":
        return yield* Clock.advance(act.millis)
      case "Jump":
        return yield* Clock.jump(Duration.hours(act.hours))
      case "Restart":
        return yield* emulator.restart
      case "Move":
        return yield* emulator.setRegion(act.region)
      case "Stop":
        stop = act.millis
        return
      case "Crash": {
        if (act.after > 0) {
          crash = act.after
          return
        }
        crashes++
        stop = 0
        crash = 0
        // It says goodbye on a network that may be dead: nobody waits for it.
        yield* Effect.forkChild(Fiber.interrupt(reader))
        reader = yield* begin
      }
    }
  })
  for (const next of acts) yield* act(next)
  yield* faults.heal
  stop = 0
  crash = 0
  for (const next of epilogue) yield* act(next)
  const injected = yield* faults.injected

  // --- alive

  const ended = reader.pollUnsafe()
  if (ended !== undefined) fail("ended", String(ended))
  else if (!ids.has(sent.length - 1)) fail("stuck", `${yield* emulator.readers} poll`)
  if (interrupted) fail("interrupted", "and no end of it was told")

  // --- delivered, or announced

  const unstored = acts.some((act) => act._tag === "Publish" && act.kind !== "stored")
  const wildcards = setting.channels.filter((name) => name.endsWith(".*"))
  const refused = injected.some(({ fault, kind }) =>
    fault._tag === "AccessDenied" && (kind === "history" || kind === "counts" || kind === "groups")
  )
  const isOf = (name: string | undefined, channel: string) =>
    name === undefined || name === channel || name.endsWith(".*") && channel.startsWith(name.slice(0, -1)) ||
    name === "crew" && crew.includes(channel)
  const covers = (gap: Announced, { arrived, channel, kind, timetoken }: Sent) =>
    arrived >= BigInt(gap.from) && timetoken <= BigInt(gap.to) &&
    isOf(gap.channel, channel) &&
    (gap.kinds === undefined || kind !== "stored" && gap.kinds.includes(kind === "signal" ? "Signal" : "Message"))

  const missing = sent.filter(({ id }) => !ids.has(id))
  // That a message was not stored shows only when it comes. Of signals something is known once one of them was seen on the
  // channel, in the same life.
  const unknowable = ({ channel, kind, timetoken }: Sent) =>
    kind === "unstored" || kind === "signal" && (crashes > 0 ||
        !seen.some((event) =>
          event._tag === "Signal" && event.channel === channel && BigInt(event.timetoken) < timetoken
        ))
  for (const lost of missing) {
    if (unknowable(lost)) continue
    if (!announced.some((gap) => covers(gap, lost))) {
      fail(`lost (${lost.kind})`, `${lost.id} of ${lost.channel} at ${lost.timetoken}, region ${lost.region}`)
    }
  }
  for (const gap of announced) {
    if (missing.some((lost) => covers(gap, lost))) continue
    // What cannot be known may be suspected, and of channels that were never seen nothing is known.
    const allowed = gap._tag === "GapSuspected"
      ? unstored || wildcards.length > 0 || refused || !setting.persistence
      : gap.reason === "NoStorage" && !setting.persistence ||
        gap.reason === "RetentionExceeded" && setting.retention !== undefined ||
        (gap.reason === "NotStored" || gap.reason === "NotInHistory") && unstored
    if (!allowed) fail("announced, and nothing was lost", JSON.stringify(gap))
  }

  // --- in order

  const rank = new Map<unknown, Sent>(sent.map((message) => [message.id, message]))
  const newest = new Map<string, bigint>()
  for (const event of seen) {
    const message = rank.get(event.payload)
    if (message === undefined || String(message.timetoken) !== event.timetoken) {
      fail("delivered, and not so published", JSON.stringify(event))
      continue
    }
    // What is late is stored when it comes: a region's own order holds, however its messages were read. What is not stored
    // comes with a live page, after what history has. What comes after all though it was told as lost has no order.
    if (announced.some((gap) => covers(gap, message))) continue
    const place = `${message.channel} of region ${message.region}, ${message.kind}`
    const before = newest.get(place)
    if (before !== undefined && message.timetoken < before) {
      fail("out of order", `${message.id} of ${place} at ${message.timetoken}, after ${before}`)
    } else newest.set(place, message.timetoken)
  }

  yield* Effect.forkChild(Fiber.interrupt(reader))
  yield* Clock.advance("2 seconds")
  const outcome: Outcome = {
    problems,
    published: sent.length,
    delivered: ids.size,
    gaps: announced,
    injected,
    crashes
  }
  return outcome
})

/** What becomes of a plan. Nothing of one run is left for the next. */
export const run = (plan: Plan): Effect.Effect<Outcome> =>
  live(plan).pipe(Effect.provide(worldOf(plan)), Random.withSeed(plan.seed), Effect.scoped)

// --------------------------------------------------------------------------------------------------------------------
// shrinking
// --------------------------------------------------------------------------------------------------------------------

/** A list without each of its parts, from halves to single ones. */
export const without = function*<A>(list: ReadonlyArray<A>): Generator<ReadonlyArray<A>> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) yield [...list.slice(0, from), ...list.slice(from + size)]
  }
}

const smaller = function*(plan: Plan): Generator<Plan> {
  for (const mishaps of without(plan.mishaps)) yield { ...plan, mishaps }
  for (const acts of without(plan.acts)) yield { ...plan, acts }
  for (const [index, act] of plan.acts.entries()) {
    if (act._tag !== "Publish" || act.count === 1) continue
    for (const count of [Math.ceil(act.count / 2), act.count - 1]) {
      yield { ...plan, acts: plan.acts.with(index, { ...act, count }) }
    }
  }
  const { channels, groups, reader, ...rest } = plain
  for (const [name, value] of Object.entries(rest)) {
    if (Object.entries(plan.setting).some(([other, its]) => other === name && its !== value)) {
      yield { ...plan, setting: { ...plan.setting, [name]: value } }
    }
  }
}

/** The smallest plan that was found to fail in the same way, and how it fails. */
export const shrink = Effect.fnUntraced(function*(plan: Plan, problem: Problem, runs = 300) {
  let smallest = { plan, problem }
  let left = runs
  search: for (;;) {
    for (const candidate of smaller(smallest.plan)) {
      if (left-- === 0) break search
      const { problems } = yield* run(candidate)
      const same = problems.find(({ kind }) => kind === problem.kind)
      if (same !== undefined) {
        smallest = { plan: candidate, problem: same }
        continue search
      }
    }
    break
  }
  return smallest
})

/** Fails with the smallest plan, when a plan fails. */
export const hold = Effect.fnUntraced(function*(plan: Plan) {
  const outcome = yield* run(plan)
  const [first] = outcome.problems
  if (first === undefined) return outcome
  const smallest = yield* shrink(plan, first)
  return yield* Effect.die(
    new Error(
      `SEED=${plan.seed}: ${outcome.problems.length} problems, the first: ${first.kind}: ${first.details}\n` +
        `The smallest plan that was found: ${smallest.problem.kind}: ${smallest.problem.details}\n${
          show(smallest.plan)
        }`
    )
  )
})
