/**
 * Entries of history as `History` shows them, with payloads that have no type yet: pages of them, and ranges. Live reactions
 * read their messages with it too.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Channel from "../../Channel.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import type { Timetoken } from "../../Timetoken.ts"
import type { UserId } from "../../UserId.ts"
import * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
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
  request: Request
): Effect.Effect<ReadonlyMap<string, Page>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Effect.flatMap(PubNubConfig, (config) => {
    const { before, include, since } = request
    const channels = [...new Set(request.channels)]
    const actions = include?.actions === true
    const most = Storage.most(request.one ? 1 : Infinity, actions)
    const limit = request.limit ?? most
    const endpoint = Storage.pages(config, { channels, since, before, limit, actions, meta: include?.meta !== false })
    const fail = Endpoint.errorOf(endpoint)
    const details = [...issuesOf(channels, actions ? 1 : 500), ...rangeIssues(request)]
    if (!Number.isInteger(limit) || limit < 1 || limit > most) {
      details.push({ location: "limit", message: `is not a whole number from 1 to ${most}` })
    }
    if (details.length > 0) return Effect.fail(fail(Endpoint.refused(details)))
    if (config.subscribeKey === "") return Effect.fail(fail(noKey))
    return Effect.map(
      Endpoint.call(config, endpoint, fail),
      (pages): ReadonlyMap<string, Page> =>
        new Map(Array.from(pages, ([channel, page]) => {
          const entries = page.entries.map((raw) => toEntry(channel, raw))
          return [channel, { entries, ...nextOf(entries, limit, page.more) }]
        }))
    )
  })

/** The newest page of one channel. */
export const page = ({ channel, ...request }: Omit<Request, "channels" | "one"> & { readonly channel: string }) =>
  Effect.map(
    pages({ ...request, channels: [channel], one: true }),
    (pages): Page => pages.get(channel) ?? { entries: [] }
  )

/** A range of one channel, page after page. */
export const stream = (
  { channel, include, ...range }: Pages.Ordered & {
    readonly channel: string
    readonly include?: Include | undefined
  }
) => Pages.stream(range, (range) => page({ channel, include, ...range }))

const nextOf = (
  entries: ReadonlyArray<Entry>,
  limit: number,
  more: Timetoken | undefined
): Pick<Page, "next"> => {
  // With actions the service cuts a page short when there are too many of them, and says where to go on.
  if (more !== undefined) return { next: more }
  const oldest = entries[0]?.timetoken
  return entries.length < limit || oldest === undefined ? {} : { next: oldest }
}

/** Why nothing is asked. */
export const noKey = new PubNubError.InvalidKey({ key: "subscribe", description: "it is not set" })

/** What is wrong with the channels of a request. */
export const issuesOf = (channels: ReadonlyArray<string>, most: number): Array<PubNubError.Detail> => {
  const details: Array<PubNubError.Detail> = []
  if (channels.length === 0) details.push({ location: "channels", message: "are none" })
  if (channels.length > most) {
    details.push({ location: "channels", message: `are ${channels.length}; ${most} can be asked for at once` })
  }
  for (const channel of channels) {
    const issue = Channel.issue(channel)
    if (issue !== undefined) details.push({ location: "channel", message: `"${channel}" ${issue}` })
  }
  return details
}

/** What is wrong with its range. */
export const rangeIssues = (range: Pages.Range): ReadonlyArray<PubNubError.Detail> => {
  const details = Pages.issuesOf(range)
  return details.length === 0 && range.since !== undefined && range.before !== undefined && range.before <= range.since
    ? [{ location: "before", message: "is not later than since" }]
    : details
}

interface Delivered {
  readonly channel: string
  readonly timetoken: Timetoken
  readonly publisher?: UserId
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
        users.map(({ actionTimetoken, uuid }) => ({ type, value, user: uuid, actionTimetoken }))
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
