/**
 * Reads the events that one reader missed from history: events that passed by while the reader had no room, or events before the
 * start of a shared connection. The reader has its own schedules and statuses for this. Other readers are not affected.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Cursor } from "../../../Cursor.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import * as Defects from "../wire/defect.ts"
import * as Subscribe from "../wire/subscribe.ts"
import * as Arrival from "./arrival.ts"
import { Backfill } from "./backfill.ts"
import type { Core } from "./core.ts"
import { type Given, Ledger, type Missed as LedgerGap, withoutHole } from "./ledger.ts"
import * as Losses from "./losses.ts"
import type { Missed } from "./missed.ts"
import { haveName, type Key, type Names, namesOf } from "./names.ts"
import { Outage } from "./outage.ts"
import { before, idOf, placeOf, range, textOf } from "./place.ts"
import type { Recent } from "./recent.ts"
import { longestAddress, sizeOf } from "./request.ts"

type Item = SubscribeEvent.SubscribeEvent

/** What a catch-up needs from its reader. */
interface Options {
  /** How many milliseconds the reader waits for failing history. */
  readonly within: number
  /** The timetoken up to which the reader's connections have given all events. */
  readonly reached: () => string
  readonly hears: (by: string | undefined, event: SubscribeEvent.Received, keys: ReadonlySet<Key>) => boolean
  /** Called with the mark of each event that the cursor says the reader had, by its sums. */
  readonly leftOut: (mark: string) => void
  /** The position of the reader. */
  readonly place: () => Cursor | undefined
  /** Whether to ask the service: not while the connections are switched off, and not after the reader has left. */
  readonly mayAsk: () => "now" | "later" | "never"
}

interface Step {
  readonly events: ReadonlyArray<Item>
  readonly isOver: boolean
}

/** How often history is read again for missing messages: after one, two and four seconds. */
const mostLooks = 3

export class CatchUp {
  readonly missed: Missed
  private readonly core: Core
  private readonly options: Options
  /** The names that began before the catch-up. All events of later names are live: from history they would come too early. */
  private readonly keys: Set<Key>
  /** The same, sorted for requests. Each step of a backfill asks for it. Undefined after a name was removed. */
  private heard: Names | undefined
  private readonly begin: Cursor
  /** The last timetoken to read. */
  to: string
  private readonly ledger: Ledger
  private readonly outage: Outage
  private backfill: Backfill | undefined
  /** A full page that the service still had. The service may have dropped events before it, so it comes after those of history. */
  private page: ReadonlyArray<Arrival.Arrival> = []
  /** Whether the service was asked for its queue, or need not be. */
  private hasAsked: boolean
  /** Whether its answer was too large. History may be late with the events of it. */
  private isUnheard = false
  /** The newest timetoken that history has shown. */
  private shown = 0n
  /** Channels with a reported gap. `undefined` stands for all of them. */
  private readonly reported = new Set<string | undefined>()
  private looks = 0
  private pause = 0
  private failure: SubscribeError | undefined

  constructor(core: Core, missed: Missed, keys: Iterable<Key>, options: Options) {
    this.core = core
    this.missed = missed
    this.keys = new Set(keys)
    this.options = options
    this.outage = new Outage(core, options.within)
    const { from, newest, oldest } = missed
    this.begin = from ?? { position: before(oldest === "" ? "1" : oldest), delivered: [] }
    const latest = core.history.knowledge.latest()
    const last = newest < latest ? newest : latest
    this.to = from === undefined
      ? last
      : [last, options.reached()].reduce((to, other) => other > to ? other : to, this.begin.position)
    const { knowledge } = core.history
    // After an overflow only what passed by is read, but the cursors name all that the reader had. Some of it may be later.
    const place = options.place()
    const had = from ?? (place && { ...place, position: this.begin.position })
    const note = (arrival: Arrival.Arrival) => knowledge.note(arrival)
    this.ledger = new Ledger(this.begin, note, knowledge.next(), had, options.leftOut)
    this.ledger.begin(this.begin)
    this.hasAsked = from === undefined
    if (from !== undefined || missed.channels.size > 0) this.open({ reason: "LongBreak", from: this.begin, page: [] })
  }

