/** The parts of a `multipart/form-data` body, from its bytes. Strict: what is not as the standard says is an error. */
import * as Result from "effect/Result"

/** One part, as it came. */
export interface Part {
  readonly name: string
  /** Of a file; text has none. */
  readonly filename: string | undefined
  /** Without its parameters. */
  readonly contentType: string | undefined
  readonly charset: string | undefined
  readonly content: Uint8Array
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

/** Text of UTF-8, if the bytes are that. */
export const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

// A body of megabytes may begin the text at every byte, so these call nothing for a byte.
const startsWith = (bytes: Uint8Array, text: Uint8Array, at: number): boolean => {
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text[index]) return false
  }
  return true
}

const find = (bytes: Uint8Array, text: Uint8Array, from: number): number => {
  for (let at = from; at <= bytes.length - text.length; at++) {
    if (bytes[at] === text[0] && startsWith(bytes, text, at)) return at
  }
  return -1
}

const lineEnd = encoder.encode("\r\n")
const headersEnd = encoder.encode("\r\n\r\n")
const dashes = encoder.encode("--")

/** Bytes that the headers of a part may have. */
const longestHead = 64 * 1_024

/** The parameters behind a header's value. Browsers escape with percents, older clients with backslashes. */
const parameters = (header: string): ReadonlyMap<string, string> =>
  new Map(
    [...header.matchAll(/;\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g)].map((
      [, name = "", quoted, bare = ""]
    ) => [
      name.toLowerCase(),
      quoted?.replace(/\\(["\\])/g, "$1").replace(/%(22|0D|0A)/g, decodeURIComponent) ?? bare
    ])
  )

const parsePart = (head: string, content: Uint8Array): Result.Result<Part, string> => {
  const headers = new Map(
    head.split("\r\n").map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
    })
  )
  const disposition = headers.get("content-disposition") ?? ""
  const named = parameters(disposition)
  const name = named.get("name")
  if (!/^form-data\s*;/i.test(disposition) || name === undefined) return Result.fail("a part has no name")
  const type = headers.get("content-type")
  return Result.succeed({
    name,
    filename: named.get("filename"),
    contentType: type?.split(";")[0]?.trim().toLowerCase(),
    charset: type === undefined ? undefined : parameters(type).get("charset")?.toLowerCase(),
    content
  })
}

/** The parts in their order, or what is wrong with the body. */
export const parse = (contentType: string, body: Uint8Array): Result.Result<ReadonlyArray<Part>, string> =>
  Result.gen(function*() {
    if (!/^multipart\/form-data\s*;/i.test(contentType)) {
      return yield* Result.fail("the content type is not multipart/form-data")
    }
    const boundary = parameters(contentType).get("boundary")
    if (boundary === undefined) return yield* Result.fail("the content type has no boundary")
    const opening = encoder.encode(`--${boundary}`)
    const delimiter = encoder.encode(`\r\n--${boundary}`)
    if (!startsWith(body, opening, 0)) return yield* Result.fail("the body does not begin with its boundary")
    const parts: Array<Part> = []
    let at = opening.length
    while (!startsWith(body, dashes, at)) {
      const end = find(body, headersEnd, at)
      const next = end === -1 ? -1 : find(body, delimiter, end + lineEnd.length)
      if (!startsWith(body, lineEnd, at) || next === -1) return yield* Result.fail("the body breaks off")
      if (end - at > longestHead) return yield* Result.fail("the headers of a part are too long")
      const head = decodeText(body.subarray(at + lineEnd.length, end))
      if (head === undefined) return yield* Result.fail("the headers of a part are not UTF-8")
      const from = end + headersEnd.length
      parts.push(yield* parsePart(head, body.slice(from, Math.max(from, next))))
      at = next + delimiter.length
    }
    return parts
  })
