/** What the service usually writes is read without its schemas, and gives the same. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Codec from "../../src/internal/codec.ts"
import * as Fields from "../../src/pubnub/internal/objects/fields.ts"
import * as Storage from "../../src/pubnub/internal/wire/storage.ts"
import { changes, itReadsUsual } from "../kit/usual.ts"

const versioned = { updated: "2026-09-01T10:00:00.123456Z", eTag: "AcXyZ" }

const user = {
  id: "ada",
  name: "Ada",
  externalId: null,
  profileUrl: "https://example.com/ada.png",
  email: "ada@example.com",
  custom: { team: "core", level: 7, active: true, left: null },
  status: "active",
  type: "human",
  ...versioned
}
const channel = { id: "room", name: null, description: "A room", custom: null, ...versioned }

itReadsUsual("a user", Fields.User, [user, { id: "bob", ...versioned }])
itReadsUsual("a channel", Fields.Channel, [channel])
itReadsUsual("a member", Fields.Member, [
  { uuid: user, custom: { role: "owner" }, status: null, ...versioned },
  { uuid: { id: "ada" }, ...versioned }
])
itReadsUsual("a membership", Fields.Membership, [{ channel, ...versioned }, { channel: { id: "room" }, ...versioned }])

const reaction = [{ uuid: "ada", actionTimetoken: "17905741246383966" }]

const entry = {
  message: { text: "hello" },
  timetoken: "17905741246383965",
  uuid: "ada",
  message_type: 0,
  custom_message_type: "chat",
  meta: ""
}
const withActions = {
  message: 7,
  timetoken: "17905741246383965",
  message_type: null,
  actions: { reaction: { "👍": reaction } }
}

itReadsUsual("an entry of history", Storage.Entry, [
  entry,
  withActions
])

describe("the parts of an entry of history", () => {
  const bySchema = Codec.decodeBySchema(Storage.Entry)

  it("are those that the schema decodes when one place differs", () => {
    assert.isTrue(Storage.isUsual(entry))
    for (const json of [entry, withActions]) {
      for (const raw of [json, ...changes(json).map((change) => change())]) {
        assert.deepStrictEqual(Storage.read(raw), Result.map(bySchema(raw), Storage.partsOf), JSON.stringify(raw))
      }
    }
  })
})
