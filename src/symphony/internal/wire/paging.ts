/** All pages of a list of the service, as a stream. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Json from "../../../internal/json.ts"
import * as Paging from "../../../internal/paging.ts"
import * as SymphonyError from "../../SymphonyError.ts"
import { isDecoded, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as Endpoint from "./endpoint.ts"

export interface Page<S, A> {
  /** As it came. */
  readonly entries: ReadonlyArray<A | UndecodableItem>
  /** The entries that no earlier page had. Default: all. */
  readonly fresh?: ReadonlyArray<A | UndecodableItem>
  /** Where the next page begins, if there is one, or a sentence on why it cannot be asked for. */
  readonly next: Option.Option<S> | string
}

interface Place<S> {
  readonly at: S
  readonly previous: ReadonlyArray<unknown>
}

/**
 * A page after another. One that is the same as the page before it, although it was asked for from another place, has no end
 * behind it: the stream fails.
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
