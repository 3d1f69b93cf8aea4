/** A thousand subscriptions, added one by one to one process: what reaches the service, how long it takes, what it holds. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Http from "node:http"
import type { ContenderName } from "./contender.ts"
import * as Process from "./process.ts"

export interface Row {
  readonly contender: string
  /** The length of a channel's name. */
  readonly length: number
  readonly requests: number
  /** Of all addresses together. */
  readonly bytes: number
  /** Connections that were opened. */
  readonly sockets: number
  /** From the first until a poll for all of them waits at the service; absent when none does within half a minute. */
  readonly millis?: number
  /** Of the heap, for each, in bytes. */
  readonly heap: number
}

const count = 1_000

/** The service refuses longer addresses. */
const longest = 32_768

/** Answers handshakes at once and holds polls, and notes what comes. */
const counting = Effect.gen(function*() {
  const seen = { requests: 0, bytes: 0, sockets: 0 }
  /** The channels that polls wait for. */
  const polled = new Map<Http.ServerResponse, ReadonlyArray<string>>()
  const server = Http.createServer({ maxHeaderSize: 262_144 }, (request, response) => {
    const url = request.url ?? ""
    seen.requests++
    seen.bytes += url.length
    const answer = (status: number, body: string) => {
      response.writeHead(status, { "content-type": "text/javascript; charset=\"UTF-8\"" })
      response.end(body)
    }
    if (url.length > longest) {
      return answer(
        414,
        "{\"status\":414,\"service\":\"Balancer\",\"error\":true,\"message\":\"Request URI Too Long\"}"
      )
    }
    if (!url.startsWith("/v2/subscribe/")) {
      return answer(200, "{\"status\":200,\"message\":\"OK\",\"service\":\"Presence\"}")
    }
    if (!/[?&]tt=[1-9]/.test(url)) return answer(200, `{"t":{"t":"${Date.now()}0000","r":1},"m":[]}`)
    polled.set(response, decodeURIComponent(url.split("/", 5)[4] ?? "").split(","))
    response.once("close", () => polled.delete(response))
  })
  server.on("connection", () => {
    seen.sockets++
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        if (address !== null && typeof address === "object") resume(Effect.succeed(address.port))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  return { origin: `127.0.0.1:${port}`, seen, channels: () => new Set([...polled.values()].flat()).size }
})

const measure = Effect.fnUntraced(function*(contender: ContenderName, length: number) {
  const { channels, origin, seen } = yield* counting
  const worker = yield* Process.startWorker(contender, origin, { measuresHeap: true })
  const add = (count: number) => worker.sample({ _tag: "Subscribe", count, nameLength: length })
  const polled = (wanted: number) =>
    Effect.timeoutOption(
      Effect.repeat(Effect.sync(channels), {
        until: (channels) => channels === wanted,
        schedule: Schedule.spaced("2 millis")
      }),
      "30 seconds"
    )

  // The first is not measured: with it the client is loaded and connected.
  yield* add(1)
  yield* polled(1)
  Object.assign(seen, { requests: 0, bytes: 0, sockets: 0 })
  const start = performance.now()
  const added = yield* Effect.forkChild(add(count), { startImmediately: true })
  const isWhole = Option.isSome(yield* polled(count + 1))
  const millis = performance.now() - start
  const heap = ((yield* Fiber.join(added))?.heapGrowth ?? NaN) / count
  const row: Row = { contender, length, ...seen, heap, ...isWhole ? { millis } : {} }
  return row
}, Effect.scoped)

/** Names that fit into one address, and names that do not. */
const lengths = [6, 60]

const contenders = ["pubnub", "effect-herald"] as const

export const run = Effect.forEach(
  contenders.flatMap((contender) => lengths.map((length) => [contender, length] as const)),
  ([contender, length]) => measure(contender, length)
)

/** A table in Markdown. */
export const render = (rows: ReadonlyArray<Row>): string =>
  [
    `| ${count} subscriptions, one by one | requests | bytes of addresses | connections | ready after | heap each |`,
    "|---|---|---|---|---|---|",
    ...rows.map(({ bytes, contender, heap, length, millis, requests, sockets }) =>
      `| ${contender}, names of ${length} characters | ${requests} | ${(bytes / 1e6).toFixed(2)} MB | ${sockets} | ${
        millis === undefined ? "never" : `${Math.round(millis)} ms`
      } | ${(heap / 1000).toFixed(1)} kB |`
    )
  ].join("\n")
