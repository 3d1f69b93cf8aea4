/**
 * Three runners read orders from 60 channels, and each of them is killed in turn. Nothing is lost.
 *
 * It needs a PostgreSQL: `DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres node docs/examples/fleet/main.ts`. The orders come
 * from an emulator in this process.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Fleet, FleetStore, SqlFleetStore } from "effect-herald/fleet"
import { PubNubEmulatorServer } from "effect-herald/node"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const program = Effect.fn("main")(function*(url: string) {
  const { emulator, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
  const store = yield* FleetStore.FleetStore
  const handled = new Map<number, number>()
  const runners = new Map<number, ChildProcess>()

  const start = (port: number, origin: string) =>
    Effect.sync(() => {
      const file = fileURLToPath(new URL("./runner.ts", import.meta.url))
      const child = spawn(process.execPath, [...process.execArgv, file], {
        stdio: ["ignore", "pipe", "inherit"],
        env: {
          ...process.env,
          DATABASE_URL: url,
          PORT: String(port),
          PUBNUB_SUBSCRIBE_KEY: "demo-sub",
          PUBNUB_USER_ID: "fleet",
          PUBNUB_ORIGIN: origin,
          PUBNUB_TLS: "false"
        }
      })
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        for (const line of text.split("\n")) {
          if (/^\d+$/.test(line)) handled.set(Number(line), (handled.get(Number(line)) ?? 0) + 1)
        }
      })
      runners.set(port, child)
    })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const runner of runners.values()) runner.kill("SIGKILL")
    })
  )

  const until = <E>(holds: Effect.Effect<boolean, E>) =>
    Effect.repeat(holds, { until: (held) => held, schedule: Schedule.spaced("100 millis") })

  // A first run begins with empty tables.
  const channels = Array.from({ length: 60 }, (_, n) => `room-${n}`)
  yield* Fleet.addChannels({ fleet: "orders", channels })
  const ports = [34_431, 34_432, 34_433]
  for (const each of ports) yield* start(each, `127.0.0.1:${port}`)
  yield* Console.log("three runners start")
  yield* until(
    Effect.map(
      store.lanes("orders"),
      (lanes) => lanes.length === 12 && lanes.every(({ position }) => position !== undefined)
    )
  )

  let published = 0
  const publish = Effect.suspend(() => {
    const id = published++
    return emulator.publish({ channel: channels[id % channels.length] ?? "", message: id })
  })
  const publishing = yield* Effect.forkChild(Effect.repeat(publish, Schedule.spaced("20 millis")))

  for (const each of ports) {
    yield* Effect.sleep("3 seconds")
    yield* Console.log(`kill -9 of the runner on port ${each}`)
    runners.get(each)?.kill("SIGKILL")
    const began = Date.now()
    yield* until(Effect.map(store.lanes("orders"), (lanes) => lanes.every(({ owner }) => owner !== `runner-${each}`)))
    yield* Console.log(`the others have its lanes after ${((Date.now() - began) / 1_000).toFixed(1)} seconds`)
    yield* start(each, `127.0.0.1:${port}`)
    yield* Effect.sleep("4 seconds")
  }
  yield* Fiber.interrupt(publishing)
  yield* until(Effect.sync(() => handled.size === published)).pipe(Effect.timeoutOption("30 seconds"))
  const twice = [...handled.values()].reduce((sum, count) => sum + count - 1, 0)
  yield* Console.log(
    `published ${published}, handled ${handled.size}, lost ${published - handled.size}, twice ${twice}`
  )
})

NodeRuntime.runMain(Effect.gen(function*() {
  const url = yield* Config.Redacted("DATABASE_URL")
  yield* program(Redacted.value(url)).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.mergeAll(PubNubEmulatorServer.layer(), SqlFleetStore.layer().pipe(Layer.provide(PgClient.layer({ url }))))
    )
  )
}))
