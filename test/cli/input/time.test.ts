import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Time from "../../../src/cli/input/time.ts"

const now = DateTime.makeUnsafe("2026-09-21T14:13:20Z")

const moment = (text: string) => Option.getOrUndefined(Option.map(Time.parseMoment(text, now), DateTime.formatIso))

describe("parseLength", () => {
  it.each([["10m", "10 minutes"], ["2h", "2 hours"], ["24 hours", "1 day"], ["1.5 d", "36 hours"]] as const)(
    "reads %s as %s",
    (text, same) => assert.deepStrictEqual(Time.parseLength(text), Option.some(Duration.fromInputUnsafe(same)))
  )

  it("reads Infinity", () => assert.deepStrictEqual(Time.parseLength("Infinity"), Option.some(Duration.infinity)))

  it.each(["", "10", "m", "10 moons", "-", "10m ago"])(
    "refuses %j",
    (text) => assert.deepStrictEqual(Time.parseLength(text), Option.none())
  )
})

describe("parseMoment", () => {
  it.each(
    [
      ["2026-09-21", "2026-09-21T00:00:00.000Z"],
      ["2026-09-21T14:00", "2026-09-21T14:00:00.000Z"],
      ["2026-09-21T14:00:01.5Z", "2026-09-21T14:00:01.500Z"],
      ["2026-09-21T14:00+02:00", "2026-09-21T12:00:00.000Z"],
      ["10m", "2026-09-21T14:03:20.000Z"],
      ["2 hours", "2026-09-21T12:13:20.000Z"]
    ] as const
  )("reads %s as %s", (text, iso) => assert.strictEqual(moment(text), iso))

  it.each(["", "yesterday", "1595634632", "2026", "2026-13-01", "2026-09-21T99:00", "Infinity", "9999999 weeks"])(
    "refuses %j",
    (text) => assert.isUndefined(moment(text))
  )
})

it("parseTimetoken reads a timetoken, a date and a length ago", () => {
  const place = (text: string) => Option.getOrUndefined(Time.parseTimetoken(text, now))
  assert.strictEqual(place("17900000000000001"), "17900000000000001")
  assert.strictEqual(place("2026-09-21T14:13:20Z"), "17900000000000000")
  assert.strictEqual(place("20s"), "17899999800000000")
  assert.isUndefined(place("1790000000"))
})
