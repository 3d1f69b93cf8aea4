/** Limits the depth of messages that share messages. */
import * as Predicate from "effect/Predicate"

/** The most levels. Decoding takes time quadratic in the depth. */
const most = 16

/** Whether a shared message has at most this depth. */
export const isReadable = (shared: unknown): boolean => {
  let inner = shared
  for (let level = 0; level < most; level++) {
    if (!Predicate.hasProperty(inner, "sharedMessage")) return true
    inner = inner.sharedMessage
  }
  return false
}

/** Whether a message can be decoded with all messages that it shares. */
export const isWhole = (message: unknown): boolean =>
  !Predicate.hasProperty(message, "sharedMessage") || isReadable(message.sharedMessage)
