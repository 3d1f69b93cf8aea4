/**
 * A world in virtual time: a reader, a service with two regions, others who publish, and faults between them. A plan is
 * all that happens in it, as plain data made from a seed; a run says what the reader did wrong. A plan that fails is
 * shrunk: the smallest one that fails in the same way is what there is to look at.
 */
import * as TimeClock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import type * as Cursor from "effect-herald/Cursor"
import * as CursorStore from "effect-herald/CursorStore"
import { Encryption, PubNubConfig, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Marks from "../../src/pubnub/internal/reading/marks.ts"
import { start } from "../kit/emulated.ts"
import * as Possible from "./faults.ts"
import * as Mixed from "./mixed.ts"
import * as Tokens from "./tokens.ts"

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
    readonly shape?: Shape | undefined
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
  | Strain

/** What the machine, the application and the account of a reader do to it. */
export type Strain =
  /** The wall clock of the reader's machine is set, and no other. */
  | { readonly _tag: "Step"; readonly millis: number }
  /** From now on, and not from a number of requests on, as a mishap. */
  | { readonly _tag: "Trouble"; readonly on: Faults.Kind; readonly rule: Pick<Faults.Rule, "fault" | "lasting"> }
  /** The next request of history is not understood. */
  | { readonly _tag: "Refuse" }
  /** Something of the application throws when it is asked the next time. */
  | { readonly _tag: "Defect"; readonly in: "schedule" | "transport" | "handler" | "onStatus" }
  /** The token is revoked, and there is another one so much later; at 0 there was one before. */
  | { readonly _tag: "Token"; readonly after: number }
  | Tokens.Change
  /** The group `idle` gets or loses a channel. */
  | { readonly _tag: "Group"; readonly channel: string; readonly isMember: boolean }

/** What a plan has of these. */
export const strains = [
  "clock",
  "skew",
  "quiet",
  "history",
  "deep",
  "defects",
  "token",
  "groups",
  "renewal",
  "mixed",
  "small"
] as const
export type StrainName = typeof strains[number]

/** Whether a strain has dice of its own. */
export const isLater = (strain: StrainName): boolean => strain === "renewal" || strain === "mixed" || strain === "small"

/** What is published beside numbers: one in thousands of lists, and one in an object that {@link Picky} throws at. */
export type Shape = "deep" | "bad"

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
  /** How far the clock of the reader's machine is from the service's. */
  readonly skew: number
  /** Whether payloads are read with a schema that throws. */
  readonly schema: boolean
  /** Whether there is an access token, in a reference. */
  readonly token: boolean
  /** The server that gives access tokens which renew themselves. It goes before a reference. */
  readonly server: Tokens.Setting | undefined
  /** How long it takes to decrypt a page, where some messages are encrypted, and some with a key that the reader lacks. */
  readonly opens: number | undefined
  /** The most bytes of an answer. No single message is larger. */
  readonly maxAnswerSize: number | undefined
}

export interface Plan {
  readonly seed: number
  readonly setting: Setting
  readonly acts: ReadonlyArray<Act>
  readonly mishaps: ReadonlyArray<Mishap>
}

/** The channels of the group `crew`. The group `idle` has none, until `spare` is added. */
export const crew = ["team", "den"]
export const spare = "spare"

