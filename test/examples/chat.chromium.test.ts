/** The chat of `docs/examples/chat` in two tabs of Chromium, on the emulator's port. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PubNubEmulatorServer } from "effect-herald/node"
import { Publisher } from "effect-herald/pubnub"
import type { PubNubEmulator } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Http from "node:http"
import { bundlePage } from "../kit/bundle.ts"
import * as Chromium from "../kit/chromium.ts"
import { root } from "../kit/scratch.ts"

const folder = `${root}/docs/examples/chat`

/** How long a tab is offline. */
const offline = Number(process.env["CHAT_OFFLINE_SECONDS"] ?? 1)

/** The page, bundled, on a port of this machine. */
const served = Effect.gen(function*() {
  const files: Record<string, readonly [type: string, content: string]> = {
    "/": ["text/html", Fs.readFileSync(`${folder}/index.html`, "utf8")],
    "/style.css": ["text/css", Fs.readFileSync(`${folder}/style.css`, "utf8")],
    "/main.ts": ["text/javascript", yield* Effect.promise(() => bundlePage(`${folder}/main.ts`))]
  }
  const server = yield* Effect.acquireRelease(
    Effect.callback<Http.Server>((resume) => {
      const server = Http.createServer(({ url = "/" }, response) => {
        const [type, content] = files[url.replace(/\?.*/, "")] ?? ["text/plain", "not found"]
        response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(content)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  const address = server.address()
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`
})

const messages = `[...document.querySelectorAll("#log p")].map((line) => line.textContent)`
const say = (text: string) => `text.value = ${JSON.stringify(text)}; composer.requestSubmit()`

/** How many polls wait, once there are two. A tab that has an answer polls again in a moment. */
const pollsOf = (emulator: PubNubEmulator.PubNubEmulator["Service"]) =>
  emulator.readers.pipe(
    Effect.delay("20 millis"),
    Effect.repeat({ until: (polls) => polls >= 2 }),
    Effect.timeout("5 seconds")
  )

describe(`docs/examples/chat${Chromium.skipped}`, () => {
  it.live.skipIf(Chromium.chromium === undefined)(
    "chats in two tabs, and goes offline and comes back",
    () =>
      Effect.gen(function*() {
        const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
        const page = yield* served
        const open = yield* Chromium.start
        const enter = (user: string) => open(`${page}?user=${user}&origin=${origin}#lobby`)
        const ada = yield* enter("ada")
        const bob = yield* enter("bob")

        // Presence, and one long poll for each tab.
        for (const tab of [ada, bob]) yield* tab.until(`here.children.length === 2`)
        assert.strictEqual(yield* pollsOf(emulator), 2)

        // Messages, in both directions.
        yield* ada.evaluate(say("Hello Bob"))
        yield* bob.until(`${messages}.includes("Hello Bob")`)
        yield* bob.evaluate(say("Hello Ada"))
        yield* ada.until(`${messages}.includes("Hello Ada")`)

        // Typing.
        yield* bob.evaluate(`text.focus()`)
        yield* bob.press("x")
        yield* ada.until(`typing.textContent === "bob is typing …"`)

        // Reactions, and back.
        const thumb = `document.querySelector("#log button")`
        yield* bob.evaluate(`${thumb}.click()`)
        yield* ada.until(`${thumb}.textContent === "👍 1" && ${thumb}.ariaPressed === "false"`)
        yield* bob.until(`${thumb}.ariaPressed === "true"`)
        yield* bob.evaluate(`${thumb}.click()`)
        yield* ada.until(`${thumb}.textContent === "👍"`)

        // Profiles.
        yield* bob.evaluate(
          `document.getElementById("me").click(); document.getElementById("name").value = "Bob B."; profile.requestSubmit()`
        )
        yield* ada.until(`[...document.querySelectorAll("#log b")].some((name) => name.textContent === "Bob B.")`)

        // Offline: the poll that waits still gets a message, and the next one fails. What bob sends waits.
        yield* bob.setOffline(true)
        yield* emulator.publish({ channel: "lobby", message: "The last before" })
        yield* bob.until(`connection.textContent.startsWith("There is no connection.")`)
        const missed = Array.from({ length: 300 }, (_, i) => `message ${i}`)
        for (const message of missed) yield* emulator.publish({ channel: "lobby", message })
        yield* bob.evaluate(say("Sent offline"))
        yield* Effect.sleep(offline * 1_000)
        const before = ["Hello Bob", "Hello Ada", "The last before"]
        assert.deepStrictEqual(yield* bob.evaluate(messages), before)

        // And back: all of them, in order, behind a line that says how long it was.
        yield* bob.setOffline(false)
        yield* bob.until(`connection.hidden && ${messages}.length === 304`)
        assert.deepStrictEqual(yield* bob.evaluate(messages), [...before, ...missed, "Sent offline"])
        assert.match(
          String(yield* bob.evaluate(`log.children[3].textContent`)),
          /^There was no connection for \d+ seconds/
        )
        yield* ada.until(`${messages}.length === 304`)
        assert.strictEqual(yield* pollsOf(emulator), 2)

        // Another room, and back. History shows what came before; what was sent twice, once.
        const meta = { [Publisher.messageIdKey]: "1" }
        for (const message of ["sent", "sent again"]) yield* emulator.publish({ channel: "kitchen", message, meta })
        yield* ada.evaluate(`document.querySelector("a[href='#kitchen']").click()`)
        yield* bob.until(`here.children.length === 1`)
        yield* ada.until(`${messages}.length > 0`)
        assert.deepStrictEqual(yield* ada.evaluate(messages), ["sent"])
        yield* ada.evaluate(`history.back()`)
        yield* bob.until(`here.children.length === 2`)
        yield* ada.until(`${messages}.at(-1) === "Sent offline"`)

        // A tab that is closed leaves at once.
        yield* bob.close
        yield* ada.until(`here.textContent === "ada"`)
        assert.deepStrictEqual(yield* ada.errors, [])
      }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer())),
    60_000 + offline * 1_000
  )
})
