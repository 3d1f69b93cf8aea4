/** Why a call is refused: what a token says about it. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type * as AccessToken from "effect-herald/pubnub/AccessToken"
import { explain } from "../../src/pubnub/internal/access/explain.ts"
import type { Need } from "../../src/pubnub/internal/access/needs.ts"
import * as Needs from "../../src/pubnub/internal/access/needs.ts"
import * as Pattern from "../../src/pubnub/internal/access/pattern.ts"

type Names = { readonly [name: string]: ReadonlyArray<AccessToken.Right> }

const permissions = (channels: Names = {}, groups: Names = {}, users: Names = {}) => ({
  channels: new Map(Object.entries(channels)),
  groups: new Map(Object.entries(groups)),
  users: new Map(Object.entries(users)),
  others: new Map()
})

const token = (some: Partial<AccessToken.AccessToken>): AccessToken.AccessToken => ({
  version: 2,
  granted: DateTime.makeUnsafe(1_000_000),
  ttl: Duration.minutes(1),
  expires: DateTime.makeUnsafe(1_060_000),
  resources: permissions(),
  patterns: permissions(),
  categories: { channels: [], users: [] },
  meta: {},
  ...some
})

const channel = (name: string, right: Need["right"]): Need => ({ kind: "channel", name, right })

const told = (
  some: Partial<AccessToken.AccessToken>,
  need: Need,
  { now = 1_010_000, user = "ada" }: { readonly now?: number; readonly user?: string } = {}
) => explain(token(some), { needs: [need], now, user })

describe("Access.explain", () => {
  it("allows what the token allows by name, by pattern, by both together and by category", () => {
    const resources = permissions({ a: ["read"] }, { g: ["manage"] }, { u: ["get"] })
    const patterns = permissions({ "^a$": ["write"], "room-": ["read"] })
    const allowed: ReadonlyArray<Need> = [
      channel("a", "read"),
      channel("a", "write"),
      channel("my-room-1", "read"),
      { kind: "group", name: "g", right: "manage" },
      { kind: "user", name: "u", right: "get" },
      { kind: "user", name: "anybody", right: "update" }
    ]
    const categories = { channels: [], users: ["update" as const] }
    for (const need of allowed) assert.strictEqual(told({ resources, patterns, categories }, need)._tag, "Allowed")
  })

  it("bounds every text, and keeps control characters out of it", () => {
    const long = `a\n${"x".repeat(60_000)}`
    const wild = `${long}*`
    const bad = `(${long}`
    const all = [
      told({ user: long }, channel("a", "read"), { user: `${long}b` }),
      told({ resources: permissions({ [long]: ["read"] }) }, channel(long, "write")),
      told({ resources: permissions({ [wild]: ["read"] }) }, channel(`${long}b`, "read")),
      told({ patterns: permissions({ [bad]: ["read"] }) }, channel(long, "read")),
      told({}, channel(long, "read"))
    ]
    assert.deepStrictEqual(all.map(({ _tag }) => _tag), [
      "WrongUser",
      "MissingRight",
      "WildcardAsResource",
      "Undetermined",
      "NoSuchResource"
    ])
    for (const explanation of all) {
      for (const text of Object.values(explanation)) {
        if (typeof text !== "string") continue
        assert.isAtMost(text.length, 1_024)
        assert.notInclude(text, "\n")
      }
    }
  })

  it("says when the token expired, from that very millisecond on", () => {
    const resources = permissions({ a: ["read"] })
    assert.strictEqual(told({ resources }, channel("a", "read"), { now: 1_059_999 })._tag, "Allowed")
    assert.deepStrictEqual(told({ resources }, channel("a", "read"), { now: 1_060_000 }), {
      _tag: "Expired",
      at: 1_060_000,
      message: "The token expired at 1970-01-01T00:17:40.000Z. Get a new one."
    })
  })

  it("names the user of the token, the missing right, and the name that nobody granted", () => {
    const resources = permissions({ a: ["read"] })
    assert.deepInclude(told({ resources, user: "bob" }, channel("a", "read")), {
      _tag: "WrongUser",
      user: "bob",
      caller: "ada"
    })
    assert.deepInclude(told({ resources }, channel("a", "write")), {
      _tag: "MissingRight",
      right: "write",
      rights: ["read"],
      message: "The token has read on the channel \"a\", but not write. Grant write, too."
    })
    assert.deepInclude(told({ resources }, channel("a-pnpres", "read")), {
      _tag: "NoSuchResource",
      name: "a-pnpres",
      right: "read"
    })
    assert.strictEqual(told({ resources }, { kind: "group", name: "a", right: "read" })._tag, "NoSuchResource")
  })

  it("recognizes a wildcard that was written as a name, and says which pattern was meant", () => {
    const resources = permissions({ "2136.*": ["read"] })
    const explanation = told({ resources }, channel("2136.1", "read"))
    assert.deepInclude(explanation, { _tag: "WildcardAsResource", resource: "2136.*", right: "read" })
    assert.include(explanation.message, String.raw`"^2136\\..*$"`)
    assert.strictEqual(told({ resources }, channel("2136.*", "read"))._tag, "Allowed")
    assert.strictEqual(told({ resources }, channel("2137.1", "read"))._tag, "NoSuchResource")
  })

  it("leaves it to the service when a pattern takes too long or is no expression", () => {
    const name = "a".repeat(2_000)
    for (const pattern of ["(?:.*.*.*.*x?){100}y", "(?<!a)b"]) {
      const patterns = permissions({ [pattern]: ["read"] })
      assert.deepInclude(told({ patterns }, channel(name, "read")), { _tag: "Undetermined", pattern })
    }
    // `RegExp` would take for ever.
    const patterns = permissions({ "^(((a*)*)*)*b$": ["read"] })
    assert.strictEqual(told({ patterns }, channel(name, "read"))._tag, "NoSuchResource")
  })

  it("keeps control characters of the token out of its messages", () => {
    const { message } = told({ user: "eve\u202e\u001b[2J" }, channel("a", "read"))
    for (const character of ["\u202e", "\u001b"]) assert.notInclude(message, character)
  })
})

describe("patterns", () => {
  it.each<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>]>([
    ["^room-[0-9]+$", ["room-1", "room-42"], ["room-", "room-x", "my-room-1"]],
    ["room", ["room", "my-room-1"], ["ro"]],
    ["^some_*$", ["some", "some__"], ["some_x"]],
    ["^(a|b)c?$", ["a", "bc"], ["c", "ab"]],
    ["^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]],
    ["^a{2}$", ["aa"], ["a", "aaa"]],
    ["^a{2,}$", ["aa", "aaaaa"], ["a"]],
    ["^\\w+\\.\\d$", ["ab.1"], ["ab1", "ab.x"]],
    ["^[^a-c]$", ["d", "é", "😀"], ["a", "de"]],
    ["^[\\w.-]+$", ["a.b-c"], ["a b"]],
    ["^[]a]$", ["]", "a"], ["b"]],
    ["^[[:digit:]_]+$", ["1_2"], ["a"]],
    ["^.$", ["a", "😀"], ["", "ab"]],
    ["(?i)^Room$", ["room", "ROOM"], ["rooms"]],
    ["^(?i:a)b$", ["ab", "Ab"], ["aB"]],
    ["^(?:(?i)a)b$", ["ab", "Ab"], ["aB"]],
    ["^(?i)a(?-i)b$", ["ab", "Ab"], ["aB"]],
    ["^(?i)a(?-i:b)c$", ["abc", "AbC"], ["aBc"]],
    ["^(?P<name>a)(?:b)(?<other>c)$", ["abc"], ["ab"]],
    ["\\bb\\b", ["a b", "b"], ["ab"]],
    ["^\\pL+$", ["é"], ["1"]],
    ["^a*?$", ["", "aa"], ["b"]],
    ["^\\$\\^$", ["$^"], ["$"]],
    ["", ["", "a"], []],
    ["^(?:a?){0,20}a{0,20}$", ["a".repeat(40)], ["a".repeat(41)]]
  ])("%s is found where it should be", (source, found, others) => {
    const pattern = Result.getOrThrow(Pattern.parse(source))
    for (const text of found) assert.isTrue(Pattern.isFound(pattern, text), text)
    for (const text of others) assert.isFalse(Pattern.isFound(pattern, text), text)
  })

  it("share their steps when they are given one budget", () => {
    const pattern = Result.getOrThrow(Pattern.parse("^(a?){0,900}b$"))
    const budget = Pattern.budget()
    const times = Array.from({ length: 1_000 }, () => Pattern.isFound(pattern, "a".repeat(300), budget))
    assert.isUndefined(times.at(-1))
    assert.isUndefined(Pattern.isFound(Result.getOrThrow(Pattern.parse("a")), "a", budget))
  })

  it.each([
    "(a",
    "a)",
    "[a",
    "*a",
    "a**",
    "\\",
    "\\q",
    "\\1",
    "\\k<a>",
    "(?=a)",
    "(?<=a)b",
    "a{1001}",
    "a{3,2}",
    "[z-a]",
    "\\p{Nothing}",
    "(".repeat(50_000)
  ])("%s is no pattern", (source) => assert.isTrue(Result.isFailure(Pattern.parse(source))))

  it.each<readonly [string, boolean]>([
    ["^a$", true],
    ["^(a|b)$", true],
    ["^a$|^b$", true],
    ["(^a$)", true],
    ["\\Aa\\z", true],
    ["^a|b$", false],
    ["^a", false],
    ["^a\\$", false],
    ["a", false],
    ["", false]
  ])(
    "%s: anchored is %s",
    (source, anchored) => assert.strictEqual(Result.getOrThrow(Pattern.parse(source)).isAnchored, anchored)
  )
})

describe("the names and rights of a request", () => {
  it.each<readonly [string, string, string, string, ReadonlyArray<string>]>([
    ["Publish.publish", "GET", "/publish/pub/sub/0/a%2Cb/0/%22x%22", "", ["write channel a,b"]],
    ["Subscribe.poll", "GET", "/v2/subscribe/sub/a,b-pnpres/0", "channel-group=g%2Ch", [
      "read channel a",
      "read channel b-pnpres",
      "read group g",
      "read group h"
    ]],
    ["Subscribe.heartbeat", "GET", "/v2/presence/sub-key/channel/channel/,/heartbeat", "channel-group=g", [
      "read group g"
    ]],
    ["Presence.hereNow", "GET", "/v2/presence/sub-key/sub/channel/a", "", ["read channel a"]],
    ["Presence.whereNow", "GET", "/v2/presence/sub-key/sub/uuid/u", "", []],
    ["History.count", "GET", "/v3/history/sub-key/sub/message-counts/a,b", "", ["read channel a", "read channel b"]],
    ["History.remove", "DELETE", "/v3/history/sub-key/sub/channel/a", "", ["delete channel a"]],
    ["MessageActions.add", "POST", "/v1/message-actions/sub/channel/a/message/1", "", ["write channel a"]],
    ["ChannelGroups.addChannels", "GET", "/v1/channel-registration/sub-key/sub/channel-group/g", "add=a", [
      "manage group g"
    ]],
    ["Users.update", "GET", "/v2/objects/sub/uuids/u", "", ["get user u"]],
    ["Users.update", "PATCH", "/v2/objects/sub/uuids/u", "", ["update user u"]],
    ["Users.list", "GET", "/v2/objects/sub/uuids", "", []],
    ["Members.set", "PATCH", "/v2/objects/sub/channels/a/uuids", "", ["manage channel a"]],
    ["Memberships.update", "GET", "/v2/objects/sub/uuids/u/channels", "", ["get user u"]],
    ["Publish.publish", "POST", "/v2/publish/pub/sub/0/a/0", "", ["write channel a"]],
    ["Files.send", "POST", "/v1/files/sub/channels/a%2Fb/generate-upload-url", "", ["write channel a/b"]],
    ["Files.announce", "GET", "/v1/files/publish-file/pub/sub/0/channels/0/%22x%22", "", ["write channel channels"]],
    ["Files.list", "GET", "/v1/files/channels/channels/a/files", "limit=1", ["read channel a"]],
    ["Files.downloadText", "GET", "/v1/files/sub/channels/a/files/i/channels", "", ["read channel a"]],
    ["Files.remove", "DELETE", "/v1/files/sub/channels/a/files/i/n", "", ["delete channel a"]],
    ["Push.addChannels", "GET", "/v1/push/sub-key/sub/devices/channels", "add=a%2Cb&type=fcm", [
      "read channel a",
      "read channel b"
    ]],
    ["Push.removeChannels", "GET", "/v2/push/sub-key/sub/devices-apns2/ab", "remove=a&topic=t", ["read channel a"]],
    ["Push.removeDevice", "GET", "/v1/push/sub-key/sub/devices/channel/remove", "type=fcm", []],
    ["Something.new", "GET", "/v9/x", "", []]
  ])("of %s %s %s", (operation, method, path, query, expected) =>
    assert.deepStrictEqual(
      Needs.ofRequest({ operation, method, path, query }, { channels: [], groups: [] })
        .map(({ kind, name, right }) => `${right} ${kind} ${name}`),
      [...expected]
    ))

  it("are those that the service named, if it named any", () =>
    assert.deepStrictEqual(
      Needs.ofRequest(
        { operation: "Subscribe.poll", method: "GET", path: "/v2/subscribe/sub/a,b/0", query: "" },
        { channels: ["b"], groups: [] }
      ),
      [{ kind: "channel", name: "b", right: "read" }]
    ))
})
