/** How much an application ships of us and of Effect: minified, compressed with gzip. */
import { assert, it } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { root } from "../kit/scratch.ts"

const bundle = async (program: string): Promise<number> => {
  const input = `${root}/program.ts`
  const build = await rolldown({
    input,
    platform: "browser",
    resolve: { conditionNames: ["effect-herald-source", "import", "default"] },
    plugins: [{
      name: "program",
      resolveId: (id) => id === input ? id : undefined,
      load: (id) => id === input ? program : undefined
    }]
  })
  const { output } = await build.generate({ minify: true, codeSplitting: false })
  return gzipSync(output[0].code).length
}

const publish = `
  export { publish } from "effect-herald/pubnub/Publish"
  export { layer } from "effect-herald/pubnub/PubNubConfig"`

/** A limit is what was measured when it was set, and 3 % more. */
it.each([
  ["the configuration only", 11_900, `export { layer } from "effect-herald/pubnub/PubNubConfig"`],
  ["publish only", 52_100, publish],
  ["publish and subscribe", 93_300, `${publish}; export { stream } from "effect-herald/pubnub/Subscribe"`],
  ["all of PubNub", 128_300, `export * from "effect-herald/pubnub"`],
  ["all of Symphony", 104_400, `export * from "effect-herald/symphony"`]
])("%s stays within its limit", async (_, limit, program) => assert.isAtMost(await bundle(program), limit), 60_000)
