import { assert, describe, it } from "@effect/vitest"
import type { Cursor } from "../../../src/Cursor.ts"
import * as Arrival from "../../../src/pubnub/internal/reading/arrival.ts"
import { type Given, Ledger } from "../../../src/pubnub/internal/reading/ledger.ts"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { arrival, numbers, second, ticks } from "./arrivals.ts"

const at = (n: number | bigint): Cursor => ({ position: ticks(n), region: 1, delivered: [] })

const payloads = (given: ReadonlyArray<Given>) =>
  given.map(({ event }) => event._tag === "Message" || event._tag === "Signal" ? event.payload : event._tag)

const cursorOf = (given: ReadonlyArray<Given>, index: number): Cursor => {
  const event = given.at(index)?.event
  assert.isDefined(event?.cursor)
  return event!.cursor!
}

const ledgerFrom = (from?: Cursor) => {
  const ledger = new Ledger(from, () => {})
  ledger.begin(from ?? at(0))
  return ledger
}

/** Reads a hole of so much, a chunk at a time, as history shows it. */
const fill = (ledger: Ledger, from: Cursor, history: ReadonlyArray<Arrival.Arrival>, to: number, size = 100) => {
  const hole = ledger.open({ reason: "LongBreak", from, to: ticks(to), page: [] })
  if (hole === undefined) return []
  const all = history.filter(({ id = "" }) => id >= String(hole.since) && id.slice(0, 17) <= hole.to)
  const given: Array<Given> = []
  for (let index = 0; index < all.length; index += size) {
    const part = all.slice(index, index + size)
    const next = all[index + size]
    const upTo = next === undefined ? BigInt(hole.to) + 1n : BigInt(part.at(-1)!.id!.slice(0, 17))
    given.push(...ledger.found(part, from, upTo, next === undefined))
  }
  ledger.filled(false)
  return given
}

