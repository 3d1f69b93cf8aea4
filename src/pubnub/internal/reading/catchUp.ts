/**
 * How one reader comes back that was passed by, or that begins in the past of a connection that others use: it reads what it
 * missed from history, under its own schedules and with its own statuses. Nothing of it concerns another reader.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type { Cursor } from "../../../Cursor.ts"
import type * as Event from "../../Event.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as Status from "../../Status.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import * as Defects from "../wire/defect.ts"
import { Backfill } from "./backfill.ts"
import type { Core } from "./core.ts"
import { Ledger, withoutHole } from "./ledger.ts"
import * as Losses from "./losses.ts"
import { covers, type Key, type Names } from "./names.ts"
import { Outage } from "./outage.ts"
import { before, idOf, kindOf, placeOf, subscriptionOf } from "./place.ts"
import type { Recent } from "./recent.ts"

type Item = Event.SubscribeEvent

/** So many missed messages are noted one by one. */
const mostNoted = 1_000

/** Of so many channels it is noted what was missed. */
const mostChannels = 10_000

/** What a reader was not given. */
export class Missed {
  /** Where it began with a cursor of the past: it wants everything from there on, and not only what came by. */
  readonly from: Cursor | undefined
  /** Messages by id, each with its channel. */
  readonly messages = new Map<string, string>()
  /** Those that are too many to be named: how many of each channel, and since when. */
  readonly more = new Map<string, { readonly since: string; readonly count: number }>()
  /** Of each channel, the names it came by. */
  readonly channels = new Map<string, Set<string>>()
  /** Kinds that history does not have, by channel. */
  readonly kinds = new Map<string, Set<Status.Kind>>()
  readonly losses: Losses.Losses = new Map()
  /** Of all these, the oldest and the newest. */
  oldest = ""
  newest = ""
  private last = ""

  constructor(from: Cursor | undefined) {
    this.from = from
  }

  /** Whether there were too many to be named. */
  get isUncounted(): boolean {
    return this.more.size > 0
  }

  add(event: Event.Event): void {
    const place = placeOf(event)
    const kind = kindOf(event)
    if (place === undefined || kind === undefined) return Losses.lose(this.losses, event)
    const { channel, timetoken } = place
    const isStored = kind === "Message" || kind === "File"
    const noted = isStored ? this.channels : this.kinds
    if (noted.size >= mostChannels && !noted.has(channel)) {
      return Losses.suspect(this.losses, before(timetoken), timetoken)
    }
    if (this.oldest === "" || timetoken < this.oldest) this.oldest = timetoken
    if (timetoken > this.newest) this.newest = timetoken
    if (!isStored) return this.addKind(channel, kind)
    const name = subscriptionOf(event)
    if (name !== undefined) this.channels.set(channel, (this.channels.get(channel) ?? new Set()).add(name))
    const id = idOf(event) ?? ""
    // It came by another name, too.
    if (id === this.last) return
    this.last = id
    if (this.messages.size < mostNoted) {
      this.messages.set(id, channel)
      return
    }
    const { count, since } = this.more.get(channel) ?? { count: 0, since: timetoken }
    this.more.set(channel, { since: timetoken < since ? timetoken : since, count: count + 1 })
  }

  addKind(channel: string, kind: Status.Kind): void {
    this.kinds.set(channel, (this.kinds.get(channel) ?? new Set()).add(kind))
  }

  /** Of what is not listened to any more nothing is missing. */
  keepOnly(keys: ReadonlyArray<Key>): void {
    const isHeard = (channel: string) => keys.some((key) => covers(key, channel))
    for (const [id, channel] of this.messages) if (!isHeard(channel)) this.messages.delete(id)
    for (const channels of [this.channels, this.kinds, this.more]) {
      for (const channel of channels.keys()) if (!isHeard(channel)) channels.delete(channel)
    }
  }

  /** Takes what history showed off the list, and says whether it was on it. */
  take(event: Event.Event): boolean {
    if (this.messages.delete(idOf(event) ?? "")) return true
    const place = placeOf(event)
    const rest = place === undefined ? undefined : this.more.get(place.channel)
    if (place === undefined || rest === undefined || place.timetoken < rest.since) return false
    this.more.set(place.channel, { ...rest, count: rest.count - 1 })
    return true
  }

  /** What can be told only as lost. */
  gaps(): ReadonlyArray<Losses.Loss> {
    const { newest: to, oldest } = this
    return [
      ...this.losses.values(),
      ...Array.from(this.kinds, ([channel, kinds]): Status.Gap => ({
        _tag: "Gap",
        channel,
        from: before(oldest),
        to,
        reason: "NotStored",
        kinds: [...kinds].toSorted()
      }))
    ]
  }
}

/** What it needs of its reader. */
interface Options {
  /** For how many milliseconds it is waited for. */
  readonly within: number
  /** Up to which timetoken the reader's connections have given everything. */
  readonly reached: () => string
  readonly names: () => Names
  readonly hears: (by: string | undefined, event: Event.Event) => boolean
  /** Where the reader is. */
  readonly place: () => Cursor | undefined
}

interface Step {
  readonly events: ReadonlyArray<Item>
  readonly isOver: boolean
}

export class CatchUp {
  readonly missed: Missed
  private readonly core: Core
  private readonly options: Options
  private readonly begin: Cursor
  /** Up to which timetoken it reads. */
  readonly to: string
  private readonly ledger: Ledger
  private readonly outage: Outage
  private backfill: Backfill | undefined
  /** Channels that were told as a gap, or `undefined` for all of them. */
  private readonly told = new Set<string | undefined>()
  /** History may be some seconds behind: it is looked at once more. */
  private isSecond = false
  private pause: number | undefined
  private failure: SubscribeError | undefined

