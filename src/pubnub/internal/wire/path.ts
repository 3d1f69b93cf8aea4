/**
 * The path of a request, written once as a template: encoded for the wire, and in clear for errors, logs and spans.
 */
import * as Input from "../../../internal/input.ts"
import * as Text from "../../../internal/text.ts"
import * as Url from "../../../internal/url.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type { Detail } from "../../PubNubError.ts"

/** A key of the configuration. It is shown by its name. */
interface Key {
  readonly key: "subscribeKey" | "publishKey"
}

/** What is encoded already, and what is shown in its place: `{message}`. */
interface Written {
  readonly shown: string
  readonly encoded: string
}

/** One text makes one segment, whatever it holds. Several stand in one segment, with commas between them. */
type Part = string | ReadonlyArray<string> | Key | Written | Path

export interface Path {
  readonly texts: ReadonlyArray<string>
  readonly parts: ReadonlyArray<Part>
}

export const subscribeKey: Key = { key: "subscribeKey" }

export const publishKey: Key = { key: "publishKey" }

/** The path of a template, from its first slash on. Nothing is encoded yet: what stands in it may not even be text. */
export const path = (texts: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Path => ({ texts, parts })

const isPath = (part: object): part is Path => "texts" in part

const isObject = (part: Part): part is Key | Written | Path =>
  typeof part === "object" && part !== null && !isList(part)

const isList = (part: Part): part is ReadonlyArray<string> => Array.isArray(part)

const join = ({ parts, texts }: Path, write: (part: Part) => string): string =>
  texts.map((text, index) => index === 0 ? text : write(parts[index - 1] ?? "") + text).join("")

/** The path as it is sent. */
export const encode = (path: Path, config: PubNubConfig["Service"]): string =>
  join(path, (part) =>
    typeof part === "string"
      ? Url.encode(part)
      : isList(part)
      ? Url.encodeList(part)
      : isPath(part)
      ? encode(part, config)
      : "key" in part
      ? config[part.key] ?? ""
      : part.encoded)

/** The path as a reader sees it. */
export const show = (path: Path): string =>
  Text.bounded(join(path, (part) =>
    isList(part)
      ? part.map(inClear).join(",") || ","
      : !isObject(part)
      ? inClear(part)
      : isPath(part)
      ? show(part)
      : "key" in part
      ? `{${part.key}}`
      : part.shown))

// A caller without the compiler may pass anything.
const inClear = (text: unknown): string => typeof text === "string" ? text : Input.shown(text)

/** The same path, written once for many requests. */
export const written = (path: Path, config: PubNubConfig["Service"]): Path => ({
  texts: ["", ""],
  parts: [{ shown: show(path), encoded: encode(path, config) }]
})

/** Which keys it needs. */
export const keysOf = ({ parts }: Path): ReadonlyArray<Key["key"]> =>
  parts.flatMap((part) => !isObject(part) ? [] : isPath(part) ? keysOf(part) : "key" in part ? [part.key] : [])

/** What no URL can carry. */
export const issuesOf = ({ parts }: Path): ReadonlyArray<Detail> =>
  parts.flatMap((part) =>
    isObject(part)
      ? isPath(part) ? issuesOf(part) : []
      : Input.each("path", isList(part) ? part : [part], Input.segment)
  )
