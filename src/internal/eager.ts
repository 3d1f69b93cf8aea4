/** Effects that are often finished when they are made. A fiber takes longer for such an effect than its work took. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

const isDone = <A, E, R>(effect: Effect.Effect<A, E, R>): effect is Exit.Success<A, E> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

/** Like `Effect.forEach`, without a fiber if all effects are finished. It makes all of them before the first one runs. */
export const forEach = <A, B, E, R>(
  items: ReadonlyArray<A>,
  f: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<ReadonlyArray<B>, E, R> => {
  const effects = items.map(f)
  return effects.every((effect) => isDone(effect))
    ? Effect.succeed(effects.map(({ value }) => value))
    : Effect.all(effects)
}
