/** Prism: a server that others made, which answers as a description says and checks requests against it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ChildProcess from "effect/process/ChildProcess"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { inherited } from "../../cli/spawn.ts"
import { root } from "../../kit/scratch.ts"

export class PrismEnded extends Data.TaggedError("PrismEnded")<{ readonly output: string }> {
  override get message() {
    return `Prism ended before it listened: ${this.output}`
  }
}

/** Serves a document on a free port for as long as the scope is open. It takes seconds to begin. */
export const serve = Effect.fnUntraced(function*(document: string, ...flags: ReadonlyArray<string>) {
  const listening = yield* Deferred.make<number, PrismEnded>()
  const process = yield* ChildProcess.make(
    join(root, "node_modules/.bin/node"),
    [
      join(root, "node_modules/@stoplight/prism-cli/dist/index.js"),
      "mock",
      "--host=127.0.0.1",
      "--port=0",
      ...flags,
      document
    ],
    { cwd: root, env: inherited, stdin: "ignore", killSignal: "SIGKILL" }
  )
  let output = ""
  // It writes a few lines for each request, and would stop if nobody read them.
  yield* process.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      const [, port] = /Prism is listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
      if (port !== undefined) return Deferred.succeed(listening, Number(port))
      output = `${output}\n${line}`.slice(-2000)
      return Effect.void
    }),
    Effect.ensuring(Effect.suspend(() => Deferred.fail(listening, new PrismEnded({ output })))),
    Effect.forkScoped
  )
  return yield* Deferred.await(listening)
}, Effect.provide(NodeServices.layer))
