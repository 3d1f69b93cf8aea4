/**
 * The flags that every command shares, and the configuration that they make.
 */
import * as Config from "effect/Config"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as PubNubConfig from "../../pubnub/PubNubConfig.ts"

const optional = <A>(flag: Flag.Flag<A>, fallback: Config.Config<A>) =>
  flag.pipe(Flag.withFallbackConfig(fallback), Flag.withDefault(undefined))

const flags = {
  subscribeKey: optional(Flag.String("subscribe-key"), Config.String("PUBNUB_SUBSCRIBE_KEY")).pipe(
    Flag.withDescription("The keyset's subscribe key (PUBNUB_SUBSCRIBE_KEY)")
  ),
  publishKey: optional(Flag.String("publish-key"), Config.String("PUBNUB_PUBLISH_KEY")).pipe(
    Flag.withDescription("The keyset's publish key, to send (PUBNUB_PUBLISH_KEY)")
  ),
  secretKey: optional(Flag.Redacted("secret-key"), Config.Redacted("PUBNUB_SECRET_KEY")).pipe(
    Flag.withDescription("The keyset's secret key, which signs every request (PUBNUB_SECRET_KEY)")
  ),
  authToken: optional(Flag.Redacted("auth-token"), Config.Redacted("PUBNUB_AUTH_TOKEN")).pipe(
    Flag.withDescription("An access token (PUBNUB_AUTH_TOKEN)")
  ),
  userId: Flag.String("user-id").pipe(
    Flag.withFallbackConfig(Config.String("PUBNUB_USER_ID")),
    Flag.withDefault("herald"),
    Flag.withDescription("Who sends and listens (PUBNUB_USER_ID; default: herald)")
  ),
  origin: optional(Flag.String("origin"), Config.String("PUBNUB_ORIGIN")).pipe(
    Flag.withDescription("Host, or host:port, of the service (PUBNUB_ORIGIN)")
  ),
  tls: optional(Flag.Boolean("tls"), Config.Boolean("PUBNUB_TLS")).pipe(
    Flag.withDescription("HTTPS; --no-tls is HTTP (PUBNUB_TLS; default: HTTPS, except to this machine)")
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDefault(undefined),
    Flag.withDescription(
      "One JSON object a line (the default of events, messages, actions and objects that no terminal reads)"
    )
  )
}

/** The command above all others: it has no work of its own, and hands its flags down. */
export const Root = Command.make("herald").pipe(
  Command.withSharedFlags(flags),
  Command.withShortDescription("PubNub and Symphony from the command line"),
  Command.withDescription(
    "Publish to PubNub and subscribe, talk to Symphony, or run an emulator of either. " +
      "Exit codes: 0 done; 1 unexpected; 2 wrong input; 3 refused (access, key, add-on); " +
      "4 the network or the service failed, and took no message; 5 sent, but whether it was taken is not known; " +
      "6 nothing done: not found, there already, or changed meanwhile; " +
      "130 interrupted, by Ctrl-C or SIGTERM."
  )
)

/** The values of the shared flags. */
export type Flags = Command.Command.Config.Infer<typeof flags>

export const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/** The configuration that the flags describe. A key that is missing is told by the request that needs it. */
export const toOptions = ({ json: _, origin, subscribeKey, tls, ...options }: Flags): PubNubConfig.Options => ({
  ...options,
  subscribeKey: subscribeKey ?? "",
  origin,
  tls: tls ?? !loopback.test(origin ?? "")
})
