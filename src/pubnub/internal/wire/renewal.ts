/**
 * A token that renews itself: the current one, the attempt to get the next one, and when there may be another attempt. It has no
 * fiber between requests. A request that needs another token starts the attempt, and all others share it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type { Detail } from "../../../Reason.ts"
import * as Retries from "../../../internal/retries.ts"
import { seconds } from "../../../internal/whatHappened.ts"
import * as PubNubError from "../../PubNubError.ts"

/** A token, and when it expires by the clock of the service, in milliseconds. */
export interface Given {
  readonly token: Redacted.Redacted
  readonly expires: number | undefined
}

export interface Settings<R> {
  /** Asks the application for a token. */
  readonly ask: Effect.Effect<unknown, unknown, R>
  /** Reads what the application gave, or says what is wrong with it. */
  readonly read: (answer: unknown) => Given | string
  /** How long before its end a token is renewed, in milliseconds. */
  readonly margin: number
  /** When to ask again after a failure. */
  readonly retry: Schedule.Schedule<unknown, unknown>
  /** What is wrong with the options. */
  readonly issues: ReadonlyArray<Detail>
}

/** A token and its times by the clock of this machine, in milliseconds. From `due` on it is renewed, from `over` on it is not used. */
interface Held {
  readonly token: Redacted.Redacted
  readonly due: number
  readonly over: number
}

/**
 * The least time between two renewals that the clock asks for, and between two that refusals ask for. A wrong clock, or a server that
 * gives tokens that are refused, must not cause a storm. Also the pause after the schedule has ended. In milliseconds.
 */
const shortest = 30_000

/** The shortest pause after a failure, whatever the schedule says, in milliseconds. */
const least = 100

/** What the service says of a token that is of no use any more. Other refusals may be about a missing right. */
const ended = /\b(expired|revoked)\b/i

export class Renewal<R> {
  readonly #settings: Settings<R>
  readonly #retries: Retries.Retries<unknown, never>
  #held: Held | undefined
  #attempt: Fiber.Fiber<void, unknown> | undefined
  /** Why the last attempt failed. */
  #failure: string | undefined
  /** Until then no attempt starts, because the last one failed. By the monotonic clock, in milliseconds. */
  #pausedUntil = -Infinity
  /** Until then no refusal starts an attempt, because another one did. */
  #pacedUntil = -Infinity

  constructor(settings: Settings<R>) {
    this.#settings = settings
    this.#retries = Retries.make(() => settings.retry)
  }

  get issues(): ReadonlyArray<Detail> {
    return this.#settings.issues
  }

  /** Provides a service with the same in the context of the layer, with tokens of its own. */
  layer<I, S>(service: Context.Key<I, S>, make: (renewal: Renewal<never>) => S): Layer.Layer<I, never, R> {
    const settings = this.#settings
    return Layer.effect(
      service,
      Effect.map(
        Effect.context<R>(),
        (context) => make(new Renewal({ ...settings, ask: Effect.provideContext(settings.ask, context) }))
      )
    )
  }

