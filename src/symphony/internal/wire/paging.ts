/** Streams all pages of a list. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Json from "../../../internal/json.ts"
import * as Paging from "../../../internal/paging.ts"
import * as SymphonyError from "../../SymphonyError.ts"
import { isDecoded, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as Endpoint from "./endpoint.ts"

export interface Page<S, A> {
  /** The text of the answer. */
  readonly entries: ReadonlyArray<A | UndecodableItem>
  /** The entries that no earlier page had. Default: all. */
  readonly fresh?: ReadonlyArray<A | UndecodableItem>
  /** The start of the next page, if there is one. Fails with a sentence if it cannot be requested. */
  readonly next: Option.Option<S> | string
}

interface Place<S> {
  readonly at: S
  readonly previous: ReadonlyArray<unknown>
}

/**
 * Streams page after page. Fails if a page from another place is the same as the page before: such a list has no end.
 */
export const paginate = <S, A, R>(
  request: Parameters<typeof Endpoint.errorOf>[0],
  start: S,
  ask: (start: S) => Effect.Effect<Page<S, A>, SymphonyError.SymphonyError, R>
): Stream.Stream<A | UndecodableItem, SymphonyError.SymphonyError, R> => {
  const unreadable = (description: string): Option.Option<Place<S> | string> => Option.some(description)
  const first: Place<S> | string = { at: start, previous: [] }
  return Paging.paginate(first, (place: Place<S> | string) =>
    typeof place === "string"
      ? Effect.fail(
        Endpoint.errorOf(request)(new SymphonyError.Malformed({ status: 200, description: place, excerpt: "" }))
      )
      : Effect.map(ask(place.at), ({ entries, fresh = entries, next }) => {
        const isAgain = entries.some(isDecoded) && Json.equal(entries, place.previous)
        return [
          isAgain ? [] : fresh,
          typeof next === "string"
            ? unreadable(next)
            : isAgain
            ? unreadable("the page before it came again")
            : Option.map(next, (at): Place<S> | string => ({ at, previous: entries }))
        ] as const
      }))
}
