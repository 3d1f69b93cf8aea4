/**
 * Links between the pages of the repository lead to a file and, behind `#`, to a heading of it. Pages of the package link to
 * files of the package.
 */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"

const pages = [".", "docs"].flatMap((folder) =>
  Fs.readdirSync(Path.join(root, folder), { recursive: folder !== ".", encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => Path.join(folder, name))
).concat("docs/llms.txt")

const { files }: { readonly files: ReadonlyArray<string> } = JSON.parse(
  Fs.readFileSync(Path.join(root, "package.json"), "utf8")
)

/** Whether users get a file. npm adds the last two by itself. */
const isShipped = (file: string) =>
  [...files, "README.md", "LICENSE"].some((shipped) => file === shipped || file.startsWith(`${shipped}/`))

const text = (page: string) => Fs.readFileSync(Path.join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "")

/** The anchors of a page, as GitHub makes them of its headings. */
const anchors = (page: string): ReadonlySet<string> =>
  new Set(
    [...text(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
    )
  )

it.each(pages)("every link of %s leads somewhere", (page) => {
  const broken = [...text(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = "", anchor] = link.split("#")
    const target = path === "" ? page : Path.join(Path.dirname(page), path)
    return !Fs.existsSync(Path.join(root, target)) || (anchor !== undefined && !anchors(target).has(anchor)) ||
      (isShipped(page) && !isShipped(target))
  })
  assert.deepStrictEqual(broken, [])
})

it("llms.txt links every page and example of docs", () => {
  const linked = text("docs/llms.txt")
  const names = Fs.readdirSync(Path.join(root, "docs"), { recursive: true, encoding: "utf8" })
  const pages = names.filter((name) => /\.md$|^examples\/[^/]+\.ts$/.test(name) && !name.includes("node_modules"))
  assert.deepStrictEqual(pages.filter((name) => !linked.includes(`](${name})`)), [])
})