describe("a live page", () => {
  it("leaves room in cursors after a thousand messages from the far future", () => {
    const ledger = ledgerFrom()
    const future = numbers(1_000).map((n) => arrival(90_000 * second + n))
    assert.lengthOf(ledger.live(future, at(0), at(1), ticks(60 * second)), 1_000)
    assert.lengthOf(ledger.live(future, at(1), at(2), ticks(60 * second)), 0)
    for (const n of numbers(60, 1)) {
      const page = numbers(90).map((m) => arrival(n * second + m))
      assert.lengthOf(ledger.live(page, at((n - 1) * second + 100), at(n * second + 100)), 90)
    }
    const recent = ledger.cursor(at(60 * second + 100)).recent
    assert.isAtLeast(Number(recent?.since), Number(ticks(48 * second)))
    assert.isTrue(recent?.sums?.every(([to]) => to < ticks(61 * second)))
  })

  it("is named in the cursor of a page whose position is an hour behind it", () => {
    const ledger = ledgerFrom()
    const hour = 3_600 * second
    const [one] = ledger.live([arrival(hour)], at(0), at(1), ticks(hour))
    assert.strictEqual(one?.event.cursor?.recent?.marks, Marks.of(`${ticks(hour)}/a/ada`))
  })

  it("is delivered once, and the cursor of its last event is behind it", () => {
    const ledger = ledgerFrom()
    const page = numbers(3, 1).map((n) => arrival(n))
    const given = ledger.live(page, at(0), at(3))
    assert.deepStrictEqual(payloads(given), [1, 2, 3])
    assert.strictEqual(cursorOf(given, 0).position, ticks(0))
    assert.strictEqual(cursorOf(given, 0).delivered.length, 1)
    assert.strictEqual(cursorOf(given, 1).delivered.length, 2)
    assert.strictEqual(cursorOf(given, 2).position, ticks(3))
    assert.deepStrictEqual(cursorOf(given, 2).delivered, [])
    assert.deepStrictEqual(payloads(ledger.live([...page, arrival(4)], at(3), at(4))), [4])
  })

  it("delivers an event once for each name, and counts it once", () => {
    const ledger = ledgerFrom()
    const given = ledger.live([arrival(1), arrival(1, { by: "crew" }), arrival(1)], at(0), at(1))
    assert.deepStrictEqual(given.map(({ by }) => by), ["a", "crew"])
    assert.strictEqual(ledger.cursor(at(1)).recent?.marks.length, 5)
  })

  it("delivers all events that share a timetoken", () => {
    const ledger = ledgerFrom()
    const twins = [arrival(1, { payload: "x" }), arrival(1, { payload: "y" })]
    assert.deepStrictEqual(payloads(ledger.live(twins, at(0), at(1))), ["x", "y"])
    assert.deepStrictEqual(payloads(ledger.live([...twins, arrival(1, { payload: "z" })], at(1), at(2))), ["z"])
  })

  it("with an odd timetoken does not change from when on its events are remembered", () => {
    const ledger = ledgerFrom()
    const odd = Arrival.read({ c: "a", p: { t: "~" } })
    const events = numbers(12_001, 1).map((n) => arrival(n))
    ledger.live([odd, ...events], at(0), at(12_001))
    const hole = ledger.open({ reason: "LongBreak", from: at(12_001), to: ticks(12_002), page: [] })
    // The oldest thousand are forgotten.
    assert.isAbove(Number(hole!.since - BigInt(ticks(0))), 999)
  })

  it.each([0, 1, 2, 50, 98, 99])("resumes behind event %i, however the service divides its pages then", (index) => {
    const page = numbers(100, 1).map((n) => arrival(n))
    const given = ledgerFrom().live(page, at(0), at(100))
    const from = cursorOf(given, index)
    const again = ledgerFrom(from)
    const rest = page.filter(({ id = "" }) => id.slice(0, 17) > from.position)
    const one = again.live(rest.slice(0, 30), from, at(30))
    const other = again.live(rest.slice(30), at(30), at(100))
    assert.deepStrictEqual(payloads([...one, ...other]), numbers(99 - index, index + 2))
  })

  it.each([100, 101, 150, 199, 200, 349])(
    "of 350 events resumes behind event %i",
    (index) => {
      const page = numbers(350, 1).map((n) => arrival(n))
      const given = ledgerFrom().live(page, at(0), at(350))
      const from = cursorOf(given, index)
      assert.isAtMost(from.delivered.length, 100)
      const again = ledgerFrom(from).live(page, from, at(350))
      assert.deepStrictEqual(payloads(again), numbers(349 - index, index + 2))
    }
  )

  it("begins a reader that joins no earlier than itself, even if the first page goes back", () => {
    const ledger = ledgerFrom(at(5))
    ledger.live([], at(5), at(1), ticks(5))
    assert.deepInclude(ledger.front(at(1)), { position: ticks(5) })
  })

  it("of the past lets no reader begin before what the others got", () => {
    const ledger = ledgerFrom()
    ledger.live([arrival(1), arrival(2)], at(0), at(2))
    assert.deepStrictEqual(ledger.live([arrival(1)], at(2), at(1)), [])
    assert.deepInclude(ledger.front({ ...at(1), delivered: [Marks.of("2")] }), at(2))
  })

  it("without a position that is believed leaves the cursor in place", () => {
    const ledger = ledgerFrom()
    const given = ledger.live([arrival(1)], at(0), undefined)
    assert.strictEqual(cursorOf(given, 0).position, ticks(0))
    assert.strictEqual(ledger.cursor(at(0)).position, ticks(0))
  })
})

