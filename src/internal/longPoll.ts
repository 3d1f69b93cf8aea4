/**
 * One long poll as a pure function: a state and an input give the next state and what to do. It knows no Effect, no HTTP
 * and no message. It decides when the connection is proved, when it is polled, when it pauses and when it gives up; what
 * is told of it; and whether time passed in which nobody listened.
 *
 * `C` is the service's cursor, `F` a failure of a request. Nothing here is mutable: `pollLoop.ts` runs it.
 */

/** One moment by this machine's two clocks, in milliseconds. The wall clock may be set, the other only goes on. */
export interface Moment {
  readonly wall: number
  readonly steady: number
}

/** Whether the service is there. `New`: it has not answered yet. `Down`: it was there until `since`. */
export type Link =
  | { readonly _tag: "New" }
  | { readonly _tag: "Up" }
  | { readonly _tag: "Down"; readonly since: Moment }

/** What is known in every state. */
export interface Facts<C> {
  /** Where the next poll asks from. None: where the service stands then. */
  readonly cursor: C | undefined
  readonly link: Link
  /** Until when somebody surely listened, by this machine. */
  readonly heardAt: Moment
  /** The service's own time then, in milliseconds. Not that of the cursor, which is old on a quiet channel. */
  readonly servedAt: number | undefined
  /** The longest time since the last answer in which nobody listened, in milliseconds. */
  readonly unheard: number
  /** How many failures are in this row. */
  readonly attempts: number
  /** Another credential was tried at once in this row: so a service that refuses each new one is not asked without end. */
  readonly renewed: boolean
  /** How many answers in a row came at once and brought nothing. */
  readonly barren: number
  /** How long the last polls were held that something between here and the service cut, if they were like each other. */
  readonly cuts: { readonly held: number; readonly times: number } | undefined
  /** Something before the cursor is still to be made up for, whatever the clocks say. */
  readonly owing: boolean
}

/** Why a handshake is made. */
export type Proof = "start" | "failure" | "silence" | "names" | "break"

export type State<C, F> =
  /** Nothing is in flight: it goes on when somebody wants more. */
  | { readonly _tag: "Ready"; readonly facts: Facts<C> }
  /** A handshake is out. */
  | { readonly _tag: "Proving"; readonly why: Proof; readonly facts: Facts<C> }
  /** A poll is out. It is cut when it was silent for `patience` milliseconds. */
  | { readonly _tag: "Polling"; readonly sentAt: Moment; readonly patience: number; readonly facts: Facts<C> }
  /** The schedule of this failure is asked. */
  | { readonly _tag: "Deciding"; readonly failure: F; readonly denied: boolean; readonly facts: Facts<C> }
  | { readonly _tag: "Pausing"; readonly why: "failure" | "denied" | "barren"; readonly facts: Facts<C> }
  /** Switched off by the caller. */
  | { readonly _tag: "Off"; readonly facts: Facts<C> }
  /** Given up. */
  | { readonly _tag: "Ended"; readonly facts: Facts<C> }

export type Input<C, F> =
  /** Somebody wants what comes next. */
  | { readonly _tag: "Wanted"; readonly at: Moment }
  /** What is asked for has changed. */
  | { readonly _tag: "Renamed"; readonly at: Moment }
  /** A handshake was answered: where to poll from, where the service stands, and its time, if it tells. */
  | {
    readonly _tag: "Stood"
    readonly cursor: C
    readonly now: C
    readonly servedAt: number | undefined
    readonly sentAt: Moment
    readonly at: Moment
  }
  /** A poll was answered. `soon`: too soon for another to be sent at once, unless something was `fresh`. */
  | {
    readonly _tag: "Polled"
    readonly next: C
    readonly servedAt: number | undefined
    readonly soon: boolean
    readonly fresh: boolean
    readonly at: Moment
  }
  /** `renewed`: it was refused for a credential that has been replaced since it was sent. */
  | {
    readonly _tag: "Failed"
    readonly failure: F
    readonly denied: boolean
    readonly renewed: boolean
    readonly at: Moment
  }
  /** The poll was silent for as long as it may be. */
  | { readonly _tag: "Silent"; readonly at: Moment }
  /** What the schedule says. */
  | { readonly _tag: "Retry"; readonly millis: number }
  | { readonly _tag: "GaveUp" }
  /** A pause is over. */
  | { readonly _tag: "Woke"; readonly at: Moment }
  /** There is another credential. */
  | { readonly _tag: "Renewed" }
  | { readonly _tag: "SwitchedOff" }
  | { readonly _tag: "SwitchedOn" }

