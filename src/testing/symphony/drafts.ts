/** Reads messages from multipart bodies, as the Agent does. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import type { Request } from "./call.ts"
import * as messageML from "./messageML.ts"
import * as multipart from "../server/multipart.ts"
import type { Draft, File } from "./pod.ts"
import { isBlocked, type Service } from "./service.ts"

/** A draft, and the streams of a blast. */
export interface Read {
  readonly draft: Draft
  readonly sids: string
}

const fileParts = ["attachment", "preview"]

const badRequest = (message: string) => Effect.fail(answers.badRequest(message))

/** 30 MB: all parts of a message together. */
const largest = 30 * 1024 * 1024

/** Pairs files with their previews; `undefined` if there are some previews, but not as many. */
const filesOf = (parts: ReadonlyArray<multipart.Part>): ReadonlyArray<File> | undefined => {
  const attachments = parts.filter(({ name }) => name === "attachment")
  const previews = parts.filter(({ name }) => name === "preview")
  if (previews.length > 0 && previews.length !== attachments.length) return undefined
  return attachments.map(({ content, contentType, filename }, i) => ({
    name: filename ?? "",
    contentType: contentType ?? "application/octet-stream",
    content,
    preview: previews[i]?.content
  }))
}

/** Reads a message; `texts` are the parts that are text. */
export const read = Effect.fnUntraced(
  function*(
    service: Service,
    { body, headers }: Request,
    texts: ReadonlyArray<string>
  ): Effect.fn.Return<Read, Answer> {
    const parsed = multipart.parse(headers["content-type"] ?? "", body)
    if (Result.isFailure(parsed)) return yield* badRequest(`The body cannot be read: ${parsed.failure}`)
    const parts = parsed.success
    yield* service.keepParts(parts)
    if (parts.reduce((size, { content }) => size + content.length, 0) > largest) {
      return yield* Effect.fail(answers.tooLarge)
    }
    const values = new Map<string, string>()
    for (const { content, filename, name } of parts) {
      if (fileParts.includes(name)) {
        if (filename === undefined) return yield* badRequest(`The part ${name} has no file name`)
        continue
      }
      const text = multipart.decodeText(content)
      if (!texts.includes(name)) return yield* badRequest(`There is no part with the name ${name}`)
      if (values.has(name)) return yield* badRequest(`The part ${name} is there twice`)
      if (text === undefined) return yield* badRequest(`The part ${name} is not UTF-8`)
      values.set(name, text)
    }
    const message = values.get("message")
    if (message === undefined) return yield* badRequest("There is no part with the name message")
    const files = filesOf(parts)
    if (files === undefined) return yield* badRequest("There must be as many previews as attachments")
    const silent = values.get("silent")?.toLowerCase()
    if (silent !== undefined && silent !== "true" && silent !== "false") {
      return yield* badRequest("silent is neither true nor false")
    }
    const content = yield* contentOf(service, message, values.get("data") ?? "")
    const draft = { messageML: message, content, files, silent: silent === undefined ? undefined : silent === "true" }
    if (isBlocked(service, draft)) return yield* Effect.fail(answers.blocked)
    return { draft, sids: values.get("sids") ?? "" }
  }
)

const contentOf = ({ pod }: Service, message: string, data: string) =>
  Effect.mapError(messageML.read(message, data, pod.findUser), answers.badRequest)
