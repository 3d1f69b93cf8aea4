/**
 * The process of one client that reads while things go wrong: it tells its parent what it is given and what it is told, as
 * it comes. The arguments are the client's name and the service's origin.
 */
import type { Heard } from "./ears.ts"

const [name = "", origin = ""] = process.argv.slice(2)

const send = (heard: Heard) => void process.send?.(heard)

// What nobody catches would end the application.
process.on("uncaughtException", (error) => send({ _tag: "Told", what: `uncaught: ${error.message}` }))
process.once("disconnect", () => process.exit())

const { read } = name === "pubnub" ? await import("./pubnub.ts") : await import("./effect-herald.ts")
read(origin, {
  connected: () => send({ _tag: "Connected" }),
  message: (id) => send({ _tag: "Message", id: Number(id) }),
  told: (what) => send({ _tag: "Told", what })
})
