/** Bundles: how large they are in a browser, and files for Node that hold what a contender imports. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { bundle, programs, write } from "../kit/bundle.ts"
import { root } from "../kit/scratch.ts"
import { contenders, modulesOf } from "./contender.ts"
import * as Report from "./report.ts"
import type { Row } from "./works.ts"

/** A folder with the files of each contender, which is removed with the scope. */
export const files = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "bench-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )
  for (const name of contenders) {
    const program = modulesOf(name).map((module, index) => `export * as m${index} from "${module}"`).join("\n")
    yield* Effect.promise(() => write(program, folder, name))
  }
  return folder
})

const size = (name: string, gate: number, goal: number): Row => ({
  name: `gzip, ${name}`,
  unit: "kB",
  by: "nothing",
  gate: { most: gate },
  goal: { most: goal }
})

const sizes = [
  [size("publish", 42, 34), programs.publish],
  [size("publish and subscribe", 54, 44), programs.subscribe],
  [size("all of PubNub", 85, 70), programs.pubnub],
  [size("all of Symphony", 70, 60), programs.symphony]
] as const

const kilobytes = (program: string) =>
  Effect.map(Effect.promise(() => bundle(program, "browser")), (code) => gzipSync(code).length / 1_000)

export const names = sizes.map(([{ name }]) => name)

/** pubnub is one file, whatever is used of it. */
export const measure = Effect.gen(function*() {
  const pubnub = yield* kilobytes("export { default } from \"pubnub\"")
  return yield* Effect.forEach(
    sizes,
    ([row, program]) =>
      Effect.map(
        kilobytes(program),
        (ours) => Report.single(row, { "effect-herald": ours, ...program === programs.symphony ? {} : { pubnub } })
      )
  )
})

// --------------------------------------------------------------------------------------------------------------------
// parts
// --------------------------------------------------------------------------------------------------------------------

/** A program that uses Effect for the same things, without this package. */
const alone = (name: string): string => `export * from "${root}/test/bench/alone/${name}.ts"`

const exported = (name: string, from: string): string => `export { ${name} } from "effect-herald/pubnub/${from}"`

/** What publish and subscribe need, and one more thing. */
const withMore = (name: string, from: string): string => `${programs.subscribe}; ${exported(name, from)}`

const parts = [
  ["Effect alone: a service, a request with a timeout, its body as a stream", alone("request")],
  ["Effect alone: and a span, a line of the log", alone("told")],
  ["Effect alone: and an error class, two schemas (publish)", alone("publish")],
  ["Effect alone: and a stream, retries, an interval, dates, a reference (subscribe)", alone("subscribe")],
  ["the configuration", programs.configuration],
  ["publish", programs.publish],
  ["publish and subscribe", programs.subscribe],
  ["  with Subscriber.layer", withMore("layer as shared", "Subscriber")],
  ["  with Publisher.layer", withMore("layer as publisher", "Publisher")],
  ["  with Subscribe.consume", withMore("consume", "Subscribe")],
  ["  with History.list", withMore("list", "History")],
  ["  with Users.list", withMore("list", "Users")],
  ["  with Presence.live", withMore("live", "Presence")],
  ["  with Encryption.layer", withMore("layer as encryption", "Encryption")]
] as const

/** What each part of a bundle adds: `--only parts`. */
export const measureParts = Effect.forEach(
  parts,
  ([name, program]) => Effect.map(kilobytes(program), (size) => `${size.toFixed(1).padStart(6)} kB  ${name}`)
)
