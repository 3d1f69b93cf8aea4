/** Extracts the plain text of markup. Blocks become lines, and cells of tables are separated by tabs. */
import type * as Xml from "effect/encoding/Xml"

/** Elements that start a new line before and after them. */
const blocks = new Set(
  ("article blockquote body button card div expandable-card footer form h1 h2 h3 h4 h5 h6 header hr li ol option p pre " +
    "section select table tbody textarea tfoot thead tr ul").split(" ")
)
const cells = new Set(["td", "th"])

/** The text of a document. Removes white space at its ends and around blocks, except in `pre`. */
export const textOf = (events: ReadonlyArray<Xml.Event>): string => {
  const done: Array<string> = []
  let part: Array<string> = []
  /** Whether the current line or cell is empty. */
  let isEmpty = true
  /** Whether the next text starts a new line. */
  let isOver = false
  /** Whether the current row has a cell. */
  let inRow = false
  let preformatted = 0

  const separate = (separator: string) => {
    done.push(part.join("").trimEnd(), separator)
    part = []
    isEmpty = true
    isOver = false
  }
  const begin = () => {
    if (isOver) separate("\n")
  }
  const boundary = (name: string) => {
    if (!isEmpty || name === "tr" && inRow) isOver = true
    if (name === "tr") inRow = false
  }

  for (const event of events) {
    if (event._tag === "Text") {
      const text = preformatted === 0 && (isEmpty || isOver) ? event.text.trimStart() : event.text
      if (text === "") continue
      begin()
      part.push(text)
      isEmpty = false
    } else if (event._tag === "StartElement") {
      if (blocks.has(event.name)) boundary(event.name)
      if (event.name === "pre") preformatted++
      if (event.name === "br") {
        begin()
        separate("\n")
      }
      if (cells.has(event.name)) {
        if (inRow) separate("\t")
        begin()
        inRow = true
      }
    } else if (event._tag === "EndElement") {
      if (blocks.has(event.name)) boundary(event.name)
      if (event.name === "pre") preformatted--
    }
  }
  return [...done, ...part].join("").trim()
}
