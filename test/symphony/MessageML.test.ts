import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { MessageML, Messages, Session, SymphonyConfig } from "effect-herald/symphony"
import { Transport } from "effect-herald/testing"
import * as Content from "../../src/symphony/internal/wire/content.ts"
import { emulated, emulator } from "../testing/symphonyHttp.ts"
import { casesOf } from "../simulation/seeds.ts"

const parsed = (markup: string) =>
  Stream.runCollect(Stream.pipeThroughChannel(Stream.succeed(markup), Xml.decodeString()))

const textIn = (markup: string) =>
  Effect.map(parsed(markup), (events) => events.map((event) => event._tag === "Text" ? event.text : "").join(""))

/** Texts full of what markup and templates are made of. */
const Nasty = Arbitrary.array(Arbitrary.schema(Schema.Union([
  Schema.String,
  Schema.Literals([
    "${",
    "}",
    "#{",
    "<#if x>",
    "</#if>",
    "<@m/>",
    "&amp;",
    "&#36;",
    "]]>",
    "<!--",
    "<![CDATA[",
    "'",
    "\"",
    "=",
    "\r\n",
    "\r",
    "\n",
    "\t",
    " ",
    "é",
    "😀",
    "\ud800",
    "\udc00",
    "\u0000",
    "\u000b",
    "\ufffe",
    "\u0085",
    "\u2028",
    "[=x]",
    "[#x]"
  ])
]))).pipe(Arbitrary.map((parts) => parts.join("")))

/** What is left of a text that XML cannot hold whole. */
const possible = (text: string) =>
  // oxlint-disable-next-line no-control-regex
  text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")

