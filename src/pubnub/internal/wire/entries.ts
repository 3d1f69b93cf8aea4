/**
 * Entries of history as `History` shows them, with payloads that have no type yet: pages of them, and ranges. The live value
 * of message actions reads its messages with it too.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import * as Input from "../../../internal/input.ts"
import type { Page } from "../../../Page.ts"
import type { MessageAction } from "../../MessageAction.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type { Timetoken } from "../../Timetoken.ts"
import * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
import * as Names from "./names.ts"
import * as Pages from "./pages.ts"
import * as Storage from "./storage.ts"

/** A stored message or file, or an entry that cannot be decoded. */
export type Entry = ReturnType<typeof toEntry>

type Answer = Page<Entry, Timetoken>

interface Request extends Pages.Range {
  /** The most entries of a list. */
  readonly limit?: number | undefined
  /** The most entries of each page of a stream. */
  readonly pageSize?: number | undefined
  /** Default: `["meta"]`. */
  readonly include?: ReadonlyArray<"meta" | "actions"> | undefined
}

/** The newest page of each channel, as far as the range goes. */
export const pages = (operation: string, read: () => Request & { readonly channels: ReadonlyArray<string> }) =>
  ask(operation, "channels", read)

/** The same of one channel, which has larger pages. */
export const page = (operation: string, read: () => Request & { readonly channel: string }) =>
  Effect.map(
    ask(operation, "channel", () => {
      const { channel, ...request } = read()
      return { ...request, channels: [channel] }
    }),
    (pages): Answer => [...pages.values()][0] ?? { items: [] }
  )

const ask = (
  operation: string,
  location: "channel" | "channels",
  read: () => Request & { readonly channels: ReadonlyArray<string> }
): Effect.Effect<ReadonlyMap<string, Answer>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run(operation, () => {
    const request = read()
    const { include = ["meta"], pageSize } = request
    const one = location === "channel"
    const channels = Names.unique(request.channels)
    const actions = include.includes("actions")
    const most = Storage.most(one ? 1 : Infinity, actions)
    const limit = pageSize ?? request.limit ?? most
    const { issues, ...bounds } = Pages.boundsOf(request, { mayBeEmpty: false })
    const { readOther: _, ...endpoint } = Storage.pages({
      channels,
      ...bounds,
      limit,
      actions,
      meta: include.includes("meta")
    })
    return {
      ...endpoint,
      issues: [
        ...Names.issuesOf(location, request.channels, one ? 1 : 500),
        ...issues,
        ...Input.issues({ [pageSize === undefined ? "limit" : "pageSize"]: Input.whole(1, most)(limit) }),
        ...Input.each("include", include, Input.oneOf(one ? ["meta", "actions"] : ["meta"]))
      ],
      decode: (json, told) =>
        Result.flatMap(endpoint.decode(json, told), (found) => {
          const pages = new Map<string, Answer>()
          for (const [channel, { entries, more }] of found) {
            const page = Pages.of(entries.map((raw) => toEntry(channel, raw, actions)), limit, more, bounds)
            if (Result.isFailure(page)) return Result.fail(page.failure)
            pages.set(channel, page.success)
          }
          return Result.succeed(pages)
        })
    }
  })

/** A range of one channel, page after page. */
export const stream = (
  operation: string,
  { channel, include, pageSize, ...range }:
    & Pages.Ordered
    & Pick<Request, "include" | "pageSize">
    & { readonly channel: string }
) => Pages.stream(range, (range) => page(operation, () => ({ channel, include, pageSize, ...range })))

interface Delivered {
  readonly channel: string
  readonly timetoken: Timetoken
  readonly publisher?: string
}

interface Message extends Delivered {
  readonly _tag: "StoredMessage"
  readonly payload: Schema.Json
  readonly meta?: Schema.Json
  readonly customMessageType?: string
  readonly actions?: ReadonlyArray<MessageAction>
}

const toEntry = (channel: string, raw: Schema.Json, withActions: boolean) => {
  const read = Storage.read(raw)
  if (Result.isFailure(read)) return undecodable({ channel, raw, issue: read.failure })
  const { actions, customMessageType, kind, message, meta, publisher, timetoken } = read.success
  const entry: Types.Mutable<Message> = { _tag: "StoredMessage", channel, timetoken, payload: message }
  // Assigns what may be absent: to spread it takes three times as long, for each entry.
  if (publisher !== undefined) entry.publisher = publisher
  if (meta !== undefined) entry.meta = meta
  if (customMessageType !== undefined) entry.customMessageType = customMessageType
  if (withActions) entry.actions = actionsOf(timetoken, actions)
  return kind === 4 ? fileOf(entry) : entry
}

const fileOf = ({ _tag: _, payload, ...entry }: Message) => {
  const file = Envelope.decodeFile(payload)
  if (Result.isSuccess(file)) return { _tag: "StoredFile" as const, ...entry, ...file.success }
  const { channel, publisher, timetoken } = entry
  return undecodable({
    channel,
    timetoken,
    ...publisher === undefined ? {} : { publisher },
    raw: payload,
    issue: file.failure
  })
}

const actionsOf = (
  messageTimetoken: Timetoken,
  actions: typeof Storage.Actions.Type = {}
): ReadonlyArray<MessageAction> =>
  Object.entries(actions).flatMap(([type, values]) =>
    Object.entries(values).flatMap(([value, users]) =>
      users.map(({ actionTimetoken, uuid }) => ({ type, value, userId: uuid, actionTimetoken, messageTimetoken }))
    )
  )

const undecodable = (
  entry: Partial<Delivered> & {
    readonly channel: string
    readonly raw: Schema.Json
    readonly issue: string
  }
) => ({ _tag: "StoredUndecodable" as const, ...entry })