  /** The events that the reader got, for later cursors. */
  get had(): Recent {
    return this.ledger.had
  }

  /** The position after the events that the reader got. */
  get place(): Cursor {
    return withoutHole(this.ledger.cursor(this.begin))
  }

  /** Leaves out names that the reader has removed. */
  leave(keys: ReadonlyArray<Key>): void {
    for (const key of keys) this.keys.delete(key)
    this.heard = undefined
    this.missed.keepOnly([...this.keys])
  }

  private readonly names = (): Names => this.heard ??= namesOf(this.keys)

  get step(): Effect.Effect<Step, SubscribeError, HttpClient.HttpClient> {
    return Effect.suspend(() => {
      if (this.failure !== undefined) return Effect.fail(this.failure)
      const { backfill, pause } = this
      this.pause = 0
      const next = backfill === undefined
        ? this.hasAsked ? Effect.succeed(this.finish([])) : this.ask
        : this.attempt(backfill.next, (progress) => this.progressed(backfill, progress))
      return pause === 0 ? next : Effect.andThen(Effect.sleep(pause), next)
    })
  }

  private open(missed: Pick<LedgerGap, "page" | "reason"> & { readonly from: Cursor }): boolean {
    const hole = this.ledger.open({ ...missed, to: this.to })
    const { core: { history }, missed: { channels }, names } = this
    // Reads only channels with missed events.
    const known = this.missed.from === undefined
      ? new Map(Array.from(channels, ([channel, by]) => [channel, [...by]] as const))
      : undefined
    this.backfill = hole === undefined ? undefined : new Backfill(history, names, hole, known)
    return hole !== undefined
  }

  /** Makes a request. Gives the step for its answer, or for its failure. */
  private attempt<A>(
    request: Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>,
    answered: (answer: A) => Step
  ): Effect.Effect<Step, never, HttpClient.HttpClient> {
    return Effect.flatMap(Effect.result(request), (result) => {
      if (Result.isFailure(result)) return this.failed(result.failure)
      const reconnected = this.reconnected()
      const { events, isOver } = answered(result.success)
      return Effect.succeed({ events: [...reconnected, ...events], isOver })
    })
  }

  private get position(): Cursor {
    return this.options.place() ?? this.begin
  }

  private failed(reason: PubNubError.Reason): Effect.Effect<Step> {
    return Effect.map(this.outage.failed(reason, this.position), (outcome): Step => {
      switch (outcome._tag) {
        case "Again":
          this.pause = outcome.millis
          return { events: [outcome.told], isOver: false }
        case "GaveUp": {
          this.failure = outcome.error
          const reason = Defects.told(outcome.error.reason)
          return { events: [{ _tag: "Disconnected", reason, cursor: this.position }], isOver: false }
        }
        case "TooLong":
          return this.giveUp()
      }
    })
  }

  /** Ends the catch-up with `GapSuspected`. */
  private giveUp(): Step {
    this.reported.add(undefined)
    this.isUnheard = false
    return this.finish([...this.reconnected(), this.suspected("LongBreak")])
  }

  private suspected(reason: SubscribeStatus.GapSuspected["reason"]): SubscribeStatus.GapSuspected {
    const { hole, position } = this.begin
    return { _tag: "GapSuspected", ...range(hole ?? position, this.to), reason }
  }

  private reconnected(): ReadonlyArray<SubscribeStatus.Reconnected> {
    const reconnected = this.outage.over(this.position)
    return reconnected === undefined ? [] : [reconnected]
  }

  /** Chooses the arrivals for the ledger: after an overflow only those that the reader missed. Cursors name all of them, and later events come live. */
  private read(arrivals: ReadonlyArray<Arrival.Arrival>): ReadonlyArray<Arrival.Arrival> {
    const { missed } = this
    return missed.from === undefined
      ? arrivals.filter(({ envelope, id }) =>
        missed.take(id, envelope && { channel: envelope.c, timetoken: envelope.p.t })
      )
      : arrivals
  }

