/**
 * The markup of messages: written so that nothing a user typed is taken for markup or for a template, and read.
 *
 * The Agent runs a template engine over what it is sent: `${…}` in text that was not escaped is executed. The
 * {@link messageML} template escapes every hole, and the elements of this module escape every text.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Failure from "../internal/failure.ts"
import * as Codec from "../internal/codec.ts"
import * as Input from "../internal/input.ts"
import * as Json from "../internal/json.ts"
import * as Text from "../internal/text.ts"
import * as Entities from "./internal/wire/entities.ts"
import * as Plain from "./internal/wire/plainText.ts"

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

// A symbol, which JSON cannot carry: what a stranger sent never passes for markup, whatever the types say of it.
const TypeId: unique symbol = Symbol.for("effect-herald/symphony/MessageML/Markup")

/**
 * A piece of markup, and the data of the entities in it. The functions of this module make it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Markup<out P extends Place = Place> {
  readonly [TypeId]: typeof TypeId
  readonly place: P
  readonly markup: string
  readonly data: EntityData
  /**
   * What is wrong with it: two different entities with one id, or a part that is no text. A message with it is refused before
   * it is sent.
   */
  readonly issues: ReadonlyArray<string>
}

/**
 * Whether a value is {@link Markup}.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isMarkup = (value: unknown): value is Markup => {
  try {
    return Predicate.hasProperty(value, TypeId)
  } catch {
    // What throws when it is looked at is none.
    return false
  }
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

// A carriage return is read as a line feed unless it is written so.
const special = /[&<>'"#$%()*.;=[\]\\`{}\r]/g

const named = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"], ["'", "&apos;"], ["\"", "&quot;"]])

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
 * @category conversions
 * @since 0.1.0
 */
export const escape = (text: string): string =>
  // A caller without the compiler may pass anything.
  (typeof text === "string" ? text : Input.shown(text)).toWellFormed().replace(forbidden, "").replace(
    special,
    (character) => named.get(character) ?? `&#${character.charCodeAt(0)};`
  )

const make = <P extends Place>(
  place: P,
  markup: string,
  parts: ReadonlyArray<Pick<Markup, "data" | "issues">> = []
): Markup<P> => {
  const data = new Map<string, EntityData[string]>()
  const issues = new Set(parts.flatMap((part) => part.issues))
  for (const [id, fields] of parts.flatMap((part) => Object.entries(part.data))) {
    if (data.has(id) && !Json.equal(data.get(id), fields)) issues.add(`has different entities with the id ${id}`)
    data.set(id, fields)
  }
  return { [TypeId]: TypeId, place, markup, data: Object.fromEntries(data), issues: [...issues] }
}

/** What throws while markup is made of it is among the markup's issues. */
const built = <P extends Place>(place: P, build: () => Markup<P>): Markup<P> => {
  try {
    return build()
  } catch (defect) {
    return make(place, "", [{ data: {}, issues: [`has a part that cannot be read: ${Text.ofDefect(defect)}`] }])
  }
}

/** What is written as text. */
const written = (value: unknown): string => {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value)
  throw new TypeError(`${Input.shown(value)} is no text`)
}

const markups = (children: ReadonlyArray<Inline | Markup>): ReadonlyArray<Markup> => children.filter(isMarkup)

const markupOf = (children: ReadonlyArray<Inline | Markup>): string =>
  children.map((child) => isMarkup(child) ? child.markup : escape(written(child))).join("")

// In an attribute, every white space is read as a blank unless it is written so.
const withSpaces = (escaped: string): string => escaped.replaceAll("\t", "&#9;").replaceAll("\n", "&#10;")
const attribute = (value: string): string => withSpaces(escape(value))