describe("a gap", () => {
  it("is read from ten seconds before it, not from before the beginning, and not when it is empty", () => {
    const ledger = ledgerFrom()
    ledger.live([arrival(30 * second)], at(0), at(30 * second))
    const hole = ledger.open({ reason: "LongBreak", from: at(30 * second), to: ticks(40 * second), page: [] })
    assert.strictEqual(String(hole?.since), ticks(20 * second))
    const young = ledgerFrom()
    const own = young.open({ reason: "FullPage", from: at(0), to: ticks(10), page: [] })
    assert.strictEqual(String(own?.since), ticks(1))
    assert.isUndefined(ledgerFrom().open({ reason: "FullPage", from: at(0), to: ticks(0), page: [] }))
  })

  it("is read from the start of the first reader, also when that is before the beginning", () => {
    const ledger = ledgerFrom()
    const gap = { reason: "FullPage" as const, from: at(2), to: ticks(3), page: [] }
    assert.strictEqual(String(ledger.open({ ...gap, startsAfter: ticks(-5) })?.since), ticks(-4))
    assert.strictEqual(String(ledger.open({ ...gap, startsAfter: ticks(1) })?.since), ticks(1))
    assert.strictEqual(String(ledger.open({ ...gap, startsAfter: ticks(-20 * second) })?.since), ticks(2 - 10 * second))
  })

  it("delivers late events, and none that was delivered before", () => {
    const ledger = ledgerFrom()
    const live = numbers(20, 1).map((n) => arrival(2 * n))
    ledger.live(live, at(0), at(40))
    const late = [arrival(7), arrival(33)]
    assert.deepStrictEqual(payloads(fill(ledger, at(40), [...live, ...late, arrival(41)], 41)), [7, 33, 41])
  })

  it("of an earlier run names what that run had of it, however far it was filled", () => {
    const [had, mark] = [arrival(30 * second), Marks.of(`${ticks(30 * second)}/a/ada`)]
    const from = { ...at(5 * second), delivered: [mark], recent: { since: ticks(1), marks: "" }, hole: ticks(0) }
    const ledger = ledgerFrom(from)
    ledger.open({ reason: "LongBreak", from, to: ticks(60 * second), page: [] })
    for (const n of [10, 25]) ledger.found([], from, BigInt(ticks(n * second)), false)
    assert.strictEqual(ledger.cursor(from).recent?.marks, mark)
    const later = ledgerFrom(ledger.cursor(from))
    assert.deepStrictEqual(payloads(fill(later, from, [had, arrival(31 * second)], 60 * second)), [31 * second])
    ledger.live([], at(60 * second), at(60 * second))
    ledger.live([], at(60 * second), at(61 * second))
    ledger.live([], at(61 * second), at(80 * second))
    assert.strictEqual(ledger.cursor(at(80 * second)).recent?.marks, "")
  })

  it("moves the cursor with history while it is filled, and names where it began", () => {
    const ledger = ledgerFrom()
    ledger.open({ reason: "FullPage", from: at(0), to: ticks(1_000), page: [] })
    const given = ledger.found(numbers(10, 1).map((n) => arrival(n)), at(0), BigInt(ticks(10)), false)
    assert.strictEqual(cursorOf(given, -1).position, ticks(9))
    assert.strictEqual(cursorOf(given, -1).hole, ticks(0))
    assert.strictEqual(ledger.cursor(at(0)).position, ticks(9))
    ledger.found([], at(0), 0n, true)
    assert.strictEqual(ledger.cursor(at(0)).position, ticks(9))
    ledger.filled(false)
    assert.isUndefined(ledger.cursor(at(0)).hole)
    assert.strictEqual(ledger.cursor(at(50)).position, ticks(50))
  })

  it("of a break leaves the last ten seconds to be read again", () => {
    const ledger = ledgerFrom()
    ledger.open({ reason: "LongBreak", from: at(0), to: ticks(60 * second), page: [] })
    ledger.found([arrival(55 * second)], at(0), BigInt(ticks(60 * second)) + 1n, true)
    assert.strictEqual(ledger.cursor(at(0)).position, ticks(50 * second - 1))
  })

  it("is not moved back by a live page that is older", () => {
    const ledger = ledgerFrom()
    ledger.open({ reason: "FullPage", from: at(0), to: ticks(1_000), page: [] })
    ledger.found([arrival(500)], at(0), BigInt(ticks(600)), false)
    const given = ledger.live([arrival(10)], at(0), at(20))
    assert.strictEqual(cursorOf(given, -1).position, ticks(599))
    assert.strictEqual(ledger.cursor(at(20)).position, ticks(599))
  })

  it("is read from the furthest position when the service sent an earlier one", () => {
    const ledger = ledgerFrom()
    ledger.live([arrival(30 * second)], at(0), at(30 * second))
    ledger.live([], at(30 * second), at(25 * second))
    const hole = ledger.open({ reason: "FullPage", from: at(25 * second), to: ticks(40 * second), page: [] })
    assert.strictEqual(String(hole?.since), ticks(20 * second))
  })
})

describe("events that an earlier run had", () => {
  it.each([20, 30])("are known as long as this run lasts: it began %i seconds after the start", (now) => {
    const end = Math.max(25, now) * second + 60 * second
    const moments = [second, 20 * second, end, end + 1]
    const delivered = moments.map((n) => Marks.of(`${ticks(n)}/a/ada`))
    const from = { ...at(25 * second), delivered, recent: { since: ticks(1), marks: "" } }
    const ledger = new Ledger(from, () => {}, ticks(now * second))
    ledger.begin(from)
    ledger.live([], from, at(3_600 * second))
    // A later event has the same mark by chance.
    const page = moments.map((n) => arrival(n))
    assert.deepStrictEqual(payloads(ledger.live(page, at(3_600 * second), at(3_600 * second))), [end + 1])
  })
})

