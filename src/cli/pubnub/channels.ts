/**
 * `herald channels`
 */
import * as Channels from "../../pubnub/Channels.ts"
import * as AppContext from "./appContext.ts"

export const channels = AppContext.objects({
  name: "channels",
  one: "channel",
  texts: { name: "Name", description: "Purpose" },
  stream: (selection) => Channels.stream(selection),
  get: (id) => Channels.get({ id, include: AppContext.parts }),
  set: (id, { texts, ...fields }, ifMatchesEtag) =>
    Channels.set({ id, ...texts, ...fields, ifMatchesEtag, include: AppContext.parts }),
  merge: (id, { texts, ...fields }) => Channels.update({ id, custom: "merge" }, () => ({ ...texts, ...fields })),
  remove: (id) => Channels.remove({ id }),
  examples: [
    { command: "herald channels set 'room #1' --name Room --custom '{\"floor\":3}'", description: "Set two fields" },
    { command: "herald channels set 'room #1' --custom '{\"seats\":9}' --merge", description: "Add a custom field" },
    { command: "herald channels set 'room #1' --clear description", description: "Clear a field" }
  ]
})
