/**
 * Reads all pages of a list as a stream, at a bounded rate: a service, or a proxy in its place, may answer without end.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SlidingWindow from "./slidingWindow.ts"

/** The most pages of one list in a second. */
const pace = { limit: 100, window: 1_000_000_000n }

/** Streams the items of all pages. `ask` gives the items of a page and the start of the next one. */
export const paginate = <S, A, E, R>(
  start: S,
  ask: (start: S) => Effect.Effect<readonly [ReadonlyArray<A>, Option.Option<S>], E, R>
): Stream.Stream<A, E, R> =>
  Stream.suspend(() => {
    const turns = SlidingWindow.turnsOf(pace)
    return Stream.paginate(start, (start) => Effect.andThen(Effect.andThen(turns.wait, turns.take), ask(start)))
  })
