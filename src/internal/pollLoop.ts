/**
 * Runs one long poll: sends the requests that {@link LongPoll.step} commands, and passes their results back to it. At most one
 * request or pause is in flight, in one fiber. Cutting it interrupts that fiber, and another one continues from the state.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Schedule from "effect/Schedule"
import * as LongPoll from "./longPoll.ts"
import * as Retries from "./retries.ts"

/** The answer to a handshake. */
export interface Answered<C> {
  /** The cursor for the next poll: the one from before, unless the service's position shows that it cannot be right. */
  readonly cursor: C
  /** The service's current position. */
  readonly now: C
  /** The service's time, in milliseconds, if the answer has it. */
  readonly servedAt: number | undefined
  /** Whether messages were missing at a break, and no poll was answered since. */
  readonly missing?: boolean
}

/** The answer to a poll. Its page has already been delivered. */
export interface Polled<C> {
  readonly next: C
  readonly servedAt: number | undefined
  /** It came at once, so the next poll waits unless there were `fresh` events. */
  readonly soon: boolean
  readonly fresh: boolean
}

/** The statuses of the connection. */
export type Told<C, F> = Extract<
  LongPoll.Command<C, F>,
  { readonly _tag: "TellConnected" | "TellReconnected" | "TellInterrupted" | "TellBreak" | "End" }
>

/** How one service is polled. `C` is its cursor, `F` a failure of a request. */
export interface Service<C, F, R> {
  readonly rules: LongPoll.Rules
  readonly handshake: (standing: C | undefined, why: LongPoll.Proof) => Effect.Effect<Answered<C>, F, R>
  readonly poll: (from: C) => Effect.Effect<Polled<C>, F, R>
  /** The schedule for this kind of failure. It continues through a row of failures. */
  readonly schedule: (failure: F) => Schedule.Schedule<unknown, F, never, R>
  /** The failure of a poll whose answer began and did not end in time. Without it, such a poll counts as silent. */
  readonly unfinished?: F
  /** Whether the service refused the credential. */
  readonly isDenied: (failure: F) => boolean
  /** Whether there is another credential than that of the last request, which was refused so. */
  readonly renewed: (refusal: F) => Effect.Effect<boolean, never, R>
  /** The next input while nothing is in flight. Undefined: there is none until the loop is woken. */
  readonly next: () => "Wanted" | "Renamed" | undefined
  readonly tell: (told: Told<C, F>) => void
  /** Called when code in the loop threw. The loop has ended then. */
  readonly broken: (defect: unknown) => void
}

type InFlight<C, F> = Extract<LongPoll.Command<C, F>, { readonly _tag: "Handshake" | "Poll" | "Ask" | "Pause" }>

type Input<C, F> = LongPoll.Input<C, F>

/** The longest answer may take so many times the patience of its poll, while parts of it arrive. */
const longestAnswer = 10

/** One moment by both clocks. */
export const moment = (clock: Clock.Clock): LongPoll.Moment => ({
  wall: clock.currentTimeMillisUnsafe(),
  steady: Math.floor(Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000)
})

