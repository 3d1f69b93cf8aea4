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
import type { Wakes } from "./wakes.ts"

export interface Settings {
  /** The filter expression of the service. History cannot apply it. */
  readonly filter: string | undefined
  /** The JSON text of the user's state on each of its channels. */
  readonly state: string | undefined
  readonly schedule: (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>
  /** `pull`: polls only while a reader waits. `ahead`: polls until a reader with the strategy `suspend` is full. */
  readonly demand: "pull" | "ahead"
  /** The start of a reader that has a connection of its own. */
  readonly from: Cursor | undefined
  /** Changes of names within so many milliseconds cause one handshake. */
  readonly gathered: number
}

export interface Core {
  readonly config: PubNubConfig["Service"]
  readonly settings: Settings
  readonly clock: Clock.Clock
  readonly history: Backfill.History
  /** Runs an effect until it ends or the engine is closed. */
  readonly fork: (effect: Effect.Effect<void, never, HttpClient.HttpClient>) => Fiber.Fiber<void>
  /** Provides what the effects of readers need. One context for all of them saves a kilobyte for each reader. */
  readonly provide: <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient>) => Effect.Effect<A, E>
  /** Reports a status to the listeners of the engine. */
  readonly publish: (status: SubscribeStatus.Status) => void
  /** Called when a reader wants events, or does not hold others back any more. */
  readonly demand: () => void
  /** The readers that continue after the current step. */
  readonly wakes: Wakes
  /** The readers with the strategy `suspend` that have become full. Some of them may have room again. */
  readonly full: Set<{ readonly isFull: boolean }>
  /** How many readers wait for events. */
  waiting: number
}
