/**
 * Seeded plans for bots whose feed has it hard: a second reader, deploys that overlap, gateways in front of every route, reads that
 * are slow or silent, logins that fail, clocks that are set, and events that are thousands of levels deep. The invariant: what was
 * said is handled, by each reader once at most; what is missing was said before a feed was told to be another; who cannot hear is
 * told so; and no feed is ever deleted.
 *
 * `SEEDS=5000 npx vitest run test/simulation/feeds.test.ts` runs more of them, `SEED=17` only one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Time from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Datafeed, type DatafeedEvent, Session } from "effect-herald/symphony"
import { Faults, VirtualTime } from "effect-herald/testing"
import { failNext, type Failure } from "../kit/failNext.ts"
import { lists, objects } from "../kit/nested.ts"
import { emulated, emulator } from "../symphony/emulated.ts"
import { seedsOf } from "./seeds.ts"
import { dice } from "./world.ts"

const { Fault } = Faults

type Act =
  | { readonly _tag: "Say"; readonly count: number }
  | { readonly _tag: "SayDeep"; readonly what: "lists" | "objects" | "shared" }
  | { readonly _tag: "Wait"; readonly millis: number }
  /** Another reader of the same feed begins. */
  | { readonly _tag: "Join" }
  /** A new process begins, and the old one ends a while later. */
  | { readonly _tag: "Deploy"; readonly overlap: number }
  | { readonly _tag: "Crash" }
  /** The service forgets the feed. */
  | { readonly _tag: "Forget" }
  | { readonly _tag: "Restart" }
  /** A gateway answers so many requests to a route. */
  | { readonly _tag: "Gateway"; readonly route: keyof typeof routes; readonly status: number; readonly times: number }
  /** The service itself refuses reads. */
  | { readonly _tag: "Refuse"; readonly times: number }
  | { readonly _tag: "Slow"; readonly seconds: number; readonly lasting: number }
  | { readonly _tag: "Silent"; readonly route: "reads" | "all"; readonly lasting: number }
  /** Sessions expire, and so many logins fail. */
  | { readonly _tag: "Expire"; readonly status: number; readonly times: number }
  /** Instant answers with nothing in them. */
  | { readonly _tag: "Empty"; readonly times: number }
  /** The wall clock is set. */
  | { readonly _tag: "Step"; readonly seconds: number }

const routes = {
  read: ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("/read"),
  list: ({ method, url }: HttpClientRequest.HttpClientRequest) => method === "GET" && url.includes("/datafeeds"),
  create: ({ method, url }: HttpClientRequest.HttpClientRequest) => method === "POST" && url.endsWith("/datafeeds"),
  login: ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("/authenticate"),
  session: ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("/sessioninfo"),
  any: () => true
}

interface Plan {
  readonly seed: number
  readonly concurrency: number
  /** How long an event is handled, at most. */
  readonly slowness: number
  readonly acts: ReadonlyArray<Act>
}

const planOf = (seed: number): Plan => {
  const { between, one, pick } = dice(seed)
  const acts: Array<Act> = []
  const trouble = (): Act => {
    const route = pick(["read", "read", "list", "create", "login", "session", "any"] as const)
    return pick<Act>([
      {
        _tag: "Gateway",
        route,
        status: pick([302, 400, 401, 403, 404, 408, 425, 451, 499, 502]),
        times: between(1, 6)
      },
      { _tag: "Refuse", times: between(1, 3) },
      { _tag: "Slow", seconds: between(1, 90), lasting: between(10, 200) },
      { _tag: "Silent", route: pick(["reads", "all"]), lasting: between(10, 200) },
      { _tag: "Expire", status: pick([200, 302, 401, 403, 503, 429]), times: one(3) ? 0 : between(1, 6) },
      { _tag: "Empty", times: between(1, 10) },
      { _tag: "Step", seconds: pick([-300, -60, -10, 10, 60, 300]) },
      { _tag: "Restart" },
      { _tag: "SayDeep", what: pick(["lists", "objects", "shared"]) },
      { _tag: "Join" },
      { _tag: "Deploy", overlap: between(0, 60_000) },
      { _tag: "Crash" },
      ...one(4) ? [{ _tag: "Forget" } as const] : []
    ])
  }
  for (let index = 0; index < 8; index++) {
    acts.push({ _tag: "Say", count: between(1, 3) })
    if (one(2)) acts.push(trouble())
    acts.push({ _tag: "Wait", millis: between(0, one(4) ? 60_000 : 3_000) })
  }
  return { seed, concurrency: pick([1, 1, 3]), slowness: one(6) ? 45_000 : one(2) ? 2_000 : 0, acts }
}

