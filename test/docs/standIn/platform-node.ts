/** Stands for `@effect/platform-node` in a block: the main program runs on the emulators of the page. */
import type * as Effect from "effect/Effect"
import { started } from "./started.ts"

export * from "@effect/platform-node"

export const NodeRuntime = {
  runMain: (program: Effect.Effect<unknown, unknown, never>) => void started.push({ name: "runMain", program })
}