export type Command<C, F> =
  // --- what is in flight from here on: at most one, the last of its list
  | { readonly _tag: "Handshake"; readonly why: Proof }
  | { readonly _tag: "Poll"; readonly from: C; readonly patience: number }
  | { readonly _tag: "Ask"; readonly failure: F }
  | { readonly _tag: "Pause"; readonly millis: number }
  // --- done at once
  /** What is in flight ends. */
  | { readonly _tag: "Cut" }
  /** All schedules start afresh. */
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
  /** Nobody listened for longer than the service keeps what nobody asks for: something between the two may be missing. */
  | { readonly _tag: "TellBreak"; readonly from: C; readonly to: C }
  | { readonly _tag: "End"; readonly failure: F; readonly cursor: C | undefined; readonly attempts: number }

/** All in milliseconds. */
export interface Rules {
  /** How long the service keeps what nobody asks for. */
  readonly retention: number
  /** How long a poll may be silent. */
  readonly patience: number
}

export type Next<C, F> = readonly [State<C, F>, ReadonlyArray<Command<C, F>>]

/** A poll that was held for so long ends a row of failures, however it ended: no pause would have spared more. */
export const held = 30_000

/** A poll that was cut sooner was not cut for being idle. */
const shortestCut = 5_000

/** By how much two polls that one proxy cuts may differ, and how long before that a poll is renewed. */
const cutMargin = (held: number): number => Math.max(1_000, held * 0.04)

/** An answer may be so much later than the longest silence before it is taken to be from before the machine slept. */
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
    barren: 0,
    cuts: undefined,
    owing
  }
})

/** How much time passed, by the clock that saw more of it. */
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
        case "Stood":
          return stood(rules, facts, state.why, input)
        case "Failed":
          return failed(facts, input)
        // Not cut by new names: its answer tells the service of those that were asked for.
        default:
          return same
      }
    case "Polling":
      switch (input._tag) {
        case "Polled":
          return polled(rules, state, input)
        case "Failed": {
          const time = elapsed(state.sentAt, input.at)
          const { attempts, cuts } = facts
          const wasHeld = time >= held
          const row = wasHeld ? { attempts: 0, renewed: false } : {}
          const next = { ...facts, ...row, cuts: cutAgain(cuts, time) }
          return failed(next, input, wasHeld && attempts > 0 ? [{ _tag: "Forget" }] : [])
        }
        case "Silent":
          // Not the end of the silence: the connection may have been dead from the first moment on.
          return prove({ ...facts, heardAt: state.sentAt }, "silence", [{ _tag: "Cut" }])
        case "Renamed":
          return prove({ ...facts, heardAt: later(facts.heardAt, state.sentAt) }, "names", [{ _tag: "Cut" }])
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
          return state.why === "barren" ? [{ _tag: "Ready", facts }, []] : prove(facts, "failure")
        case "SwitchedOn":
          return prove(facts, "failure", [{ _tag: "Cut" }])
        case "Renewed":
          return state.why === "denied" && !facts.renewed
            ? prove({ ...facts, attempts: 0, renewed: true }, "failure", [{ _tag: "Cut" }, { _tag: "Forget" }])
            : same
        case "Renamed":
          // After a failure the handshake that comes asks for the new names anyway.
          return state.why === "barren" ? prove(facts, "names", [{ _tag: "Cut" }]) : same
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
  const { cuts, heardAt } = facts
  const unheard = Math.max(facts.unheard, elapsed(heardAt, at))
  // Whoever cuts idle polls does so again: they are renewed just before.
  const patience = cuts === undefined || cuts.times < 2
    ? rules.patience
    : Math.min(rules.patience, cuts.held - cutMargin(cuts.held))
  return [{ _tag: "Polling", sentAt: at, patience, facts: { ...facts, unheard } }, [{ _tag: "Poll", from, patience }]]
}

