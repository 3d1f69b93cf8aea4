/**
 * `herald timetoken`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import * as Time from "../input/time.ts"
import { writeValue } from "../output/write.ts"

export const timetoken = Command.make(
  "timetoken",
  {
    value: Argument.String("value").pipe(
      Argument.mapEffect(Time.readTimetoken("value", "argument")),
      Argument.withDescription(Time.timetokenForms)
    )
  },
  Effect.fnUntraced(function*({ value }) {
    const moment = Timetoken.toDateTime(value)
    const agoMillis = DateTime.toEpochMillis(yield* DateTime.now) - DateTime.toEpochMillis(moment)
    yield* writeValue(
      { timetoken: value, time: DateTime.formatIso(moment), agoMillis },
      ({ agoMillis, time, timetoken }) => `${timetoken}  ${time}  ${distance(agoMillis)}`
    )
  })
).pipe(
  Command.withDescription("Print a timetoken as a time, or a time as a timetoken. Sends no request"),
  Command.withExamples([
    { command: "herald timetoken 17905741246383965", description: "When a message was published" },
    { command: "herald timetoken 2026-09-21T14:00Z", description: "The timetoken of a time" },
    { command: "herald timetoken \"2 hours\"", description: "The timetoken of two hours ago" }
  ])
)

const distance = (agoMillis: number): string => {
  const length = Duration.format(Duration.millis(Math.abs(agoMillis)))
  return agoMillis < 0 ? `in ${length}` : `${length} ago`
}
