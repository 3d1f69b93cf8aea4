import { defineConfig, mergeConfig } from "vitest/config"
import usual from "./vitest.config.ts"

// The same files as in `npm test`, with more seeds. A file has one thread.
export default mergeConfig(
  { ...usual, test: { ...usual.test, include: [] } },
  defineConfig({ test: { include: ["test/simulation/**/*.test.ts"], env: { SEEDS: process.env.SEEDS ?? "1000" } } })
)
