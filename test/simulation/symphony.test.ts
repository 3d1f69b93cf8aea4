/**
 * Two bots on a pod behind seeded faults, in virtual time: they send, update, blast, list and search side by side while
 * their sessions end. What they are told is what happened: a message that was posted is there once, one that failed is not,
 * only one whose outcome is unknown may be either, and never twice. What they read is whole, and each message of it once.
 *
 * `SEEDS=10000 npm run simulate -- test/simulation/symphony.test.ts` runs more seeds, `SEED=17` only one. A failing seed is
 * printed with the faults that it injected.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Attachment, Messages, MessageSearch, type PostedMessage } from "effect-herald/symphony"
import { Faults, type SymphonyEmulator, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import * as Symphony from "../symphony/emulated.ts"
import { batchesOf, seedsOf } from "./seeds.ts"

const { Fault } = Faults

const faults: ReadonlyArray<Pick<Faults.Rule, "fault" | "lasting">> = [
  { fault: Fault.ConnectionRefused() },
  { fault: Fault.ConnectionRefused(), lasting: "90 seconds" },
  { fault: Fault.NameNotFound() },
  { fault: Fault.ResetBeforeAnswer() },
  { fault: Fault.ResetInBody() },
  { fault: Fault.TruncatedBody() },
  { fault: Fault.TruncatedJson() },
  { fault: Fault.MalformedJson() },
  { fault: Fault.EmptyBody() },
  { fault: Fault.EmptyObject() },
  { fault: Fault.ServerError({ status: 500, handled: false }) },
  { fault: Fault.ServerError({ status: 500, handled: true }) },
  { fault: Fault.ServerError({ status: 502, handled: true }) },
  { fault: Fault.ServerError({ status: 503, handled: false }) },
  { fault: Fault.ServerError({ status: 504, handled: true }) },
  { fault: Fault.RateLimited({ retryAfter: "5 seconds" }) },
  { fault: Fault.RateLimited({ retryAfter: "40 seconds" }) },
  { fault: Fault.AccessDenied() },
  { fault: Fault.Slow({ by: "2 minutes" }) },
  { fault: Fault.Slow({ by: "2 seconds" }) },
  { fault: Fault.HalfOpen() },
  { fault: Fault.HalfOpen(), lasting: "40 seconds" },
  { fault: Fault.Restart() }
]

const bots = ["bot", "other-bot"] as const
type Bot = (typeof bots)[number]

const world = (seed: number) =>
  Symphony.pod({
    emulator: {
      users: [...bots, "ada"].map((username) => ({ username, publicKey: Symphony.keys.publicKey })),
      latency: Effect.succeed("30 millis")
    },
    chance: { seed, rate: 0.2, faults }
  })

// --------------------------------------------------------------------------------------------------------------------
// what they do, and what they are told
// --------------------------------------------------------------------------------------------------------------------

type Outcome<A> = Exit.Exit<A, Messages.SendError | Attachment.AttachmentFailed<Attachment.AttachmentSpent>>

/** What was told of a message, which is known by its text. */
interface Told {
  readonly text: string
  readonly by: Bot
  readonly resendUnknown: boolean
  readonly files: ReadonlyArray<string>
  /** In each stream: the message, or that it was not reached. */
  readonly outcome: Outcome<ReadonlyMap<string, string>>
}

const oneOf = <A>(of: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, of.length - 1), (index) => of[index]!)

const chance = (percent: number) => Effect.map(Random.nextIntBetween(0, 99), (drawn) => drawn < percent)

const pause = (most: Duration.Input) =>
  Effect.flatMap(
    Random.nextIntBetween(0, Duration.toMillis(Duration.fromInputUnsafe(most))),
    (millis) => Effect.sleep(millis)
  )

const bytesOf = (content: string) => new TextEncoder().encode(content)

/** A file of each kind. */
const fileOf = (kind: "text" | "bytes" | "stream" | "once", content: string) => {
  switch (kind) {
    case "text":
      return content
    case "bytes":
      return bytesOf(content)
    case "stream":
      return Stream.fromIterable([bytesOf(content.slice(0, 2)), bytesOf(content.slice(2))])
    case "once": {
      let isRead = false
      return Attachment.once(Stream.suspend(() => {
        if (isRead) return Stream.die(new Error("read twice"))
        isRead = true
        return Stream.succeed(bytesOf(content))
      }))
    }
  }
}

