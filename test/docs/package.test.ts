/** What users can import, and what they cannot. */
import { assert, it } from "@effect/vitest"
import { node } from "../kit/scratch.ts"

const load = (specifier: string) => node("--input-type=module", "--eval", `await import(${JSON.stringify(specifier)})`)

it.each([
  "effect-herald",
  "effect-herald/pubnub",
  "effect-herald/testing",
  "effect-herald/node",
  "effect-herald/pubnub/Publish",
  "effect-herald/testing/VirtualTime",
  "effect-herald/Live",
  "effect-herald/Page",
  "effect-herald/Retry",
  "effect-herald/UndecodableItem"
])("%s can be imported", (specifier) => {
  const { status, stderr } = load(specifier)
  assert.strictEqual(status, 0, stderr)
})

it.each([
  "effect-herald/index",
  "effect-herald/internal/url",
  "effect-herald/pubnub/internal/endpoint",
  "effect-herald/testing/pubnub/filter",
  "effect-herald/cli/main",
  "effect-herald/pubnub/index"
])("%s cannot be imported", (specifier) => {
  const { status, stderr } = load(specifier)
  assert.notStrictEqual(status, 0)
  assert.include(stderr, "ERR_PACKAGE_PATH_NOT_EXPORTED")
})
