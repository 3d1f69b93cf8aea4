/**
 * `herald emulator`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as PubNubEmulatorServer from "../../node/PubNubEmulatorServer.ts"
import { kinds } from "../../node/internal/inspector/pubnub.ts"
import * as Dump from "../dump.ts"
import * as Emulator from "../emulator.ts"
import * as Inputs from "../input/flags.ts"
import { writeValue } from "../output/write.ts"
import { given, settings } from "./keyset.ts"

const addOn = (name: string, what: string) => Inputs.boolean(name, `${what} (default), or --no-${name}`, true)

export const emulator = Command.make(
  "emulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDefault(4040),
      Flag.withDescription("Port; 0 picks a free one (default: 4040)")
    ),
    host: Flag.String("host").pipe(
      Flag.withDefault("127.0.0.1"),
      Flag.withDescription("Address to listen on (default: 127.0.0.1, this machine only)")
    ),
    ...Emulator.flagsOf(kinds),
    persistence: addOn("persistence", "Store messages"),
    presence: addOn("presence", "Send presence events"),
    appContext: addOn("app-context", "Store users, channels and memberships"),
    streamController: addOn("stream-controller", "Allow wildcards, channel groups and filters"),
    accessManager: Inputs.boolean(
      "access-manager",
      "Refuse requests without a signature, and those that their token does not allow"
    )
  },
  Effect.fnUntraced(
    function*({ dump, faults, host, hosts, inspector: flag, latency, origins, port, seed, verbose, ...addOns }) {
      const { publishKey = "demo-pub", secretKey, subscribeKey = "demo-sub" } = yield* given
      const keys = { subscribeKey, publishKey, ...secretKey && { secretKey: Redacted.value(secretKey) } }
      const hasInspector = Emulator.hasInspector(flag, host)
      yield* Effect.gen(function*() {
        const { emulator, origin, url } = yield* PubNubEmulatorServer.PubNubEmulatorServer
        const inspector = Emulator.inspectorUrl(url, hasInspector)
        yield* writeValue({ origin, subscribeKey, publishKey, inspector }, greeting)
        yield* Emulator.serve(emulator.requests, verbose).pipe(Dump.whenEnded(dump, Dump.ofPubNub(emulator)))
      }).pipe(
        Effect.provide(
          PubNubEmulatorServer.layer({
            port,
            host,
            hosts,
            origins,
            inspector: hasInspector,
            addOns,
            keysets: [keys],
            ...Emulator.networkOf({ faults, latency, seed })
          })
        )
      )
    }
  )
).pipe(
  // Without a context: its keys are those of the service.
  Command.withGlobalFlags(settings),
  Command.withDescription("Run a PubNub emulator on a port, for clients in any language, until Ctrl-C")
)

const greeting = ({ inspector, origin, publishKey, subscribeKey }: {
  readonly origin: string
  readonly subscribeKey: string
  readonly publishKey: string
  readonly inspector: string | undefined
}) => [
  `PubNub emulator on ${origin}, without TLS. Press Ctrl-C to end it.`,
  ...Emulator.inspectorLine(inspector),
  `  subscribe key  ${subscribeKey}`,
  `  publish key    ${publishKey}`,
  "In another terminal:",
  `  export PUBNUB_ORIGIN=${origin} PUBNUB_TLS=false PUBNUB_SUBSCRIBE_KEY=${subscribeKey} PUBNUB_PUBLISH_KEY=${publishKey}`,
  "  herald subscribe orders",
  "  herald publish orders '{\"id\": 1}'"
]
