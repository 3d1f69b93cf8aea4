/**
 * Seeded plans for a bot in virtual time: every fault kind, bursts, slow handlers, restarts, crashes, and feeds that the
 * service forgets. The invariant: what was said is handled at least once, and exactly once where nobody crashed; what is
 * missing was said before a feed was told to be another; the bot's own messages never come.
 *
 * `SEEDS=10000 npm run simulate -- test/simulation/datafeed.test.ts` runs more of them, `SEED=17` only one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Time from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Datafeed, type DatafeedEvent } from "effect-herald/symphony"
import { Faults, VirtualTime } from "effect-herald/testing"
import { emulator, feeds, withBot } from "../symphony/feedKit.ts"
import { batchesOf } from "./seeds.ts"
import { dice, type Mishap, rulesOf, shownFault } from "./world.ts"
import * as Possible from "./faults.ts"

type Act =
  | { readonly _tag: "Say"; readonly count: number; readonly from: "ada" | "bot" }
  | { readonly _tag: "Wait"; readonly millis: number }
  /** The service restarts. */
  | { readonly _tag: "Restart" }
  /** The bot is killed, and starts again. */
  | { readonly _tag: "Crash" }
  /** The service forgets the feed. */
  | { readonly _tag: "Forget" }

const readers = ["consume", "consume three at a time", "consumePages four at a time", "events"] as const

interface Plan {
  readonly seed: number
  readonly reader: typeof readers[number]
  /** How long a message is handled, at most: some for longer than the service waits. */
  readonly slowness: number
  readonly acts: ReadonlyArray<Act>
  readonly mishaps: ReadonlyArray<Mishap>
}

const planOf = (seed: number): Plan => {
  const { between, next, one, pick } = dice(seed)
  const crashing = one(2)
  const forgetting = one(8)
  const slowness = one(8) ? 45_000 : one(2) ? 2_000 : 0
  const acts: Array<Act> = []
  for (let index = 0; index < 6; index++) {
    acts.push({ _tag: "Say", count: one(200) && slowness < 45_000 ? 150 : between(1, 2), from: one(8) ? "bot" : "ada" })
    if (one(12)) acts.push({ _tag: "Restart" })
    if (crashing && one(4)) acts.push({ _tag: "Crash" })
    if (forgetting && one(4)) acts.push({ _tag: "Forget" })
    acts.push({ _tag: "Wait", millis: between(0, one(8) ? 30_000 : 1_000) })
  }
  const mishaps: Array<Mishap> = []
  for (let at = 0; at < 16; at++) if (next() < 0.15) mishaps.push({ at, ...pick(Possible.faults) })
  return { seed, reader: pick(readers), slowness, acts, mishaps }
}

const show = ({ acts, mishaps, ...plan }: Plan) =>
  [
    JSON.stringify(plan),
    ...acts.map((act) => JSON.stringify(act)),
    ...mishaps.map(({ at, ...rest }) => `from request ${at} on: ${shownFault(rest)}`)
  ].join("\n")

