/** Limits how deep messages that share messages are read. */
import * as Predicate from "effect/Predicate"

/** To read a message takes time squared with the messages within each other. */
const most = 16

/** Whether what a message shares is no more messages within each other than are read. */
export const isReadable = (shared: unknown): boolean => {
  let inner = shared
  for (let level = 0; level < most; level++) {
    if (!Predicate.hasProperty(inner, "sharedMessage")) return true
    inner = inner.sharedMessage
  }
  return false
}

/** Whether a message is read with all that it shares. */
export const isWhole = (message: unknown): boolean =>
  !Predicate.hasProperty(message, "sharedMessage") || isReadable(message.sharedMessage)
