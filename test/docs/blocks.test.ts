/**
 * Every block of TypeScript in the README, the guides and llms.txt runs. Each page has its own emulators and virtual time. Its blocks run in
 * order. In a block run: what it passes to `Effect.runPromise` or `NodeRuntime.runMain`, its tests, and else every Effect,
 * Stream and Layer that has a name. Each has a virtual minute. Then it may still wait, but it must not have failed.
 * `compiler.test.ts` compiles the same blocks.
 */
import { it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CursorStore from "effect-herald/CursorStore"
import { Publisher, PubNubConfig } from "effect-herald/pubnub"
import { Session, SymphonyConfig } from "effect-herald/symphony"
import { PubNubEmulator, SymphonyEmulator, VirtualTime } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { start } from "../kit/emulated.ts"
import { root } from "../kit/scratch.ts"
import { started } from "./standIn/started.ts"

const pages = [
  "README.md",
  "docs/llms.txt",
  ...Fs.readdirSync(Path.join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => `docs/${name}`)
]

const blocksOf = (page: string): ReadonlyArray<string> =>
  [...Fs.readFileSync(Path.join(root, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code)

const standIns: Record<string, string> = {
  "effect-herald/node": "effect-herald-node.ts",
  "@effect/platform-node": "platform-node.ts",
  "@effect/sql-pg": "sql-pg.ts",
  "@effect/vitest": "effect-vitest.ts"
}

/** A block as a module that starts nothing by itself, and exports all that has a name. */
const moduleOf = (code: string): string => {
  const body = code
    .replaceAll(/import \* as (Node(?:PubNub|Symphony|Runtime)) from "(.*)\/\1"/g, "import { $1 } from \"$2\"")
    .replaceAll(/from "([^"]+)"/g, (whole, name: string) => {
      const standIn = standIns[name]
      return standIn === undefined
        ? whole
        : `from ${JSON.stringify(Path.join(import.meta.dirname, "standIn", standIn))}`
    })
    .replaceAll(/^(?:await )?Effect\.runPromise\(/gm, "const runPromise = (")
    .replaceAll(/^export (?=(?:const|class) )/gm, "")
  const names = [...body.matchAll(/^(?:const|class) (\w+)/gm)].map(([, name]) => name)
  return `${body}\nexport const named: Record<string, unknown> = { ${names.join(", ")} }\n`
}

/** The emulators of a page, all services that a block may ask for, and what stands for some texts in blocks. */
const world = Effect.fnUntraced(function*(folder: string) {
  const pubnub = yield* Layer.build(PubNubEmulator.layer())
  const { privateKey, publicKey } = yield* SymphonyEmulator.keyPair
  const symphony = yield* Layer.build(
    Session.layer().pipe(
      Layer.provideMerge(SymphonyConfig.layer({
        host: "pod.example.com",
        bot: { username: "bot", privateKey },
        app: { appId: "orders", privateKey }
      })),
      Layer.provideMerge(SymphonyEmulator.layer({
        users: [{ username: "bot", publicKey }, { username: "ada" }],
        apps: [{ appId: "orders", publicKey }]
      }))
    )
  )
  const toPubNub = Context.get(pubnub, HttpClient.HttpClient)
  const toSymphony = Context.get(symphony, HttpClient.HttpClient)
  const http = HttpClient.make((request, url) =>
    (url.host === "pod.example.com" ? toSymphony : toPubNub).execute(request)
  )
  const emulator = Context.get(symphony, SymphonyEmulator.SymphonyEmulator)
  const room = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "bot"] })
  const message = yield* emulator.send({ streamId: room, username: "bot", message: "Order 1 is ready." })
  Fs.writeFileSync(Path.join(folder, "key.pem"), Redacted.value(privateKey))
  Fs.writeFileSync(
    Path.join(folder, "config.yaml"),
    `host: pod.example.com\nbot:\n  username: bot\n  privateKey:\n    path: ${Path.join(folder, "key.pem")}\n`
  )
  const services = Layer.mergeAll(
    Publisher.layer({ messageIds: true }),
    CursorStore.layerMemory,
    PubNubConfig.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada" }),
    NodeServices.layer,
    Logger.layer([]),
    ConfigProvider.layer(ConfigProvider.fromUnknown({
      PUBNUB_SUBSCRIBE_KEY: "demo-sub",
      PUBNUB_PUBLISH_KEY: "demo-pub",
      PUBNUB_USER_ID: "ada",
      CIPHER_KEY: "a key",
      OLD_CIPHER_KEY: "an older key",
      SYMPHONY_HOST: "pod.example.com",
      SYMPHONY_BOT_USERNAME: "bot",
      SYMPHONY_BOT_PRIVATE_KEY: Redacted.value(privateKey)
    }))
  ).pipe(
    Layer.provideMerge(
      Layer.succeedContext(Context.merge(pubnub, symphony).pipe(Context.add(HttpClient.HttpClient, http)))
    )
  )
  const texts = {
    ROOM: room,
    MESSAGE: message,
    "config.yaml": Path.join(folder, "config.yaml"),
    cursors: Path.join(folder, "cursors")
  }
  return { texts, services: yield* Layer.build(services) }
})

interface Program {
  readonly name: string
  readonly program: Effect.Effect<unknown, unknown, never>
}

/** What a block runs. */
const programsOf = (named: Record<string, unknown>): ReadonlyArray<Program> => {
  const tests = started.splice(0)
  if (tests.length > 0) return tests
  const { runPromise } = named
  const all = runPromise === undefined ? Object.entries(named) : [["runPromise", runPromise] as const]
  return all.flatMap(([name, value]) => {
    if (Stream.isStream(value)) return [{ name, program: Stream.runDrain(value) as Program["program"] }]
    if (Layer.isLayer(value)) return [{ name, program: Layer.build(value) as Program["program"] }]
    return Effect.isEffect(value) ? [{ name, program: value as Program["program"] }] : []
  })
}

/** Runs a program for a virtual minute. */
const run = Effect.fnUntraced(function*({ program }: Program) {
  const fiber = yield* Effect.forkChild(Effect.scoped(program))
  yield* VirtualTime.advance("1 minute")
  yield* Fiber.interrupt(fiber)
  return yield* Fiber.await(fiber)
})

const scratch = Effect.acquireRelease(
  Effect.sync(() => {
    Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
    return Fs.mkdtempSync(Path.join(root, ".scratch/blocks-"))
  }),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
)

for (const page of pages) {
  const blocks = blocksOf(page)
  if (blocks.length === 0) continue
  it.effect(`every block of ${page} runs`, () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const folder = yield* scratch
      const { services, texts } = yield* world(folder)
      const failures: Array<string> = []
      for (const [index, code] of blocks.entries()) {
        const file = Path.join(folder, `block-${index}.ts`)
        const module = Object.entries(texts).reduce(
          (module, [text, value]) => module.replaceAll(JSON.stringify(text), JSON.stringify(value)),
          moduleOf(code)
        )
        Fs.writeFileSync(file, module)
        const { named } = yield* Effect.promise(() =>
          import(/* @vite-ignore */ file) as Promise<{ readonly named: Record<string, unknown> }>
        )
        for (const program of programsOf(named)) {
          const exit = yield* Effect.provide(run(program), services)
          if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
            failures.push(`block ${index + 1}, ${program.name}: ${Cause.pretty(exit.cause)}`)
          }
        }
      }
      if (failures.length > 0) throw new Error(failures.join("\n"))
    }).pipe(Effect.scoped, Effect.provide(VirtualTime.layer)), 30_000)
}
