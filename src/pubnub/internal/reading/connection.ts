/**
 * One long poll of an engine: its names, its position, and the lanes of readers that get its pages. When readers join or leave,
 * the names change, and the poll continues from the same position.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import type { Cursor } from "../../../Cursor.ts"
import * as LongPoll from "../../../internal/longPoll.ts"
import { debug } from "../../../internal/operation.ts"
import * as PollLoop from "../../../internal/pollLoop.ts"
import * as Url from "../../../internal/url.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import * as Defects from "../wire/defect.ts"
import * as Endpoint from "../wire/endpoint.ts"
import * as Subscribe from "../wire/subscribe.ts"
import * as Time from "../wire/time.ts"
import * as Token from "../wire/token.ts"
import * as Arrival from "./arrival.ts"
import * as ClockCheck from "./clockCheck.ts"
import type { Core } from "./core.ts"
import { toError } from "./ending.ts"
import * as Heartbeat from "./heartbeat.ts"
import { Lane, type Page } from "./lane.ts"
import { lateBy } from "./lateness.ts"
import { withoutHole } from "./ledger.ts"
import { haveName, isSame, type Key, nameOf, namesOf, refusedBy } from "./names.ts"
import { isAhead, newer, notAfter, older } from "./place.ts"
import type { Reader } from "./reader.ts"

type Loop = PollLoop.PollLoop<Cursor, PubNubError.Reason, HttpClient.HttpClient>

/** The names of a request. Its keys are the strings of `names`: copies of them would cost memory for each reader. */
interface Target extends Subscribe.Target {
  readonly keys: ReadonlyArray<Key>
}

/** How many milliseconds at most the names stay the same, so that there is time for a poll between two handshakes. */
const longestDebounce = 2_000

/** How many characters an event counts at least: in memory it takes more than a short text. */
const leastSize = 200

/** What a connection needs from its engine. */
export interface Host {
  /** Removes a reader from the engine. */
  readonly leave: (reader: Reader) => void
  /** Called after the last reader has left. */
  readonly emptied: (connection: Connection) => void
}

export class Connection {
  loop: Loop
  readonly lanes = new Map<number, Lane>()
  /** How many characters its names take in an address. */
  size = 0
  private readonly core: Core
  private readonly host: Host
  /** How many readers each name has. */
  private readonly names = new Map<Key, number>()
  /** The names that the service knows, and that the connection must leave. */
  private announced: ReadonlyArray<Key> = []
  /** The names of answered handshakes since the last interruption, each with the position of that answer. */
  private readonly known = new Map<Key, Cursor>()
  /** The names of the last handshake, and of the last one that was answered. */
  private asking: Target | undefined
  private asked: Target | undefined
  private current: Target | undefined
  /** Polls for the names of the last handshake. */
  private polls: { readonly target: Subscribe.Target; readonly send: Subscribe.Poll } | undefined
  private isGathering = false
  /** The furthest position since the last handshake. */
  private reached = ""
  /** The position of the last handshake. */
  private proven: Cursor | undefined
  /** The position of the page that showed a break of which the lanes know. */
  private brokenBefore: Cursor | undefined
  /** Until then the names stay the same. */
  private debounceUntil = 0
  /** A status to emit after the events of the handshake. */
  private doubted: SubscribeStatus.CursorDoubted | undefined
  private readonly rules: LongPoll.Rules
  private witness = ClockCheck.makeWitness()
  /** Whether history showed messages that were missing at a break, and no poll was answered since. */
  private missing = false
  private heartbeat: Fiber.Fiber<void> | undefined
  /** The token of the last request of the loop. */
  private token: Redacted.Redacted | undefined
  /** Waits for a new token. */
  private renewal: Fiber.Fiber<void> | undefined

  constructor(core: Core, host: Host) {
    this.core = core
    this.host = host
    const { pollTimeout, queueRetention } = core.config
    this.rules = { retention: Duration.toMillis(queueRetention), patience: Duration.toMillis(pollTimeout) }
    this.loop = this.loopFrom(core.settings.from)
  }

  /** The cursor of the next poll. Undefined before the first handshake. */
  get place(): Cursor | undefined {
    return this.loop.state.facts.cursor
  }

  /** Whether a reader that got `Interrupted` gets `Reconnected` later. */
  isDown(lane: Lane): boolean {
    return this.loop.state.facts.link._tag !== "Up" || lane.isDown
  }

