/** Access Manager of the emulator: tokens in the service's format, and a right for every operation. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { AccessToken } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import * as accessToken from "../../src/testing/pubnub/accessToken.ts"
import * as grants from "../../src/testing/pubnub/grants.ts"
import * as rights from "../../src/testing/pubnub/rights.ts"
import { table } from "../../src/pubnub/internal/access/needs.ts"

type Right = PubNubEmulator.Right

const emulated = Effect.provide(PubNubEmulator.layer({ addOns: { accessManager: true } }))

const emulator = PubNubEmulator.PubNubEmulator

const ask = Effect.fnUntraced(function*(
  method: string,
  path: string,
  { auth, body = "", query = "" }: { readonly auth?: string; readonly body?: string; readonly query?: string } = {}
) {
  const { handle } = yield* emulator
  const token = auth === undefined ? "" : `&auth=${encodeURIComponent(auth)}`
  const answer = yield* handle({ method, target: `${path}?uuid=ada${token}${query}`, headers: {}, body })
  const json: { readonly [key: string]: unknown } = JSON.parse(answer.body || "{}")
  return { status: answer.status, body: json }
})

const publish = "/publish/demo-pub/demo-sub/0/a/0/1"

/** Every operation: one request, what it is on, and the right that the documents of the service name. */
const operations: ReadonlyArray<
  readonly [what: string, method: string, path: string, kind: "channels" | "groups" | "users", right: Right, more?: {
    readonly body?: string
    readonly query?: string
  }]
> = [
  ["publish", "GET", publish, "channels", "write"],
  ["publish by POST", "POST", "/publish/demo-pub/demo-sub/0/a/0", "channels", "write", { body: "1" }],
  ["signal", "GET", "/signal/demo-pub/demo-sub/0/a/0/1", "channels", "write"],
  ["subscribe", "GET", "/v2/subscribe/demo-sub/a/0", "channels", "read"],
  ["leave", "GET", "/v2/presence/sub-key/demo-sub/channel/a/leave", "channels", "read"],
  ["heartbeat", "GET", "/v2/presence/sub-key/demo-sub/channel/a/heartbeat", "channels", "read"],
  ["here now", "GET", "/v2/presence/sub-key/demo-sub/channel/a", "channels", "read"],
  ["get state", "GET", "/v2/presence/sub-key/demo-sub/channel/a/uuid/ada", "channels", "read"],
  ["set state", "GET", "/v2/presence/sub-key/demo-sub/channel/a/uuid/ada/data", "channels", "read", {
    query: "&state={}"
  }],
  ["history", "GET", "/v3/history/sub-key/demo-sub/channel/a", "channels", "read"],
  ["history with actions", "GET", "/v3/history-with-actions/sub-key/demo-sub/channel/a", "channels", "read"],
  ["the older history", "GET", "/v2/history/sub-key/demo-sub/channel/a", "channels", "read"],
  ["counts", "GET", "/v3/history/sub-key/demo-sub/message-counts/a", "channels", "read", { query: "&timetoken=1" }],
  ["delete messages", "DELETE", "/v3/history/sub-key/demo-sub/channel/a", "channels", "delete"],
  ["get actions", "GET", "/v1/message-actions/demo-sub/channel/a", "channels", "read"],
  [
    "add an action",
    "POST",
    "/v1/message-actions/demo-sub/channel/a/message/17000000000000000",
    "channels",
    "write",
    { body: "{\"type\":\"t\",\"value\":\"v\"}" }
  ],
  ["change a group", "GET", "/v1/channel-registration/sub-key/demo-sub/channel-group/a", "groups", "manage", {
    query: "&add=x"
  }],
  ["list a group", "GET", "/v1/channel-registration/sub-key/demo-sub/channel-group/a", "groups", "manage"],
  ["remove a group", "GET", "/v1/channel-registration/sub-key/demo-sub/channel-group/a/remove", "groups", "manage"],
  ["set a user", "PATCH", "/v2/objects/demo-sub/uuids/a", "users", "update", { body: "{}" }],
  ["get a user", "GET", "/v2/objects/demo-sub/uuids/a", "users", "get"],
  ["remove a user", "DELETE", "/v2/objects/demo-sub/uuids/a", "users", "delete"],
  ["set a channel", "PATCH", "/v2/objects/demo-sub/channels/a", "channels", "update", { body: "{}" }],
  ["get a channel", "GET", "/v2/objects/demo-sub/channels/a", "channels", "get"],
  ["remove a channel", "DELETE", "/v2/objects/demo-sub/channels/a", "channels", "delete"],
  ["get members", "GET", "/v2/objects/demo-sub/channels/a/uuids", "channels", "get"],
  ["change members", "PATCH", "/v2/objects/demo-sub/channels/a/uuids", "channels", "manage", { body: "{}" }],
  ["get memberships", "GET", "/v2/objects/demo-sub/uuids/a/channels", "users", "get"],
  ["change memberships", "PATCH", "/v2/objects/demo-sub/uuids/a/channels", "users", "update", { body: "{}" }],
  ["ask for an upload", "POST", "/v1/files/demo-sub/channels/a/generate-upload-url", "channels", "write", {
    body: "{\"name\":\"n\"}"
  }],
  ["announce a file", "GET", "/v1/files/publish-file/demo-pub/demo-sub/0/a/0/1", "channels", "write"],
  ["list files", "GET", "/v1/files/demo-sub/channels/a/files", "channels", "read"],
  ["download a file", "GET", "/v1/files/demo-sub/channels/a/files/i/n", "channels", "read"],
  ["remove a file", "DELETE", "/v1/files/demo-sub/channels/a/files/i/n", "channels", "delete"],
  ["add a channel to a device", "GET", "/v1/push/sub-key/demo-sub/devices/d", "channels", "read", {
    query: "&type=fcm&add=a"
  }],
  ["remove a channel of a device", "GET", "/v2/push/sub-key/demo-sub/devices-apns2/ab", "channels", "read", {
    query: "&topic=t&remove=a"
  }]
]

