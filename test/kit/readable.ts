import { assert } from "@effect/vitest"
import { UnreadableItem } from "effect-herald/pubnub"

/** The entries of a list whose entries all can be read. */
export const readable = <A>(entries: ReadonlyArray<A | UnreadableItem.UnreadableItem>): ReadonlyArray<A> => {
  assert.deepStrictEqual(entries.filter(UnreadableItem.isUnreadable), [])
  return entries.filter((entry) => UnreadableItem.isReadable<A>(entry))
}