const tag = (name: string, attributes: object): string =>
  [
    name,
    ...Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}="${attribute(written(value))}"`]
    )
  ].join(" ")

const element = <P extends Place>(
  place: P,
  name: string,
  children: ReadonlyArray<Inline | Markup>,
  attributes: object = {}
): Markup<P> =>
  built(place, () => make(place, `<${tag(name, attributes)}>${markupOf(children)}</${name}>`, markups(children)))

const empty = <P extends Place>(place: P, name: string, attributes: object = {}): Markup<P> =>
  built(place, () => make(place, `<${tag(name, attributes)}/>`))

/**
 * What may stand in a hole of {@link messageML}.
 *
 * @category models
 * @since 0.1.0
 */
export type Interpolation = Flow | ReadonlyArray<Flow>

/**
 * Text as markup that shows just that text: {@link escape}.
 *
 * **Example** (What a user typed, sent back)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const echo = (typed: string) => MessageML.text(typed)
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const text = (text: string): Markup<"inline"> => built("inline", () => make("inline", escape(written(text))))

/**
 * Markup as it is written, with holes: text in a hole is escaped, markup is put in as it is.
 *
 * **Details**
 *
 * Text may also be put in the value of an attribute, between its quotes; markup may not. The template itself is yours: the
 * Agent takes `\${…}` written in it for its own.
 *
 * **Example** (A greeting)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const greeting = (name: string) => MessageML.messageML`<p>Hello <b>${name}</b> ${MessageML.emoji("wave")}</p>`
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const messageML = (template: TemplateStringsArray, ...holes: ReadonlyArray<Interpolation>): Markup<"block"> =>
  built("block", () => {
    const filled = holes.map((hole) => Array.isArray(hole) ? hole : [hole])
    let place: Within = "text"
    const pieces = template.map((text, index) => {
      place = placeBehind(text, place)
      const markup = markupOf(filled[index] ?? [])
      return text + (place === "text" || place === "tag" ? markup : withSpaces(markup))
    })
    return make("block", pieces.join(""), markups(filled.flat()))
  })

/** Where in markup something stands: in text, in a tag, or in the value of an attribute, by its quote. */
type Within = "text" | "tag" | "\"" | "'"

/** Where that is which comes behind a piece of a template. */
const placeBehind = (text: string, from: Within): Within => {
  let place = from
  for (const character of text) {
    if (place === "text") place = character === "<" ? "tag" : "text"
    else if (place !== "tag") place = character === place ? "tag" : place
    else if (character === ">") place = "text"
    else if (character === "\"" || character === "'") place = character
  }
  return place
}

/**
 * Markup that is known to be right, as text. It is put in as it is: whoever writes it answers for it.
 *
 * **Example** (An element that this module does not have)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const chime = MessageML.unsafe("<chime/>")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsafe = (markup: string): Markup<"block"> => built("block", () => make("block", written(markup)))

// --------------------------------------------------------------------------------------------------------------------
// elements within a line
// --------------------------------------------------------------------------------------------------------------------

/**
 * Bold text.
 *
 * @category elements
 * @since 0.1.0
 */
export const bold = (...children: ReadonlyArray<Inline>): Markup<"inline"> => element("inline", "b", children)

/**
 * Italic text.
 *
 * @category elements
 * @since 0.1.0
 */
export const italic = (...children: ReadonlyArray<Inline>): Markup<"inline"> => element("inline", "i", children)

/**
 * Underlined text.
 *
 * @category elements
 * @since 0.1.0
 */
export const underline = (...children: ReadonlyArray<Inline>): Markup<"inline"> => element("inline", "u", children)

/**
 * Text of a fixed width.
 *
 * @category elements
 * @since 0.1.0
 */
export const code = (text: string): Markup<"inline"> => element("inline", "code", [text])

/**
 * Text with a look of its own.
 *
 * @category elements
 * @since 0.1.0
 */
export const span = (options: { readonly class: string }, ...children: ReadonlyArray<Inline>): Markup<"inline"> =>
  element("inline", "span", children, options)

/**
 * A link. Without a text it shows its address.
 *
 * @category elements
 * @since 0.1.0
 */
export const link = (href: string, text: string = href): Markup<"inline"> => element("inline", "a", [text], { href })

/**
 * An image at an address.
 *
 * @category elements
 * @since 0.1.0
 */
export const image = (src: string): Markup<"inline"> => empty("inline", "img", { src })

/**
 * A new line.
 *
 * @category elements
 * @since 0.1.0
 */
export const lineBreak: Markup<"inline"> = empty("inline", "br")

/**
 * A user who is told of the message. With `strict: false` one that does not exist is shown as text; otherwise the message
 * is refused.
 *
 * **Example** (Somebody by address)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const line = MessageML.paragraph("Thank you, ", MessageML.mention({ email: "ada@example.com" }), "!")
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const mention = (
  who:
    | { readonly userId: number; readonly email?: never; readonly strict?: boolean | undefined }
    | { readonly email: string; readonly userId?: never; readonly strict?: boolean | undefined }
): Markup<"inline"> =>
  built("inline", () => empty("inline", "mention", { uid: who.userId, email: who.email, strict: who.strict }))

/**
 * A hashtag, without its `#`.
 *
 * @category elements
 * @since 0.1.0
 */
