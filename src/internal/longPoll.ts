/**
 * One long poll as a pure function: a state and an input give the next state and commands. It knows no Effect, no HTTP and no
 * message. It decides when to send a handshake, when to poll, when to pause and when to give up. It also decides which
 * statuses to emit, and whether there was a time without a poll.
 *
 * `C` is the service's cursor, `F` a failure of a request. Nothing here is mutable: `pollLoop.ts` runs it.
 */

/** One moment by this machine's two clocks, in milliseconds. The wall clock may be set back, the other one never goes back. */
export interface Moment {
  readonly wall: number
  readonly steady: number
}

/** Whether the service answers. `New`: it has not answered yet. `Down`: it has not answered after `since`. */
export type Link =
  | { readonly _tag: "New" }
  | { readonly _tag: "Up" }
  | { readonly _tag: "Down"; readonly since: Moment }

/** The facts that every state holds. */
export interface Facts<C> {
  /** Where the next poll starts. Undefined: at the service's current position. */
  readonly cursor: C | undefined
  readonly link: Link
  /** Until when a poll surely listened, by this machine's clocks. */
  readonly heardAt: Moment
  /** The service's time at `heardAt`, in milliseconds. It is not the time of the cursor, which is old on a quiet channel. */
  readonly servedAt: number | undefined
  /** The longest time without a poll since the last answer, in milliseconds. */
  readonly unheard: number
  /** How many failures there were in a row. */
  readonly attempts: number
  /**
   * Whether a new credential was tried at once in this row of failures. It is tried once: a service may refuse each new one. A poll
   * that did not fail ends the row, also if it was cut.
   */
  readonly renewed: boolean
  /** How many empty answers in a row came at once. */
  readonly emptyPages: number
  /**
   * How long the last polls were held until a proxy cut them, and how many there were, if their times were similar. `isProven`: a
   * poll was answered since, so these were no failures of all polls.
   */
  readonly cuts: { readonly held: number; readonly times: number; readonly isProven: boolean } | undefined
  /** Whether messages before the cursor are still to be read, whatever the clocks say. */
  readonly owing: boolean
}

/** Why a handshake is sent. */
export type Proof = "start" | "failure" | "silence" | "names" | "break"

export type State<C, F> =
  /** Nothing is in flight. Waits for a reader that wants more. */
  | { readonly _tag: "Ready"; readonly facts: Facts<C> }
  /** A handshake is in flight. */
  | { readonly _tag: "Proving"; readonly why: Proof; readonly facts: Facts<C> }
  /** A poll is in flight. It is cut after `patience` milliseconds without an answer. */
  | { readonly _tag: "Polling"; readonly sentAt: Moment; readonly patience: number; readonly facts: Facts<C> }
  /** The schedule of this failure decides. */
  | { readonly _tag: "Deciding"; readonly failure: F; readonly denied: boolean; readonly facts: Facts<C> }
  | { readonly _tag: "Pausing"; readonly why: "failure" | "denied" | "empty"; readonly facts: Facts<C> }
  /** Switched off by the caller. */
  | { readonly _tag: "Off"; readonly facts: Facts<C> }
  /** Given up. */
  | { readonly _tag: "Ended"; readonly facts: Facts<C> }

export type Input<C, F> =
  /** A reader wants the next events. */
  | { readonly _tag: "Wanted"; readonly at: Moment }
  /** The subscribed names have changed. */
  | { readonly _tag: "Renamed"; readonly at: Moment }
  /** A handshake was answered: the cursor for the next poll, the service's current position, and its time if the answer has it. */
  | {
    readonly _tag: "Answered"
    readonly cursor: C
    readonly now: C
    readonly servedAt: number | undefined
    /** Whether messages were missing at a break, and no poll was answered since. */
    readonly missing?: boolean
    readonly sentAt: Moment
    readonly at: Moment
  }
  /** A poll was answered. `soon`: it came at once, so the next poll waits unless the answer had `fresh` events. */
  | {
    readonly _tag: "Polled"
    readonly next: C
    readonly servedAt: number | undefined
    readonly soon: boolean
    readonly fresh: boolean
    readonly at: Moment
  }
  /** `renewed`: the refused credential has been replaced since the request was sent. */
  | {
    readonly _tag: "Failed"
    readonly failure: F
    readonly denied: boolean
    readonly renewed: boolean
    readonly at: Moment
  }
  /** The poll had no answer within its `patience`. */
  | { readonly _tag: "Silent"; readonly at: Moment }
  /** The schedule's decision. */
  | { readonly _tag: "Retry"; readonly millis: number }
  | { readonly _tag: "GaveUp" }
  /** A pause is over. */
  | { readonly _tag: "Woke"; readonly at: Moment }
  /** There is another credential. */
  | { readonly _tag: "Renewed" }
  | { readonly _tag: "SwitchedOff" }
  | { readonly _tag: "SwitchedOn" }

