/**
 * A network that misbehaves: a TCP proxy between a client and a port of this machine, whose faults are drawn from a seed.
 * It knows bytes and no HTTP, so what it breaks is broken as it is in life.
 */
import * as Effect from "effect/Effect"
import * as Net from "node:net"

/** What happens to a connection when it is made, or to a piece of an answer when it passes. */
export type Fault =
  /** Reset at once. */
  | "refused"
  /** Accepted, and nothing ever comes back. */
  | "stalled"
  /** Reset, and the piece is lost. */
  | "reset"
  /** Half of the piece arrives, and the connection is closed. */
  | "truncated"
  /** Half of the piece arrives, and nothing more ever does. */
  | "frozen"
  /** A few bytes at a time. */
  | "slow"

const onConnection: ReadonlyArray<Fault> = ["refused", "stalled"]
const onAnswer: ReadonlyArray<Fault> = ["reset", "truncated", "frozen", "slow"]

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export const numbersFrom = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Proxy {
  /** `host:port`, as the `origin` of a client wants it. */
  readonly origin: string
  /** What was done, in order. */
  readonly injected: ReadonlyArray<Fault>
  /** From now on everything goes well, but for the connections that are broken already. */
  readonly heal: Effect.Effect<void>
}

/** Listens for as long as the scope is open. `rate` is how many connections, and pieces of answers, are hit. */
export const make = (options: { readonly port: number; readonly seed: number; readonly rate: number }) =>
  Effect.gen(function*() {
    const random = numbersFrom(options.seed)
    const injected: Array<Fault> = []
    const sockets = new Set<Net.Socket>()
    let healthy = false

    const draw = (faults: ReadonlyArray<Fault>): Fault | undefined => {
      // Both numbers are drawn each time, so that a rate changes how many are hit and not with what.
      const [whether, which] = [random(), random()]
      const fault = healthy || whether >= options.rate ? undefined : faults[Math.floor(which * faults.length)]
      if (fault !== undefined) injected.push(fault)
      return fault
    }

    const track = (socket: Net.Socket) => {
      sockets.add(socket)
      socket.setNoDelay()
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
      return socket
    }

    const slowly = async (client: Net.Socket, piece: Buffer) => {
      for (let from = 0; from < piece.length && client.writable; from += 64) {
        client.write(piece.subarray(from, from + 64))
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }

    const server = Net.createServer((client) => {
      track(client)
      const fault = draw(onConnection)
      if (fault === "refused") return void client.resetAndDestroy()
      if (fault === "stalled") return void client.resume()
      const service = track(Net.connect(options.port, "127.0.0.1"))
      let frozen = false
      // Pieces wait for a slow one before them.
      let sent: Promise<void> = Promise.resolve()
      client.pipe(service)
      client.on("close", () => service.destroy())
      service.on("error", () => client.resetAndDestroy())
      service.on("close", () => {
        if (!frozen) void sent.then(() => client.end())
      })
      service.on("data", (piece) => {
        if (frozen) return
        const half = piece.subarray(0, piece.length >> 1)
        const fault = draw(onAnswer)
        if (fault === "reset") client.resetAndDestroy()
        if (fault === "frozen") frozen = true
        sent = sent.then(() => {
          if (fault === "slow") return slowly(client, piece)
          if (fault === "truncated") client.end(half)
          else client.write(fault === "frozen" ? half : piece)
          return undefined
        })
      })
    })
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          if (address !== null && typeof address === "object") resume(Effect.succeed(address.port))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    const proxy: Proxy = {
      origin: `127.0.0.1:${port}`,
      injected,
      heal: Effect.sync(() => {
        healthy = true
      })
    }
    return proxy
  })