describe("resuming from a cursor of a burst", () => {
  const resume = (
    count: number,
    index: number,
    change: (history: ReadonlyArray<Arrival.Arrival>) => ReadonlyArray<Arrival.Arrival> = (all) => all
  ) => {
    const history = numbers(count, 1).map((n) => arrival(2 * n))
    const given = fill(ledgerFrom(), at(0), history, 2 * count)
    assert.strictEqual(given.length, count)
    const from = cursorOf(given, index)
    assert.isAtMost(JSON.stringify(from).length, 4_096)
    const ledger = ledgerFrom(from)
    const changed = change(history).toSorted(({ id: one = "" }, { id: other = "" }) =>
      one < other ? -1 : one > other ? 1 : 0
    )
    return { given: fill(ledger, from, changed, 2 * count), from, ledger, history: changed, count }
  }
  const rest = (count: number, index: number) => numbers(count - index - 1, index + 2).map((n) => 2 * n)

  it.each([0, 99, 479, 480, 529, 530, 531, 600, 750, 998, 999])(
    "of 1,000 delivers exactly the rest after event %i",
    (index) => {
      assert.deepStrictEqual(payloads(resume(1_000, index).given), rest(1_000, index))
    }
  )

  it.each([600, 2_500, 5_000, 9_999])("of 10,000 delivers exactly the rest after event %i", (index) => {
    assert.deepStrictEqual(payloads(resume(10_000, index).given), rest(10_000, index))
  })

  it("delivers one or two late events within a sum, and nothing else", () => {
    for (const late of [[3], [101], [3, 5], [3, 301, 303, 701]]) {
      const { given } = resume(1_000, 999, (all) => [...all, ...late.map((n) => arrival(n))])
      assert.deepStrictEqual(payloads(given).toSorted((a, b) => Number(a) - Number(b)), late)
    }
  })

  it("delivers three late events of one sum together with the rest of that sum", () => {
    const { given } = resume(1_000, 999, (all) => [...all, arrival(3), arrival(5), arrival(7)])
    const had = payloads(given)
    for (const n of [3, 5, 7]) assert.include(had, n)
    assert.isAtMost(had.length, 53)
  })

  it("delivers exactly the rest when the cursor names events of a sum, too", () => {
    const history = numbers(1_000, 1).map((n) => arrival(2 * n))
    const from = cursorOf(fill(ledgerFrom(), at(0), history, 2_000), 999)
    const delivered = history.slice(0, 3).map(({ id = "" }) => Marks.of(id))
    const again = (late: ReadonlyArray<number>) => {
      const cursor = { ...from, delivered: [...from.delivered, ...delivered] }
      const all = [...history, ...late.map((n) => arrival(n))].toSorted(({ id: one = "" }, { id: other = "" }) =>
        one < other ? -1 : 1
      )
      return payloads(fill(ledgerFrom(cursor), cursor, all, 2_000))
    }
    assert.deepStrictEqual(again([]), [])
    assert.deepStrictEqual(again([3, 5]), [3, 5])
  })

  it("delivers the rest of a sum again when one of its events was deleted", () => {
    const { given } = resume(1_000, 700, (all) => all.filter(({ id = "" }) => id.slice(0, 17) !== ticks(10)))
    assert.includeMembers([...payloads(given)], rest(1_000, 700))
    assert.isAtMost(given.length, 299 + 50)
  })

  it("delivers nothing again when history is read once more", () => {
    const { count, from, history, ledger } = resume(1_000, 800)
    assert.deepStrictEqual(payloads(fill(ledger, from, history, 2 * count)), [])
  })

  it("leaves signals out of the sums", () => {
    const ledger = ledgerFrom()
    const all = numbers(1_000, 1).map((n) => arrival(n, n % 4 === 0 ? { kind: 1 } : {}))
    let place = at(0)
    let last = place
    for (let n = 0; n < 1_000; n += 50) {
      const given = ledger.live(all.slice(n, n + 50), place, at(n + 50))
      assert.strictEqual(given.length, 50)
      place = at(n + 50)
      last = cursorOf(given, -1)
    }
    const stored = all.filter((_, index) => (index + 1) % 4 !== 0)
    assert.deepStrictEqual(payloads(fill(ledgerFrom(last), last, [...stored, arrival(1_001)], 1_001)), [1_001])
  })

  it("leaves events of a wildcard out of the sums while there are others", () => {
    const ledger = ledgerFrom()
    const all = numbers(1_000, 1).map((n) => arrival(n, n % 4 === 0 ? { channel: "x.y", by: "x.*" } : {}))
    const given = ledger.live(all, at(0), at(1_000))
    // History is not asked for the wildcard: the rest is told by its sums all the same.
    const own = all.filter((_, index) => (index + 1) % 4 !== 0)
    const last = cursorOf(given, -1)
    assert.deepStrictEqual(payloads(fill(ledgerFrom(last), last, [...own, arrival(1_001)], 1_001)), [1_001])
  })

  it("in a chain of restarts delivers each event once", () => {
    const history = numbers(3_000, 1).map((n) => arrival(n))
    let cursor: Cursor | undefined
    const had: Array<unknown> = []
    for (let n = 0; n < 3_000; n += 300) {
      const ledger = ledgerFrom(cursor)
      const given = fill(ledger, cursor ?? at(0), history.slice(0, n + 300), n + 300)
      had.push(...payloads(given))
      cursor = cursorOf(given, -1)
      assert.isAtMost(JSON.stringify(cursor).length, 4_096)
    }
    assert.deepStrictEqual(had, numbers(3_000, 1))
  })

  it("delivers nothing again after a run whose own cursor named more than fits, and which history showed only new ones", () => {
    const history = numbers(700, 1).map((n) => arrival(n))
    const marks = history.map(({ id = "" }) => Marks.of(id))
    const recent = { since: ticks(1), marks: Marks.join(marks.slice(0, 530)) }
    const had = { ...at(630), delivered: marks.slice(530, 630), recent }
    const ledger = new Ledger(at(630), () => {}, undefined, had)
    ledger.begin(at(630))
    const given = fill(ledger, at(630), history.slice(630), 700)
    assert.strictEqual(given.length, 70)
    for (const index of [0, 30, 69]) {
      const from = cursorOf(given, index)
      assert.isAtMost(JSON.stringify(from).length, 4_096)
      assert.deepStrictEqual(payloads(fill(ledgerFrom(from), from, history, 700)), numbers(69 - index, 632 + index))
    }
  })

  /** A thousand events, and the cursor after them: most of them are in its sums. */
  const summed = () => {
    const all = numbers(1_000, 1).map((n) => arrival(n))
    const first = ledgerFrom()
    for (let n = 0; n < 1_000; n += 100) first.live(all.slice(n, n + 100), at(n), at(n + 100))
    const cursor = first.cursor(at(1_000))
    assert.isNotEmpty(cursor.recent?.sums)
    return { all, cursor }
  }

  it("delivers with the last step what waits for the end of a sum", () => {
    const { all, cursor } = summed()
    const later = ledgerFrom(cursor)
    later.open({ reason: "FullPage", from: cursor, to: ticks(second), page: [] })
    const twin = arrival(7, { channel: "b" })
    assert.deepStrictEqual(payloads(later.found([...all, twin], cursor, 0n, true)), [7])
  })

  it("repeats nothing of a sum when history is read once more for the same gap", () => {
    const { all, cursor } = summed()
    const later = ledgerFrom(cursor)
    later.open({ reason: "LongBreak", from: cursor, to: ticks(second), page: [] })
    for (let look = 0; look < 2; look++) {
      assert.deepStrictEqual(payloads(later.found(all, cursor, BigInt(ticks(second)) + 1n, true)), [])
    }
  })

  it("repeats no event that history shows only at the next reading", () => {
    const { all, cursor } = summed()
    const later = ledgerFrom(cursor)
    assert.deepStrictEqual(payloads(fill(later, cursor, [], second)), [])
    later.live([arrival(2 * second)], cursor, at(2 * second))
    assert.deepStrictEqual(payloads(fill(later, at(2 * second), [...all, arrival(3 * second)], 4 * second)), [
      3 * second
    ])
  })
})

