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
import { actions } from "./actions.ts"
import { channels } from "./channels.ts"
import { emulator } from "./emulator.ts"
import * as Failure from "./failure.ts"
import { Root, toOptions } from "./flags.ts"
import { groups } from "./groups.ts"
import { history } from "./history.ts"
import { members } from "./members.ts"
import { memberships } from "./memberships.ts"
import { presence } from "./presence.ts"
import { fire, publish, signal } from "./send.ts"
import { subscribe } from "./subscribe.ts"
import { symphony } from "./symphony/symphony.ts"
import { time } from "./time.ts"
import { users } from "./users.ts"

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
