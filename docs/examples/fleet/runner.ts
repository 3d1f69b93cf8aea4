/**
 * A runner of the fleet. Its settings are in the environment: DATABASE_URL, PUBNUB_SUBSCRIBE_KEY, PUBNUB_USER_ID (and
 * PUBNUB_ORIGIN for an emulator), and PORT, on which the runners talk. With OTEL_EXPORTER_OTLP_ENDPOINT, such as
 * http://127.0.0.1:4318, metrics and traces go to a collector.
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Fleet, SqlFleetStore } from "effect-herald/fleet"
import { NodePubNub } from "effect-herald/node"

const lanes = 12

const Runner = Layer.unwrap(Effect.gen(function*() {
  const port = yield* Config.Int("PORT")
  const url = yield* Config.Redacted("DATABASE_URL")

  const Orders = Fleet.layer(({ payload }) => Console.log(payload), {
    name: "orders",
    lanes,
    owner: `runner-${port}`,
    schema: Schema.Int,
    pause: "3 seconds"
  })

  const Cluster = NodeClusterSocket.layer({
    shardingConfig: {
      runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)),
      shardsPerGroup: lanes,
      shardLockExpiration: "4500 millis",
      shardLockRefreshInterval: "1500 millis",
      refreshAssignmentsInterval: "500 millis",
      entityMessagePollInterval: "2 seconds",
      runnerHealthCheckInterval: "1 second"
    }
  })

  return Orders.pipe(
    Layer.provide([Cluster, SqlFleetStore.layer(), NodePubNub.layerConfig()]),
    Layer.provide(PgClient.layer({ url, maxConnections: 10 }))
  )
}))

const Observed = Layer.unwrap(Effect.map(
  Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT")),
  Option.match({
    onNone: () => Layer.empty,
    onSome: (baseUrl) =>
      Otlp.layerJson({ baseUrl, resource: { serviceName: "orders" } }).pipe(Layer.provide(NodeHttpClient.layerUndici))
  })
))

NodeRuntime.runMain(Layer.launch(Layer.provide(Runner, Observed)))