  get isEmpty(): boolean {
    return this.names.size === 0
  }

  get readers(): ReadonlySet<Reader> {
    return new Set([...this.lanes.values()].flatMap(({ readers }) => [...readers.keys()]))
  }

  // --- names

  /** Keeps room for a name that a reader is about to join. */
  reserve(key: Key): void {
    if (this.names.has(key)) return
    this.names.set(key, 0)
    this.size += sizeOf(key)
  }

  /** Adds names of a reader to this connection. */
  join(reader: Reader, keys: ReadonlyArray<Key>): void {
    const lane = this.laneOf(reader)
    for (const key of keys) this.names.set(key, (this.names.get(key) ?? 0) + 1)
    this.current = undefined
    lane.join(reader)
    if (this.place !== undefined && keys.some((key) => this.known.has(key))) lane.begin(undefined, this.place)
    for (const key of keys) {
      const known = this.known.get(key)
      // During a gap the position of the lane is before that of the name's handshake.
      if (known !== undefined && lane.front !== undefined) reader.begin(key, newer(lane.front, known))
    }
    this.changed()
  }

  leave(reader: Reader, keys: ReadonlyArray<Key>): void {
    for (const key of keys) {
      const count = (this.names.get(key) ?? 0) - 1
      if (count > 0) this.names.set(key, count)
      else if (this.names.delete(key)) this.size -= sizeOf(key)
    }
    this.current = undefined
    const lane = this.laneOf(reader)
    if (reader.keys.some((key) => this.names.has(key))) lane.join(reader)
    else lane.leave(reader)
    this.settle(lane)
    this.changed()
  }

  /** Removes a reader from this connection. */
  forget(reader: Reader): void {
    const lane = this.lanes.get(reader.options.within)
    if (lane === undefined) return
    lane.leave(reader)
    this.settle(lane)
  }

  /** Stops and removes a lane without readers. */
  private settle(lane: Lane): void {
    if (lane.readers.size > 0) return
    lane.stop()
    this.lanes.delete(lane.within)
  }

  /** Whether a reader or the poll has a name: a reader that left and returns also gets the pages that wait behind a gap. */
  private readonly isName = (name: string): boolean =>
    haveName(this.names, name) || this.asked?.channels.includes(name) === true ||
    this.asked?.groups.includes(name) === true

  has(key: Key): boolean {
    return this.names.has(key)
  }

  private laneOf({ options: { within } }: Reader): Lane {
    const found = this.lanes.get(within)
    if (found !== undefined) return found
    const lane = new Lane(this.core, {
      names: () => this.asked ?? namesOf(this.names.keys()),
      keysOf: ({ keys }) => keys.filter((key) => this.names.has(key)),
      size: () => this.names.size,
      failed: (lane, error) => this.end([...lane.readers.keys()], error, false),
      missed: () => {
        this.missing = true
      },
      broken: (defect) => this.broken(defect)
    }, within)
    this.lanes.set(within, lane)
    return lane
  }

  private targetOf(names: Iterable<Key>): Target {
    const { filter, state } = this.core.settings
    const keys = [...names]
    return { ...namesOf(keys), keys, filter, state }
  }

  /** Handles changed names. Further changes soon after cause no second handshake. */
  private changed(): void {
    const { gathered } = this.core.settings
    // With a connection of its own, a reader has no names but its first.
    if (gathered === 0 && !this.isEmpty) {
      if (!this.loop.isRunning) this.loop.start()
      return
    }
    if (this.isGathering) return
    this.isGathering = true
    // The first names do not wait for others.
    this.run(Effect.andThen(
      this.loop.isRunning ? Effect.sleep(gathered) : Effect.yieldNow,
      Effect.suspend(() => {
        this.isGathering = false
        if (this.isEmpty) return this.close
        // It may run without names since `switchOn`, and wait for some.
        if (this.loop.isRunning) this.loop.wake()
        else this.loop.start()
        return this.applied
      })
    ))
  }

  /** The request for the current names. */
  private get target(): Target {
    return this.current ??= this.targetOf(this.names.keys())
  }

  /** Whether the last handshake had other names. */
  private get isStale(): boolean {
    const { asking, target } = this
    if (asking === undefined || asking === target) return false
    if (!isSame(asking, target)) return true
    this.current = asking
    return false
  }