export const hashtag = (tag: string): Markup<"inline"> => empty("inline", "hash", { tag })

/**
 * A cashtag, without its `$`.
 *
 * @category elements
 * @since 0.1.0
 */
export const cashtag = (tag: string): Markup<"inline"> => empty("inline", "cash", { tag })

/**
 * An emoji by its name, `smiley`.
 *
 * @category elements
 * @since 0.1.0
 */
export const emoji = (shortcode: string): Markup<"inline"> => empty("inline", "emoji", { shortcode })

// --------------------------------------------------------------------------------------------------------------------
// elements among paragraphs
// --------------------------------------------------------------------------------------------------------------------

/**
 * A paragraph.
 *
 * @category elements
 * @since 0.1.0
 */
export const paragraph = (...children: ReadonlyArray<Inline>): Markup<"block"> => element("block", "p", children)

/**
 * A heading, from the largest to the smallest.
 *
 * @category elements
 * @since 0.1.0
 */
export const heading = (level: 1 | 2 | 3 | 4 | 5 | 6, ...children: ReadonlyArray<Inline>): Markup<"block"> =>
  built("block", () => {
    const misfit = Input.whole(1, 6)(level)
    if (misfit !== undefined) throw new RangeError(`a level ${misfit}`)
    return element("block", `h${level}`, children)
  })

/**
 * Text as it is, line breaks and spaces too.
 *
 * @category elements
 * @since 0.1.0
 */
export const preformatted = (text: string): Markup<"block"> => element("block", "pre", [text])

/**
 * A group of whatever stands among paragraphs.
 *
 * @category elements
 * @since 0.1.0
 */
export const group = (...children: ReadonlyArray<Flow>): Markup<"block"> => element("block", "div", children)

/**
 * A line across.
 *
 * @category elements
 * @since 0.1.0
 */
export const rule: Markup<"block"> = empty("block", "hr")

/**
 * The entry of a list.
 *
 * @category elements
 * @since 0.1.0
 */
export const item = (...children: ReadonlyArray<Flow>): Markup<"item"> => element("item", "li", children)

const itemOf = (entry: Inline | Markup<"item">): Markup<"item"> =>
  isMarkup(entry) && isAt("item")(entry) ? entry : item(entry)

const isAt = <P extends Place>(place: P) => (markup: Markup): markup is Markup<P> => markup.place === place

/**
 * A list with bullets. What is not an {@link item} becomes one.
 *
 * **Example** (Two entries)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const list = MessageML.bulletList("Bread", MessageML.item(MessageML.paragraph("Milk")))
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const bulletList = (...items: ReadonlyArray<Inline | Markup<"item">>): Markup<"block"> =>
  built("block", () => element("block", "ul", items.map(itemOf)))

/**
 * A list with numbers. What is not an {@link item} becomes one.
 *
 * @category elements
 * @since 0.1.0
 */
export const numberedList = (...items: ReadonlyArray<Inline | Markup<"item">>): Markup<"block"> =>
  built("block", () => element("block", "ol", items.map(itemOf)))

/**
 * A cell of a table's row.
 *
 * @category elements
 * @since 0.1.0
 */
export const cell = (...children: ReadonlyArray<Flow>): Markup<"cell"> => element("cell", "td", children)

/**
 * A cell that says what is in its column.
 *
 * @category elements
 * @since 0.1.0
 */
export const headerCell = (...children: ReadonlyArray<Flow>): Markup<"cell"> => element("cell", "th", children)

/**
 * The row of a table. What is not a {@link cell} becomes one.
 *
 * @category elements
 * @since 0.1.0
 */
export const row = (...cells: ReadonlyArray<Inline | Markup<"cell">>): Markup<"row"> =>
  element("row", "tr", cells.map((entry) => isMarkup(entry) && isAt("cell")(entry) ? entry : cell(entry)))

