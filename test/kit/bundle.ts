/** Bundles, as applications ship them. */
import { type InputOptions, rolldown } from "rolldown"
import { root } from "./scratch.ts"

const built = (options: InputOptions) =>
  rolldown({ ...options, resolve: { conditionNames: ["effect-herald-source", "import", "default"] } })

const oneFile = async (options: InputOptions, minify: boolean): Promise<string> => {
  const build = await built(options)
  const { output } = await build.generate({ minify, codeSplitting: false })
  return output[0].code
}

const input = `${root}/program.ts`

/** The options for a program that is in no file. */
const optionsOf = (program: string, platform: "browser" | "node"): InputOptions => ({
  input,
  platform,
  plugins: [{
    name: "program",
    resolveId: (id: string) => id === input ? id : undefined,
    load: (id: string) => id === input ? program : undefined
  }]
})

/** A program in one minified file, with the source of this package behind its name. */
export const bundle = (program: string, platform: "browser" | "node"): Promise<string> =>
  oneFile(optionsOf(program, platform), true)

/** Writes a program for Node as bundlers do by default: what it imports later is in files of its own. */
export const write = async (program: string, folder: string, name: string): Promise<void> => {
  const build = await built(optionsOf(program, "node"))
  await build.write({ dir: folder, minify: true, entryFileNames: `${name}.mjs`, chunkFileNames: `${name}-[name].mjs` })
}

/** Writes programs for Node, given by the files that they begin with. What they share is in files of its own. */
export const writePrograms = async (sources: Readonly<Record<string, string>>, folder: string): Promise<void> => {
  const build = await built({
    cwd: root,
    input: sources,
    platform: "node",
    // Nobody imports anything from it.
    treeshake: { moduleSideEffects: [{ test: /\/src\/cli\/process\.ts$/, sideEffects: true }] }
  })
  await build.write({ dir: folder, entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" })
}

const configuration = `export { layer } from "effect-herald/pubnub/PubNubConfig"`
const publish = `${configuration}; export { publish } from "effect-herald/pubnub/Publish"`

/** Programs that show how much of this package and of Effect an application ships. */
export const programs = {
  configuration,
  publish,
  subscribe: `${publish}; export { stream } from "effect-herald/pubnub/Subscribe"`,
  pubnub: `export * from "effect-herald/pubnub"`,
  symphony: `export * from "effect-herald/symphony"`
}

/** The script of a page in one file. */
export const bundlePage = (file: string): Promise<string> => oneFile({ input: file, platform: "browser" }, true)