const all: ReadonlyArray<Right> = ["read", "write", "manage", "delete", "get", "update", "join"]

describe("a token of the emulator", () => {
  it.effect.each([...operations])("allows %s with the right of the documents, and refuses it without", (
    [, method, path, kind, right, more]
  ) =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const withRight = yield* grant({ [kind]: { a: [right] } })
      const others = all.filter((other) => other !== right)
      const without = yield* grant({
        channels: { a: others },
        groups: { a: others },
        users: { a: others },
        [kind]: { a: others }
      })
      const refused = yield* ask(method, path, { auth: without, ...more })
      assert.strictEqual(refused.status, 403)
      const allowed = yield* ask(method, path, { auth: withRight, ...more })
      assert.notStrictEqual(allowed.status, 403, JSON.stringify(allowed.body))
    }).pipe(emulated))

  it.effect("needs join on every channel of a change of memberships", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({ channels: { a: ["join"] }, users: { ada: ["update"] } })
      const join = (...ids: ReadonlyArray<string>) =>
        ask("PATCH", "/v2/objects/demo-sub/uuids/ada/channels", {
          auth,
          body: JSON.stringify({ set: ids.map((id) => ({ channel: { id } })) })
        })
      assert.strictEqual((yield* join("a")).status, 200)
      assert.deepStrictEqual((yield* join("a", "b")).body["error"], {
        message: "Supplied authorization key does not have the permissions required to perform this operation.",
        source: "objects"
      })
    }).pipe(emulated))

  it.effect("refuses only the names that it gives no right on, groups with a colon", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({ channels: { a: ["read"], b: ["write"] }, groups: { g: ["read"] } })
      const { body, status } = yield* ask("GET", "/v2/subscribe/demo-sub/a,b,a-pnpres/0", {
        auth,
        query: "&channel-group=g,h,g-pnpres"
      })
      assert.strictEqual(status, 403)
      assert.deepStrictEqual(body, {
        message: "Forbidden",
        payload: { "channels": ["b", "a-pnpres"], "channel-groups": [":h", ":g-pnpres"] },
        error: true,
        service: "Access Manager",
        status: 403
      })
    }).pipe(emulated))

  it.effect("joins the rights of its name and of every pattern that is found in it", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({
        channels: { a: ["read"] },
        patterns: { channels: { "^a$": ["write"], oo: ["read"] } }
      })
      assert.strictEqual((yield* ask("GET", publish, { auth })).status, 200)
      assert.strictEqual((yield* ask("GET", "/v2/subscribe/demo-sub/a,room/0", { auth })).status, 200)
      assert.strictEqual((yield* ask("GET", "/v2/subscribe/demo-sub/rom/0", { auth })).status, 403)
    }).pipe(emulated))

  it.effect("has the rights of its categories on every name, which the client reads from it", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({ categories: { channels: ["get"], users: ["get"] } })
      const statusOf = (method: "GET" | "DELETE", path: string) =>
        Effect.map(ask(method, `/v2/objects/demo-sub/${path}`, { auth }), ({ status }) => status)
      assert.strictEqual(yield* statusOf("GET", "channels/any"), 404)
      assert.strictEqual(yield* statusOf("GET", "uuids/bob"), 404)
      assert.strictEqual(yield* statusOf("DELETE", "channels/any"), 403)
      assert.strictEqual((yield* ask("GET", publish, { auth })).status, 403)
      const { categories } = Result.getOrThrow(AccessToken.parse(Redacted.make(auth)))
      assert.deepInclude(categories, { channels: ["get"], users: ["get"] })
    }).pipe(emulated))

  it.effect("is needed with its category to list what the keyset disallows, and without it nothing is listed", () =>
    Effect.gen(function*() {
      const { grant, setAddOns } = yield* emulator
      const statusesOf = (auth?: string) =>
        Effect.forEach(["channels", "uuids"], (kind) =>
          Effect.map(
            ask("GET", `/v2/objects/demo-sub/${kind}`, auth === undefined ? {} : { auth }),
            ({ status }) => status
          ))
      const names = {
        channels: { a: all },
        users: { ada: all },
        patterns: { channels: { ".*": all }, users: { ".*": all } }
      }
      const byName = yield* grant(names)
      const forChannels = yield* grant({ categories: { channels: ["get"] } })
      const forUsers = yield* grant({ categories: { users: ["get"], channels: ["update"] } })
      assert.deepStrictEqual(yield* statusesOf(byName), [200, 200])
      yield* setAddOns({ disallowGetAllChannels: true })
      assert.deepStrictEqual(yield* statusesOf(byName), [403, 200])
      yield* setAddOns({ disallowGetAllUsers: true })
      assert.deepStrictEqual(yield* statusesOf(byName), [403, 403])
      assert.deepStrictEqual(yield* statusesOf(forChannels), [200, 403])
      assert.deepStrictEqual(yield* statusesOf(forUsers), [403, 200])
      const { body } = yield* ask("GET", "/v2/objects/demo-sub/uuids", { auth: byName })
      assert.deepStrictEqual(body["error"], {
        message: "Supplied authorization key does not have the permissions required to perform this operation.",
        source: "objects"
      })
      // One object is not a list, and without Access Manager nobody has a category.
      assert.strictEqual((yield* ask("GET", "/v2/objects/demo-sub/uuids/bob", { auth: byName })).status, 404)
      yield* setAddOns({ accessManager: false })
      assert.deepStrictEqual(yield* statusesOf(), [403, 403])
    }).pipe(emulated))

  const granting = (pattern: string) =>
    grants.make().answer({ ttl: 5, permissions: { patterns: { channels: { [pattern]: 1 } } } }, 0n)

  it.each([
    "(a+)+$",
    "(a|a)*$",
    "a*a*a*a*a*$",
    String.raw`(a+)\1`,
    "(?:a?){30}a",
    "a".repeat(1_001),
    "^(?i)a$",
    "^[[:alpha:]]$",
    String.raw`^\Aa$`,
    "("
  ])(
    "refuses to grant the pattern %s, which may take very long or says nothing to JavaScript",
    (pattern) => {
      const answer = granting(pattern)
      assert.strictEqual(answer.status, 400)
      assert.include(answer.body, "Invalid pattern")
    }
  )

  it.each([
    String.raw`^room-[a-z0-9+*]+-\d+$`,
    String.raw`a\+\*\?\{\+\(\)\+`,
    String.raw`^(?:a|b)\..*`,
    String.raw`^\p{L}+(?:-\d+)?$`
  ])("grants the pattern %s", (pattern) => assert.strictEqual(granting(pattern).status, 200))

  it.effect("takes a name with an asterisk as that name only", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({ channels: { "a.*": ["read"] } })
      assert.strictEqual((yield* ask("GET", "/v2/subscribe/demo-sub/a.*/0", { auth })).status, 200)
      assert.strictEqual((yield* ask("GET", "/v2/subscribe/demo-sub/a.b/0", { auth })).status, 403)
    }).pipe(emulated))

  it.effect("expires in virtual time, to the second", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({ ttl: "1 minute", channels: { a: ["write"] } })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* ask("GET", publish, { auth })).status, 200)
      yield* TestClock.adjust("1 second")
      const { body, status } = yield* ask("GET", publish, { auth })
      assert.deepStrictEqual([status, body["message"]], [403, "Token is expired"])
    }).pipe(emulated))

  it.effect("is refused for another user, when it was revoked, and when another emulator made it", () =>
    Effect.gen(function*() {
      const { grant, revokeToken } = yield* emulator
      const bobs = yield* grant({ user: "bob", channels: { a: ["write"] } })
      assert.strictEqual((yield* ask("GET", publish, { auth: bobs })).status, 403)
      const adas = yield* grant({ user: "ada", channels: { a: ["write"] } })
      assert.strictEqual((yield* ask("GET", publish, { auth: adas })).status, 200)
      yield* revokeToken(adas)
      assert.strictEqual((yield* ask("GET", publish, { auth: adas })).body["message"], "Token is revoked")
      const foreign = adas.replace(/^.{60}/, (start) => start.slice(0, 59) + (start.endsWith("A") ? "B" : "A"))
      assert.deepInclude((yield* ask("GET", publish, { auth: foreign })).body, {
        message: "Invalid token",
        status: 403
      })
    }).pipe(emulated))

  it.effect("is not needed for a signed request, and any other text permits everything", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* ask("GET", publish, { auth: "some text" })).status, 200)
      assert.strictEqual((yield* ask("GET", publish)).status, 403)
    }).pipe(emulated))

  it.effect("is not checked while the add-on is off", () =>
    Effect.gen(function*() {
      const { grant } = yield* emulator
      const auth = yield* grant({ channels: { b: ["read"] } })
      assert.strictEqual((yield* ask("GET", publish, { auth })).status, 200)
    }).pipe(Effect.provide(PubNubEmulator.layer())))
})