/**
 * A table.
 *
 * **Example** (Prices)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const table = MessageML.table(
 *   MessageML.row(MessageML.headerCell("Share"), MessageML.headerCell("Price")),
 *   MessageML.row(MessageML.cashtag("ACME"), 12.5)
 * )
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const table = (...rows: ReadonlyArray<Markup<"row">>): Markup<"block"> => element("block", "table", rows)

/**
 * A card: a header that is always shown, and a body behind it.
 *
 * **Example** (An order)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const order = MessageML.card({ header: ["Order 7"], body: [MessageML.paragraph("12 pieces")] })
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const card = (
  options: {
    readonly header: ReadonlyArray<Flow>
    readonly body: ReadonlyArray<Flow>
    readonly iconSrc?: string | undefined
  }
): Markup<"block"> =>
  built("block", () =>
    element("block", "card", [
      element("block", "header", options.header),
      element("block", "body", options.body)
    ], { iconSrc: options.iconSrc }))

// --------------------------------------------------------------------------------------------------------------------
// forms
// --------------------------------------------------------------------------------------------------------------------

/**
 * What a field of a form has.
 *
 * @category models
 * @since 0.1.0
 */
export interface FieldOptions {
  /** The name of its value in the event of a submitted form. */
  readonly name: string
  /** What stands above the field. */
  readonly label?: string | undefined
  /** Whether the form cannot be sent without it. Default: `false`. */
  readonly required?: boolean | undefined
}

/**
 * A line of text to type.
 *
 * @category elements
 * @since 0.1.0
 */
export const textField = (
  options: FieldOptions & { readonly placeholder?: string | undefined; readonly masked?: boolean | undefined }
): Markup<"field"> => empty("field", "text-field", options)

/**
 * Lines of text to type.
 *
 * @category elements
 * @since 0.1.0
 */
export const textArea = (options: FieldOptions & { readonly placeholder?: string | undefined }): Markup<"field"> =>
  element("field", "textarea", [], options)

/**
 * Something to choose in a {@link select}.
 *
 * @category elements
 * @since 0.1.0
 */
export const option = (value: string, text: string = value, selected = false): Markup<"option"> =>
  element("option", "option", [text], { value, selected: selected || undefined })

/**
 * One of several to choose.
 *
 * @category elements
 * @since 0.1.0
 */
export const select = (options: FieldOptions, ...choices: ReadonlyArray<Markup<"option">>): Markup<"field"> =>
  element("field", "select", choices, options)

/**
 * Something to tick.
 *
 * @category elements
 * @since 0.1.0
 */
export const checkbox = (
  options: { readonly name: string; readonly value: string; readonly checked?: boolean | undefined },
  ...label: ReadonlyArray<Inline>
): Markup<"field"> => element("field", "checkbox", label, options)

/**
 * One of those of the same name to choose.
 *
 * @category elements
 * @since 0.1.0
 */
export const radio = (
  options: { readonly name: string; readonly value: string; readonly checked?: boolean | undefined },
  ...label: ReadonlyArray<Inline>
): Markup<"field"> => element("field", "radio", label, options)

/**
 * Users to choose.
 *
 * @category elements
 * @since 0.1.0
 */
export const personSelector = (
  options: FieldOptions & { readonly placeholder?: string | undefined }
): Markup<"field"> => empty("field", "person-selector", options)

/**
 * A date to choose.
 *
 * @category elements
 * @since 0.1.0
 */
export const datePicker = (options: FieldOptions): Markup<"field"> => empty("field", "date-picker", options)

/**
 * A time of the day to choose.
 *
 * @category elements
 * @since 0.1.0
 */
export const timePicker = (options: FieldOptions): Markup<"field"> => empty("field", "time-picker", options)

/**
 * What sends a form (`action`), or clears it (`reset`).
 *
 * @category elements
 * @since 0.1.0
 */
export const button = (
  options: { readonly name: string; readonly type?: "action" | "reset" | undefined },
  text: string
): Markup<"field"> =>
  built("field", () => element("field", "button", [text], { name: options.name, type: options.type ?? "action" }))

/**
 * A form. It needs a {@link button} of type `action`; what was filled in comes as an event of the datafeed.
 *
 * **Example** (How many?)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const form = MessageML.form(
 *   "order",
 *   MessageML.textField({ name: "pieces", label: "How many?", required: true }),
 *   MessageML.button({ name: "send" }, "Order")
 * )
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const form = (id: string, ...children: ReadonlyArray<Flow | Markup<"field">>): Markup<"block"> =>
  element("block", "form", children, { id })

// --------------------------------------------------------------------------------------------------------------------
// entities
// --------------------------------------------------------------------------------------------------------------------

/**
 * Data that does not match its schema, written or read. `id` is that of the entity in the message.
 *
 * @category errors
 * @since 0.1.0
 */
