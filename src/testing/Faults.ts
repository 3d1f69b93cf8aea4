/**
 * Faults of a network and of a service, between a client and the transport beneath it. A script is for a test of one
 * fault, a seed for a test of all.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as answers from "./pubnub/answers.ts"
import * as exchange from "./server/exchange.ts"
import * as json from "./server/json.ts"
import type { Answer } from "./server/message.ts"
import * as defaults from "./server/options.ts"
import { decode } from "./server/percent.ts"
import * as recent from "./server/recent.ts"
import * as symphonyAnswers from "./symphony/answers.ts"
import * as symphony from "./symphony/operations.ts"

/**
 * A way in which a request fails. Faults that damage an answer let the service handle the request first.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = Data.TaggedEnum<{
  /** The connection is refused (`ECONNREFUSED`): the request is not sent. */
  ConnectionRefused: {}
  /** The host is not found (`ENOTFOUND`): the request is not sent. */
  NameNotFound: {}
  /** The service handles the request, and the connection is reset (`ECONNRESET`) before the answer. */
  ResetBeforeAnswer: {}
  /** The connection is reset (`ECONNRESET`) in the middle of the body: status and headers come, reading fails. */
  ResetInBody: {}
  /** The body ends before its `content-length` (`UND_ERR_RES_CONTENT_LENGTH_MISMATCH`): reading fails. */
  TruncatedBody: {}
  /** The body is whole for HTTP and ends in the middle of its JSON. */
  TruncatedJson: {}
  /** Any answer in place of the service's, which does not get the request. */
  Answer: {
    /** The HTTP status. */
    readonly status: number
    /** Text is sent as it is, any other value as JSON. Default: the error of the service for this status. */
    readonly body?: unknown
    /** The headers. Default: none of its own. */
    readonly headers?: Readonly<Record<string, string>> | undefined
  }
  /** A page of HTML with a status of 5xx. */
  ServerError: {
    /** The HTTP status. */
    readonly status: 500 | 502 | 503 | 504
    /** Whether the service handled the request before. */
    readonly handled: boolean
  }
  /** 429 with a `Retry-After`. The service does not get the request. */
  RateLimited: {
    /** The wait that the answer asks for, in whole seconds. */
    readonly retryAfter: Duration.Input
  }
  /** 403 with the service's body, which names the channels or group. The service does not get the request. */
  AccessDenied: {}
  /**
   * The storage of files refuses, with its XML: to take an upload, or to give a download. Several refusals have one code:
   * `PolicyExpired`, `PolicyMismatch` and `LinkExpired` are `AccessDenied`. The storage does not get the request.
   */
  StorageRefused: {
    /** What it says. */
    readonly refusal: StorageRefusal
  }
  /** 200 with a body that is no JSON. */
  MalformedJson: {}
  /** 200 with no body. */
  EmptyBody: {}
  /** 200 with `{}`. */
  EmptyObject: {}
  /** A page whose `m` is `null`. */
  NullMessages: {}
  /** A page whose `t` is `null`. */
  NullCursor: {}
  /** A page whose cursor is `"0"`. */
  ZeroCursor: {}
  /** A page whose cursor is a year ahead. */
  FutureCursor: {}
  /** A page whose cursor is an hour back. */
  BackwardCursor: {}
  /** The page is delivered now, and again with the reader's next poll. */
  RepeatedPage: {}
  /** The poll gets the first page that the reader ever got, if there is one. */
  OldPage: {}
  /** The service handles the request, and the answer comes later. */
  Slow: {
    /** The time that the answer is late. */
    readonly by: Duration.Input
  }
  /** The connection is half-open: the request does not arrive, and no answer comes. */
  HalfOpen: {}
  /** The service restarts: resets this request, unhandled, and all that wait for an answer (`ECONNRESET`). */
  Restart: {}
}>

/**
 * What the storage of files can refuse a request with.
 *
 * @category models
 * @since 0.1.0
 */
export type StorageRefusal = answers.StorageRefusal

