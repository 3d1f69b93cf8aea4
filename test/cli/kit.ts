import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestConsole from "effect/testing/TestConsole"
import { run } from "../../src/cli/herald.ts"

export interface Ran {
  /** What commands and help wrote to standard output. */
  readonly stdout: ReadonlyArray<string>
  readonly stderr: ReadonlyArray<string>
  readonly exitCode: number
}

/** Runs `herald` in this process, over the `HttpClient` of the context. Nothing of the real environment is seen. */
export const herald = Effect.fnUntraced(function*(args: ReadonlyArray<string>, options: {
  readonly stdin?: string
  readonly terminal?: boolean
  readonly environment?: Readonly<Record<string, string>>
  /** Leaves out the keys that are otherwise set in the environment. */
  readonly keyless?: boolean
  /** Told of each line of output. */
  readonly onLine?: (line: string) => Effect.Effect<void>
} = {}) {
  const written: Array<string> = []
  const stdio = Stdio.layerTest({
    stdin: Stream.make(new TextEncoder().encode(options.stdin ?? "")),
    stdoutIsTerminal: Effect.succeed(options.terminal === true),
    stdout: () =>
      Sink.forEach((chunk) => {
        const line = String(chunk).replace(/\n$/, "")
        written.push(...line.split("\n"))
        return options.onLine?.(line) ?? Effect.void
      })
  })
  const environment = {
    HERALD_CONTEXTS: "",
    ...options.keyless !== true && { PUBNUB_SUBSCRIBE_KEY: "demo-sub", PUBNUB_PUBLISH_KEY: "demo-pub" },
    ...options.environment
  }
  return yield* Effect.gen(function*() {
    const exitCode = yield* run(args).pipe(
      Effect.as(0),
      Effect.catchTag("Reported", (reported) => Effect.succeed(reported.exitCode))
    )
    const ran: Ran = {
      stdout: [...written, ...(yield* TestConsole.logLines).map(String)],
      stderr: (yield* TestConsole.errorLines).map(String),
      exitCode
    }
    return ran
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        stdio,
        Layer.fresh(TestConsole.layer),
        ConfigProvider.layer(ConfigProvider.fromUnknown(environment))
      )
    )
  )
}, Effect.provide(NodeServices.layer))

/** Runs `herald` while `during` runs, which takes the lines that it prints. Then interrupts it, and gives all lines. */
export const heraldDuring = <A, E, R>(
  args: ReadonlyArray<string>,
  options: { readonly terminal?: boolean },
  during: (line: Effect.Effect<string>) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const lines = yield* Queue.unbounded<string>()
    const all: Array<string> = []
    const onLine = (line: string) => {
      all.push(line)
      return Effect.asVoid(Queue.offer(lines, line))
    }
    const fiber = yield* Effect.forkChild(herald(args, { ...options, onLine }))
    const ended = Effect.flatMap(Fiber.join(fiber), (ran) => Effect.die(ran))
    yield* during(Effect.raceFirst(Queue.take(lines), ended))
    yield* Fiber.interrupt(fiber)
    return all
  })
