/**
 * Wraps the content of a message in its root element, and checks that it is well formed where that can be known.
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import { isMarkup, type Markup } from "../../MessageML.ts"

const startTag = /^<messageML(\s[^>]*)?>/
const endTag = /<\/messageML>$/

/** The content in its root element, which may be there already. Fails with a sentence. */
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
  return isTemplate(wrapped) ? Effect.succeed(wrapped) : Effect.as(wellFormed(wrapped, root.length), wrapped)
}

// The Agent makes markup of it that cannot be known here.
const isTemplate = (text: string): boolean => /<\/?[#@]|[$#]\{/.test(text)

// Names of characters that HTML knows and XML does not are for the Agent to judge.
const wellFormed = (markup: string, added: number): Effect.Effect<void, string> =>
  Stream.succeed(markup.replace(/&[A-Za-z][A-Za-z0-9]*;/g, (name) => " ".repeat(name.length))).pipe(
    Stream.pipeThroughChannel(Xml.decodeString()),
    Stream.runDrain,
    Effect.mapError(({ column = 0, line, message }) => {
      // The caller counts from their own text, which has no root element.
      const found = line === 1 ? message.replace(/ at line 1, column \d+$/, ` at column ${column - added}`) : message
      return `is not well formed: ${found}. Pass text that is no markup through MessageML.text`
    })
  )
