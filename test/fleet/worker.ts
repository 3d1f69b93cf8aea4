/**
 * A worker that is killed: it writes each message to a table, in one transaction with its cursor. The arguments are the origin of
 * the emulator, and the server and the name of the database. It has no message of its own when it loses its reader.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlCursorStore } from "effect-herald/fleet"
import { NodePubNub } from "effect-herald/node"
import { Subscribe } from "effect-herald/pubnub"
import * as Quick from "../node/quick.ts"
import { client } from "../kit/postgresClient.ts"

const [origin = "", server = "{}", database = ""] = process.argv.slice(2)

const worker = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* Subscribe.consumePages(
    (page) =>
      Effect.forEach(page, ({ payload }) =>
        Effect.andThen(
          sql`INSERT INTO handled (id, worker) VALUES (${Number(payload)}, ${process.pid})`,
          Effect.flatMap(Random.nextIntBetween(0, 4), Effect.sleep)
        ), { discard: true }),
    {
      channels: ["orders"],
      reader: "orders",
      commit: "transaction",
      retry: { base: "20 millis", cap: "200 millis" },
      commitRetry: { base: "20 millis", cap: "200 millis" },
      reconnect: Quick.reconnect
    }
  )
})

NodeRuntime.runMain(
  worker.pipe(
    Effect.provide(SqlCursorStore.layer({ owner: String(process.pid) })),
    Effect.retry({ while: (error) => "isRetryable" in error && error.isRetryable, times: 100 }),
    Effect.catchTag("CursorStoreError", (error) => error.kind === "Fenced" ? Effect.void : Effect.fail(error)),
    // It says often that PostgreSQL is down.
    Effect.provide(Layer.mergeAll(
      Logger.layer([]),
      NodePubNub.layer({ subscribeKey: "demo-sub", userId: "worker", origin, tls: false, ...Quick.timeouts }),
      client(JSON.parse(server), database)
    ))
  )
)
