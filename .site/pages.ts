/** Copies the pages of the repository to `pages`: VitePress finds Vue only from files below this folder. */
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.join(import.meta.dirname, "..")
const pages = Path.join(import.meta.dirname, "pages")

Fs.rmSync(pages, { recursive: true, force: true })
for (const name of Fs.globSync(["*.md", "docs/**/*.md"], { cwd: root, exclude: ["AGENTS.md"] })) {
  Fs.mkdirSync(Path.dirname(Path.join(pages, name)), { recursive: true })
  Fs.copyFileSync(Path.join(root, name), Path.join(pages, name))
}
