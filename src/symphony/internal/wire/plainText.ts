/** The text of markup: what its elements show on lines of their own, or in cells of their own, stays apart. */
import type * as Xml from "effect/encoding/Xml"

/** Elements that begin a line, and behind which another one begins. */
const blocks = new Set(
  ("article blockquote body button card div expandable-card footer form h1 h2 h3 h4 h5 h6 header hr li ol option p pre " +
    "section select table tbody textarea tfoot thead tr ul").split(" ")
)
const cells = new Set(["td", "th"])

/** The text of a document. White space is left out at its ends and around its blocks, but not within `pre`. */
export const textOf = (events: ReadonlyArray<Xml.Event>): string => {
  const done: Array<string> = []
  let part: Array<string> = []
  /** Nothing stands in the line, or the cell, so far. */
  let isEmpty = true
  /** Another line begins before the next text. */
  let isOver = false
  /** The row has a cell. */
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
