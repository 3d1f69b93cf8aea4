/**
 * What the core knows of encryption: that there may be one in the context. It has the key of the reference in `Encryption`, and
 * does not import it: that module has the ciphers, and a program that does not use it carries none.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Encryption, Opened } from "../../Encryption.ts"

export type { Encryption }

/** The encryption of a program. Undefined without the layer of `Encryption`. */
export const Current = Context.Reference<Encryption | undefined>("effect-herald/pubnub/Encryption", {
  defaultValue: () => undefined
})

/**
 * Opens the payloads of those items that have one, and gives each item with the result, in their order. It is finished at once
 * without encryption, and where nothing is encrypted.
 */
export const opening = <A>(
  encryption: Encryption | undefined,
  items: ReadonlyArray<A>,
  payloadOf: (item: A) => Schema.Json | undefined,
  opened: (item: A, opened: Opened) => A
): Effect.Effect<ReadonlyArray<A>> => {
  if (encryption === undefined) return Effect.succeed(items)
  const payloads = items.map(payloadOf)
  const given = payloads.filter((payload) => payload !== undefined)
  if (given.length === 0) return Effect.succeed(items)
  return Effect.mapEager(encryption.openAll(given), (results) => {
    let next = 0
    return items.map((item, index) => {
      const result = payloads[index] === undefined ? undefined : results[next++]
      return result === undefined ? item : opened(item, result)
    })
  })
}
