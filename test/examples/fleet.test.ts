/** The example of a fleet: a runner of it, what it sends to a collector, and what `herald fleet status` shows of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Fleet, SqlFleetStore } from "effect-herald/fleet"
import { PubNubEmulatorServer } from "effect-herald/node"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { herald } from "../cli/kit.ts"
import { node } from "../cli/spawn.ts"
import * as Postgres from "../kit/postgres.ts"
import { isWhole } from "../simulation/seeds.ts"

const listen = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
      const server = createServer(answer)
      const close = () => {
        server.close()
        server.closeAllConnections()
      }
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({ port: typeof address === "object" && address !== null ? address.port : 0, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const freePort = Effect.scoped(Effect.map(listen(() => {}), ({ port }) => port))

/** A collector of OTLP over HTTP, in JSON. It keeps the names of the metrics that it got. */
const collector = Effect.gen(function*() {
  const names = new Set<string>()
  const { port } = yield* listen((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (text: string) => body += text)
    request.on("end", () => {
      if (request.url === "/v1/metrics") {
        for (const [, name = ""] of body.matchAll(/"name":"(\w+)"/g)) names.add(name)
      }
      response.setHeader("content-type", "application/json").end("{}")
    })
  })
  return { url: `http://127.0.0.1:${port}`, names }
})

const { server } = Postgres

describe.skipIf(server === undefined)("the example of a fleet", () => {
  if (server === undefined) return
  const urlOf = (database: string) =>
    `postgres://${server.username}:${server.password ?? ""}@${server.host}:${server.port}/${database}`

  it.live(
    "reads orders, sends its gauges to a collector, and is seen by herald fleet status",
    () =>
      Effect.gen(function*() {
        const database = yield* Postgres.databaseOf(server)
        const DATABASE_URL = urlOf(database)
        const { emulator, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
        const { names, url } = yield* collector
        const status = herald(["fleet", "status", "orders"], { environment: { DATABASE_URL } })
        yield* Effect.provide(
          Fleet.addChannels({ fleet: "orders", channels: Array.from({ length: 60 }, (_, n) => `room-${n}`) }),
          SqlFleetStore.layer().pipe(Layer.provide(Postgres.client(server, database)))
        )
        const nobody = yield* status
        assert.deepStrictEqual([nobody.exitCode, nobody.stderr.length], [2, 1])

        const PORT = String(yield* freePort)
        const runner = yield* node(["--conditions=effect-herald-source", "docs/examples/fleet/runner.ts"], {
          DATABASE_URL,
          PORT,
          PUBNUB_SUBSCRIBE_KEY: "demo-sub",
          PUBNUB_USER_ID: "fleet",
          PUBNUB_ORIGIN: `127.0.0.1:${port}`,
          PUBNUB_TLS: "false",
          OTEL_EXPORTER_OTLP_ENDPOINT: url
        })
        const until = <A, R>(effect: Effect.Effect<A, never, R>, holds: (value: A) => boolean) =>
          Effect.repeat(effect, { until: holds, schedule: Schedule.spaced("100 millis") })
        yield* until(status, ({ stdout }) => stdout.filter((line) => line.includes("  committed ")).length === 12)
        const [lane = "{}"] =
          (yield* herald(["fleet", "status", "orders", "--json"], { environment: { DATABASE_URL } })).stdout
        assert.include(JSON.parse(lane), { lane: "orders/0", owner: `runner-${PORT}`, epoch: 1 })
        yield* emulator.publish({ channel: "room-7", message: 42 })
        assert.include(yield* until(runner.written, (text) => text.endsWith("\n42\n")), "Listening on")
        // It measures after each look at its table.
        yield* Effect.sleep("3 seconds")
        yield* runner.signal("SIGTERM")
        assert.strictEqual((yield* runner.exit).code, 130)
        assert.includeMembers([...names], [
          "herald_fleet_lanes",
          "herald_fleet_lag_millis",
          "herald_fleet_oldest_commit_millis",
          "herald_fleet_failing_lanes",
          "herald_fleet_handled"
        ])
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(PubNubEmulatorServer.layer(), FetchHttpClient.layer))),
    60_000
  )

  it.live.runIf(isWhole)("loses nothing when each of its runners is killed", () =>
    Effect.gen(function*() {
      const DATABASE_URL = urlOf(yield* Postgres.databaseOf(server))
      const all = yield* node(["--conditions=effect-herald-source", "docs/examples/fleet/main.ts"], { DATABASE_URL })
      const { code, stdout } = yield* all.exit
      assert.strictEqual(code, 0)
      assert.lengthOf(stdout.match(/^the others have its lanes after /gm) ?? [], 3)
      assert.match(stdout, /^published (\d+), handled \1, lost 0, twice \d+$/m)
    }).pipe(Effect.scoped), 240_000)
})
