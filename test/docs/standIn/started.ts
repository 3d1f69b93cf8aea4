import type * as Effect from "effect/Effect"

/** The programs and tests that the block which runs now has started. */
export const started: Array<{ readonly name: string; readonly program: Effect.Effect<unknown, unknown, never> }> = []
