/**
 * A worker that is killed: it notes each message that it handled in a file, and keeps its cursor in another. The arguments
 * are the emulator's origin and a folder.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CursorStore from "effect-herald/CursorStore"
import { NodePubNub } from "effect-herald/node"
import { Subscribe } from "effect-herald/pubnub"
import { appendFileSync } from "node:fs"
import * as Quick from "./quick.ts"

const [origin = "", folder = ""] = process.argv.slice(2)

const note = (line: string) => Effect.sync(() => appendFileSync(`${folder}/handled`, `${line}\n`))

const worker = Subscribe.consume(
  (message) => Effect.andThen(Effect.sleep("3 millis"), note(JSON.stringify(message.payload))),
  {
    channels: ["orders"],
    reader: "worker",
    reconnect: Quick.reconnect,
    onStatus: (notice) => notice._tag === "Connected" ? note("\"connected\"") : Effect.void
  }
)

NodeRuntime.runMain(Effect.provide(
  worker,
  Layer.merge(
    NodePubNub.layer({ subscribeKey: "demo-sub", userId: "worker", origin, tls: false, ...Quick.timeouts }),
    CursorStore.layerFileSystem(`${folder}/cursors`).pipe(Layer.provide(NodeServices.layer))
  )
))
