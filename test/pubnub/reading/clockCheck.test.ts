import { assert, describe, it } from "@effect/vitest"
import * as ClockCheck from "../../../src/pubnub/internal/reading/clockCheck.ts"

const now = 1_790_000_000_000
const minute = 60_000
const day = 86_400_000
const position = (millis: number) => String(BigInt(millis) * 10_000n)

/** A witness that has believed a position of now. */
const believing = () => {
  const witness = ClockCheck.makeWitness()
  assert.isTrue(witness.handshake(position(now), now, undefined).believed)
  return witness
}

describe("a handshake's position", () => {
  it.each([0, -day, day, 1, -1])("is believed when it is %i ms from this machine's clock", (by) => {
    assert.deepStrictEqual(ClockCheck.makeWitness().handshake(position(now + by), now, undefined), {
      believed: true,
      doubtsBefore: 0
    })
  })

  it.each([-day - 1, day + 1, 365 * day])(
    "is doubted at first when it is %i ms off, and believed the third time",
    (by) => {
      const witness = ClockCheck.makeWitness()
      assert.deepStrictEqual(
        [0, 1, 2].map((n) => witness.handshake(position(now + by + n), now + n, undefined)),
        [
          { believed: false, doubtsBefore: 0 },
          { believed: false, doubtsBefore: 1 },
          { believed: true, doubtsBefore: 2 }
        ]
      )
      // From now on that is where the service is.
      assert.isTrue(witness.handshake(position(now + by), now, undefined).believed)
      assert.isFalse(witness.handshake(position(now + by + day + minute), now, undefined).believed)
    }
  )

  it("is doubted when it is more than ten minutes back, until three in a row agree", () => {
    const standing = position(now)
    const back = (minutes: number) => position(now - minutes * minute)
    // Also where this machine's clock is as far behind.
    for (const clock of [now, now - 60 * minute]) {
      const witness = ClockCheck.makeWitness()
      assert.isTrue(ClockCheck.makeWitness().handshake(back(10), clock, standing).believed)
      assert.deepStrictEqual(
        [1, 2, 3].map(() => witness.handshake(back(60), clock, standing).believed),
        [false, false, true]
      )
    }
    assert.isTrue(believing().handshake(position(now + minute), now, standing).believed)
  })

  it("that three in a row agreed on is believed while the service repeats it", () => {
    const standing = position(now)
    const witness = believing()
    const believed = (minutes: number, later: number) =>
      witness.handshake(position(now - minutes * minute + later), now + later, standing).believed
    const said = Array.from({ length: 8 }, (_, n) => believed(60, n))
    assert.isTrue(said.at(-1))
    assert.isFalse(said[0])
    assert.isTrue(believed(60, 5 * minute))
    assert.isFalse(believed(30, 5 * minute))
  })

  it("is never believed when it is zero", () => {
    const witness = ClockCheck.makeWitness()
    for (let n = 0; n < 20; n++) assert.isFalse(witness.handshake("0", now, undefined).believed)
  })
})

describe("a poll's position", () => {
  it("may go back by ten minutes, and no more", () => {
    const asked = position(now)
    assert.isTrue(believing().poll(position(now - 10 * minute), now, asked, Infinity).believed)
    assert.isFalse(believing().poll(position(now - 10 * minute - 1), now, asked, Infinity).believed)
  })

  it("may be of any time since the cursor of the poll, and a day ahead", () => {
    const asked = position(now - 30 * day)
    assert.isTrue(believing().poll(position(now - 29 * day), now, asked, Infinity).believed)
    assert.isTrue(believing().poll(position(now + day), now, asked, Infinity).believed)
    assert.isFalse(believing().poll(position(now + day + 1), now, asked, Infinity).believed)
  })

  it("may not be later than the service's time is at most", () => {
    const asked = position(now)
    const latest = now + 2 * minute
    assert.isTrue(believing().poll(position(latest), now, asked, latest).believed)
    assert.isFalse(believing().poll(position(latest + 1), now, asked, latest).believed)
  })

  it("that differs is believed only when five in a row agree within a minute of each other", () => {
    const far = position(now + 40 * day)
    const witness = believing()
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4].map(() => witness.poll(far, now, position(now), Infinity).believed),
      [false, false, false, false, true]
    )
    const other = believing()
    for (let n = 0; n < 20; n++) {
      // Each is more than a minute from the one before.
      assert.isFalse(other.poll(position(now + 40 * day + n * (minute + 1)), now, position(now), Infinity).believed)
    }
    const alike = believing()
    assert.isTrue(
      [0, 1, 2, 3, 4].map((n) =>
        alike.poll(position(now + 40 * day + n * minute), now, position(now), Infinity).believed
      )
        .at(-1)
    )
  })

  it("that differs is counted anew after a good one", () => {
    const witness = believing()
    const far = position(now + 40 * day)
    for (let n = 0; n < 4; n++) witness.poll(far, now, position(now), Infinity)
    assert.deepStrictEqual(witness.poll(position(now), now, position(now), Infinity), {
      believed: true,
      doubtsBefore: 4
    })
    assert.deepStrictEqual(witness.poll(far, now, position(now), Infinity), { believed: false, doubtsBefore: 0 })
  })
})