  /** The events that this reader missed. */
  private missing(given: ReadonlyArray<Given>): ReadonlyArray<SubscribeEvent.Received> {
    const { keys, missed, options } = this
    return given.flatMap(({ by, event }) =>
      missed.from === undefined || missed.take(idOf(event), placeOf(event)) || options.hears(by, event, keys)
        ? [event]
        : []
    )
  }

  private progressed(
    backfill: Backfill,
    { arrivals, filled, notices, upTo }: Effect.Success<Backfill["next"]>
  ): Step {
    for (const notice of notices) this.reported.add(notice._tag === "Gap" ? notice.channel : undefined)
    for (const arrival of arrivals) {
      const timetoken = Arrival.timetokenOf(arrival) ?? 0n
      if (timetoken > this.shown) this.shown = timetoken
    }
    const found = this.ledger.found(this.read(arrivals), this.begin, upTo, filled)
    backfill.missed(found.length)
    const events: ReadonlyArray<Item> = [...notices, ...this.missing(found)]
    if (!filled) return { events, isOver: false }
    this.backfill = undefined
    this.ledger.filled(false)
    const rest = this.missing(this.ledger.live(this.page, this.begin, undefined))
    this.page = []
    return this.hasAsked && !this.lookAgain()
      ? this.finish([...events, ...rest])
      : { events: [...events, ...rest], isOver: false }
  }

  /**
   * Asks the service for the events that it still has in its queue from before the connection had the reader's names. History may
   * not show them yet. If there are any, the service answers at once.
   */
  private readonly ask: Effect.Effect<Step, never, HttpClient.HttpClient> = Effect.suspend(() => {
    const { core: { config, history, settings: { filter } }, names, options: { mayAsk } } = this
    const poll = Effect.suspend(() => {
      const target = { ...names(), filter, state: undefined }
      const isEmpty = target.channels.length + target.groups.length === 0
      if (isEmpty || sizeOf(config, target) > longestAddress) return Effect.succeedNone
      return Effect.flatMap(
        Effect.timeoutOption(Subscribe.poll(config, target)(config, this.begin), "1 second"),
        Option.match({
          onNone: () => Effect.succeedNone,
          onSome: (answer) => {
            if (Subscribe.isOverfull(answer)) return this.tooLarge
            return Effect.asSome(Arrival.openAll(history.encryption, answer.messages.map(Arrival.read)))
          }
        })
      ).pipe(Effect.catchIf(
        (reason) => reason._tag === "Malformed" && reason.limit !== undefined,
        () => this.tooLarge
      ))
    })
    // Many readers may begin at once, so each waits for its turn. It may have left by then.
    return Effect.andThen(
      history.pace.turn,
      Effect.suspend(() => {
        switch (mayAsk()) {
          case "now":
            return this.attempt(poll, (opened) => this.asked(Option.getOrUndefined(opened)))
          case "later":
            return Effect.succeed(this.waits)
          case "never":
            return Effect.succeed(this.giveUp())
        }
      })
    )
  })

  /** The answer has more than memory may hold. Only history is read. */
  private readonly tooLarge = Effect.sync((): Option.Option<never> => {
    this.isUnheard = true
    return Option.none()
  })

  private get waits(): Step {
    this.pause = 1_000
    return { events: [], isOver: false }
  }

