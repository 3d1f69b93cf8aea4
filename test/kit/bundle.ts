/** Bundles, as applications ship them. */
import { type InputOptions, rolldown } from "rolldown"
import { root } from "./scratch.ts"

const generate = async (options: InputOptions, minify: boolean): Promise<string> => {
  const conditionNames = ["effect-herald-source", "import", "default"]
  const build = await rolldown({ ...options, resolve: { conditionNames } })
  const { output } = await build.generate({ minify, codeSplitting: false })
  return output[0].code
}

/** A program in one minified file, with the source of this package behind its name. */
export const bundle = (program: string, platform: "browser" | "node"): Promise<string> => {
  const input = `${root}/program.ts`
  const plugin = {
    name: "program",
    resolveId: (id: string) => id === input ? id : undefined,
    load: (id: string) => id === input ? program : undefined
  }
  return generate({ input, platform, plugins: [plugin] }, true)
}

/** The `herald` command in one file. */
export const bundleHerald = (): Promise<string> =>
  generate({ input: `${root}/src/cli/main.ts`, platform: "node" }, false)

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
