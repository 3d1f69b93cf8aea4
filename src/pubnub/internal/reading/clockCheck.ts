/**
 * Which positions to believe. One that is far from where the service must be by now, or zero, may be some proxy's or a
 * bug's: moving there would skip everything between.
 */

const aDay = 86_400_000
const aMinute = 60_000

// Messages of other regions make a position go back a little; never by this much.
const furthestBack = 10 * aMinute

// So many answers in a row must say the same before it is believed against the clock: before the first position was
// believed it is likely this machine's clock that is wrong, later it is not.
const firstQuorum = 3
const quorum = 5

export interface Witness {
  /**
   * Whether to believe a position, and how many in a row were not believed before this one. `asked` is what the poll
   * asked from: the answer may be of any time between then and now. A handshake is of now.
   */
  readonly judge: (
    position: string,
    now: number,
    asked: string | undefined
  ) => { readonly believed: boolean; readonly doubtsBefore: number }
}

/** The moment of a position. */
export const millisOf = (position: string): number => Number(BigInt(position) / 10_000n)

/** A witness looks at the wall clock, and learns how far the service's is from it. */
export const makeWitness = (): Witness => {
  let offset: number | undefined
  let doubted = 0
  let doubts = 0
  return {
    judge: (position, now, asked) => {
      const millis = millisOf(position)
      const expected = now + (offset ?? 0)
      const earliest = asked === undefined ? expected - aDay : millisOf(asked) - furthestBack
      const doubtsBefore = doubts
      if (millis > 0 && millis >= earliest && millis <= expected + aDay) {
        offset ??= 0
      } else {
        const again = doubts > 0 && Math.abs(millis - doubted) <= aMinute
        doubts = again ? doubts + 1 : 1
        doubted = millis
        if (millis === 0 || doubts < (offset === undefined ? firstQuorum : quorum)) {
          return { believed: false, doubtsBefore }
        }
        offset = millis - now
      }
      doubts = 0
      return { believed: true, doubtsBefore }
    }
  }
}