/** Somebody who sends so many messages, one after the other, and gives up on some of them. */
const writer = Effect.fnUntraced(function*(options: {
  readonly by: Bot
  readonly name: string
  readonly count: number
  /** Where the bot is, and one where it is not. */
  readonly streams: ReadonlyArray<string>
  readonly elsewhere: string
  readonly told: Array<Told>
}) {
  const { by, count, elsewhere, name, streams, told } = options
  let latest: { readonly streamId: string; readonly messageId: string } | undefined
  for (let number = 0; number < count; number++) {
    yield* pause("20 seconds")
    const text = `${name}.${number}.`
    const streamId = yield* oneOf(streams)
    const resendUnknown = yield* chance(25)
    const what = yield* oneOf(["send", "send", "update", "blast"] as const)
    const hasFiles = yield* chance(20)
    const kind = yield* oneOf(["text", "bytes", "stream", "once"] as const)
    const attachments = hasFiles ? [{ name: "a.txt", content: fileOf(kind, text) }] : []
    const one = (posted: PostedMessage.PostedMessage) => new Map([[streamId, posted.messageId]])
    const posting = what === "blast"
      ? Messages.blast({ streamIds: [...streams, elsewhere], message: text, attachments, resendUnknown }).pipe(
        Effect.map(({ errors, messages }) =>
          new Map([
            ...messages.map((message) => [message.stream?.streamId ?? "none", message.messageId] as const),
            ...[...errors.keys()].map((streamId) => [streamId, "not reached"] as const)
          ])
        )
      )
      : what === "update" && latest !== undefined
      ? Effect.map(
        Messages.update({ ...latest, message: { content: text, attachments }, resendUnknown }),
        (posted) => new Map([[latest?.streamId ?? "none", posted.messageId]])
      )
      : Effect.map(Messages.send({ streamId, message: text, attachments, resendUnknown }), one)
    const fiber = yield* Effect.forkChild(posting, { startImmediately: true })
    if (yield* chance(10)) yield* Effect.forkChild(Effect.andThen(pause("10 seconds"), Fiber.interrupt(fiber)))
    const outcome = yield* Fiber.await(fiber)
    told.push({ text, by, resendUnknown, files: hasFiles ? [text] : [], outcome })
    if (what === "send" && Exit.isSuccess(outcome)) {
      for (const [streamId, messageId] of outcome.value) latest = { streamId, messageId }
    }
  }
})

const messages = (streamId: string) => Symphony.emulator.use(({ messages }) => messages({ streamId }))

/** Each message that was there before is given, none twice, and none that is not there. */
const isWhole = (
  given: ReadonlyArray<PostedMessage.PostedMessage>,
  before: ReadonlyArray<SymphonyEmulator.StoredMessage>,
  after: ReadonlyArray<SymphonyEmulator.StoredMessage>,
  what: string
) => {
  const ids = given.map(({ messageId }) => messageId)
  assert.lengthOf(ids, new Set(ids).size, `${what}: twice`)
  assert.includeMembers(ids, before.map(({ messageId }) => messageId), `${what}: not all`)
  assert.includeMembers(after.map(({ messageId }) => messageId), ids, `${what}: what is not there`)
}

/** The service's order, oldest first: by time, and then as they came. */
const inOrder = (stored: ReadonlyArray<SymphonyEmulator.StoredMessage>) =>
  stored.toSorted((a, b) => a.timestamp.epochMilliseconds - b.timestamp.epochMilliseconds).map(({ messageId }) =>
    messageId
  )

const idsOf = (given: ReadonlyArray<PostedMessage.PostedMessage>) => given.map(({ messageId }) => messageId)

