/** The parts of a `multipart/form-data` body. */
import * as MultipartParser from "effect/http/MultipartParser"
import * as Result from "effect/Result"

/** One part. */
export interface Part {
  /** The name of the field. */
  readonly name: string
  /** The file name; text has none. */
  readonly filename: string | undefined
  /** The media type without its parameters. */
  readonly contentType: string | undefined
  /** The charset of the media type. */
  readonly charset: string | undefined
  /** The bytes. */
  readonly content: Uint8Array
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The text of the bytes, if they are UTF-8. */
export const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Browsers escape with percents, older clients with backslashes. */
const unescape = (text: string) => text.replace(/\\(["\\])/g, "$1").replace(/%(22|0D|0A)/g, decodeURIComponent)

const problems: Readonly<Record<MultipartParser.MultipartError["_tag"], string>> = {
  InvalidBoundary: "the content type has no boundary",
  BadHeaders: "the headers of a part are too long or malformed",
  InvalidDisposition: "a part has no name",
  ReachedLimit: "it has too many parts",
  EndNotReached: "the body breaks off"
}

const partOf = (info: MultipartParser.PartInfo, content: Uint8Array): Part => ({
  name: unescape(info.name),
  filename: info.filename && unescape(info.filename),
  contentType: "content-type" in info.headers ? info.contentType.toLowerCase() : undefined,
  charset: info.contentTypeParameters["charset"]?.toLowerCase(),
  content
})

/** The parts in their order, or what is wrong with the body. */
export const parse = (contentType: string, body: Uint8Array): Result.Result<ReadonlyArray<Part>, string> => {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    return Result.fail("the content type is not multipart/form-data")
  }
  const parts: Array<Part> = []
  let problem: string | undefined
  const parser = MultipartParser.make({
    headers: { "content-type": contentType },
    isFile: () => false,
    maxParts: Infinity,
    maxFieldSize: body.length,
    onField: (info, content) => parts.push(partOf(info, content)),
    onFile: () => () => {},
    onError: ({ _tag }) => problem ??= problems[_tag],
    onDone: () => {}
  })
  parser.write(body)
  parser.end()
  return problem === undefined ? Result.succeed(parts) : Result.fail(problem)
}
