/** A request, taken apart. */
import * as Predicate from "effect/Predicate"
import type * as message from "../server/message.ts"
import { decode, pairsOf } from "../server/percent.ts"

/** A request without its body. */
export interface Address {
  readonly method: string
  readonly path: string
  readonly segments: ReadonlyArray<string>
  /** Names and values of the query, in their order. */
  readonly pairs: ReadonlyArray<readonly [name: string, value: string]>
  /** The query. A name that comes twice holds a list, as one with commas does. */
  readonly query: ReadonlyMap<string, string>
  readonly headers: message.Request["headers"]
  /** How the client reached the emulator: `http://127.0.0.1:4040`. */
  readonly origin: string
}

/** A request with its body as text. */
export interface Request extends Address {
  readonly body: string
}

/** When and in which region a step happens. */
export interface Moment {
  readonly now: bigint
  readonly region: number
}

/** Takes a request apart. The path is split before it is decoded, because a name may hold an encoded slash. */
export const parse = ({ headers, method, target }: message.Request): Address | undefined => {
  const [path = "", search = ""] = target.split(/\?(.*)/s)
  const segments = path.split("/").slice(1).map(decode)
  if (!segments.every(Predicate.isString)) return undefined
  const pairs: Array<readonly [string, string]> = []
  const query = new Map<string, string>()
  for (const [name, value = ""] of pairsOf(search)) {
    if (name === undefined) return undefined
    const before = query.get(name)
    pairs.push([name, value])
    query.set(name, before === undefined ? value : `${before},${value}`)
  }
  return { method, path, segments, pairs, query, headers, origin: originOf(headers) }
}

/** A proxy in front says whether it spoke TLS; the emulator itself does not. */
const originOf = (headers: message.Request["headers"]): string =>
  `${headers["x-forwarded-proto"] ?? "http"}://${headers["host"] ?? "localhost"}`

/** The names of a list with commas. */
export const namesOf = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "").split(",").filter((name) => name !== "")

/** A timetoken, if the text is one. */
export const timetokenOf = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined
