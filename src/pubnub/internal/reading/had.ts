/**
 * An event that a reader had, and lists of such events, the oldest first. A list is two texts in which each event has a place of
 * fixed width. A reader keeps hundreds of events: V8 moves all that lives when it collects garbage, and a look at old objects one by
 * one reads memory that no cache holds any more.
 */
import * as Marks from "./marks.ts"

export interface Had {
  /** Its timetoken. */
  readonly at: string
  /** Its name in a cursor. */
  readonly mark: string
  /** Its part of a sum. Events with the same id have the same one, since history does not tell them apart. */
  readonly summed: string
}

/** `name` differs from `id` if another event has the same id. */
export const of = (id: string, name = id, at = id.slice(0, 17)): Had => {
  const mark = Marks.of(name)
  return { at, mark, summed: name === id ? mark : Marks.of(id) }
}

/** How sure it is that history shows an event: it is not, it likely will, it did and will again. */
export const unsure = 0
export const stored = 1
export const shown = 2
export type Certainty = typeof unsure | typeof stored | typeof shown

export interface List {
  /** The marks of all, as a cursor has them. */
  readonly marks: string
  /** Of each event its timetoken, its part of a sum, and its certainty. */
  readonly details: string
}

/** How many characters `details` has of an event. */
const width = 17 + Marks.length + 1

export const empty: List = { marks: "", details: "" }

/** The list with one more event, the newest. */
export const add = ({ details, marks }: List, { at, mark, summed }: Had, certainty: Certainty): List => ({
  marks: marks + mark,
  details: details + at + summed + certainty
})

export const joined = (one: List, other: List): List => ({
  marks: one.marks + other.marks,
  details: one.details + other.details
})

/** The events from an index on, or to before another. */
export const slice = ({ details, marks }: List, from: number, to = Infinity): List => ({
  marks: marks.slice(from * Marks.length, to * Marks.length),
  details: details.slice(from * width, to * width)
})

export const size = ({ marks }: List): number => marks.length / Marks.length

/** The timetoken of an event. */
export const atOf = ({ details }: List, index: number): string => details.slice(index * width, index * width + 17)

export const markOf = ({ marks }: List, index: number): string =>
  marks.slice(index * Marks.length, (index + 1) * Marks.length)

export const summedOf = ({ details }: List, index: number): string =>
  details.slice(index * width + 17, (index + 1) * width - 1)

export const certaintyOf = ({ details }: List, index: number): number =>
  details.charCodeAt((index + 1) * width - 1) - 48
