/**
 * The vendor's SDK as its documents show it: a client, a listener, `publish`.
 */
import { createRequire } from "node:module"
import { setTimeout } from "node:timers/promises"
import { type Contender, keys, pauseMillis } from "../contender.ts"

interface Listener {
  readonly message: () => void
}

/** What is used here of the public interface. Its own types do not compile without `skipLibCheck`. */
interface Client {
  readonly publish: (
    options: { readonly channel: string; readonly message: unknown; readonly sendByPost: boolean }
  ) => Promise<unknown>
  readonly addListener: (listener: Listener) => void
  readonly removeListener: (listener: Listener) => void
  readonly subscribe: (options: { readonly channels: ReadonlyArray<string> }) => void
  readonly unsubscribe: (options: { readonly channels: ReadonlyArray<string> }) => void
}

const PubNub = createRequire(import.meta.url)("pubnub") as new(options: {
  readonly subscribeKey: string
  readonly publishKey: string
  readonly userId: string
  readonly origin: string
  readonly ssl: boolean
  readonly keepAlive: boolean
}) => Client

export const make = (origin: string, keepAlive: boolean): Contender => {
  const pubnub = new PubNub({ ...keys, userId: "bench", origin, ssl: false, keepAlive })

  const publish = (channel: string, message: unknown, method: "GET" | "POST") =>
    pubnub.publish({ channel, message, sendByPost: method === "POST" })

  /** Until the returned function is called. */
  const subscribe = (channel: string, handle: () => void) => {
    const listener: Listener = { message: handle }
    pubnub.addListener(listener)
    pubnub.subscribe({ channels: [channel] })
    return () => {
      pubnub.removeListener(listener)
      pubnub.unsubscribe({ channels: [channel] })
    }
  }

  return {
    publish: async ({ concurrency, count, message, method }) => {
      await Promise.all(Array.from({ length: concurrency }, async () => {
        for (let sent = 0; sent < count / concurrency; sent++) await publish("bench", message, method)
      }))
    },
    receive: (channel, count) =>
      new Promise((resolve) => {
        let received = 0
        const unsubscribe = subscribe(channel, () => {
          if (++received < count) return
          resolve()
          setImmediate(unsubscribe)
        })
      }),
    latencies: async (channel, message, count) => {
      const latencies: Array<number> = []
      let arrived = () => {}
      const unsubscribe = subscribe(channel, () => arrived())
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
      unsubscribe()
      return latencies
    }
  }
}
