/**
 * The events that one reader got within the overlap of history, in a form that is small in a cursor.
 */
import type { Cursor } from "../../../Cursor.ts"
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

/** An event that a reader got. */
export interface Had {
  /** Its timetoken. */
  readonly at: string
  /** Its name in a cursor. */
  readonly mark: string
  /** Its part of a sum. Events with the same id have the same one, since history does not tell them apart. */
  readonly summed: string
}

/** `name` differs from `id` if another event has the same id. */
export const hadOf = (id: string, name = id, at = id.slice(0, 17)): Had => {
  const mark = Marks.of(name)
  return { at, mark, summed: name === id ? mark : Marks.of(id) }
}

interface Named extends Had {
  /** Whether history will likely show it. */
  readonly isStored: boolean
  /** Whether history showed it, and will again. */
  readonly isShown: boolean
}

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
  /** Oldest first. */
  private named: Array<Named> = []
  /** How many of them are stored, and how many of those history has shown. */
  private stored = 0
  private shown = 0
  /** Oldest first. */
  private summed: ReadonlyArray<Summed> = []
  /** The same as in a cursor. All cursors share the list until it changes. */
  private sums: ReadonlyArray<Sum> = []
  /** No event is newer, neither a named one nor one of a sum. */
  private newest: string
  /** Beyond this position, older events are forgotten. */
  private forgetAt = ""
  /** All marks as one text. Undefined after a mark was removed or inserted. */
  private text: string | undefined

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

  /** Adds an event. `isStored`: history will likely show it. `isShown`: history has shown it. */
  add({ at, mark, summed }: Had, isStored: boolean, isShown = false): void {
    // Its time is known now.
    if (this.before.size > 0 && this.before.delete(mark)) this.text = undefined
    // It is of an old page. In a sum it would be missing, since nobody reads history from so far back.
    if (at < this.first) return
    const item = { at, mark, summed, isStored, isShown }
    // Nearly all events are newer. With many readers, a look at older events reads memory that no cache holds any more.
    if (at > this.newest) {
      this.newest = at
      this.text = this.marks + mark
      this.named.push(item)
      return this.count(item, 1)
    }
    if (isStored && this.addToSum(summed, at)) return
    let last = this.named.length - 1
    for (let other = this.named[last]; other !== undefined && other.at > at; other = this.named[last]) last--
    // The same event may arrive by two names. It would cancel itself out in a sum.
    for (let index = last; this.named[index]?.at === at; index--) if (this.named[index]?.mark === mark) return
    this.count(item, 1)
    if (last === this.named.length - 1) {
      this.text = this.marks + mark
      this.named.push(item)
    } else {
      this.text = undefined
      this.named.splice(last + 1, 0, item)
    }
  }

  private count({ isShown, isStored }: Named, by: 1 | -1): void {
    if (!isStored) return
    this.stored += by
    if (isShown) this.shown += by
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
    while (this.named.length > 0 && this.named.length + this.before.size > mostNamed) this.sumUp()
  }

  private forget(position: string): void {
    this.forgetAt = textOf(BigInt(position) + slack)
    this.text = undefined
    const bound = overlapBefore(position)
    if (this.beforeUntil < bound) this.before.clear()
    this.setSums(this.summed.filter(({ sum: [to] }) => to >= bound))
    // Events between those of a sum stay as long as it does: a reader that resumes reads all of its time.
    const since = this.since(bound)
    if (since > this.first) this.first = since
    const kept = this.named.findIndex(({ at }) => at >= since)
    for (const item of this.named.splice(0, kept === -1 ? this.named.length : kept)) this.count(item, -1)
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
    return this.text ??= Marks.join([...this.before].slice(-mostNamed).concat(this.named.map(({ mark }) => mark)))
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
    const isOfKind = this.kindToSum()
    const part: Array<Named> = []
    const others: Array<Named> = []
    let seen = 0
    for (const item of this.named) {
      // Events of one timetoken stay together.
      if (part.length >= perSum && item.at !== part.at(-1)?.at) break
      if (isOfKind(item)) {
        part.push(item)
        this.count(item, -1)
      } else others.push(item)
      seen++
    }
    const [first] = part
    const last = part.at(-1)
    if (first === undefined || last === undefined) return
    // A busy reader does this for each page, and joining all marks again would take most of the time.
    const isPrefix = others.length === 0 && this.before.size === 0
    this.text = isPrefix ? this.text?.slice(seen * Marks.length) : undefined
    const newest = this.sums.at(-1)?.[0] ?? ""
    const rest = first.at > newest ? part : part.filter(({ at, summed }) => !this.addToSum(summed, at))
    const [{ at: from } = first] = rest
    if (rest.length > 0) {
      const sum = Marks.sum(rest.map(({ summed }) => summed))
      const summed = [...this.summed, { from, sum: [last.at, rest.length, sum] as const }]
      this.setSums(summed.length > mostSums ? merged(summed) : summed)
    }
    this.named.splice(0, seen, ...others)
  }

  /** The kind to sum up. A sum with a message that was not stored would not match history. */
  private kindToSum(): (item: Named) => boolean {
    const { shown, stored } = this
    // Beside many marks of an earlier run there may not be enough of any kind.
    const isCrammed = Math.max(stored, this.named.length - stored) <= perSum
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

const isStored = (item: Named): boolean => item.isStored

const isShown = (item: Named): boolean => item.isStored && item.isShown

const isUnsure = (item: Named): boolean => !item.isStored

const merged = (sums: ReadonlyArray<Summed>): Array<Summed> =>
  sums.flatMap(({ from, sum }, index): Array<Summed> => {
    if (index % 2 === 0 && index < sums.length - 1) return []
    const before = sums[index - 1]
    if (index % 2 === 0 || before === undefined) return [{ from, sum }]
    const [to, count, marks] = sum
    const [, countBefore, marksBefore] = before.sum
    return [{ from: before.from, sum: [to, count + countBefore, Marks.sum([marks, marksBefore])] }]
  })
