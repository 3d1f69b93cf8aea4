/** A reader that gives up and comes back quickly, so that a test of real time lasts seconds. */
import type { Subscribe } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"

const soon = Retry.backoff({ base: "20 millis", cap: "100 millis" })

/** For every kind of failure, and for ever. */
export const reconnect: Subscribe.Reconnect = {
  Transport: soon,
  Timeout: soon,
  RateLimited: soon,
  ServerFailure: soon,
  Malformed: soon,
  AccessDenied: soon
}

export const timeouts = { pollTimeout: "300 millis", requestTimeout: "300 millis" } as const