/**
 * Constructors of faults.
 *
 * **Example** (A bad gateway)
 *
 * ```ts
 * import * as Faults from "effect-herald/testing/Faults"
 *
 * const fault = Faults.Fault.ServerError({ status: 502, handled: false })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Fault = Data.taggedEnum<Fault>()

/**
 * What a request is for.
 *
 * - `handshake`, `poll`: a subscribe without a cursor, and one with it.
 * - `publish`, `signal`: sent messages. A fired message is a publish.
 * - `leave`: the end of a subscription.
 * - `presence`: occupants, heartbeats and states.
 * - `history`: reading messages, with or without actions, by the newer and the older endpoint.
 * - `historyCounts`: counting messages.
 * - `channelGroups`: reading and changing channel groups.
 * - `messageActions`: reading and changing message actions. History with actions is `history`.
 * - `appContext`: reading and changing users, channels and memberships.
 * - `files`: asking for forms and links of files, listing and removing files.
 * - `fileUpload`, `fileDownload`: the requests to the storage of files, which is another host.
 * - `fileAnnouncement`: telling a channel of a file.
 * - `other`: the rest, such as time and removing messages.
 *
 * Requests to Symphony have the kinds of its emulator: `login`, `send`, `datafeed`, ….
 *
 * @category models
 * @since 0.1.0
 */
export type Kind =
  | "handshake"
  | "poll"
  | "publish"
  | "signal"
  | "leave"
  | "presence"
  | "history"
  | "historyCounts"
  | "channelGroups"
  | "messageActions"
  | "appContext"
  | "files"
  | "fileUpload"
  | "fileDownload"
  | "fileAnnouncement"
  | "other"
  | symphony.Kind

/**
 * A fault, and the requests that it hits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  /** The requests: a kind or a predicate. Default: all. */
  readonly on?: Kind | ((request: HttpClientRequest.HttpClientRequest) => boolean) | undefined
  /** The fault. */
  readonly fault: Fault
  /** How many of these requests pass first. Default: 0. */
  readonly skip?: number | undefined
  /** How many are hit. Default: 1, or all of them if `lasting` is given. */
  readonly times?: number | undefined
  /** For how long they are hit, from the first on. Default: no limit. */
  readonly lasting?: Duration.Input | undefined
}

/**
 * Random faults. The same seed and the same requests give the same faults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Chance {
  /** The seed: any integer. */
  readonly seed: number
  /** The share of requests that are hit, from 0 to 1. Default: 0.1. */
  readonly rate?: number | undefined
  /** The faults to choose from. Default: `everything`. */
  readonly faults?: ReadonlyArray<Pick<Rule, "fault" | "lasting">> | undefined
  /** For how long, from the start of the layer. Default: for ever. */
  readonly during?: Duration.Input | undefined
}

/**
 * Options of the layer. A name that is not listed here is a defect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The rules, in the order in which they are tried. Default: none. */
  readonly script?: ReadonlyArray<Rule> | undefined
  /** Faults by chance, for requests that no rule hits. Default: none. */
  readonly chance?: Chance | undefined
}

/**
 * A fault that was injected.
 *
 * @category models
 * @since 0.1.0
 */
export interface Injected {
  /** The fault. */
  readonly fault: Fault
  /** The kind of the request. */
  readonly kind: Kind
  /** Method and path, without the query and its keys and tokens. */
  readonly request: string
  /** When, by the caller's wall clock. */
  readonly time: DateTime.Utc
}

/**
 * The faults so far, and more of them.
 *
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<Faults, {
  /** The newest 10,000 injected faults, oldest first; fewer when their requests have paths of more than 1,600 characters. */
  readonly injected: Effect.Effect<ReadonlyArray<Injected>>
  /** Adds a rule for further requests. */
  readonly add: (rule: Rule) => Effect.Effect<void>
  /** Removes all rules and chance: all further requests succeed. */
  readonly heal: Effect.Effect<void>
}>()("effect-herald/testing/Faults") {}

