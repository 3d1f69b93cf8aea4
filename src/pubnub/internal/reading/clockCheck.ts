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

/** Whether to believe a position, and how many in a row were not believed before this one. */
export interface Judgement {
  readonly believed: boolean
  readonly doubtsBefore: number
}

export interface Witness {
  /** A handshake is of now: near this machine's clock, and not before where the reader stands. */
  readonly handshake: (position: string, now: number, standing: string | undefined) => Judgement
  /** A poll is answered with any time between the one that it asked from and now. */
  readonly poll: (position: string, now: number, asked: string) => Judgement
}

/** The moment of a position, in milliseconds: all digits but the last four. */
export const millisOf = (position: string): number => Number(position.slice(0, -4))

const notBefore = (position: string): number => millisOf(position) - furthestBack

/** Whether a position is so far behind another that it was doubted before it was believed. */
export const isFurtherBack = (position: string, than: string): boolean => millisOf(position) < notBefore(than)

/** A witness looks at the wall clock, and learns how far the service's is from it. */
export const makeWitness = (): Witness => {
  let offset: number | undefined
  /** The offset that was believed because the service insisted. */
  let insisted: number | undefined
  let doubted = 0
  let doubts = 0
  const judge = (millis: number, now: number, earliest: number): Judgement => {
    const doubtsBefore = doubts
    if (millis > 0 && millis >= earliest && millis <= now + (offset ?? 0) + aDay) {
      offset ??= 0
    } else {
      const again = doubts > 0 && Math.abs(millis - doubted) <= aMinute
      doubts = again ? doubts + 1 : 1
      doubted = millis
      if (millis === 0 || doubts < (offset === undefined ? firstQuorum : quorum)) {
        return { believed: false, doubtsBefore }
      }
      offset = millis - now
      insisted = offset
    }
    doubts = 0
    return { believed: true, doubtsBefore }
  }
  return {
    handshake: (position, now, standing) => {
      const expected = now + (offset ?? 0)
      // What was believed after doubts is not doubted again each time.
      const isExpected = insisted !== undefined && Math.abs(millisOf(position) - now - insisted) <= aMinute
      const earliest = standing === undefined || isExpected ? 0 : notBefore(standing)
      return judge(millisOf(position), now, Math.max(expected - aDay, earliest))
    },
    poll: (position, now, asked) => judge(millisOf(position), now, notBefore(asked))
  }
}
