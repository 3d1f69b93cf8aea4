/**
 * Entries of history as `History` shows them, with payloads that have no type yet: pages of them, and ranges. Live reactions
 * read their messages with it too.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Input from "../../../internal/input.ts"
import type { MessageAction } from "../../MessageAction.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type { Timetoken } from "../../Timetoken.ts"
import * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
import * as Names from "./names.ts"
import * as Pages from "./pages.ts"
import * as Storage from "./storage.ts"

/** What was published, or that it cannot be read. */
export type Entry = ReturnType<typeof toEntry>

type Page = Pages.Page<Entry>

/** What comes with each entry. */
interface Include {
  /** Default: `true`. */
  readonly meta?: boolean | undefined
  /** Default: `false`. */
  readonly actions?: boolean | undefined
}

interface Request extends Pages.Range {
  readonly channels: ReadonlyArray<string>
  readonly limit?: number | undefined
  readonly include?: Include | undefined
  /** Whether the answer is of one channel, which then has the larger pages. */
  readonly one: boolean
}

/** The newest page of each channel, as far as the range goes. */
export const pages = (
  read: () => Request
): Effect.Effect<ReadonlyMap<string, Page>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("history", () => {
    const request = read()
    const { before, include = {}, one, since } = request
    const channels = Names.unique(request.channels)
    const { actions = false, meta = true } = include
    const most = Storage.most(one ? 1 : Infinity, actions)
    const { limit = most } = request
    const endpoint = Storage.pages({ channels, since, before, limit, actions, meta })
    return {
      ...endpoint,
      issues: [
        ...Names.issuesOf(one ? "channel" : "channels", request.channels, actions ? 1 : 500),
        ...Pages.issuesOf(request, { mayBeEmpty: false }),
        ...Input.issues({
          limit: Input.whole(1, most)(limit),
          "include.meta": Input.flag(meta),
          "include.actions": Input.flag(actions)
        })
      ],
      decode: (json, told) =>
        Result.flatMap(endpoint.decode(json, told), (found) => {
          const pages = new Map<string, Page>()
          for (const [channel, { entries, more }] of found) {
            const page = Pages.of(entries.map((raw) => toEntry(channel, raw)), limit, more, before)
            if (Result.isFailure(page)) return Result.fail(page.failure)
            pages.set(channel, page.success)
          }
          return Result.succeed(pages)
        })
    }
  })

/** One page of one channel. */
export const page = (request: Omit<Request, "channels" | "one"> & { readonly channel: string }) =>
  Effect.map(
    pages(() => ({ ...request, channels: [request.channel], one: true })),
    (pages): Page => pages.get(request.channel) ?? { entries: [] }
  )

/** A range of one channel, page after page. */
export const stream = (
  { channel, include, ...range }: Pages.Ordered & {
    readonly channel: string
    readonly include?: Include | undefined
  }
) => Pages.stream(range, (range) => page({ channel, include, ...range }))

interface Delivered {
  readonly channel: string
  readonly timetoken: Timetoken
  readonly publisher?: string
}

const toEntry = (channel: string, raw: Schema.Json) => {
  const read = Storage.read(raw)
  if (Result.isFailure(read)) return undecodable({ channel, raw, issue: read.failure })
  const { actions, customMessageType, kind, message, meta, publisher, timetoken } = read.success
  const entry: Delivered = publisher === undefined ? { channel, timetoken } : { channel, timetoken, publisher }
  const details = {
    ...(meta === undefined ? {} : { meta }),
    ...(customMessageType === undefined ? {} : { customMessageType }),
    actions: Object.entries(actions).flatMap(([type, values]) =>
      Object.entries(values).flatMap(([value, users]) =>
        users.map(({ actionTimetoken, uuid }): MessageAction => ({
          type,
          value,
          userId: uuid,
          actionTimetoken,
          messageTimetoken: timetoken
        }))
      )
    )
  }
  if (kind !== 4) return { _tag: "StoredMessage" as const, ...entry, payload: message, ...details }
  const file = Envelope.decodeFile(message)
  return Result.isSuccess(file)
    ? { _tag: "StoredFile" as const, ...entry, ...file.success, ...details }
    : undecodable({ ...entry, raw: message, issue: file.failure })
}

const undecodable = (
  entry: Partial<Delivered> & {
    readonly channel: string
    readonly raw: Schema.Json
    readonly issue: string
  }
) => ({ _tag: "UndecodableEntry" as const, ...entry })
