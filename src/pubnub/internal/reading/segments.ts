/**
 * A range of history and how it is read: in segments, several at once, from the old end on. The service gives the newest page of
 * a range, so a segment that one page does not hold is divided. What was found is given oldest first, merged over all channels,
 * with as much memory as some pages take.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as Endpoint from "../wire/endpoint.ts"
import * as Storage from "../wire/storage.ts"
import { addressParts } from "./addressParts.ts"
import { byTimetoken, entriesOf, type Entry, oldestOf } from "./storedEntry.ts"

/** So many entries are kept that were read on the way to older ones; others are read again. */
const mostKept = 16_000

/** So many segments are asked for at once. */
const atOnce = 16

/** About so many pages has a part of a long range: with fewer, too many requests bring the last, half-empty page of one. */
const pagesOfPart = 5

/** Into so many parts a short range is divided at the most, of two pages at the least: it is soon over, and a reader waits for it. */
const partsOfShort = 4

/** Behind more than so many entries that were read, nothing is asked for yet: memory would be full before the old end is reached. */
const mostAhead = 4_000

/** So many entries go on at once. */
const chunk = 100

/** The most channels of a request for pages. */
export const mostOfPage = 500

/** A part of a range, with what is in it where that is known. */
export interface Segment {
  readonly since: bigint
  readonly before: bigint
  entries: ReadonlyArray<Entry> | undefined
  /** What was published before this may have been deleted: history was asked whether it was, and the answer told. */
  probedTo: bigint
  /** How much time a page of it seems to hold: at first a guess, and what the pages after it held counts more and more. */
  readonly page: bigint
}

/** What a range needs of whoever reads it. */
export interface Source {
  readonly config: PubNubConfig["Service"]
  readonly request: <A>(
    endpoint: Endpoint.Endpoint<A>
  ) => Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>
  /** The channels to read, each with the subscribed names that stand for it. */
  readonly channels: () => ReadonlyMap<string, ReadonlyArray<string>>
  /** Whether some of a segment may have been deleted since that was last looked at. */
  readonly isOld: (segment: Segment) => boolean
  /** Nothing says where older entries than those of a page would be. */
  readonly unsure: () => void
}

export class Segments {
  private readonly source: Source
  /** The oldest last. */
  private segments: ReadonlyArray<Segment>

  /** Where the range seems to have so many pages, at the least. */
  constructor(source: Source, since: bigint, before: bigint, pages: number) {
    this.source = source
    this.segments = [{ since, before, entries: undefined, probedTo: since, page: (before - since) / BigInt(pages) }]
  }

  /** What comes next. Nothing, where all was given. */
  get oldest(): Segment | undefined {
    return this.segments.at(-1)
  }

  /** Reads the oldest segments of which nothing is known, and divides them further where one page did not hold them. */
  readonly read: Effect.Effect<void, PubNubError.Reason, HttpClient.HttpClient> = Effect.gen(
    { self: this },
    function*() {
      const unread: Array<Segment> = []
      let kept = 0
      for (let index = this.segments.length - 1; index >= 0 && unread.length < atOnce; index--) {
        const segment = this.segments[index]
        if (segment === undefined) break
        if (segment.entries !== undefined) kept += segment.entries.length
        else if (kept > mostAhead) break
        else unread.push(segment)
      }
      const results = yield* Effect.forEach(unread, (segment) => Effect.result(this.readOne(segment)), {
        concurrency: "unbounded"
      })
      const read = new Map<Segment, ReadonlyArray<Segment>>()
      for (const [index, segment] of unread.entries()) {
        const result = results[index]
        // What grew too old while it was read may have lost something.
        if (result !== undefined && Result.isSuccess(result) && !this.source.isOld(segment)) {
          read.set(segment, result.success)
        }
      }
      this.segments = this.segments.flatMap((segment) => read.get(segment) ?? [segment])
      this.forgetSome()
      const failure = results.find(Result.isFailure)
      if (failure !== undefined) return yield* Effect.fail(failure.failure)
    }
  )