export const plain: Setting = {
  channels: ["orders"],
  groups: [],
  reader: "stream",
  lateBy: 0,
  historyDelay: 0,
  latency: 0,
  queueRetention: undefined,
  retention: undefined,
  persistence: true,
  skew: 0,
  schema: false,
  token: false,
  server: undefined,
  opens: undefined,
  maxAnswerSize: undefined
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

/** What one strain adds at one place of a plan. */
export const strainsOf = (
  strain: StrainName,
  { between, one, pick }: Pick<ReturnType<typeof dice>, "between" | "one" | "pick">
): ReadonlyArray<Exclude<Strain, never> | Extract<Act, { readonly _tag: "Publish" | "Wait" | "Restart" }>> => {
  const publish = (count: number, channels = ["orders", "news"], shape?: Shape) =>
    ({ _tag: "Publish", count, channels, kind: "stored", region: 1, ...shape === undefined ? {} : { shape } }) as const
  const wait = (least: number, most: number) => ({ _tag: "Wait", millis: between(least, most) }) as const
  switch (strain) {
    case "clock":
      return [
        { _tag: "Step", millis: (one(2) ? 1 : -1) * (one(2) ? between(1, 15) : between(15, 300)) * minute },
        ...one(2) ? [wait(0, 180_000)] : []
      ]
    case "skew":
      return [publish(one(2) ? 1 : between(101, 300)), wait(0, 150_000)]
    case "quiet":
      return Array.from({ length: between(1, 4) }, () => [
        ...one(4) ? [{ _tag: "Restart" } as const] : [
          {
            _tag: "Trouble",
            on: "poll",
            rule: {
              fault: pick([
                Faults.Fault.ServerError({ status: 502, handled: false }),
                Faults.Fault.AccessDenied(),
                Faults.Fault.ResetBeforeAnswer()
              ])
            }
          } as const
        ],
        wait(minute, 20 * minute)
      ]).flat()
    case "history":
      return [
        ...one(3) ? [{ _tag: "Refuse" } as const] : [
          {
            _tag: "Trouble",
            on: pick(["history", "history", "historyCounts"] as const),
            rule: {
              fault: pick([
                Faults.Fault.ServerError({ status: 503, handled: false }),
                Faults.Fault.RateLimited({ retryAfter: "5 seconds" })
              ]),
              lasting: Duration.seconds(between(1, 600))
            }
          } as const
        ],
        publish(between(101, 500)),
        wait(0, 120_000)
      ]
    case "deep":
      return [publish(between(1, 3), undefined, one(2) ? "bad" : "deep"), ...one(3) ? [publish(between(99, 250))] : []]
    case "defects": {
      const place = pick(["schedule", "transport", "handler", "onStatus"] as const)
      return [
        { _tag: "Defect", in: place },
        ...one(3) ? [publish(between(1, 250))] : [],
        ...place === "handler" ? [publish(1)] : [
          {
            _tag: "Trouble",
            on: "poll",
            rule: { fault: Faults.Fault.ServerError({ status: 502, handled: one(2) }) }
          } as const,
          { _tag: "Restart" } as const
        ],
        ...one(3) ? [publish(between(1, 250))] : [],
        wait(0, 20_000)
      ]
    }
    case "token":
      return [{ _tag: "Token", after: one(2) ? 0 : between(1, 60_000) }, publish(one(2) ? 1 : 150), wait(0, 90_000)]
    case "groups":
      return one(3)
        ? [
          { _tag: "Group", channel: "blank", isMember: true },
          wait(0, 5_000),
          { _tag: "Group", channel: "blank", isMember: false }
        ]
        : [
          { _tag: "Group", channel: spare, isMember: true },
          publish(one(2) ? 1 : 120, [spare, "orders"]),
          wait(0, 5_000)
        ]
    case "renewal":
      return [
        ...one(2) ? [] : [
          {
            _tag: "Server",
            takes: one(2) ? between(0, 9_000) : between(0, 30_000),
            down: one(2) ? 0 : between(1, 5 * minute)
          } as const
        ],
        ...one(2) ? [] : [{ _tag: "Token", after: one(2) ? 0 : between(1, 60_000) } as const],
        publish(one(2) ? 1 : 150),
        wait(0, one(2) ? 10 * minute : 40_000),
        publish(one(2) ? 1 : 150)
      ]
    case "mixed":
      return [publish(between(1, 400)), wait(0, 20_000)]
    case "small":
      return [publish(one(2) ? between(10, 99) : between(100, 400)), wait(0, one(2) ? 1_000 : 20_000)]
  }
}

/** The server of a plan, if it has one. Another source of tokens has half of the plans. */
export const serverOf = (
  strained: ReadonlySet<StrainName>,
  { between, one }: Pick<ReturnType<typeof dice>, "between" | "one">
): Tokens.Setting | undefined =>
  !strained.has("renewal") || strained.has("token") && one(2) ? undefined : {
    ttl: between(minute, 10 * minute),
    tellsEnd: !one(3),
    takes: one(2) ? 0 : between(1, 9_000)
  }

/** How long a plan takes to decrypt, if it has something to decrypt. */
export const opensOf = (strained: ReadonlySet<StrainName>, seed: number): number | undefined =>
  strained.has("mixed") ? dice(~seed).pick([0, 0, 1, 20, 200]) : undefined

/**
 * The most bytes of an answer of a plan: fewer than a page has at times. A deep message has eleven thousand, and a count of a
 * hundred long names nine.
 */
export const maxAnswerSizeOf = (strained: ReadonlySet<StrainName>, seed: number, hasLong = false): number | undefined =>
  strained.has("small") ? dice(seed ^ 0x5A11).between(0, 9_000) + (hasLong ? 12_000 : 2_500) : undefined

/** A plan of a seed, with everything in it that the seed asks for. */
export const planOf = (seed: number, options: {
  readonly reader?: Setting["reader"]
  readonly messages?: number
  readonly rate?: number
  readonly crashes?: boolean
  readonly faults?: ReadonlyArray<Pick<Faults.Rule, "fault" | "lasting">>
  readonly strains?: ReadonlyArray<StrainName>
} = {}): Plan => {
  const { between, next, one, pick } = dice(seed)
  const { faults = Possible.faults, messages = 50, rate = 0.12, reader = "stream" } = options
  const wildcard = one(3)
  const group = one(3)
  const unstored = one(4)
  const crashing = one(2) && options.crashes !== false
  const strained = new Set(options.strains ?? [])
  // What came later has dice of its own, so that plans stay as they were.
  const later = dice(seed ^ 0x70CE)
  const setting: Setting = {
    reader,
    channels: ["orders", "news", ...wildcard ? ["alerts.*"] : []],
    groups: [...group ? ["crew"] : [], ...strained.has("groups") ? ["idle"] : []],
    lateBy: one(2) ? between(0, 5_000) : 0,
    // A reader looks once more, a second later.
    historyDelay: strained.has("history") && one(2) ? between(0, 20_000) : one(4) ? between(0, 900) : 0,
    latency: one(4) ? between(1, 200) : 0,
    queueRetention: one(4) ? between(3, 6) * minute : undefined,
    retention: one(8) ? between(5, 60) * minute : undefined,
    persistence: !one(16),
    skew: strained.has("skew") ? between(-1_440, 1_440) * minute : 0,
    schema: strained.has("deep") && one(2),
    token: strained.has("token"),
    server: serverOf(strained, later),
    opens: opensOf(strained, seed),
    maxAnswerSize: maxAnswerSizeOf(strained, seed, strained.has("deep"))
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
  for (const strain of strained) {
    const random = isLater(strain) ? later : { between, one, pick }
    for (let index = random.between(1, 4); index > 0; index--) {
      acts.splice(random.between(0, acts.length), 0, ...strainsOf(strain, random))
    }
  }
  const mishaps: Array<Mishap> = []
  for (let at = 0; at < 300; at++) if (next() < rate && faults.length > 0) mishaps.push({ at, ...pick(faults) })
  for (const on of ["history", "historyCounts", "channelGroups"] as const) {
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

/** What kills a reader: in the middle of a gap, while history fails, after a sleep, and while it cannot join. */
export const killsOf = <Kill>(
  kill: () => Kill,
  { between, one, pick }: Pick<ReturnType<typeof dice>, "between" | "one" | "pick">
) => {
  const wait = (most: number) => ({ _tag: "Wait", millis: between(0, most) }) as const
  const publish = {
    _tag: "Publish",
    count: one(4) ? 1 : between(101, 600),
    channels: one(3) ? ["alerts.red", "alerts.blue"] : ["orders", "news", "alerts.red", "alerts.blue"],
    kind: "stored",
    region: 1
  } as const
  const fails = (on: Faults.Kind) =>
    ({
      _tag: "Trouble",
      on,
      rule: {
        fault: Faults.Fault.ServerError({ status: 503, handled: false }),
        lasting: Duration.seconds(between(1, 30))
      }
    }) as const
  const before = pick(
    [
      [publish],
      [{ _tag: "Jump", hours: 8 } as const, publish],
      [fails("handshake"), publish],
      [publish, fails("handshake")],
      [fails("history"), publish],
      [fails("poll"), publish]
    ] as const
  )
  const kills = Array.from({ length: between(1, 4) }, () => [
    wait(one(2) ? 40 : 3_000),
    ...one(4) ? [{ ...publish, count: between(1, 200) }] : [],
    kill()
  ]).flat()
  return [...before, ...kills, wait(one(2) ? 500 : 20_000)]
}

/** A plan of a seed in which a reader of a wildcard is killed often, also several times within one gap. */
export const crashyOf = (seed: number): Plan => {
  const random = dice(~seed)
  const { between, one } = random
  const plan = planOf(seed, {
    messages: 20,
    rate: one(2) ? 0 : 0.06,
    crashes: false,
    reader: one(3) ? "consume" : "stream"
  })
  const kill = () => ({ _tag: "Crash", after: one(2) ? 0 : between(1, 150) }) as const
  const acts = [...plan.acts]
  for (let index = between(2, 6); index > 0; index--) acts.splice(between(0, acts.length), 0, ...killsOf(kill, random))
  return { ...plan, acts, setting: { ...plan.setting, channels: ["orders", "news", "alerts.*"] } }
}

/** The same, where some messages are encrypted. */
export const crashyMixedOf = (seed: number): Plan => {
  const plan = crashyOf(seed)
  return { ...plan, setting: { ...plan.setting, opens: opensOf(new Set(["mixed"]), seed) } }
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
  readonly since: string
  readonly before: string
  readonly reason: string
  readonly channel?: string
  readonly kinds?: ReadonlyArray<string>
}

export type Handled = Pick<SubscribeEvent.Message<unknown>, "channel" | "payload" | "timetoken"> & {
  readonly _tag: "Message" | "Signal" | "Undecodable"
}

/** What is handled, by the number in it. */
export const handledOf = (event: SubscribeEvent.SubscribeEvent<unknown>): Handled | undefined => {
  switch (event._tag) {
    case "Message":
    case "Signal":
      return { ...event, payload: numberIn(event.payload) }
    case "Undecodable":
      return event.channel === undefined || event.timetoken === undefined
        ? undefined
        : { _tag: event._tag, channel: event.channel, timetoken: event.timetoken, payload: numberIn(event.raw) }
    default:
      return undefined
  }
}

/** The number in what was published. */
export const numberIn = (payload: unknown): unknown => {
  let value = payload
  while (Array.isArray(value)) value = value[0]
  if (typeof value === "string") return Mixed.numberIn(value)
  return typeof value === "object" && value !== null && "bad" in value ? value.bad : value
}

export const payloadOf = (id: number, shape: Shape | undefined): unknown => {
  if (shape === "bad") return { bad: id }
  let value: unknown = id
  if (shape === "deep") { for (let depth = 0; depth < 5_440; depth++) value = [value] }
  return value
}

const depthOf = (value: unknown): number => Array.isArray(value) ? 1 + depthOf(value[0]) : 0

/** Throws at objects, and overflows the stack on deep lists. */
const Picky = Schema.Unknown.pipe(
  Schema.check(Schema.makeFilter((value: unknown) => {
    if (typeof value === "object" && value !== null && "bad" in value) throw new TypeError("no objects")
    return depthOf(value) >= 0
  }))
)

/** What the machine and the application of a reader do to it, and how it is put right. */
export const makeMachine = Effect.fnUntraced(function*(
  skew: number,
  hasToken: boolean,
  tokenServer: Tokens.Setting | undefined,
  opens: number | undefined
) {
  const clock = yield* TimeClock.Clock
  const client = yield* HttpClient.HttpClient
  const config = yield* PubNubConfig.PubNubConfig
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const faults = yield* Faults.Faults
  const tokens = yield* SubscriptionRef.make(Redacted.make("token-0"))
  const server = tokenServer === undefined ? undefined : yield* Tokens.make(tokenServer)
  let token = 0
  let offset = skew
  let isClockWrong = skew !== 0
  let refusing = false
  const defects = new Set<"schedule" | "transport">()
  const broken = (of: "schedule" | "transport") => {
    if (defects.delete(of)) throw new Error(`the ${of} broke`)
  }
  const millis = () => clock.currentTimeMillisUnsafe() + offset
  const nanos = () => clock.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
  const wrong: TimeClock.Clock = Object.assign({}, clock, {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos)
  })
  const isHistory = ({ url }: HttpClientRequest.HttpClientRequest) =>
    url.includes("/history") && !url.includes("message-counts")
  const transport = HttpClient.transform(server?.observe(client) ?? client, (sent, request) =>
    Effect.suspend(() => {
      // A leave is not sent again, so one that breaks would look like one that was forgotten.
      if (!request.url.includes("/leave")) broken("transport")
      if (refusing && isHistory(request)) {
        refusing = false
        return Effect.succeed(HttpClientResponse.fromWeb(
          request,
          new Response(JSON.stringify({ status: 400, error: true, error_message: "Bad Request" }), {
            status: 400,
            headers: { "content-type": "application/json" }
          })
        ))
      }
      // The service has a clock of its own.
      return Effect.provideService(sent, TimeClock.Clock, clock)
    }))
  const schedule = Schedule.modifyDelay(Retry.reconnect, ({ duration }) =>
    Effect.sync(() => {
      broken("schedule")
      return duration
    }))
  const encryption = opens === undefined ? undefined : Mixed.make(opens)
  const authToken = server?.authToken ?? (hasToken ? tokens : undefined)
  const renew = Effect.suspend(() => SubscriptionRef.set(tokens, Redacted.make(`token-${++token}`)))
  return {
    /** Where a reader runs. */
    on: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.provideService(TimeClock.Clock, wrong),
        Effect.provideService(HttpClient.HttpClient, transport),
        Effect.provideService(PubNubConfig.PubNubConfig, { ...config, authToken }),
        Effect.provideService(Encryption.Encryption, encryption)
      ),
    /** Where what is not the reader's runs, within it. */
    off: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, TimeClock.Clock, clock),
    reconnect: {
      Transport: schedule,
      Timeout: schedule,
      RateLimited: schedule,
      ServerFailure: schedule,
      Malformed: schedule,
      AccessDenied: schedule
    } satisfies Subscribe.Reconnect,
    act: Effect.fnUntraced(function*(act: Strain) {
      switch (act._tag) {
        case "Step":
          offset += act.millis
          isClockWrong = true
          return
        case "Trouble":
          return yield* faults.add({ on: act.on, ...act.rule })
        case "Refuse":
          refusing = true
          return
        case "Defect":
          if (act.in === "schedule" || act.in === "transport") defects.add(act.in)
          return
        case "Token": {
          if (server !== undefined) return yield* server.revoke(act.after)
          if (!hasToken) return
          const old = Redacted.value(yield* SubscriptionRef.get(tokens))
          if (act.after === 0) yield* renew
          yield* emulator.revokeToken(old)
          if (act.after === 0) return
          yield* VirtualTime.advance(act.after)
          return yield* renew
        }
        case "Server":
          return server?.change(act)
        case "Group":
          return yield* act.isMember
            ? emulator.addToGroup({ group: "idle", channels: [act.channel] })
            : emulator.removeFromGroup({ group: "idle", channels: [act.channel] })
      }
    }),
    heal: Effect.sync(() => {
      refusing = false
      defects.clear()
      server?.heal()
    }),
    /** What a reader was told. */
    tell: (event: SubscribeEvent.SubscribeEvent<unknown>) => server?.tell(event),
    /** Whether a request may fail for want of a token. */
    mayRefuse: () => server?.mayRefuse() ?? false,
    hasRepeated: () => server?.hasRepeated() ?? false,
    mayLoseLeave: () => server?.mayLoseLeave() ?? false,
    /** What was wrong with tokens. */
    problems: (injected: ReadonlyArray<Faults.Injected>) => server?.problems(injected, isClockWrong) ?? []
  }
})

/** A cursor is kept beside what was handled, for each message. */
export const isLong = (cursor: Cursor.Cursor): boolean => JSON.stringify(cursor).length > 4_096

export const lengthsOf = ({ delivered, recent, ...place }: Cursor.Cursor): string =>
  JSON.stringify({ ...place, delivered: delivered.length, marks: recent?.marks.length, sums: recent?.sums?.length })

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
  const { historyDelay, latency, maxAnswerSize, persistence, queueRetention, retention } = setting
  return Faults.layer({ script: rulesOf(mishaps) }).pipe(
    Layer.provideMerge(PubNubEmulator.layer({
      addOns: { persistence },
      limits: {
        ...queueRetention === undefined ? {} : { queueRetention },
        ...retention === undefined ? {} : { historyRetention: retention }
      },
      historyDelay,
      ...latency === 0 ? {} : { latency: Effect.succeed(latency) }
    })),
    Layer.provideMerge(PubNubConfig.layer({
      subscribeKey: "demo-sub",
      publishKey: "demo-pub",
      userId: "reader",
      origin: "emulator",
      historyRetention: retention ?? Duration.infinity,
      maxAnswerSize
    })),
    Layer.provideMerge(CursorStore.layerMemory),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer),
    Layer.provideMerge(TestClock.layer())
  )
}

