import { defineConfig } from "vitest/config"

// The package under test is this checkout's source, by the same exports map that users have.
const conditions = ["effect-herald-source", "node", "module", "import", "default"]

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
