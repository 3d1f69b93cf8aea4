/**
 * A range that the service gives in pages from its new end, as a stream from either end. Shared by `History` and
 * `MessageActions`.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Detail } from "../../PubNubError.ts"
import { Timetoken } from "../../Timetoken.ts"

/** From `since` on, and older than `before`. */
export interface Range {
  readonly since?: Timetoken | undefined
  readonly before?: Timetoken | undefined
}

export interface Ordered extends Range {
  readonly order?: "newestFirst" | "oldestFirst" | undefined
}

export interface Page<A> {
  /** Oldest first. */
  readonly entries: ReadonlyArray<A>
  /** Where the next older page ends. */
  readonly next?: Timetoken
}

const isTimetoken = Schema.is(Timetoken)

/** What is wrong with the bounds of a range. */
export const issuesOf = ({ before, since }: Range): ReadonlyArray<Detail> =>
  [["since", since] as const, ["before", before] as const].flatMap(([location, timetoken]) =>
    timetoken === undefined || isTimetoken(timetoken)
      ? []
      : [{ location, message: "is not a timetoken of 17 digits" }]
  )

/** The entries of a range, page after page as `ask` gives them. It stops asking when its reader stops. */
export const stream = <A, E, R>(
  range: Ordered,
  ask: (range: Range) => Effect.Effect<Page<A>, E, R>
): Stream.Stream<A, E, R> => range.order === "oldestFirst" ? oldestFirst(range, ask) : newestFirst(range, ask)

/** Pages from the new end to the old, as the service gives them. */
const backwards = <A, E, R>(
  { before, since }: Range,
  ask: (range: Range) => Effect.Effect<Page<A>, E, R>
): Stream.Stream<Page<A>, E, R> =>
  Stream.paginate(before, (before) =>
    Effect.map(ask({ before, since }), (page) =>
      [
        [page],
        page.next === undefined || isBefore(page.next, since) ? Option.none() : Option.some(page.next)
      ] as const))

// Nothing older belongs to the range: a page that ends at its first timetoken was the last.
const isBefore = (next: Timetoken, since: Timetoken | undefined): boolean => since !== undefined && next <= since

const newestFirst = <A, E, R>(
  range: Range,
  ask: (range: Range) => Effect.Effect<Page<A>, E, R>
): Stream.Stream<A, E, R> =>
  Stream.flatMap(backwards(range, ask), (page) => Stream.fromIterable(page.entries.toReversed()))

/** So many pages are kept on the way back to the old end: a thousand entries. */
const kept = 10

const oldestFirst = <A, E, R>(
  range: Range,
  ask: (range: Range) => Effect.Effect<Page<A>, E, R>
): Stream.Stream<A, E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    // Where each page ended, from the new end on, and the last of the pages.
    const ends: Array<Timetoken | undefined> = []
    const pages: Array<Page<A>> = []
    let end = range.before
    yield* Stream.runForEach(backwards(range, ask), (page) =>
      Effect.sync(() => {
        ends.push(end)
        end = page.next
        pages.push(page)
        if (pages.length > kept) pages.shift()
      }))
    const known = Stream.fromIterable(pages.toReversed().flatMap((page) => page.entries))
    // What was let go is asked for again: each page goes from the end of the one behind it to its own.
    const letGo = Array.from({ length: ends.length - pages.length }, (_, index) => index).toReversed()
    const again = Stream.flatMap(
      Stream.fromIterable(letGo),
      (index) => oldestFirst({ before: ends[index], since: ends[index + 1] }, ask)
    )
    return Stream.concat(known, again)
  }))