export class EntityMismatch extends Failure.TaggedError<EntityMismatch>("symphony")("EntityMismatch", {
  type: Schema.String,
  id: Schema.String,
  issue: Schema.String
}, {
  message: ({ id, issue, type }) => `The entity ${JSON.stringify(id)} is not what ${type} has to be: ${issue}.`
}) {}

/**
 * A received message, as far as reading it is concerned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Readable {
  /** PresentationML. */
  readonly message?: string | undefined
  /** The data of its entities, as JSON text. */
  readonly data?: string | undefined
}

/**
 * A kind of entity: structured data that travels in a message, with what is shown where nobody can render it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entity<A, RD = never, RE = never> {
  readonly type: string
  readonly version: string
  /**
   * The markup of one, with its data. `id` names it within the message, and is not blank. Fails when the value does not
   * match the schema, and when it has a `type` or a `version` of its own that says otherwise.
   */
  readonly make: (
    id: string,
    value: A,
    ...fallback: ReadonlyArray<Flow>
  ) => Effect.Effect<Markup<"block">, EntityMismatch, RE>
  /** Those of this type in a message, of any version, in order. */
  readonly read: (message: Readable) => Effect.Effect<ReadonlyArray<A>, EntityMismatch | MessageUnreadable, RD>
}

/**
 * Pairs a type of entity with the schema of its fields, which must be an object on the wire.
 *
 * **Example** (An order that other bots can read)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const Order = MessageML.entity({
 *   type: "com.acme.order",
 *   version: "1.0",
 *   schema: Schema.Struct({ id: Schema.Int, total: Schema.BigInt })
 * })
 *
 * const placed = Order.make("order", { id: 7, total: 100n }, "Order 7 was placed")
 * const orders = (message: MessageML.Readable) => Order.read(message)
 * ```
 *
 * @category elements
 * @since 0.1.0
 */
export const entity = <A, RD = never, RE = never>(options: {
  readonly type: string
  readonly version: string
  readonly schema: Schema.ConstraintCodec<A, unknown, RD, RE>
}): Entity<A, RD, RE> => {
  const { schema, type, version } = options
  const codec = Schema.toCodecJson(schema)
  const encode = Codec.encode(codec)
  const decode = Codec.decode(codec)
  const refusalOf = (id: string, fields: EntityData[string]) =>
    id.trim() === ""
      ? "its id is blank"
      : Object.entries({ type, version }).flatMap(([name, value]) =>
        Object.hasOwn(fields, name) && fields[name] !== value ? [`its ${name} is not ${JSON.stringify(value)}`] : []
      )[0]
  const mismatch = (id: string) => (issue: string) => new EntityMismatch({ type, id, issue })
  return {
    type,
    version,
    make: (id, value, ...fallback) =>
      encode(value).pipe(
        Effect.flatMap(decodeFields),
        Effect.mapError(mismatch(id)),
        Effect.flatMap((fields) => {
          const refused = refusalOf(id, fields)
          return refused === undefined
            ? Effect.succeed(shown(id, { ...fields, type, version }, fallback))
            : Effect.fail(new EntityMismatch({ type, id, issue: refused }))
        })
      ),
    read: (message) =>
      Effect.flatMap(
        Effect.flatMap(partsOf(message), (parts) => Effect.fromResult(entriesOf(parts))),
        (entries) =>
          Effect.forEach(entries.filter(([, entry]) => entry.type === type), ([id, entry]) =>
            Effect.mapError(decode(entry), mismatch(id)))
      )
  }
}

const shown = (id: string, fields: EntityData[string], fallback: ReadonlyArray<Flow>): Markup<"block"> => {
  const { data, issues, markup } = element("block", "div", fallback, { class: "entity", "data-entity-id": id })
  return make("block", markup, [{ data, issues }, { data: { [id]: fields }, issues: [] }])
}

const decodeFields = Codec.decode(Schema.Record(Schema.String, Schema.Json))

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/**
 * A message whose markup or data cannot be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageUnreadable extends Failure.TaggedError<MessageUnreadable>("symphony")("MessageUnreadable", {
  part: Schema.Literals(["message", "data"]),
  issue: Schema.String
}, {
  message: ({ issue, part }) => `The ${part === "message" ? "markup" : "data"} of the message cannot be read: ${issue}.`
}) {}

/**
 * What somebody said, and of whom and what. Each list is in the order of the message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  /**
   * Without markup. Paragraphs, headings, list items, table rows and all other blocks have lines of their own, the cells of a
   * row are apart by a tab, and a `<br/>` is a new line.
   */
  readonly text: string
  /** The ids of the users who are mentioned. */
  readonly mentions: ReadonlyArray<number>
  /** Without `#`. */
  readonly hashtags: ReadonlyArray<string>
  /** Without `$`. */
  readonly cashtags: ReadonlyArray<string>
  /** The characters of each emoji, by its name; empty where there are none. */
  readonly emojis: ReadonlyMap<string, string>
}

