/** The answers of the server itself, in a shape that fits both services. */
import * as Http from "node:http"
import type { Duplex } from "node:stream"
import type * as SymphonyEmulator from "../../testing/SymphonyEmulator.ts"

/** A refusal with its reason. */
export const refuse = (status: number, message: string): SymphonyEmulator.Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ status, code: status, error: true, service: "Emulator", message })
})

export const busy = refuse(503, "the server has no room for more requests: try again later")

/** The answer to a request that is not HTTP, too large or too slow. */
const ofClientError = ({ code }: NodeJS.ErrnoException): SymphonyEmulator.Answer =>
  code === "HPE_HEADER_OVERFLOW"
    ? refuse(414, "Request URI Too Long")
    : code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? refuse(408, "the request took too long")
    : code === "HPE_CHUNK_EXTENSIONS_OVERFLOW"
    ? refuse(413, "the extensions of a chunk are too long")
    : refuse(400, "the request is not HTTP")

/** Answers a request that could not be read, and ends the connection after at most `patience` milliseconds. */
export const hangUp = (error: Error, socket: Duplex, patience: number) => {
  if (!socket.writable) return socket.destroy()
  const { body, headers, status } = ofClientError(error)
  const fields = { ...headers, connection: "close", "content-length": Buffer.byteLength(body) }
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  socket.end(`HTTP/1.1 ${status} ${Http.STATUS_CODES[status]}\r\n${head}\r\n${body}`)
  // If it were closed at once, a client that is still sending would lose the answer.
  socket.removeAllListeners("data")
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), Math.min(patience, 1000))
  return socket.once("close", () => clearTimeout(timer))
}
