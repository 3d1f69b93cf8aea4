/**
 * What one reader has had: from envelopes to events, each once, with the cursor to go on from after it.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Cursor } from "../../Cursor.ts"
import type * as Event from "../Event.ts"
import * as CatchUp from "./catchUp.ts"
import * as Delivered from "./delivered.ts"
import * as Envelope from "./envelope.ts"

type Envelopes = ReadonlyArray<Schema.Json>

export interface Reader {
  /** The service answered for the first time: from here on everything is delivered. */
  readonly begin: (cursor: Cursor) => void
  /** The events of a live page. With `next`, nothing before that is missing any more. */
  readonly live: (envelopes: Envelopes, asked: Cursor, next: Cursor | undefined) => ReadonlyArray<Event.Event>
  /** The events that history had, where all before `upTo` has been found. */
  readonly found: (envelopes: Envelopes, asked: Cursor, upTo: bigint) => ReadonlyArray<Event.Event>
  /** Opens a hole, and says whether something can be in it. */
  readonly open: (hole: Omit<CatchUp.Hole, "from" | "since"> & { readonly from: Cursor }) => boolean
  /** The hole is filled, and what is missing of it was told. */
  readonly filled: () => void
  /** Where the reader stands when it polls from this cursor. */
  readonly cursor: (polled: Cursor) => Cursor
}

/** So many events are named in a cursor, at most: who had more in the overlap and is killed may have some again. */
export const mostNamed = 1_000

/** The same place after the hole before it was filled. */
export const withoutHole = ({ hole: _, ...cursor }: Cursor): Cursor => cursor

export const make = (
  catchUp: CatchUp.CatchUp,
  from: Cursor | undefined,
  /** Whether what comes by two subscribed names is given twice, once for each. */
  byName = false
): Reader => {
  const delivered = Delivered.make()
  // For the whole stream: the service may cut the same events into other pages the second time.
  const before = new Set([...from?.delivered ?? [], ...from?.recent?.names ?? []])
  /** What was delivered in the overlap, oldest first: also in earlier lives. */
  let recent: ReadonlyArray<string> = [...from?.recent?.names ?? [], ...from?.delivered ?? []]
  /** Nothing older is this reader's. */
  let birth = from?.recent === undefined ? 0n : BigInt(from.recent.since)
  /** Up to here the reader has everything. */
  let complete = 0n
  /** How far history was read, while the live service is still to be asked from further back. */
  let ahead: Cursor | undefined
  /** What is not older may still be missing from what history gave. */
  let limit = 0n
  /** Where the hole begins that is being filled. */
  let hole = ""

  const isBehind = (cursor: Cursor): boolean => ahead !== undefined && BigInt(ahead.position) > BigInt(cursor.position)
  const furthest = (cursor: Cursor): Cursor => ahead !== undefined && isBehind(cursor) ? ahead : cursor

  const named = (cursor: Cursor): Cursor => {
    const overlap = BigInt(cursor.position) - CatchUp.overlap
    return { ...cursor, recent: { since: String(overlap > birth ? overlap : birth), names: recent } }
  }

  const remember = (names: ReadonlyArray<string>, cursor: Cursor) => {
    const bound = String(BigInt(cursor.position) - CatchUp.overlap)
    // By two subscribed names an event comes twice, but takes one place.
    const all = [...new Set([...recent, ...names])]
    const first = all.findIndex((name) => name >= bound)
    recent = first === -1 ? [] : all.slice(Math.max(first, all.length - mostNamed))
  }

  /** The events that are new. The last of them stands at `next`, where that is known. */
  const read = (envelopes: Envelopes, base: Cursor, next: Cursor | undefined): ReadonlyArray<Event.Event> => {
    const had = [...base.delivered]
    const fresh: Array<string> = []
    const events: Array<Event.Event> = []
    const place = named(base)
    for (const raw of envelopes) {
      const decoded = Envelope.decode(raw)
      const envelope = Result.isSuccess(decoded) ? decoded.success : undefined
      const id = envelope === undefined ? Envelope.idOfRaw(raw) : Envelope.idOf(envelope)
      if (envelope !== undefined) catchUp.note(envelope)
      // What says nothing of itself cannot be known again: better twice than not at all.
      if (id !== undefined) {
        const by = byName && envelope !== undefined ? Envelope.nameOf(envelope) : ""
        const admitted = delivered.admit(id + by, envelope === undefined ? raw : envelope.d)
        const { isNew } = admitted
        const name = byName ? id : admitted.name
        had.push(name)
        if (!isNew || before.has(name)) continue
        fresh.push(name)
      }
      const cursor = { ...place, delivered: had.slice() }
      events.push(
        Result.isSuccess(decoded)
          ? Envelope.toEvent(decoded.success, cursor)
          : Envelope.undecodable(raw, decoded.failure, cursor)
      )
    }
    remember(fresh, next ?? base)
    const last = events.at(-1)
    if (next !== undefined && last !== undefined) events[events.length - 1] = { ...last, cursor: named(next) }
    return events
  }

  return {
    begin: (cursor) => {
      const position = BigInt(cursor.position)
      if (birth === 0n) birth = position + 1n
      complete = position
    },
    live: (envelopes, asked, next) => {
      const events = read(envelopes, furthest(asked), next === undefined || isBehind(next) ? undefined : next)
      if (next === undefined) return events
      const position = BigInt(next.position)
      if (position > complete) complete = position
      if (!isBehind(next)) ahead = undefined
      return events
    },
    found: (envelopes, asked, upTo) => {
      const base = furthest(asked)
      const reached = (limit < upTo ? limit : upTo) - 1n
      const next = reached > BigInt(base.position)
        ? { ...base, position: String(reached), delivered: [], hole }
        : undefined
      const events = read(envelopes, base, next)
      ahead = next ?? ahead
      catchUp.missed(events.length)
      return events
    },
    open: ({ from, ...rest }) => {
      const position = BigInt(from.position)
      const start = (position > complete ? position : complete) - CatchUp.overlap
      const since = [start, birth, delivered.since()].reduce((one, other) => one > other ? one : other)
      const to = BigInt(rest.to)
      if (to < since) return false
      // After a break nobody looks again: history may be some seconds behind, and messages of other regions are.
      limit = rest.reason === "LongBreak" ? to - CatchUp.overlap : to
      hole = from.hole ?? from.position
      catchUp.open({ ...rest, from: hole, since })
      return true
    },
    filled: () => {
      if (ahead !== undefined) ahead = withoutHole(ahead)
    },
    cursor: (polled) => named(furthest(polled))
  }
}
