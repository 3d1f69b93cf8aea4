#!/usr/bin/env node
/**
 * The `herald` command: see `herald --help`.
 *
 * It imports `effect` and `@effect/platform-node`, which users install themselves. Without them it says how.
 */
const isNotInstalled = (error: unknown): error is Error =>
  error instanceof Error && "code" in error &&
  (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED")

try {
  await import("./process.ts")
} catch (error) {
  if (!isNotInstalled(error)) throw error
  process.exitCode = 1
  process.stderr.write(`herald needs effect and @effect/platform-node, 4.1 or newer, and did not start: ${error.message}
To run it anywhere, put this in place of "herald": npx -p effect-herald -p @effect/platform-node herald
To install it in a project: npm install effect-herald effect @effect/platform-node
`)
}
