/**
 * Reads a page of history of each of many channels. Pages of 500 channels, or of messages of 2 MiB, can be larger than
 * `maxAnswerSize`, and than memory holds of several at once. After an answer that is too large, requests ask for less, and then
 * for a little more each time: most messages may be small.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as Endpoint from "../wire/endpoint.ts"
import * as Storage from "../wire/storage.ts"
import { addressParts } from "./addressParts.ts"

/** The most channels of a request. */
const mostOfPage = 500

/** The most bytes of an answer with more than one entry. */
const mostBytes = 32 * 1024 * 1024

/** How much more entries an answer may have after one that was not too large. */
const growth = 1.25

/** The page of a channel, and how many entries it could have. */
interface Found {
  readonly channel: string
  readonly page: Storage.Page
  readonly limit: number
}

type Read = Effect.Effect<ReadonlyArray<Found>, PubNubError.Reason, HttpClient.HttpClient>

export class Room {
  private readonly config: PubNubConfig["Service"]
  private readonly request: <A>(
    endpoint: Endpoint.Endpoint<A>
  ) => Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>
  /** The most entries of an answer: fewer after each answer that was too large, and more after others. */
  entries = Infinity

  constructor(config: Room["config"], request: Room["request"]) {
    this.config = config
    this.request = request
  }

  /** Reads a page of each channel. It fails for an answer that is too large only if that has one entry. */
  pages(channels: Iterable<string>, query: Omit<Storage.PageRequest, "channels" | "actions">): Read {
    const read = (part: ReadonlyArray<string>): Read =>
      Effect.suspend(() => {
        const { entries } = this
        const limit = Math.min(query.limit, entries)
        const most = Math.max(1, Math.floor(entries / limit))
        if (part.length > most) return readAll(Arr.chunksOf(part, most))
        const asked = part.length * limit
        const page = Storage.pages({ ...query, channels: part, limit, actions: false })
        return this.request(asked === 1 ? page : { ...page, maxSize: mostBytes }).pipe(
          Effect.map((pages) => {
            const isMost = asked + limit > entries
            // Other requests may have changed it meanwhile.
            if (isMost && this.entries === entries) this.entries = Math.ceil(entries * growth)
            return Array.from(pages, ([channel, page]) => ({ channel, page, limit }))
          }),
          Effect.catch((reason): Read => {
            if (reason._tag !== "Malformed" || reason.limit === undefined || asked === 1) return Effect.fail(reason)
            this.entries = Math.min(this.entries, Math.ceil(asked / 4))
            return read(part)
          })
        )
      })
    const readAll = (parts: ReadonlyArray<ReadonlyArray<string>>): Read =>
      Effect.map(Effect.forEach(parts, read), (found) => found.flat())
    return readAll(addressParts(this.config, channels, mostOfPage))
  }
}
