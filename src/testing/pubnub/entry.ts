/** The events of a keyset. */

/** An event before it is in the log. Payload and metadata are the JSON text that was sent. */
export interface Draft {
  readonly channel: string
  readonly payload: string
  readonly type?: number | undefined
  readonly publisher?: string | undefined
  readonly meta?: string | undefined
  readonly customMessageType?: string | undefined
  readonly region?: number | undefined
  /** The whole envelope as JSON text, to send it in place of the usual one. */
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
