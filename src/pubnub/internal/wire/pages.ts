/**
 * Pages of a range, which the service gives from the new end, and streams of it from either end. `History` and
 * `MessageActions` share them.
 */
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import * as Paging from "../../../internal/paging.ts"
import type { Page } from "../../../Page.ts"
import type { Detail } from "../../PubNubError.ts"
import * as Timetoken from "../../Timetoken.ts"

/** The range of a caller: from `since` on, older than `before`, and older than `next` of the page before. */
export interface Range {
  readonly since?: Timetoken.Input | undefined
  readonly before?: Timetoken.Input | undefined
  readonly next?: Timetoken.Timetoken | undefined
}

/** The range of a request: from `since` on, and older than `before`. */
interface Bounds {
  readonly since: Timetoken.Timetoken | undefined
  readonly before: Timetoken.Timetoken | undefined
}

const isTimetoken = Schema.is(Timetoken.Timetoken)

export const timetoken: Input.Check = (value) =>
  isTimetoken(value) ? undefined : `is ${Input.shown(value)}, not a timetoken of 17 digits`

/** The timetoken of what a caller gave as a bound. */
export const timetokenOf = (input: unknown): Timetoken.Timetoken | undefined =>
  isTimetoken(input)
    ? input
    : DateTime.isDateTime(input) || input instanceof Date
    ? Option.getOrUndefined(Timetoken.fromDateTime(input))
    : undefined

const shownBound = (value: unknown): string =>
  DateTime.isDateTime(value) || value instanceof Date && !Number.isNaN(value.getTime())
    ? DateTime.formatIso(DateTime.makeUnsafe(value))
    : Input.shown(value)

/** A timetoken, or a moment that has one. */
export const bound: Input.Check = (value) =>
  timetokenOf(value) === undefined
    ? `is ${shownBound(value)}, not a timetoken of 17 digits or a date from 2001 to 2286`
    : undefined

/** The bounds of a range, and what is wrong with them. */
export const boundsOf = (
  { before, next, since }: Range,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean }
): Bounds & { readonly issues: ReadonlyArray<Detail> } => {
  const bounds = { since: timetokenOf(since), before: timetokenOf(next ?? before) }
  const issues = Input.issues({
    since: Input.optional(bound)(since),
    before: Input.optional(bound)(before),
    next: Input.optional(timetoken)(next)
  })
  if (issues.length > 0 || bounds.since === undefined || bounds.before === undefined) return { ...bounds, issues }
  const isFine = bounds.before > bounds.since || mayBeEmpty && bounds.before === bounds.since
  const message = mayBeEmpty ? "is earlier than since" : "is not later than since"
  return { ...bounds, issues: isFine ? [] : [{ location: next === undefined ? "before" : "next", message }] }
}

/**
 * A page of those items that belong to the range, oldest first, or why there would be no end to the pages. A proxy may answer in
 * another order, or about another range. The next page ends before the oldest item; where the service says (`more`) only if no item
 * has a time.
 */
export const of = <A extends { readonly timetoken?: Timetoken.Timetoken | undefined }>(
  came: ReadonlyArray<A>,
  limit: number,
  more: Timetoken.Timetoken | undefined,
  { before, since }: Bounds
): Result.Result<Page<A, Timetoken.Timetoken>, string> => {
  const items = inOrder(
    came.filter(({ timetoken }) =>
      timetoken === undefined || (since === undefined || timetoken >= since) &&
        (before === undefined || timetoken < before)
    )
  )
  // Items outside of the range took places on the page, too.
  if (more === undefined && came.length < limit) return Result.succeed({ items })
  if (items.length === 0) return Result.fail("it has nothing of the range, and says that there is more")
  const next = items.find(isDated)?.timetoken ?? more
  // Nothing older belongs to the range: a page that ends at its first timetoken was the last.
  if (next === undefined || since !== undefined && next <= since) return Result.succeed({ items })
  return before === undefined || next < before
    ? Result.succeed({ items, next })
    : Result.fail(`the next page would end at ${next}, and this one ends before ${before}`)
}

/** An item without a time stays behind the one before it. */
const inOrder = <A extends { readonly timetoken?: Timetoken.Timetoken | undefined }>(
  items: ReadonlyArray<A>
): ReadonlyArray<A> => {
  let last = ""
  const timed = items.map((item) => ({ item, at: last = item.timetoken ?? last }))
  return timed.toSorted((one, other) => one.at < other.at ? -1 : one.at > other.at ? 1 : 0).map(({ item }) => item)
}

const isDated = ({ timetoken }: { readonly timetoken?: Timetoken.Timetoken | undefined }): boolean =>
  timetoken !== undefined

export interface Ordered extends Omit<Range, "next"> {
  readonly order?: "newestFirst" | "oldestFirst" | undefined
}

/** Asks for one page of a range. */
type Ask<A, E, R> = (range: Range) => Effect.Effect<Page<A, Timetoken.Timetoken>, E, R>

/** The items of a range, page after page as `ask` gives them. It stops asking when its reader stops. */
export const stream = <A, E, R>({ before, order, since }: Ordered, ask: Ask<A, E, R>): Stream.Stream<A, E, R> => {
  // A `Date` may change while the stream runs. The first page refuses what is not a bound.
  const range = { since: timetokenOf(since) ?? since, before: timetokenOf(before) ?? before }
  return order === "oldestFirst" ? oldestFirst(range, ask) : newestFirst(range, ask)
}

/** Pages from the new end to the old, as the service gives them: of each, what `shown` shows. */
const backwards = <A, B, E, R>(
  { before, since }: Range,
  ask: Ask<A, E, R>,
  shown: (page: Page<A, Timetoken.Timetoken>) => ReadonlyArray<B>
): Stream.Stream<B, E, R> =>
  Paging.paginate(
    before,
    (before) => Effect.map(ask({ before, since }), (page) => [shown(page), Option.fromUndefinedOr(page.next)] as const)
  )

const newestFirst = <A, E, R>(range: Range, ask: Ask<A, E, R>): Stream.Stream<A, E, R> =>
  backwards(range, ask, ({ items }) => items.toReversed())

/** The pages to keep on the way back to the old end: a thousand items. */
const kept = 10

const oldestFirst = <A, E, R>(range: Range, ask: Ask<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.unwrap(Effect.gen(function*() {
    // The end of each page, from the new end on, and the last pages.
    const ends: Array<Timetoken.Input | undefined> = []
    const pages: Array<Page<A, Timetoken.Timetoken>> = []
    let end = range.before
    yield* Stream.runForEach(backwards(range, ask, (page) => [page]), (page) =>
      Effect.sync(() => {
        ends.push(end)
        end = page.next
        pages.push(page)
        if (pages.length > kept) pages.shift()
      }))
    const known = pages.toReversed().flatMap(({ items }) => items)
    // The other pages are requested again, the oldest first. Each goes from the end of the page behind it to its own end.
    const letGo = Arr.zip(ends, ends.slice(1)).slice(0, ends.length - pages.length)
    return Paging.paginate(letGo.length, (index) => {
      const range = letGo[index]
      const items = range === undefined
        ? Effect.succeed(known)
        : Stream.runCollect(oldestFirst({ before: range[0], since: range[1] }, ask))
      return Effect.map(items, (items) => [items, index === 0 ? Option.none() : Option.some(index - 1)] as const)
    })
  }))
