import { assert, it } from "@effect/vitest"
import { like } from "../../src/testing/pubnub/tokens.ts"

/** The meaning of a pattern, by the shortest of definitions. */
const matches = (text: string, pattern: string): boolean => {
  if (pattern === "") return text === ""
  const [first, ...rest] = pattern
  if (first === "*") {
    for (let at = 0; at <= text.length; at++) if (matches(text.slice(at), rest.join(""))) return true
    return false
  }
  return text.startsWith(first ?? "") && matches(text.slice(1), rest.join(""))
}

/** All texts of these letters, up to so many of them. */
const texts = (letters: ReadonlyArray<string>, longest: number): ReadonlyArray<string> =>
  longest === 0 ? [""] : ["", ...texts(letters, longest - 1).flatMap((text) => letters.map((letter) => letter + text))]

it("LIKE agrees with a reference implementation for all short texts and patterns", () => {
  for (const pattern of new Set(texts(["a", "b", "*"], 5))) {
    for (const text of new Set(texts(["a", "b"], 6))) {
      if (like(text, pattern) !== matches(text, pattern)) assert.fail(`"${text}" LIKE "${pattern}"`)
    }
  }
})

const a = (count: number) => "a".repeat(count)

it.each([
  ["many stars", a(32_000), `${"*a".repeat(16_000)}b`],
  ["many stars and one letter that is missing", a(200_000), `*${"a*".repeat(50_000)}b*`],
  ["a long part that nearly is there", a(200_000), `*b${a(100_000)}*`],
  ["a long part whose end is missing", a(200_000), `*${a(100_000)}b*`],
  ["a long part with another letter in its middle", a(400_000), `*${a(100_000)}b${a(100_000)}*`],
  ["a part that repeats itself", `${"ab".repeat(100_000)}`, `*${"ab".repeat(50_000)}aa*`],
  ["stars and nothing else but the end", a(200_000), `${"*".repeat(100_000)}b`]
])("LIKE matches in less than quadratic time: %s", (_, text, pattern) => {
  const start = performance.now()
  assert.isFalse(like(text, pattern))
  // The product of the lengths would take from ten seconds on; this is a few hundredths of one.
  assert.isBelow(performance.now() - start, 3_000)
})