const polled = <C, F>(
  rules: Rules,
  { facts, patience, sentAt }: Extract<State<C, F>, { readonly _tag: "Polling" }>,
  input: Extract<Input<C, F>, { readonly _tag: "Polled" }>
): Next<C, F> => {
  const { at, fresh, next, servedAt, soon } = input
  const late = elapsed(sentAt, at) > patience + lateness
  const barren = soon && !fresh ? facts.barren + 1 : 0
  // The service's clock went on, and this machine's clocks do not know: it slept while they were set back.
  const missed = facts.servedAt === undefined || servedAt === undefined
    ? 0
    : servedAt - facts.servedAt - elapsed(facts.heardAt, at)
  const isBreak = missed > rules.retention && facts.cursor !== undefined
  // Empty answers that come at once prove nothing: they may be a proxy's.
  const proven = barren < 2
  const commands: Array<Command<C, F>> = proven && facts.attempts > 0 ? [{ _tag: "Forget" }] : []
  if (isBreak && facts.cursor !== undefined) commands.push({ _tag: "TellBreak", from: facts.cursor, to: next })
  const known: Facts<C> = {
    ...facts,
    cursor: next,
    link: { _tag: "Up" },
    // An answer later than any timer allows came before the machine slept, and says nothing of the time since.
    heardAt: late ? sentAt : at,
    // An old page says nothing of now.
    servedAt: servedAt === undefined ? facts.servedAt : Math.max(servedAt, facts.servedAt ?? 0),
    unheard: 0,
    attempts: proven ? 0 : facts.attempts,
    renewed: !proven && facts.renewed,
    barren
  }
  return proven
    ? [{ _tag: "Ready", facts: known }, commands]
    : [
      { _tag: "Pausing", why: "barren", facts: known },
      [...commands, { _tag: "Pause", millis: Math.min(500 * 2 ** (barren - 2), 30_000) }]
    ]
}

const later = (one: Moment, other: Moment): Moment => one.steady > other.steady ? one : other

const goDown = <C>(facts: Facts<C>): Facts<C> =>
  facts.link._tag === "Up" ? { ...facts, link: { _tag: "Down", since: facts.heardAt } } : facts

const cutAgain = (cuts: Facts<unknown>["cuts"], time: number): Facts<unknown>["cuts"] => {
  if (time < shortestCut) return cuts
  return cuts !== undefined && Math.abs(cuts.held - time) <= cutMargin(time)
    ? { held: Math.min(cuts.held, time), times: cuts.times + 1 }
    : { held: time, times: 1 }
}

const failed = <C, F>(
  facts: Facts<C>,
  { denied, failure, renewed }: Extract<Input<C, F>, { readonly _tag: "Failed" }>,
  first: ReadonlyArray<Command<C, F>> = []
): Next<C, F> => {
  // Not counted: the credential that is in use now is tried at once.
  if (renewed && denied && !facts.renewed) return prove({ ...facts, renewed: true }, "failure", first)
  const next = { ...goDown(facts), attempts: facts.attempts + 1 }
  return [{ _tag: "Deciding", failure, denied, facts: next }, [...first, { _tag: "Ask", failure }]]
}

/** Three witnesses say how long nobody listened, and the longest counts. The service's own needs no clock of this machine. */
const stood = <C, F>(
  rules: Rules,
  facts: Facts<C>,
  why: Proof,
  { at, cursor, now, sentAt, servedAt }: Extract<Input<C, F>, { readonly _tag: "Stood" }>
): Next<C, F> => {
  const isSilence = why === "silence"
  const byService = facts.servedAt === undefined || servedAt === undefined ? 0 : servedAt - facts.servedAt
  const byMachine = facts.link._tag === "New" ? 0 : Math.max(facts.unheard, elapsed(facts.heardAt, at))
  // A poll that was silent was listening, for all that is known, for as long as it may be silent.
  const listened = isSilence ? rules.patience : 0
  const isBreak = facts.owing || byService - listened > rules.retention || byMachine > rules.retention
  const commands: Array<Command<C, F>> = []
  if (facts.link._tag === "New") commands.push({ _tag: "TellConnected", cursor })
  if (facts.link._tag === "Down") {
    commands.push({ _tag: "TellReconnected", cursor, downFor: elapsed(facts.link.since, at) })
  }
  // A poll was held for its whole time, and the service is there: that ends a row.
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
      renewed: !isSilence && facts.renewed,
      owing: false,
      unheard: isBreak ? 0 : facts.unheard,
      // The cursor may be old, but what is after it was listened to, or is being looked for. The service may have answered
      // long before the answer was read: the machine slept.
      heardAt: isBreak || facts.link._tag === "New" ? sentAt : facts.heardAt,
      servedAt: isBreak || isSilence || facts.servedAt === undefined ? servedAt ?? facts.servedAt : facts.servedAt
    }
  }, commands]
}
