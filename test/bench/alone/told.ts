/** The same with a span and a line of the log. */
import * as Effect from "effect/Effect"
import { bodyOf } from "./request.ts"

export { layer } from "./request.ts"

export const told = (path: string) =>
  bodyOf(path).pipe(
    Effect.tap((text) => Effect.logDebug(`${path}: ${text.length} characters`)),
    Effect.withSpan("alone.request", { kind: "client" })
  )