export class PollLoop<C, F, R> {
  state: LongPoll.State<C, F>
  private readonly service: Service<C, F, R>
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void, never, R>) => Fiber.Fiber<void>
  private readonly retries: Retries.Retries<F, R>
  /** Whether the loop runs. */
  isRunning = false
  private fiber: Fiber.Fiber<void> | undefined
  /** The results of a fiber of an older turn are ignored. */
  private turn = 0
  private flight: InFlight<C, F> | undefined
  /** When the last part of the answer to the poll in flight arrived. */
  private partAt: LongPoll.Moment | undefined
  private feeding = false
  private readonly signals: Array<Input<C, F>> = []
  private resume: ((effect: Effect.Effect<void>) => void) | undefined

  constructor(
    service: Service<C, F, R>,
    clock: Clock.Clock,
    fork: (effect: Effect.Effect<void, never, R>) => Fiber.Fiber<void>,
    state: LongPoll.State<C, F>
  ) {
    this.service = service
    this.retries = Retries.make(service.schedule)
    this.clock = clock
    this.fork = fork
    this.state = state
  }

  /** Starts, or continues from the state. */
  start(): void {
    const turn = ++this.turn
    this.isRunning = true
    const loop: Effect.Effect<void, never, R> = Effect.suspend(() => {
      if (turn !== this.turn || this.state._tag === "Ended") return Effect.void
      if (this.flight !== undefined) {
        return Effect.flatMap(this.fly(this.flight), (input) => {
          if (turn === this.turn) this.feed(input)
          return loop
        })
      }
      const wanted = this.state._tag === "Ready" ? this.service.next() : undefined
      if (wanted === undefined) return Effect.flatMap(this.parked, () => loop)
      this.feed({ _tag: wanted, at: moment(this.clock) })
      return loop
    })
    const fiber = this.fork(Effect.catchDefect(loop, (defect) =>
      Effect.sync(() => {
        if (turn === this.turn) this.service.broken(defect)
      })))
    // The fiber starts at once, and may have ended by now.
    if (turn === this.turn) this.fiber = fiber
    else fiber.interruptUnsafe()
  }

  /** Interrupts the work in flight. The state stays. */
  stop(): void {
    this.turn++
    this.isRunning = false
    const { fiber } = this
    this.fiber = undefined
    this.resume = undefined
    fiber?.interruptUnsafe()
  }

  /** Wakes the loop: there may be demand now. */
  wake(): void {
    const { resume } = this
    this.resume = undefined
    resume?.(Effect.void)
  }

  /** Passes an input from outside. The work in flight continues unless the state changes. */
  signal(input: Input<C, F>): void {
    if (this.feeding) {
      this.signals.push(input)
      return
    }
    const [next] = LongPoll.step(this.service.rules, this.state, input)
    if (next === this.state) return
    const isRunning = this.isRunning
    this.stop()
    this.feed(input)
    if (isRunning) this.start()
  }

  /** Notes that a part of the answer to the poll in flight arrived. A large page may need longer than the patience of a poll. */
  arrived(): void {
    if (this.state._tag === "Polling") this.partAt = moment(this.clock)
  }

  /** How long the poll in flight may still wait for its answer or the next part of it, in milliseconds. */
  patience(at: LongPoll.Moment): number | undefined {
    if (this.state._tag !== "Polling") return undefined
    const { patience, sentAt } = this.state
    const waited = LongPoll.elapsed(sentAt, at)
    return this.partAt === undefined
      ? patience - waited
      : Math.min(patience - LongPoll.elapsed(this.partAt, at), longestAnswer * patience - waited)
  }

  /** Cuts the poll in flight, which waited for too long. */
  cut(at: LongPoll.Moment): void {
    const { unfinished: failure } = this.service
    this.signal(
      this.partAt === undefined || failure === undefined
        ? { _tag: "Silent", at }
        : { _tag: "Failed", failure, denied: false, renewed: false, at }
    )
  }

  private readonly parked = Effect.callback<void>((resume) => {
    this.resume = resume
  })

  private feed(input: Input<C, F>): void {
    const [state, commands] = LongPoll.step(this.service.rules, this.state, input)
    if (state === this.state) return
    this.state = state
    this.flight = undefined
    this.partAt = undefined
    this.feeding = true
    try {
      for (const command of commands) {
        switch (command._tag) {
          case "Handshake":
          case "Poll":
          case "Ask":
          case "Pause":
            this.flight = command
            break
          case "Cut":
            break
          case "Forget":
            this.retries.forget()
            break
          default:
            this.service.tell(command)
        }
      }
    } finally {
      this.feeding = false
    }
    // An input that changes nothing must not hold back the next ones.
    for (let signal = this.signals.shift(); signal !== undefined; signal = this.signals.shift()) this.signal(signal)
  }

  private fly(command: InFlight<C, F>): Effect.Effect<Input<C, F>, never, R> {
    switch (command._tag) {
      case "Handshake": {
        const sentAt = moment(this.clock)
        return this.answered(
          this.service.handshake(this.state.facts.cursor, command.why),
          (answer) => ({ _tag: "Answered", ...answer, sentAt, at: moment(this.clock) })
        )
      }
      case "Poll":
        return this.answered(
          this.service.poll(command.from),
          // Field by field: a spread takes 2 µs.
          ({ fresh, next, servedAt, soon }) => ({ _tag: "Polled", next, servedAt, soon, fresh, at: moment(this.clock) })
        )
      case "Ask":
        return this.retries.ask(command.failure)
      case "Pause":
        return Effect.map(Effect.sleep(command.millis), () => ({ _tag: "Woke", at: moment(this.clock) }))
    }
  }

  private answered<A>(
    request: Effect.Effect<A, F, R>,
    onSuccess: (answer: A) => Input<C, F>
  ): Effect.Effect<Input<C, F>, never, R> {
    const failed = (failure: F, denied: boolean, renewed: boolean): Input<C, F> => ({
      _tag: "Failed",
      failure,
      denied,
      renewed,
      at: moment(this.clock)
    })
    return Effect.matchEffect(request, {
      onSuccess: (answer) => Effect.succeed(onSuccess(answer)),
      onFailure: (failure) =>
        this.service.isDenied(failure)
          ? Effect.map(this.service.renewed(failure), (renewed) => failed(failure, true, renewed))
          : Effect.succeed(failed(failure, false, false))
    })
  }
}

/** Cuts polls that waited for too long. Timers stop while a machine sleeps, so short sleeps notice soon after. */
export const watch = <C, F, R>(
  clock: Clock.Clock,
  loops: () => Iterable<PollLoop<C, F, R>>,
  patience: number
): Effect.Effect<never> => {
  const longest = Math.min(5_000, patience)
  const look = Effect.suspend(() => {
    const at = moment(clock)
    let next = longest
    for (const loop of loops()) {
      const left = loop.patience(at)
      if (left === undefined) continue
      if (left <= 0) loop.cut(at)
      // A virtual clock rounds a small fraction of a millisecond to zero, and the loop would spin.
      else if (left < next) next = Math.ceil(left)
    }
    return Effect.sleep(next)
  })
  return Effect.forever(look)
}
