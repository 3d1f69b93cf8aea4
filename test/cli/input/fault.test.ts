import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Faults } from "effect-herald/testing"
import { parseFault } from "../../../src/cli/input/fault.ts"

const { Fault } = Faults

const parse = (text: string) => parseFault(text, ["poll", "publish"])

describe("parseFault", () => {
  it.each<readonly [string, Faults.Rule]>([
    ["ConnectionRefused", { fault: Fault.ConnectionRefused(), times: 1 }],
    ["poll:ConnectionRefused:10s", { on: "poll", fault: Fault.ConnectionRefused(), lasting: Duration.seconds(10) }],
    ["publish:Answer(503):3", { on: "publish", fault: Fault.Answer({ status: 503 }), times: 3 }],
    ["ServerError", { fault: Fault.ServerError({ status: 503, handled: false }), times: 1 }],
    ["Slow(2s):1 minute", { fault: Fault.Slow({ by: Duration.seconds(2) }), lasting: Duration.minutes(1) }],
    ["RateLimited(5s)", { fault: Fault.RateLimited({ retryAfter: Duration.seconds(5) }), times: 1 }]
  ])("reads %s", (text, rule) => assert.deepStrictEqual(parse(text), Option.some(rule)))

  it.each([
    "",
    "poll",
    "Nothing",
    "list:Slow",
    "Answer",
    "Answer(99)",
    "ServerError(404)",
    "Slow(soon)",
    "HalfOpen(2s)",
    "HalfOpen:0",
    "HalfOpen:Infinity",
    "poll:HalfOpen:"
  ])("refuses %j", (text) => assert.deepStrictEqual(parse(text), Option.none()))
})
