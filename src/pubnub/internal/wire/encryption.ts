/**
 * What the core knows of encryption: that there may be one in the context. It has the key of the reference in `Encryption`, and
 * does not import it: that module has the ciphers, and a program that does not use it carries none.
 */
import * as Context from "effect/Context"
import type { Encryption } from "../../Encryption.ts"

export type { Encryption }

/** The encryption of a program. Undefined without the layer of `Encryption`. */
export const Current = Context.Reference<Encryption | undefined>("effect-herald/pubnub/Encryption", {
  defaultValue: () => undefined
})
