/** Who the chat is, and how it reaches the service. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { Publisher, PubNubConfig, Subscriber } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { chat } from "./chat.ts"
import { userId } from "./page.ts"

/** The emulator of `herald emulator --port 4040`, or of another port: `?origin=127.0.0.1:4041`. */
const origin = new URLSearchParams(location.search).get("origin") ?? "127.0.0.1:4040"

const keys = { subscribeKey: "demo-sub", publishKey: "demo-pub", origin, tls: false }

/** What is sent waits as long as the page is offline. Where it is sent twice, it is shown once, by its id. */
const publisher = Publisher.layer({ messageIds: true, resendUnknown: true, retry: Retry.backoff({ cap: "2 seconds" }) })

/** The browser sends a leave to its end even if the page is gone. */
const keepLeaves: typeof fetch = (input, init) =>
  fetch(input, { ...init, keepalive: input instanceof URL && input.pathname.endsWith("/leave") })

const live = (userId: string) =>
  // All that is read shares one long poll.
  Layer.merge(Subscriber.layer(), publisher).pipe(
    Layer.provideMerge(FetchHttpClient.layer),
    Layer.provideMerge(Layer.succeed(FetchHttpClient.Fetch, keepLeaves)),
    Layer.provideMerge(PubNubConfig.layer({ ...keys, userId, presenceTimeout: "1 minute" }))
  )

if (userId !== null) Effect.runFork(Effect.provide(chat, live(userId)))
