/** How much an application ships of us and of Effect: minified, compressed with gzip. */
import { assert, it } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import { bundle, programs } from "../kit/bundle.ts"

/** A limit is what was measured when it was set, and 3 % more. */
it.each([
  ["the configuration only", 11_600, programs.configuration],
  ["publish only", 54_100, programs.publish],
  ["publish and subscribe", 97_900, programs.subscribe],
  ["all of PubNub", 160_600, programs.pubnub],
  ["all of Symphony", 104_800, programs.symphony]
])(
  "%s stays within its limit",
  async (_, limit, program) => assert.isAtMost(gzipSync(await bundle(program, "browser")).length, limit),
  60_000
)
