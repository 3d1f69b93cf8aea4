/**
 * Reads a range of history in segments, several at once, from the old end on. The service gives the newest page of a range, so a
 * segment that does not fit into one page is divided. Entries come oldest first, merged over all channels. Memory is bounded.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type { Encryption } from "../../Encryption.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Storage from "../wire/storage.ts"
import { textOf } from "./place.ts"
import type { Room } from "./room.ts"
import { byTimetoken, entriesOf, type Entry, oldestOf, openEntries } from "./storedEntry.ts"

/** How many entries stay in memory while older ones are read. Further ones are dropped and read again. Of large ones fewer stay. */
const mostKept = 16_000
const mostPagesKept = 160

/** How many segments are read at once. */
const atOnce = 16

/** How many pages a part of a long range has, about. With fewer, too many requests would give a last page that is half empty. */
const pagesOfPart = 5

/** A short range has at most so many parts, of at least two pages each: a reader waits for it, and small parts end sooner. */
const partsOfShort = 4

/** No segment is read if more entries than this wait before it: memory would fill up before the oldest entries arrive. */
const mostAhead = 4_000
const mostPagesAhead = 40

/** How many entries `take` gives at once. */
const chunk = 100

/** A part of a range, with its entries once they are read. */
export interface Segment {
  readonly since: bigint
  readonly before: bigint
  entries: ReadonlyArray<Entry> | undefined
  /** Retention may have deleted entries before this timetoken. The reader has already checked, and reported any loss. */
  probedTo: bigint
  /** How much time a page seems to cover. At first a guess; the newer pages that were read correct it. */
  readonly page: bigint
}

/** What `Segments` needs from its reader. */
export interface Source {
  readonly encryption: Encryption | undefined
  readonly room: Room
  /** The channels to read, each with the subscribed names that stand for it. */
  readonly channels: () => ReadonlyMap<string, ReadonlyArray<string>>
  /** Whether retention may have deleted entries of a segment since the last check. */
  readonly isOld: (segment: Segment) => boolean
  /** Called where a page lacks entries that no request can find. */
  readonly unsure: () => void
}

export class Segments {
  private readonly source: Source
  /** The oldest segment is the last one. */
  private segments: ReadonlyArray<Segment>

  /** `pages` is a guess: how many pages the range has at least. */
  constructor(source: Source, since: bigint, before: bigint, pages: number) {
    this.source = source
    this.segments = [{ since, before, entries: undefined, probedTo: since, page: (before - since) / BigInt(pages) }]
  }

  /** The next segment. Undefined after the last entry was given. */
  get oldest(): Segment | undefined {
    return this.segments.at(-1)
  }

  /** Reads the oldest unread segments. Divides those that did not fit into one page. */
  readonly read: Effect.Effect<void, PubNubError.Reason, HttpClient.HttpClient> = Effect.gen(
    { self: this },
    function*() {
      const unread: Array<Segment> = []
      const ahead = Math.min(mostAhead, mostPagesAhead * this.source.room.entries)
      let kept = 0
      for (let index = this.segments.length - 1; index >= 0 && unread.length < atOnce; index--) {
        const segment = this.segments[index]
        if (segment === undefined) break
        if (segment.entries !== undefined) kept += segment.entries.length
        else if (kept > ahead) break
        else unread.push(segment)
      }
      const results = yield* Effect.forEach(unread, (segment) => Effect.result(this.readOne(segment)), {
        concurrency: "unbounded"
      })
      const read = new Map<Segment, ReadonlyArray<Segment>>()
      for (const [index, segment] of unread.entries()) {
        const result = results[index]
        // Retention may have deleted entries of a segment that grew too old during the request.
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

  /** Takes the next entries of the oldest segment. All entries before `upTo` have been given then. */
  take(): { readonly entries: ReadonlyArray<Entry>; readonly upTo: bigint } {
    const { oldest } = this
    if (oldest?.entries === undefined) return { entries: [], upTo: 0n }
    const entries = oldest.entries.slice(0, chunk)
    const rest = oldest.entries.slice(chunk)
    const segments = this.segments.slice(0, -1)
    this.segments = rest.length > 0 ? [...segments, { ...oldest, entries: rest }] : segments
    return { entries, upTo: rest.length > 0 ? BigInt(entries.at(-1)?.timetoken ?? 0) : oldest.before }
  }

  /** Drops the newest entries if there are too many. They are read again later. */
  private forgetSome(): void {
    const most = Math.min(mostKept, mostPagesKept * this.source.room.entries)
    let kept = 0
    for (const segment of this.segments.toReversed()) {
      const count = segment.entries?.length ?? 0
      kept += count
      if (kept > most && kept > count) segment.entries = undefined
    }
  }

  /** Reads the newest page of a segment. Gives the part that the page covers, and the rest as new segments. */
  private readonly readOne = Effect.fnUntraced(function*(this: Segments, segment: Segment) {
    const { channels, encryption, room, unsure } = this.source
    const names = channels()
    const entries: Array<Entry> = []
    // A full page of a channel is complete only after its oldest entry.
    let from = segment.since
    const pages = yield* room.pages(names.keys(), {
      since: textOf(segment.since),
      before: textOf(segment.before),
      limit: Storage.most(names.size),
      meta: true
    })
    for (const { channel, limit, page } of pages) {
      const read = entriesOf(channel, names.get(channel) ?? [channel], page.entries, segment.since)
        // A proxy may answer with entries outside of the range. Then reading would never end.
        .filter(({ timetoken }) => timetoken < textOf(segment.before))
      // Spread arguments overflow the stack: a page may have any number.
      for (const entry of yield* openEntries(encryption, read)) entries.push(entry)
      const after = completeFrom(page, limit, textOf(segment.before))
      // It says no time, or all of it has one timetoken: no request can show what is missing then.
      if (after === undefined || after >= segment.before) unsure()
      if (after === undefined || after > segment.before) continue
      const complete = after < segment.before ? after : after - 1n
      if (complete > from) from = complete
    }
    const bound = textOf(from)
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
 * From where on a page has everything: a full one after its oldest entry, and one that the service cut short from its oldest entry on.
 * The service says that itself (`more`), but might say anything. Undefined: it cannot be told.
 */
const completeFrom = ({ entries, more }: Storage.Page, limit: number, before: string): bigint | undefined => {
  // Counts the entries outside of the range too: they took places on the page.
  if (more === undefined && entries.length < limit) return 0n
  const oldest = oldestOf(entries, before)
  return oldest === undefined ? undefined : BigInt(oldest) + (more === oldest ? 0n : 1n)
}

/**
 * Divides the rest of a segment after its newest page was read. Reading page by page makes only full requests. But it makes them
 * one at a time, and keeps all entries until the oldest page was read. So a rest that seems to have many pages is divided evenly
 * into parts of some pages each. Parts are read at once, and only the last page of a part is not full. The newest page counts half
 * in the guess, since a burst says little about the rest. The oldest part comes last.
 */
const divided = (part: Segment, from: bigint, isAll: boolean): ReadonlyArray<Segment> => {
  const page = (part.page + part.before - from + 1n) / 2n
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
