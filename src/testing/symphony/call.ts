/** A request to an operation, and readers of its parts. Each reader fails with the answer that refuses the request. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ConnectionReset } from "../server/connection.ts"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import * as ids from "./ids.ts"
import { decodeText } from "../server/multipart.ts"
import type { Message, Stream, User } from "./pod.ts"
import type { Service } from "./service.ts"

export interface Request {
  /** The variable segments of the path, decoded. */
  readonly parameters: ReadonlyArray<string>
  readonly query: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** A request of a user who is logged in. */
export interface Call extends Request {
  readonly caller: User
}

/** Does what takes time, and then changes the state in one step. */
export type Handler<R = Call> = (service: Service, request: R) => Effect.Effect<Answer, Answer | ConnectionReset>

const badRequest = (message: string) => Effect.fail(answers.badRequest(message))

/** A whole number of the query. */
export const integer = (
  { query }: Request,
  name: string,
  { max = Number.MAX_SAFE_INTEGER, min = 0 }: { readonly min?: number; readonly max?: number } = {}
): Effect.Effect<number | undefined, Answer> => {
  const text = query.get(name)
  if (text === undefined) return Effect.undefined
  const value = Number(text)
  return /^-?\d+$/.test(text) && value >= min && value <= max
    ? Effect.succeed(value)
    : badRequest(`${name} is not a whole number from ${min} to ${max}`)
}

/** One of the given words, from the query. */
export const word = <const Words extends ReadonlyArray<string>>(
  { query }: Request,
  name: string,
  words: Words
): Effect.Effect<Words[number] | undefined, Answer> => {
  const text = query.get(name)
  if (text === undefined) return Effect.undefined
  const found = words.find((word) => word === text)
  return found === undefined ? badRequest(`${name} is none of ${words.join(", ")}`) : Effect.succeed(found)
}

/** The body as JSON. Unknown properties are refused. */
export const json = <A, I>(schema: Schema.Codec<A, I>) => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema), { onExcessProperty: "error" })
  return ({ body, headers }: Request): Effect.Effect<A, Answer> =>
    /^application\/json\b/i.test(headers["content-type"] ?? "")
      ? Effect.mapError(
        decode(decodeText(body) ?? ""),
        ({ message }) => answers.badRequest(`The body is not as expected: ${message}`)
      )
      : badRequest("The content type is not application/json")
}

/** An id of the path, which is URL-safe. */
export const idAt = ({ parameters }: Request, index: number): Effect.Effect<string, Answer> => {
  const id = parameters[index] ?? ""
  return ids.isUrlSafe(id) ? Effect.succeed(id) : badRequest("The id is not URL-safe base64")
}

/** A stream of the caller, or the answer that refuses it. */
export const findStream = ({ pod }: Service, caller: User, id: string): Stream | Answer => {
  const stream = pod.stream(id)
  if (stream === undefined) return answers.badRequest(`No stream with the id ${id}`)
  return stream.members.has(caller.id) ? stream : answers.forbidden
}

/** A message in a stream of the caller, or the answer that refuses it. */
export const findMessage = ({ pod }: Service, caller: User, id: string): Message | Answer => {
  const message = pod.message(id)
  if (message === undefined) return answers.unknownMessage
  return message.stream.members.has(caller.id) ? message : answers.forbidden
}

export const isAnswer = (value: object): value is Answer => "status" in value && "body" in value