describe("a grant", () => {
  const grant = (body: string, query = "&signature=v2.x&timestamp=1") =>
    ask("POST", "/v3/pam/demo-sub/grant", { body, query })

  it.effect.each<readonly [string, string, string, string]>([
    ["a ttl of 0", "{\"ttl\":0}", "Invalid ttl", "Range should be 1 to 43200 minute(s)."],
    ["a ttl of more than 30 days", "{\"ttl\":43201}", "Invalid ttl", "Range should be 1 to 43200 minute(s)."],
    ["no permission", "{\"ttl\":1,\"permissions\":{}}", "This grant contains no permissions", "What are you granting?"],
    ["no JSON", "{", "Invalid JSON", "Request payload must be in JSON format."]
  ])("is refused for %s", ([, body, message, detail]) =>
    Effect.gen(function*() {
      const answer = yield* grant(body)
      assert.strictEqual(answer.status, 400)
      assert.deepInclude(answer.body["error"], { message, source: "grant" })
      assert.include(JSON.stringify(answer.body), detail)
    }).pipe(emulated))

  it.effect("is refused without a signature, and so is a revocation", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* grant("{}", "")).status, 403)
      assert.strictEqual((yield* ask("DELETE", "/v3/pam/demo-sub/grant/x", { auth: "t" })).status, 403)
    }).pipe(emulated))

  it.effect("can be revoked until it expires", () =>
    Effect.gen(function*() {
      const made = yield* (yield* emulator).grant({ ttl: "1 minute", channels: { a: ["write"] } })
      const revoke = (token: string) =>
        ask("DELETE", `/v3/pam/demo-sub/grant/${encodeURIComponent(token)}`, { query: "&signature=v2.x&timestamp=1" })
      assert.deepStrictEqual((yield* revoke(made)).body, {
        data: { message: "Success" },
        service: "Access Manager",
        status: 200
      })
      assert.strictEqual((yield* ask("GET", publish, { auth: made })).body["message"], "Token is revoked")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* revoke(made)).body, {
        error: {
          message: "Invalid token",
          source: "revoke",
          details: [{ message: "Token is expired.", location: "token", locationType: "path" }]
        },
        service: "Access Manager",
        status: 400
      })
      assert.strictEqual((yield* revoke("nothing")).status, 400)
    }).pipe(emulated))

  it.effect("cannot be revoked once a test let it expire, however it is written", () =>
    Effect.gen(function*() {
      const { expireToken, grant, refusedTokens } = yield* emulator
      const made = yield* grant({ channels: { a: ["write"], ["?".repeat(40)]: ["read"] } })
      const other = made.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "")
      assert.notStrictEqual(other, made)
      yield* expireToken(other)
      for (const token of [made, other]) {
        const revoked = yield* ask("DELETE", `/v3/pam/demo-sub/grant/${encodeURIComponent(token)}`, {
          query: "&signature=v2.x&timestamp=1"
        })
        assert.strictEqual(revoked.status, 400)
        assert.include(JSON.stringify(revoked.body), "Token is expired.")
        assert.strictEqual((yield* ask("GET", publish, { auth: token })).body["message"], "Token is expired")
      }
      assert.deepStrictEqual(yield* refusedTokens, [{ token: other, reason: "expired" }])
      // Any other text is compared as it is.
      yield* expireToken("a+b")
      assert.strictEqual((yield* ask("GET", publish, { auth: "a-b" })).status, 200)
      assert.strictEqual((yield* ask("GET", publish, { auth: "a+b" })).status, 403)
    }).pipe(emulated))
})

