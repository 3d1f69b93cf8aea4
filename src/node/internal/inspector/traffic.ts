/** The requests of a port as they happen, and what the user of the inspector does to them: latency and faults. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as faultyHandler from "../faultyHandler.ts"

/** A request, and what came of it. */
export interface Seen {
  readonly id: number
  readonly method: string
  /** Path and query. Of one that is long, only the beginning. Signatures and tokens are left out. */
  readonly target: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** The status; `waiting`, `dropped` by the server, or `closed` by the client. */
  outcome: number | "waiting" | "dropped" | "closed"
  /** How long it took. */
  millis: number | undefined
}

/** How many requests are kept. */
const most = 200

/** The longest address that is shown. */
const longest = 500

const withoutSecrets = (target: string): string =>
  target.slice(0, 4 * longest).replace(/([?&](?:auth|signature)=)[^&]*/g, "$1…").slice(0, longest)

const outcomeOf = (exit: Exit.Exit<{ readonly status: number }, unknown>): Seen["outcome"] =>
  Exit.isSuccess(exit) ? exit.value.status : Cause.hasInterruptsOnly(exit.cause) ? "closed" : "dropped"

/** Watches a handler. */
export const make = (handle: faultyHandler.Handle) => {
  let seen: ReadonlyArray<Seen> = []
  let last = 0
  let latency = Duration.zero

  const watched: faultyHandler.Handle = (request) =>
    Effect.flatMap(Clock.currentTimeMillis, (time) => {
      const entry: Seen = {
        id: ++last,
        method: request.method,
        target: withoutSecrets(request.target),
        time,
        outcome: "waiting",
        millis: undefined
      }
      seen = [...seen.slice(1 - most), entry]
      return handle(request).pipe(
        Effect.tap(() => Effect.sleep(latency)),
        Effect.onExit((exit) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            entry.outcome = outcomeOf(exit)
            entry.millis = now - time
          })
        )
      )
    })

  return {
    handle: watched,
    /** The newest requests, oldest first. */
    seen: (): ReadonlyArray<Seen> => seen,
    latency: () => latency,
    /** Makes every further answer this much later, besides the latency of the emulator itself. */
    setLatency: (duration: Duration.Duration) => {
      latency = duration
    }
  }
}
