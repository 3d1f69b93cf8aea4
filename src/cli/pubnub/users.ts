/**
 * `herald users`
 */
import * as Users from "../../pubnub/Users.ts"
import * as AppContext from "./appContext.ts"

export const users = AppContext.objects({
  name: "users",
  one: "user",
  texts: {
    name: "Name",
    email: "E-mail address",
    externalId: "Id in another system",
    profileUrl: "Address of a picture"
  },
  stream: (selection) => Users.stream(selection),
  get: (id) => Users.get({ id, include: AppContext.parts }),
  set: (id, { texts, ...fields }, ifMatchesEtag) =>
    Users.set({ id, ...texts, ...fields, ifMatchesEtag, include: AppContext.parts }),
  merge: (id, { texts, ...fields }) => Users.update({ id, custom: "merge" }, () => ({ ...texts, ...fields })),
  remove: (id) => Users.remove({ id }),
  examples: [
    { command: "herald users set ada --name Ada --custom '{\"team\":\"core\"}'", description: "Set two fields" },
    { command: "herald users set ada --custom '{\"floor\":3}' --merge", description: "Add a custom field" },
    { command: "herald users set ada --clear email,name", description: "Clear two fields" }
  ]
})
