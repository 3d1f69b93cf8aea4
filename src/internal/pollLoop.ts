/**
 * Runs one long poll: makes the requests that {@link LongPoll.step} asks for and feeds back what comes of them. At most one
 * thing is in flight, in one fiber; whatever ends it early ends that fiber, and another goes on from the state.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Schedule from "effect/Schedule"
import * as LongPoll from "./longPoll.ts"
import * as Retries from "./retries.ts"

/** What a handshake found. */
export interface Stood<C> {
  /** Where to poll from: where it stood before, unless the service says that this cannot be. */
  readonly cursor: C
  /** Where the service stands. */
  readonly now: C
  /** The service's time, in milliseconds, if it tells. */
  readonly servedAt: number | undefined
}

/** What a poll brought; the page itself was handed on by then. */
export interface Polled<C> {
  readonly next: C
  readonly servedAt: number | undefined
  /** It came too soon for another poll to be sent at once, unless something was `fresh`. */
  readonly soon: boolean
  readonly fresh: boolean
}

/** What is told of the connection. */
export type Told<C, F> = Extract<
  LongPoll.Command<C, F>,
  { readonly _tag: "TellConnected" | "TellReconnected" | "TellInterrupted" | "TellBreak" | "End" }
>

/** How one service is polled. `C` is its cursor, `F` a failure of a request. */
export interface Service<C, F, R> {
  readonly rules: LongPoll.Rules
  readonly handshake: (standing: C | undefined, why: LongPoll.Proof) => Effect.Effect<Stood<C>, F, R>
  readonly poll: (from: C) => Effect.Effect<Polled<C>, F, R>
  /** How to come back after this failure. It goes on through a row of failures. */
  readonly schedule: (failure: F) => Schedule.Schedule<unknown, F, never, R>
  /** Whether the failure says that the credential does not do. */
  readonly isDenied: (failure: F) => boolean
  /** Whether the credential of the last request has been replaced since: asked after it was denied. */
  readonly renewed: Effect.Effect<boolean, never, R>
  /** What is wanted while nothing is in flight. `undefined`: nothing, until the loop is woken. */
  readonly next: () => "Wanted" | "Renamed" | undefined
  readonly tell: (told: Told<C, F>) => void
  /** Something in the loop threw: it has ended. */
  readonly broken: (defect: unknown) => void
}

type InFlight<C, F> = Extract<LongPoll.Command<C, F>, { readonly _tag: "Handshake" | "Poll" | "Ask" | "Pause" }>

type Input<C, F> = LongPoll.Input<C, F>

/** One moment by both clocks. */
export const moment = (clock: Clock.Clock): LongPoll.Moment => ({
  wall: clock.currentTimeMillisUnsafe(),
  steady: Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
})

export class PollLoop<C, F, R> {
  state: LongPoll.State<C, F>
  private readonly service: Service<C, F, R>
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void, never, R>) => Fiber.Fiber<void>
  private readonly retries: Retries.Retries<F, R>
  /** Whether it goes on by itself. */
  isRunning = false
  private fiber: Fiber.Fiber<void> | undefined
  /** A fiber of an older turn feeds nothing any more. */
  private turn = 0
  private flight: InFlight<C, F> | undefined
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

  /** Begins, or goes on from the state. */
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
    // It runs at once, and may be over by now.
    if (turn === this.turn) this.fiber = fiber
    else fiber.interruptUnsafe()
  }

  /** Ends what is in flight. The state stays. */
  stop(): void {
    this.turn++
    this.isRunning = false
    const { fiber } = this
    this.fiber = undefined
    this.resume = undefined
    fiber?.interruptUnsafe()
  }

  /** Something may be wanted now. */
  wake(): void {
    const { resume } = this
    this.resume = undefined
    resume?.(Effect.void)
  }

  /** Something happened beside what is in flight, which goes on unless the machine has another idea. */
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

  /** How long the poll in flight may still be silent, in milliseconds. */
  patience(at: LongPoll.Moment): number | undefined {
    return this.state._tag === "Polling" ? this.state.patience - LongPoll.elapsed(this.state.sentAt, at) : undefined
  }

  private readonly parked = Effect.callback<void>((resume) => {
    this.resume = resume
  })

  private feed(input: Input<C, F>): void {
    const [state, commands] = LongPoll.step(this.service.rules, this.state, input)
    if (state === this.state) return
    this.state = state
    this.flight = undefined
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
    // One that changes nothing must not hold back those behind it.
    for (let signal = this.signals.shift(); signal !== undefined; signal = this.signals.shift()) this.signal(signal)
  }

  private fly(command: InFlight<C, F>): Effect.Effect<Input<C, F>, never, R> {
    switch (command._tag) {
      case "Handshake": {
        const sentAt = moment(this.clock)
        return this.answered(
          this.service.handshake(this.state.facts.cursor, command.why),
          (stood) => ({ _tag: "Stood", ...stood, sentAt, at: moment(this.clock) })
        )
      }
      case "Poll":
        return this.answered(
          this.service.poll(command.from),
          (polled) => ({ _tag: "Polled", ...polled, at: moment(this.clock) })
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
          ? Effect.map(this.service.renewed, (renewed) => failed(failure, true, renewed))
          : Effect.succeed(failed(failure, false, false))
    })
  }
}

/** Cuts the polls that were silent for too long. A machine that sleeps stops its timers: short sleeps find out soon after. */
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
      if (left <= 0) loop.signal({ _tag: "Silent", at })
      // A virtual clock takes a small fraction of a millisecond for no time at all: the loop would spin.
      else if (left < next) next = Math.ceil(left)
    }
    return Effect.sleep(next)
  })
  return Effect.forever(look)
}
