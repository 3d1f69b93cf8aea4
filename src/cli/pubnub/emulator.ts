/**
 * `herald emulator`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Text from "../../internal/text.ts"
import * as PubNubEmulatorServer from "../../node/PubNubEmulatorServer.ts"
import { Root } from "./keyset.ts"
import { writeLine, writeLines } from "../output/lines.ts"

const addOn = (name: string, what: string) =>
  Flag.Boolean(name).pipe(
    Flag.withDefault(true),
    Flag.withDescription(`${what}: on, or --no-${name}`)
  )

/** Who may ask, beside programs and pages of this machine. */
export const callers = {
  hosts: Flag.String("allow-host").pipe(
    Flag.atLeast(0),
    Flag.withDescription("A name, beside those of this machine, that requests may be for; may be repeated")
  ),
  origins: Flag.String("allow-origin").pipe(
    Flag.atLeast(0),
    Flag.withDescription("The origin of pages, beside those of this machine, that may ask; may be repeated")
  )
}

export const emulator = Command.make(
  "emulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDefault(4040),
      Flag.withDescription("The port; 0 is any that is free (default: 4040)")
    ),
    host: Flag.String("host").pipe(
      Flag.withDefault("127.0.0.1"),
      Flag.withDescription("The address to listen on (default: 127.0.0.1, this machine only)")
    ),
    ...callers,
    verbose: Flag.Boolean("verbose").pipe(Flag.withDefault(false), Flag.withDescription("Print each request")),
    persistence: addOn("persistence", "History"),
    presence: addOn("presence", "Joins and leaves"),
    appContext: addOn("app-context", "Users, channels and memberships"),
    streamController: addOn("stream-controller", "Wildcards, groups and filters"),
    accessManager: Flag.Boolean("access-manager").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Refuse requests that have neither a signature nor a token")
    )
  },
  Effect.fnUntraced(function*({ host, hosts, origins, port, verbose, ...addOns }) {
    const { json, publishKey = "demo-pub", secretKey, subscribeKey = "demo-sub" } = yield* Root
    const keyset = { subscribeKey, publishKey, ...secretKey && { secretKey: Redacted.value(secretKey) } }
    yield* Effect.gen(function*() {
      const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      yield* writeLine(
        json === true
          ? JSON.stringify({ origin, subscribeKey, publishKey })
          : greeting(origin, subscribeKey, publishKey)
      )
      if (!verbose) return yield* Effect.never
      yield* writeRequests(emulator.requests)
    }).pipe(Effect.provide(PubNubEmulatorServer.layer({ port, host, hosts, origins, addOns, keysets: [keyset] })))
  })
).pipe(Command.withDescription("Run an emulator of PubNub on a port, for clients of any language, until Ctrl-C"))

const greeting = (origin: string, subscribeKey: string, publishKey: string): string =>
  [
    `PubNub emulator on ${origin}, without TLS. Ctrl-C ends it.`,
    `  subscribe key  ${subscribeKey}`,
    `  publish key    ${publishKey}`,
    "Elsewhere:",
    `  export PUBNUB_ORIGIN=${origin} PUBNUB_TLS=false PUBNUB_SUBSCRIBE_KEY=${subscribeKey} PUBNUB_PUBLISH_KEY=${publishKey}`,
    "  herald subscribe orders",
    "  herald publish orders '{\"id\": 1}'"
  ].join("\n")

/** What is handled, a line each, for as long as it is asked for. Only the newest are there to be asked for. */
export const writeRequests = Effect.fnUntraced(function*(handled: Effect.Effect<ReadonlyArray<Handled>>) {
  const { json } = yield* Root
  yield* Stream.fromEffectSchedule(handled, Schedule.spaced("100 millis")).pipe(
    Stream.mapAccum((): Handled | undefined => undefined, (last, all) => [
      all.at(-1) ?? last,
      last === undefined ? all : all.slice(all.lastIndexOf(last) + 1)
    ]),
    Stream.map(({ method, target, time, uuid }) => ({
      time: DateTime.formatIso(DateTime.makeUnsafe(time)),
      method,
      // Without the query, which may hold a token.
      path: target.replace(/\?.*/s, ""),
      user: uuid
    })),
    Stream.map((request) => json === true ? JSON.stringify(request) : toLine(request)),
    writeLines
  )
})

interface Handled {
  readonly time: number
  readonly method: string
  readonly target: string
  readonly uuid?: string | undefined
}

interface Request {
  readonly time: string
  readonly method: string
  readonly path: string
  readonly user: string | undefined
}

const toLine = ({ method, path, time, user }: Request): string =>
  Text.harmless(`${time.slice(11)}  ${method.padEnd(4)}  ${path}  ${user ?? ""}`).trimEnd()
