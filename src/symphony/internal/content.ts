/**
 * The content of a message as it is sent: within its root element, and known to be well formed where that can be known.
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Stream from "effect/Stream"

const startTag = /^<messageML(\s[^>]*)?>/
const endTag = /<\/messageML>$/

/** The content in its root element, which may be there already. Fails with a sentence. */
export const wrap = (content: string): Effect.Effect<string, string> => {
  const text = content.trim()
  if (text === "") return Effect.fail("is empty")
  if (!text.isWellFormed()) return Effect.fail("holds half of a surrogate pair")
  const [starts, ends] = [startTag.test(text), endTag.test(text)]
  if (starts !== ends) return Effect.fail(`has a messageML tag at its ${starts ? "start" : "end"} only`)
  const wrapped = starts ? text : `<messageML>${text}</messageML>`
  return isTemplate(wrapped) ? Effect.succeed(wrapped) : Effect.as(wellFormed(wrapped), wrapped)
}

// The Agent makes markup of it that cannot be known here.
const isTemplate = (text: string): boolean => /<\/?[#@]|\$\{|#\{/.test(text)

const wellFormed = (markup: string): Effect.Effect<void, string> =>
  Stream.runDrain(Stream.pipeThroughChannel(Stream.succeed(markup), Xml.decodeString())).pipe(
    Effect.mapError((error) => `is not well formed: ${error.message}`)
  )
