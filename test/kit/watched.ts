/** An encryption, and an effect that waits for its work: the platform does it, for which virtual time does not wait. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Encryption } from "effect-herald/pubnub"
import { VirtualTime } from "effect-herald/testing"

export const watched = (options: Encryption.Options) =>
  Effect.map(Encryption.make(options), (encryption) => {
    let working = 0
    const during = <A>(work: Effect.Effect<A>): Effect.Effect<A> =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          working++
        }),
        () => work,
        () =>
          Effect.sync(() => {
            working--
          })
      )
    const service: Encryption.Encryption = {
      ...encryption,
      seal: (text) => during(encryption.seal(text)),
      openAll: (payloads) => {
        const opened = encryption.openAll(payloads)
        return Exit.isExit(opened) ? opened : during(opened)
      }
    }
    const settled: Effect.Effect<void> = Effect.suspend(() =>
      working === 0 ? Effect.void : Effect.andThen(Effect.yieldNow, settled)
    )
    /** Moves time by so many seconds, and lets the work of each of them be done. */
    const advance = (seconds: number) =>
      Effect.repeat(Effect.andThen(VirtualTime.advance("1 second"), settled), { times: seconds - 1 })
    return { service, advance }
  })