/**
 * Every kind of fault but `Answer`, and those that can last also as an outage.
 *
 * **Gotchas**
 *
 * A 403 that lasts a minute is among them. It ends a reader with the default schedules: leave it out to test that a reader
 * goes on.
 *
 * **Example** (All that a reader survives)
 *
 * ```ts
 * import * as Faults from "effect-herald/testing/Faults"
 *
 * const survivable = Faults.everything.filter(({ fault }) => fault._tag !== "AccessDenied")
 * const faults = Faults.layer({ chance: { seed: 42, faults: survivable } })
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const everything: ReadonlyArray<Pick<Rule, "fault" | "lasting">> = [
  { fault: Fault.ConnectionRefused() },
  { fault: Fault.ConnectionRefused(), lasting: "200 seconds" },
  { fault: Fault.NameNotFound() },
  { fault: Fault.ResetBeforeAnswer() },
  { fault: Fault.ResetInBody() },
  { fault: Fault.TruncatedBody() },
  { fault: Fault.TruncatedJson() },
  { fault: Fault.ServerError({ status: 500, handled: false }) },
  { fault: Fault.ServerError({ status: 500, handled: false }), lasting: "1 minute" },
  { fault: Fault.ServerError({ status: 502, handled: true }) },
  { fault: Fault.ServerError({ status: 503, handled: false }) },
  { fault: Fault.ServerError({ status: 504, handled: true }) },
  { fault: Fault.RateLimited({ retryAfter: "5 seconds" }) },
  { fault: Fault.AccessDenied() },
  { fault: Fault.AccessDenied(), lasting: "1 minute" },
  { fault: Fault.StorageRefused({ refusal: "SlowDown" }) },
  { fault: Fault.StorageRefused({ refusal: "PolicyExpired" }) },
  { fault: Fault.StorageRefused({ refusal: "LinkExpired" }) },
  { fault: Fault.MalformedJson() },
  { fault: Fault.EmptyBody() },
  { fault: Fault.EmptyObject() },
  { fault: Fault.NullMessages() },
  { fault: Fault.NullCursor() },
  { fault: Fault.ZeroCursor() },
  { fault: Fault.FutureCursor() },
  { fault: Fault.BackwardCursor() },
  { fault: Fault.RepeatedPage() },
  { fault: Fault.OldPage() },
  { fault: Fault.Slow({ by: "1 minute" }) },
  { fault: Fault.HalfOpen() },
  { fault: Fault.HalfOpen(), lasting: "1 minute" },
  { fault: Fault.Restart() }
]

/**
 * Formats injected faults, one line each, to print beside the seed of a failed run.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (injected: ReadonlyArray<Injected>): string =>
  injected.map(({ fault: { _tag, ...details }, request, time }) =>
    `${DateTime.formatIso(time)} ${_tag}${
      Object.keys(details).length > 0 ? ` ${JSON.stringify(details)}` : ""
    } ${request}`
  ).join("\n")

/** A generator of numbers from 0 to 1 (mulberry32). */
const randomNumbers = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

const kindOf = (method: string, url: URL): Kind => {
  const ofSymphony = symphony.kindOf(method, url.pathname)
  if (ofSymphony !== undefined) return ofSymphony
  if (url.pathname.startsWith("/_storage/")) return method === "POST" ? "fileUpload" : "fileDownload"
  const [first, second, third, , fifth, , seventh] = url.pathname.split("/").slice(1)
  if (first === "publish" || first === "signal") return first
  switch (second) {
    case "subscribe":
      return /^0?$/.test(url.searchParams.get("tt") ?? "") ? "handshake" : "poll"
    case "presence":
      return seventh === "leave" ? "leave" : "presence"
    case "history":
    case "history-with-actions":
      return method !== "GET" ? "other" : fifth === "message-counts" ? "historyCounts" : "history"
    case "channel-registration":
      return "channelGroups"
    case "message-actions":
      return "messageActions"
    case "objects":
      return "appContext"
    case "files":
      return third === "publish-file" ? "fileAnnouncement" : "files"
    default:
      return "other"
  }
}

/** Whether a fault makes sense for a kind of request. */
const suits = (fault: Fault, kind: Kind) => {
  switch (fault._tag) {
    case "RepeatedPage":
    case "OldPage":
      return kind === "poll"
    case "NullMessages":
    case "NullCursor":
    case "ZeroCursor":
    case "FutureCursor":
    case "BackwardCursor":
      return kind === "poll" || kind === "handshake"
    case "StorageRefused":
      return fault.refusal === "LinkExpired"
        ? kind === "fileDownload"
        : fault.refusal === "PolicyExpired"
        ? kind === "fileUpload"
        : kind === "fileUpload" || kind === "fileDownload"
    default:
      return true
  }
}

// The cursor is at the head of a page. It is changed as text, so that no number in a payload is rounded on the way.
const cursorPattern = /"t":\s*\{\s*"t":\s*"(\d+)",\s*"r":\s*(\d+)\s*\}/

