/** What is published on a keyset. */

/** An event before it has a place in the log. Payload and metadata are JSON text, as they were sent. */
export interface Draft {
  readonly channel: string
  readonly payload: string
  readonly type?: number | undefined
  readonly publisher?: string | undefined
  readonly meta?: string | undefined
  readonly customMessageType?: string | undefined
  readonly region?: number | undefined
  /** The whole envelope, when it is to be sent as it is. */
  readonly raw?: string | undefined
  readonly stored?: { readonly ttl?: number | undefined } | undefined
  readonly live?: boolean | undefined
}

/** An event in the log. */
export interface Entry extends Draft {
  readonly timetoken: bigint
  readonly region: number
  readonly data: unknown
  readonly metadata: unknown
}