export type Command<C, F> =
  // --- work that starts: at most one command, the last of its list
  | { readonly _tag: "Handshake"; readonly why: Proof }
  | { readonly _tag: "Poll"; readonly from: C; readonly patience: number }
  | { readonly _tag: "Ask"; readonly failure: F }
  | { readonly _tag: "Pause"; readonly millis: number }
  // --- done at once
  /** Interrupts the work in flight. */
  | { readonly _tag: "Cut" }
  /** Starts all schedules again. */
  | { readonly _tag: "Forget" }
  | { readonly _tag: "TellConnected"; readonly cursor: C }
  | { readonly _tag: "TellReconnected"; readonly cursor: C; readonly downFor: number }
  | {
    readonly _tag: "TellInterrupted"
    readonly failure: F
    readonly cursor: C | undefined
    readonly attempt: number
    readonly retryIn: number
  }
  /** There was no poll for longer than the service keeps its queue: messages between the two positions may be missing. */
  | { readonly _tag: "TellBreak"; readonly from: C; readonly to: C }
  | { readonly _tag: "End"; readonly failure: F; readonly cursor: C | undefined; readonly attempts: number }

/** All in milliseconds. */
export interface Rules {
  /** How long the service keeps messages that no poll takes. */
  readonly retention: number
  /** How long a poll may wait for its answer. */
  readonly patience: number
}

export type Next<C, F> = readonly [State<C, F>, ReadonlyArray<Command<C, F>>]

/** A poll that was held for so long ends a row of failures, however it ended: the longest pause is no longer. */
export const held = 30_000

/** A proxy that cuts idle polls does not cut sooner. */
const shortestCut = 5_000

/** How much the times of two polls that one proxy cuts may differ, and how long before the cut a poll is renewed. */
const cutMargin = (held: number): number => Math.max(1_000, held * 0.04)

/** An answer that is later than the longest silence by more than this came before the machine slept. */
const lateness = 10_000

export const start = <C, F>(
  from: C | undefined,
  at: Moment,
  servedAt?: number,
  owing = false
): State<C, F> => ({
  _tag: "Ready",
  facts: {
    cursor: from,
    link: { _tag: "New" },
    heardAt: at,
    servedAt,
    unheard: 0,
    attempts: 0,
    renewed: false,
    emptyPages: 0,
    cuts: undefined,
    owing
  }
})

/** How much time passed, by the clock that shows more. */
export const elapsed = (from: Moment, to: Moment): number => Math.max(0, to.wall - from.wall, to.steady - from.steady)

export const step = <C, F>(rules: Rules, state: State<C, F>, input: Input<C, F>): Next<C, F> => {
  const { facts } = state
  const same: Next<C, F> = [state, []]
  if (state._tag === "Ended") return same
  if (input._tag === "SwitchedOff") {
    return state._tag === "Off" ? same : [{ _tag: "Off", facts: goDown(facts) }, [{ _tag: "Cut" }]]
  }
  switch (state._tag) {
    case "Off":
      return input._tag === "SwitchedOn" ? [{ _tag: "Ready", facts }, []] : same
    case "Ready":
      switch (input._tag) {
        case "Wanted":
          if (facts.link._tag !== "Up" || facts.cursor === undefined) return prove(facts, "start")
          return elapsed(facts.heardAt, input.at) > rules.retention
            ? prove(facts, "break")
            : poll(rules, facts, facts.cursor, input.at)
        case "Renamed":
          return prove(facts, facts.link._tag === "Up" ? "names" : "start")
        default:
          return same
      }
    case "Proving":
      switch (input._tag) {
        case "Answered":
          return answered(rules, facts, state.why, input)
        case "Failed":
          return failed(facts, input)
        // New names do not cut it: its answer is true for the names in it.
        default:
          return same
      }
    case "Polling":
      switch (input._tag) {
        case "Polled":
          return polled(rules, state, input)
        case "Failed": {
          const time = elapsed(state.sentAt, input.at)
          const [row, commands] = afterPoll<C, F>(facts, time)
          return failed({ ...row, cuts: input.denied ? row.cuts : cutAgain(row.cuts, time) }, input, commands)
        }
        case "Silent":
          return prove({ ...facts, renewed: false, heardAt: heardUntil(rules, state) }, "silence", [{ _tag: "Cut" }])
        case "Renamed": {
          const [row, commands] = afterPoll<C, F>(facts, elapsed(state.sentAt, input.at))
          const known = { ...row, renewed: false, heardAt: heardUntil(rules, state) }
          return prove(known, "names", [{ _tag: "Cut" }, ...commands])
        }
        default:
          return same
      }
    case "Deciding":
      switch (input._tag) {
        case "Retry": {
          const { failure } = state
          const { attempts: attempt, cursor } = facts
          return [{ _tag: "Pausing", why: state.denied ? "denied" : "failure", facts }, [
            { _tag: "TellInterrupted", failure, cursor, attempt, retryIn: input.millis },
            { _tag: "Pause", millis: input.millis }
          ]]
        }
        case "GaveUp": {
          const { attempts, cursor } = facts
          return [{ _tag: "Ended", facts }, [{ _tag: "End", failure: state.failure, cursor, attempts }]]
        }
        default:
          return same
      }
    case "Pausing":
      switch (input._tag) {
        case "Woke":
          return state.why === "empty" ? [{ _tag: "Ready", facts }, []] : prove(facts, "failure")
        case "SwitchedOn":
          return prove(facts, "failure", [{ _tag: "Cut" }])
        case "Renewed":
          return state.why === "denied" && !facts.renewed
            ? prove({ ...facts, attempts: 0, renewed: true }, "failure", [{ _tag: "Cut" }, { _tag: "Forget" }])
            : same
        case "Renamed":
          // After a failure, the next handshake has the new names anyway.
          return state.why === "empty" ? prove(facts, "names", [{ _tag: "Cut" }]) : same
        default:
          return same
      }
  }
}