  private get debounce(): number {
    const rest = this.debounceUntil - this.core.clock.currentTimeMillisUnsafe()
    // The wall clock may have been set back.
    return rest > 0 && rest <= longestDebounce ? rest : 0
  }

  /** Starts a handshake for the current names, if there are other names and no handshake came shortly before. */
  private readonly applied: Effect.Effect<void> = Effect.suspend(() => {
    if (!this.isStale) return Effect.void
    const { debounce } = this
    if (debounce > 0) return Effect.andThen(Effect.sleep(debounce), this.applied)
    this.loop.signal({ _tag: "Renamed", at: PollLoop.moment(this.core.clock) })
    this.loop.wake()
    return Effect.void
  })

  /** Leaves names that no reader has any more. */
  private sendLeave(keys: ReadonlyArray<Key>): Effect.Effect<void, never, HttpClient.HttpClient> {
    const kept = new Set(keys)
    const gone = this.announced.filter((key) => !kept.has(key))
    for (const key of gone) this.known.delete(key)
    this.announced = keys
    const { config } = this.core
    return config.sendLeave && gone.length > 0
      ? Effect.asVoid(Effect.timeoutOption(Subscribe.leave(config, this.targetOf(gone)), "1 second"))
      : Effect.void
  }

  // --- the loop

  private loopFrom(from: Cursor | undefined): Loop {
    const { clock, config, fork, settings } = this.core
    const start = from === undefined ? undefined : { ...withoutHole(from), delivered: [] }
    return new PollLoop.PollLoop(
      {
        rules: this.rules,
        handshake: (standing) => this.handshake(standing),
        poll: (from) => this.poll(from),
        schedule: settings.schedule,
        unfinished: new PubNubError.Timeout({ after: config.pollTimeout }),
        isDenied: (reason) => reason._tag === "AccessDenied",
        renewed: (refusal) => Effect.suspend(() => Token.replaced(config, this.token, refusal)),
        next: () => this.next(),
        tell: (told) => this.tell(told),
        broken: (defect) => this.broken(defect)
      },
      clock,
      fork,
      LongPoll.start<Cursor, PubNubError.Reason>(
        start,
        PollLoop.moment(clock),
        from === undefined ? undefined : ClockCheck.millisOf(from.position),
        from?.hole !== undefined
      )
    )
  }

  /** What to do next while no request is in flight. */
  private next(): "Wanted" | "Renamed" | undefined {
    if (this.isEmpty) return undefined
    // Compares the names last: that sorts all of them, and each reader that leaves gets here.
    if (!this.isGathering && this.debounce === 0 && this.isStale) return "Renamed"
    // The handshake does not depend on demand.
    if (this.asked === undefined) return "Wanted"
    let isOpen = false
    for (const lane of this.lanes.values()) {
      if (lane.isHeldBack || !lane.hasRoom) return undefined
      isOpen ||= lane.isOpen
    }
    // Polls while a gap is filled. Otherwise the next gap would follow at once.
    return isOpen || this.core.settings.demand === "ahead" || this.core.waiting > 0 ? "Wanted" : undefined
  }

  wake(): void {
    if (this.next() !== undefined) this.loop.wake()
    for (const lane of this.lanes.values()) lane.wake()
  }

  private handshake(
    standing: Cursor | undefined
  ): Effect.Effect<PollLoop.Answered<Cursor>, PubNubError.Reason, HttpClient.HttpClient> {
    return Effect.gen({ self: this }, function*() {
      const { clock, config, history, settings: { gathered } } = this.core
      // Without names it is closed soon, unless a reader joins before.
      while (this.isEmpty) yield* Effect.sleep(gathered + 1)
      const asked = this.target
      const askedAt = clock.currentTimeMillisUnsafe()
      this.asking = asked
      this.run(this.sendLeave(asked.keys))
      const request = Subscribe.handshake(config, asked)
      const begun = standing?.position ?? this.newestBegin
      const isBelieved = ({ position }: Subscribe.Page) =>
        this.witness.handshake(position, clock.currentTimeMillisUnsafe(), begun).believed
          ? Effect.map(this.isWrong(position, begun), (isWrong) => !isWrong)
          : Effect.succeed(false)
      const ask = this.call((config) => Endpoint.send(config, request))
      let page = yield* ask
      for (let times = 1; !(yield* isBelieved(page)); times++) {
        if (times === 3) return yield* Effect.fail(Subscribe.doubtful(page.position))
        page = yield* ask
      }
      const answeredAt = clock.currentTimeMillisUnsafe()
      const servedAt = ClockCheck.millisOf(page.position)
      history.knowledge.setTime(servedAt)
      this.debounceUntil = answeredAt + Math.min(longestDebounce, 2 * (answeredAt - askedAt))
      const now = Subscribe.cursorOf(page)
      const isLost = standing !== undefined && isAhead(standing, now.position) &&
        (yield* this.isAheadOfService(standing.position)) === true
      const before = this.asked
      this.asked = asked
      const cursor = this.standsAt(standing, now, isLost)
      this.proven = now
      this.reached = cursor.position
      this.answered(cursor, now)
      if (before !== undefined && !isSame(before, asked)) {
        const { channels, groups } = asked
        this.core.publish({ _tag: "ChannelsChanged", cursor, channels, groups })
      }
      if (this.isStale) this.changed()
      const { missing } = this
      this.missing = false
      return { cursor, now, servedAt, missing }
    })
  }