class Crashed {
  readonly _tag = "Crashed"
}

/** What a handler dies of. */
class Broken {
  readonly _tag = "Broken"
}

/** The last act of every plan, when all is well again: what is published now must come. */
const epilogue: ReadonlyArray<Act> = [
  { _tag: "Wait", millis: 7 * minute },
  { _tag: "Publish", count: 1, channels: ["orders"], kind: "stored", region: 1 },
  { _tag: "Wait", millis: 2 * minute }
]

/** How many events a cursor names one by one. */
export const namedBy = ({ delivered, recent }: Cursor.Cursor): number =>
  delivered.length + (recent?.marks.length ?? 0) / Marks.length

/**
 * Whether a message may come again, since a cursor from which its reader went on has only a sum of it, as `guarantees.md` says:
 * the sum fits no more, or some of it is not in history or was late. `own`: what its reader may have had.
 */
export const isOfLostSum = <Restart extends { readonly from: Cursor.Cursor }>(
  timetoken: bigint,
  restarts: ReadonlyArray<Restart>,
  own: ReadonlyArray<Pick<Sent, "arrived" | "kind" | "timetoken">>,
  isUnfit: (restart: Restart) => boolean
): boolean =>
  restarts.some((restart) => {
    const { position, recent } = restart.from
    if (recent?.sums === undefined || timetoken < BigInt(recent.since)) return false
    const ends = [BigInt(recent.since) - 1n, ...recent.sums.map(([to]) => BigInt(to))]
    const place = ends.findIndex((end) => timetoken <= end)
    if (place === -1) return false
    const all = own.filter((other) => other.timetoken > ends[place - 1]! && other.timetoken <= ends[place]!)
    const late = all.filter(({ arrived, timetoken }) => arrived > timetoken + 1_000_000n && arrived > BigInt(position))
    return late.length > 2 || all.some(({ kind }) => kind !== "stored") || isUnfit(restart)
  })

