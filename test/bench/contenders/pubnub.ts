/**
 * The vendor's SDK as its documents show it: a client, a listener or a subscription for each channel, `publish`. It has no
 * schemas, and does not know Symphony.
 */
import PubNub from "pubnub"
import {
  channelsOf,
  type Contender,
  keys,
  measureLatencies,
  namesOf,
  payload,
  subscribeInTurn,
  times
} from "../contender.ts"

export const make = (origin: string, keepAlive: boolean): Contender => {
  const pubnub = new PubNub({ ...keys, userId: "bench", origin, ssl: false, keepAlive })

  const publish = (channel: string, message: PubNub.Payload, method: "GET" | "POST") =>
    pubnub.publish({ channel, message, sendByPost: method === "POST" })

  /** One subscription for all channels, until the returned function is called. */
  const subscribe = (channels: Array<string>, handle: () => void) => {
    const listener = { message: handle }
    pubnub.addListener(listener)
    pubnub.subscribe({ channels })
    return () => {
      pubnub.removeListener(listener)
      pubnub.unsubscribe({ channels })
    }
  }

  /** A subscription for each channel. */
  const subscribeEach = (channel: string, handle: () => void) => {
    const subscription = pubnub.channel(channel).subscription()
    subscription.onMessage = handle
    subscription.subscribe()
    return subscription
  }

  /** Calls `handle` until it was called `count` times. */
  const counted = (count: number, begin: (handle: () => void) => () => void) =>
    new Promise<void>((resolve) => {
      let received = 0
      const end = begin(() => {
        if (++received !== count) return
        resolve()
        setImmediate(end)
      })
    })

  /** As an application would hold them, to end them later. */
  const kept: Array<unknown> = []

  return {
    Publish: ({ bytes, concurrency, count, method }) => {
      const message = payload(bytes)
      return times(count, concurrency, () => publish("bench", message, method))
    },
    Receive: (job, id) => counted(job.count, (handle) => subscribe([...channelsOf(job, id)], handle)),
    Share: (job, id) =>
      counted(job.count, (handle) => {
        const subscriptions = channelsOf(job, id).map((channel) => subscribeEach(channel, handle))
        return () => subscriptions.forEach((subscription) => subscription.unsubscribe())
      }),
    Latency: async ({ count }, channel) => {
      const message = payload(100)
      let unsubscribe = () => {}
      const latencies = await measureLatencies(
        count,
        (handle) => {
          unsubscribe = subscribe([channel], handle)
        },
        () => publish(channel, message, "GET")
      )
      unsubscribe()
      return latencies
    },
    History: ({ count }) => times(count, 1, () => pubnub.fetchMessages({ channels: ["stored"], count: 100 })),
    Users: ({ count }) => times(count, 1, () => pubnub.objects.getAllUUIDMetadata({ limit: 100 })),
    Subscribe: (job, id) => subscribeInTurn(namesOf(job, id), (channel) => kept.push(subscribeEach(channel, () => {})))
  }
}