const prove = <C, F>(facts: Facts<C>, why: Proof, first: ReadonlyArray<Command<C, F>> = []): Next<C, F> => [
  { _tag: "Proving", why, facts },
  [...first, { _tag: "Handshake", why }]
]

const poll = <C, F>(rules: Rules, facts: Facts<C>, from: C, at: Moment): Next<C, F> => {
  const unheard = Math.max(facts.unheard, elapsed(facts.heardAt, at))
  const patience = patienceOf(rules, facts)
  return [{ _tag: "Polling", sentAt: at, patience, facts: { ...facts, unheard } }, [{ _tag: "Poll", from, patience }]]
}

/** A proxy that cuts idle polls will do so again, so polls are renewed just before. */
const patienceOf = (rules: Rules, { cuts }: Facts<unknown>): number =>
  cuts === undefined || cuts.times < 2
    ? rules.patience
    : Math.min(rules.patience, cuts.held - cutMargin(cuts.held))

/**
 * Whether a silent poll counts as listening. If polls are renewed and none was answered since the cuts, perhaps no proxy cut them:
 * all polls fail after the same time.
 */
const isListening = (rules: Rules, facts: Facts<unknown>): boolean =>
  facts.cuts?.isProven === true || patienceOf(rules, facts) === rules.patience

/** `heardAt` after a poll without an answer. It is not the end of the silence: the connection may have been dead from its start. */
const heardUntil = (
  rules: Rules,
  { facts, sentAt }: Extract<State<unknown, unknown>, { readonly _tag: "Polling" }>
): Moment => isListening(rules, facts) ? later(facts.heardAt, sentAt) : facts.heardAt

/** The facts after a poll without an answer, which ends a row of failures if it was held for long. */
const afterPoll = <C, F>(facts: Facts<C>, time: number): readonly [Facts<C>, ReadonlyArray<Command<C, F>>] =>
  time < held
    ? [facts, []]
    : [{ ...facts, attempts: 0, renewed: false }, facts.attempts > 0 ? [{ _tag: "Forget" }] : []]

const polled = <C, F>(
  rules: Rules,
  { facts, patience, sentAt }: Extract<State<C, F>, { readonly _tag: "Polling" }>,
  input: Extract<Input<C, F>, { readonly _tag: "Polled" }>
): Next<C, F> => {
  const { at, fresh, next, servedAt, soon } = input
  const late = elapsed(sentAt, at) > patience + lateness
  const emptyPages = soon && !fresh ? facts.emptyPages + 1 : 0
  const isBreak = isBehindBreak(rules, facts, servedAt, at)
  // Empty answers that come at once prove nothing: they may be a proxy's.
  const proven = emptyPages < 2
  const commands: Array<Command<C, F>> = proven && facts.attempts > 0 ? [{ _tag: "Forget" }] : []
  if (isBreak && facts.cursor !== undefined) commands.push({ _tag: "TellBreak", from: facts.cursor, to: next })
  const known: Facts<C> = {
    ...facts,
    cursor: next,
    link: { _tag: "Up" },
    // An answer later than any timer allows came before the machine slept, and says nothing about the time since.
    heardAt: late ? sentAt : at,
    // An old page says nothing about the current time.
    servedAt: servedAt === undefined ? facts.servedAt : Math.max(servedAt, facts.servedAt ?? 0),
    unheard: 0,
    attempts: proven ? 0 : facts.attempts,
    renewed: !proven && facts.renewed,
    emptyPages,
    cuts: proven && facts.cuts !== undefined ? { ...facts.cuts, isProven: true } : facts.cuts
  }
  return proven
    ? [{ _tag: "Ready", facts: known }, commands]
    : [
      { _tag: "Pausing", why: "empty", facts: known },
      [...commands, { _tag: "Pause", millis: Math.min(500 * 2 ** (emptyPages - 2), 30_000) }]
    ]
}

