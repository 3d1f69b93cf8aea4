/** A large file in a process with little heap, over real sockets. */
import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import * as Http from "node:http"
import { json } from "node:stream/consumers"
import { isLong } from "./seeds.ts"

const size = 100_000_000

/** A service that stores nothing: it counts what comes, and gives as many bytes. */
const serve = () => {
  let stored = 0
  const chunk = Buffer.alloc(65_536, 7)
  const server = Http.createServer((request, response) => {
    const { headers, method, url = "" } = request
    const here = `http://${headers.host}`
    const answer = (body: object) => response.end(JSON.stringify(body))
    if (url.includes("/generate-upload-url")) {
      const policy = JSON.stringify({ conditions: [["content-length-range", 0, 2 * size]] })
      return answer({
        status: 200,
        data: { id: "1", name: "large" },
        file_upload_request: {
          url: `${here}/put`,
          form_fields: [{ key: "Policy", value: Buffer.from(policy).toString("base64") }]
        }
      })
    }
    if (url.includes("/publish-file/")) return answer([1, "Sent", "17900000000000000"])
    if (method === "POST") {
      stored = 0
      request.on("data", (part: Buffer) => {
        stored += part.length
      })
      return request.on("end", () => response.writeHead(204).end())
    }
    if (url.startsWith("/v1/files/")) return response.writeHead(307, { location: `${here}/get` }).end()
    response.writeHead(200, { "content-length": size })
    let left = size
    const more = () => {
      while (left > 0) {
        const part = chunk.subarray(0, Math.min(left, chunk.length))
        left -= part.length
        if (!response.write(part)) return void response.once("drain", more)
      }
      response.end()
    }
    return more()
  })
  return new Promise<{ readonly origin: string; readonly stored: () => number; readonly close: () => void }>((
    resolve
  ) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({
        origin: `127.0.0.1:${port}`,
        stored: () => stored,
        close: () => {
          server.close()
          server.closeAllConnections()
        }
      })
    })
  )
}

it.skipIf(!isLong)("a file of 100 MB goes up and down within 64 MB of heap", async () => {
  const { close, origin, stored } = await serve()
  const program = new URL("filesMemory.ts", import.meta.url).pathname
  const child = spawn(process.execPath, [
    "--max-old-space-size=64",
    "--conditions=effect-herald-source",
    program,
    origin,
    String(size)
  ], { stdio: ["ignore", "pipe", "inherit"] })
  const { heap, received, rss } = await json(child.stdout) as Record<string, number>
  close()
  console.log(`100 MB up and down: heap at most ${heap} MB, memory of the process ${rss} MB`)
  assert.isAbove(stored(), size)
  assert.strictEqual(received, size)
  assert.isBelow(heap ?? Infinity, 64)
}, 120_000)
