/** Chooses the feed of a reader: an existing one, or one that it creates. */
import * as Effect from "effect/Effect"
import type * as SymphonyError from "../../SymphonyError.ts"
import * as Requests from "./feedRequests.ts"
import type { Needs } from "../wire/request.ts"

export interface Wanted {
  readonly tag: string | undefined
  readonly include: ReadonlyArray<"own" | "invisible">
}

export interface Chosen {
  readonly feedId: string
  /** Whether it was created for this reader. */
  readonly created: boolean
}

/**
 * Whether a feed is of the type that this reader reads. Lists have feeds of other types too, and may not name the type. An id may
 * end with a tag of any characters.
 */
const isFanout = ({ id, type = "" }: Requests.Feed): boolean =>
  type === "" ? /^[^\s_]+_f(_|$)/.test(id) : type.toLowerCase() === "fanout"

/** The oldest feed, so that readers that start at the same time choose the same one. */
const first = (feeds: ReadonlyArray<Requests.Feed>): Requests.Feed | undefined =>
  feeds.toSorted((one, other) =>
    (one.createdAt ?? Number.POSITIVE_INFINITY) - (other.createdAt ?? Number.POSITIVE_INFINITY) ||
    (one.id < other.id ? -1 : 1)
  )[0]

/** Chooses a feed for one reader, and another one when the service has deleted it. */
export const make = (wanted: Wanted) => {
  /** Whether a create request had no answer yet: a feed that is found later may be the result. */
  let making = false
  /** Deleted feeds. Lists may show them for some time. */
  const gone = new Set<string>()

  const list = Effect.map(
    Requests.list(wanted.tag),
    (feeds) => feeds.filter((feed) => isFanout(feed) && !gone.has(feed.id))
  )

  const choose: Effect.Effect<Chosen, SymphonyError.SymphonyError, Needs> = Effect.gen(function*() {
    const found = first(yield* list)
    if (found !== undefined) {
      const created = making
      making = false
      return { feedId: found.id, created }
    }
    making = true
    const own: Requests.Feed = {
      id: yield* Requests.create({
        tag: wanted.tag,
        includeInvisible: wanted.include.includes("invisible")
      })
    }
    // Another reader may have created a feed meanwhile. Then both use the older one; nobody has read from the other.
    const now = yield* list
    const made = now.some(({ id }) => id === own.id) ? now : [...now, own]
    making = false
    return { feedId: first(made)?.id ?? own.id, created: true }
  })

  return {
    choose,
    /** Whether the service still lists a feed. */
    isListed: (feedId: string): Effect.Effect<boolean, SymphonyError.SymphonyError, Needs> =>
      Effect.map(Requests.list(wanted.tag), (feeds) => feeds.some(({ id }) => id === feedId)),
    /** Excludes a feed from later choices. */
    forget: (feedId: string): void => {
      gone.add(feedId)
    }
  }
}
