/**
 * The whole command.
 */
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { version } from "../internal/version.ts"
import * as NodePubNub from "../node/NodePubNub.ts"
import type * as PubNubConfig from "../pubnub/PubNubConfig.ts"
import { actions } from "./pubnub/messageActions.ts"
import { channels } from "./pubnub/channels.ts"
import { emulator } from "./pubnub/emulator.ts"
import * as Failure from "./exit/failure.ts"
import { Root, toOptions } from "./pubnub/keyset.ts"
import { groups } from "./pubnub/channelGroups.ts"
import { history } from "./pubnub/history.ts"
import { members } from "./pubnub/members.ts"
import { memberships } from "./pubnub/memberships.ts"
import { presence } from "./pubnub/presence.ts"
import { fire, publish, signal } from "./pubnub/publish.ts"
import { subscribe } from "./pubnub/subscribe.ts"
import { symphony } from "./symphony/symphony.ts"
import { time } from "./pubnub/time.ts"
import { users } from "./pubnub/users.ts"

const herald = Root.pipe(
  Command.withSubcommands([
    publish,
    signal,
    fire,
    subscribe,
    history,
    actions,
    presence,
    groups,
    users,
    channels,
    members,
    memberships,
    time,
    emulator,
    symphony
  ])
)

// Standard output is for what was asked for. Help that was not asked for would end in somebody's `jq`.
const presenter: CliOutput.Presenter = {
  present: (event) => event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event)
}

/**
 * Runs `herald` with the arguments behind its name. A failure is told on standard error, and its exit code is left.
 * Tests `connect` it to something other than the network.
 */
export const run = (
  args: ReadonlyArray<string>,
  connect: (
    options: PubNubConfig.Options
  ) => Layer.Layer<PubNubConfig.PubNubConfig | HttpClient.HttpClient> = NodePubNub.layer
) =>
  Command.runWith(Command.provide(herald, (flags) => connect(toOptions(flags))), { version })(args).pipe(
    Effect.catchDefect((defect) => Effect.fail(Failure.crashOf(defect))),
    // Looked for by hand: wrong arguments are told as well, and then no flag has a value.
    Effect.catch((failure) => Failure.report(failure, { json: args.includes("--json") })),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(Logger.LogToStderr, true)
  )
