/**
 * Writes and reads the markup of messages, so that text of users is never taken for markup or for a template.
 *
 * The Agent runs a template engine over each message: it executes `${…}` in text that was not escaped. The {@link messageML}
 * template escapes what is interpolated, and the elements of this module escape their text.
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
 * Where a piece of markup may stand: in a line, among blocks, in a list, in a table, in a row, in a form, or in a field with choices.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = "inline" | "block" | "item" | "row" | "cell" | "field" | "option"

/**
 * The data of entities, by the ids with which the markup refers to them.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntityData {
  readonly [id: string]: { readonly [field: string]: Schema.Json }
}

// A symbol, which JSON cannot carry: decoded JSON never passes for markup, whatever its type says.
const TypeId: unique symbol = Symbol.for("effect-herald/symphony/MessageML/Markup")

/**
 * A piece of markup with the data of its entities. Only the functions of this module make it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Markup<out P extends Place = Place> {
  readonly [TypeId]: typeof TypeId
  /** Where it may stand. */
  readonly place: P
  /** The markup as text. */
  readonly markup: string
  /** The data of the entities in it. */
  readonly data: EntityData
  /**
   * What is wrong with it: two different entities with one id, or a part that is not text. A message with an issue is refused
   * before it is sent.
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
    // A proxy may throw. Markup does not.
    return false
  }
}

/**
 * What may stand in a line. Text is escaped.
 *
 * @category models
 * @since 0.1.0
 */
export type Inline = string | number | Markup<"inline">

/**
 * What may stand among blocks: paragraphs, lists, tables. Text is escaped.
 *
 * @category models
 * @since 0.1.0
 */
export type Flow = Inline | Markup<"block">

// XML reads a carriage return as a line feed unless it is escaped.
const special = /[&<>'"#$%()*.;=[\]\\`{}\r]/g

const named = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"], ["'", "&apos;"], ["\"", "&quot;"]])

// What XML cannot hold, escaped or not.
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/**
 * Escapes text, so that it shows as it is: markup and what the template engine would run, in one pass. Control characters that XML
 * cannot hold are left out.
 *
 * **Example** (Text of a user)
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

/** Turns what `build` throws into an issue of the markup. */
const guarded = <P extends Place>(place: P, build: () => Markup<P>): Markup<P> => {
  try {
    return build()
  } catch (defect) {
    return make(place, "", [{ data: {}, issues: [`has a part that cannot be read: ${Text.ofDefect(defect)}`] }])
  }
}

const toText = (value: unknown): string => {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value)
  throw new TypeError(`${Input.shown(value)} is no text`)
}

const markups = (children: ReadonlyArray<Inline | Markup>): ReadonlyArray<Markup> => children.filter(isMarkup)

const markupOf = (children: ReadonlyArray<Inline | Markup>): string =>
  children.map((child) => isMarkup(child) ? child.markup : escape(toText(child))).join("")

// XML reads each white space in an attribute as a blank unless it is escaped.
const withSpaces = (escaped: string): string => escaped.replaceAll("\t", "&#9;").replaceAll("\n", "&#10;")

const tag = (name: string, attributes: object): string =>
  [
    name,
    ...Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}="${withSpaces(escape(toText(value)))}"`]
    )
  ].join(" ")

const element = <P extends Place>(
  place: P,
  name: string,
  children: ReadonlyArray<Inline | Markup>,
  attributes: object = {}
): Markup<P> =>
  guarded(place, () => make(place, `<${tag(name, attributes)}>${markupOf(children)}</${name}>`, markups(children)))

const empty = <P extends Place>(place: P, name: string, attributes: object = {}): Markup<P> =>
  guarded(place, () => make(place, `<${tag(name, attributes)}/>`))

/** The function of an element without attributes. */
const withChildren =
  <P extends Place, Child extends Inline | Markup>(place: P, name: string) =>
  (...children: ReadonlyArray<Child>): Markup<P> => element(place, name, children)

/** The function of a list of `place`. A child that stands elsewhere becomes an element of `place` first. */
const withItems =
  <P extends Place, Item extends Place>(place: P, name: string, item: Item, wrap: (child: Inline) => Markup<Item>) =>
  (...children: ReadonlyArray<Inline | Markup<Item>>): Markup<P> =>
    guarded(place, () => {
      const isItem = (child: Inline | Markup<Item>): child is Markup<Item> => isMarkup(child) && child.place === item
      return element(place, name, children.map((child) => isItem(child) ? child : wrap(child)))
    })

/**
 * What may be interpolated in {@link messageML}.
 *
 * @category models
 * @since 0.1.0
 */
export type Interpolation = Flow | ReadonlyArray<Flow>

/**
 * Markup that shows the text as it is: see {@link escape}.
 *
 * **Example** (Text of a user, sent back)
 *
 * ```ts
 * import * as MessageML from "effect-herald/symphony/MessageML"
 *
 * const echo = (typed: string) => MessageML.text(typed)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const text = (text: string): Markup<"inline"> => guarded("inline", () => make("inline", escape(toText(text))))

