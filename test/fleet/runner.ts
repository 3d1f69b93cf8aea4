/**
 * A runner of a fleet that tests kill. Each message that it handles is a row of a table. The settings are JSON in the first
 * argument.
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { Fleet, SqlFleetStore } from "effect-herald/fleet"
import { NodePubNub } from "effect-herald/node"

export interface Settings {
  readonly url: string
  readonly origin: string
  readonly port: number
  readonly lanes: number
  readonly shards: number
  /** How long the handler takes, in milliseconds. */
  readonly work: number
}

const settings: Settings = JSON.parse(process.argv[2] ?? "{}")

const owner = `runner-${settings.port}`

const Orders = Fleet.layer(
  ({ channel, payload, timetoken }) =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      if (settings.work > 0) yield* Effect.sleep(settings.work)
      const reader = `orders/${Fleet.laneOf(channel, settings.lanes)}`
      yield* sql`INSERT INTO handled (reader, payload, timetoken, owner)
        VALUES (${reader}, ${Number(payload)}, ${timetoken}, ${owner})`
    }),
  {
    name: "orders",
    lanes: settings.lanes,
    owner,
    retry: { base: "200 millis", cap: "2 seconds", maxAttempts: 8 },
    pause: "3 seconds",
    refresh: "2 seconds",
    handOver: "500 millis"
  }
)

const Cluster = NodeClusterSocket.layer({
  shardingConfig: {
    runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", settings.port)),
    shardsPerGroup: settings.shards,
    shardLockExpiration: "4500 millis",
    shardLockRefreshInterval: "1500 millis",
    refreshAssignmentsInterval: "500 millis",
    entityMessagePollInterval: "2 seconds",
    runnerHealthCheckInterval: "1 second",
    entityTerminationTimeout: "5 seconds"
  }
})

NodeRuntime.runMain(
  Layer.launch(Orders.pipe(
    Layer.provide([
      Cluster,
      SqlFleetStore.layer(),
      NodePubNub.layer({
        subscribeKey: "demo-sub",
        userId: "fleet",
        origin: settings.origin,
        tls: false,
        sendLeave: false
      })
    ]),
    Layer.provide(PgClient.layer({ url: Redacted.make(settings.url), maxConnections: 10 })),
    Layer.provide(Logger.layer([Logger.consoleLogFmt]))
  ))
)
