/** What users can import, and what they cannot. */
import { assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { node, root } from "../kit/scratch.ts"

const exported = [
  "effect-herald",
  "effect-herald/pubnub",
  "effect-herald/testing",
  "effect-herald/node",
  "effect-herald/fleet",
  "effect-herald/pubnub/Publish",
  "effect-herald/testing/VirtualTime",
  "effect-herald/Live",
  "effect-herald/Page",
  "effect-herald/Retry",
  "effect-herald/UndecodableItem"
]

const hidden = [
  "effect-herald/index",
  "effect-herald/internal/url",
  "effect-herald/pubnub/internal/endpoint",
  "effect-herald/testing/pubnub/filter",
  "effect-herald/cli/main",
  "effect-herald/pubnub/index",
  "effect-herald/fleet/internal/claim"
]

/** What each import ended with: the code of its error, its error, or "imported". */
let outcomes: Record<string, string> = {}

// One process for all: no module depends on which one was imported before it, as no imports form a cycle.
beforeAll(() => {
  const { status, stderr, stdout } = node(
    "--input-type=module",
    "--eval",
    `const outcomes = {}
    for (const specifier of ${JSON.stringify([...exported, ...hidden])}) {
      outcomes[specifier] = await import(specifier).then(() => "imported", (error) => error.code ?? String(error))
    }
    console.log(JSON.stringify(outcomes))`
  )
  assert.strictEqual(status, 0, stderr)
  outcomes = JSON.parse(stdout)
}, 60_000)

it.each(exported)("%s can be imported", (specifier) => assert.strictEqual(outcomes[specifier], "imported"))

it.each(hidden)(
  "%s cannot be imported",
  (specifier) => assert.strictEqual(outcomes[specifier], "ERR_PACKAGE_PATH_NOT_EXPORTED")
)

it("the lock file has the checksum of each package, but for binaries of other platforms that the registry lacks", () => {
  const { packages }: {
    readonly packages: Record<string, { readonly integrity?: string; readonly optional?: boolean }>
  } = JSON.parse(Fs.readFileSync(Path.join(root, "package-lock.json"), "utf8"))
  const without = Object.keys(packages).filter((name) => name !== "" && packages[name]?.integrity === undefined)
  assert.deepStrictEqual(without.filter((name) => !packages[name]?.optional), [])
  assert.deepStrictEqual(
    without.filter((name) => !/^node_modules\/@(dprint\/(android|darwin|linux|win32)|effect\/tsgo-)/.test(name)),
    []
  )
})
