import { assert, describe, it } from "@effect/vitest"
import { ChannelName } from "effect-herald/pubnub"

describe("names to publish to", () => {
  it.each(["orders", "room #1", "a/b", "50%", "..a", "日本", "😀", "a.b.c.d", "x-pnpres-y", "a:b", "x".repeat(2048)])(
    "%s is valid",
    (name) => assert.isUndefined(ChannelName.issue(name))
  )

  it.each(["", "a,b", "a\nb", "a\u0000", "a\u007f", "*", "a.*", "x".repeat(2049), ".", "..", "\ud800"])(
    "%j is not valid",
    (name) => assert.isString(ChannelName.issue(name))
  )
})

describe("names to subscribe to", () => {
  it.each(["orders", "a.*", "a.b.*", "a.*-pnpres", "orders-pnpres", "room #1"])(
    "%s is valid",
    (name) => assert.isUndefined(ChannelName.subscriptionIssue(name))
  )

  it.each(["*", ".*", "a*", "a.*.b", "a.b.c.*", "a.**", "a,b.*", "-pnpres", "", "a..*"])(
    "%j is not valid",
    (name) => assert.isString(ChannelName.subscriptionIssue(name))
  )
})

it("adds the presence suffix once, and removes it only at the end", () => {
  assert.strictEqual(ChannelName.presenceOf("a"), "a-pnpres")
  assert.strictEqual(ChannelName.presenceOf("a-pnpres"), "a-pnpres")
  assert.strictEqual(ChannelName.withoutPresence("a-pnpres-b-pnpres"), "a-pnpres-b")
  assert.isFalse(ChannelName.isPresence("a-pnpres-b"))
})