  /**
   * Whether the service's time contradicts the position of a handshake. From a position in the future no event would arrive until then,
   * and one far behind the reader would repeat messages. The service is asked for its time only if the position is later than the clocks
   * say, or so far behind.
   */
  private isWrong(position: string, begun: string | undefined): Effect.Effect<boolean, never, HttpClient.HttpClient> {
    const { clock, history } = this.core
    if (begun !== undefined && ClockCheck.isFurtherBack(position, begun)) {
      return Effect.map(this.isAheadOfService(begun), (isOfFuture) => isOfFuture === false)
    }
    const latest = Math.max(ClockCheck.millisOf(history.knowledge.latest()), clock.currentTimeMillisUnsafe())
    return ClockCheck.millisOf(position) <= latest
      ? Effect.succeed(false)
      : Effect.map(this.isAheadOfService(position), (isOfFuture) => isOfFuture === true)
  }

  /** Whether the service says a time before this position. Undefined if it says none: then the handshake counts. */
  private isAheadOfService(position: string): Effect.Effect<boolean | undefined, never, HttpClient.HttpClient> {
    return Effect.match(Endpoint.send(this.core.config, Time.endpoint()), {
      onFailure: () => undefined,
      onSuccess: (time) => {
        const isOfFuture = isAhead({ position, delivered: [] }, time)
        // It has believed the position.
        if (isOfFuture) this.witness = ClockCheck.makeWitness()
        return isOfFuture
      }
    })
  }

  /** The latest start of readers that resume. The service's time is not before it. */
  private get newestBegin(): string | undefined {
    let newest: string | undefined
    for (const { options: { from } } of this.readers) {
      if (from !== undefined && (newest === undefined || from.position > newest)) newest = from.position
    }
    return newest
  }

  /** The cursor of the next poll after a handshake. */
  private standsAt(standing: Cursor | undefined, now: Cursor, isLost: boolean): Cursor {
    if (standing === undefined) return now
    const isFirst = this.loop.state.facts.link._tag === "New"
    // From a position in the future no event would arrive until then. If it is slightly ahead, both the service and this machine's
    // clock must say so. If it is far ahead, three answers in a row have said so.
    const clock = String(BigInt(Math.floor(this.core.clock.currentTimeMillisUnsafe())) * 10_000n)
    const isFuture = isAhead(standing, now.position) &&
      (isAhead(standing, clock) || ClockCheck.isFurtherBack(now.position, standing.position))
    // Answers may each be a little ahead, so that each was believed.
    if (isLost || isFirst && isFuture) {
      for (const lane of this.lanes.values()) lane.moveTo(now, isFirst ? undefined : this.proven)
      this.doubted = { _tag: "CursorDoubted", kept: now, doubted: standing.position }
      return now
    }
    return standing.region === undefined && now.region !== undefined ? { ...standing, region: now.region } : standing
  }

