/**
 * All pages of a list as a stream. However fast a service (or what answers in its place) gives page after page, it is asked
 * at a bounded rate.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SlidingWindow from "./slidingWindow.ts"

/** No list asks for more pages within a second. */
const pace = { limit: 100, window: 1_000_000_000n }

/** The items of a page after another, and where each next one begins. */
export const paginate = <S, A, E, R>(
  start: S,
  ask: (start: S) => Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<S>], E, R>
): Stream.Stream<A, E, R> =>
  Stream.suspend(() => {
    const turns = SlidingWindow.turnsOf(pace)
    return Stream.paginate(start, (start) => Effect.andThen(Effect.andThen(turns.wait, turns.take), ask(start)))
  })
