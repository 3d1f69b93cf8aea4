/**
 * The readers of a lane with the same names. They share one list of events, whose cursors name only events of these names: a
 * reader that resumes from a cursor reads only the history of its own names, so it would miss the events of all others.
 */
import type { Cursor } from "../../../Cursor.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Few from "./few.ts"
import * as Had from "./had.ts"
import type { Given } from "./ledger.ts"
import { type Key, nameOf } from "./names.ts"
import type { Reader } from "./reader.ts"
import { Recent, withoutSums } from "./recent.ts"

export class Audience {
  /** Readers with the same id get the same events. */
  readonly id: string
  /** How many names they have. */
  readonly size: number
  readers: Few.Few<Reader>
  private recent: Recent | undefined

  /** The service's time. */
  private readonly now: () => string

  constructor(id: string, size: number, now: () => string) {
    this.id = id
    this.size = size
    this.now = now
  }

  get names(): ReadonlyArray<string> {
    return this.id.split(separator).map(nameOf)
  }

  /** Forgets the events that its readers had. */
  forget(): void {
    this.recent = undefined
  }

  /** Gives events to its readers. `isWhole`: they hear all events of their connection, and so share its cursors. */
  give(given: ReadonlyArray<Given>, isWhole: boolean): void {
    let oldest: string | undefined
    for (const { event } of given) {
      const timetoken = "timetoken" in event ? event.timetoken : undefined
      if (timetoken !== undefined && (oldest === undefined || timetoken < oldest)) oldest = timetoken
    }
    const events = isWhole && this.recent === undefined ? given.map(({ event }) => event) : this.own(given)
    for (const reader of Few.all(this.readers)) {
      reader.offer(
        reader.hearsAll(oldest) ? events : events.filter((event, index) => reader.hears(given[index]?.by, event))
      )
    }
  }

  /** The cursor of its readers for one of their connection. `isWhole`: see `give`. */
  cursor(cursor: Cursor, isWhole: boolean): Cursor {
    const { recent } = this
    if (recent === undefined) return isWhole ? cursor : withoutSums(cursor)
    recent.trim(cursor.position)
    return { ...cursor, recent: recent.at(cursor.position) }
  }

  /** The same events with cursors of their own. */
  private own(given: ReadonlyArray<Given>): ReadonlyArray<SubscribeEvent.Received> {
    let shared: Cursor["recent"]
    let own: Cursor["recent"]
    return given.map(({ event, had }) => {
      const { cursor } = event
      if (cursor === undefined) return event
      const recent = this.recent ??= new Recent(withoutSums(cursor), this.now())
      if (had !== undefined) recent.add(had, Had.unsure)
      // The ledger moves events from `delivered` to `recent` after each hundred, at the same position.
      if (own === undefined || cursor.recent !== shared) {
        shared = cursor.recent
        recent.trim(cursor.position)
        own = recent.at(cursor.position)
      }
      return { ...event, cursor: { ...cursor, recent: own } }
    })
  }
}

/** The id of an audience: its names, and what its readers hear of each. */
export const idOfKeys = (keys: Iterable<Key>): string => [...keys].toSorted().join(separator)

/** No name holds a control character. */
const separator = "\n"
