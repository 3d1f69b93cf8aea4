/** Stands for `@effect/vitest` in a block: its tests run on the clock of the page. */
import type * as Effect from "effect/Effect"
import { started } from "./started.ts"

export { assert } from "@effect/vitest"

export const it = {
  effect: (name: string, test: () => Effect.Effect<unknown, unknown, never>) =>
    void started.push({ name, program: test() })
}
