/**
 * A range that the service gives in pages from its new end, as a stream from either end. Shared by `History` and
 * `MessageActions`.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import type { Detail } from "../../PubNubError.ts"
import { Timetoken } from "../../Timetoken.ts"
import * as Paging from "../../../internal/paging.ts"

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

/** A timetoken. */
export const timetoken: Input.Check = (value) =>
  isTimetoken(value) ? undefined : `is ${Input.shown(value)}, not a timetoken of 17 digits`

const isTimetoken = Schema.is(Timetoken)

/** What is wrong with the bounds of a range. */
export const issuesOf = (
  { before, since }: Range,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean }
): ReadonlyArray<Detail> => {
  const issues = Input.issues({ since: Input.optional(timetoken)(since), before: Input.optional(timetoken)(before) })
  if (issues.length > 0 || since === undefined || before === undefined) return issues
  return before > since || mayBeEmpty && before === since
    ? []
    : [{ location: "before", message: mayBeEmpty ? "is earlier than since" : "is not later than since" }]
}

/**
 * A page of the entries that came, or a sentence on why there is no end to them: an older page has to end before this one.
 * `more` is what the service says, which cuts a page short where there is too much on it.
 */
export const of = <A extends { readonly timetoken?: Timetoken | undefined }>(
  entries: ReadonlyArray<A>,
  limit: number,
  more: Timetoken | undefined,
  before: Timetoken | undefined
): Result.Result<Page<A>, string> => {
  const next = more ?? (entries.length < limit ? undefined : entries.find(isDated)?.timetoken)
  if (next === undefined) return Result.succeed({ entries })
  return before === undefined || next < before
    ? Result.succeed({ entries, next })
    : Result.fail(`the next page would end at ${next}, and this one ends before ${before}`)
}

const isDated = ({ timetoken }: { readonly timetoken?: Timetoken | undefined }): boolean => timetoken !== undefined

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
  Paging.paginate(before, (before) =>
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
