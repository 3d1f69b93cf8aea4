/**
 * Copies what the site is made of: the pages of the repository, because VitePress finds Vue only from files below this folder, and
 * the source, because typedoc needs `@module` to see the docstring of a module.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.join(import.meta.dirname, "..")

const copy = (patterns: ReadonlyArray<string>, to: string, change: (text: string) => string) => {
  const target = Path.join(import.meta.dirname, to)
  Fs.rmSync(target, { recursive: true, force: true })
  for (const name of Fs.globSync(patterns, { cwd: root, exclude: ["AGENTS.md"] })) {
    Fs.mkdirSync(Path.dirname(Path.join(target, name)), { recursive: true })
    Fs.writeFileSync(Path.join(target, name), change(Fs.readFileSync(Path.join(root, name), "utf8")))
  }
}

copy(["*.md", "docs/**/*.md"], "pages", (text) => text)
copy(["src/**/*.ts"], "source", (text) => text.replace(/^(\/\*\*\n(?: \*.*\n)*?) \* @since/, "$1 * @module\n * @since"))
