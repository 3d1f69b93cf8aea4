/**
 * `herald memberships`
 */
import * as Memberships from "../../pubnub/Memberships.ts"
import * as AppContext from "./appContext.ts"
import { user } from "./arguments.ts"

export const memberships = AppContext.relations({
  name: "memberships",
  description: "memberships of a user",
  owner: user,
  other: "channel",
  stream: (userId, selection) => Memberships.stream({ userId, ...selection }),
  // The answer is a page of memberships that is not printed, so it is as short as possible.
  set: (userId, others) =>
    Memberships.set({ userId, channels: others.map(({ id, ...fields }) => ({ channelId: id, ...fields })), limit: 1 }),
  remove: (userId, channels) => Memberships.remove({ userId, channels, limit: 1 }),
  examples: [
    { command: "herald memberships list --user ada --include channel --sort channel.name", description: "By name" },
    { command: "herald memberships list --user ada | jq -r .channelId", description: "Only the channels" }
  ]
})