  /** Begins the new names after a handshake: their readers get later events. */
  private answered(cursor: Cursor, now: Cursor): void {
    const { config, settings } = this.core
    for (const lane of this.lanes.values()) {
      const from = this.doubted === undefined ? settings.from : undefined
      lane.begin(from === undefined ? undefined : notAfter(from, newer(cursor, now)), cursor)
      if (now.region !== undefined) lane.setRegion(now.region)
    }
    const fresh = (this.asked?.keys ?? []).filter((key) => !this.known.has(key) && this.names.has(key))
    for (const key of fresh) this.known.set(key, newer(cursor, now))
    for (const lane of this.lanes.values()) {
      // The position of the answer may be before that of the poll: it is wrong, or of a region that is behind.
      const from = [cursor, lane.front ?? now].reduce(newer, now)
      for (const key of fresh) for (const reader of lane.hearing(nameOf(key))) reader.begin(key, from)
    }
    if (this.doubted !== undefined) this.tellAll(this.doubted)
    this.doubted = undefined
    this.heartbeat ??= Heartbeat.isOn(config)
      ? this.run(Heartbeat.run(config, () => this.targetOf(this.announced)))
      : undefined
  }

  private poll(
    from: Cursor
  ): Effect.Effect<PollLoop.Polled<Cursor>, PubNubError.Reason, HttpClient.HttpClient> {
    return Effect.suspend(() => {
      const { clock, history } = this.core
      const sentAt = PollLoop.moment(clock)
      const send = this.sendPoll
      return Effect.matchEffect(this.call((config) => send(config, from)), {
        onFailure: (reason) =>
          reason._tag === "Malformed" && reason.limit !== undefined
            ? this.stepOver(from, sentAt)
            : Effect.fail(reason),
        onSuccess: (answer) => {
          if (Subscribe.isOverfull(answer)) return this.stepOver(from, sentAt)
          const at = PollLoop.moment(clock)
          // A poll that is cut meanwhile has changed nothing, and the next one gets the same messages.
          const opened = Arrival.openAll(history.encryption, answer.messages.map(Arrival.read))
          return Effect.flatMapEager(opened, (arrivals) => this.received(from, answer, arrivals, sentAt, at))
        }
      })
    })
  }

  /**
   * Goes on from now after a page that is larger than `maxAnswerSize`, or has too many events: the service would send the same page again, for ever. History
   * has its messages in smaller pages.
   */
  private stepOver(
    from: Cursor,
    sentAt: LongPoll.Moment
  ): Effect.Effect<PollLoop.Polled<Cursor>, PubNubError.Reason, HttpClient.HttpClient> {
    const { clock, history } = this.core
    const target = { ...this.asked ?? this.target, state: undefined }
    return Effect.flatMap(
      this.call((config) => Endpoint.send(config, Subscribe.handshake(config, target))),
      ({ position, region }): Effect.Effect<PollLoop.Polled<Cursor>, PubNubError.Reason> => {
        const at = PollLoop.moment(clock)
        const next = Subscribe.cursorOf({ position, region })
        if (position <= from.position || !this.witness.handshake(position, at.wall, from.position).believed) {
          return Effect.fail(Subscribe.doubtful(position))
        }
        const servedAt = ClockCheck.millisOf(position)
        history.knowledge.atLeast(servedAt)
        if (position > this.reached) this.reached = position
        this.brokenBefore = next
        for (const lane of this.lanes.values()) lane.missed(from, next, true)
        return Effect.succeed({ next, servedAt, soon: LongPoll.elapsed(sentAt, at) < 1_000, fresh: false })
      }
    )
  }

  /** Gives a page to the lanes. */
  private received(
    from: Cursor,
    answer: Subscribe.Page,
    opened: ReadonlyArray<Arrival.Arrival>,
    sentAt: LongPoll.Moment,
    at: LongPoll.Moment
  ): Effect.Effect<PollLoop.Polled<Cursor>, PubNubError.Reason> {
    const { history } = this.core
    const latest = Math.max(ClockCheck.millisOf(history.knowledge.latest()), at.wall)
    const { believed, doubtsBefore } = this.witness.poll(answer.position, at.wall, from.position, latest)
    this.missing = false
    const soon = LongPoll.elapsed(sentAt, at) < 1_000
    if (!believed) {
      // The first doubt is a status. The next ones are failures, so that the schedule delays further polls.
      if (doubtsBefore > 0) return Effect.fail(Subscribe.doubtful(answer.position))
      this.tellEach((lane) => ({ _tag: "CursorDoubted", kept: lane?.place ?? from, doubted: answer.position }))
      // Messages may be missing before the page, and it does not say up to where. So the page is left to the next poll.
      return Effect.succeed({ next: from, servedAt: undefined, soon, fresh: false })
    }
    const next = Subscribe.cursorOf(answer)
    let last: string | undefined
    // Events in a row mostly have the same name.
    const isName = (name: string): boolean => {
      if (name === last) return true
      if (!this.isName(name)) return false
      last = name
      return true
    }
    const arrivals = opened.map((arrival) => Arrival.byKnownName(arrival, isName, () => this.asked ?? this.target))
    const page: Page = {
      arrivals,
      lateBy: lateBy(arrivals, from, next),
      next,
      size: Math.max(answer.size, leastSize * arrivals.length)
    }
    const moved = next.position > this.reached
    if (moved) this.reached = next.position
    const servedAt = ClockCheck.millisOf(next.position)
    history.knowledge.atLeast(servedAt)
    // Messages of a break come before those of the page that shows it.
    if (LongPoll.isBehindBreak(this.rules, this.loop.state.facts, servedAt, at)) {
      this.brokenBefore = next
      for (const lane of this.lanes.values()) lane.missed(from, next)
    }
    let fresh = false
    for (const lane of this.lanes.values()) fresh = lane.receive(page, moved) || fresh
    return Effect.succeed({ next, servedAt, soon, fresh })
  }

