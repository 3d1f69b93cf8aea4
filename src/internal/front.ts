/** Tracks how far all work is done, when it finishes in any order. */

/** One piece of work, and the place behind it. */
export interface Entry<C> {
  /** Undefined: it has no place of its own, and only holds back the places behind it. */
  readonly place: C | undefined
  done: boolean
  next: Entry<C> | undefined
}

/** A line of entries. The front is the last one before which none is open. */
export interface Front<C> {
  /** Adds an entry at the end. */
  readonly open: (place: C | undefined) => Entry<C>
  /** Marks an entry as done, and moves the front as far as it can. */
  readonly done: (entry: Entry<C>) => void
  /** The place that was reached, if there is one. */
  readonly place: () => C | undefined
  /** How many entries the front has passed since it began. */
  readonly passed: () => number
}

export const make = <C>(): Front<C> => {
  let front: Entry<C> = { place: undefined, done: true, next: undefined }
  let newest = front
  let place: C | undefined
  let passed = 0
  return {
    open: (place) => {
      const entry: Entry<C> = { place, done: false, next: undefined }
      newest.next = entry
      newest = entry
      return entry
    },
    done: (entry) => {
      entry.done = true
      for (let next = front.next; next?.done === true; next = front.next) {
        front = next
        place = next.place ?? place
        passed++
      }
    },
    place: () => place,
    passed: () => passed
  }
}
