/** Chromium, if there is one, driven over its DevTools protocol. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

/** The first of these in the PATH. */
export const chromium: string | undefined = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env["PATH"] ?? "").split(Path.delimiter).map((directory) => Path.join(directory, name)))
  .find((file) => Fs.existsSync(file))

/** What a test that is skipped says. */
export const skipped = chromium === undefined ? " (skipped: there is no chromium in the PATH)" : ""

/** Chromium with a profile of its own. It ends with the scope. */
export const launch = (...args: ReadonlyArray<string>): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const profile = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "herald-chromium-"))),
      (directory) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10 }))
    )
    return yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(chromium ?? "chromium", [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--hide-scrollbars",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--disable-background-timer-throttling",
          "--disable-dev-shm-usage",
          "--remote-debugging-port=0",
          `--user-data-dir=${profile}`,
          ...args
        ], { detached: true, stdio: ["ignore", "ignore", "pipe"] })
      ),
      (browser) =>
        Effect.callback<void>((resume) => {
          if (browser.exitCode !== null || browser.pid === undefined) return resume(Effect.void)
          browser.once("exit", () => resume(Effect.void))
          // Its own processes are in its group.
          process.kill(-browser.pid, "SIGKILL")
        })
    )
  })

/** The page threw, the protocol refused a command, or a condition did not come true in time. */
export class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** A screen for `screenshot`. */
export interface Screen {
  readonly width: number
  readonly height: number
  readonly colorScheme: "light" | "dark"
}

/** A page. */
export interface Tab {
  /** The value of an expression in the page, which may be a promise. */
  readonly evaluate: (expression: string) => Effect.Effect<unknown, Failed>
  /** Waits until an expression in the page is true. Fails after 20 seconds, and shows the text of the page. */
  readonly until: (expression: string) => Effect.Effect<void, Failed>
  /** Presses a key, such as `Tab` or `Enter`. */
  readonly press: (key: string) => Effect.Effect<void, Failed>
  /** The size of the window, and the preferred colors. */
  readonly resize: (screen: Screen) => Effect.Effect<void, Failed>
  /** Goes offline, and back. */
  readonly setOffline: (offline: boolean) => Effect.Effect<void, Failed>
  /** Writes a PNG of the whole page. */
  readonly screenshot: (file: string) => Effect.Effect<void, Failed>
  /** What the page reported: errors of scripts, refused resources, `console.error`. */
  readonly errors: Effect.Effect<ReadonlyArray<string>>
  readonly close: Effect.Effect<void, Failed>
}

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A value inside of an answer of the protocol. */
const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (inner, name) =>
      typeof inner === "object" && inner !== null ? Object.getOwnPropertyDescriptor(inner, name)?.value : undefined,
    value
  )

const addressOf = (browser: ChildProcess) =>
  Effect.callback<string>((resume) => {
    let written = ""
    browser.stderr?.on("data", (chunk) => {
      written += String(chunk)
      const address = /DevTools listening on (ws:\S+)/.exec(written)?.[1]
      if (address !== undefined) resume(Effect.succeed(address))
    })
  })

/** Starts Chromium, and gives what opens a page in it. */
export const start: Effect.Effect<(url: string) => Effect.Effect<Tab, Failed>, never, Scope.Scope> = Effect.gen(
  function*() {
    const address = yield* Effect.flatMap(launch("about:blank"), addressOf)
    const socket = yield* Effect.acquireRelease(
      Effect.callback<WebSocket>((resume) => {
        const socket = new WebSocket(address)
        socket.onopen = () => resume(Effect.succeed(socket))
      }),
      (socket) => Effect.sync(() => socket.close())
    )
    const waiting = new Map<number, (message: Message) => void>()
    const errors = new Map<string, Array<string>>()
    let last = 0
    socket.onmessage = ({ data }) => {
      const message: Message = JSON.parse(String(data))
      const { id, method, params, sessionId = "" } = message
      if (id !== undefined) return waiting.get(id)?.(message)
      if (
        method === "Runtime.exceptionThrown" ||
        method === "Log.entryAdded" && at(params, "entry", "level") === "error" ||
        method === "Runtime.consoleAPICalled" && at(params, "type") === "error"
      ) errors.get(sessionId)?.push(JSON.stringify(params))
    }
    const send = (method: string, params: object = {}, sessionId?: string) =>
      Effect.callback<unknown, Failed>((resume) => {
        const id = ++last
        waiting.set(id, ({ error, result }) => {
          waiting.delete(id)
          resume(error === undefined ? Effect.succeed(result) : new Failed({ message: `${method}: ${error.message}` }))
        })
        socket.send(JSON.stringify({ id, method, params, sessionId }))
      })

    return Effect.fnUntraced(function*(url: string) {
      const targetId = at(yield* send("Target.createTarget", { url: "about:blank" }), "targetId")
      const sessionId = String(at(yield* send("Target.attachToTarget", { targetId, flatten: true }), "sessionId"))
      const reported: Array<string> = []
      errors.set(sessionId, reported)
      const ask = (method: string, params?: object) => send(method, params, sessionId)
      const evaluate = (expression: string) =>
        ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }).pipe(
          Effect.flatMap((answer) => {
            const thrown = at(answer, "exceptionDetails", "exception", "description")
            return typeof thrown === "string"
              ? new Failed({ message: `${thrown} in ${expression}` })
              : Effect.succeed(at(answer, "result", "value"))
          })
        )
      const until = (expression: string) =>
        evaluate(`new Promise((resolve, reject) => {
          const end = Date.now() + 20_000
          const look = () => {
            if (${expression}) resolve()
            else if (Date.now() > end) reject(new Error("It did not come true. The page: " + document.body.innerText))
            else setTimeout(look, 10)
          }
          look()
        })`).pipe(Effect.asVoid)
      yield* ask("Runtime.enable")
      yield* ask("Log.enable")
      yield* ask("Page.enable")
      yield* ask("Network.enable")
      yield* ask("Page.navigate", { url })
      yield* until(`location.href !== "about:blank" && document.readyState === "complete"`)
      const tab: Tab = {
        evaluate,
        until,
        press: (key) =>
          Effect.gen(function*() {
            const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined
            const code = { Enter: 13, Tab: 9, Escape: 27 }[key] ?? 0
            yield* ask("Input.dispatchKeyEvent", { type: "keyDown", key, text, windowsVirtualKeyCode: code })
            yield* ask("Input.dispatchKeyEvent", { type: "keyUp", key, windowsVirtualKeyCode: code })
          }),
        resize: ({ colorScheme, height, width }) =>
          Effect.gen(function*() {
            yield* ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false })
            yield* ask("Emulation.setEmulatedMedia", {
              features: [{ name: "prefers-color-scheme", value: colorScheme }]
            })
          }),
        setOffline: (offline) =>
          Effect.asVoid(
            ask("Network.emulateNetworkConditions", {
              offline,
              latency: 0,
              downloadThroughput: -1,
              uploadThroughput: -1
            })
          ),
        screenshot: (file) =>
          Effect.map(ask("Page.captureScreenshot", { captureBeyondViewport: true }), (answer) => {
            Fs.writeFileSync(file, Buffer.from(String(at(answer, "data")), "base64"))
          }),
        errors: Effect.sync(() => [...reported]),
        close: Effect.asVoid(send("Target.closeTarget", { targetId }))
      }
      return tab
    })
  }
)
