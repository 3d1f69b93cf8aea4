/**
 * A cipher for virtual time, which waits for no promise: of three messages one is plain, one is encrypted, and one is encrypted
 * with a key that the reader lacks. `encryption.test.ts` has the real ciphers.
 */
import * as Effect from "effect/Effect"
import type { Encryption, SubscribeEvent } from "effect-herald/pubnub"

const prefixes = ["", "sealed ", "foreign "] as const

/** What is published of a number. */
export const payloadOf = (id: number): string | number => id % 3 === 0 ? id : `${prefixes[id % 3]}${id}`

/** The number in what was published. */
export const numberIn = (payload: string): number => Number(payload.slice(payload.indexOf(" ") + 1))

/** The encryption of a reader, which takes so many milliseconds for a page in which something is encrypted. */
export const make = (millis: number): Encryption.Encryption => ({
  plain: "accept",
  seal: (text) => Effect.succeed(JSON.stringify(`sealed ${text}`)),
  openAll: (payloads) => {
    const opened = payloads.map((payload): Encryption.Opened =>
      typeof payload !== "string"
        ? { _tag: "Plain" }
        : payload.startsWith("sealed ")
        ? { _tag: "Decrypted", payload: numberIn(payload) }
        : { _tag: "Unreadable", reason: "Undecryptable", issue: "another key" }
    )
    return millis === 0 || payloads.every((payload) => typeof payload !== "string")
      ? Effect.succeed(opened)
      : Effect.delay(Effect.succeed(opened), millis)
  },
  encryptBytes: (bytes) => bytes,
  decryptBytes: (bytes) => bytes,
  encryptedSize: (bytes) => bytes
})

/** What is wrong with what a message is said to be, if anything. */
export const mistakeOf = (
  event: SubscribeEvent.SubscribeEvent<unknown>,
  numberOf: (payload: unknown) => unknown
): string | undefined => {
  if (event._tag !== "Message" && event._tag !== "Undecodable") return undefined
  const isMessage = event._tag === "Message"
  const payload = isMessage ? event.payload : event.raw
  // Lists and objects are never encrypted here.
  if (typeof payload === "object") return undefined
  const id = Number(numberOf(payload))
  const was = isMessage ? event.encrypted === true ? 1 : 0 : 2
  return was === id % 3 ? undefined : `${id}: ${JSON.stringify(event)}`
}