// --------------------------------------------------------------------------------------------------------------------
// emulator and client
// --------------------------------------------------------------------------------------------------------------------

const Mask = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const Masks = Schema.Record(Schema.String, Mask)

const Content = Arbitrary.schema(Schema.Struct({
  timestamp: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000_000_000 })),
  ttl: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 43_200 })),
  uuid: Schema.UndefinedOr(Schema.String),
  names: Schema.Struct({ channels: Masks, groups: Masks, uuids: Masks }),
  special: Mask,
  hasCategories: Schema.Boolean,
  meta: Schema.Record(
    Schema.String,
    Schema.Union([Schema.String, Schema.Int, Schema.Finite, Schema.Boolean, Schema.Null, Schema.Array(Schema.String)])
  )
}))

type Drawn = typeof Content extends Arbitrary.Arbitrary<infer A> ? A : never

const contentOf = ({ hasCategories, meta, names, special, timestamp, ttl, uuid }: Drawn): accessToken.Content => {
  const channels = new Map([...Object.entries(names.channels), ["__proto__", special], ["7", special], ["", special]])
  const permissions = {
    channels: new Map(Array.from(channels, ([name, mask]) => [String(name).toWellFormed(), Number(mask)])),
    groups: new Map(Object.entries(names.groups).map(([name, mask]) => [name.toWellFormed(), mask])),
    uuids: new Map(Object.entries(names.uuids).map(([name, mask]) => [name.toWellFormed(), mask]))
  }
  return {
    timestamp,
    ttl,
    uuid: uuid?.toWellFormed(),
    resources: permissions,
    patterns: { ...permissions, channels: permissions.groups, groups: permissions.channels },
    categories: new Map(hasCategories ? [["channels", 32], ["uuids", 32]] : []),
    // JSON has no form for an unpaired surrogate.
    meta: JSON.parse(JSON.stringify(meta).replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, "-"))
  }
}

