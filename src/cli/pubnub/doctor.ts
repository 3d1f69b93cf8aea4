/**
 * `herald doctor`: what is wrong with the settings and the network, and what to do about it.
 */
import * as Arr from "effect/Array"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ChannelGroups from "../../pubnub/ChannelGroups.ts"
import * as History from "../../pubnub/History.ts"
import * as Presence from "../../pubnub/Presence.ts"
import { PubNubConfig } from "../../pubnub/PubNubConfig.ts"
import type { PubNubError } from "../../pubnub/PubNubError.ts"
import * as Publish from "../../pubnub/Publish.ts"
import * as Time from "../../pubnub/Time.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import * as Users from "../../pubnub/Users.ts"
import { exitCode } from "../exit/code.ts"
import { ProblemsFound } from "../exit/failure.ts"
import { messageOf } from "../exit/message.ts"
import { loopback } from "../input/loopback.ts"
import { writeValues } from "../output/write.ts"
import { withKeyset } from "./keyset.ts"

/** The result of a check. A note is no problem, but something to know. */
interface Finding {
  readonly check: string
  readonly state: "ok" | "note" | "problem"
  readonly message: string
}

/** A finding, the exit code if it is a problem, and whether the checks after it make no sense. */
interface Found extends Finding {
  readonly exitCode: number
  readonly isLast: boolean
}

const found = (state: Finding["state"], check: string, message: string): Found => ({
  check,
  state,
  message,
  exitCode: 0,
  isLast: false
})

const ok = (check: string, message: string) => found("ok", check, message)
const note = (check: string, message: string) => found("note", check, message)
const problem = (check: string, message: string, exitCode: number): Found => ({
  ...found("problem", check, message),
  exitCode
})

// --------------------------------------------------------------------------------------------------------------------
// settings
// --------------------------------------------------------------------------------------------------------------------

const keys = Effect.map(PubNubConfig, ({ authToken, publishKey, secretKey, subscribeKey }): ReadonlyArray<Found> => [
  subscribeKey === ""
    ? problem("subscribe key", "It is missing. Pass --subscribe-key, set PUBNUB_SUBSCRIBE_KEY, or add a context.", 2)
    : ok("subscribe key", subscribeKey),
  publishKey === undefined
    ? note("publish key", "It is missing. Reading works without it; publishing needs --publish-key.")
    : ok("publish key", publishKey),
  ok(
    "credentials",
    secretKey !== undefined
      ? "The secret key signs each request."
      : authToken !== undefined
      ? "Each request carries the access token."
      : "None. That is right for a keyset without Access Manager."
  )
])

const tls = Effect.map(PubNubConfig, ({ origin, tls }) =>
  tls
    ? ok("TLS", `HTTPS to ${origin}`)
    : loopback.test(origin)
    ? ok("TLS", `Not used, which is safe for ${origin}`)
    : problem("TLS", `Keys and messages travel to ${origin} in clear text. Remove --no-tls or PUBNUB_TLS.`, 2))

const proxyVariables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]

const proxy = Effect.gen(function*() {
  const values = yield* Effect.forEach(proxyVariables, (name) => Effect.option(Config.String(name)))
  const set = proxyVariables.filter((_, index) => Option.isSome(values[index] ?? Option.none()))
  if (set.length === 0) return ok("proxy", "No variable of the environment names one.")
  const { origin } = yield* PubNubConfig
  // The value may hold a password.
  return note("proxy", `herald does not use ${set.join(", ")}: the firewall must allow connections to ${origin}.`)
})

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const clock = Effect.gen(function*() {
  const before = DateTime.toEpochMillis(yield* DateTime.now)
  const there = DateTime.toEpochMillis(Timetoken.toDateTime(yield* Time.now))
  const after = DateTime.toEpochMillis(yield* DateTime.now)
  const ahead = Math.round((before + after) / 2 - there)
  const distance = Duration.format(Duration.millis(Math.abs(ahead)))
  const message = ahead === 0
    ? "The clocks of this machine and of the service agree"
    : `The clock of this machine is ${distance} ${ahead > 0 ? "ahead of" : "behind"} the service`
  return [
    ok("service", `It answered in ${after - before} ms.`),
    Math.abs(ahead) < 5_000
      ? ok("clock", `${message}.`)
      : Math.abs(ahead) < 30_000
      ? note("clock", `${message}. Let the system set it, for example by NTP.`)
      : problem("clock", `${message}. Signed requests are refused: let the system set it, for example by NTP.`, 3)
  ]
})

/** The channel and group that requests are about. They need not exist. */
const nobody = "herald-doctor"

const requests = {
  "Message Persistence": History.list({ channel: nobody, limit: 1 }),
  "Presence": Presence.hereNow({ channels: [nobody], include: [] }),
  "App Context": Users.list({ limit: 1 }),
  "Stream Controller": ChannelGroups.listChannels({ group: nobody })
}

