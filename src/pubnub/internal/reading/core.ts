/**
 * What the parts of one engine share.
 */
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Schedule from "effect/Schedule"
import type { Cursor } from "../../../Cursor.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import type * as Backfill from "./backfill.ts"

export interface Settings {
  /** What the service leaves out of what it sends. History knows nothing of it. */
  readonly filter: string | undefined
  /** The JSON text of the user's state on each of its channels. */
  readonly state: string | undefined
  readonly schedule: (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>
  /** `pull`: nothing is asked for that no reader waits for. `ahead`: as long as no reader that holds others back is full. */
  readonly demand: "pull" | "ahead"
  /** Where the one reader of a connection that is its own begins. */
  readonly from: Cursor | undefined
  /** Changes of names within so many milliseconds are one. */
  readonly gathered: number
}

export interface Core {
  readonly config: PubNubConfig["Service"]
  readonly settings: Settings
  readonly clock: Clock.Clock
  readonly history: Backfill.History
  /** Runs something until the engine is closed. */
  readonly fork: (effect: Effect.Effect<void, never, HttpClient.HttpClient>) => Fiber.Fiber<void>
  /** Gives a waiting reader's effects what they need: a context of its own for each would cost a kilobyte. */
  readonly provide: <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient>) => Effect.Effect<A, E>
  /** Tells whoever listens to the statuses of the engine. */
  readonly publish: (status: SubscribeStatus.Status) => void
  /** Somebody wants more, or holds others back no longer. */
  readonly demand: () => void
  /** How many readers wait for something. */
  waiting: number
}
