/**
 * The parts of both `emulator` commands: the flags that say who may send requests, and the requests as lines.
 */
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type * as Duration from "effect/Duration"
import { path as inspectorPath } from "../node/internal/inspector/inspector.ts"
import type * as Faults from "../testing/Faults.ts"
import * as Fault from "./input/fault.ts"
import * as Inputs from "./input/flags.ts"
import { loopback } from "./input/loopback.ts"
import * as Time from "./input/time.ts"
import { writeValues } from "./output/write.ts"

/** The flags of both emulators. Faults hit requests of these kinds. */
export const flagsOf = (kinds: ReadonlyArray<Faults.Kind>) => ({
  latency: Time.length("latency", "How long each answer takes, as \"100 millis\""),
  faults: Fault.faults(kinds),
  seed: Flag.Int("seed").pipe(
    Flag.withDefault(undefined),
    Flag.withMetavar("n"),
    Flag.withDescription("Break one request in ten at random. The same seed and the same requests give the same faults")
  ),
  dump: Inputs.text("dump", "Write the state as JSON to this file at the end", "file"),
  hosts: Inputs.texts("allow-host", "Also answer requests for this host name."),
  origins: Inputs.texts("allow-origin", "Also answer pages of this origin.", "origin"),
  verbose: Inputs.boolean("verbose", "Print each request"),
  inspector: Flag.Boolean("inspector").pipe(
    Flag.withDefault(undefined),
    Flag.withDescription(
      `Serve a page at ${inspectorPath}/ that shows and changes the emulator (default on a loopback host), or --no-inspector`
    )
  )
})

/** The options of an emulator from its flags. */
export const networkOf = ({ faults, latency, seed }: {
  readonly latency: Duration.Duration | undefined
  readonly faults: ReadonlyArray<Faults.Rule>
  readonly seed: number | undefined
}) => ({
  ...latency !== undefined && { latency: Effect.succeed(latency) },
  faults: {
    ...faults.length > 0 && { script: faults },
    ...seed !== undefined && { chance: { seed } }
  }
})

/** The page is open to whoever reaches the port, so another host needs the flag. */
export const hasInspector = (flag: boolean | undefined, host: string): boolean =>
  flag ?? (host === "::1" || loopback.test(host))

/** The line of a greeting that says where the inspector is. */
export const inspectorLine = (url: string | undefined): ReadonlyArray<string> =>
  url === undefined ? [] : [`Inspector on ${url}`]

/** Where the inspector is, if there is one. */
export const inspectorUrl = (url: string, isOn: boolean): string | undefined =>
  isOn ? `${url}${inspectorPath}/` : undefined

interface Handled {
  readonly time: DateTime.Utc
  readonly method: string
  readonly target: string
  readonly userId?: string | undefined
}

/** Runs until it is interrupted. Prints each request if the flag is set. */
export const serve = (handled: Effect.Effect<ReadonlyArray<Handled>>, verbose: boolean) =>
  verbose ? writeRequests(handled) : Effect.never

// The emulator keeps only the newest requests, so it is polled often.
const writeRequests = (handled: Effect.Effect<ReadonlyArray<Handled>>) =>
  Stream.fromEffectSchedule(handled, Schedule.spaced("100 millis")).pipe(
    Stream.mapAccum((): Handled | undefined => undefined, (last, all) => [
      all.at(-1) ?? last,
      last === undefined ? all : all.slice(all.lastIndexOf(last) + 1)
    ]),
    Stream.map(({ method, target, time, userId }) => ({
      time: DateTime.formatIso(time),
      method,
      // Without the query, which may hold a token.
      path: target.replace(/\?.*/s, ""),
      user: userId
    })),
    (requests) =>
      writeValues(requests, {
        toText: ({ method, path, time, user }) =>
          `${time.slice(11)}  ${method.padEnd(4)}  ${path}  ${user ?? ""}`.trimEnd()
      })
  )
