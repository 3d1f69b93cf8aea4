/** Pages for Chromium that import this package and Effect as they are, without a bundler. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Http from "node:http"
import { stripTypeScriptTypes } from "node:module"
import { fileURLToPath } from "node:url"
import { launch } from "../kit/chromium.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const effect = `${root}node_modules/effect/dist/`

/** Every module under the one address by which its neighbours import it, so that it is there once. */
const imports = {
  ...Object.fromEntries(
    Fs.readdirSync(effect, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .map((name) => [`effect/${name.slice(0, -3)}`, `/effect/${name}`])
  ),
  ...Object.fromEntries(
    Fs.readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => [`effect-herald/${name.slice(0, -3)}`, `/src/${name}`])
  )
}

const html = (script: string) =>
  `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">` +
  `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module">
    const tell = (result) => fetch("/told", { method: "POST", body: JSON.stringify(result) })
    try { tell({ told: await (async () => { ${script} })() }) } catch (error) { tell({ failed: String(error?.stack ?? error) }) }
  </script>`

/** What is at an address of the page's own server. */
const contentOf = (path: string, script: string): readonly [type: string, content: string] | undefined => {
  if (path === "/") return ["text/html", html(script)]
  const [, kind, name = ""] = /^\/(effect|src)\/([\w./-]+)$/.exec(path) ?? []
  const file = kind === "effect" ? effect + name : `${root}src/${name}`
  if (kind === undefined || name.includes("..") || !Fs.existsSync(file)) return undefined
  const source = Fs.readFileSync(file, "utf8")
  return ["text/javascript", kind === "src" ? stripTypeScriptTypes(source) : source]
}

/**
 * Opens a page in Chromium, served from this host of this machine, whatever its name, and waits for what its script gives.
 * The script is the body of an asynchronous function.
 */
export const open = (host: string, script: string): Effect.Effect<unknown> =>
  Effect.gen(function*() {
    const told = yield* Deferred.make<unknown>()
    const server = yield* Effect.acquireRelease(
      Effect.callback<Http.Server>((resume) => {
        const server = Http.createServer((request, response) => {
          if (request.method === "POST") {
            let body = ""
            request.on("data", (chunk) => (body += String(chunk)))
            request.on("end", () => {
              response.end()
              Deferred.doneUnsafe(told, Effect.succeed(JSON.parse(body)))
            })
            return
          }
          const [type, content] = contentOf(request.url ?? "/", script) ?? []
          response.writeHead(content === undefined ? 404 : 200, { "content-type": type ?? "text/plain" })
          response.end(content)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = address !== null && typeof address === "object" ? address.port : 0
    const { stderr } = yield* launch("--host-resolver-rules=MAP * 127.0.0.1", `http://${host}:${port}/`)
    stderr?.resume()
    return yield* Deferred.await(told)
  }).pipe(Effect.scoped)
