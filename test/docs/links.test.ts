/** Links between the pages of the repository lead to a file and, behind `#`, to a heading of it. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"

const pages = [".", "docs"].flatMap((folder) =>
  Fs.readdirSync(Path.join(root, folder), { recursive: folder !== ".", encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => Path.join(folder, name))
)

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
    return !Fs.existsSync(Path.join(root, target)) || (anchor !== undefined && !anchors(target).has(anchor))
  })
  assert.deepStrictEqual(broken, [])
})
