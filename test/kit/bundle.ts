/** Bundles, as applications ship them. */
import { rolldown } from "rolldown"
import { root } from "./scratch.ts"

/** A program in one minified file, with the source of this package behind its name. */
export const bundle = async (program: string, platform: "browser" | "node"): Promise<string> => {
  const input = `${root}/program.ts`
  const build = await rolldown({
    input,
    platform,
    resolve: { conditionNames: ["effect-herald-source", "import", "default"] },
    plugins: [{
      name: "program",
      resolveId: (id) => id === input ? id : undefined,
      load: (id) => id === input ? program : undefined
    }]
  })
  const { output } = await build.generate({ minify: true, codeSplitting: false })
  return output[0].code
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