  /** Takes the next entries, of the oldest segment, and says up to where all has been given then. */
  take(): { readonly entries: ReadonlyArray<Entry>; readonly upTo: bigint } {
    const { oldest } = this
    if (oldest?.entries === undefined) return { entries: [], upTo: 0n }
    const entries = oldest.entries.slice(0, chunk)
    const rest = oldest.entries.slice(chunk)
    const segments = this.segments.slice(0, -1)
    this.segments = rest.length > 0 ? [...segments, { ...oldest, entries: rest }] : segments
    return { entries, upTo: rest.length > 0 ? BigInt(entries.at(-1)?.timetoken ?? 0) : oldest.before }
  }

  /** Entries that are needed last are read again, where there are too many. */
  private forgetSome(): void {
    let kept = 0
    for (const segment of this.segments.toReversed()) {
      const count = segment.entries?.length ?? 0
      kept += count
      if (kept > mostKept && kept > count) segment.entries = undefined
    }
  }

  /** The newest page of a segment: that much of it is known then, and the rest is further segments. */
  private readonly readOne = Effect.fnUntraced(function*(this: Segments, segment: Segment) {
    const { channels, config, request, unsure } = this.source
    const names = channels()
    const limit = Storage.most(names.size)
    const entries: Array<Entry> = []
    // Of a channel whose page is full only what is younger than its oldest entry is surely all there is.
    let from = segment.since
    for (const part of addressParts(config, names.keys(), mostOfPage)) {
      const pages = yield* request(Storage.pages({
        channels: part,
        since: String(segment.since),
        before: String(segment.before),
        limit,
        actions: false,
        meta: true
      }))
      for (const [channel, page] of pages) {
        const read = entriesOf(channel, names.get(channel) ?? [channel], page.entries, segment.since)
          // A proxy may answer with what was not asked for: no end would be found.
          .filter(({ timetoken }) => timetoken < String(segment.before))
        entries.push(...read)
        // What was not asked for had a place on the page, too.
        if (page.entries.length < limit) continue
        const oldest = oldestOf(page.entries, String(segment.before))
        if (oldest === undefined) {
          unsure()
          continue
        }
        const after = BigInt(oldest) + 1n
        const complete = after < segment.before ? after : after - 1n
        if (complete > from) from = complete
      }
    }
    const bound = String(from)
    const known: Segment = {
      since: from,
      before: segment.before,
      entries: entries.filter(({ timetoken }) => timetoken >= bound).toSorted(byTimetoken),
      probedTo: segment.probedTo > from ? segment.probedTo : from,
      page: segment.page
    }
    return from > segment.since ? [known, ...divided(segment, from, this.segments.length === 1)] : [known]
  })
}

/**
 * Divides the rest of a segment, once the service gave the newest page of it. Page by page, every request is full, but only one
 * is made at a time, and all is kept until the old end is reached. So a rest that seems to have many pages is divided evenly
 * into parts of some pages each, which are read many at once: only the last page of a part is not full. The newest page counts
 * half in the guess, since a burst says little of the rest. The oldest part comes last.
 */
const divided = (part: Segment, from: bigint, isAll: boolean): ReadonlyArray<Segment> => {
  const page = (part.page + part.before - from) / 2n
  const length = from - part.since
  const pages = Number(length / page)
  const parts = Math.max(Math.round(pages / pagesOfPart), isAll ? Math.min(Math.round(pages / 2), partsOfShort) : 0)
  const count = Math.max(1, Math.min(atOnce, parts))
  const back = (index: number) => from - length * BigInt(index) / BigInt(count)
  return Array.from({ length: count }, (_, index): Segment => {
    const since = back(index + 1)
    const probedTo = part.probedTo > since ? part.probedTo : since
    return { since, before: back(index), entries: undefined, probedTo, page }
  })
}