/**
 * Markup from a template. Interpolated text is escaped, interpolated markup is not.
 *
 * **Details**
 *
 * Text may also be interpolated in the value of an attribute, between its quotes; markup may not. The template itself is not escaped:
 * the Agent executes a `\${…}` that is written in it.
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
export const messageML = (
  template: TemplateStringsArray,
  ...interpolations: ReadonlyArray<Interpolation>
): Markup<"block"> =>
  guarded("block", () => {
    const filled = interpolations.map((value) => Array.isArray(value) ? value : [value])
    let place: Within = "text"
    const pieces = template.map((text, index) => {
      place = placeAfter(text, place)
      const markup = markupOf(filled[index] ?? [])
      return text + (place === "text" || place === "tag" ? markup : withSpaces(markup))
    })
    return make("block", pieces.join(""), markups(filled.flat()))
  })

/** Where a position of a template is: in text, in a tag, or in the value of an attribute, by its quote. */
type Within = "text" | "tag" | "\"" | "'"

const placeAfter = (text: string, from: Within): Within => {
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
 * Takes text as markup, and does not escape it. Never pass text of users: use {@link text} or {@link messageML} for that.
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
export const unsafe = (markup: string): Markup<"block"> => guarded("block", () => make("block", toText(markup)))

// --------------------------------------------------------------------------------------------------------------------
// elements in a line
// --------------------------------------------------------------------------------------------------------------------

/**
 * Bold text.
 *
 * @category elements
 * @since 0.1.0
 */
export const bold = withChildren<"inline", Inline>("inline", "b")

/**
 * Italic text.
 *
 * @category elements
 * @since 0.1.0
 */
export const italic = withChildren<"inline", Inline>("inline", "i")

/**
 * Underlined text.
 *
 * @category elements
 * @since 0.1.0
 */
export const underline = withChildren<"inline", Inline>("inline", "u")

/**
 * Text of a fixed width.
 *
 * @category elements
 * @since 0.1.0
 */
export const code = (text: string): Markup<"inline"> => element("inline", "code", [text])

/**
 * Text with a CSS class.
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
 * A line break.
 *
 * @category elements
 * @since 0.1.0
 */
export const lineBreak: Markup<"inline"> = empty("inline", "br")

/**
 * Mentions a user, who is notified. When the user does not exist, the service refuses the message; with `strict: false` it shows the
 * mention as text.
 *
 * **Example** (A mention by email address)
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
  user:
    | { readonly userId: number; readonly email?: never; readonly strict?: boolean | undefined }
    | { readonly email: string; readonly userId?: never; readonly strict?: boolean | undefined }
): Markup<"inline"> =>
  guarded("inline", () => empty("inline", "mention", { uid: user.userId, email: user.email, strict: user.strict }))

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
 * An emoji by its name, such as `smiley`.
 *
 * @category elements
 * @since 0.1.0
 */
export const emoji = (shortcode: string): Markup<"inline"> => empty("inline", "emoji", { shortcode })

// --------------------------------------------------------------------------------------------------------------------
// blocks
// --------------------------------------------------------------------------------------------------------------------

/**
 * A paragraph.
 *
 * @category elements
 * @since 0.1.0
 */
export const paragraph = withChildren<"block", Inline>("block", "p")

/**
 * A heading, from 1, the largest, to 6.
 *
 * @category elements
 * @since 0.1.0
 */
export const heading = (level: 1 | 2 | 3 | 4 | 5 | 6, ...children: ReadonlyArray<Inline>): Markup<"block"> =>
  guarded("block", () => {
    const misfit = Input.whole(1, 6)(level)
    if (misfit !== undefined) throw new RangeError(`a level ${misfit}`)
    return element("block", `h${level}`, children)
  })

/**
 * Text with its line breaks and spaces.
 *
 * @category elements
 * @since 0.1.0
 */
export const preformatted = (text: string): Markup<"block"> => element("block", "pre", [text])

/**
 * A group of blocks.
 *
 * @category elements
 * @since 0.1.0
 */
export const group = withChildren<"block", Flow>("block", "div")

/**
 * A horizontal line.
 *
 * @category elements
 * @since 0.1.0
 */
export const rule: Markup<"block"> = empty("block", "hr")

/**
 * An item of a list.
 *
 * @category elements
 * @since 0.1.0
 */
export const item = withChildren<"item", Flow>("item", "li")

/**
 * A list with bullets. A child that is no {@link item} becomes one.
 *
 * **Example** (Two items)
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
export const bulletList = withItems("block", "ul", "item", item)

/**
 * A list with numbers. A child that is no {@link item} becomes one.
 *
 * @category elements
 * @since 0.1.0
 */
export const numberedList = withItems("block", "ol", "item", item)

/**
 * A cell of a table.
 *
 * @category elements
 * @since 0.1.0
 */
export const cell = withChildren<"cell", Flow>("cell", "td")

/**
 * A cell with the title of its column.
 *
 * @category elements
 * @since 0.1.0
 */
export const headerCell = withChildren<"cell", Flow>("cell", "th")

/**
 * A row of a table. A child that is no {@link cell} becomes one.
 *
 * @category elements
 * @since 0.1.0
 */
export const row = withItems("row", "tr", "cell", cell)

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
export const table = withChildren<"block", Markup<"row">>("block", "table")

/**
 * A card: a header that always shows, and a body that opens.
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
    /** The address of an icon beside the header. Default: none. */
    readonly iconSrc?: string | undefined
  }
): Markup<"block"> =>
  guarded("block", () => {
    const { body, header, iconSrc } = options
    const parts = [element("block", "header", header), element("block", "body", body)]
    return element("block", "card", parts, { iconSrc })
  })