const show = ({ acts, ...plan }: Plan) => [JSON.stringify(plan), ...acts.map((act) => JSON.stringify(act))].join("\n")

const html = "<html><head><title>gateway</title></head></html>"

const deep = {
  lists: lists(5_000),
  objects: objects(5_000),
  shared: `${"{\"messageId\":\"m\",\"sharedMessage\":".repeat(3_000)}{"messageId":"m"}${"}".repeat(3_000)}`
}

/** Runs a plan, and says what was wrong with it. */
const run = Effect.fnUntraced(function*(plan: Plan) {
  const { createStream, dropFeed, emit, expireSessions, requests, restart, send } = yield* emulator
  const feeds = emulator.use(({ feeds }) => feeds)
  const faults = yield* Faults.Faults
  const { next } = dice(plan.seed)
  const now = Time.currentTimeMillis
  const forget = Effect.flatMap(feeds, Effect.forEach(({ feedId }) => dropFeed({ feedId }), { discard: true }))
  yield* faults.heal
  yield* forget
  const streamId = yield* createStream({ type: "ROOM", members: ["ada", "bot"] })
  const deletedBefore = (yield* requests).filter(({ method }) => method === "DELETE").length

  const said: Array<{ readonly id: string; readonly at: number }> = []
  const handled = new Map<string, Array<number>>()
  const told = { interrupted: 0, recreated: 0 }
  /** When it was told that what was said before may be lost. */
  let brokenAt = 0
  let lives = 0
  let isTroubled = true

  const process = Effect.suspend(() => {
    const life = ++lives
    return Datafeed.consume(
      (event: DatafeedEvent.Event) =>
        Effect.gen(function*() {
          if (event._tag !== "MessageSent") return
          if (plan.slowness > 0) yield* Effect.sleep(Math.floor(next() ** 4 * plan.slowness))
          const { messageId } = event.message
          handled.set(messageId, [...handled.get(messageId) ?? [], life])
        }),
      {
        tag: "bot",
        concurrency: plan.concurrency,
        onStatus: (notice) =>
          Effect.map(now, (now) => {
            if (notice._tag === "FeedInterrupted") told.interrupted++
            if (notice._tag === "FeedRecreated") told.recreated++
            const isOther = notice._tag === "FeedRecreated" || notice._tag === "FeedConnected" && notice.created
            // A clock may have been set back meanwhile.
            if (isOther) brokenAt = Math.max(brokenAt, now, ...said.map(({ at }) => at))
          })
      }
    )
  }).pipe(
    // A process has a session of its own, and somebody starts it again when it ends.
    Effect.provide(Session.layer()),
    Effect.catch(() => Effect.sleep("5 seconds")),
    Effect.forever,
    Effect.forkChild({ startImmediately: true })
  )

  const running = [yield* process]
  yield* VirtualTime.advance("1 second")
  const failing = (options: Failure) =>
    failNext({
      ...options,
      on: (request) => {
        const { on } = options
        return !isTroubled ? false : typeof on === "function" ? on(request) : true
      }
    })
  const stop = Effect.fnUntraced(function*(fiber: Fiber.Fiber<unknown, unknown> | undefined) {
    if (fiber === undefined) return
    yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
    yield* VirtualTime.advance("1 second")
  })
  for (const act of plan.acts) {
    switch (act._tag) {
      case "Say":
        for (let index = 0; index < act.count; index++) {
          const id = yield* send({ streamId, username: "ada", message: String(said.length) })
          said.push({ id, at: yield* now })
        }
        break
      case "SayDeep":
        yield* emit(
          act.what === "shared"
            ? { kind: "MESSAGESENT", payload: { messageSent: { message: JSON.parse(deep.shared) } }, streamId }
            : {
              kind: "SYMPHONYELEMENTSACTION",
              payload: { symphonyElementsAction: { formValues: { deep: JSON.parse(deep[act.what]) } } },
              streamId
            }
        )
        break
      case "Wait":
        yield* VirtualTime.advance(act.millis)
        break
      case "Join":
        running.push(yield* process)
        break
      case "Deploy": {
        const old = running.shift()
        running.push(yield* process)
        yield* VirtualTime.advance(act.overlap)
        yield* stop(old)
        break
      }
      case "Crash":
        yield* stop(running.shift())
        running.push(yield* process)
        break
      case "Forget":
        yield* forget
        break
      case "Restart":
        yield* restart
        break
      case "Gateway":
        yield* failing({ on: routes[act.route], status: act.status, body: html, times: act.times })
        break
      case "Refuse":
        yield* failing({ on: routes.read, status: 400, times: act.times })
        break
      case "Slow":
        yield* faults.add({
          on: ({ url }) => url.endsWith("/read"),
          fault: Fault.Slow({ by: `${act.seconds} seconds` }),
          lasting: `${act.lasting} seconds`
        })
        break
      case "Silent":
        yield* faults.add({
          on: act.route === "all" ? () => true : ({ url }) => url.endsWith("/read"),
          fault: Fault.HalfOpen(),
          lasting: `${act.lasting} seconds`
        })
        break
      case "Expire":
        yield* expireSessions()
        if (act.times > 0) yield* failing({ on: routes.login, status: act.status, body: html, times: act.times })
        break
      case "Empty":
        yield* failing({ on: routes.read, status: 200, body: { events: [], ackId: "" }, times: act.times })
        break
      case "Step":
        yield* VirtualTime.jump(act.seconds * 1_000)
    }
  }
  yield* VirtualTime.advance("5 seconds")
  yield* faults.heal
  isTroubled = false
  // What is said before a forgotten feed is missed is lost with it.
  yield* VirtualTime.advance("4 minutes")
  const last = yield* send({ streamId, username: "ada", message: "last" })
  // Until what was said has been handled, and what is not acknowledged came again.
  const isRead = Effect.map(feeds, (feeds) => feeds.some(({ pending }) => pending === 0))
  let isDone = false
  for (let turn = 0; turn < 240 && !isDone; turn++) {
    yield* VirtualTime.advance("10 seconds")
    isDone = handled.has(last) && (yield* isRead)
  }
  for (const fiber of running) yield* stop(fiber)

  const problems: Array<string> = []
  if (!handled.has(last)) problems.push("the last one did not come")
  if (!isDone) problems.push("something is not acknowledged")
  for (const [number, { at, id }] of said.entries()) {
    const by = handled.get(id) ?? []
    if (by.length === 0 && at > brokenAt) problems.push(`${number} is lost`)
    if (new Set(by).size < by.length) problems.push(`${number} was handled twice by one reader: ${by.join(", ")}`)
    if (by.length > 1 && lives === 1) {
      problems.push(`${number} was handled ${by.length} times, and there was one reader`)
    }
  }
  const deleted = (yield* requests).filter(({ method }) => method === "DELETE").length
  if (deleted > deletedBefore) problems.push("a feed was deleted")
  const mayBeGone = plan.acts.some(({ _tag }) => _tag === "Forget" || _tag === "Refuse")
  if (told.recreated > 0 && !mayBeGone) problems.push("a feed that was there was left")
  // Reads that are silent for two minutes are told.
  const silent = plan.acts.some((act) => act._tag === "Silent" && act.route === "reads" && act.lasting > 190)
  const passed = plan.acts.reduce((sum, act) => sum + (act._tag === "Wait" ? act.millis : 0), 0)
  if (silent && passed > 600_000 && told.interrupted === 0) problems.push("nobody was told that reads are silent")
  assert.deepStrictEqual(problems, [], `${problems.join("\n")}\n${show(plan)}`)
  return { lives, handled: handled.size, doubled: [...handled.values()].filter(({ length }) => length > 1).length }
})

const seeds = seedsOf(4, 1 / 3)
const batches = Array.from({ length: Math.ceil(seeds.length / 25) }, (_, index) => {
  const batch = seeds.slice(index * 25, index * 25 + 25)
  return [`seeds ${batch[0]} to ${batch.at(-1)}`, batch] as const
})

describe("Datafeed with overlapping readers, gateways, silence and failing logins", () => {
  it.effect.each(batches)(
    "handles each message, at most once per reader, and deletes no feed: %s",
    ([, batch]) =>
      Effect.gen(function*() {
        let heard = 0
        for (const seed of batch) heard += (yield* run(planOf(seed))).handled
        assert.isAbove(heard, batch.length)
      }).pipe(Effect.provide(emulated())),
    120_000
  )
})
