/** The program on Node, Bun or Deno. */
import { FetchHttpClient } from "effect/http"
import { NodeTransport } from "effect-herald/node"
import { PubNubEmulator } from "effect-herald/testing"
import { report } from "./program.ts"

const [, , place = "", origin = ""] = process.argv
const transports = { emulator: PubNubEmulator.layer(), fetch: FetchHttpClient.layer, node: NodeTransport.layer }
process.stdout.write(await report(place, origin, transports))
