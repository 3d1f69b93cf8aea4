/** Who the chat is, and how it reaches the service. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { Publisher, PubNubConfig, Subscriber } from "effect-herald/pubnub"
import { chat } from "./chat.ts"
import { userId } from "./page.ts"

/** The emulator of `herald emulator --port 4040`, or of another port: `?origin=127.0.0.1:4041`. */
const origin = new URLSearchParams(location.search).get("origin") ?? "127.0.0.1:4040"

/** The browser sends a leave to its end even if the page is gone. */
const keepLeaves: typeof fetch = (input, init) =>
  fetch(input, { ...init, keepalive: input instanceof URL && input.pathname.endsWith("/leave") })

const live = (userId: string) =>
  // One long poll for all that is read. What is sent waits while the page is offline, and comes once.
  Layer.merge(Subscriber.layer(), Publisher.layer({ messageIds: true, settleUnknown: true, resendUnknown: true })).pipe(
    Layer.provideMerge(FetchHttpClient.layer),
    Layer.provideMerge(Layer.succeed(FetchHttpClient.Fetch, keepLeaves)),
    Layer.provideMerge(
      PubNubConfig.layer({
        subscribeKey: "demo-sub",
        publishKey: "demo-pub",
        userId,
        origin,
        tls: false,
        presenceTimeout: "1 minute"
      })
    )
  )

if (userId !== null) Effect.runFork(Effect.provide(chat, live(userId)))
