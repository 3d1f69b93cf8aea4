/**
 * The process of one client that adds subscriptions: it is sent names, perhaps none, and answers with the size of its heap
 * when it has added each. The arguments are the client's name and the service's origin.
 */
import { setImmediate, setTimeout } from "node:timers/promises"
import { type Add, contenders } from "./contenders.ts"

const [name = "", origin = ""] = process.argv.slice(2)

const heap = async () => {
  await setTimeout(20)
  await globalThis.gc?.({ execution: "async" })
  await globalThis.gc?.({ execution: "async" })
  return process.memoryUsage().heapUsed
}

const load = contenders.get(name)
if (load === undefined) throw new Error(`there is no contender "${name}"`)
let add: Add | undefined

const addAll = async (names: ReadonlyArray<string>) => {
  add ??= await load(origin)
  for (const channel of names) {
    add(channel)
    // A turn of the event loop lies between two, as between two users that come.
    await setImmediate()
  }
  return heap()
}

process.on("message", (names: ReadonlyArray<string>) => {
  void addAll(names).then((bytes) => process.send?.(bytes))
})
process.once("disconnect", () => process.exit())