  private readonly arrived = (): void => this.loop.arrived()

  private get sendPoll(): Subscribe.Poll {
    const target = this.asked ?? this.target
    if (this.polls?.target !== target) {
      this.polls = { target, send: Subscribe.poll(this.core.config, target, this.arrived) }
    }
    return this.polls.send
  }

  /** Makes a request of the loop with the current token. */
  private call<A>(
    send: (config: PubNubConfig["Service"]) => Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>
  ): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> {
    const { config } = this.core
    return Effect.flatMapEager(Token.current(config), (token) => {
      this.token = token
      return send(Token.pinned(config, token))
    })
  }

  /** Waits for a new token, which ends the pause after a refusal. */
  private awaitRenewal(): void {
    if (this.renewal !== undefined) return
    const renewed = Effect.sync(() => {
      this.renewal = undefined
      this.loop.signal({ _tag: "Renewed" })
    })
    const change = Token.onChange(this.core.config, () => this.token, renewed)
    if (change !== undefined) this.renewal = this.run(Effect.andThen(Effect.yieldNow, change))
  }

  private tell(told: PollLoop.Told<Cursor, PubNubError.Reason>): void {
    switch (told._tag) {
      case "TellConnected": {
        const { channels, groups } = this.asked ?? namesOf([])
        this.core.publish({ _tag: "Connected", cursor: told.cursor, channels, groups })
        this.run(debug(() => [`Subscribe.poll connected at ${told.cursor.position}`]))
        // Only readers that got `Interrupted` emit it.
        for (const lane of this.lanes.values()) {
          lane.tell({ _tag: "Reconnected", cursor: lane.place ?? told.cursor, downFor: Duration.zero })
        }
        break
      }
      case "TellReconnected":
        this.tellEach((lane) => ({
          _tag: "Reconnected",
          cursor: lane?.place ?? told.cursor,
          downFor: Duration.millis(told.downFor)
        }))
        break
      case "TellInterrupted": {
        this.known.clear()
        const { attempt, failure: reason, retryIn } = told
        this.run(
          debug(() => [`Subscribe.poll interrupted, attempt ${attempt}, again in ${Math.ceil(retryIn)} ms`, reason])
        )
        if (reason._tag === "AccessDenied") this.awaitRenewal()
        this.tellEach((lane) => {
          const cursor = this.placeOf(lane)
          return {
            _tag: "Interrupted",
            reason,
            ...cursor === undefined ? {} : { cursor },
            attempt,
            retryIn: Duration.millis(retryIn)
          }
        })
        break
      }
      case "TellBreak":
        if (told.to === this.brokenBefore) break
        for (const lane of this.lanes.values()) lane.missed(told.from, told.to)
        break
      case "End":
        this.ended(told.failure, told.attempts)
    }
  }

  /** Emits a status to all lanes, each with its own position. */
  private tellEach(status: (lane: Lane | undefined) => SubscribeStatus.Status): void {
    const [first] = this.lanes.values()
    this.core.publish(status(first))
    for (const lane of this.lanes.values()) lane.tell(status(lane))
  }

  private tellAll(status: SubscribeStatus.Status): void {
    this.core.publish(status)
    for (const lane of this.lanes.values()) lane.tell(status)
  }

  // --- the end