// --------------------------------------------------------------------------------------------------------------------
// forms
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options of a field of a form.
 *
 * @category models
 * @since 0.1.0
 */
export interface FieldOptions {
  /** The name of its value in the event of a submitted form. */
  readonly name: string
  /** A text above the field. Default: none. */
  readonly label?: string | undefined
  /** Whether the form needs a value. Default: `false`. */
  readonly required?: boolean | undefined
}

/**
 * The options of a field that users type into.
 *
 * @category models
 * @since 0.1.0
 */
export interface TextOptions extends FieldOptions {
  /** A text that shows while the field is empty. Default: none. */
  readonly placeholder?: string | undefined
}

/**
 * A field for one line of text. With `masked`, it hides what is typed.
 *
 * @category elements
 * @since 0.1.0
 */
export const textField = (options: TextOptions & { readonly masked?: boolean | undefined }): Markup<"field"> =>
  empty("field", "text-field", options)

/**
 * A field for several lines of text.
 *
 * @category elements
 * @since 0.1.0
 */
export const textArea = (options: TextOptions): Markup<"field"> => element("field", "textarea", [], options)

/**
 * The options of {@link option}.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionOptions {
  /** The value in the event of a submitted form. */
  readonly value: string
  /** Whether it is chosen at first. Default: `false`. */
  readonly selected?: boolean | undefined
}

/**
 * A choice of a {@link select}. Without a text it shows its value.
 *
 * @category elements
 * @since 0.1.0
 */
export const option = (options: OptionOptions, text?: string): Markup<"option"> =>
  guarded("option", () => {
    const { selected, value } = options
    return element("option", "option", [text ?? value], { value, selected: selected === true ? true : undefined })
  })

/**
 * A field to choose one of several options.
 *
 * @category elements
 * @since 0.1.0
 */
export const select = (options: FieldOptions, ...choices: ReadonlyArray<Markup<"option">>): Markup<"field"> =>
  element("field", "select", choices, options)

/**
 * The options of {@link checkbox} and {@link radio}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChoiceOptions {
  /** The name in the event of a submitted form. */
  readonly name: string
  /** The value in the event of a submitted form. */
  readonly value: string
  /** Whether it is checked at first. Default: `false`. */
  readonly checked?: boolean | undefined
}

/**
 * A checkbox with its label.
 *
 * @category elements
 * @since 0.1.0
 */
export const checkbox = (options: ChoiceOptions, ...label: ReadonlyArray<Inline>): Markup<"field"> =>
  element("field", "checkbox", label, options)

/**
 * A radio button with its label. Users choose one of those with the same name.
 *
 * @category elements
 * @since 0.1.0
 */
export const radio = (options: ChoiceOptions, ...label: ReadonlyArray<Inline>): Markup<"field"> =>
  element("field", "radio", label, options)

/**
 * A field to choose users.
 *
 * @category elements
 * @since 0.1.0
 */
export const personSelector = (options: TextOptions): Markup<"field"> => empty("field", "person-selector", options)

/**
 * A field to choose a date.
 *
 * @category elements
 * @since 0.1.0
 */
export const datePicker = (options: FieldOptions): Markup<"field"> => empty("field", "date-picker", options)

/**
 * A field to choose a time of day.
 *
 * @category elements
 * @since 0.1.0
 */
export const timePicker = (options: FieldOptions): Markup<"field"> => empty("field", "time-picker", options)

/**
 * A button that submits the form (`action`, the default), or clears it (`reset`).
 *
 * @category elements
 * @since 0.1.0
 */
export const button = (
  options: { readonly name: string; readonly type?: "action" | "reset" | undefined },
  text: string
): Markup<"field"> =>
  guarded("field", () => element("field", "button", [text], { name: options.name, type: options.type ?? "action" }))

