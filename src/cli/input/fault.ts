/**
 * A fault of an emulator, as people write it.
 */
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Faults from "../../testing/Faults.ts"
import { parseLength } from "./time.ts"

const form = /^(?:([a-z]\w*):)?([A-Z]\w*)(?:\(([^()]*)\))?(?::(.+))?$/

const statusOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-5]\d\d$/.test(text) ? Number(text) : undefined

const faultOf = (name: string, argument: string | undefined): Faults.Fault | undefined => {
  const length = Option.getOrUndefined(parseLength(argument ?? "1s"))
  switch (name) {
    case "Answer": {
      const status = statusOf(argument)
      return status === undefined ? undefined : Faults.Fault.Answer({ status })
    }
    case "ServerError": {
      const status = ([500, 502, 503, 504] as const).find((status) => String(status) === (argument ?? "503"))
      return status === undefined ? undefined : Faults.Fault.ServerError({ status, handled: false })
    }
    case "RateLimited":
      return length === undefined ? undefined : Faults.Fault.RateLimited({ retryAfter: length })
    case "Slow":
      return length === undefined ? undefined : Faults.Fault.Slow({ by: length })
    default:
      return argument === undefined ? Faults.everything.find(({ fault }) => fault._tag === name)?.fault : undefined
  }
}

/** How many requests a fault hits, or for how long. */
const extentOf = (text: string): Option.Option<Pick<Faults.Rule, "times" | "lasting">> =>
  /^[1-9]\d{0,5}$/.test(text)
    ? Option.some({ times: Number(text) })
    : parseLength(text).pipe(Option.filter(Duration.isFinite), Option.map((lasting) => ({ lasting })))

/** Reads `ConnectionRefused`, `poll:Slow(2s):10s` or `publish:Answer(503):3`: kind of request, fault, and its extent. */
export const parseFault = (text: string, kinds: ReadonlyArray<Faults.Kind>): Option.Option<Faults.Rule> => {
  const [, kind, name = "", argument, extent = "1"] = form.exec(text) ?? []
  const on = kinds.find((one) => one === kind)
  const fault = faultOf(name, argument)
  return fault === undefined || kind !== on
    ? Option.none()
    : Option.map(extentOf(extent), (limits) => ({ ...on !== undefined && { on }, fault, ...limits }))
}

/** A flag for faults of requests of these kinds. */
export const faults = (kinds: ReadonlyArray<Faults.Kind>) =>
  Flag.String("fault").pipe(
    Flag.filterMap((text) => parseFault(text, kinds), () =>
      "[kind:]Fault[(argument)][:times or length], as poll:ConnectionRefused:10s or publish:Answer(503):3, " +
      `with a kind of ${kinds.join(", ")} and a fault of Answer, ${
        Faults.everything.map(({ fault }) =>
          fault._tag
        ).join(", ")
      }`),
    Flag.atLeast(0),
    Flag.withMetavar("fault"),
    Flag.withDescription("Break requests, as poll:ConnectionRefused:10s or publish:Answer(503):3. May be repeated")
  )
