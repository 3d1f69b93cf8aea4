/** The vendor's SDK as its documents show it: a subscription for each channel. */
import PubNub from "pubnub"
import type { Add } from "./contenders.ts"

export const make = (origin: string): Add => {
  const client = new PubNub({ subscribeKey: "sub-c-bench", userId: "bench", origin, ssl: false })
  const subscriptions: Array<unknown> = []
  return (channel) => {
    const subscription = client.channel(channel).subscription()
    subscription.onMessage = () => {}
    subscription.subscribe()
    // As an application would hold it, to end it later.
    subscriptions.push(subscription)
  }
}
