/** The physical limit of this stack: `dispatch` of a pool of undici, which makes no streams and no promises. */
import { type Dispatcher, Pool } from "undici"
import * as Bare from "./bare.ts"

/** The whole answer to a request, parsed. */
export class Whole implements Dispatcher.DispatchHandler {
  readonly #chunks: Array<Buffer> = []
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void

  constructor(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart() {}
  onResponseStart() {}

  onResponseData(_: unknown, chunk: Buffer) {
    this.#chunks.push(chunk)
  }

  onResponseEnd() {
    const [first] = this.#chunks
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#resolve(JSON.parse(bytes.toString("utf8")))
  }

  onResponseError(_: unknown, error: Error) {
    this.#reject(error)
  }
}

export const make = (origin: string) => {
  const pool = new Pool(`http://${origin}`)
  return Bare.make((path, body) =>
    new Promise((resolve, reject) => {
      pool.dispatch(
        body === undefined
          ? { path, method: "GET" }
          : { path, method: "POST", body: body.text, headers: { "content-type": body.type } },
        new Whole(resolve, reject)
      )
    })
  )
}
