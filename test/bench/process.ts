/**
 * Child processes as resources: killed when their scope closes, whatever happened.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

export class ChildEnded extends Data.TaggedError("ChildEnded")<{ readonly script: string }> {
  override get message() {
    return `${this.script} ended before it answered`
  }
}

/** Runs a script of this directory. What a silent one writes is not shown. */
export const start = (
  script: string,
  args: ReadonlyArray<string>,
  execArgv: ReadonlyArray<string>,
  silent = false
) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      fork(fileURLToPath(new URL(script, import.meta.url)), args, {
        execArgv: [...execArgv],
        ...silent ? { stdio: ["ignore", "ignore", "ignore", "ipc"] } : {}
      })
    ),
    (child) =>
      Effect.sync(() => {
        child.kill("SIGKILL")
      })
  )

/** The child's next message. Only the caller knows its type. One that takes minutes will never come. */
export const receive = <A>(child: ChildProcess): Effect.Effect<A, ChildEnded | Cause.TimeoutError> =>
  Effect.timeout("2 minutes")(Effect.callback<A, ChildEnded>((resume) => {
    const onMessage = (message: unknown) => {
      child.off("exit", onExit)
      resume(Effect.succeed(message as A))
    }
    const onExit = () => {
      child.off("message", onMessage)
      resume(Effect.fail(new ChildEnded({ script: child.spawnargs.join(" ") })))
    }
    child.once("message", onMessage)
    child.once("exit", onExit)
  }))
