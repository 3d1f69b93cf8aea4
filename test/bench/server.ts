/**
 * Both services, as far as the contenders ask them. They answer from memory at once, in a process of their own: an emulator
 * would answer properly, and would be what is measured.
 *
 * The name of a channel says what a subscriber gets. `pages-<id>-<channels>-<messages per page>-<messages>-<index>` belongs to a
 * group of so many channels: when polls wait for all of them, they bring so many messages in full pages, and then nothing. Any
 * other channel brings a message for each publish, also for those before the first poll.
 */
import * as Http from "node:http"
import { keys, payload } from "./contender.ts"

const marker = "<prefix>"

/** JSON text, cut at the places where a number belongs. */
const template = (value: unknown): ReadonlyArray<string> => JSON.stringify(value).split(marker)

// --------------------------------------------------------------------------------------------------------------------
// subscriptions
// --------------------------------------------------------------------------------------------------------------------

// A position is a prefix of 14 digits, tenths of a millisecond, and "000". Each page is one prefix further, and its
// messages lie between: their timetokens end in "001" to "100".
const now = () => Date.now() * 10
const positionOf = (prefix: number) => `${prefix}000`
const prefixOf = (position: string) => Number(position.slice(0, 14))

/** The messages of a page, cut where the prefix belongs. */
const pageOf = (channels: ReadonlyArray<string>, messages: number): ReadonlyArray<string> =>
  template(Array.from({ length: messages }, (_, index) => {
    const channel = channels[index % channels.length]
    return {
      a: "0",
      f: 0,
      i: "bench-sender",
      s: index + 1,
      p: { t: `${marker}${String(index + 1).padStart(3, "0")}`, r: 1 },
      k: keys.subscribeKey,
      c: channel,
      d: payload(200),
      b: channel
    }
  }))

/** A poll that waits. */
interface Held {
  readonly response: Http.ServerResponse
  readonly from: number
  readonly channels: ReadonlyArray<string>
}

/** The channels of one job. */
class Group {
  readonly #size: number
  readonly #perPage: number
  #pagesLeft: number
  readonly #held = new Set<Held>()
  /** The prefixes of the messages of a single channel. */
  readonly #delivered: Array<number> = []
  #quiet: NodeJS.Timeout | undefined
  /** No two pages of a group have the same prefix, whichever polls they answer. */
  #nextPrefix = 0
  /** Whether polls have waited for all channels. */
  #isWhole = false
  /** Pages in turn, by the names of the poll: a poll of more channels than a page has messages needs several. */
  readonly #pages = new Map<string, { next: number; readonly templates: ReadonlyArray<ReadonlyArray<string>> }>()

  constructor(size: number, perPage: number, pages: number) {
    this.#size = size
    this.#perPage = perPage
    this.#pagesLeft = pages
  }

