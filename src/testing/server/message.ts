/** Requests and answers of both emulators, as they go over the wire. */

/** A request. */
export interface Request {
  /** The method, in upper case. */
  readonly method: string
  /** Path and query, still percent-encoded. */
  readonly target: string
  /** The headers, by names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Text or bytes, which may be compressed as `content-encoding` says: gzip or deflate. */
  readonly body: string | Uint8Array
}

/** An answer. */
export interface Answer {
  /** The status code. */
  readonly status: number
  /** The headers. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as text. */
  readonly body: string
  /** The body as bytes, in place of the text: a file of PubNub. */
  readonly bytes?: Uint8Array | undefined
}
