/**
 * The path of a request, written once as a template behind the name of its service: encoded for the wire, and bounded for
 * errors, logs and spans.
 */
import * as Input from "../../internal/input.ts"
import * as Text from "../../internal/text.ts"
import * as Url from "../../internal/url.ts"

/** The services of a pod. Each is at one place of the configuration, and its paths begin with its name. */
export type Service = "agent" | "pod" | "login" | "relay"

export interface Path {
  readonly service: Service
  readonly texts: ReadonlyArray<string>
  /** Each is one segment, whatever it holds. */
  readonly parts: ReadonlyArray<string>
}

const of = (service: Service) => (texts: TemplateStringsArray, ...parts: ReadonlyArray<string>): Path => ({
  service,
  texts,
  parts
})

export const agent = of("agent")
export const pod = of("pod")
export const login = of("login")
export const relay = of("relay")

// A caller without the compiler may pass anything.
const segment = (part: unknown): string =>
  Url.encode(typeof part === "string" ? part.toWellFormed() : Input.shown(part))

/** The path as it is sent, also where a part of it is one that is refused. */
export const encode = ({ parts, service, texts }: Path): string =>
  `/${service}${texts.map((text, index) => index === 0 ? text : segment(parts[index - 1]) + text).join("")}`

/** The path as a reader sees it. */
export const show = (path: Path): string => Text.bounded(encode(path))

/** What no address can carry. */
export const issuesOf = ({ parts }: Path): ReadonlyArray<Input.Detail> =>
  parts.flatMap((part) => {
    const message = Input.segment(part)
    return message === undefined ? [] : [{ message: `${Input.shown(part)} ${message}` }]
  })
