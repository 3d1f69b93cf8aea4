/**
 * Checks the positions of answers. A proxy or a bug may cause a position that is zero, or far from the service's time. A reader
 * that moved there would skip messages, or wait for ever.
 */

const aDay = 86_400_000
const aMinute = 60_000

/** Regions differ, so a position may go back a little, but never by this much. */
const furthestBack = 10 * aMinute

/**
 * How many consistent answers in a row are believed against the clock. Before the first believed position fewer are enough, since
 * then this machine's clock is more likely to be wrong.
 */
const firstQuorum = 3
const quorum = 5

/** Whether to believe a position, and how many positions in a row before it were not believed. */
export interface Judgement {
  readonly believed: boolean
  readonly doubtsBefore: number
}

export interface Witness {
  /** The position of a handshake is near this machine's clock, and not before the position of the reader. */
  readonly handshake: (position: string, now: number, standing: string | undefined) => Judgement
  /** The position of a poll is between the one in the request and `latest`, the highest plausible time of the service. */
  readonly poll: (position: string, now: number, asked: string, latest: number) => Judgement
}

/** The moment of a position, in milliseconds: all digits but the last four. */
export const millisOf = (position: string): number => Number(position.slice(0, -4))

const notBefore = (position: string): number => millisOf(position) - furthestBack

/** Whether a position is so far behind another that it is doubted at first. */
export const isFurtherBack = (position: string, than: string): boolean => millisOf(position) < notBefore(than)

/** Compares positions with the wall clock, and learns the offset between it and the service's clock. */
export const makeWitness = (): Witness => {
  let offset: number | undefined
  /** The offset after so many consistent answers against the clock. */
  let insisted: number | undefined
  let doubted = 0
  let doubts = 0
  const judge = (millis: number, now: number, earliest: number, latest: number): Judgement => {
    const doubtsBefore = doubts
    if (millis > 0 && millis >= earliest && millis <= latest && millis <= now + (offset ?? 0) + aDay) {
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
      // An offset that was believed after doubts is not doubted again.
      const isExpected = insisted !== undefined && Math.abs(millisOf(position) - now - insisted) <= aMinute
      const earliest = standing === undefined || isExpected ? 0 : notBefore(standing)
      return judge(millisOf(position), now, Math.max(expected - aDay, earliest), Infinity)
    },
    poll: (position, now, asked, latest) => judge(millisOf(position), now, notBefore(asked), latest)
  }
}