describe("MessageML.escape", () => {
  it("escapes the characters of the vendor's table, and no others", () => {
    assert.strictEqual(
      MessageML.escape("&<>'\"#$%()*.;=[\\]`{}"),
      "&amp;&lt;&gt;&apos;&quot;&#35;&#36;&#37;&#40;&#41;&#42;&#46;&#59;&#61;&#91;&#92;&#93;&#96;&#123;&#125;"
    )
    assert.strictEqual(MessageML.escape("aé 😀\n-_,:!?@/+|~^"), "aé 😀\n-_,:!?@/+|~^")
  })

  it("escapes in one pass", () => assert.strictEqual(MessageML.escape("&amp;"), "&amp;amp&#59;"))

  it("removes characters that XML cannot hold, and replaces unpaired surrogates", () => {
    assert.strictEqual(MessageML.escape("a\u0000b\u001b[31m\uffff\tc\ud800"), "ab&#91;31m\tc\ufffd")
  })

  it.effect.prop("round-trips any text between tags", [Nasty], ([text]) =>
    Effect.gen(function*() {
      const markup = `<p>${MessageML.escape(text)}</p>`
      assert.strictEqual(yield* textIn(markup), possible(text))
      assert.notMatch(markup.slice(3, -4), /[<>'"$%()*.=[\]\\`{}\r]|#(?!\d)|&(?!(\w+|#\d+);)/)
    }), { arbitrary: { runs: casesOf(250, 1_000) } })

  it.effect.prop("round-trips any text through MessageML.read", [Nasty], ([text]) =>
    Effect.gen(function*() {
      const { text: read } = yield* MessageML.read({ message: `<div>${MessageML.escape(text)}</div>` })
      assert.strictEqual(read, possible(text).trim())
    }), { arbitrary: { runs: casesOf(125, 500) } })

  it.effect.prop("round-trips any text in an attribute", [Nasty], ([text]) =>
    Effect.gen(function*() {
      const [start] = yield* parsed(MessageML.image(text).markup)
      assert.deepInclude(start, { name: "img", attributes: { src: possible(text) } })
    }), { arbitrary: { runs: casesOf(125, 500) } })

  it.effect.prop(
    "round-trips any text in the placeholders of a template",
    [Nasty, Nasty],
    ([one, other]) =>
      Effect.gen(function*() {
        const { markup } = MessageML.messageML`<p title="${one}">${other}${[other, 1]}</p>`
        const [start] = yield* parsed(markup)
        assert.deepInclude(start, { attributes: { title: possible(one) } })
        assert.strictEqual(yield* textIn(markup), `${possible(other)}${possible(other)}1`)
        assert.notMatch(markup, /[$#]\{|<\/?[#@]/)
      }),
    { arbitrary: { runs: casesOf(125, 500) } }
  )
})

it.effect("messageML keeps white space in attributes of a template, whatever quotes and tags come before", () =>
  Effect.gen(function*() {
    const spaces = "\ta\n b\r"
    const { markup } = MessageML
      .messageML`<p>it's "<b title='say "hi"' class='${spaces}'>x</b>" <a href = "${spaces}"/>${spaces}</p>`
    const starts = (yield* parsed(markup)).flatMap((event) => event._tag === "StartElement" ? [event.attributes] : [])
    assert.deepStrictEqual(starts, [{}, { title: "say \"hi\"", class: spaces }, { href: spaces }])
    assert.strictEqual(yield* textIn(markup), `it's "x" ${spaces}`)
  }))

describe("elements of MessageML", () => {
  const {
    bold,
    card,
    cell,
    code,
    heading,
    italic,
    link,
    lineBreak,
    mention,
    paragraph,
    row,
    rule,
    span,
    table,
    underline
  } = MessageML

  it.each<readonly [MessageML.Markup, string]>([
    [MessageML.text("<b>"), "&lt;b&gt;"],
    [bold("a<", italic("b", 1), underline("c")), "<b>a&lt;<i>b1</i><u>c</u></b>"],
    [code("${x}"), "<code>&#36;&#123;x&#125;</code>"],
    [span({ class: "a\"b" }, "x"), "<span class=\"a&quot;b\">x</span>"],
    [link("http://a/?b=1&c"), "<a href=\"http://a/?b&#61;1&amp;c\">http://a/?b&#61;1&amp;c</a>"],
    [link("http://a", "x"), "<a href=\"http://a\">x</a>"],
    [lineBreak, "<br/>"],
    [mention({ userId: 7 }), "<mention uid=\"7\"/>"],
    [mention({ email: "a@b", strict: false }), "<mention email=\"a@b\" strict=\"false\"/>"],
    [MessageML.hashtag("a"), "<hash tag=\"a\"/>"],
    [MessageML.cashtag("a"), "<cash tag=\"a\"/>"],
    [MessageML.emoji("smiley"), "<emoji shortcode=\"smiley\"/>"],
    [paragraph("a", lineBreak), "<p>a<br/></p>"],
    [heading(2, "a"), "<h2>a</h2>"],
    [MessageML.preformatted("a\n b"), "<pre>a\n b</pre>"],
    [MessageML.group(paragraph("a"), "b", rule), "<div><p>a</p>b<hr/></div>"],
    [
      MessageML.bulletList("a", bold("b"), MessageML.item(paragraph("c"))),
      "<ul><li>a</li><li><b>b</b></li><li><p>c</p></li></ul>"
    ],
    [MessageML.numberedList(1), "<ol><li>1</li></ol>"],
    [
      table(row(MessageML.headerCell("a"), "b"), row(cell(1))),
      "<table><tr><th>a</th><td>b</td></tr><tr><td>1</td></tr></table>"
    ],
    [
      card({ header: ["h"], body: [paragraph("b")], iconSrc: "i" }),
      "<card iconSrc=\"i\"><header>h</header><body><p>b</p></body></card>"
    ],
    [
      MessageML.form(
        "f",
        heading(1, "a"),
        MessageML.textField({ name: "t", required: true, placeholder: "p", masked: false }),
        MessageML.textArea({ name: "a", label: "l" }),
        MessageML.select(
          { name: "s" },
          MessageML.option({ value: "1" }),
          MessageML.option({ value: "2", selected: true }, "two")
        ),
        MessageML.checkbox({ name: "c", value: "1", checked: true }, bold("x")),
        MessageML.radio({ name: "r", value: "1" }, "x"),
        MessageML.personSelector({ name: "p" }),
        MessageML.datePicker({ name: "d" }),
        MessageML.timePicker({ name: "e" }),
        MessageML.button({ name: "send" }, "Send"),
        MessageML.button({ name: "clear", type: "reset" }, "Clear")
      ),
      "<form id=\"f\"><h1>a</h1><text-field name=\"t\" required=\"true\" placeholder=\"p\" masked=\"false\"/>" +
      "<textarea name=\"a\" label=\"l\"></textarea><select name=\"s\"><option value=\"1\">1</option>" +
      "<option value=\"2\" selected=\"true\">two</option></select><checkbox name=\"c\" value=\"1\" checked=\"true\"><b>x</b>" +
      "</checkbox><radio name=\"r\" value=\"1\">x</radio><person-selector name=\"p\"/><date-picker name=\"d\"/>" +
      "<time-picker name=\"e\"/><button name=\"send\" type=\"action\">Send</button>" +
      "<button name=\"clear\" type=\"reset\">Clear</button></form>"
    ],
    [MessageML.messageML`<p>a</p>${rule}${["<", bold("b")]}`, "<p>a</p><hr/>&lt;<b>b</b>"],
    [MessageML.unsafe("<chime/>"), "<chime/>"]
  ])("writes element %#", (made, markup) => assert.strictEqual(made.markup, markup))

  it("compiles only elements in places that allow them", () => {
    // @ts-expect-error -- a row stands in a table only
    paragraph(row("a"))
    // @ts-expect-error -- a paragraph does not stand within a line
    bold(paragraph("a"))
    // @ts-expect-error -- a table is made of rows
    table(cell("a"))
    // @ts-expect-error -- a row is made of cells
    row(paragraph("a"))
    // @ts-expect-error -- a field stands in a form only
    MessageML.group(MessageML.textField({ name: "t" }))
    // @ts-expect-error -- and not in a template
    void MessageML.messageML`${MessageML.textField({ name: "t" })}`
    // @ts-expect-error -- a select is made of options
    MessageML.select({ name: "s" }, "a")
    // @ts-expect-error -- a card is no cell
    row(MessageML.card({ header: [], body: [] }))
    // @ts-expect-error -- one of both
    mention({ userId: 1, email: "a@b" })
    // @ts-expect-error -- nobody
    mention({})
    // @ts-expect-error -- markup is made by this module
    paragraph({ place: "inline", markup: "<b/>", data: {}, issues: [] })
    const line: MessageML.Inline = bold("a")
    const flow: MessageML.Flow = paragraph(line)
    assert.isTrue(MessageML.isMarkup(flow))
  })

  it("refuses parsed JSON that looks like markup", () => {
    const forged = JSON.parse(JSON.stringify({ ...bold("${x}"), _tag: "Markup" }))
    assert.isFalse(MessageML.isMarkup(forged))
    for (const made of [paragraph(forged), MessageML.messageML`${forged}`]) {
      assert.strictEqual(made.markup, "")
      assert.deepStrictEqual(made.issues, ["has a part that cannot be read: TypeError: an object is no text"])
    }
  })
})

describe("entities of MessageML", () => {
  const Order = MessageML.entity({
    type: "com.acme.order",
    version: "1.0",
    schema: Schema.Struct({
      id: Schema.Int,
      total: Schema.BigInt,
      placed: Schema.Date,
      note: Schema.optionalKey(Schema.String)
    })
  })
  const order = { id: 7, total: 100n, placed: new Date(0), note: "${x}" }

  it.effect("carry their data beside the markup, through every element", () =>
    Effect.gen(function*() {
      const made = MessageML.group(
        MessageML.bulletList(MessageML.item(yield* Order.make("order", order, "Order ", MessageML.bold(7)))),
        yield* Order.make("other", { ...order, id: 8 })
      )
      assert.strictEqual(
        made.markup,
        "<div><ul><li><div class=\"entity\" data-entity-id=\"order\">Order <b>7</b></div></li></ul>" +
          "<div class=\"entity\" data-entity-id=\"other\"></div></div>"
      )
      const fields = {
        total: "100",
        placed: "1970-01-01T00:00:00.000Z",
        note: "${x}",
        type: "com.acme.order",
        version: "1.0"
      }
      assert.deepStrictEqual(made.data, { order: { id: 7, ...fields }, other: { id: 8, ...fields } })
      assert.deepStrictEqual(made.issues, [])
    }))

  it.effect.prop(
    "round-trip through make and read",
    [Schema.Struct({ id: Schema.Int, total: Schema.BigInt, placed: Schema.Date, note: Schema.String })],
    ([given]) =>
      Effect.gen(function*() {
        // JSON knows one zero.
        const value = { ...given, id: given.id + 0 }
        const { data } = yield* Order.make("x", value)
        assert.deepStrictEqual(yield* Order.read({ data: JSON.stringify(data) }), [value])
      })
  )

  it.effect("round-trip through the emulated Agent", () =>
    Effect.gen(function*() {
      const { createStream, messages, send } = yield* emulator
      const streamId = yield* createStream({ type: "ROOM", name: "a", members: ["bot"] })
      const made = MessageML.messageML`${MessageML.mention({ email: "ada@example.com" })} <p>${yield* Order.make(
        "o",
        order,
        "seven"
      )}</p>`
      yield* send({ streamId, username: "bot", message: yield* Content.wrap(made), data: made.data })
      const [stored] = yield* messages({ streamId })
      const received = { message: stored!.presentationML, data: stored!.data }
      assert.deepStrictEqual(yield* Order.read(received), [order])
      assert.deepStrictEqual((yield* MessageML.read(received)).text, "@Ada Byron\nseven")
    }).pipe(emulated()))

  it.effect("with the same id and other data give an issue, and the message is refused", () =>
    Effect.gen(function*() {
      const one = yield* Order.make("order", order)
      const same = yield* Order.make("order", { ...order })
      const other = yield* Order.make("order", { ...order, id: 8 })
      const nested = yield* Order.make("order", { ...order, id: 9 }, one)
      assert.deepStrictEqual(MessageML.group(one, same).issues, [])
      assert.deepStrictEqual(MessageML.group(one, other).issues, ["has different entities with the id order"])
      assert.deepStrictEqual(
        MessageML.messageML`${[one]}${MessageML.group(MessageML.card({ header: [], body: [other] }))}`.issues,
        ["has different entities with the id order"]
      )
      assert.deepStrictEqual(nested.issues, ["has different entities with the id order"])
      assert.deepStrictEqual(MessageML.group(MessageML.group(one, other)).issues, [
        "has different entities with the id order"
      ])
      assert.strictEqual(
        yield* Effect.flip(Content.wrap(MessageML.group(one, other))),
        "has different entities with the id order"
      )
      assert.match(yield* Content.wrap(MessageML.group(one, same)), /^<messageML><div>/)
    }))

  it.effect("with the same id and other data are refused before a request is made", () =>
    Effect.gen(function*() {
      const message = MessageML.group(yield* Order.make("o", order), yield* Order.make("o", { ...order, id: 8 }))
      const error = yield* Effect.flip(Messages.send({ streamId: "AAAA", message }))
      assert.include(error.message, "message has different entities with the id o. Nothing was sent")
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(SymphonyConfig.layer({ host: "a.b" })),
        Layer.provideMerge(Transport.layerScripted([]))
      )
    )))

  it.effect("take any id that is not blank", () =>
    Effect.gen(function*() {
      for (const id of ["0", "a.b", "\"><b", "__proto__", "constructor"]) {
        const made = MessageML.group(yield* Order.make(id, order))
        const json = JSON.stringify(made.data)
        assert.deepStrictEqual(yield* Order.read({ data: json }), [order], id)
        const events = yield* parsed(made.markup)
        assert.deepInclude(events[1], { attributes: { class: "entity", "data-entity-id": id } })
      }
      const error = yield* Effect.flip(Order.make(" ", order))
      assert.strictEqual(
        error.message,
        "The entity \" \" does not match the schema of com.acme.order: its id is blank. Check its data."
      )
    }))

  it.effect("fail with EntityMismatch when data does not match the schema, in make and in read", () =>
    Effect.gen(function*() {
      const written = yield* Effect.flip(Order.make("order", { ...order, id: 1.5 }))
      assert.deepInclude(written, { _tag: "EntityMismatch", type: "com.acme.order", id: "order" })
      assert.deepStrictEqual([written.isRetryable, written.retryAfter], [false, undefined])
      const read = yield* Effect.flip(Order.read({ data: "{\"3\":{\"type\":\"com.acme.order\",\"id\":\"7\"}}" }))
      assert.deepInclude(read, { _tag: "EntityMismatch", id: "3" })
      const unreadable = yield* Effect.flip(Order.read({ data: "{" }))
      assert.deepInclude(unreadable, { _tag: "MessageUnreadable", part: "data" })
    }))

  it.effect("refuse a schema that is no object, and another type or version in the data", () =>
    Effect.gen(function*() {
      const Text = MessageML.entity({ type: "t", version: "1", schema: Schema.String })
      assert.strictEqual((yield* Effect.flip(Text.make("a", "b")))._tag, "EntityMismatch")
      const Typed = MessageML.entity({
        type: "t",
        version: "1",
        schema: Schema.Struct({ type: Schema.String, version: Schema.optionalKey(Schema.String) })
      })
      assert.include((yield* Effect.flip(Typed.make("a", { type: "u" }))).message, "its type is not \"t\"")
      assert.include(
        (yield* Effect.flip(Typed.make("a", { type: "t", version: "2" }))).message,
        "its version is not \"1\""
      )
      assert.deepStrictEqual((yield* Typed.make("a", { type: "t" })).data, { a: { type: "t", version: "1" } })
    }))

  it.effect("of other types, and values that are no entities, are ignored by read", () =>
    Effect.gen(function*() {
      const { data } = yield* Order.make("b", order)
      const mixed = JSON.stringify({ x: null, y: 1, z: [data["b"]], a: { type: "other" }, ...data })
      assert.deepStrictEqual(yield* Order.read({ data: mixed }), [order])
      for (const data of [undefined, "", " ", "null", "[]", "7", "{}"]) {
        assert.deepStrictEqual(yield* Order.read({ data }), [])
      }
    }))
})

describe("MessageML.read", () => {
  const root = "<div data-format=\"PresentationML\" data-version=\"2.0\">"
  const entry = (type: string, value: unknown) => ({ type, version: "1.0", id: [{ type: `${type}.x`, value }] })

  it.effect("reads text, mentions, tags and emojis in order", () =>
    Effect.gen(function*() {
      const reading = yield* MessageML.read({
        message:
          `${root}\n <span class="entity" data-entity-id="0">@Ada</span> a &lt;b&gt; &amp; <b>c</b>&nbsp;d&#233;<br/>e </div>`,
        data: JSON.stringify({
          10: entry("com.symphony.user.mention", "7000000000002"),
          2: entry("com.symphony.user.mention", 7000000000001),
          3: entry("org.symphonyoss.taxonomy", "two"),
          1: entry("org.symphonyoss.taxonomy", "one"),
          4: entry("org.symphonyoss.fin.security", "ACME"),
          5: { type: "com.symphony.emoji", data: { annotation: "smiley", size: "normal", unicode: "😃" } },
          6: { type: "com.symphony.emoji", data: { annotation: "odd", unicode: null } },
          7: { type: "com.symphony.emoji", data: { annotation: "none" } }
        })
      })
      assert.deepStrictEqual(reading, {
        text: "@Ada a <b> & c\u00a0dé\ne",
        mentions: [7000000000001, 7000000000002],
        hashtags: ["one", "two"],
        cashtags: ["ACME"],
        emojis: new Map([["smiley", "😃"], ["odd", ""], ["none", ""]])
      })
    }))

  it.effect.each<readonly [string, string]>([
    ["<p>hello</p><p>world</p>", "hello\nworld"],
    ["<h1>Title</h1>text<p>a</p>behind", "Title\ntext\na\nbehind"],
    ["<ul><li>one</li><li>two <b>and</b> a half</li></ul>", "one\ntwo and a half"],
    ["<ol>\n  <li>one</li>\n  <li><p>two</p></li>\n</ol>", "one\ntwo"],
    ["<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1\t2\n3"],
    ["<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td/><td>2</td></tr></tbody></table>", "a\tb\n\t2"],
    ["<table>\n<tr>\n<td><p>1</p></td>\n<td>\n<p>2</p><p>3</p></td></tr></table>", "1\t2\n3"],
    ["a<hr/>b", "a\nb"],
    ["a<br/>b<br/><br/>c", "a\nb\n\nc"],
    ["<pre>a\n  b</pre><pre>  c</pre>", "a\n  b\n  c"],
    ["<div>one <i>two</i> <b>three</b></div>", "one two three"],
    ["<card><header>a</header><body>b</body></card>", "a\nb"],
    ["<form id=\"f\"><select><option>a</option><option>b</option></select><button>Send</button></form>", "a\nb\nSend"],
    ["<p>a &amp; b</p>&#32;<p>&lt;c&gt;</p>", "a & b\n<c>"]
  ])("separates the blocks and cells of %s", ([markup, text]) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* MessageML.read({ message: `${root}${markup}</div>` })).text, text)
    }))

  it.effect("refuses references named like properties of Object.prototype", () =>
    Effect.gen(function*() {
      for (const name of ["constructor", "__proto__", "toString"]) {
        const error = yield* Effect.flip(MessageML.read({ message: `<div>&${name};</div>` }))
        assert.propertyVal(error, "part", "message")
      }
    }))

  const nothing = { text: "", mentions: [], hashtags: [], cashtags: [], emojis: new Map() }
  it.effect.each<readonly [MessageML.Readable]>([
    [{}],
    [{ message: "", data: "" }],
    [{ message: " ", data: "{}" }],
    [{ message: `${root}</div>`, data: "null" }],
    [{ message: `${root}</div>`, data: "[1]" }],
    [{
      data: JSON.stringify({
        0: null,
        1: { type: null, id: [{ value: "1" }] },
        2: { type: "com.symphony.user.mention" },
        3: { type: "com.symphony.user.mention", id: null },
        4: { type: "com.symphony.user.mention", id: [] },
        5: { type: "com.symphony.user.mention", id: [{ value: null }, { value: "7" }] },
        6: entry("com.symphony.user.mention", "ada"),
        7: entry("com.symphony.user.mention", ""),
        8: { type: "com.symphony.emoji", data: null },
        9: { type: "com.symphony.emoji", data: { annotation: null } }
      })
    }]
  ])("reads nothing from %j", ([message]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* MessageML.read(message), nothing)
    }))

  it.effect("decodes the named characters of HTML", () =>
    Effect.gen(function*() {
      const names =
        "&eacute;&Eacute;&agrave;&uuml;&Uuml;&szlig;&ntilde;&nbsp;&frac12;&yuml;&Omega;&alpha;&sigmaf;&Sigma;" +
        "&hellip;&bull;&euro;&trade;&rarr;&hArr;&infin;&ne;&le;&hearts;&zwj;&thinsp;&amp;&lt;&gt;&quot;&apos;&#233;&#xe9;"
      const text = "éÉàüÜßñ\u00a0½ÿΩαςΣ…•€™→⇔∞≠≤♥\u200d\u2009&<>\"'éé"
      assert.deepInclude(yield* MessageML.read({ message: `<div>${names}!</div>` }), { text: `${text}!` })
    }))

  it.effect("reads the first id of a tag, whatever the others are", () =>
    Effect.gen(function*() {
      const { hashtags } = yield* MessageML.read({
        data: JSON.stringify({ 0: { type: "org.symphonyoss.taxonomy", id: [{ value: "a" }, null, { value: 1 }] } })
      })
      assert.deepStrictEqual(hashtags, ["a"])
    }))

  it.effect.each<readonly [MessageML.Readable, "message" | "data"]>([
    [{ message: "<div>a" }, "message"],
    [{ message: "a" }, "message"],
    [{ message: "<div>&unknown;</div>" }, "message"],
    [{ message: "<div>a</div>", data: "{" }, "data"]
  ])("fails for %j because of its %s", ([message, part]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(MessageML.read(message))
      assert.deepInclude(error, { _tag: "MessageUnreadable", part })
      assert.match(error.message, /^The (markup|data) of the message cannot be read: .+\.$/)
    }))
})