  /** The token for a request now. Waits at most `patience` for one if there is no valid token. An attempt may take as long. */
  current(patience: Duration.Duration): Effect.Effect<Redacted.Redacted, PubNubError.TokenUnavailable, R> {
    return Clock.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const held = this.#held
      if (held === undefined || now >= held.over) {
        return Effect.timeoutOrElse(this.#waited(clock, patience), {
          duration: patience,
          orElse: () => Effect.fail(this.#unavailable)
        })
      }
      return now >= held.due && this.#mayAsk(clock)
        ? Effect.as(this.#start(clock, patience), held.token)
        : Effect.succeed(held.token)
    })
  }

  #waited(
    clock: Clock.Clock,
    patience: Duration.Duration
  ): Effect.Effect<Redacted.Redacted, PubNubError.TokenUnavailable, R> {
    return Effect.suspend(() => {
      const held = this.#held
      if (held !== undefined && clock.currentTimeMillisUnsafe() < held.over) return Effect.succeed(held.token)
      const again = Effect.suspend(() => this.#waited(clock, patience))
      if (this.#attempt !== undefined) return Effect.andThen(Fiber.await(this.#attempt), again)
      if (this.#mayAsk(clock)) return Effect.andThen(this.#start(clock, patience), again)
      const rest = this.#pausedUntil - steady(clock)
      return rest >= Duration.toMillis(patience)
        ? Effect.fail(this.#unavailable)
        : Effect.andThen(Effect.sleep(Math.ceil(rest)), again)
    })
  }

  #mayAsk(clock: Clock.Clock): boolean {
    return this.#attempt === undefined && steady(clock) >= this.#pausedUntil
  }

  /**
   * Whether to repeat a request that was refused with this token: there is another token, or there soon is. At most one renewal
   * answers the refusals of one token.
   */
  refused(
    token: Redacted.Redacted,
    denied: PubNubError.AccessDenied,
    patience: Duration.Duration
  ): Effect.Effect<boolean, never, R> {
    return Clock.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const held = this.#held
      if (held === undefined || !Equal.equals(held.token, token) || now >= held.over) return Effect.succeed(true)
      const hasEnded = ended.test(denied.description)
      const isNamed = denied.channels.length + denied.groups.length > 0
      if (!hasEnded && isNamed && now < held.due) return Effect.succeed(false)
      if (this.#attempt === undefined) {
        if (steady(clock) < this.#pacedUntil) return Effect.succeed(false)
        this.#pacedUntil = steady(clock) + shortest
      }
      if (hasEnded) {
        // A request waits for the next token from now on.
        this.#held = { token: held.token, due: -Infinity, over: -Infinity }
        return Effect.succeed(true)
      }
      const asked = this.#mayAsk(clock) ? this.#start(clock, patience) : Effect.void
      const answered = Effect.suspend(() => this.#attempt === undefined ? Effect.void : Fiber.await(this.#attempt))
      return asked.pipe(
        Effect.andThen(answered),
        Effect.andThen(Effect.sync(() => this.#held !== undefined && !Equal.equals(this.#held.token, token)))
      )
    })
  }

  /** Starts an attempt on a fiber of its own, so that the caller may be interrupted. Looking for one and starting it is one step. */
  #start(clock: Clock.Clock, patience: Duration.Duration): Effect.Effect<void, never, R> {
    return Effect.contextWith((context: Context.Context<R>) => {
      if (this.#attempt !== undefined) return Effect.void
      const { ask, read } = this.#settings
      const attempt = Effect.timeoutOrElse(ask, {
        duration: patience,
        orElse: () => Effect.fail(new Late(patience))
      }).pipe(
        Effect.flatMap((answer) => {
          const given = read(answer)
          return typeof given === "string"
            ? Effect.fail(new Wrong(given))
            : Effect.sync(() => this.#arrived(clock, given))
        }),
        Effect.catchCause((cause) => this.#failed(clock, cause))
      )
      const fiber = Effect.runForkWith(context)(attempt)
      this.#attempt = fiber
      fiber.addObserver((exit) => {
        this.#attempt = undefined
        // The schedule threw, or somebody interrupted the attempt.
        if (Exit.isFailure(exit)) this.#pausedUntil = steady(clock) + shortest
      })
      return Effect.void
    })
  }

  #arrived(clock: Clock.Clock, { expires, token }: Given): void {
    const now = clock.currentTimeMillisUnsafe()
    const isSame = this.#held !== undefined && Equal.equals(this.#held.token, token)
    this.#held = { token, ...timesOf(now, expires, isSame ? 0 : this.#settings.margin) }
    this.#failure = undefined
    this.#pausedUntil = -Infinity
    this.#retries.forget()
  }

  #failed(clock: Clock.Clock, cause: Cause.Cause<unknown>): Effect.Effect<void> {
    const failure = Cause.squash(cause)
    this.#failure = failureOf(cause, failure)
    return Effect.map(this.#retries.ask(failure), (decision) => {
      if (decision._tag === "GaveUp") this.#retries.forget()
      this.#pausedUntil = steady(clock) + (decision._tag === "GaveUp" ? shortest : Math.max(least, decision.millis))
    })
  }

  get #unavailable(): PubNubError.TokenUnavailable {
    return new PubNubError.TokenUnavailable({ description: this.#failure ?? "its source has not answered in time" })
  }
}

/** The application gave nothing in time. */
class Late {
  readonly after: Duration.Duration
  constructor(after: Duration.Duration) {
    this.after = after
  }
}

/** The application gave what is no token. */
class Wrong {
  readonly problem: string
  constructor(problem: string) {
    this.problem = problem
  }
}

/**
 * When a token is renewed, and when it is not used any more. A token that is over when it arrives is used all the same: the clock of
 * this machine is wrong, or else the service refuses the token.
 */
export const timesOf = (
  now: number,
  expires: number | undefined,
  margin: number
): { readonly due: number; readonly over: number } => {
  if (expires === undefined || expires <= now) return { due: Infinity, over: Infinity }
  const due = Math.max(now + shortest, expires - Math.min(margin, (expires - now) / 2))
  return { due, over: Math.max(due, expires) }
}

const steady = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

/** Says what kind of failure it was. Its text may hold secrets. */
const failureOf = (cause: Cause.Cause<unknown>, failure: unknown): string => {
  if (failure instanceof Late) return `its source did not answer within ${seconds(failure.after)}`
  if (failure instanceof Wrong) return `its source gave ${failure.problem}`
  if (Cause.hasInterruptsOnly(cause)) return "its source was interrupted"
  const kind = kindOf(failure)
  return `its source ${Cause.hasDies(cause) ? "threw" : "failed"}${kind === undefined ? "" : ` with ${kind}`}`
}

const kindOf = (failure: unknown): string | undefined => {
  try {
    const tag = Predicate.hasProperty(failure, "_tag") ? failure._tag : undefined
    const name = tag ?? (failure instanceof Error ? failure.name : undefined)
    return typeof name === "string" && /^[\w/.-]{1,100}$/.test(name) ? name : undefined
  } catch {
    // A getter threw.
    return undefined
  }
}
