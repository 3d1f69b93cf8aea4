/**
 * The server of an application, which gives tokens that expire in virtual time: it is slow, or down for a while, and does not
 * always say when a token ends. It notes what it was asked and what the service refused, and says what of it was wrong.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import { RenewingToken, type SubscribeEvent } from "effect-herald/pubnub"
import { type Faults, PubNubEmulator } from "effect-herald/testing"

/** How a server is. Times are milliseconds. */
export interface Setting {
  /** How long a token is of use. */
  readonly ttl: number
  /** Whether an answer has the end of its token. */
  readonly tellsEnd: boolean
  /** How long an answer takes. */
  readonly takes: number
}

/** What happens to a server: from now on an answer takes so long, and for so long there is none. */
export interface Change {
  readonly _tag: "Server"
  readonly takes: number
  readonly down: number
}

/** What a request may take, and with it an answer of the server. */
const patience = 10_000

/** What a client promises: the least time between two renewals of one cause, and between two attempts. */
const shortest = 30_000
const leastPause = 100
const margin = 120_000

/** What was noted of a question: when by either clock, and the token that was the answer. */
interface Question {
  readonly wall: number
  readonly steady: number
  /** The token that there was. */
  readonly before: string | undefined
  token?: string
}

export const make = Effect.fnUntraced(function*(setting: Setting) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const clock = yield* Clock.Clock
  const wall = () => clock.currentTimeMillisUnsafe()
  const steady = () => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  const questions: Array<Question> = []
  /** The tokens that were given, and when they end. */
  const ends = new Map<string, number>()
  const useless = new Set<string>()
  /** When the service first refused a token. */
  const refusals = new Map<string, number>()
  const told = new Set<string>()
  let newest: string | undefined
  let takes = setting.takes
  let downUntil = 0
  let slowest = setting.takes
  let wasLate = false

  const expire = Effect.suspend(() =>
    Effect.forEach([...ends].filter(([token, end]) => end <= wall() && !useless.has(token)), ([token]) => {
      useless.add(token)
      return emulator.expireToken(token)
    }, { discard: true })
  )
  const grant: Effect.Effect<RenewingToken.Granted, "the server is down"> = Effect.gen(function*() {
    const question: Question = { wall: wall(), steady: steady(), before: newest }
    questions.push(question)
    yield* Effect.sleep(takes)
    if (wall() < downUntil) return yield* Effect.fail("the server is down" as const)
    const token = `token-${ends.size}`
    const end = wall() + setting.ttl
    ends.set(token, end)
    newest = token
    question.token = token
    return { token: Redacted.make(token), expires: setting.tellsEnd ? DateTime.makeUnsafe(end) : undefined }
  })
  const slowed = (time: number, down: number) => {
    takes = time
    slowest = Math.max(slowest, takes)
    downUntil = Math.max(downUntil, wall() + down)
    wasLate ||= down > 0 || takes >= patience
  }
  const within = (times: ReadonlyArray<number>, next: number, least: number) =>
    times.some((time, index) => (times[index + next] ?? Infinity) < time + least)
  // Two refusals of tokens may be so close that the second one is seen.
  const arePaced = () => within([...refusals.values()].toSorted((a, b) => a - b), 1, shortest)

  return {
    authToken: RenewingToken.make(Effect.provideService(grant, Clock.Clock, clock)),
    /** Between the client and the service. */
    observe: (client: HttpClient.HttpClient) =>
      HttpClient.transform(client, (sent, { url }) => {
        const token = new URL(url).searchParams.get("auth") ?? ""
        return Effect.tap(Effect.andThen(expire, sent), ({ status }) =>
          Effect.sync(() => {
            if (status === 403 && useless.has(token) && !refusals.has(token)) refusals.set(token, steady())
          }))
      }),
    /** Revokes the newest token. There is no other one for so long. */
    revoke: (down: number) =>
      Effect.suspend(() => {
        slowed(takes, down)
        if (newest === undefined) return Effect.void
        useless.add(newest)
        return emulator.revokeToken(newest)
      }),
    change: (change: Change) => slowed(change.takes, change.down),
    heal: () => {
      takes = 0
      downUntil = 0
    },
    /** What a reader was told. */
    tell: (event: SubscribeEvent.SubscribeEvent<unknown>) => {
      if (event._tag === "Interrupted") told.add(event.reason._tag)
    },
    /** Whether a request may fail for want of a token. */
    mayRefuse: () => wasLate || arePaced(),
    /** Whether a leave may fail, which waits for a second only. */
    mayLoseLeave: () => slowest >= 1_000 || wasLate || arePaced(),
    /** Whether a request was repeated with another token. */
    hasRepeated: () => refusals.size > 0,
    /** What was wrong. A reader whose clock is wrong asks at other times. */
    problems: (injected: ReadonlyArray<Faults.Injected>, isClockWrong: boolean) => {
      const problems: Array<{ readonly kind: string; readonly details: string }> = []
      const fail = (kind: string, details: string) => problems.push({ kind, details })
      const isDenied = injected.some(({ fault }) => fault._tag === "AccessDenied")
      // A poll is repeated at once for one refusal. For the next one only after an answer, which a fault may keep away.
      if (told.has("AccessDenied") && injected.length === 0 && !arePaced()) {
        fail("a refusal was seen", [...refusals].join(" "))
      }
      if (told.has("TokenUnavailable") && !wasLate) fail("no token, and the server answered", JSON.stringify(setting))
      // After a failure. Whoever sleeps between two answers may need two tokens at once.
      if (
        questions.some(({ token, steady }, at) =>
          token === undefined && (questions[at + 1]?.steady ?? Infinity) < steady + leastPause
        )
      ) {
        fail("a storm of attempts", JSON.stringify(questions))
      }
      const renewals = questions.filter(({ token }) => token !== undefined)
      if (!isClockWrong && within(renewals.map((question) => question.wall), 2, shortest)) {
        fail("a storm of renewals", JSON.stringify(renewals))
      }
      for (const { before, steady, wall } of questions) {
        if (before === undefined || isDenied || isClockWrong) continue
        const isDue = setting.tellsEnd && wall >= ends.get(before)! - Math.min(margin, setting.ttl / 2)
        if (!isDue && !(refusals.get(before)! <= steady)) fail("a renewal without a cause", `${before} at ${wall}`)
      }
      return problems
    }
  }
})
