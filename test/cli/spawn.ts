import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { program } from "../kit/programs.ts"
import { root } from "../kit/scratch.ts"

/** What a child process sees of the environment of this one: where programs are, and what Node compiled before. */
export const inherited = { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }

/** A child process of the Node that the package pins. */
export const node = Effect.fnUntraced(function*(args: ReadonlyArray<string>, environment: Record<string, string> = {}) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(`${root}/node_modules/.bin/node`, args, {
        cwd: root,
        env: { ...inherited, HERALD_CONTEXTS: "", ...environment },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  let stdout = ""
  let stderr = ""
  const firstLine = yield* Deferred.make<string>()
  const exited = yield* Deferred.make<number | null>()
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString()
    const end = stdout.indexOf("\n")
    if (end >= 0) Deferred.doneUnsafe(firstLine, Effect.succeed(stdout.slice(0, end)))
  })
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.on("close", (code) => Deferred.doneUnsafe(exited, Effect.succeed(code)))
  return {
    firstLine: Deferred.await(firstLine),
    /** What it wrote to standard output so far. */
    written: Effect.sync(() => stdout),
    signal: (name: "SIGINT" | "SIGTERM" | "SIGKILL") => Effect.sync(() => child.kill(name)),
    /** Stops reading its output, as `| head` does. */
    hangUp: Effect.sync(() => child.stdout.destroy()),
    exit: Effect.map(Deferred.await(exited), (code) => ({ code, stdout, stderr }))
  }
})

/** `herald` as a process. */
export const herald = (args: ReadonlyArray<string>, environment?: Record<string, string>) =>
  Effect.flatMap(program("herald"), (file) => node([file, ...args], environment))

/** `herald` as a process that runs its source. */
export const heraldFromSource = (args: ReadonlyArray<string>, environment?: Record<string, string>) =>
  node(["src/cli/main.ts", ...args], environment)
