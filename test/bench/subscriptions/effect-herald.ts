import type { Add } from "./contenders.ts"

/**
 * TODO, with the `Subscriber` service: one `Subscriber.layer` for the process, and for each channel a stream of
 * `Subscriber.events({ channels: [channel] })` that is run in the background. Until then it is in no list of contenders,
 * and nothing calls it.
 */
export const make = (_origin: string): Add => {
  throw new Error("Subscriber is not there yet")
}
