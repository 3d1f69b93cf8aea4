import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

// The package under test is this checkout's source, by the same exports map that users have.
const conditions = ["effect-herald-source", "node", "module", "import", "default"]

// Node keeps the code that it compiled, for the next run and for the many processes that tests start.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("node_modules/.cache/node", import.meta.url))

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    maxWorkers: 2,
    coverage: { include: ["src/**"], reporter: ["text-summary", "html"] }
  }
})
