import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"

/** The checkout's own folder. */
export const root = Path.resolve(import.meta.dirname, "../..")

/** Runs with a folder of its own inside the package, so that what is in it can import the package by its name. */
export const withFolder = <A>(run: (folder: string) => A): A => {
  Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
  const folder = Fs.mkdtempSync(Path.join(root, ".scratch/"))
  try {
    return run(folder)
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}

/** Runs Node in the checkout, with the package's source behind its name. */
export const node = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ["--conditions=effect-herald-source", ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 24,
    timeout: 60_000
  })

/** What the compiler prints for the files of a folder. */
export const compile = (folder: string, options: object, include: ReadonlyArray<string>): string => {
  Fs.writeFileSync(
    Path.join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", compilerOptions: options, include })
  )
  return tsc("-p", folder, "--pretty", "false")
}

/** What the compiler prints. Each thread of its own would infer much of the same types again. */
export const tsc = (...args: ReadonlyArray<string>): string =>
  node(Path.join(root, "node_modules/typescript/bin/tsc"), ...args, "--singleThreaded").stdout
