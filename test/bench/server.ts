/**
 * A service that answers from memory at once, in a process of its own. It knows nothing but what the contenders ask;
 * the emulator would answer properly, and would be what is measured.
 *
 * A channel's name says what a subscriber gets: `pages-<messages per page>-<messages>-<id>` brings full pages as fast as
 * they are asked for and then is silent; any other channel brings a message for each publish, those before the first poll too.
 */
import * as Http from "node:http"
import { keys, payload } from "./contender.ts"

const published = "[1,\"Sent\",\"17905741246383965\"]"
const acknowledged = "{\"status\":200,\"message\":\"OK\",\"service\":\"Presence\"}"
const headers = { "content-type": "text/javascript; charset=\"UTF-8\"" }

// A position is a prefix of 14 digits, tenths of a millisecond, and "000". Each page is one prefix further, and its
// messages lie between: their timetokens end in "001" to "099".
const now = () => Date.now() * 10
const positionOf = (prefix: number) => `${prefix}000`
const prefixOf = (position: string) => Number(position.slice(0, 14))

const marker = "<prefix>"

/** The messages of a page, cut where the prefix belongs. */
const template = (channel: string, messages: number): ReadonlyArray<string> =>
  JSON.stringify(Array.from({ length: messages }, (_, index) => ({
    a: "0",
    f: 0,
    i: "bench-sender",
    s: index + 1,
    p: { t: `${marker}${String(index + 1).padStart(3, "0")}`, r: 1 },
    k: keys.subscribeKey,
    c: channel,
    d: payload(100),
    b: channel
  }))).split(marker)

class Channel {
  private readonly isPaged: boolean
  private readonly messages: ReadonlyArray<string>
  private pagesLeft: number
  private held: Http.ServerResponse | undefined
  private heldFrom = 0

  constructor(name: string) {
    const [kind, perPage = "1", total = "0"] = name.split("-")
    this.isPaged = kind === "pages"
    const size = this.isPaged ? Number(perPage) : 1
    this.messages = template(name, size)
    this.pagesLeft = this.isPaged ? Math.ceil(Number(total) / size) : 0
  }

  poll(position: string | undefined, response: Http.ServerResponse): void {
    if (position === undefined || position === "0") {
      return answer(response, `{"t":{"t":"${positionOf(now())}","r":1},"m":[]}`)
    }
    this.held = response
    this.heldFrom = prefixOf(position)
    response.once("close", () => {
      if (this.held === response) this.held = undefined
    })
    this.deliver()
  }

  published(): void {
    if (this.isPaged) return
    this.pagesLeft++
    this.deliver()
  }

  private deliver(): void {
    if (this.held === undefined || this.pagesLeft === 0) return
    this.pagesLeft--
    const response = this.held
    this.held = undefined
    const next = positionOf(this.heldFrom + 1)
    answer(response, `{"t":{"t":"${next}","r":1},"m":${this.messages.join(String(this.heldFrom))}}`)
  }
}

const channels = new Map<string, Channel>()

const channelOf = (name: string): Channel => {
  const channel = channels.get(name) ?? new Channel(name)
  channels.set(name, channel)
  return channel
}

const answer = (response: Http.ServerResponse, body: string): void => {
  response.writeHead(200, headers)
  response.end(body)
}

const server = Http.createServer((request, response) => {
  const url = request.url ?? ""
  if (url.startsWith("/publish/")) {
    const take = () => {
      answer(response, published)
      channelOf(url.split("/", 6)[5] ?? "").published()
    }
    if (request.method === "GET") return take()
    request.resume()
    request.once("end", take)
  } else if (url.startsWith("/v2/subscribe/")) {
    channelOf(url.split("/", 5)[4] ?? "").poll(/[?&]tt=(\d+)/.exec(url)?.[1], response)
  } else if (url.startsWith("/time/")) {
    answer(response, `[${positionOf(now())}]`)
  } else {
    answer(response, acknowledged)
  }
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) process.send?.(`127.0.0.1:${address.port}`)
})
process.once("disconnect", () => process.exit())
