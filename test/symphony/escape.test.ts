import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { MessageML } from "effect-herald/symphony"

const Text = Arbitrary.schema(Schema.String)
/** Text that is full of what has a meaning to XML or to the template engine. */
const Nasty = Arbitrary.schema(
  Schema.Array(
    Schema.Literals(["${", "}", "<#if>", "#{", "</p>", "&amp;", "&", "'", "\"", "]]>", "\\", " ", "é😀", "\n"])
  )
).pipe(Arbitrary.map((pieces) => pieces.join("")))

/** What an XML parser can give back: no control characters, no halves of characters. */
const kept = (text: string) =>
  // oxlint-disable-next-line no-control-regex
  text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")

const givesItBack = (text: string) =>
  Effect.gen(function*() {
    const escaped = MessageML.escape(text)
    assert.notMatch(escaped, /[<>"'$#{}](?![0-9]+;)/)
    const { text: read } = yield* MessageML.read({ message: `<div>${escaped}</div>` })
    // XML makes one line feed of both.
    assert.strictEqual(read, kept(text).replace(/\r\n?/g, "\n").trim())
  })

describe("escaped text", () => {
  const runs = { arbitrary: { runs: 500 } }
  it.effect.prop("parses to the text again", [Text], ([text]) => givesItBack(text), runs)
  it.effect.prop("parses to the text again, whatever it means", [Nasty], ([text]) => givesItBack(text), runs)
})
