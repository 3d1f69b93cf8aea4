/**
 * `herald members`
 */
import * as Members from "../../pubnub/Members.ts"
import * as AppContext from "./appContext.ts"
import { channel } from "./arguments.ts"

export const members = AppContext.relations({
  name: "members",
  description: "members of a channel",
  owner: channel,
  other: "user",
  stream: (channel, selection) => Members.stream({ channel, ...selection }),
  // The answer is a page of members that is not printed, so it is as short as possible.
  set: (channel, others) =>
    Members.set({ channel, users: others.map(({ id, ...fields }) => ({ userId: id, ...fields })), limit: 1 }),
  remove: (channel, users) => Members.remove({ channel, users, limit: 1 }),
  examples: [
    { command: "herald members list 'room #1' --include user --sort user.name", description: "With their names" },
    { command: "herald members list 'room #1' --filter \"uuid.name LIKE 'A*'\"", description: "Some of them" }
  ]
})
