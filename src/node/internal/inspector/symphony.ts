/** The inspector of the Symphony emulator: its commands. */
import * as Schema from "effect/Schema"
import type * as Faults from "../../../testing/Faults.ts"
import type * as SymphonyEmulator from "../../../testing/SymphonyEmulator.ts"
import * as inspector from "./inspector.ts"
import { html } from "./page/symphonyHtml.ts"
import { page } from "./page/symphonyPage.ts"
import { scriptOf } from "./page/script.ts"
import { stateOf } from "./symphonyState.ts"

/** The kinds of requests that faults can hit. */
export const kinds: ReadonlyArray<Faults.Kind> = [
  "login",
  "datafeed",
  "send",
  "update",
  "blast",
  "import",
  "get",
  "list",
  "search",
  "attachment",
  "attachments",
  "allowedTypes",
  "suppress",
  "status",
  "receipts",
  "relationships",
  "sessionInfo",
  "agentInfo"
]

const Name = Schema.String.check(Schema.isNonEmpty())

/** Text as MessageML. */
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br/>")

const commandsOf = (
  emulator: SymphonyEmulator.SymphonyEmulator["Service"]
): Readonly<Record<string, inspector.Command>> => ({
  send: inspector.command(
    Schema.Struct({ streamId: Name, username: Name, message: Name, markup: Schema.Boolean }),
    ({ markup, message, streamId, username }) =>
      emulator.send({ streamId, username, message: markup ? message : escaped(message) })
  ),
  block: inspector.command(Schema.Struct({ words: Schema.Array(Name) }), ({ words }) => emulator.block(words)),
  expire: inspector.command(
    Schema.Struct({ name: Schema.optionalKey(Name) }),
    (options) => emulator.expireSessions(options)
  ),
  dropFeed: inspector.command(Schema.Struct({ feedId: Name }), (feed) => emulator.dropFeed(feed))
})

/** The handler of an emulator with the inspector in front of it. */
export const handler = (emulator: SymphonyEmulator.SymphonyEmulator["Service"], faults: Faults.Options) =>
  inspector.make({
    html,
    script: scriptOf(page),
    state: stateOf(emulator),
    commands: commandsOf(emulator),
    kinds,
    handle: emulator.handle,
    restart: emulator.restart
  }, faults)
