import { assert, it } from "@effect/vitest"
import { once } from "node:events"
import * as Group from "./group.ts"

it("kills the processes that a process started when its group is killed", async () => {
  const group = Group.start("sh", ["-c", "sleep 60 & echo started; wait"], { stdio: ["ignore", "pipe", "ignore"] })
  if (group.stdout === null) return assert.fail("no output")
  await once(group.stdout, "data")
  Group.kill(group)
  // The output is closed when no process holds it any more.
  await once(group, "close")
})