  constructor(core: Core, missed: Missed, options: Options) {
    this.core = core
    this.missed = missed
    this.options = options
    this.outage = new Outage(core, options.within)
    const { from, newest, oldest } = missed
    this.begin = from ?? { position: before(oldest === "" ? "1" : oldest), delivered: [] }
    const latest = core.history.knowledge.latest()
    const last = newest < latest ? newest : latest
    this.to = from === undefined
      ? last
      : [last, options.reached()].reduce((to, other) => other > to ? other : to, this.begin.position)
    this.ledger = new Ledger(this.begin, (arrival) => core.history.knowledge.note(arrival))
    this.ledger.begin(this.begin)
    if (from !== undefined || missed.channels.size > 0) this.open(this.begin)
  }

  /** What it had, for the cursors that come. */
  get had(): Recent {
    return this.ledger.had
  }

  /** Up to where everything was had. */
  get place(): Cursor {
    return withoutHole(this.ledger.cursor(this.begin))
  }

  get step(): Effect.Effect<Step, SubscribeError, HttpClient.HttpClient> {
    return Effect.suspend(() => {
      if (this.failure !== undefined) return Effect.fail(this.failure)
      const { backfill, pause } = this
      if (backfill === undefined) return Effect.succeed(this.finish([]))
      this.pause = undefined
      return Effect.andThen(
        pause === undefined ? Effect.void : Effect.sleep(pause),
        Effect.flatMap(
          Effect.result(backfill.next),
          (result) => Result.isFailure(result) ? this.failed(result.failure) : this.progressed(backfill, result.success)
        )
      )
    })
  }

  private open(from: Cursor): boolean {
    const hole = this.ledger.open({ reason: "LongBreak", from, to: this.to, page: [] })
    const { core: { history }, missed: { channels }, options: { names } } = this
    // Only channels that missed something are read.
    const known = this.missed.from === undefined
      ? new Map(Array.from(channels, ([channel, by]) => [channel, [...by]] as const))
      : undefined
    this.backfill = hole === undefined ? undefined : new Backfill(history, names, hole, known)
    return hole !== undefined
  }

  private failed(reason: PubNubError.Reason): Effect.Effect<Step> {
    const cursor = this.options.place() ?? this.begin
    return Effect.map(this.outage.failed(reason, cursor), (outcome): Step => {
      switch (outcome._tag) {
        case "Again":
          this.pause = outcome.millis
          return { events: [outcome.told], isOver: false }
        case "GaveUp":
          this.failure = outcome.error
          return {
            events: [{ _tag: "Disconnected", reason: Defects.told(this.failure.reason), cursor }],
            isOver: false
          }
        case "TooLong":
          this.backfill = undefined
          return this.finish([...this.reconnected(cursor), this.suspected], true)
      }
    })
  }

  private progressed(
    backfill: Backfill,
    { arrivals, filled, notices, upTo }: Effect.Success<Backfill["next"]>
  ): Effect.Effect<Step> {
    const told = this.reconnected(this.options.place() ?? this.begin)
    for (const notice of notices) this.told.add(notice._tag === "Gap" ? notice.channel : undefined)
    const { missed } = this
    const found = this.ledger.found(arrivals, this.begin, upTo, filled)
    backfill.missed(found.length)
    const events = [
      ...told,
      ...notices,
      ...found.flatMap(({ by, event }) =>
        missed.take(event) || missed.from !== undefined && this.options.hears(by, event) ? [event] : []
      )
    ]
    if (!filled) return Effect.succeed({ events, isOver: false })
    if (!this.isSecond && (missed.from !== undefined || this.unseen().length > 0)) {
      this.isSecond = true
      const since = this.unseen().reduce((oldest, [id]) => id < oldest ? id.slice(0, oldest.length) : oldest, this.to)
      if (this.open({ position: before(since), delivered: [] })) {
        return Effect.as(Effect.sleep("1 second"), { events, isOver: false })
      }
    }
    return Effect.succeed(this.finish(events))
  }

  private get suspected(): Status.GapSuspected {
    return { _tag: "GapSuspected", from: this.begin.position, to: this.to, reason: "LongBreak" }
  }

  private reconnected(cursor: Cursor): ReadonlyArray<Status.Reconnected> {
    const reconnected = this.outage.over(cursor)
    return reconnected === undefined ? [] : [reconnected]
  }

  /** What history did not show, and no gap tells of. */
  private unseen(): ReadonlyArray<readonly [id: string, channel: string]> {
    return this.told.has(undefined) ? [] : [...this.missed.messages].filter(([, channel]) => !this.told.has(channel))
  }

  private finish(events: ReadonlyArray<Item>, isGivenUp = false): Step {
    const { missed, told } = this
    if (!isGivenUp) {
      const channels = new Set(this.unseen().map(([, channel]) => channel))
      for (const [channel, { count }] of missed.more) {
        if (count > 0 && !told.has(undefined) && !told.has(channel)) channels.add(channel)
      }
      const at = { from: before(missed.oldest === "" ? "1" : missed.oldest), to: missed.newest }
      for (const channel of channels) {
        Losses.add(missed.losses, { _tag: "Gap", channel, ...at, reason: "NotInHistory" })
      }
    }
    return { events: [...events, ...missed.gaps()], isOver: true }
  }
}