const moveCursor = (body: string, move: (timetoken: bigint) => bigint) =>
  body.replace(
    cursorPattern,
    (_, timetoken: string, region: string) => `"t":{"t":"${move(BigInt(timetoken))}","r":${region}}`
  )

const secondTicks = 10_000_000n

/** The body after the fault, for the faults that are no more than another body. */
const damage = (fault: Fault, body: string): string | undefined => {
  switch (fault._tag) {
    case "TruncatedJson":
      return body.slice(0, Math.floor(body.length / 2))
    case "MalformedJson":
      return "{\"t\":{\"t\":oops"
    case "EmptyBody":
      return ""
    case "EmptyObject":
      return "{}"
    case "NullMessages":
      return body.replace(/"m":\s*\[.*\]/s, "\"m\":null")
    case "NullCursor":
      return body.replace(cursorPattern, "\"t\":null")
    case "ZeroCursor":
      return moveCursor(body, () => 0n)
    case "FutureCursor":
      return moveCursor(body, (timetoken) => timetoken + 365n * 86_400n * secondTicks)
    case "BackwardCursor":
      return moveCursor(body, (timetoken) => timetoken - 3_600n * secondTicks)
    default:
      return undefined
  }
}

/** The answer of a script. */
const answerOf = ({ body, headers, status }: Data.TaggedEnum.Value<Fault, "Answer">, kind: Kind): Answer => {
  const error = symphony.isKind(kind)
    ? symphonyAnswers.error(status, "Scripted failure")
    : answers.json(status, json.write({ status, error: true, message: "Scripted failure" }))
  const answer = body === undefined
    ? error
    : typeof body === "string"
    ? { status, headers: {}, body }
    : { ...error, body: json.write(body) }
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

const html = (status: number) => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>`
})

/** The refusal of a request: it names what was asked for, where the path has it. */
const denied = (url: URL): Answer => {
  const segments = url.pathname.split("/").slice(1)
  const named = (segment: string | undefined) =>
    (segment ?? "").split(",").filter((name) => name !== "").flatMap((name) => decode(name) ?? [])
  switch (segments[1]) {
    case "subscribe":
      return answers.forbidden(named(segments[3]))
    case "channel-registration":
      return answers.forbidden([], named(segments[5]))
    case "presence":
    case "history":
    case "history-with-actions":
      return answers.forbidden(named(segments[5]))
    default:
      return answers.forbidden(named(segments[4]))
  }
}

const noRule: Rule = {
  on: undefined,
  fault: Fault.EmptyBody(),
  skip: undefined,
  times: undefined,
  lasting: undefined
}

const kinds: Record<Exclude<Kind, symphony.Kind>, true> = {
  handshake: true,
  poll: true,
  publish: true,
  signal: true,
  leave: true,
  presence: true,
  history: true,
  historyCounts: true,
  channelGroups: true,
  messageActions: true,
  appContext: true,
  files: true,
  fileUpload: true,
  fileDownload: true,
  fileAnnouncement: true,
  other: true
}

const tags: ReadonlySet<string> = new Set(["Answer", ...everything.map(({ fault }) => fault._tag)])

/** Throws for a rule that no request can meet, and for a fault that does not exist. */
const check = ({ fault, on }: Rule) => {
  if (!tags.has(fault._tag)) throw new Error(`Faults has no fault "${fault._tag}": see Faults.Fault`)
  const refusal: string | undefined = fault._tag === "StorageRefused" ? fault.refusal : undefined
  if (refusal !== undefined && !answers.isStorageRefusal(refusal)) {
    throw new Error(`The storage has no refusal "${refusal}": see Faults.StorageRefusal`)
  }
  if (typeof on === "string" && !Object.hasOwn(kinds, on) && !symphony.isKind(on)) {
    throw new Error(`A rule of Faults is on "${on}", which is no kind of request: see Faults.Kind`)
  }
}

const noChance: Chance = { seed: 0, rate: undefined, faults: undefined, during: undefined }

interface Active extends Rule {
  passed: number
  hits: number
  until: number | undefined
}

/** Of how many readers the first page is kept, for `RepeatedPage`. A seed may run for weeks. */
const mostFirstPages = 1_000

/**
 * Puts faults between a client and the `HttpClient` beneath it.
 *
 * The first rule that matches a request hits it; chance comes after all rules. Readers differ by channels, groups and
 * user id.
 *
 * **Example** (Two polls refused)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as Faults from "effect-herald/testing/Faults"
 * import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
 *
 * const network = Faults.layer({
 *   script: [{ on: "poll", fault: Faults.Fault.ConnectionRefused(), times: 2 }]
 * }).pipe(Layer.provideMerge(PubNubEmulator.layer()))
 * ```
 *
 * **Example** (From a seed)
 *
 * ```ts
 * import * as Faults from "effect-herald/testing/Faults"
 *
 * const faults = Faults.layer({ chance: { seed: 42, rate: 0.2, during: "10 minutes" } })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (given: Options = {}): Layer.Layer<HttpClient.HttpClient | Faults, never, HttpClient.HttpClient> =>
  Layer.effectContext(Effect.gen(function*() {
    const inner = yield* HttpClient.HttpClient
    const start = yield* Clock.currentTimeMillis
    const injected = recent.requests<Injected>(({ request }) => request.length)
    const options = defaults.merge<Options>("Faults.layer", { script: undefined, chance: undefined }, given)
    const activate = (rule: Rule): Active => {
      check(rule)
      return {
        ...defaults.merge<Rule>("A rule of Faults", noRule, rule),
        passed: 0,
        hits: 0,
        until: undefined
      }
    }
    let rules = (options.script ?? []).map(activate)
    let chance = options.chance === undefined
      ? undefined
      : defaults.merge<Chance>("chance of Faults.layer", noChance, options.chance)
    const random = randomNumbers(chance?.seed ?? 0)
    const chanceEnds = chance?.during === undefined
      ? Number.POSITIVE_INFINITY
      : start + Duration.toMillis(Duration.fromInputUnsafe(chance.during))
    const inFlight = new Set<Deferred.Deferred<"reset">>()
    /** What each reader got: the first page, and one that is to come again. */
    const firstPages = new Map<string, Answer>()
    const repeats = new Map<string, Answer>()

    const hit = (rule: Active, now: number) => {
      rule.hits++
      if (rule.until === undefined && rule.lasting !== undefined) {
        rule.until = now + Duration.toMillis(Duration.fromInputUnsafe(rule.lasting))
      }
      return rule.fault
    }

    const isOver = (rule: Active, now: number) =>
      rule.until === undefined
        ? rule.lasting === undefined && rule.hits >= (rule.times ?? 1)
        : now >= rule.until || rule.hits >= (rule.times ?? Number.POSITIVE_INFINITY)

    const isFor = ({ on }: Rule, kind: Kind, request: HttpClientRequest.HttpClientRequest) =>
      on === undefined || (typeof on === "string" ? on === kind : on(request))

    const choose = (kind: Kind, request: HttpClientRequest.HttpClientRequest, now: number): Fault | undefined => {
      // Both numbers are drawn for every request, so that one rule more does not change what chance does to the rest.
      const [whether, which] = [random(), random()]
      for (const rule of rules) {
        if (isOver(rule, now) || !isFor(rule, kind, request) || !suits(rule.fault, kind)) continue
        if (rule.passed++ >= (rule.skip ?? 0)) return hit(rule, now)
      }
      if (chance === undefined || now >= chanceEnds || whether >= (chance.rate ?? 0.1)) return undefined
      const suitable = (chance.faults ?? everything).filter(({ fault }) => suits(fault, kind))
      const chosen = suitable[Math.floor(which * suitable.length)]
      if (chosen === undefined) return undefined
      const rule = activate(chosen)
      // A soak meets thousands of outages: those that are over are forgotten.
      if (chosen.lasting !== undefined) rules = [...rules.filter((other) => !isOver(other, now)), rule]
      return hit(rule, now)
    }

    const restart = () => {
      const waiting = [...inFlight]
      for (const reset of waiting) Deferred.doneUnsafe(reset, Effect.succeed("reset"))
    }

    /** Whether an answer that is on its way now meets a connection that is no longer alive. */
    const isSilent = (kind: Kind, request: HttpClientRequest.HttpClientRequest, now: number) =>
      rules.some((rule) =>
        rule.fault._tag === "HalfOpen" && rule.until !== undefined && now < rule.until && isFor(rule, kind, request)
      )

    const client = HttpClient.transform(
      inner,
      Effect.fnUntraced(function*(sent, request) {
        const parsed = HttpClientRequest.toUrl(request)
        if (Option.isNone(parsed)) return yield* sent
        const url = parsed.value
        const kind = kindOf(request.method, url)
        const now = yield* Clock.currentTimeMillis
        const reader = `${url.pathname}?${url.searchParams.get("uuid")}&${url.searchParams.get("channel-group")}`
        const fault = choose(kind, request, now)
        if (fault !== undefined) {
          injected.add({ fault, kind, request: `${request.method} ${url.pathname}`, time: DateTime.makeUnsafe(now) })
        }

        const fail = (code: string): Effect.Effect<never, HttpClientError.HttpClientError> =>
          Effect.fail(exchange.failure(request, code))
        const respond = (answer: Answer) => exchange.response(request, answer)
        const received = Effect.gen(function*() {
          const response = yield* sent
          const answer = yield* exchange.answerOf(response)
          return isSilent(kind, request, yield* Clock.currentTimeMillis) ? yield* Effect.never : answer
        })
        const answer = Effect.suspend(() => {
          const reset = Deferred.makeUnsafe<"reset">()
          inFlight.add(reset)
          return Effect.raceFirst(received, Deferred.await(reset)).pipe(
            Effect.ensuring(Effect.sync(() => inFlight.delete(reset))),
            Effect.filterOrElse((outcome) => outcome !== "reset", () => fail("ECONNRESET"))
          )
        })
        const keepPage = (page: Answer) =>
          Effect.sync(() => {
            if (
              kind === "poll" && firstPages.size < mostFirstPages && !firstPages.has(reader) &&
              !/"m":\s*\[\s*\]/.test(page.body)
            ) {
              firstPages.set(reader, page)
            }
          })

        if (fault === undefined) {
          const repeat = kind === "poll" ? repeats.get(reader) : undefined
          repeats.delete(reader)
          return repeat === undefined
            ? respond(yield* Effect.tap(answer, keepPage))
            : respond(repeat)
        }
        switch (fault._tag) {
          case "ConnectionRefused":
            return yield* fail("ECONNREFUSED")
          case "NameNotFound":
            return yield* fail("ENOTFOUND")
          case "Restart":
            restart()
            return yield* fail("ECONNRESET")
          case "HalfOpen":
            return yield* Effect.never
          case "RateLimited":
            return respond({
              ...symphony.isKind(kind) ? symphonyAnswers.tooManyRequests : answers.tooManyRequests,
              headers: {
                "retry-after": String(Math.ceil(Duration.toSeconds(Duration.fromInputUnsafe(fault.retryAfter))))
              }
            })
          case "Answer":
            // Whoever answers has read the request.
            yield* exchange.body(request)
            return respond(answerOf(fault, kind))
          case "AccessDenied":
            return respond(symphony.isKind(kind) ? symphonyAnswers.forbidden : denied(url))
          case "StorageRefused":
            yield* exchange.body(request)
            return respond(answers.storageRefused(fault.refusal))
          case "ServerError":
            if (fault.handled) yield* answer
            return respond(html(fault.status))
          case "Slow":
            return respond(yield* Effect.tap(answer, () => Effect.sleep(fault.by)))
          case "ResetBeforeAnswer":
            yield* answer
            return yield* fail("ECONNRESET")
          case "ResetInBody":
          case "TruncatedBody": {
            const whole = yield* answer
            return exchange.brokenResponse(
              request,
              exchange.half(whole),
              fault._tag === "ResetInBody" ? "ECONNRESET" : "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"
            )
          }
          case "RepeatedPage": {
            const page = yield* Effect.tap(answer, keepPage)
            repeats.set(reader, page)
            return respond(page)
          }
          case "OldPage":
            return respond(firstPages.get(reader) ?? (yield* Effect.tap(answer, keepPage)))
          default: {
            const whole = yield* answer
            const body = damage(fault, whole.body)
            return respond(body === undefined ? whole : { ...whole, body, bytes: undefined })
          }
        }
      })
    )

    return Context.make(HttpClient.HttpClient, client).pipe(Context.add(
      Faults,
      Faults.of({
        injected: Effect.sync(injected.all),
        add: (rule) =>
          Effect.sync(() => {
            rules = [...rules, activate(rule)]
          }),
        heal: Effect.sync(() => {
          rules = []
          chance = undefined
        })
      })
    ))
  }))
