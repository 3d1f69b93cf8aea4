import { assert, it } from "@effect/vitest"
import { hasInspector } from "../../src/cli/emulator.ts"

it.each<readonly [string, boolean | undefined, string, boolean]>([
  ["on, on a loopback address", undefined, "127.0.0.1", true],
  ["on, on localhost", undefined, "localhost", true],
  ["on, on the loopback address of IPv6", undefined, "::1", true],
  ["off, on all addresses", undefined, "0.0.0.0", false],
  ["off, on all addresses of IPv6", undefined, "::", false],
  ["on, on all addresses with --inspector", true, "0.0.0.0", true],
  ["off, on a loopback address with --no-inspector", false, "127.0.0.1", false]
])("the inspector is %s", (_, flag, host, isOn) => assert.strictEqual(hasInspector(flag, host), isOn))
