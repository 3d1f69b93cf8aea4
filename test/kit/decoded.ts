import { assert } from "@effect/vitest"
import * as UndecodableItem from "effect-herald/UndecodableItem"

/** The entries of a list whose entries all can be read. */
export const decoded = <A>(entries: ReadonlyArray<A | UndecodableItem.UndecodableItem>): ReadonlyArray<A> => {
  assert.deepStrictEqual(entries.filter(UndecodableItem.isUndecodable), [])
  return entries.filter((entry) => UndecodableItem.isDecoded<A>(entry))
}
