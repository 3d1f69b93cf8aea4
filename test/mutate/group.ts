/** A process that runs in a group of its own, so that the processes which it starts can be killed with it. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"

export type Group = ChildProcess

export const start = (command: string, parameters: ReadonlyArray<string>, options: SpawnOptions): Group =>
  spawn(command, parameters, { ...options, detached: true })

export const kill = ({ pid }: Group): void => {
  if (pid === undefined) return
  try {
    // A negative number is that of a group.
    process.kill(-pid, "SIGKILL")
  } catch {
    // All of its processes have ended.
  }
}
