/**
 * Explains refusals. `Access.layerExplanations` sets it; without, the reader of tokens is in no bundle.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AccessExplanation } from "../../AccessExplanation.ts"

/** A request that the service refused, and the token that it had. */
export interface Refused {
  readonly token: string
  readonly user: string
  readonly request: {
    readonly operation: string
    readonly method: string
    readonly path: string
    readonly query: string
  }
  /** The names that the service refused. */
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
}

export type Explain = (refused: Refused) => Effect.Effect<AccessExplanation | undefined>

export const Explainer = /* @__PURE__ */ Context.Reference<Explain | undefined>(
  "effect-herald/pubnub/Explainer",
  { defaultValue: () => undefined }
)
