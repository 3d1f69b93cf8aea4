/**
 * Entries of history as `History` shows them, with payloads that have no type yet: pages of them, and ranges. The live value
 * of message actions reads its messages with it too.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import * as Eager from "../../../internal/eager.ts"
import * as Input from "../../../internal/input.ts"
import type { Page } from "../../../Page.ts"
import type { Opened } from "../../Encryption.ts"
import type { MessageAction } from "../../MessageAction.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type { Timetoken } from "../../Timetoken.ts"
import { Current, opening } from "./encryption.ts"
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
  Effect.flatMap(
    found(operation, location, read),
    (pages) =>
      Effect.flatMap(Current, (encryption) =>
        Effect.map(
          Eager.forEach([...pages], ([channel, page]) =>
            Effect.mapEager(
              opening(encryption, page.items, sealedOf, (item, opened) => ({ ...item, opened })),
              (items) => [channel, { ...page, items: items.map(toEntry) }] as const
            )),
          (pages) => new Map(pages)
        ))
  )

/** The pages of an answer, as they came. */
const found = (
  operation: string,
  location: "channel" | "channels",
  read: () => Request & { readonly channels: ReadonlyArray<string> }
): Effect.Effect<
  ReadonlyMap<string, Page<Item, Timetoken>>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> =>
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
          const pages = new Map<string, Page<Item, Timetoken>>()
          for (const [channel, { entries, more }] of found) {
            // An answer that says that there is more may mean other channels.
            const rest = one || entries.length > 0 ? more : undefined
            const page = Pages.of(entries.map((raw) => itemOf(channel, raw, actions)), limit, rest, bounds)
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
  readonly encrypted?: boolean
}

/** An entry as it came. */
interface Item {
  readonly channel: string
  readonly raw: Schema.Json
  readonly withActions: boolean
  readonly read: ReturnType<typeof Storage.read>
  readonly timetoken: Timetoken | undefined
  /** What its payload was. Absent without encryption. */
  readonly opened?: Opened
}

const itemOf = (channel: string, raw: Schema.Json, withActions: boolean): Item => {
  const read = Storage.read(raw)
  return { channel, raw, withActions, read, timetoken: Result.isSuccess(read) ? read.success.timetoken : undefined }
}

const sealedOf = ({ read }: Item): Schema.Json | undefined => Result.isSuccess(read) ? read.success.message : undefined

const toEntry = ({ channel, opened, raw, read, withActions }: Item) => {
  if (Result.isFailure(read)) return undecodable({ channel, raw, issue: read.failure })
  const { actions, customMessageType, kind, message: sent, meta, publisher, timetoken } = read.success
  if (opened?._tag === "Unreadable") {
    const { issue, reason } = opened
    return undecodable({
      channel,
      timetoken,
      ...publisher === undefined ? {} : { publisher },
      raw: sent,
      issue,
      reason
    })
  }
  const message = opened?._tag === "Decrypted" ? opened.payload : sent
  const entry: Types.Mutable<Message> = { _tag: "StoredMessage", channel, timetoken, payload: message }
  // Assigns what may be absent: to spread it takes three times as long, for each entry.
  if (publisher !== undefined) entry.publisher = publisher
  if (meta !== undefined) entry.meta = meta
  if (customMessageType !== undefined) entry.customMessageType = customMessageType
  if (withActions) entry.actions = actionsOf(timetoken, actions)
  if (opened !== undefined) entry.encrypted = opened._tag === "Decrypted"
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
    readonly reason?: "Undecryptable" | "NotEncrypted"
  }
) => ({ _tag: "StoredUndecodable" as const, ...entry })
