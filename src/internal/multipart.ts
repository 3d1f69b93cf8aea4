/**
 * Writes `multipart/form-data` bodies. `FormData` does not fit: text needs a charset for one service and no type for the other, file
 * names are plain UTF-8, and each attempt must send the same bytes.
 */
import * as Effect from "effect/Effect"
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

export interface Part<out E = never, out R = never> {
  readonly name: string
  /** The name of a file. */
  readonly fileName?: string
  /** Default: none is written. */
  readonly contentType?: string
  readonly content: string | Uint8Array | Stream.Stream<Uint8Array, E, R>
}

const utf8 = new TextEncoder()

export const text = (name: string, content: string): Part => ({
  name,
  contentType: "text/plain; charset=utf-8",
  content
})

const escapes: { readonly [character: string]: string } = { "\"": "%22", "\r": "%0D", "\n": "%0A" }

// Escapes names as browsers do.
const quoted = (name: string): string => `"${name.replace(/["\r\n]/g, (character) => escapes[character] ?? "")}"`

const head = (
  boundary: string,
  { contentType, fileName, name }: Omit<Part<unknown, unknown>, "content">
): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name=${quoted(name)}${
    fileName === undefined ? "" : `; filename=${quoted(fileName)}`
  }${contentType === undefined ? "" : `\r\nContent-Type: ${contentType}`}\r\n\r\n`

/** What comes before and after the content of a file that is the last part of a form. */
export const around = (
  boundary: string,
  fields: ReadonlyArray<readonly [name: string, value: string]>,
  file: Omit<Part, "content">
): { readonly before: Uint8Array<ArrayBuffer>; readonly after: Uint8Array<ArrayBuffer> } => ({
  before: utf8.encode(
    fields.map(([name, value]) => `${head(boundary, { name })}${value}\r\n`).join("") + head(boundary, file)
  ),
  after: utf8.encode(`\r\n--${boundary}--\r\n`)
})

/** A form of texts alone. */
export const ofTexts = (boundary: string, fields: ReadonlyArray<readonly [name: string, value: string]>): string =>
  `${fields.map(([name, value]) => `${head(boundary, text(name, value))}${value}\r\n`).join("")}--${boundary}--\r\n`

/** Bytes if all parts are bytes, else a stream. */
export const encode = <E, R>(
  boundary: string,
  parts: ReadonlyArray<Part<E, R>>
): Uint8Array | Stream.Stream<Uint8Array, E, R> => {
  const pieces: Array<Uint8Array | Stream.Stream<Uint8Array, E, R>> = []
  /** What comes before the next content that is no text. */
  let text = ""
  for (const part of parts) {
    text += head(boundary, part)
    if (typeof part.content === "string") text += part.content
    else {
      pieces.push(utf8.encode(text), part.content)
      text = ""
    }
    text += "\r\n"
  }
  pieces.push(utf8.encode(`${text}--${boundary}--\r\n`))
  return pieces.every((piece) => piece instanceof Uint8Array)
    ? concat(pieces)
    : Stream.flatten(
      Stream.fromArray(pieces.map((piece) => piece instanceof Uint8Array ? Stream.succeed(piece) : piece))
    )
}

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [first] = pieces
  if (pieces.length === 1 && first !== undefined) return first
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** The media type of a file, from its name. */
export const typeOf = (fileName: string): string =>
  Option.getOrElse(Mime.getType(fileName), () => "application/octet-stream")

/** A text that no content holds, but by an unlikely chance. */
export const newBoundary: Effect.Effect<string> = Effect.map(Random.Random, (random) => {
  let boundary = "effect-herald-"
  for (let count = 0; count < 4; count++) boundary += Math.floor(random.nextDoubleUnsafe() * 2 ** 30)
  return boundary
})