/**
 * Whether a page came after a break that only the service's clock shows: the machine slept, and its clock was set back, or a
 * handshake gave an early time.
 */
export const isBehindBreak = <C>(rules: Rules, facts: Facts<C>, servedAt: number | undefined, at: Moment): boolean =>
  facts.cursor !== undefined && facts.servedAt !== undefined && servedAt !== undefined &&
  servedAt - facts.servedAt - elapsed(facts.heardAt, at) > rules.retention

const later = (one: Moment, other: Moment): Moment => one.steady > other.steady ? one : other

const goDown = <C>(facts: Facts<C>): Facts<C> =>
  facts.link._tag === "Up" ? { ...facts, link: { _tag: "Down", since: facts.heardAt } } : facts

const cutAgain = (cuts: Facts<unknown>["cuts"], time: number): Facts<unknown>["cuts"] => {
  if (time < shortestCut) return cuts
  return cuts !== undefined && Math.abs(cuts.held - time) <= cutMargin(time)
    ? { held: Math.min(cuts.held, time), times: cuts.times + 1, isProven: false }
    : { held: time, times: 1, isProven: false }
}

const failed = <C, F>(
  facts: Facts<C>,
  { denied, failure, renewed }: Extract<Input<C, F>, { readonly _tag: "Failed" }>,
  first: ReadonlyArray<Command<C, F>> = []
): Next<C, F> => {
  // The failure does not count: the new credential is tried at once.
  if (renewed && denied && !facts.renewed) return prove({ ...facts, renewed: true }, "failure", first)
  const next = { ...goDown(facts), attempts: facts.attempts + 1 }
  return [{ _tag: "Deciding", failure, denied, facts: next }, [...first, { _tag: "Ask", failure }]]
}

/** Three clocks say how long there was no poll, and the longest time counts. The service's clock does not depend on this machine. */
const answered = <C, F>(
  rules: Rules,
  facts: Facts<C>,
  why: Proof,
  { at, cursor, missing = false, now, sentAt, servedAt }: Extract<Input<C, F>, { readonly _tag: "Answered" }>
): Next<C, F> => {
  const isSilence = why === "silence"
  const byService = facts.servedAt === undefined || servedAt === undefined ? 0 : servedAt - facts.servedAt
  const byMachine = facts.link._tag === "New" ? 0 : Math.max(facts.unheard, elapsed(facts.heardAt, at))
  // A silent poll counts as listening for its whole patience.
  const wasListening = isSilence && isListening(rules, facts)
  const listened = wasListening ? rules.patience : 0
  const isBreak = facts.owing || byService - listened > rules.retention || byMachine > rules.retention
  const commands: Array<Command<C, F>> = []
  if (facts.link._tag === "New") commands.push({ _tag: "TellConnected", cursor })
  if (facts.link._tag === "Down") {
    commands.push({ _tag: "TellReconnected", cursor, downFor: elapsed(facts.link.since, at) })
  }
  // A poll was held for its whole time, and the service answers: that ends a row of failures.
  const isQuiet = isSilence && facts.attempts > 0
  if (isQuiet) commands.push({ _tag: "Forget" })
  if (isBreak) commands.push({ _tag: "TellBreak", from: cursor, to: now })
  return [{
    _tag: "Ready",
    facts: {
      ...facts,
      cursor,
      link: { _tag: "Up" },
      attempts: isSilence ? 0 : facts.attempts,
      // There were messages, so these polls were not idle: no proxy cut them.
      cuts: missing && facts.cuts?.isProven === false ? undefined : facts.cuts,
      owing: false,
      unheard: isBreak ? 0 : facts.unheard,
      // The cursor may be old, but a poll was listening after it, or its gap is being read. `sentAt`, because the machine may
      // have slept between the answer and reading it.
      heardAt: isBreak || facts.link._tag === "New" ? sentAt : facts.heardAt,
      servedAt: isBreak || wasListening || facts.servedAt === undefined ? servedAt ?? facts.servedAt : facts.servedAt
    }
  }, commands]
}
