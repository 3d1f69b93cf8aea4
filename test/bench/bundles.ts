/** Bundles: how large they are in a browser, and files for Node that hold what a contender imports. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { bundle, programs, write } from "../kit/bundle.ts"
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
