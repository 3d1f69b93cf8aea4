import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import * as SymphonyEmulatorServer from "effect-herald/node/SymphonyEmulatorServer"
import { chromium, skipped, start } from "../kit/chromium.ts"

const both = Layer.merge(
  PubNubEmulatorServer.layer({ inspector: true }),
  SymphonyEmulatorServer.layer({
    inspector: true,
    users: [{ username: "ada" }, { username: "bot" }],
    streams: [{ type: "ROOM", name: "Orders", members: ["ada", "bot"] }]
  })
)

/** Fills fields of a form, and submits it. */
const submit = (form: string, fields: Readonly<Record<string, string>>) =>
  `{
  const form = document.getElementById(${JSON.stringify(form)})
  for (const [name, value] of Object.entries(${JSON.stringify(fields)})) form.elements.namedItem(name).value = value
  form.requestSubmit()
}`

const has = (id: string, text: string) =>
  `document.getElementById("${id}").textContent.includes(${JSON.stringify(text)})`

describe(`the page of the inspector${skipped}`, () => {
  it.live.skipIf(chromium === undefined)("shows both emulators, and changes them", () =>
    Effect.gen(function*() {
      const { emulator, url } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const open = yield* start

      const page = yield* open(`${url}/`)
      yield* page.until(has("connection", "Connected"))
      assert.strictEqual(yield* page.evaluate("location.pathname"), "/_herald/")

      // A message appears, as text.
      yield* emulator.publish({ channel: "orders", message: "<img src=x onerror=alert(1)>", publisher: "ada" })
      yield* page.until(has("events", "<img src=x onerror=alert(1)>"))
      assert.strictEqual(yield* page.evaluate(`document.querySelectorAll("img").length`), 0)
      assert.isTrue(yield* page.evaluate(has("announcement", "Message on orders")))

      // A selection is in the address of the page.
      yield* emulator.publish({ channel: "a b+c/%", message: "odd name" })
      yield* page.evaluate(`location.hash = "selected=" + encodeURIComponent("a b+c/%")`)
      yield* page.until(has("events-title", "Messages on a b+c/%"))
      assert.strictEqual(yield* page.evaluate(`document.querySelectorAll("#events li").length`), 1)

      // By keyboard: the first Tab is the way around the header, and later ones choose a channel.
      yield* page.press("Tab")
      assert.strictEqual(yield* page.evaluate("document.activeElement.textContent"), "Skip to the content")
      yield* page.evaluate(`document.querySelector("#channels li:last-child button").focus()`)
      yield* page.press("Enter")
      yield* page.until(has("events-title", "Messages on orders"))
      assert.strictEqual(
        yield* page.evaluate(
          "document.activeElement.getAttribute('aria-current') + document.activeElement.textContent"
        ),
        "trueorders"
      )

      yield* page.evaluate(submit("publish-form", { message: "{\"id\":2}", publisher: "bob" }))
      yield* page.until(has("outcome", "Published on orders."))
      yield* page.until(has("events", "{\"id\":2}"))
      assert.deepStrictEqual((yield* emulator.messages({ channel: "orders" })).map(({ publisher }) => publisher), [
        "ada",
        "bob"
      ])

      yield* page.evaluate(submit("fault-form", { fault: "ServerError 503 not handled", "on": "other" }))
      yield* page.until(has("outcome", "will hit"))
      const statuses = yield* Effect.promise(() =>
        Promise.all(["/time/0", "/nothing"].map(async (path) => (await fetch(`${url}${path}`)).status))
      )
      assert.include(statuses, 503)
      yield* page.until(has("requests", "503"))
      yield* page.until(has("injected", "ServerError 503"))

      // Every control has a name, and every part of the page a title.
      assert.deepStrictEqual(
        yield* page.evaluate(`[...document.querySelectorAll("input, select, textarea, button")]
          .filter((control) => (control.labels?.length ?? 0) === 0 && control.textContent === "").map((control) => control.outerHTML)`),
        []
      )
      assert.deepStrictEqual(
        yield* page.evaluate(`[...document.querySelectorAll("[aria-labelledby]")]
          .filter((part) => document.getElementById(part.getAttribute("aria-labelledby")) === null).map(({ id }) => id)`),
        []
      )
      // The smallest window needs no sideways scrolling.
      yield* page.resize({ width: 360, height: 800, colorScheme: "dark" })
      assert.isAtMost(Number(yield* page.evaluate("document.documentElement.scrollWidth")), 360)
      assert.deepStrictEqual(yield* page.errors, [])

      const symphony = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
      const pod = yield* open(`${symphony.url}/`)
      yield* pod.until(has("streams", "Orders"))
      yield* pod.evaluate(submit("send-form", { username: "ada", message: "1 < 2" }))
      yield* pod.until(has("messages", "1 < 2"))
      yield* pod.evaluate(submit("block-form", { words: "secret, hidden" }))
      yield* pod.until(has("blocked", "secret, hidden"))
      assert.deepStrictEqual(yield* pod.errors, [])
    }).pipe(Effect.scoped, Effect.provide(both)), 60_000)
})