/**
 * A form. It needs a {@link button} of type `action`. A submitted form is an `ElementsAction` event of the datafeed.
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
 * Data of an entity that does not match its schema, when it is written or read.
 *
 * @category errors
 * @since 0.1.0
 */
export class EntityMismatch extends Failure.TaggedError<EntityMismatch>("symphony")("EntityMismatch", {
  /** The type of the entity. */
  type: Schema.String,
  /** The id of the entity in the message. */
  id: Schema.String,
  /** What is wrong with it. */
  issue: Schema.String
}, {
  message: ({ id, issue, type }) =>
    `The entity ${Text.quoted(id)} does not match the schema of ${type}: ${issue}. Check its data.`
}) {}

/**
 * What {@link read} needs of a message. A `PostedMessage` has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Readable {
  /** The markup, PresentationML. */
  readonly message?: string | undefined
  /** The data of its entities, as JSON text. */
  readonly data?: string | undefined
}

/**
 * A type of entity: structured data in a message, and a fallback for clients that cannot show it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entity<A, RD = never, RE = never> {
  /** The name of the type, as `com.acme.order`. */
  readonly type: string
  /** The version of the type, as `1.0`. */
  readonly version: string
  /**
   * Makes the markup of an entity, with its data. `id` names it in the message, and is not blank. Fails with `EntityMismatch` when
   * the value does not match the schema, or has another `type` or `version` of its own.
   */
  readonly make: (
    id: string,
    value: A,
    ...fallback: ReadonlyArray<Flow>
  ) => Effect.Effect<Markup<"block">, EntityMismatch, RE>
  /** Reads the entities of this type in a message, of any version, in order. */
  readonly read: (message: Readable) => Effect.Effect<ReadonlyArray<A>, EntityMismatch | MessageUnreadable, RD>
}

/**
 * Pairs a type of entity with the schema of its fields. The schema must encode to an object.
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
 * @category constructors
 * @since 0.1.0
 */
export const entity = <A, RD = never, RE = never>(options: {
  /** The name of the type, as `com.acme.order`. */
  readonly type: string
  /** The version of the type, as `1.0`. */
  readonly version: string
  /** The fields of an entity. */
  readonly schema: Schema.ConstraintCodec<A, unknown, RD, RE>
}): Entity<A, RD, RE> => {
  const { schema, type, version } = options
  const codec = Schema.toCodecJson(schema)
  const encode = Codec.encode(codec)
  const decode = Codec.decode(codec)
  const issueOf = (id: string, fields: EntityData[string]) =>
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
          const issue = issueOf(id, fields)
          return issue === undefined
            ? Effect.succeed(withData(id, { ...fields, type, version }, fallback))
            : Effect.fail(new EntityMismatch({ type, id, issue }))
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

const withData = (id: string, fields: EntityData[string], fallback: ReadonlyArray<Flow>): Markup<"block"> => {
  const { data, issues, markup } = element("block", "div", fallback, { class: "entity", "data-entity-id": id })
  return make("block", markup, [{ data, issues }, { data: { [id]: fields }, issues: [] }])
}

const decodeFields = Codec.decode(Schema.Record(Schema.String, Schema.Json))

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/**
 * A message with markup or data that cannot be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageUnreadable extends Failure.TaggedError<MessageUnreadable>("symphony")("MessageUnreadable", {
  /** The part that cannot be read: the markup, or the data of the entities. */
  part: Schema.Literals(["message", "data"]),
  /** What is wrong with it. */
  issue: Schema.String
}, {
  message: ({ issue, part }) => `The ${part === "message" ? "markup" : "data"} of the message cannot be read: ${issue}.`
}) {}

/**
 * The text of a message, and what it mentions. Each list has the order of the message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  /**
   * The text without markup, trimmed. Each block has its own lines: paragraphs, headings, items, rows. A tab separates the cells
   * of a row. A `<br/>` is a new line.
   */
  readonly text: string
  /** The ids of the mentioned users. */
  readonly mentions: ReadonlyArray<number>
  /** The hashtags, without `#`. */
  readonly hashtags: ReadonlyArray<string>
  /** The cashtags, without `$`. */
  readonly cashtags: ReadonlyArray<string>
  /** The characters of each emoji by its name. The text is empty where an emoji has no characters. */
  readonly emojis: ReadonlyMap<string, string>
}

/**
 * Reads the text of a message, and what it mentions. It skips entities that the service did not write. Fails with
 * `MessageUnreadable` when the markup is not XML, or the data is not JSON.
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
export const read: (message: Readable) => Effect.Effect<Reading, MessageUnreadable> = Effect.fnUntraced(
  function*(message) {
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
  }
)

// A caller without the compiler may pass anything, getters that throw too.
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