/**
 * Reads a received message: the text is that of its elements, trimmed. Entities that are not as the service
 * writes them are skipped; markup that is no XML, and data that is no JSON, is a `MessageUnreadable`.
 *
 * **Example** (A command to a bot)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const isHelp = (message: MessageML.Readable) =>
 *   Effect.map(MessageML.read(message), ({ text }) => text.endsWith("/help"))
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const read = (message: Readable): Effect.Effect<Reading, MessageUnreadable> =>
  Effect.gen(function*() {
    const given = yield* partsOf(message)
    const text = yield* textOf(given.message)
    const entries = yield* Effect.fromResult(entriesOf(given))
    const values = (type: string) =>
      entries.flatMap(([, entry]) => entry.type === type ? Option.toArray(decodeIds(entry)) : [])
        .map(({ id: [first] }) => String(first.value))
    return {
      text,
      mentions: values("com.symphony.user.mention").filter((id) => /^\d+$/.test(id)).map(Number),
      hashtags: values("org.symphonyoss.taxonomy"),
      cashtags: values("org.symphonyoss.fin.security"),
      emojis: new Map(
        entries.flatMap(([, entry]) => entry.type === "com.symphony.emoji" ? Option.toArray(decodeEmoji(entry)) : [])
          .map(({ data }) => [data.annotation, data.unicode ?? ""])
      )
    }
  })

/** A caller without the compiler may pass anything, getters that throw too. */
const partsOf = (message: Readable): Effect.Effect<Required<Readable>, MessageUnreadable> =>
  Effect.try({
    try: () => {
      const { data, message: markup } = message
      return { data, message: markup ?? "" }
    },
    catch: (defect) => new MessageUnreadable({ part: "message", issue: Text.ofDefect(defect) })
  })

const decodeIds = Schema.decodeUnknownOption(
  Schema.Struct({
    id: Schema.TupleWithRest(Schema.Tuple([Schema.Struct({ value: Schema.Union([Schema.String, Schema.Finite]) })]), [
      Schema.Unknown
    ])
  })
)
const decodeEmoji = Schema.decodeUnknownOption(
  Schema.Struct({
    data: Schema.Struct({ annotation: Schema.String, unicode: Schema.optionalKey(Schema.NullOr(Schema.String)) })
  })
)

type Entry = readonly [id: string, fields: { readonly [field: string]: unknown }]

const entriesOf = ({ data }: Readable): Result.Result<ReadonlyArray<Entry>, MessageUnreadable> => {
  const fail = (issue: string) => Result.fail(new MessageUnreadable({ part: "data", issue }))
  if (data === undefined) return Result.succeed([])
  if (typeof data !== "string") return fail(`it is ${Input.shown(data)}, not text`)
  return data.trim() === "" ? Result.succeed([]) : Result.match(Json.parse(data), {
    onFailure: fail,
    onSuccess: (json) =>
      Result.succeed(
        Predicate.isObject(json)
          ? Object.entries(json).flatMap(([id, fields]) => isFields(fields) ? [[id, fields] as const] : [])
          : []
      )
  })
}

const isFields = (fields: unknown): fields is { readonly [field: string]: unknown } => Predicate.isObject(fields)

const textOf = (markup: string | undefined): Effect.Effect<string, MessageUnreadable> => {
  if (typeof markup !== "string") {
    return Effect.fail(new MessageUnreadable({ part: "message", issue: `it is ${Input.shown(markup)}, not text` }))
  }
  if (markup.trim() === "") return Effect.succeed("")
  return parse(Entities.resolve(markup)).pipe(
    Effect.map(Plain.textOf),
    Effect.mapError((error) => new MessageUnreadable({ part: "message", issue: error.message }))
  )
}

const parse = (markup: string): Effect.Effect<ReadonlyArray<Xml.Event>, Xml.XmlError> =>
  Stream.runCollect(Stream.pipeThroughChannel(Stream.succeed(markup), Xml.decodeString()))
