/**
 * Child processes as resources: killed when their scope closes, whatever happened.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { ContenderName, Job, Sample } from "./contender.ts"

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

/** The child's next message. Only the caller knows its type. One that takes five minutes will never come. */
export const receive = <A>(child: ChildProcess): Effect.Effect<A, ChildEnded | Cause.TimeoutError> =>
  Effect.timeout("5 minutes")(Effect.callback<A, ChildEnded>((resume) => {
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

export interface Worker {
  /** What the contender cost, or `null` if it cannot do the job. */
  readonly sample: (job: Job) => Effect.Effect<Sample | null, ChildEnded | Cause.TimeoutError>
}

/** The process of one contender. `bundles` is the folder of the files to import, where there are any. */
export const startWorker = (name: ContenderName, origin: string, options: {
  readonly bundles?: string
  /**
   * Collects all garbage before and after each sample. This also throws away compiled code of objects that are gone, so a process
   * that takes several samples for their CPU time must not do it.
   */
  readonly measuresHeap?: boolean
} = {}) =>
  Effect.map(
    start("worker.ts", [name, origin, options.bundles ?? ""], options.measuresHeap === true ? ["--expose-gc"] : []),
    (child): Worker => ({
      sample: (job) =>
        Effect.suspend(() => {
          child.send(job)
          return receive<Sample | null>(child)
        })
    })
  )
