/** The layers of Node close their connections. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { NodePubNub, NodeSymphony } from "effect-herald/node"
import { Time } from "effect-herald/pubnub"
import { Session } from "effect-herald/symphony"
import * as Http from "node:http"
import type * as Net from "node:net"
import { keys } from "../testing/symphonyHttp.ts"

/** A server that closes no idle connection and asks its clients for none, its port, and the connections that are open. */
const served = Effect.gen(function*() {
  const open = new Set<Net.Socket>()
  const server = Http.createServer({ keepAliveTimeout: 600_000 }, (_, response) => response.end("[17334108326343660]"))
  server.on("connection", (socket) => {
    open.add(socket)
    socket.on("close", () => open.delete(socket))
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  return { open, port }
})

const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), until(holds)))

const layers: ReadonlyArray<readonly [string, (port: number) => Effect.Effect<unknown, never, Scope.Scope>]> = [
  ["NodePubNub", (port) =>
    Effect.flatMap(
      Layer.build(NodePubNub.layer({ subscribeKey: "sub", userId: "ada", origin: `127.0.0.1:${port}`, tls: false })),
      (context) => Effect.exit(Effect.provideContext(Time.now, context))
    )],
  ["NodeSymphony", (port) =>
    Effect.flatMap(
      Layer.build(NodeSymphony.layer({
        scheme: "http",
        host: "127.0.0.1",
        port,
        bot: { username: "bot", privateKey: Redacted.make(keys.bot.privateKey) },
        retry: { maxAttempts: 1 }
      })),
      (context) => Effect.exit(Effect.provideContext(Session.Session.use(({ tokens }) => tokens), context))
    )]
]

describe.each(layers)("%s.layer", (_, request) => {
  it.live("keeps its connections open until its scope closes, and no longer", () =>
    Effect.gen(function*() {
      const { open, port } = yield* served
      const scope = yield* Scope.make()
      yield* Scope.provide(request(port), scope)
      assert.isAbove(open.size, 0)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => open.size === 0)
    }).pipe(Effect.scoped), 20_000)
})
