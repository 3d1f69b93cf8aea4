/**
 * Delivered events in the order of their names. They are in lists and in one text, without an object for each: V8 moves all that
 * is remembered whenever it collects garbage, and for thousands of objects this takes longer than all other work.
 */
import * as Json from "../../../internal/json.ts"
import * as Marks from "./marks.ts"

/** The names as one text, and where each of them ends. */
interface Packed {
  readonly text: string
  readonly ends: Uint32Array
}

export class Generation {
  /** Nearly all come in their order, so a map would cost more. */
  private readonly names: Array<string> = []
  private packed: Packed | undefined
  /** The first and the last name, once it is packed. */
  private first = ""
  private last = ""
  /** The subscribed names by which each event arrived: mostly one. */
  private readonly by: Array<string | Set<string>> = []
  private readonly contents: Array<unknown> = []
  private isForgotten = false
  /** The marks of contents, by name: of events whose id another event has, too. */
  private readonly marks = new Map<string, string>()

  get size(): number {
    return this.by.length
  }

  nameAt(index: number): string {
    const { names, packed } = this
    if (packed === undefined) return names[index] ?? ""
    return packed.text.slice(packed.ends[index - 1] ?? 0, packed.ends[index])
  }

  /** The index of a name. */
  find(name: string): number | undefined {
    // There may be hundreds of generations, and most do not have its time.
    if (this.packed !== undefined && (name < this.first || name > this.last)) return undefined
    const index = this.indexOf(name)
    return index < this.size && this.nameAt(index) === name ? index : undefined
  }

  /** The first index with a name that is not smaller. */
  private indexOf(name: string): number {
    let from = 0
    let to = this.size
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.nameAt(middle) < name) from = middle + 1
      else to = middle
    }
    return from
  }

  add(name: string, by: string, content: unknown): void {
    const last = this.names.at(-1)
    if (last === undefined || last < name) {
      this.names.push(name)
      this.by.push(by)
      this.contents.push(content)
    } else {
      const index = this.indexOf(name)
      this.names.splice(index, 0, name)
      this.by.splice(index, 0, by)
      this.contents.splice(index, 0, content)
    }
  }

  /** Called when no further event comes. Empties the list, since an old list keeps its parts alive even after nobody needs it. */
  pack(): void {
    const ends = new Uint32Array(this.names.length)
    let end = 0
    for (const [index, name] of this.names.entries()) ends[index] = end += name.length
    this.packed = { text: this.names.join(""), ends }
    this.first = this.names[0] ?? ""
    this.last = this.names.at(-1) ?? ""
    this.names.length = 0
  }

  /** Forgets the contents. */
  forget(): void {
    this.isForgotten = true
    this.contents.length = 0
  }

  /** Notes the content of an event, after another event with its id arrived. */
  note(index: number): void {
    const name = this.nameAt(index)
    if (!this.marks.has(name)) this.marks.set(name, markOf(this.contents[index]))
  }

  /** Whether an event has this content. If it was forgotten, only the mark can differ, and only if other events had its id. */
  isSame(index: number, content: unknown): boolean {
    if (!this.isForgotten) return Json.equal(this.contents[index], content)
    const mark = this.marks.get(this.nameAt(index))
    return mark === undefined || mark === markOf(content)
  }

  /** Adds a subscribed name to an event. Says whether it is new. */
  addName(index: number, name: string): boolean {
    const before = this.by[index]
    if (before === undefined || before === name) return false
    if (typeof before === "string") {
      this.by[index] = new Set([before, name])
      return true
    }
    if (before.has(name)) return false
    before.add(name)
    return true
  }
}

export const markOf = (content: unknown): string => Marks.of(Json.text(content))
