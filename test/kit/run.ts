/** A folder that the workers of one run of tests share: they note in it what one of them does for all. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { TestProject } from "vitest/node"
import { root } from "./scratch.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly run: string
  }
}

export const setup = ({ provide }: TestProject) => {
  Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
  const run = Fs.mkdtempSync(Path.join(root, ".scratch/run-"))
  provide("run", run)
  return () => {
    stopPostgres(Path.join(run, "postgres/server.json"))
    Fs.rmSync(run, { recursive: true })
  }
}

/** Stops the server that `postgres.ts` started, if it did. */
const stopPostgres = (told: string) => {
  if (!Fs.existsSync(told)) return
  const { pid, server } = JSON.parse(Fs.readFileSync(told, "utf8"))
  if (pid === undefined) return
  process.kill(pid, "SIGQUIT")
  Fs.rmSync(server.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
