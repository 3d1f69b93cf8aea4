import { defineConfig, mergeConfig } from "vitest/config"
import usual from "../../vitest.config.ts"

// The same files as in `npm test`, with more seeds, mutations, kills, bytes, answers and inputs, and those with Chromium.
const include = [
  "test/simulation/**/*.test.ts",
  "test/pubnub/{ObjectFilter,durable,envelope,hostile,input,lag,mutations,reading,secrets,stored}.test.ts",
  "test/pubnub/reading/{backfill,lane}.test.ts",
  "test/{internal,pubnub,symphony}/usual.test.ts",
  "test/docs/compiler.test.ts",
  "test/cli/{durable,hostile,process}.test.ts",
  "test/node/{bothWays,hostile,sigkill}.test.ts",
  "test/examples/fleet.test.ts",
  "test/fleet/{SqlCursorStore,moving,sigkill}.test.ts",
  "test/symphony/{MessageML,anyInput,entries,hostile,secrets}.test.ts",
  "test/symphony/contract/*.test.ts",
  "test/testing/{PubNubEmulator,SymphonyHostile}.test.ts",
  "test/**/*.chromium.test.ts"
]

export default mergeConfig(
  { ...usual, test: { ...usual.test, include: [], exclude: ["node_modules"] } },
  defineConfig({ test: { include, env: { SEEDS: process.env.SEEDS ?? "1000" } } })
)
