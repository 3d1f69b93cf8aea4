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
  return () => Fs.rmSync(run, { recursive: true })
}