/** Only Functions see this message, and it is not stored. */
const publish = Publish.fire({ channel: nobody, message: "doctor" })

const asked = (
  check: string,
  request: Effect.Effect<unknown, PubNubError | Publish.PublishError, HttpClient.HttpClient | PubNubConfig>
) =>
  Effect.matchEffect(request, {
    onSuccess: () => Effect.succeed(ok(check, "It works.")),
    onFailure: (error) =>
      Effect.map(PubNubConfig, ({ authToken, secretKey }) => {
        const reason = error._tag === "PubNubError" ? error.reason : undefined
        switch (reason?._tag) {
          case "FeatureDisabled":
            return note(check, "It is off. Turn it on for the keyset if you need it.")
          case "AccessDenied":
            return secretKey !== undefined
              ? problem(check, `The signature was refused: ${messageOf(error)} Check --secret-key and the clock.`, 3)
              : authToken !== undefined
              ? note(check, `The access token does not allow it: ${messageOf(error)}`)
              : note(check, "Access Manager protects it, so it cannot be checked. Pass --secret-key to check it.")
          default:
            return { ...problem(check, messageOf(error), exitCode(error)), isLast: reason?._tag === "InvalidKey" }
        }
      })
  })

const cors = (page: string) =>
  Effect.gen(function*() {
    const { origin, tls } = yield* PubNubConfig
    const { headers } = yield* HttpClient.get(`${tls ? "https" : "http"}://${origin}/time/0`, {
      headers: { origin: page }
    })
    const allowed = headers["access-control-allow-origin"]
    return allowed === "*" || allowed === page
      ? ok("CORS", `Pages of ${page} may use ${origin}.`)
      : problem("CORS", `Browsers keep pages of ${page} from using ${origin}: let it answer with this origin.`, 3)
  }).pipe(
    Effect.catch(({ message }) => Effect.succeed(problem("CORS", `No answer to a page of ${page}: ${message}`, 4)))
  )

// --------------------------------------------------------------------------------------------------------------------
// command
// --------------------------------------------------------------------------------------------------------------------

type Check = Effect.Effect<ReadonlyArray<Found>, never, HttpClient.HttpClient | PubNubConfig>

const checks = (page: string | undefined) =>
  Effect.map(PubNubConfig, ({ publishKey, subscribeKey }) => {
    const all: ReadonlyArray<Check> = [
      keys,
      Effect.map(tls, Arr.of),
      Effect.map(proxy, Arr.of),
      Effect.catch(clock, (error) =>
        Effect.succeed([{ ...problem("service", messageOf(error), exitCode(error)), isLast: true }])),
      ...page === undefined ? [] : [Effect.map(cors(page), Arr.of)],
      ...subscribeKey === "" ?
        [] :
        Object.entries(requests).map(([check, request]) =>
          Effect.map(asked(check, request), Arr.of)
        ),
      ...subscribeKey === "" || publishKey === undefined ? [] : [Effect.map(asked("publishing", publish), Arr.of)]
    ]
    return Stream.fromIterable(all).pipe(
      Stream.mapEffect((findings) => findings),
      Stream.flatMap(Stream.fromIterable),
      Stream.takeUntil(({ isLast }) => isLast)
    )
  })

const isOrigin = (text: string): boolean => URL.parse(text)?.origin === text

export const doctor = Command.make(
  "doctor",
  {
    page: Flag.String("page-origin").pipe(
      Flag.filter(isOrigin, () => "an origin as https://app.example"),
      Flag.withDefault(undefined),
      Flag.withMetavar("origin"),
      Flag.withDescription("Also check that browser pages of this origin may use the service")
    )
  },
  Effect.fnUntraced(function*({ page }) {
    const problems: Array<Found> = []
    const findings = Stream.unwrap(checks(page)).pipe(
      Stream.tap((found) => Effect.sync(() => found.state === "problem" && problems.push(found))),
      Stream.map(({ check, message, state }): Finding => ({ check, state, message }))
    )
    yield* writeValues(findings, { toText: ({ check, message, state }) => `${state.padEnd(7)}  ${check}: ${message}` })
    const [first] = problems
    if (first !== undefined) return yield* new ProblemsFound({ count: problems.length, code: first.exitCode })
  })
).pipe(
  withKeyset,
  Command.withDescription(
    "Check the keys, the clock, TLS, proxies and the add-ons of the keyset, by requests that change nothing, and print " +
      "what to do about each problem. The exit code is that of the first problem"
  ),
  Command.withExamples([
    { command: "herald doctor", description: "With the context in use" },
    { command: "herald doctor --page-origin https://app.example", description: "For a browser page, too" }
  ])
)
