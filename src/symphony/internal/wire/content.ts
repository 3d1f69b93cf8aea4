/**
 * Wraps the content of a message in its root element, and checks that it is well formed, unless it is a template.
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import { isMarkup, type Markup } from "../../MessageML.ts"

const startTag = /^<messageML(\s[^>]*)?>/
const endTag = /<\/messageML>$/

/** Text alone is well formed, and needs no parser. */
const plain = /^<messageML>[^<>&\p{C}]*<\/messageML>$/u

/** Adds the root element if it is missing. Fails with a sentence. */
export const wrap = (content: string | Markup): Effect.Effect<string, string> => {
  if (typeof content !== "string" && !isMarkup(content)) {
    return Effect.fail(`is ${Input.shown(content)}, neither text nor markup`)
  }
  if (typeof content !== "string" && content.issues.length > 0) return Effect.fail(content.issues.join(", and "))
  const text = (typeof content === "string" ? content : content.markup).trim()
  const wrong = Input.filled(text)
  if (wrong !== undefined) return Effect.fail(wrong)
  const [starts, ends] = [startTag.test(text), endTag.test(text)]
  if (starts !== ends) return Effect.fail(`has a messageML tag at its ${starts ? "start" : "end"} only`)
  const root = starts ? "" : "<messageML>"
  const wrapped = starts ? text : `${root}${text}</messageML>`
  return plain.test(wrapped) || isTemplate(wrapped)
    ? Effect.succeed(wrapped)
    : Effect.as(wellFormed(wrapped, root.length), wrapped)
}

// The Agent runs templates. Their result cannot be checked here.
const isTemplate = (text: string): boolean => /<\/?[#@]|[$#]\{/.test(text)

// Ignores names of characters: the Agent knows those of HTML too.
const wellFormed = (markup: string, added: number): Effect.Effect<void, string> =>
  Stream.succeed(markup.replace(/&[A-Za-z][A-Za-z0-9]*;/g, (name) => " ".repeat(name.length))).pipe(
    Stream.pipeThroughChannel(Xml.decodeString()),
    Stream.runDrain,
    Effect.mapError(({ column = 0, line, message }) => {
      // The column in the text of the caller, which has no root element.
      const found = line === 1 ? message.replace(/ at line 1, column \d+$/, ` at column ${column - added}`) : message
      return `is not well formed: ${found}. Pass text that is no markup through MessageML.text`
    })
  )
