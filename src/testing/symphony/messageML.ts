/** Checks MessageML as the Agent does, and turns it into PresentationML and entities. */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as json from "../server/json.ts"

/** A message as readers get it. */
export interface Content {
  readonly presentation: string
  /** The entities, as JSON text, when there are any. */
  readonly data: string | undefined
  /** The text without markup. */
  readonly text: string
  readonly mentions: ReadonlyArray<number>
  readonly hashtags: ReadonlyArray<string>
  readonly cashtags: ReadonlyArray<string>
}

interface Mentioned {
  readonly id: number
  readonly displayName: string
}

/** Finds a mentioned user by id or email address. */
export type FindUser = (by: { readonly uid?: string | undefined; readonly email?: string | undefined }) =>
  | Mentioned
  | undefined

const parseData = Schema.decodeOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

// The Agent would run it as a template. The emulator refuses it, to find text of users that was not escaped.
const template = /\$\{|#\{|<\/?[#@]/

/** The most characters: far more than the Agent accepts, whose limit is for encrypted text. Takes less than a second to read. */
const longest = 1_000_000

const root = /^<(messageML|div data-format="PresentationML")[\s/>]/

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const attribute = (value: string) => escape(value).replaceAll("\"", "&quot;")

const emojis: ReadonlyMap<string, string> = new Map([
  ["smiley", "😃"],
  ["heart", "❤️"],
  ["thumbsup", "👍"],
  ["wink", "😉"]
])

const oneOf = (type: string, idType: string, value: string) => ({
  type,
  version: "1.0",
  id: [{ type: idType, value }]
})

/** The content of a message, or a sentence about its problem. */
export const read = Effect.fnUntraced(
  function*(message: string, dataText: string, findUser: FindUser): Effect.fn.Return<Content, string> {
    if (message.length > longest) return yield* Effect.fail(`Message has more than ${longest} characters`)
    if (!root.test(message.trimStart())) return yield* Effect.fail("Message is not wrapped in <messageML>")
    if (template.test(message)) return yield* Effect.fail("Syntax error in a template: is text of a user not escaped?")
    const given = dataText === "" ? {} : Option.getOrUndefined(parseData(dataText))
    if (given === undefined) return yield* Effect.fail("Data is not a JSON object")
    const events = yield* Stream.make(message.trim()).pipe(
      Stream.pipeThroughChannel(Xml.decodeString()),
      Stream.runCollect,
      Effect.mapError((error) => `Message is not well-formed: ${error.message}`)
    )
    const entities: Record<string, unknown> = { ...given }
    const mentions: Array<number> = []
    const hashtags: Array<string> = []
    const cashtags: Array<string> = []
    let presentation = ""
    /** The start of an element that may have no content. Whether it has, the next event shows. */
    let start: string | undefined
    const write = (written: string) => {
      presentation += start === undefined ? written : `${start}>${written}`
      start = undefined
    }
    let text = ""
    let next = 0
    // The root and the short forms are not copied to the text.
    let depth = 0
    let hidden = 0

    const entity = (shown: string, value: unknown) => {
      while (Object.hasOwn(entities, String(next))) next++
      entities[String(next)] = value
      write(`<span class="entity" data-entity-id="${next}">${escape(shown)}</span>`)
      text += shown
    }

    /** Writes a short form. Gives `undefined`, or its problem; `false` if the element is not a short form. */
    const shorthand = (name: string, attributes: Readonly<Record<string, string>>): string | undefined | false => {
      const { annotation, email, shortcode, strict, tag, uid } = attributes
      switch (name) {
        case "mention": {
          const user = findUser({ uid, email })
          if (user === undefined) {
            if (strict !== "false") return `Failed to find user "${uid ?? email}"`
            write(escape(email ?? uid ?? ""))
            text += email ?? uid ?? ""
            return undefined
          }
          mentions.push(user.id)
          entity(
            `@${user.displayName}`,
            oneOf("com.symphony.user.mention", "com.symphony.user.userId", String(user.id))
          )
          return undefined
        }
        case "hash":
          if (tag === undefined) return "A hashtag has no tag"
          hashtags.push(tag)
          entity(`#${tag}`, oneOf("org.symphonyoss.taxonomy", "org.symphonyoss.taxonomy.hashtag", tag))
          return undefined
        case "cash":
          if (tag === undefined) return "A cashtag has no tag"
          cashtags.push(tag)
          entity(`$${tag}`, oneOf("org.symphonyoss.fin.security", "org.symphonyoss.fin.security.id.ticker", tag))
          return undefined
        case "emoji": {
          const code = shortcode ?? annotation ?? ""
          const unicode = emojis.get(code)
          entity(unicode ?? `:${code}:`, {
            type: "com.symphony.emoji",
            version: "1.0",
            data: { annotation: code, size: "normal", ...unicode === undefined ? {} : { unicode } }
          })
          return undefined
        }
        default:
          return false
      }
    }

    for (const event of events) {
      switch (event._tag) {
        case "StartElement": {
          if (depth++ === 0) break
          if (hidden > 0) {
            hidden++
            break
          }
          const { attributes, name } = event
          const id = attributes["data-entity-id"]
          if (id !== undefined && attributes["class"]?.split(/\s+/).includes("entity") && !Object.hasOwn(given, id)) {
            return yield* Effect.fail(`Error processing EntityJSON: no entity data provided for "${id}"`)
          }
          const short = shorthand(name, attributes)
          if (Predicate.isString(short)) return yield* Effect.fail(short)
          if (short === undefined) hidden = 1
          else {
            write("")
            start = `<${name}${
              Object.entries(attributes).map(([name, value]) => ` ${name}="${attribute(value)}"`).join("")
            }`
          }
          break
        }
        case "EndElement":
          if (--depth === 0) break
          if (hidden > 0) hidden--
          else if (start !== undefined && isVoid(event.name)) {
            presentation += `${start}/>`
            start = undefined
          } else write(`</${event.name}>`)
          break
        case "Text":
          if (hidden > 0) break
          write(escape(event.text))
          text += event.text
      }
    }
    return {
      presentation: `<div data-format="PresentationML" data-version="2.0">${presentation}</div>`,
      data: Object.keys(entities).length === 0 ? undefined : json.write(entities),
      text,
      mentions,
      hashtags,
      cashtags
    }
  }
)

/** Whether an element has no content: it is written as `<br/>`. */
const isVoid = (name: string) => ["br", "hr", "img"].includes(name)