describe("content of a message", () => {
  it.effect.each<readonly [string, string]>([
    ["Hello", "<messageML>Hello</messageML>"],
    ["  Hello <b>you</b>\n", "<messageML>Hello <b>you</b></messageML>"],
    ["<messageML>a</messageML>", "<messageML>a</messageML>"],
    [" <messageML beta=\"true\">a</messageML>\n", "<messageML beta=\"true\">a</messageML>"],
    ["<messageML></messageML>", "<messageML></messageML>"],
    ["<messageMLx>a</messageMLx>", "<messageML><messageMLx>a</messageMLx></messageML>"],
    ["a&nbsp;b &frac12; &amp;", "<messageML>a&nbsp;b &frac12; &amp;</messageML>"],
    // Templates are the Agent's to judge.
    ["${entity['a'].b}", "<messageML>${entity['a'].b}</messageML>"],
    ["<#if x><b></#if>", "<messageML><#if x><b></#if></messageML>"],
    ["<@m> a & b", "<messageML><@m> a & b</messageML>"],
    ["#{1 < 2}", "<messageML>#{1 < 2}</messageML>"]
  ])("wraps %s as %s", ([content, sent]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Content.wrap(content), sent)
    }))

  const unescaped = "is not well formed: "
  it.effect.each<readonly [string, string]>([
    ["", "is empty"],
    [" \n", "is empty"],
    ["<messageML>a", "has a messageML tag at its start only"],
    ["<messageML beta=\"true\">a", "has a messageML tag at its start only"],
    ["a</messageML>", "has a messageML tag at its end only"],
    ["a <messageML>b</messageML>", "has a messageML tag at its end only"],
    ["a\ud800", "has an unpaired surrogate"],
    ["a & b", unescaped],
    ["a < b", unescaped],
    ["<b>a", unescaped],
    ["<messageML>a</messageML><messageML>b</messageML>", unescaped],
    ["a\u0000", unescaped],
    ["a\uffff", unescaped],
    ["a ]]> b", unescaped],
    ["$ {x} & # {y}", unescaped]
  ])("refuses %j because it %s", ([content, issue]) =>
    Effect.gen(function*() {
      const found = yield* Effect.flip(Content.wrap(content))
      assert.strictEqual(found.slice(0, issue.length), issue)
      if (!issue.endsWith(": ")) assert.strictEqual(found, issue)
    }))

  it.effect("takes only such text without a parser as the parser takes", () =>
    Effect.gen(function*() {
      let characters = ""
      for (let code = 0; code < 0x10000; code++) {
        const character = String.fromCharCode(code)
        const wrapped = Content.wrap(`a${character}a`)
        // Others still wait for the parser.
        if (Exit.isExit(wrapped) && Exit.isSuccess(wrapped)) characters += character
      }
      assert.isAbove(characters.length, 40_000)
      const events = yield* parsed(yield* Content.wrap(`a${characters}a`))
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["StartElement", "Text", "EndElement"])
    }))

  it.effect.each<readonly [string, number]>([
    ["<b>a</i>", 5],
    ["&nbsp;<b>a</i>", 11],
    ["<messageML><b>a</i></messageML>", 16]
  ])("points at the column of %s as the caller wrote it", ([content, column]) =>
    Effect.gen(function*() {
      assert.include(yield* Effect.flip(Content.wrap(content)), ` at column ${column}.`)
    }))

  it.effect.prop(
    "accepts any escaped text that is not blank",
    [Nasty],
    ([text]) =>
      Effect.gen(function*() {
        const { markup } = MessageML.text(text)
        if (markup.trim() === "") return
        const sent = yield* Content.wrap(MessageML.text(text))
        assert.strictEqual(sent, `<messageML>${markup.trim()}</messageML>`)
      }),
    { arbitrary: { runs: casesOf(75, 300) } }
  )
})
