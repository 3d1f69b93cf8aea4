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
  /** The bot had none. */
  readonly created: boolean
}

/**
 * Whether it is a feed for a reader like this one: lists show others, too, and do not always say which is which. A tag, which
 * stands at the end of an id, may have any characters.
 */
const isFanout = ({ id, type = "" }: Requests.Feed): boolean =>
  type === "" ? /^[^\s_]+_f(_|$)/.test(id) : type.toLowerCase() === "fanout"

/** The feed that was there first, so that readers that began at the same moment choose the same one. */
const first = (feeds: ReadonlyArray<Requests.Feed>): Requests.Feed | undefined =>
  feeds.toSorted((one, other) =>
    (one.createdAt ?? Number.POSITIVE_INFINITY) - (other.createdAt ?? Number.POSITIVE_INFINITY) ||
    (one.id < other.id ? -1 : 1)
  )[0]

/** Chooses feeds for one reader, one after the other where the service forgets them. */
export const make = (wanted: Wanted) => {
  /** A feed was asked for: one that is found later may be that one, whose answer was lost. */
  let making = false
  /** What cannot be read. Lists may show it for some time. */
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
    // Somebody else may have made one meanwhile, and reads it. Nothing is lost with the other: nobody has read it.
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
    /** It is not chosen again. */
    forget: (feedId: string): void => {
      gone.add(feedId)
    }
  }
}
