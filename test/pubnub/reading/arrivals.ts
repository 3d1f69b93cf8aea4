import { Timetoken } from "../../../src/pubnub/Timetoken.ts"
import * as Arrival from "../../../src/pubnub/internal/reading/arrival.ts"

/** The timetoken of so many ticks after a moment. */
export const ticks = (n: number | bigint): string => String(17_900_000_000_000_000n + BigInt(n))

/** The same, branded. */
export const tick = (n: number): Timetoken => Timetoken.make(ticks(n))

/** So many ticks are a second. */
export const second = 10_000_000

/** What comes at a moment, as the live service or history has it. */
export const arrival = (
  n: number | bigint,
  options: { readonly channel?: string; readonly by?: string; readonly kind?: number; readonly payload?: unknown } = {}
): Arrival.Arrival => {
  const { by, channel = "a", kind, payload = Number(n) } = options
  return Arrival.read(JSON.parse(JSON.stringify({
    a: "3",
    f: 514,
    ...kind === undefined ? {} : { e: kind },
    i: "ada",
    p: { t: ticks(n), r: 1 },
    k: "demo-sub",
    c: channel,
    d: payload,
    b: by ?? channel
  })))
}

export const numbers = (length: number, first = 0) => Array.from({ length }, (_, n) => first + n)