  /** Ends readers after a schedule has ended. A refusal ends only the readers of the refused names. */
  private ended(failure: PubNubError.Reason, attempts: number): void {
    const error = toError(failure, attempts, this.furthest)
    const refused = failure._tag === "AccessDenied" ? refusedBy(failure) : new Set<Key>()
    const concerned = [...this.readers].filter(({ keys }) => keys.some((key) => refused.has(key)))
    // The readers of the refused names may have left meanwhile.
    const isOver = concerned.length === 0 &&
      [...refused].some((key) => this.announced.includes(key) && !this.names.has(key))
    const readers = isOver ? [] : concerned.length > 0 ? concerned : [...this.readers]
    this.end(readers, error)
  }

  /** Ends all readers after code threw. */
  readonly broken = (defect: unknown): void => {
    const error = Defects.toError(this.core.config, defect, this.furthest)
    const { cursor } = error
    this.core.publish({
      _tag: "Disconnected",
      reason: Defects.told(error.reason),
      ...cursor === undefined ? {} : { cursor }
    })
    this.end([...this.readers], error)
  }

  /** The earliest position of all lanes. */
  private get furthest(): Cursor | undefined {
    const places = Array.from(this.lanes.values(), (lane) => this.placeOf(lane))
    return places.reduce(
      (one, place) => one === undefined || place !== undefined && place.position < one.position ? place : one,
      this.lanes.size === 0 ? this.place : undefined
    )
  }

  /** The cursor of a lane. Before it has begun this is its start. */
  private placeOf(lane: Lane | undefined): Cursor | undefined {
    return lane?.place ?? this.core.settings.from ?? this.place
  }

  private end(readers: ReadonlyArray<Reader>, error: SubscribeError, hasStopped = true): void {
    const ends = readers.map((reader) => {
      const { cursor } = error
      const place = this.lanes.get(reader.options.within)?.placeOf(reader) ?? cursor
      // Another connection of the reader may be further back.
      return [reader, place === undefined ? error : Defects.at(error, reader.places.reduce(older, place))] as const
    })
    for (const reader of readers) this.host.leave(reader)
    if (hasStopped) this.restart()
    for (const [reader, error] of ends) reader.fail(error)
  }

  /** Continues for the remaining readers, and for those that join before it is closed. */
  private restart(): void {
    const { loop, place } = this
    loop.stop()
    this.known.clear()
    this.asked = undefined
    this.asking = undefined
    this.loop = this.loopFrom(place)
    if (loop.state._tag === "Off") this.loop.signal({ _tag: "SwitchedOff" })
    if (!this.isEmpty) this.loop.start()
  }

  /** Stops polling, and leaves all names. Keeps positions and names for `switchOn`. */
  switchOff(): void {
    this.loop.signal({ _tag: "SwitchedOff" })
    for (const lane of this.lanes.values()) lane.stop()
    this.stopHeartbeat()
    this.run(this.sendLeave([]))
    this.tellEach((lane) => {
      const cursor = this.placeOf(lane)
      return { _tag: "Disconnected", ...cursor === undefined ? {} : { cursor } }
    })
  }

  /** Polls again at once. */
  switchOn(): void {
    this.loop.signal({ _tag: "SwitchedOn" })
    for (const lane of this.lanes.values()) lane.start()
    if (!this.loop.isRunning) this.loop.start()
    this.loop.wake()
  }

  /** Stops all work, and leaves all names. */
  get close(): Effect.Effect<void, never, HttpClient.HttpClient> {
    return Effect.suspend(() => {
      this.loop.stop()
      for (const lane of this.lanes.values()) lane.stop()
      this.stopHeartbeat()
      this.renewal?.interruptUnsafe()
      this.renewal = undefined
      this.host.emptied(this)
      return this.sendLeave([])
    })
  }

  private stopHeartbeat(): void {
    this.heartbeat?.interruptUnsafe()
    this.heartbeat = undefined
  }

  /** Runs an effect. Its defect ends the readers, so that no fiber fails without notice. */
  private run(effect: Effect.Effect<void, never, HttpClient.HttpClient>): Fiber.Fiber<void> {
    return this.core.fork(Effect.catchDefect(effect, (defect) => Effect.sync(() => this.broken(defect))))
  }
}

/** How many characters a name takes in an address. */
export const sizeOf = (key: Key): number => Url.encode(nameOf(key)).length + 3
