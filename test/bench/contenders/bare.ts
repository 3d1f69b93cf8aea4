/**
 * What an application would write without a library: requests, `JSON.parse`, and nothing for what could go wrong. The two
 * contenders that use it differ in how they make a request.
 */
import { channelsOf, type Contender, keys, measureLatencies, payload, times } from "../contender.ts"

/** Makes a request with an optional JSON or multipart body, and parses the answer. */
export type Json = (path: string, body?: Body) => Promise<unknown>

interface Body {
  readonly type: string
  readonly text: string
}

interface Page {
  readonly t: { readonly t: string }
  readonly m: ReadonlyArray<{ readonly c: string; readonly d: unknown }>
}

type Handlers = ReadonlyMap<string, (message: unknown) => void>

/** As many channels as fit into an address. */
const channelsPerPoll = 500

const boundary = "bench-boundary"

export const make = (json: Json): Contender => {
  const publish = (channel: string, message: unknown, method: "GET" | "POST"): Promise<unknown> => {
    const path = `/publish/${keys.publishKey}/${keys.subscribeKey}/0/${channel}/0`
    const text = JSON.stringify(message)
    return method === "GET"
      ? json(`${path}/${encodeURIComponent(text)}?uuid=bench`)
      : json(`${path}?uuid=bench`, { type: "application/json", text })
  }

  const poll = async (channels: string, position: string): Promise<Page> =>
    await json(`/v2/subscribe/${keys.subscribeKey}/${channels}/0?tt=${position}&tr=1&uuid=bench`) as Page

  const subscribe = async (handlers: Handlers, isDone: () => boolean) => {
    const channels = [...handlers.keys()].join(",")
    let position = (await poll(channels, "0")).t.t
    while (!isDone()) {
      const page = await poll(channels, position)
      position = page.t.t
      for (const { c, d } of page.m) handlers.get(c)?.(d)
    }
  }

  /** Reads `count` messages of these channels. */
  const receive = (channels: ReadonlyArray<string>, count: number) =>
    new Promise<void>((resolve, reject) => {
      let received = 0
      const handle = () => {
        if (++received === count) resolve()
      }
      for (let first = 0; first < channels.length; first += channelsPerPoll) {
        const handlers = new Map(channels.slice(first, first + channelsPerPoll).map((channel) => [channel, handle]))
        subscribe(handlers, () => received >= count).catch(reject)
      }
    })

  return {
    Publish: ({ bytes, concurrency, count, method }) => {
      const message = payload(bytes)
      return times(count, concurrency, () => publish("bench", message, method))
    },
    Receive: (job, id) => receive(channelsOf(job, id), job.count),
    // Without a schema: this is what a schema's cost is compared with.
    Decode: (job, id) => receive(channelsOf(job, id), job.count),
    Share: (job, id) => receive(channelsOf(job, id), job.count),
    Latency: ({ count }, channel) => {
      const message = payload(100)
      let received = 0
      return measureLatencies(
        count,
        (handle) => {
          const counted = () => {
            received++
            handle()
          }
          return subscribe(new Map([[channel, counted]]), () => received >= count)
        },
        () => publish(channel, message, "GET")
      )
    },
    Encrypt: async ({ bytes, count }) => {
      const { subtle } = globalThis.crypto
      const text = new TextEncoder().encode(JSON.stringify(payload(bytes)))
      const key = await subtle.generateKey({ name: "AES-CBC", length: 256 }, false, ["encrypt", "decrypt"])
      await times(count, 1, async () => {
        const algorithm = { name: "AES-CBC", iv: globalThis.crypto.getRandomValues(new Uint8Array(16)) }
        await subtle.decrypt(algorithm, key, await subtle.encrypt(algorithm, key, text))
      })
    },
    History: ({ count }) =>
      times(
        count,
        1,
        () => json(`/v3/history/sub-key/${keys.subscribeKey}/channel/stored?max=100&include_meta=true&uuid=bench`)
      ),
    Users: ({ count }) =>
      times(count, 1, () => json(`/v2/objects/${keys.subscribeKey}/uuids?limit=100&include=status,type&uuid=bench`)),
    Send: ({ concurrency, count }) => {
      const text = `--${boundary}\r\ncontent-disposition: form-data; name="message"\r\n\r\n` +
        `<messageML>${"x".repeat(100)}</messageML>\r\n--${boundary}--\r\n`
      return times(
        count,
        concurrency,
        () => json("/agent/v4/stream/bench/message/create", { type: `multipart/form-data; boundary=${boundary}`, text })
      )
    },
    Feed: async ({ count }) => {
      let received = 0
      let ackId = ""
      while (received < count) {
        const text = JSON.stringify({ ackId })
        const page = await json("/agent/v5/datafeeds/bench/read", { type: "application/json", text }) as {
          readonly events: ReadonlyArray<unknown>
          readonly ackId: string
        }
        ackId = page.ackId
        for (const _ of page.events) received++
      }
    }
  }
}