/** Somebody who reads a stream so often, and tells whether that went well. */
const reader = Effect.fnUntraced(function*(options: {
  readonly count: number
  readonly streams: ReadonlyArray<string>
  /** Whether nothing is added meanwhile. */
  readonly quiet: boolean
}) {
  for (let number = 0; number < options.count; number++) {
    yield* pause("30 seconds")
    const streamId = yield* oneOf(options.streams)
    const pageSize = yield* Random.nextIntBetween(1, 6)
    const now = yield* DateTime.now
    const before = yield* messages(streamId)
    const what = yield* oneOf(["list", "stream", "search", "asc", "desc", "till now", "some"] as const)
    const search = { query: { streamId }, pageSize } as const
    const reading = (() => {
      switch (what) {
        case "list":
          return Messages.list({ streamId, limit: 500 })
        case "search":
          return MessageSearch.search({ query: { streamId }, limit: 1000 })
        case "stream":
          return Stream.runCollect(Messages.stream({ streamId, pageSize }))
        case "asc":
          return Stream.runCollect(MessageSearch.streamSearch({ ...search, order: "oldestFirst" }))
        case "desc":
          return Stream.runCollect(MessageSearch.streamSearch(search))
        case "till now":
          return Stream.runCollect(MessageSearch.streamSearch({ ...search, query: { streamId, toDate: now } }))
        case "some":
          return Stream.runCollect(MessageSearch.streamSearch({ ...search, order: "oldestFirst" }).pipe(Stream.take(7)))
      }
    })()
    const outcome = yield* Effect.exit(reading)
    const after = yield* messages(streamId)
    counts[Exit.isSuccess(outcome) ? "read" : "notRead"]++
    // A search or a list that fails is for its caller to repeat; a defect is not.
    if (Exit.isFailure(outcome)) {
      assert.strictEqual(Option.getOrThrow(Exit.findErrorOption(outcome))._tag, "SymphonyError")
      continue
    }
    const given = outcome.value.filter(UndecodableItem.isDecoded)
    switch (what) {
      case "desc":
        // A message that comes meanwhile moves the others: one may be seen twice, and none is left out.
        isWhole([...new Map(given.map((message) => [message.messageId, message])).values()], before, after, what)
        if (before.length === after.length) isWhole(given, before, after, what)
        break
      case "till now": {
        const earlier = before.filter(({ timestamp }) => DateTime.isLessThan(timestamp, now))
        assert.deepStrictEqual(idsOf(given), inOrder(earlier).toReversed(), what)
        break
      }
      case "some":
        assert.deepStrictEqual(idsOf(given), inOrder(after).slice(0, given.length), what)
        assert.isAtLeast(given.length, Math.min(7, before.length), what)
        assert.isAtMost(given.length, 7, what)
        break
      default:
        isWhole(given, before, after, what)
    }
    if (options.quiet && what === "asc") assert.deepStrictEqual(idsOf(given), inOrder(before))
  }
})

// --------------------------------------------------------------------------------------------------------------------
// what happened
// --------------------------------------------------------------------------------------------------------------------

/** What the runs came to, so that the whole can say that every outcome was seen. */
const counts = {
  posted: 0,
  unknown: 0,
  unknownAndThere: 0,
  failed: 0,
  spent: 0,
  withdrawn: 0,
  copies: 0,
  read: 0,
  notRead: 0,
  renewals: 0
}

const checkTold = (
  { by, files, outcome, resendUnknown, text }: Told,
  there: ReadonlyArray<SymphonyEmulator.StoredMessage>
) => {
  const copies = new Map<string, number>()
  for (const { streamId } of there) copies.set(streamId, (copies.get(streamId) ?? 0) + 1)
  const error = Exit.findErrorOption(outcome)
  const kind = Exit.isSuccess(outcome) ? "posted" : Option.isNone(error)
    ? "withdrawn"
    : error.value._tag === "MessageOutcomeUnknown"
    ? "unknown"
    : error.value._tag === "AttachmentFailed"
    ? "spent"
    : "failed"
  counts[kind]++
  if (kind === "unknown" && there.length > 0) counts.unknownAndThere++
  for (const number of copies.values()) counts.copies += number - 1
  // Nothing is sent twice unless that was asked for.
  if (!resendUnknown) {
    for (const [streamId, number] of copies) assert.strictEqual(number, 1, `${text} ${kind}: copies in ${streamId}`)
  }
  if (kind === "failed" || kind === "spent") {
    assert.deepStrictEqual(there, [], `${text} ${kind}, and there: ${Option.getOrThrow(error).message}`)
  }
  for (const message of there) {
    assert.strictEqual(message.username, by)
    assert.deepStrictEqual(message.attachments.map(({ content }) => new TextDecoder().decode(content)), files)
  }
  if (Exit.isSuccess(outcome)) {
    assert.isAbove(outcome.value.size, 0, `${text} posted, and nothing told of it`)
    for (const [streamId, messageId] of outcome.value) {
      const ids = there.filter((message) => message.streamId === streamId).map((message) => message.messageId)
      if (messageId === "not reached") assert.deepStrictEqual(ids, [], `${text}: not reached, and there`)
      else assert.include(ids, messageId, `${text}: posted, and not there`)
    }
    for (const streamId of copies.keys()) assert.isTrue(outcome.value.has(streamId), `${text}: there, and not told`)
  }
}

