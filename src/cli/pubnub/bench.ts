/**
 * `herald bench`: how fast an origin accepts messages, and how fast they arrive.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { PubNubConfig } from "../../pubnub/PubNubConfig.ts"
import * as Publish from "../../pubnub/Publish.ts"
import * as Subscribe from "../../pubnub/Subscribe.ts"
import * as Inputs from "../input/flags.ts"
import * as Progress from "../output/progress.ts"
import { writeValue } from "../output/write.ts"
import * as BenchChart from "./benchChart.ts"
import * as BenchFigures from "./benchFigures.ts"
import { withKeyset } from "./keyset.ts"

/** The rate for one channel that the service recommends. */
const recommended = 5

/** How long after the last publish a message may arrive. */
const patience = Duration.seconds(5)

const Numbered = Schema.Struct({ n: Schema.Int })
const decode = Schema.decodeUnknownOption(Numbered)

/** Publishes so many messages, `interval` milliseconds apart, to a channel of its own, and reads them there. */
const run = Effect.fnUntraced(function*({ count, interval, size }: {
  readonly count: number
  readonly interval: number
  readonly size: number
}) {
  const channel = `herald-bench-${(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)}`
  const samples: Array<BenchChart.Sample> = []
  const failures: Array<Publish.PublishError> = []
  const arrivals = new Map<number, number>()
  const connected = yield* Deferred.make<number>()
  const now = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)
  const reader = yield* Subscribe.stream({ channels: [channel] }).pipe(
    Stream.tap(Effect.fnUntraced(function*(event) {
      if (event._tag === "Connected") yield* Deferred.succeed(connected, yield* now)
      const message = event._tag === "Message" ? decode(event.payload) : Option.none()
      if (Option.isSome(message)) arrivals.set(message.value.n, yield* now)
    })),
    Stream.takeUntil(() => arrivals.size === count),
    Stream.runDrain,
    Effect.forkChild
  )
  const start = yield* Effect.raceFirst(Deferred.await(connected), Effect.andThen(Fiber.join(reader), Effect.never))
  const one = Effect.fnUntraced(function*(n: number) {
    const sent = yield* now
    const published = yield* Effect.result(
      Publish.publish({ channel, message: { n, padding: "x".repeat(size) }, store: false })
    )
    const accepted = yield* now
    if (Result.isFailure(published)) failures.push(published.failure)
    samples[n] = { sent: sent - start, accepted: Result.isSuccess(published) ? accepted - start : undefined }
  })
  const publishing = yield* FiberSet.make<void, never>()
  const begin = yield* now
  for (let n = 0; n < count; n++) {
    const left = begin + n * interval - (yield* now)
    if (left > 0) yield* Effect.sleep(left)
    yield* FiberSet.run(publishing, one(n))
  }
  yield* Effect.raceFirst(FiberSet.join(publishing), FiberSet.awaitEmpty(publishing))
  const [failure] = failures
  if (failure !== undefined && failures.length === count) return yield* failure
  yield* Effect.timeoutOption(Fiber.join(reader), patience)
  yield* Fiber.interrupt(reader)
  return samples.map((sample, n): BenchChart.Sample => {
    const arrived = arrivals.get(n)
    return { ...sample, arrived: arrived === undefined ? undefined : arrived - start }
  })
}, Effect.scoped)

// --------------------------------------------------------------------------------------------------------------------
// table
// --------------------------------------------------------------------------------------------------------------------

interface Results {
  readonly origin: string
  readonly seconds: number
  readonly rate: number
  readonly sizeBytes: number
  readonly publish: BenchFigures.Figures
  readonly subscribe: BenchFigures.Figures
}

const columns = ["messages", "missing", "a second", ...Object.keys(BenchFigures.ranks).map((rank) => `${rank} ms`)]

const table = ({ origin, publish, rate, seconds, subscribe }: Results): ReadonlyArray<string> => {
  const row = (title: string, cells: ReadonlyArray<string>) =>
    [title.padEnd(10), ...cells.map((cell) => cell.padStart(10))].join("")
  const cells = ({ latencyMillis, messages, missing, perSecond }: BenchFigures.Figures) =>
    [messages, missing, perSecond, ...Object.values(latencyMillis)].map((value) => String(value ?? "-"))
  return [
    `${origin}: ${rate} messages a second for ${seconds} s`,
    row("", columns),
    row("accepted", cells(publish)),
    row("arrived", cells(subscribe))
  ]
}

// --------------------------------------------------------------------------------------------------------------------
// command
// --------------------------------------------------------------------------------------------------------------------

const number = (name: string, fallback: number, most: number, metavar: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: most }))),
    Flag.withDefault(fallback),
    Flag.withMetavar(metavar),
    Flag.withDescription(`${description} (default: ${fallback}, at most ${most})`)
  )

export const bench = Command.make(
  "bench",
  {
    rate: number("rate", recommended, 1_000, "n", "Messages a second. The service recommends 5 for one channel"),
    seconds: number("seconds", 5, 600, "n", "How long to publish"),
    size: number("size", 100, 30_000, "bytes", "Size of a message"),
    chart: Inputs.text("chart", "Also draw the latency of each message, as SVG", "file")
  },
  Effect.fnUntraced(function*({ chart, rate, seconds, size }) {
    const { origin } = yield* PubNubConfig
    yield* Progress.say(`Publishing ${rate * seconds} messages to ${origin}`)
    const samples = yield* run({ count: rate * seconds, interval: 1_000 / rate, size })
    const results: Results = {
      origin,
      seconds,
      rate,
      sizeBytes: size,
      publish: BenchFigures.of(samples, "accepted"),
      subscribe: BenchFigures.of(samples, "arrived")
    }
    yield* writeValue(results, table)
    if (chart !== undefined) {
      yield* FileSystem.FileSystem.use((fs) => fs.writeFileString(chart, BenchChart.draw(origin, samples)))
    }
  })
).pipe(
  withKeyset,
  Command.withDescription(
    "Publish to a channel of its own, read there, and print how fast messages are accepted and arrive. Nothing is stored"
  ),
  Command.withExamples([
    { command: "herald bench", description: "25 messages in 5 seconds" },
    { command: "herald bench --rate 50 --seconds 20 --chart latency.svg", description: "More, with a plot" }
  ])
)
