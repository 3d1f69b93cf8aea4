/**
 * The events that one reader got within the overlap of history, in a form that is small in a cursor.
 */
import type { Cursor } from "../../../Cursor.ts"
import * as Had from "./had.ts"
import * as Marks from "./marks.ts"
import { after, textOf } from "./place.ts"

/** How far before a position history is read, in ticks: messages of other regions arrive seconds late. */
export const overlap = 100_000_000n

/** The timetoken that is earlier by the overlap, which is one in its ninth digit. A `BigInt` for each page would take longer. */
export const overlapBefore = (timetoken: string): string => `${Number(timetoken.slice(0, 9)) - 1}${timetoken.slice(9)}`

/** The most events that have a mark of their own. */
const mostNamed = 530

/** How many events make a sum. */
const perSum = 50

/** How long events stay after they are not needed any more, in ticks. It saves work: they go in groups. */
const slack = 10_000_000n

const aMinute = 600_000_000n

/** After every timetoken. */
export const never = "99999999999999999"

/** The most sums. Beyond it, neighbours are merged. */
const mostSums = 13

/** A sum, and the timetoken of its first event. */
interface Summed {
  readonly from: string
  readonly sum: Sum
}

type Sum = NonNullable<NonNullable<Cursor["recent"]>["sums"]>[number]

/** No event that a reader with this cursor had is later. `now`: the service's time. Two regions differ by less than a minute. */
export const latestOf = ({ position }: Cursor, now: string): string =>
  textOf(BigInt(now > position ? now : position) + aMinute)

/** The marks of all events that a cursor names one by one, the oldest first, joined. */
export const marksOf = (cursor: Cursor | undefined): string =>
  Marks.join([...Marks.split(cursor?.recent?.marks ?? ""), ...cursor?.delivered ?? []])

export class Recent {
  /** The first timetoken of this reader. */
  private birth: string
  /** No later cursor needs an event before this timetoken. */
  private first: string
  /** Marks of an earlier run, the oldest first. Some may be of the page after its position, or of the gap that it was filling. */
  private readonly before: Set<string>
  /** Hardly any of the oldest of them is later: the position at the end of that run, or the end of its sums. */
  private readonly beforeTo: string
  /** None of them is later than this: the moment at which this run began, or its first new position outside history. */
  private beforeUntil: string
  private readonly from: string
  private named = Had.empty
  /** Oldest first. */
  private summed: ReadonlyArray<Summed> = []
  /** The same as in a cursor. All cursors share the list until it changes. */
  private sums: ReadonlyArray<Sum> = []
  /** No event is newer, neither a named one nor one of a sum. */
  private newest: string
  /** Beyond this position, older events are forgotten. */
  private forgetAt = ""
  /** The marks of an earlier run as one text. Undefined after one was removed. */
  private beforeText: string | undefined

  /** `now`: the service's time, if it is known. All events of the cursor came before it. */
  constructor(from: Cursor | undefined, now = never) {
    const { since = "", sums = [] } = from?.recent ?? {}
    this.birth = since
    this.first = since
    this.from = from?.position ?? ""
    this.before = new Set(Marks.split(marksOf(from)))
    // From a clock that is behind nothing follows.
    this.beforeUntil = now > this.from ? now : never
    this.setSums(sums.map((sum, index) => {
      const before = sums[index - 1]
      return { from: before === undefined ? since : after(before[0]), sum }
    }))
    this.newest = sums.at(-1)?.[0] ?? ""
    this.beforeTo = this.newest > this.from ? this.newest : this.from
  }

  private setSums(summed: ReadonlyArray<Summed>): void {
    this.summed = summed
    this.sums = summed.map(({ sum }) => sum)
  }

  /** Sets the first timetoken of a reader without a cursor. */
  begin(since: string): void {
    if (this.birth === "") this.birth = this.first = since
  }

  /** Adds an event. */
  add(one: Had.Had, certainty: Had.Certainty): void {
    const { at, mark, summed } = one
    // Its time is known now.
    if (this.before.size > 0 && this.before.delete(mark)) this.beforeText = undefined
    // It is of an old page. In a sum it would be missing, since nobody reads history from so far back.
    if (at < this.first) return
    // Nearly all events are newer.
    if (at > this.newest) {
      this.newest = at
      this.named = Had.add(this.named, one, certainty)
      return
    }
    if (certainty !== Had.unsure && this.addToSum(summed, at)) return
    let end = Had.size(this.named)
    while (end > 0 && Had.atOf(this.named, end - 1) > at) end--
    // The same event may arrive by two names. It would cancel itself out in a sum.
    for (let index = end - 1; index >= 0 && Had.atOf(this.named, index) === at; index--) {
      if (Had.markOf(this.named, index) === mark) return
    }
    this.named = Had.joined(Had.add(Had.slice(this.named, 0, end), one, certainty), Had.slice(this.named, end))
  }

  /** Adds an event to the sum of its time. Returns false if there is none. */
  private addToSum(mark: string, at: string): boolean {
    const index = this.summed.findLastIndex(({ sum: [to] }) => to < at) + 1
    const found = this.summed[index]
    if (found === undefined) return false
    const { from, sum: [to, count, sum] } = found
    this.setSums(
      this.summed.with(index, { from: at < from ? at : from, sum: [to, count + 1, Marks.sum([sum, mark])] })
    )
    return true
  }

  /** Forgets events that a reader at this position does not need any more. `inHistory`: it has not filled its gap yet. */
  trim(position: string, inHistory = false): void {
    if (!inHistory && position > this.from && position < this.beforeUntil) this.beforeUntil = position
    if (position > this.forgetAt) this.forget(position)
    while (this.named.marks !== "" && Had.size(this.named) + this.before.size > mostNamed) this.sumUp()
  }

