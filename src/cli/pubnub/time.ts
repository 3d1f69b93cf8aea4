/**
 * `herald time`
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Time from "../../pubnub/Time.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import { writeValue } from "../output/write.ts"
import { withKeyset } from "./keyset.ts"

export const time = Command.make("time", {}, () =>
  Effect.flatMap(Time.now, (timetoken) =>
    writeValue(
      { timetoken, time: DateTime.formatIso(Timetoken.toDateTime(timetoken)) },
      ({ time, timetoken }) => `${timetoken}  ${time}`
    ))).pipe(withKeyset, Command.withDescription("Print the service's clock as a timetoken and as a date"))
