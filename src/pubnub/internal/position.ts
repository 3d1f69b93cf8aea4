/**
 * Which positions to believe. A position of the service that is far from where it stood before, or zero, may be some
 * proxy's or a bug's: moving there would skip everything between. It is believed once a second answer agrees.
 */
const ticksPerMilli = 10_000n
const aDay = 86_400_000
const aMinute = 60_000n * ticksPerMilli

// Messages of other regions make a position go back a little; never by this much.
const furthestBack = 10n * aMinute

const distance = (a: string, b: string): bigint => {
  const difference = BigInt(a) - BigInt(b)
  return difference < 0n ? -difference : difference
}

/** Whether two answers speak of about the same moment. */
export const agree = (a: string, b: string): boolean => a !== "0" && b !== "0" && distance(a, b) <= aMinute

/** Whether a first position is near this machine's own clock. One that is not is asked for again. */
export const nearClock = (position: string, nowMillis: number): boolean =>
  distance(position, String(BigInt(Math.floor(nowMillis)) * ticksPerMilli)) <= BigInt(aDay) * ticksPerMilli

/** Whether the service can be at this position, when it was at `latest` that many milliseconds ago. */
export const plausible = (position: string, latest: string, elapsedMillis: number): boolean => {
  const ahead = BigInt(position) - BigInt(latest)
  const allowance = BigInt(Math.floor(Math.max(0, elapsedMillis)) + aDay) * ticksPerMilli
  return position !== "0" && ahead <= allowance && ahead >= -furthestBack
}
