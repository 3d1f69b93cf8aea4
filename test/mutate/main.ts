/**
 * Changes a module in one place, runs its direct tests, and reports whether they found out. `npm run mutate -- WORD` does so for
 * the mutations whose file or name has the word. Not part of `npm test`: it takes minutes, and changes files while it runs.
 */
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Group from "./group.ts"
import { type Mutation, mutations } from "./mutations.ts"

const root = Path.resolve(import.meta.dirname, "../..")
const vitest = Path.join(root, "node_modules/vitest/vitest.mjs")

type Outcome = "killed" | "survived" | "not found"

/** A mutant that runs for ever is killed, too. */
const mutantTimeout = 120_000

let running: Group.Group | undefined
let restore = () => {}

const interrupted = () => {
  restore()
  if (running !== undefined) Group.kill(running)
  process.exit(130)
}
process.once("SIGINT", interrupted)
process.once("SIGTERM", interrupted)

const passes = async (tests: ReadonlyArray<string>, timeout: number | undefined): Promise<boolean> => {
  const group = Group.start(process.execPath, [vitest, "run", "--bail=1", "--reporter=dot", ...tests], {
    cwd: root,
    stdio: "ignore"
  })
  running = group
  const timer = timeout === undefined ? undefined : setTimeout(() => Group.kill(group), timeout)
  const [code] = await once(group, "exit")
  clearTimeout(timer)
  return code === 0
}

const outcomeOf = async ({ file, replace, search, tests }: Mutation): Promise<Outcome> => {
  const path = Path.join(root, file)
  const text = Fs.readFileSync(path, "utf8")
  if (text.split(search).length !== 2) return "not found"
  restore = () => Fs.writeFileSync(path, text)
  try {
    Fs.writeFileSync(path, text.replace(search, () => replace))
    return await passes(tests, mutantTimeout) ? "survived" : "killed"
  } finally {
    restore()
    restore = () => {}
  }
}

const words = process.argv.slice(2)
const chosen = mutations.filter(({ file, name }) =>
  words.length === 0 || words.some((word) => file.includes(word) || name.includes(word))
)

const unmutated = [...new Set(chosen.flatMap(({ tests }) => tests))]
if (!await passes(unmutated, undefined)) {
  console.error("The tests fail without any mutation.")
  process.exit(1)
}

const counts: Record<Outcome, number> = { killed: 0, survived: 0, "not found": 0 }
console.log("| outcome | file | mutation |\n|---|---|---|")
for (const mutation of chosen) {
  const outcome = await outcomeOf(mutation)
  counts[outcome]++
  console.log(`| ${outcome} | ${mutation.file} | ${mutation.name} |`)
}
console.log(
  `\n${counts.killed} of ${chosen.length} killed, ${counts.survived} survived, ${counts["not found"]} not found`
)
process.exitCode = counts.killed === chosen.length ? 0 : 1
