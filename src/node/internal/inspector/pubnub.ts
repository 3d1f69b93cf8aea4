/** The inspector of the PubNub emulator: its commands. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Faults from "../../../testing/Faults.ts"
import type * as PubNubEmulator from "../../../testing/PubNubEmulator.ts"
import * as inspector from "./inspector.ts"
import { html } from "./page/pubnubHtml.ts"
import { page } from "./page/pubnubPage.ts"
import { scriptOf } from "./page/script.ts"
import { stateOf } from "./pubnubState.ts"

/** The kinds of requests that faults can hit. */
export const kinds: ReadonlyArray<Faults.Kind> = [
  "handshake",
  "poll",
  "publish",
  "signal",
  "leave",
  "presence",
  "history",
  "historyCounts",
  "channelGroups",
  "messageActions",
  "appContext",
  "other"
]

const Name = Schema.String.check(Schema.isNonEmpty())

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const commandsOf = (
  emulator: PubNubEmulator.PubNubEmulator["Service"]
): Readonly<Record<string, inspector.Command>> => ({
  publish: inspector.command(
    Schema.Struct({
      channel: Name,
      /** JSON, or any other text. */
      message: Schema.String,
      publisher: Schema.optionalKey(Name),
      signal: Schema.Boolean
    }),
    ({ channel, message: text, publisher, signal }) => {
      const message = Option.getOrElse(decodeJson(text), () => text)
      return signal
        ? emulator.signal({ channel, message, publisher })
        : emulator.publish({ channel, message, publisher })
    }
  ),
  revoke: inspector.command(Schema.Struct({ token: Name }), ({ token }) => emulator.revokeToken(token)),
  expire: inspector.command(Schema.Struct({ token: Name }), ({ token }) => emulator.expireToken(token))
})

/** The handler of an emulator with the inspector in front of it. It shows one keyset. */
export const handler = (
  emulator: PubNubEmulator.PubNubEmulator["Service"],
  keys: Pick<PubNubEmulator.Keyset, "publishKey" | "subscribeKey">,
  faults: Faults.Options
) =>
  inspector.make({
    html,
    script: scriptOf(page),
    state: stateOf(emulator, keys),
    commands: commandsOf(emulator),
    kinds,
    handle: emulator.handle,
    restart: emulator.restart
  }, faults)