const live = Effect.fnUntraced(function*({ acts, setting }: Plan) {
  const clock = yield* TimeClock.Clock
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const faults = yield* Faults.Faults
  const store = yield* CursorStore.CursorStore
  yield* emulator.addToGroup({ group: "crew", channels: crew })
  const machine = yield* makeMachine(setting.skew, setting.token, setting.server, setting.opens)
  let fibers = 0
  const counting: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => fibers++,
    recordFiberEnd: () => fibers--
  }

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
  // The cursors from which it went on after it died. A cursor names messages of a wildcard one by one, and sums up others first. It
  // has no room for that beside 430 of them. The names in the cursor before take room, too, until eleven seconds after this run
  // began.
  const restarts: Array<{ readonly from: Cursor.Cursor; readonly isCrammed: boolean }> = []
  let begun: bigint | undefined
  const goOnFrom = (from: Cursor.Cursor | undefined) => {
    if (from === undefined) return
    const since = from.recent?.since ?? from.position
    const before = restarts.at(-1)
    const isNamed = begun === undefined || BigInt(since) <= begun + 10_000_000n
    const named = before !== undefined && isNamed ? namedBy(before.from) : 0
    const wild = sent.filter(({ channel, timetoken }) => channel.startsWith("alerts.") && timetoken >= BigInt(since))
    restarts.push({ from, isCrammed: named + wild.length > 430 })
    begun = undefined
  }
  // What was begun and not committed in this life, what of it was handled to the end, and what of earlier lives is therefore
  // to be handled again.
  let uncommitted = new Set<unknown>()
  let finished: Array<{ readonly id: unknown; readonly cursor: Cursor.Cursor | undefined }> = []
  // Each second crash is one after which nothing can be saved any more.
  let killed = false
  let repeatable = new Set<unknown>()
  const ids = new Set<unknown>()

  const broken = new Set<"handler" | "onStatus">()

  const handle = (event: SubscribeEvent.SubscribeEvent<unknown>) =>
    Effect.gen(function*() {
      if ("cursor" in event && event.cursor !== undefined) {
        cursor = event.cursor
        if (isLong(cursor)) fail("a long cursor", lengthsOf(cursor))
      }
      machine.tell(event)
      if (event._tag === "Connected") {
        connected = true
        begun ??= BigInt(clock.currentTimeMillisUnsafe()) * 10_000n
      }
      if (event._tag === "Interrupted") interrupted = true
      if (event._tag === "Connected" || event._tag === "Reconnected") interrupted = false
      if (event._tag === "Gap" || event._tag === "GapSuspected") announced.push(event)
      const handled = handledOf(event)
      const mistaken = setting.opens === undefined ? undefined : Mixed.mistakeOf(event, numberIn)
      if (mistaken !== undefined) fail("not what it was", mistaken)
      if (handled !== undefined) {
        if (!ids.has(handled.payload)) seen.push(handled)
        else if (!repeatable.delete(handled.payload)) {
          // Who died knows no channels of a wildcard, and none of a group whose list is refused: sums with theirs do not fit.
          const unlisted = (yield* faults.injected).some(({ fault: { _tag }, kind }) =>
            _tag === "AccessDenied" && kind === "channelGroups"
          )
          if (
            !isOfLostSum(BigInt(handled.timetoken ?? 0), restarts, sent, ({ isCrammed }) =>
              unlisted || hasWildcard && isCrammed)
          ) {
            fail("handled twice", `${JSON.stringify(handled.payload)} of ${handled.channel} at ${handled.timetoken}`)
          }
        }
        ids.add(handled.payload)
        uncommitted.add(handled.payload)
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
      if (broken.delete(handled === undefined ? "onStatus" : "handler")) {
        return yield* Effect.die(new Broken())
      }
      finished.push({ id: handled?.payload, cursor: "cursor" in event ? event.cursor : undefined })
    })

  const options = {
    channels: setting.channels,
    groups: setting.groups,
    reconnect: machine.reconnect
  }
  const hasWildcard = setting.channels.some((name) => name.endsWith(".*"))
  const committing = CursorStore.CursorStore.of({
    load: (reader) => Effect.tap(store.load(reader), (from) => Effect.sync(() => goOnFrom(from))),
    save: (reader, cursor) =>
      Effect.suspend(() => {
        if (killed) return Effect.void
        // The handler may be further by now.
        const last = finished.findLastIndex((event) => event.cursor === cursor)
        for (const { id } of finished.splice(0, last + 1)) uncommitted.delete(id)
        return store.save(reader, cursor)
      })
  })
  const durable = { ...options, reader: "worker", onStatus: handle }
  const reading = Effect.suspend(() => {
    if (setting.reader === "consume") repeatable = new Set([...repeatable, ...uncommitted])
    uncommitted = new Set()
    finished = []
    killed = false
    if (setting.reader === "stream") {
      goOnFrom(cursor)
      return setting.schema
        ? Stream.runForEach(Subscribe.stream({ ...options, schema: Picky, from: cursor }), handle)
        : Stream.runForEach(Subscribe.stream({ ...options, from: cursor }), handle)
    }
    return Effect.provideService(
      setting.schema
        ? Subscribe.consume(handle, { ...durable, schema: Picky })
        : Subscribe.consume(handle, durable),
      CursorStore.CursorStore,
      committing
    )
  }).pipe(
    // What an application breaks is its own; what broke in a loop is told with a cursor that nothing is lost behind.
    Effect.catchDefect((defect) => {
      if (!(defect instanceof Broken)) return Effect.die(defect)
      crashes++
      return Effect.fail(new Crashed())
    }),
    Effect.catchIf(
      (error) => error._tag === "SubscribeError" && error.reason._tag === "Defect",
      (error) => {
        crashes++
        if ("cursor" in error && error.cursor !== undefined) cursor = error.cursor
        else if (connected) fail("a defect without a cursor", error._tag)
        return Effect.fail(new Crashed())
      }
    ),
    Effect.retry({ while: ({ _tag }) => _tag === "Crashed" }),
    machine.on
  )

  const begin = Effect.forkChild(reading).pipe(Effect.provideService(Metric.FiberRuntimeMetrics, counting))
  let reader = yield* begin
  for (let minutes = 0; !connected && minutes < 60; minutes++) yield* VirtualTime.advance("1 minute")
  if (!connected) fail("never connected", "within an hour")

  const act = Effect.fnUntraced(function*(act: Act) {
    switch (act._tag) {
      case "Publish": {
        const { channels, count, kind, region, shape } = act
        const delay = region === 2 ? setting.lateBy : 0
        const messages = Array.from({ length: count }, (_, index) => ({
          channel: channels[index % channels.length]!,
          message: shape === undefined && setting.opens !== undefined && kind !== "signal"
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
          sent.push({ id: sent.length, channel, region, kind, timetoken, arrived })
        })
        // Readers get what is there before the next act.
        return yield* Effect.yieldNow
      }
      case "Wait":
        return yield* VirtualTime.advance(act.millis)
      case "Jump":
        return yield* VirtualTime.jump(Duration.hours(act.hours))
      case "Restart":
        return yield* emulator.restart
      case "Move":
        return yield* emulator.setRegion({ region: act.region })
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
        return
      }
      case "Defect":
        if (act.in === "handler" || act.in === "onStatus") broken.add(act.in)
        return yield* machine.act(act)
      default:
        return yield* machine.act(act)
    }
  })
  for (const next of acts) yield* act(next)
  yield* faults.heal
  yield* machine.heal
  broken.clear()
  stop = 0
  crash = 0
  for (const next of epilogue) yield* act(next)
  const injected = yield* faults.injected
  problems.push(...machine.problems(injected))

  // --- alive

  const ended = reader.pollUnsafe()
  if (ended !== undefined) fail("ended", String(ended))
  else if (!ids.has(sent.length - 1)) fail("stuck", `${yield* emulator.readers} poll`)
  if (interrupted) fail("interrupted", "and no end of it was told")

  // --- delivered, or announced

  // What is not in history after that long is told as lost, though a later look may find it; nor is it taken for stored.
  const unstored = acts.some((act) => act._tag === "Publish" && act.kind !== "stored") || setting.historyDelay > 7_000
  const refused = injected.some(({ fault, kind }) =>
    fault._tag === "AccessDenied" && (kind === "history" || kind === "historyCounts" || kind === "channelGroups")
  ) || acts.some((act) =>
    act._tag === "Token" && act.after > 0
  ) || machine.mayRefuse()
  const isOf = (name: string | undefined, channel: string) =>
    name === undefined || name === channel || name.endsWith(".*") && channel.startsWith(name.slice(0, -1)) ||
    name === "crew" && crew.includes(channel) || name === "idle" && channel === spare
  const covers = (gap: Announced, { arrived, channel, kind, timetoken }: Sent) =>
    arrived >= BigInt(gap.since) - 1n && timetoken < BigInt(gap.before) &&
    isOf(gap.channel, channel) &&
    (gap.kinds === undefined || kind !== "stored" && gap.kinds.includes(kind === "signal" ? "Signal" : "Message"))

  // An answer has room for one long message. Whether others share its timetoken, no request can show then.
  const holdsOne = setting.maxAnswerSize !== undefined &&
    acts.some((act) => act._tag === "Publish" && act.shape === "deep")
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
      ? unstored || hasWildcard || refused || !setting.persistence || holdsOne
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
  yield* VirtualTime.advance("2 seconds")
  if (fibers !== 0) fail("fibers are left", String(fibers))
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
