/** Counts how often a lane catches up from history. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A lane that asked history nothing for so long begins a new catch-up. A request with its attempts takes less. */
const apart = 60_000

/** The turns of one lane's requests to history. `began` runs at the first one of each catch-up. */
export const counted = (turn: Effect.Effect<void>, began: Effect.Effect<void>): Effect.Effect<void> => {
  let waiting = 0
  let last = -Infinity
  const noted = Effect.map(Clock.currentTimeMillis, (now) => {
    last = now
    waiting--
  })
  return Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const isFirst = waiting === 0 && now - last > apart
    waiting++
    return Effect.ensuring(isFirst ? Effect.andThen(began, turn) : turn, noted)
  })
}