  poll(held: Held): void {
    this.#held.add(held)
    held.response.once("close", () => this.#held.delete(held))
    if (this.#isWhole || this.#size === 1) return this.#deliver()
    // Polls that clients replace while they subscribe are gone by then: an answer to one of them would be lost.
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => this.#deliver(), 300)
  }

  published(): void {
    this.#pagesLeft++
    this.#deliver()
  }

  #deliver(): void {
    if (this.#pagesLeft === 0) return
    this.#isWhole ||= new Set([...this.#held].flatMap(({ channels }) => channels)).size >= this.#size
    if (!this.#isWhole) return
    for (const held of this.#held) {
      if (this.#pagesLeft === 0) return
      this.#pagesLeft--
      this.#held.delete(held)
      // Subscribers that joined the poll after its position was given want nothing older than they are.
      const prefix = Math.max(held.from, this.#nextPrefix, now())
      this.#nextPrefix = prefix + 1
      if (this.#size === 1) this.#delivered.push(prefix)
      answer(
        held.response,
        `{"t":{"t":"${positionOf(prefix + 1)}","r":1},"m":${this.#page(held.channels).join(String(prefix))}}`
      )
    }
  }

  /** The newest messages from `since` on and before `before`. */
  stored(since: bigint, before: bigint, most: number): ReadonlyArray<string> {
    const messages: Array<string> = []
    for (const prefix of this.#delivered.toReversed()) {
      for (let index = this.#perPage; index >= 1; index--) {
        const timetoken = BigInt(positionOf(prefix)) + BigInt(index)
        if (timetoken < since || messages.length === most) return messages.toReversed()
        if (timetoken < before) messages.push(storedMessage(timetoken))
      }
    }
    return messages.toReversed()
  }

  #page(channels: ReadonlyArray<string>): ReadonlyArray<string> {
    const key = channels.join()
    let pages = this.#pages.get(key)
    if (pages === undefined) {
      const templates: Array<ReadonlyArray<string>> = []
      for (let first = 0; first < channels.length; first += this.#perPage) {
        templates.push(pageOf(channels.slice(first, first + this.#perPage), this.#perPage))
      }
      pages = { next: 0, templates }
      this.#pages.set(key, pages)
    }
    return pages.templates[pages.next++ % pages.templates.length] ?? []
  }
}

/** What history has of a group of one channel: the newest hundred messages of a range, oldest first. */
const storedPage = (url: string): string => {
  const { pathname, searchParams } = new URL(url, "http://bench")
  const channel = decodeURIComponent(pathname.split("/")[6] ?? "")
  const bound = (name: string, otherwise: bigint) => BigInt(searchParams.get(name) ?? otherwise)
  const messages = groupOf(channel).stored(bound("end", 0n), bound("start", 1n << 62n), 100)
  return storedAnswer(channel, messages)
}

const storedAnswer = (channel: string, messages: ReadonlyArray<string>): string =>
  `{"status":200,"error":false,"error_message":"","channels":{"${channel}":[${messages.join()}]}}`

const groups = new Map<string, Group>()

const groupOf = (channel: string): Group => {
  const [kind, id = "", size = "1", perPage = "1", messages = "0"] = channel.split("-")
  const isPaged = kind === "pages"
  const key = isPaged ? id : channel
  let group = groups.get(key)
  if (group === undefined) {
    group = isPaged
      ? new Group(Number(size), Number(perPage), Math.ceil(Number(messages) / Number(perPage)))
      : new Group(1, 1, 0)
    groups.set(key, group)
  }
  return group
}

const poll = (url: string, response: Http.ServerResponse): void => {
  const position = /[?&]tt=(\d+)/.exec(url)?.[1] ?? "0"
  if (position === "0") return answer(response, `{"t":{"t":"${positionOf(now())}","r":1},"m":[]}`)
  const channels = decodeURIComponent(url.split("/", 5)[4] ?? "").split(",")
  groupOf(channels[0] ?? "").poll({ response, from: prefixOf(position), channels })
}

// --------------------------------------------------------------------------------------------------------------------
// lists
// --------------------------------------------------------------------------------------------------------------------

const hundred = <A>(make: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: 100 }, (_, index) => make(index))

const storedMessage = (timetoken: bigint): string =>
  JSON.stringify({
    message: payload(200),
    timetoken: String(timetoken),
    meta: "",
    message_type: null,
    uuid: "bench-sender"
  })

/** A channel that always has the same hundred. */
const stored = storedAnswer("stored", hundred((index) => storedMessage(17_905_741_246_383_965n + BigInt(index))))

const users = JSON.stringify({
  status: 200,
  data: hundred((index) => ({
    id: `user-${index}`,
    name: `User ${index}`,
    externalId: null,
    profileUrl: `https://example.com/users/${index}.png`,
    email: `user-${index}@example.com`,
    type: "trader",
    status: "active",
    updated: "2026-01-02T03:04:05.678901Z",
    eTag: "AYTuwrO3kvz3tAE"
  })),
  next: "MTAw"
})

// --------------------------------------------------------------------------------------------------------------------
// Symphony
// --------------------------------------------------------------------------------------------------------------------

const user = {
  userId: 7_078_106_103_900,
  firstName: "Ada",
  lastName: "Lovelace",
  displayName: "Ada Lovelace",
  email: "ada@example.com",
  username: "ada"
}

const message = {
  messageId: "gBm4KQjiAfFFzt7ZwT0vaH___nU1xkJcbQ",
  parentMessageId: null,
  timestamp: 1_790_574_124_638,
  message: `<div data-format="PresentationML" data-version="2.0" class="wysiwyg">${"x".repeat(100)}</div>`,
  sharedMessage: null,
  data: "{}",
  attachments: null,
  user,
  stream: {
    streamId: "wTmSDJSNPXgB61pDSU5hFH___p3bNBUfdA",
    streamType: "ROOM",
    roomName: null,
    members: null,
    external: false,
    crossPod: null,
    recipientTenantIds: null
  },
  externalRecipients: false,
  diagnostic: null,
  userAgent: "Agent-25.8.1-Linux",
  originalFormat: "com.symphony.messageml.v2",
  disclaimer: null,
  sid: "7d1a4c3a-4d53-4a4e-9d3c-5f1b7f8a9a0e",
  replacing: null,
  replacedBy: null,
  initialTimestamp: null,
  initialMessageId: null,
  silent: null
}

const posted = JSON.stringify(message)

/** A page of a feed, cut where its number belongs. */
const events = template({
  events: hundred((index) => ({
    id: `${marker}-${index}`,
    messageId: message.messageId,
    timestamp: message.timestamp,
    type: "MESSAGESENT",
    diagnostic: null,
    initiator: { user },
    payload: { messageSent: { message } }
  })),
  ackId: `ack-${marker}`
})
let pagesRead = 0

// --------------------------------------------------------------------------------------------------------------------
// HTTP
// --------------------------------------------------------------------------------------------------------------------

const answer = (response: Http.ServerResponse, body: string, type = "text/javascript; charset=\"UTF-8\""): void => {
  response.writeHead(200, { "content-type": type })
  response.end(body)
}

const json = (response: Http.ServerResponse, body: string): void => answer(response, body, "application/json")

type Route = readonly [prefix: string, handle: (response: Http.ServerResponse, url: string) => void]

/** The first that fits. */
const routes: ReadonlyArray<Route> = [
  ["/publish/", (response, url) => {
    answer(response, "[1,\"Sent\",\"17905741246383965\"]")
    groupOf(url.split("/", 6)[5] ?? "").published()
  }],
  ["/v2/subscribe/", (response, url) => poll(url, response)],
  ["/time/", (response) => answer(response, `[${positionOf(now())}]`)],
  [`/v3/history/sub-key/${keys.subscribeKey}/channel/stored`, (response) => answer(response, stored)],
  ["/v3/history/", (response, url) => answer(response, storedPage(url))],
  ["/v2/objects/", (response) => json(response, users)],
  ["/login/", (response) => json(response, "{\"token\":\"session\",\"name\":\"sessionToken\"}")],
  ["/relay/", (response) => json(response, "{\"token\":\"key-manager\",\"name\":\"keyManagerToken\"}")],
  ["/pod/v2/sessioninfo", (response) => json(response, "{\"id\":1,\"username\":\"bench\"}")],
  ["/agent/v4/stream/", (response) => json(response, posted)],
  ["/agent/v5/datafeeds/", (response) => json(response, events.join(String(pagesRead++)))],
  ["/agent/v5/datafeeds", (response) => json(response, "[{\"id\":\"bench\",\"type\":\"fanout\",\"createdAt\":1}]")],
  ["", (response) => answer(response, "{\"status\":200,\"message\":\"OK\",\"service\":\"Presence\"}")]
]

const server = Http.createServer({ maxHeaderSize: 1_048_576 }, (request, response) => {
  const url = request.url ?? ""
  const handle = () => routes.find(([prefix]) => url.startsWith(prefix))?.[1](response, url)
  if (request.method === "GET") return handle()
  request.resume()
  request.once("end", handle)
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) process.send?.(`127.0.0.1:${address.port}`)
})
process.once("disconnect", () => process.exit())
