/** Sends and downloads a large file, and prints the most memory that it took, in MB. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodePubNub from "effect-herald/node/NodePubNub"
import { Files } from "effect-herald/pubnub"

const [origin = "", size = "0"] = process.argv.slice(2)
const part = new Uint8Array(64 * 1024)
let heap = 0
let rss = 0

const watched = <A, E, R>(bytes: Stream.Stream<A, E, R>) =>
  Stream.tap(bytes, () =>
    Effect.sync(() => {
      const memory = process.memoryUsage()
      heap = Math.max(heap, memory.heapUsed)
      rss = Math.max(rss, memory.rss)
    }))

const content = Stream.unfold(
  Number(size),
  (left) =>
    Effect.succeed(
      left === 0 ? undefined : [part.subarray(0, Math.min(left, part.length)), Math.max(0, left - part.length)] as const
    )
)

const program = Effect.gen(function*() {
  const file = yield* Files.send({ channel: "a", name: "large", content: watched(content), size: Number(size) })
  const received = yield* Stream.runFold(watched(Files.download(file)), () => 0, (sum, bytes) => sum + bytes.length)
  const mb = (bytes: number) => Math.round(bytes / 1e6)
  yield* Console.log(JSON.stringify({ heap: mb(heap), rss: mb(rss), received }))
})

await Effect.runPromise(
  Effect.provide(
    program,
    NodePubNub.layer({ subscribeKey: "sub", publishKey: "pub", userId: "ada", origin, tls: false })
  )
)
