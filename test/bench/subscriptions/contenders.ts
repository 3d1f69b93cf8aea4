/** The clients that add subscriptions to one process. */

/** Adds a subscription to one more channel, and does not wait for it. */
export type Add = (channel: string) => void

/** Imported when first needed, so that no process holds the code of another client. */
export const contenders: ReadonlyMap<string, (origin: string) => Promise<Add>> = new Map([
  ["pubnub", async (origin: string) => (await import("./pubnub.ts")).make(origin)],
  ["effect-herald", async (origin: string) => (await import("./effect-herald.ts")).make(origin)]
])
