/**
 * The process of `herald`.
 *
 * Ctrl-C and SIGTERM interrupt the command. It leaves its channels first, and exits with 130.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as NodeTransport from "../node/NodeTransport.ts"
import { run } from "./herald.ts"

Stdio.Stdio.pipe(
  Effect.flatMap((stdio) => stdio.args),
  Effect.flatMap(run),
  Effect.provide([NodeServices.layer, NodeTransport.layer]),
  NodeRuntime.runMain
)
