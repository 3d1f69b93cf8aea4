/**
 * The whole command.
 */
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { version } from "../internal/version.ts"
import { meanings } from "./exit/code.ts"
import { BadInput, crashOf } from "./exit/failure.ts"
import { report } from "./exit/report.ts"
import { fleet } from "./fleet.ts"
import * as OnOff from "./input/onOff.ts"
import { JsonFlag } from "./output/jsonFlag.ts"
import { access } from "./pubnub/access.ts"
import { bench } from "./pubnub/bench.ts"
import { channelGroups } from "./pubnub/channelGroups.ts"
import { channels } from "./pubnub/channels.ts"
import { context } from "./pubnub/context.ts"
import { doctor } from "./pubnub/doctor.ts"
import { emulator } from "./pubnub/emulator.ts"
import { files } from "./pubnub/files.ts"
import { history } from "./pubnub/history.ts"
import { members } from "./pubnub/members.ts"
import { memberships } from "./pubnub/memberships.ts"
import { messageActions } from "./pubnub/messageActions.ts"
import { presence } from "./pubnub/presence.ts"
import { fire, publish, signal } from "./pubnub/publish.ts"
import { push } from "./pubnub/push.ts"
import { subscribe } from "./pubnub/subscribe.ts"
import { time } from "./pubnub/time.ts"
import { timetoken } from "./pubnub/timetoken.ts"
import { users } from "./pubnub/users.ts"
import { symphony } from "./symphony/symphony.ts"

const herald = Command.make("herald").pipe(
  Command.withSubcommands([
    {
      group: "PubNub",
      commands: [
        publish,
        signal,
        fire,
        subscribe,
        history,
        messageActions,
        presence,
        channelGroups,
        files,
        push,
        users,
        channels,
        members,
        memberships,
        access,
        time,
        timetoken,
        context,
        doctor,
        bench,
        fleet,
        emulator
      ]
    },
    { group: "Symphony", commands: [symphony] }
  ]),
  Command.withGlobalFlags([JsonFlag]),
  Command.withShortDescription("PubNub and Symphony from the command line"),
  Command.withDescription(
    "Publish and subscribe with PubNub, send and read messages with Symphony, or run an emulator of either. " +
      "The help of a command shows its flags and the environment variables that it reads. " +
      meanings
  )
)

// Standard output is for results only: help after an error would end in a pipe.
const presenter: CliOutput.Presenter = {
  present: (event) => event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event)
}

/**
 * Runs `herald` with the arguments behind its name. A failure is reported on standard error, and becomes `Reported`,
 * which holds the exit code.
 */
export const run = (args: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const issue = OnOff.issueOf(args)
    return issue === undefined
      ? Command.runWith(herald, { version })(args)
      : Effect.fail(new BadInput({ description: issue }))
  }).pipe(
    Effect.catchDefect((defect) => Effect.fail(crashOf(defect))),
    // Read by hand: wrong arguments are reported too, and then no flag has a value.
    Effect.catch((failure) => report(failure, { json: args.includes("--json") })),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(Logger.LogToStderr, true)
  )
