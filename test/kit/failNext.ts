/** Answers in place of a service, for tests that have `Faults` in their context. */
import * as Faults from "effect-herald/testing/Faults"

/** The answer, and which requests get it. */
export interface Failure extends Pick<Faults.Rule, "on" | "times"> {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers the next requests. The service does not see them. */
export const failNext = ({ on, times, ...answer }: Failure) =>
  Faults.Faults.use(({ add }) => add({ on, times, fault: Faults.Fault.Answer(answer) }))
