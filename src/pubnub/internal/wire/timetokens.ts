/** Timetokens of the service, checked without their schema, which takes ten times as long. */
import type { Timetoken } from "../../Timetoken.ts"

const seventeenDigits = /^\d{17}$/

export const isTimetoken = (value: unknown): value is Timetoken =>
  typeof value === "string" && seventeenDigits.test(value)
