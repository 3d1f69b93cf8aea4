import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"

/** The files of a folder of the checkout whose names end so. */
export const filesIn = (folder: string, ending: string): ReadonlyArray<string> =>
  Fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => Path.join(folder, name))

const isPublic = (file: string) =>
  !/(^|\/)(internal|cli|testing\/(server|pubnub|symphony))\//.test(file) && !file.endsWith("index.ts")

/** The public modules. */
export const modules = filesIn("src", ".ts").filter(isPublic)
