/**
 * The floor: a pool of undici, the body as text, `JSON.parse`, and nothing that could go wrong.
 */
import { setTimeout } from "node:timers/promises"
import { Pool } from "undici"
import { type Contender, keys, pauseMillis } from "../contender.ts"

interface Page {
  readonly t: { readonly t: string; readonly r: number }
  readonly m: ReadonlyArray<{ readonly d: unknown }>
}

export const make = (origin: string): Contender => {
  const pool = new Pool(`http://${origin}`)

  const json = async (path: string, body?: string): Promise<unknown> => {
    const response = await pool.request(
      body === undefined
        ? { path, method: "GET" }
        : { path, method: "POST", body, headers: { "content-type": "application/json" } }
    )
    return JSON.parse(await response.body.text())
  }

  const publish = (channel: string, message: unknown, method: "GET" | "POST"): Promise<unknown> => {
    const path = `/publish/${keys.publishKey}/${keys.subscribeKey}/0/${channel}/0`
    const text = JSON.stringify(message)
    return method === "GET" ? json(`${path}/${encodeURIComponent(text)}?uuid=bench`) : json(`${path}?uuid=bench`, text)
  }

  const poll = async (channel: string, position: string): Promise<Page> =>
    await json(`/v2/subscribe/${keys.subscribeKey}/${channel}/0?tt=${position}&tr=1&uuid=bench`) as Page

  const subscribe = async (channel: string, handle: (message: unknown) => void, isDone: () => boolean) => {
    let position = (await poll(channel, "0")).t.t
    while (!isDone()) {
      const page = await poll(channel, position)
      position = page.t.t
      for (const { d } of page.m) handle(d)
    }
  }

  return {
    publish: async ({ concurrency, count, message, method }) => {
      await Promise.all(Array.from({ length: concurrency }, async () => {
        for (let sent = 0; sent < count / concurrency; sent++) await publish("bench", message, method)
      }))
    },
    receive: (channel, count) => {
      let received = 0
      return subscribe(channel, () => {
        received++
      }, () => received >= count)
    },
    latencies: async (channel, message, count) => {
      const latencies: Array<number> = []
      let arrived = () => {}
      const subscribed = subscribe(channel, () => arrived(), () => latencies.length >= count)
      for (let sent = 0; sent < count; sent++) {
        await setTimeout(pauseMillis)
        const start = performance.now()
        const arrival = new Promise<void>((resolve) => {
          arrived = () => {
            latencies.push(performance.now() - start)
            resolve()
          }
        })
        await Promise.all([publish(channel, message, "GET"), arrival])
      }
      await subscribed
      return latencies
    }
  }
}