  private asked(opened: ReadonlyArray<Arrival.Arrival> | undefined): Step {
    this.hasAsked = true
    const goesOn: Step = { events: [], isOver: false }
    // There was no answer: the queue is empty or too large, or the network is slow. Then only history is read.
    if (opened === undefined) {
      this.open({ reason: "LongBreak", from: { position: before(this.to), delivered: [] }, page: [] })
      return goesOn
    }
    const isName = (name: string) => haveName(this.keys, name)
    const arrivals = opened.map((arrival) => Arrival.byKnownName(arrival, isName, this.names))
    const timetokens = arrivals.map((arrival) => Arrival.timetokenOf(arrival) ?? 0n)
    // History that shows an event of the page also shows older ones. If it shows none, it may lack events that the service dropped.
    // The same is true if it lacks an older event than it shows: that one is of another region, and arrived after history was read.
    const isFull = arrivals.length >= this.core.config.queueLength &&
      (timetokens.every((at) => at > this.shown) || arrivals.some((arrival) => this.isLate(arrival)))
    // Reads history to the end of the page. When history shows all of the page, it shows older events, too.
    if (isFull) this.to = this.furthest(timetokens)
    // Later events arrive live.
    const own = arrivals.filter((_, index) => (timetokens[index] ?? 0n) <= BigInt(this.to))
    const from = { ...this.place, hole: this.begin.position }
    if (isFull && this.open({ reason: "FullPage", from, page: own })) {
      this.page = own
      return goesOn
    }
    return this.finish(this.missing(this.ledger.live(own, this.begin, undefined)))
  }

  /** Whether a message arrived after history had shown a newer one. */
  private isLate(arrival: Arrival.Arrival): boolean {
    const { envelope } = arrival
    const isBehind = (Arrival.timetokenOf(arrival) ?? this.shown) < this.shown
    return isBehind && envelope !== undefined && Arrival.isStored(envelope) && !this.ledger.has(arrival)
  }

  /** The last timetoken to read after a page of the service. Timetokens of the future do not count. */
  private furthest(timetokens: ReadonlyArray<bigint>): string {
    const latest = BigInt(this.core.history.knowledge.latest())
    return textOf(timetokens.reduce((to, at) => at > to && at <= latest ? at : to, BigInt(this.to)))
  }

  /** Decides whether to read history once more for missing messages. It may be some seconds behind. */
  private lookAgain(): boolean {
    if (this.looks === mostLooks) return false
    const { knowledge } = this.core.history
    // A channel with a message that was not stored is waited for only once.
    const isWaitedFor = (channel: string) =>
      this.looks === 0 || knowledge.unstored.get(channel)?.has("Message") !== true
    const waited = Array.from(this.lacking()).filter(([channel]) => isWaitedFor(channel))
    const since = waited.reduce((oldest, [, { from }]) => from < oldest ? from : oldest, this.to)
    if (
      waited.length === 0 || !this.open({ reason: "LongBreak", from: { position: since, delivered: [] }, page: [] })
    ) {
      return false
    }
    this.pause = 1_000 * 2 ** this.looks++
    return true
  }

  /** The range of each channel in which history lacks missed messages, and no gap was reported. */
  private lacking(): ReadonlyMap<string, { readonly from: string; readonly to: string }> {
    const { missed, reported } = this
    const lacking = new Map<string, { readonly from: string; readonly to: string }>()
    const add = (channel: string, from: string, to: string) => {
      if (reported.has(undefined) || reported.has(channel)) return
      const had = lacking.get(channel) ?? { from, to }
      lacking.set(channel, { from: from < had.from ? from : had.from, to: to > had.to ? to : had.to })
    }
    for (const [id, channel] of missed.messages) {
      const timetoken = id.slice(0, this.to.length)
      add(channel, before(timetoken), timetoken)
    }
    for (const [channel, { count, since }] of missed.more) if (count > 0) add(channel, before(since), missed.newest)
    return lacking
  }

  private finish(events: ReadonlyArray<Item>): Step {
    const { missed } = this
    for (const [channel, { from, to }] of this.lacking()) {
      this.core.history.knowledge.noteUnstored(channel, "Message")
      Losses.add(missed.losses, { _tag: "Gap", channel, ...range(from, to), reason: "NotInHistory" })
    }
    const suspected = this.isUnheard ? [this.suspected("FullPage")] : []
    return { events: [...events, ...suspected, ...missed.gaps()], isOver: true }
  }
}