  private forget(position: string): void {
    this.forgetAt = textOf(BigInt(position) + slack)
    const bound = overlapBefore(position)
    if (this.beforeUntil < bound) this.before.clear()
    this.setSums(this.summed.filter(({ sum: [to] }) => to >= bound))
    // Events between those of a sum stay as long as it does: a reader that resumes reads all of its time.
    const since = this.since(bound)
    if (since > this.first) this.first = since
    let kept = 0
    while (kept < Had.size(this.named) && Had.atOf(this.named, kept) < since) kept++
    this.named = Had.slice(this.named, kept)
  }

  /** The first timetoken that a reader needs from this one on. */
  private since(bound: string): string {
    const oldest = this.withOldest.find(({ sum: [to] }) => to >= bound)
    return oldest !== undefined && oldest.from < bound ? oldest.from : bound
  }

  /** Gives the part of a cursor at this position. */
  at(position: string): NonNullable<Cursor["recent"]> {
    const bound = overlapBefore(position)
    const since = this.since(bound)
    const { marks, withOldest } = this
    const all = withOldest === this.summed ? this.sums : withOldest.map(({ sum }) => sum)
    // History is not read for older sums, so a reader that resumes must not begin before them.
    const [oldest] = all
    const sums = oldest === undefined || oldest[0] >= bound ? all : all.filter(([to]) => to >= bound)
    return {
      // The service may go back to an old page. Older events were forgotten, and would come again.
      since: since > this.first ? since : this.first,
      marks,
      ...sums.length === 0 ? {} : { sums }
    }
  }

  private get marks(): string {
    if (this.before.size === 0) return this.named.marks
    this.beforeText ??= Marks.join([...this.before].slice(-mostNamed))
    return this.beforeText + this.named.marks
  }

  /**
   * The sums. If an earlier run had more events than a cursor can name, the first sum has the oldest of them. Their times are
   * unknown, so it takes the place of all sums of the time in which they may be.
   */
  private get withOldest(): ReadonlyArray<Summed> {
    if (this.before.size <= mostNamed) return this.summed
    const oldest = [...this.before].slice(0, -mostNamed)
    const after = this.summed.filter(({ from }) => from > this.beforeTo)
    const replaced = this.summed.slice(0, this.summed.length - after.length).map(({ sum }) => sum)
    const end = replaced.at(-1)?.[0] ?? ""
    const count = replaced.reduce((all, [, one]) => all + one, oldest.length)
    const sum = Marks.sum([...oldest, ...replaced.map(([, , one]) => one)])
    return [{ from: this.birth, sum: [end > this.beforeTo ? end : this.beforeTo, count, sum] }, ...after]
  }

  /** Replaces the oldest events of one kind by a sum. */
  private sumUp(): void {
    const { named } = this
    const isOfKind = this.kindToSum()
    const part: Array<number> = []
    let others = Had.empty
    let seen = 0
    for (; seen < Had.size(named); seen++) {
      const last = part.at(-1)
      // Events of one timetoken stay together.
      if (last !== undefined && part.length >= perSum && Had.atOf(named, seen) !== Had.atOf(named, last)) break
      if (isOfKind(Had.certaintyOf(named, seen))) part.push(seen)
      else others = Had.joined(others, Had.slice(named, seen, seen + 1))
    }
    const rest = part.filter((index) => !this.addToSum(Had.summedOf(named, index), Had.atOf(named, index)))
    const [first] = rest
    const last = rest.at(-1)
    if (first !== undefined && last !== undefined) {
      const sum = Marks.sum(rest.map((index) => Had.summedOf(named, index)))
      const one: Sum = [Had.atOf(named, last), rest.length, sum]
      const summed = [...this.summed, { from: Had.atOf(named, first), sum: one }]
      this.setSums(summed.length > mostSums ? merged(summed) : summed)
    }
    this.named = Had.joined(others, Had.slice(named, seen))
  }

  /** The kind to sum up. A sum with a message that was not stored would not match history. */
  private kindToSum(): (certainty: number) => boolean {
    let stored = 0
    let shown = 0
    const size = Had.size(this.named)
    for (let index = 0; index < size; index++) {
      const certainty = Had.certaintyOf(this.named, index)
      if (isStored(certainty)) stored++
      if (isShown(certainty)) shown++
    }
    // Beside many marks of an earlier run there may not be enough of any kind.
    const isCrammed = Math.max(stored, size - stored) <= perSum
    const enough = isCrammed ? 0 : perSum
    return shown > enough ? isShown : stored > enough ? isStored : isUnsure
  }
}

/** The cursor of a reader that got only a part of the summed events. Sums do not help it, so it does not read their time again. */
export const withoutSums = (cursor: Cursor): Cursor => {
  const { recent } = cursor
  const last = recent?.sums?.at(-1)
  return recent === undefined || last === undefined
    ? cursor
    : { ...cursor, recent: { since: after(last[0]), marks: recent.marks } }
}

const isShown = (certainty: number): boolean => certainty === Had.shown

const isStored = (certainty: number): boolean => certainty !== Had.unsure

const isUnsure = (certainty: number): boolean => certainty === Had.unsure

const merged = (sums: ReadonlyArray<Summed>): Array<Summed> =>
  sums.flatMap(({ from, sum }, index): Array<Summed> => {
    if (index % 2 === 0 && index < sums.length - 1) return []
    const before = sums[index - 1]
    if (index % 2 === 0 || before === undefined) return [{ from, sum }]
    const [to, count, marks] = sum
    const [, countBefore, marksBefore] = before.sum
    return [{ from: before.from, sum: [to, count + countBefore, Marks.sum([marks, marksBefore])] }]
  })
