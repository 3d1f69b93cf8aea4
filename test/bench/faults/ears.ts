/** What the readers of this bench share. */

/** What a client does with what it hears. */
export interface Ears {
  readonly connected: () => void
  /** Every message is a number. */
  readonly message: (payload: unknown) => void
  /** Anything that an application could know trouble by. */
  readonly told: (what: string) => void
}

/** What a reader's process sends to its parent. */
export type Heard =
  | { readonly _tag: "Connected" }
  | { readonly _tag: "Message"; readonly id: number }
  | { readonly _tag: "Told"; readonly what: string }

export const readers = ["pubnub", "effect-herald"] as const

export type ReaderName = typeof readers[number]

export const keys = { subscribeKey: "demo-sub", publishKey: "demo-pub" } as const

export const channel = "orders"
