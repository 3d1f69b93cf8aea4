/** What goes wrong, one case each: the fault kinds of long-lived readers, and mixtures of them from seeds. */
import * as Effect from "effect/Effect"
import { Faults } from "effect-herald/testing"
import { numbersFrom } from "../../node/faultyProxy.ts"
import type { Server } from "./server.ts"

/** Publishes so many messages in one step. */
export type Publish = (count: number) => Effect.Effect<void>

export interface Case {
  readonly name: string
  /** How many requests are hit. Default: none. */
  readonly hits?: number
  /** Before the client comes. */
  readonly first?: (server: Server) => Effect.Effect<void>
  /** While it reads. Messages are published one by one meanwhile. */
  readonly then?: (server: Server, publish: Publish) => Effect.Effect<void>
}

const { Fault } = Faults

/** Hits polls, by default the next one. */
const onPoll = (name: string, fault: Faults.Fault, rule: Pick<Faults.Rule, "times" | "lasting"> = {}): Case => ({
  name,
  hits: rule.times ?? 1,
  then: ({ faults }) => faults.add({ on: "poll", fault, ...rule })
})

const onHandshake = (name: string, fault: Faults.Fault): Case => ({
  name,
  hits: 1,
  first: ({ faults }) => faults.add({ on: "handshake", fault })
})

const away = (name: string, count: number): Case => ({
  name,
  then: ({ kill, listen }, publish) => kill.pipe(Effect.andThen(publish(count)), Effect.andThen(listen))
})

const single: ReadonlyArray<readonly [name: string, fault: Faults.Fault]> = [
  ["200, malformed JSON", Fault.MalformedJson()],
  ["200, empty body", Fault.EmptyBody()],
  ["200, JSON cut off", Fault.TruncatedJson()],
  ["200, `{}`", Fault.EmptyObject()],
  ["200, no list of messages (`null`)", Fault.NullMessages()],
  ["200, no cursor (`null`)", Fault.NullCursor()],
  ["200, cursor `\"0\"`", Fault.ZeroCursor()],
  ["200, cursor a year ahead", Fault.FutureCursor()],
  ["200, cursor an hour back", Fault.BackwardCursor()],
  ["403 once", Fault.AccessDenied()],
  ["500 once", Fault.ServerError({ status: 500, handled: false })],
  ["502 with HTML", Fault.ServerError({ status: 502, handled: true })],
  ["429 with `Retry-After`", Fault.RateLimited({ retryAfter: "1 second" })],
  ["reset before the answer", Fault.ResetBeforeAnswer()],
  ["reset in the answer", Fault.ResetInBody()],
  ["answer that ends too early", Fault.TruncatedBody()],
  ["answer later than the timeout", Fault.Slow({ by: "4 seconds" })],
  ["half-open once", Fault.HalfOpen()],
  ["page delivered twice", Fault.RepeatedPage()],
  ["old page again", Fault.OldPage()]
]

/** Five polls that go wrong in a row, or with some good ones between. */
const mixed = (seed: number): Case => ({
  name: `five of these, seed ${seed}`,
  hits: 5,
  then: ({ faults }) => {
    const random = numbersFrom(seed)
    const rules = Array.from({ length: 5 }, (): Faults.Rule => ({
      on: "poll",
      fault: single[Math.floor(random() * single.length)]?.[1] ?? Fault.HalfOpen(),
      skip: Math.floor(random() * 3)
    }))
    return Effect.forEach(rules, faults.add, { discard: true })
  }
})

export const cases: ReadonlyArray<Case> = [
  { name: "nothing" },
  ...single.map(([name, fault]) => onPoll(name, fault)),
  onPoll("403 for a second", Fault.AccessDenied(), { lasting: "1 second" }),
  onPoll("500 three times", Fault.ServerError({ status: 500, handled: false }), { times: 3 }),
  onPoll("half-open for a second", Fault.HalfOpen(), { lasting: "1 second" }),
  onHandshake("handshake: malformed JSON", Fault.MalformedJson()),
  onHandshake("handshake: 403 once", Fault.AccessDenied()),
  onHandshake("handshake: 500 once", Fault.ServerError({ status: 500, handled: false })),
  {
    name: "one envelope is `null`",
    then: ({ emulator }) => Effect.asVoid(emulator.emitRaw({ channel: "orders", envelope: null }))
  },
  {
    name: "server killed, back after a second",
    then: ({ kill, listen }) => kill.pipe(Effect.andThen(Effect.sleep("1 second")), Effect.andThen(listen))
  },
  away("101 while disconnected", 101),
  away("500 while disconnected", 500),
  { name: "101 within one poll", then: (_, publish) => publish(101) },
  { name: "500 within one poll", then: (_, publish) => publish(500) },
  ...[1, 2, 3].map(mixed)
]
