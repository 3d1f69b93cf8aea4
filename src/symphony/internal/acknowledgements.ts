/**
 * What a feed can be told that it may forget. Each answer has an acknowledgement of its own, and the next read can name
 * one: so they go out one by one, oldest first, each after its page and all before it were committed.
 */
import * as Effect from "effect/Effect"
import * as Commits from "../../internal/commits.ts"

interface Acknowledgement {
  readonly ackId: string
}

export const make = () => {
  /** Those of pages that were told, oldest first. */
  const open: Array<Acknowledgement> = []
  /** So many of these are committed. */
  let committed = 0
  let last: Acknowledgement = { ackId: "" }
  const commits = Commits.make((front: Acknowledgement) =>
    Effect.sync(() => {
      committed = open.indexOf(front) + 1
    })
  )
  return {
    /** A page was told: its commit. */
    told: (ackId: string): Effect.Effect<void> => {
      const acknowledgement = { ackId }
      open.push(acknowledgement)
      return commits.next(acknowledgement)
    },
    /** What the next read says: when nothing new is committed, the same as the one before. */
    due: (): Acknowledgement => (committed > 0 ? open[0] : undefined) ?? last,
    /** A read that said so was answered. */
    said: (acknowledgement: Acknowledgement): void => {
      last = acknowledgement
      if (open[0] !== acknowledgement) return
      open.shift()
      committed--
    }
  }
}
