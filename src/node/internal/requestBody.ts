/** The body of a request, read up to a limit. */
import * as Effect from "effect/Effect"
import type * as Http from "node:http"

/** The memory that all requests in progress share. */
export interface Room {
  /** Reserves bytes. Gives false if there are not enough. */
  readonly take: (size: number) => boolean
  /** Releases bytes. */
  readonly give: (size: number) => void
}

/** Makes a room of this many bytes. */
export const makeRoom = (size: number): Room => {
  let left = size
  return {
    take: (wanted) => {
      if (wanted > left) return false
      left -= wanted
      return true
    },
    give: (taken) => {
      left += taken
    }
  }
}

/**
 * Reads at most `most + 1` bytes of a body. It reads the rest too and drops it, so that the client can read its answer. Gives
 * `undefined` if `take` refuses.
 */
export const read = (
  request: Http.IncomingMessage,
  most: number,
  take: (size: number) => boolean
): Effect.Effect<Uint8Array | undefined> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const settle = (body: Uint8Array | undefined) => {
      request.off("data", add)
      request.off("end", end)
      request.resume()
      resume(Effect.succeed(body))
    }
    const end = () => settle(Buffer.concat(chunks))
    const add = (chunk: Buffer) => {
      const part = chunk.subarray(0, most + 1 - size)
      if (!take(part.length)) return settle(undefined)
      size += part.length
      chunks.push(part)
      if (size > most) end()
    }
    request.on("data", add)
    request.on("end", end)
  })
