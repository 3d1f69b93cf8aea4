/** The body of a request, read up to a limit. */
import * as Effect from "effect/Effect"
import type * as Http from "node:http"

/** Memory for requests that are handled. */
export interface Room {
  /** Takes some, if there is enough. */
  readonly take: (size: number) => boolean
  /** Gives it back. */
  readonly give: (size: number) => void
}

/** A room of this size. */
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
 * The bytes of a body, at most `most` and one. The rest is read and thrown away, so that the client can read its answer.
 * `undefined` if there is no room.
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
