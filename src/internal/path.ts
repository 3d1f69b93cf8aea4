/**
 * The path of a request, written once as a template: encoded for the wire, and in clear for errors, logs and spans.
 */
import * as Input from "./input.ts"
import * as Text from "./text.ts"
import * as Url from "./url.ts"

/** A setting of the configuration. Errors show its name: `{subscribeKey}`. */
export interface Setting<K extends string> {
  readonly setting: K
}

/** Encoded text, and the text to show in its place: `{message}`. */
interface Written {
  readonly shown: string
  readonly encoded: string
}

/** A text becomes one segment. A list of texts becomes one segment with commas. */
export type Part<K extends string> = string | ReadonlyArray<string> | Setting<K> | Written | Path<K>

/** A path. `K` are the settings that it needs. */
export interface Path<K extends string = never> {
  readonly texts: ReadonlyArray<string>
  readonly parts: ReadonlyArray<Part<K>>
}

/** The path of a template, from its first slash on. It is encoded later, because its values may not even be text. */
export const path = <K extends string>(texts: TemplateStringsArray, ...parts: ReadonlyArray<Part<K>>): Path<K> => ({
  texts,
  parts
})

const isPath = <K extends string>(part: Setting<K> | Written | Path<K>): part is Path<K> => "texts" in part

const isList = <K extends string>(part: Part<K>): part is ReadonlyArray<string> => Array.isArray(part)

const isObject = <K extends string>(part: Part<K>): part is Setting<K> | Written | Path<K> =>
  typeof part === "object" && part !== null && !isList(part)

const join = <K extends string>({ parts, texts }: Path<K>, write: (part: Part<K>) => string): string => {
  let joined = texts[0] ?? ""
  for (let index = 1; index < texts.length; index++) joined += write(parts[index - 1] ?? "") + (texts[index] ?? "")
  return joined
}

/** The path as it is sent. */
export const encode = <K extends string>(
  path: Path<K>,
  settings: { readonly [setting in K]?: string | undefined }
): string =>
  join(path, (part) =>
    typeof part === "string"
      ? Url.encode(part)
      : isList(part)
      ? Url.encodeList(part)
      : isPath(part)
      ? encode(part, settings)
      : "setting" in part
      ? settings[part.setting] ?? ""
      : part.encoded)

/** The path as a reader sees it. */
export const show = <K extends string>(path: Path<K>): string =>
  Text.bounded(Text.harmless(join(path, (part) =>
    isList(part)
      ? part.map(inClear).join(",") || ","
      : !isObject(part)
      ? inClear(part)
      : isPath(part)
      ? show(part)
      : "setting" in part
      ? `{${part.setting}}`
      : part.shown)))

// A JavaScript caller may pass anything.
const inClear = (text: unknown): string => typeof text === "string" ? text : Input.shown(text)

/** The first setting that the path needs and that is not set. */
export const unsetOf = <K extends string>(
  { parts }: Path<K>,
  settings: { readonly [setting in K]?: string | undefined }
): K | undefined => {
  for (const part of parts) {
    if (!isObject(part)) continue
    if ("setting" in part) {
      if ((settings[part.setting] ?? "") === "") return part.setting
    } else if (isPath(part)) {
      const unset = unsetOf(part, settings)
      if (unset !== undefined) return unset
    }
  }
  return undefined
}

const isWrong = (segment: unknown): boolean => Input.segment(segment) !== undefined

/** What no URL can carry. */
export const issuesOf = <K extends string>({ parts }: Path<K>): ReadonlyArray<Input.Detail> => {
  const issues: Array<Input.Detail> = []
  for (const part of parts) {
    if (!isObject(part)) {
      if (isList(part) ? part.some(isWrong) : isWrong(part)) {
        issues.push(...Input.each("path", isList(part) ? part : [part], Input.segment))
      }
    } else if (isPath(part)) issues.push(...issuesOf(part))
  }
  return issues
}