/** Runs a plan, and says what was wrong with it. */
const run = Effect.fnUntraced(function*(plan: Plan) {
  const { createStream, dropFeed, restart, send } = yield* emulator
  const faults = yield* Faults.Faults
  const { next } = dice(plan.seed)
  const before = (yield* faults.injected).length
  const now = Time.currentTimeMillis
  const forget = Effect.flatMap(feeds, Effect.forEach(({ feedId }) => dropFeed({ feedId }), { discard: true }))
  yield* faults.heal
  yield* forget
  const streamId = yield* createStream({ type: "ROOM", members: ["ada", "bot"] })

  const forgetting = plan.acts.some(({ _tag }) => _tag === "Forget")
  const said: Array<{ readonly id: string; readonly at: number; readonly own: boolean }> = []
  const handled = new Map<string, number>()
  /** When it was told that what was said before may be lost. */
  let brokenAt = 0
  let lives = 0

  const handle = (event: DatafeedEvent.DatafeedEvent) =>
    Effect.gen(function*() {
      if (event._tag !== "MessageSent") return
      if (plan.slowness > 0) yield* Effect.sleep(Math.floor(next() ** 4 * plan.slowness))
      const { messageId } = event.message
      handled.set(messageId, (handled.get(messageId) ?? 0) + 1)
    })
  const onStatus = (notice: { readonly _tag: string; readonly created?: boolean }) =>
    Effect.map(now, (now) => {
      // Who was killed after it made a feed, and before it told so, leaves it to another that cannot know it.
      const isOther = notice._tag === "FeedRecreated" ||
        notice._tag === "FeedConnected" && (notice.created === true || forgetting && lives > 1)
      if (isOther) brokenAt = now
    })
  const life = {
    "consume": Datafeed.consume(handle, { onStatus }),
    "consume three at a time": Datafeed.consume(handle, { onStatus, concurrency: 3 }),
    "consumePages four at a time": Datafeed.consumePages(
      (events) => Effect.forEach(events, handle, { discard: true }),
      { onStatus, concurrency: 4 }
    ),
    "events": Stream.runForEach(Datafeed.stream(), (event) => Effect.andThen(onStatus(event), handle(event)))
  }[plan.reader]
  // What a bot may not do ends it, and somebody starts it again.
  const bot = Effect.suspend(() => {
    lives++
    return life
  }).pipe(
    Effect.catch(() => Effect.sleep("5 seconds")),
    Effect.forever,
    Effect.forkChild({ startImmediately: true })
  )

  let fiber = yield* bot
  yield* VirtualTime.advance("1 second")
  for (const rule of rulesOf(plan.mishaps)) yield* faults.add(rule)
  for (const act of plan.acts) {
    switch (act._tag) {
      case "Say":
        for (let index = 0; index < act.count; index++) {
          const id = yield* send({ streamId, username: act.from, message: String(said.length) })
          said.push({ id, at: yield* now, own: act.from === "bot" })
        }
        break
      case "Wait":
        yield* VirtualTime.advance(act.millis)
        break
      case "Restart":
        yield* restart
        break
      case "Crash":
        yield* Fiber.interrupt(fiber)
        fiber = yield* bot
        break
      case "Forget":
        yield* forget
    }
  }
  yield* VirtualTime.advance("5 seconds")
  yield* faults.heal
  // What is said before a forgotten feed is missed is lost with it.
  if (forgetting) yield* VirtualTime.advance("3 minutes")
  const last = yield* send({ streamId, username: "ada", message: "last" })
  // Until what was said has been handled, and what is not acknowledged came again.
  let pending = 1
  for (let turn = 0; turn < 120 && (pending > 0 || !handled.has(last)); turn++) {
    yield* VirtualTime.advance("10 seconds")
    pending = (yield* feeds)[0]?.pending ?? 1
  }
  yield* Fiber.interrupt(fiber)

  const problems: Array<string> = []
  if (handled.get(last) !== 1) problems.push("the last one did not come")
  if (pending > 0) problems.push(`${pending} are not acknowledged`)
  for (const [number, { at, id, own }] of said.entries()) {
    const times = handled.get(id) ?? 0
    if (own ? times > 0 : times === 0 && at > brokenAt) problems.push(`${number} was handled ${times} times`)
    if (times > 1 && lives === 1) problems.push(`${number} was handled ${times} times, and nobody crashed`)
  }
  const injected = (yield* faults.injected).slice(before)
  assert.deepStrictEqual(problems, [], `${problems.join("\n")}\n${show(plan)}\n${Faults.format(injected)}`)
  return handled.size
})

describe("Datafeed under faults", () => {
  it.effect.each(batchesOf(6))(
    "handles each message at least once, and once when nobody crashed: %s",
    ([, batch]) =>
      Effect.gen(function*() {
        let heard = 0
        for (const seed of batch) heard += yield* run(planOf(seed))
        assert.isAbove(heard, batch.length)
      }).pipe(Effect.provide(withBot({ config: { reconnect: { maxAttempts: Infinity, cap: "30 seconds" } } }))),
    60_000
  )
})
