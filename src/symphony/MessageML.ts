/**
 * The markup of messages: written so that nothing a user typed is taken for markup or for a template, and read.
 *
 * The Agent runs a template engine over what it is sent: `${…}` in text that was not escaped is executed. The
 * {@link messageML} template escapes every hole, and the elements of this module escape every text.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Json from "../internal/json.ts"

// --------------------------------------------------------------------------------------------------------------------
// markup
// --------------------------------------------------------------------------------------------------------------------

/**
 * Where a piece of markup may stand: within a line, among paragraphs, in a list, in a table, in a row, in a form, or in a
 * field to choose from.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = "inline" | "block" | "item" | "row" | "cell" | "field" | "option"

/**
 * The data of entities, by the ids that the markup refers to them with.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntityData {
  readonly [id: string]: { readonly [field: string]: Schema.Json }
}

/**
 * A piece of markup, and the data of the entities in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Markup<out P extends Place = Place> {
  readonly _tag: "Markup"
  readonly place: P
  readonly markup: string
  readonly data: EntityData
}

/**
 * What may stand within a line. Text is escaped.
 *
 * @category models
 * @since 0.1.0
 */
export type Inline = string | number | Markup<"inline">

/**
 * What may stand among paragraphs.
 *
 * @category models
 * @since 0.1.0
 */
export type Flow = Inline | Markup<"block">

const special = /[&<>'"#$%()*.;=[\]\\`{}]/g

const named: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  "\"": "&quot;"
}

// What XML cannot hold at all, escaped or not.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/**
 * Text as markup that shows just that text: what is markup, and what the template engine would take for its own, is
 * escaped, in one pass. Control characters, which XML has no way to write, are left out.
 *
 * **Example** (What a user typed)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * MessageML.escape("a < b && ${c}") // "a &lt; b &amp;&amp; &#36;&#123;c&#125;"
 * ```
 *
 * @category markup
 * @since 0.1.0
 */
export const escape = (text: string): string =>
  text.toWellFormed().replace(forbidden, "").replace(
    special,
    (character) => named[character] ?? `&#${character.charCodeAt(0)};`
  )

const isMarkup = (child: Inline | Markup): child is Markup => Predicate.isObject(child)

const make = <P extends Place>(place: P, markup: string, children: ReadonlyArray<Inline | Markup> = []): Markup<P> => ({
  _tag: "Markup",
  place,
  markup,
  data: Object.assign({}, ...children.map((child) => isMarkup(child) ? child.data : {}))
})

const markupOf = (children: ReadonlyArray<Inline | Markup>): string =>
  children.map((child) => isMarkup(child) ? child.markup : escape(String(child))).join("")

interface Attributes {
  readonly [name: string]: string | number | boolean | undefined
}

const tag = (name: string, attributes: Attributes): string =>
  [
    name,
    ...Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}="${escape(String(value))}"`]
    )
  ].join(" ")

const element = <P extends Place>(
  place: P,
  name: string,
  children: ReadonlyArray<Inline | Markup>,
  attributes: Attributes = {}
): Markup<P> => make(place, `<${tag(name, attributes)}>${markupOf(children)}</${name}>`, children)

const empty = <P extends Place>(place: P, name: string, attributes: Attributes = {}): Markup<P> =>
  make(place, `<${tag(name, attributes)}/>`)

/**
 * What may stand in a hole of {@link messageML}.
 *
 * @category models
 * @since 0.1.0
 */
export type Hole = Flow | ReadonlyArray<Flow>

/**
 * Markup as it is written, with holes: text in a hole is escaped, markup is put in as it is.
 *
 * **Example** (A greeting)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const greeting = (name: string) => MessageML.messageML`<p>Hello <b>${name}</b> ${MessageML.emoji("wave")}</p>`
 * ```
 *
 * @category markup
 * @since 0.1.0
 */
export const messageML = (template: TemplateStringsArray, ...holes: ReadonlyArray<Hole>): Markup<"block"> => {
  const filled = holes.map((hole) => typeof hole === "object" && "length" in hole ? hole : [hole])
  return make(
    "block",
    template.map((text, index) => text + markupOf(filled[index] ?? [])).join(""),
    filled.flat()
  )
}

/**
 * Markup that is known to be right, as text. It is put in as it is: whoever writes it answers for it.
 *
 * @category markup
 * @since 0.1.0
 */
export const unsafe = (markup: string): Markup<"block"> => make("block", markup)
