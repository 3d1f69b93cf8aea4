/**
 * `herald time`
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Time from "../../pubnub/Time.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import { Root } from "./keyset.ts"
import { writeLine } from "../output/lines.ts"

export const time = Command.make(
  "time",
  {},
  Effect.fnUntraced(function*() {
    const { json } = yield* Root
    const timetoken = yield* Time.now
    const moment = DateTime.formatIso(Timetoken.toDateTime(timetoken))
    yield* writeLine(json === true ? JSON.stringify({ timetoken, time: moment }) : `${timetoken}  ${moment}`)
  })
).pipe(Command.withDescription("Print the service's clock, as a timetoken and as a date"))
