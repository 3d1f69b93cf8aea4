/** The official client, with its default engine, and the shortest times that its configuration takes. */
import PubNub from "pubnub"
import { channel, type Ears, keys } from "./ears.ts"

export const read = (origin: string, ears: Ears): void => {
  const client = new PubNub({
    ...keys,
    userId: "reader",
    origin,
    ssl: false,
    // Seconds. The default is 310, and the service of this bench holds a poll a hundredth as long, too.
    subscribeRequestTimeout: 3,
    // The default is 15.
    transactionalRequestTimeout: 1,
    // The least that it accepts; the default begins there, doubles, and ends after six attempts.
    retryConfiguration: PubNub.LinearRetryPolicy({ delay: 2, maximumRetry: 10 })
  })
  client.addListener({
    status: ({ category }) => {
      if (category === "PNConnectedCategory") ears.connected()
      else ears.told(String(category).replace(/^PN|Category$/g, ""))
    },
    message: ({ message }) => ears.message(message)
  })
  client.subscribe({ channels: [channel] })
}