describe("full pages one after the other", () => {
  const seconds = (n: number) => BigInt(ticks(n * second))

  /** A reader that read history for a full page, 30 seconds after its beginning. */
  const readOnce = (isCurrent = true) => {
    const ledger = ledgerFrom()
    ledger.live([arrival(30 * second)], at(0), at(30 * second))
    const hole = ledger.open({ reason: "FullPage", from: at(30 * second), to: ticks(31 * second), page: [] })
    assert.strictEqual(hole?.since, seconds(20))
    ledger.filled(isCurrent)
    ledger.live([arrival(31 * second)], at(30 * second), at(31 * second))
    return ledger
  }

  const next = (ledger: Ledger, from: number, options: { readonly isLater?: boolean } = {}) => {
    const hole = ledger.open({
      reason: "FullPage",
      from: at(from * second),
      to: ticks((from + 1) * second),
      page: [],
      ...options
    })
    const given = ledger.found([arrival(from * second + 1)], at(from * second), seconds(from + 1) + 1n, true)
    ledger.filled(true)
    const page = ledger.live([arrival((from + 1) * second)], at(from * second), at((from + 1) * second))
    return { since: hole?.since, last: cursorOf([...given, ...page], -1) }
  }

  it("are read from the end of the last one, unless history was behind", () => {
    assert.strictEqual(next(readOnce(), 31).since, seconds(31))
    assert.strictEqual(next(readOnce(false), 31).since, seconds(21))
    // More than ten seconds later, it is a full page like the first.
    const ledger = readOnce()
    ledger.live([arrival(42 * second)], at(31 * second), at(42 * second))
    assert.strictEqual(next(ledger, 42).since, seconds(32))
  })

  it("are read with the overlap after a break", () => {
    const ledger = readOnce()
    ledger.open({ reason: "LongBreak", from: at(31 * second), to: ticks(600 * second), page: [] })
    ledger.found([arrival(500 * second)], at(31 * second), seconds(600) + 1n, true)
    ledger.filled(false)
    assert.strictEqual(next(ledger, 31).since, seconds(21))
    assert.isUndefined(ledger.due)
  })

  it("hold back the cursor to the place that is to be read a second time", () => {
    const ledger = readOnce()
    const { last } = next(ledger, 31)
    assert.deepInclude(last, { position: ticks(31 * second), hole: ticks(21 * second) })
    ledger.live([arrival(40 * second)], at(32 * second), at(40 * second))
    const cursor = ledger.cursor(at(40 * second))
    assert.deepInclude(cursor, { position: ticks(31 * second), hole: ticks(21 * second) })
    assert.strictEqual(cursor.recent?.since, ticks(21 * second))
    const later = ledgerFrom(cursor)
    const hole = later.open({ reason: "LongBreak", from: cursor, to: ticks(50 * second), page: [] })
    assert.strictEqual(hole?.since, seconds(21))
    const had = [31, 32, 40].map((n) => arrival(n * second))
    const found = later.found([...had, arrival(45 * second)], cursor, seconds(50) + 1n, true)
    assert.deepStrictEqual(payloads(found), [45 * second])
    // Who joins begins where the others are.
    assert.deepInclude(ledger.front(at(40 * second)), { position: ticks(40 * second) })
    assert.isUndefined(ledger.front(at(40 * second)).hole)
  })

  it("are read a second time when nothing can be late any more", () => {
    const ledger = readOnce()
    assert.isUndefined(ledger.due)
    next(ledger, 31)
    next(ledger, 32)
    assert.strictEqual(ledger.due, seconds(34))
    const hole = ledger.second(seconds(34))
    assert.deepInclude(hole, { since: seconds(21), to: ticks(23 * second), page: [], isPatient: true })
    const given = ledger.foundSecond([arrival(22 * second), arrival(31 * second)], at(33 * second))
    assert.deepStrictEqual(payloads(given), [22 * second])
    ledger.settle(seconds(23))
    assert.strictEqual(ledger.due, seconds(36))
    assert.strictEqual(ledger.cursor(at(40 * second)).position, ticks(33 * second))
    assert.isFalse(ledger.second(seconds(60))?.isPatient)
    assert.strictEqual(ledger.second(seconds(60))?.to, ticks(32 * second))
    ledger.settle(seconds(32))
    assert.isUndefined(ledger.due)
    assert.deepInclude(ledger.cursor(at(40 * second)), { position: ticks(40 * second) })
    assert.isUndefined(ledger.cursor(at(40 * second)).hole)
  })

  it("repeat no event of an earlier run, however late they are read a second time", () => {
    const had = [24, 25].map((n) => arrival(n * second))
    const marks = Marks.join(had.map(({ id = "" }) => Marks.of(id)))
    const from = { ...at(30 * second), recent: { since: ticks(20 * second), marks } }
    const ledger = ledgerFrom(from)
    ledger.open({ reason: "FullPage", from, to: ticks(31 * second), page: [] })
    ledger.filled(true)
    ledger.live([arrival(31 * second)], from, at(31 * second))
    next(ledger, 31)
    ledger.live([arrival(600 * second)], at(32 * second), at(600 * second))
    // History shows it only now, for example of a wildcard's channel that nobody knew after the crash.
    assert.deepStrictEqual(payloads(ledger.foundSecond(had.slice(1), at(600 * second))), [])
    ledger.settle(seconds(31))
    assert.isUndefined(ledger.due)
    ledger.live([arrival(601 * second)], at(600 * second), at(601 * second))
    assert.deepStrictEqual(payloads(ledger.live(had, at(601 * second), at(602 * second))), [])
  })

  it("are read with the overlap until history has shown what an earlier run had", () => {
    const all = numbers(700, 1).map((n) => arrival(n))
    const first = ledgerFrom()
    for (let n = 0; n < 700; n += 100) first.live(all.slice(n, n + 100), at(n), at(n + 100))
    const from = first.cursor(at(700))
    assert.isNotEmpty(from.recent?.sums)
    const ledger = ledgerFrom(from)
    const page = (from: Cursor, to: number, history: ReadonlyArray<Arrival.Arrival>) => {
      const hole = ledger.open({ reason: "FullPage", from, to: ticks(to * second), page: [] })
      const given = ledger.found(history, from, seconds(to) + 1n, true)
      ledger.filled(true)
      ledger.live([arrival(to * second)], from, at(to * second))
      return { since: hole?.since, given: payloads(given) }
    }
    assert.deepStrictEqual(page(from, 1, []).given, [])
    assert.deepStrictEqual(page(at(second), 2, all), { since: BigInt(ticks(1)), given: [] })
    assert.isUndefined(ledger.due)
    assert.strictEqual(page(at(2 * second), 3, []).since, seconds(2))
    assert.isDefined(ledger.due)
    assert.deepStrictEqual(payloads(ledger.foundSecond(all, at(3 * second))), [])
  })

  it("are read again at once when another region is later than expected", () => {
    const ledger = readOnce()
    next(ledger, 31)
    assert.strictEqual(next(ledger, 32, { isLater: true }).since, seconds(21))
    assert.isUndefined(ledger.due)
    ledger.reckon(10_000_000n, ticks(33 * second))
    assert.strictEqual(ledger.reckoned, 15_000_000n)
    // A break reads it all, too, and so does whoever gave one up.
    assert.strictEqual(next(ledger, 33).since, seconds(33) - 15_000_000n)
    const hole = ledger.open({ reason: "LongBreak", from: at(34 * second), to: ticks(50 * second), page: [] })
    assert.strictEqual(hole?.since, seconds(23))
    ledger.abandoned()
    assert.isDefined(ledger.due)
    assert.deepInclude(ledger.cursor(at(34 * second)), { position: ticks(33 * second), hole: ticks(23 * second) })
  })

  it("expect the lateness of other regions for a minute after it was seen", () => {
    const ledger = readOnce()
    ledger.reckon(10_000_000n, ticks(31 * second))
    ledger.reckon(6_000_000n, ticks(80 * second))
    ledger.reckon(0n, ticks(130 * second))
    assert.strictEqual(ledger.reckoned, 15_000_000n)
    ledger.reckon(0n, ticks(141 * second))
    assert.strictEqual(ledger.reckoned, 0n)
    ledger.reckon(seconds(9) - seconds(0), ticks(142 * second))
    assert.strictEqual(ledger.reckoned, 100_000_000n)
    // Others may be as late as is looked back at all.
    next(ledger, 142)
    assert.strictEqual(next(ledger, 143).since, seconds(133))
    assert.isUndefined(ledger.due)
  })
})