const Changes = Arbitrary.array(
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 24 }))),
  {
    maxLength: 4
  }
)

const parse = (text: string) => AccessToken.parse(Redacted.make(text))

const bitsOf = (given: ReadonlyMap<string, ReadonlyArray<AccessToken.Right>>) =>
  new Map(Array.from(given, ([name, some]) => [
    name,
    some.reduce((mask, right) => mask | (right === "create" ? 16 : rights.bits[right]), 0)
  ]))

describe("tokens of the emulator and the client that reads them", () => {
  it.prop("agree on every content", [Content], ([drawn]) => {
    const content = contentOf(drawn)
    const text = accessToken.write(content)
    assert.isTrue(accessToken.isLike(text))
    const token = Result.getOrThrow(parse(text))
    assert.strictEqual(DateTime.toEpochMillis(token.granted), content.timestamp * 1_000)
    assert.strictEqual(DateTime.toEpochMillis(token.expires), (content.timestamp + content.ttl * 60) * 1_000)
    assert.strictEqual(token.user, content.uuid)
    for (const part of ["resources", "patterns"] as const) {
      const { channels, groups, users } = token[part]
      assert.deepStrictEqual(
        { channels: bitsOf(channels), groups: bitsOf(groups), uuids: bitsOf(users) },
        content[part]
      )
    }
    assert.strictEqual(JSON.stringify(token.meta), JSON.stringify(content.meta))
  }, { arbitrary: { runs: 25 } })

  it.prop("never make the reader throw when they are damaged", [Content, Changes], ([drawn, changes]) => {
    const bytes = Buffer.from(accessToken.write(contentOf(drawn)), "base64url")
    for (const change of changes) bytes[change % bytes.length] = change >> 16 & 255
    for (const some of [bytes, bytes.subarray(0, (changes[0] ?? 0) % bytes.length)]) {
      const result = parse(some.toString("base64url"))
      if (Result.isFailure(result)) assert.isNotEmpty(result.failure.message)
    }
  }, { arbitrary: { runs: 25 } })

  it("need the same rights for the same operations", () => {
    const same: ReadonlyArray<readonly [keyof typeof rights.table, keyof typeof table]> = [
      ["publish", "Publish.publish"],
      ["signal", "Publish.signal"],
      ["subscribe", "Subscribe.stream"],
      ["hereNow", "Presence.hereNow"],
      ["getState", "Presence.getState"],
      ["setState", "Presence.setState"],
      ["fetchHistory", "History.list"],
      ["countMessages", "History.count"],
      ["deleteMessages", "History.remove"],
      ["getActions", "MessageActions.list"],
      ["addAction", "MessageActions.add"],
      ["removeAction", "MessageActions.remove"],
      ["changeGroup", "ChannelGroups.addChannels"],
      ["listGroup", "ChannelGroups.listChannels"],
      ["getUser", "Users.get"],
      ["setUser", "Users.set"],
      ["removeUser", "Users.remove"],
      ["getChannel", "Channels.get"],
      ["setChannel", "Channels.set"],
      ["removeChannel", "Channels.remove"],
      ["getMembers", "Members.list"],
      ["changeMembers", "Members.set"],
      ["getMemberships", "Memberships.list"],
      ["changeMemberships", "Memberships.set"],
      ["sendFile", "Files.send"],
      ["sendFile", "Files.announce"],
      ["readFiles", "Files.list"],
      ["readFiles", "Files.download"],
      ["deleteFile", "Files.remove"],
      ["changePush", "Push.addChannels"],
      ["listObjects", "Users.list"]
    ]
    for (const [theirs, ours] of same) {
      const { channel, group, user }: { channel?: string; group?: string; user?: string } = table[ours]
      const { channels, groups, uuids }: { channels?: string; groups?: string; uuids?: string } = rights.table[theirs]
      assert.deepStrictEqual([channels, uuids], [channel, user], ours)
      // Stored messages have no groups.
      if (!/^(History|MessageActions)/.test(ours)) assert.strictEqual(groups, group, ours)
    }
  })
})