const truthful = Effect.gen(function*() {
  const emulator = yield* Symphony.emulator
  const room = (name: string, members: readonly [string, ...ReadonlyArray<string>]) =>
    emulator.createStream({ type: "ROOM", name, members })
  const shared = [yield* room("orders", ["bot", "other-bot"]), yield* room("team", ["ada", "bot", "other-bot"])]
  const own = { bot: yield* room("bot", ["ada", "bot"]), "other-bot": yield* room("other", ["ada", "other-bot"]) }
  // Many of one time, more than a page.
  for (let number = 0; number < 9; number++) {
    yield* emulator.send({ streamId: shared[1]!, username: "ada", message: `earlier ${number}` })
  }
  const told: Array<Told> = []
  let expiries = 0
  const finish = Effect.fnUntraced(function*(fibers: ReadonlyArray<Fiber.Fiber<void>>) {
    while (fibers.some((fiber) => fiber.pollUnsafe() === undefined)) yield* VirtualTime.advance("1 minute")
    yield* Fiber.joinAll(fibers)
  })

  const as = { bot: yield* Layer.build(Symphony.bot("bot")), "other-bot": yield* Layer.build(fewAttempts) }
  const work = bots.flatMap((by) => {
    const streams = [...shared, own[by]]
    const elsewhere = own[by === "bot" ? "other-bot" : "bot"]
    return [
      ...["a", "b"].map((name) =>
        writer({ by, name: `${by}-${name}`, count: 3, streams, elsewhere, told }).pipe(Effect.provide(as[by]))
      ),
      reader({ count: 2, streams, quiet: false }).pipe(Effect.provide(as[by]))
    ]
  })
  const expiring = Effect.gen(function*() {
    for (let number = 0; number < 2; number++) {
      yield* pause("1 minute")
      yield* emulator.expireSessions()
      expiries++
    }
  })
  yield* finish(yield* Effect.forEach([...work, expiring], (effect) => Effect.forkChild(effect)))
  const quiet = bots.map((by) =>
    Effect.provide(reader({ count: 1, streams: [...shared, own[by]], quiet: true }), as[by])
  )
  yield* finish(yield* Effect.forEach(quiet, (effect) => Effect.forkChild(effect)))

  const hit = (yield* Faults.Faults.use(({ injected }) => injected)).filter(({ kind }) => kind === "login").length
  yield* Faults.Faults.use(({ heal }) => heal)
  // Whatever happened, a bot is not left with a session that has ended.
  yield* finish(
    yield* Effect.forEach(bots, (by) =>
      Effect.forkChild(
        Effect.asVoid(Effect.orDie(Messages.send({ streamId: own[by], message: "healed" }))).pipe(
          Effect.provide(as[by])
        )
      ))
  )

  const there = (yield* Effect.forEach([...shared, ...Object.values(own)], messages)).flat()
  for (const message of told) checkTold(message, there.filter(({ text }) => text === message.text))

  // A login more is for a session that ended, or for a login that a fault hit.
  for (const name of bots) {
    const { keyManager, session } = yield* Symphony.loginsOf(name)
    counts.renewals += session - 1
    assert.isAtMost(session, 1 + expiries + hit, `logins of ${name}`)
    assert.isAtMost(keyManager, 1 + expiries + hit, `logins of ${name} at the key manager`)
  }
}).pipe(Effect.scoped)

const fewAttempts = Symphony.bot("other-bot", { retry: { maxAttempts: 3, base: "1 second" } })

const seeds = seedsOf(2, 1 / 3)
const batches = batchesOf(2, 1 / 3)

describe("two bots that send, update, blast, list and search under faults", () => {
  it.effect.each(batches)("report what the pod has: %s", ([, batch]) =>
    Effect.forEach(batch, (seed) =>
      truthful.pipe(
        Effect.catchDefect((defect) =>
          Effect.flatMap(Faults.Faults.use(({ injected }) => injected), (injected) =>
            Effect.die(
              new Error(
                `SEED=${seed}: ${defect instanceof Error ? defect.message : String(defect)}\n${Faults.format(injected)}`
              )
            ))
        ),
        Effect.provide(world(seed)),
        Random.withSeed(seed),
        Effect.provide(TestClock.layer())
      ), { discard: true }), 120_000)

  it.runIf(seeds.length >= 100)("got every kind of outcome", () => {
    for (const kind of Object.keys(counts) as ReadonlyArray<keyof typeof counts>) assert.isAbove(counts[kind], 5, kind)
  })
})
