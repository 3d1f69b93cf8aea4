/**
 * The requests of a subscription: the handshake, the long poll, and the leave.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Cursor } from "../../../Cursor.ts"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import * as ChannelName from "../../ChannelName.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import * as Defects from "./defect.ts"
import * as Endpoint from "./endpoint.ts"
import { path, subscribeKey } from "./path.ts"
import * as Envelope from "./envelope.ts"

type Config = PubNubConfig["Service"]

/** Names as they are sent: each once, in order, presence names included. */
export interface Target {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  readonly filter: string | undefined
  /** The JSON text of the user's state on each of its channels. */
  readonly state: string | undefined
}

/** One answer. */
export interface Page {
  readonly position: string
  readonly region: number | undefined
  readonly messages: ReadonlyArray<Schema.Json>
  /** How many characters it had. */
  readonly size: number
}

const position = /^(\d{17}|0)$/

const Answer = Schema.Struct({
  t: Schema.Struct({
    t: Schema.String.pipe(Schema.check(Schema.isPattern(position))),
    r: Schema.optionalKey(Schema.NullOr(Schema.Int))
  }),
  m: Schema.Array(Envelope.Parsed)
})
/** Decodes by the schema alone. */
export const decodeAnswerBySchema = Codec.decodeBySchema(Answer)

/** What the schema accepts, checked by hand: the schema would walk through all messages of a page. */
const isAnswer = (json: unknown): json is typeof Answer.Type => {
  if (!Json.isRecord(json) || !Array.isArray(json.m) || !Json.isRecord(json.t)) return false
  const { r, t } = json.t
  return typeof t === "string" && position.test(t) && (r === undefined || r === null || Number.isSafeInteger(r))
}

/** Decodes the answer of a handshake or a poll. The schema says what is wrong with any other value. */
export const decodeAnswer = (json: Schema.Json): Result.Result<typeof Answer.Type, string> =>
  isAnswer(json) ? Result.succeed(json) : decodeAnswerBySchema(json)

/** The request without a position, answered at once. */
export const handshake = (config: Config, target: Target): Endpoint.Endpoint<Page> => {
  let size = 0
  return {
    operation: "Subscribe.poll",
    path: path`/v2/subscribe/${subscribeKey}/${target.channels}/0`,
    query: {
      "channel-group": target.groups.join(",") || undefined,
      "filter-expr": target.filter,
      heartbeat: config.presenceTimeout && String(Math.ceil(Duration.toSeconds(config.presenceTimeout))),
      state: target.state
    },
    // Connections keep the address short themselves.
    longestAddress: Infinity,
    attributes: { "messaging.destination.name": [...target.channels, ...target.groups].join(",") },
    // Payloads keep their numbers.
    parse: (text) => {
      size = text.length
      return Json.parse(text)
    },
    decode: (json) =>
      Result.map(decodeAnswer(json), ({ m, t }) => ({
        position: t.t,
        region: t.r ?? undefined,
        messages: m,
        size
      }))
  }
}

/** Sends one poll from a cursor, with the configuration whose token is valid now. */
export type Poll = (config: Config, from: Cursor) => Effect.Effect<Page, PubNubError.Reason, HttpClient.HttpClient>

/**
 * Polls for messages after a position, and calls `onPart` for each part of the answer. The service holds the request until there are some. All polls of a handshake share the
 * rest of its address, which is long for many names. The handshake has checked what it is made of.
 */
export const poll = (config: Config, target: Target, onPart?: () => void): Poll => {
  // The service keeps a state while the user is present, so a poll does not repeat it.
  const request: Endpoint.Endpoint<Page> = {
    ...handshake(config, { ...target, state: undefined }),
    timeout: "none",
    onPart
  }
  const { path, query } = Endpoint.addressOf(config, request)
  const rest = query === "" ? "" : `&${query}`
  return (config, { position, region }) => {
    const from = region === undefined ? `tt=${position}` : `tt=${position}&tr=${region}`
    return Endpoint.sendTo(config, request, { path, query: from + rest })
  }
}

/** Tells the service that this reader left. It ignores failures: the reader has ended already. */
export const leave = (config: Config, target: Target): Effect.Effect<void, never, HttpClient.HttpClient> => {
  const channels = target.channels.filter((name) => !ChannelName.isPresence(name))
  const groups = target.groups.filter((name) => !ChannelName.isPresence(name))
  if (channels.length + groups.length === 0) return Effect.void
  return Endpoint.send(config, {
    operation: "Subscribe.leave",
    path: path`/v2/presence/sub-key/${subscribeKey}/channel/${channels}/leave`,
    query: { "channel-group": groups.join(",") || undefined },
    longestAddress: Infinity,
    decode: Result.succeed
  }).pipe(
    Effect.asVoid,
    Effect.catch(() => Effect.void),
    Effect.catchDefect((defect) => Effect.logWarning(`Subscribe.leave failed: ${Defects.describe(config, defect)}`))
  )
}

/** Where the service stands with this answer. */
export const cursorOf = ({ position, region }: Pick<Page, "position" | "region">): Cursor =>
  region === undefined ? { position, delivered: [] } : { position, region, delivered: [] }

/** The most events of a page. Each takes hundreds of bytes, even if its text has two: the size of an answer does not limit that. */
const mostEvents = 100_000

/** Whether a page has more events than memory may hold. */
export const isOverfull = ({ messages }: Pick<Page, "messages">): boolean => messages.length > mostEvents

/** The failure of an answer with a position that cannot be right. */
export const doubtful = (position: string): PubNubError.Malformed =>
  new PubNubError.Malformed({
    status: 200,
    description: `the position ${position} cannot be right`,
    excerpt: position
  })
