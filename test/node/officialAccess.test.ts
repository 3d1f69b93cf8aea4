/** The official client grants, revokes and reads tokens of the emulator; each side uses what the other granted. */
import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as NodeTransport from "effect-herald/node/NodeTransport"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import { Access, AccessToken, History, Publish, PubNubConfig } from "effect-herald/pubnub"
import { client, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer({
  addOns: { accessManager: true },
  keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }]
}))

const ours = (options: Partial<PubNubConfig.Options>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  PubNubEmulatorServer.PubNubEmulatorServer.use(({ origin }) =>
    Effect.provideService(
      effect,
      PubNubConfig.PubNubConfig,
      PubNubConfig.make({
        subscribeKey: "demo-sub",
        publishKey: "demo-pub",
        userId: "ada",
        origin,
        tls: false,
        ...options
      })
    )
  )

const asServer = ours({ secretKey: Redacted.make("sec") })
const withToken = (token: string) => ours({ authToken: Redacted.make(token) })

const reasonOf = (error: Publish.PublishError) => "reason" in error ? error.reason : error

interface Refused {
  readonly status?: { readonly statusCode?: number; readonly errorData?: { readonly payload?: unknown } }
}

/** The status and the names of a refusal, as the official client shows it. */
const refusal = <A>(promise: () => Promise<A>) =>
  Effect.map(
    Effect.flip(Effect.tryPromise({ try: promise, catch: (error): Refused => Object(error) })),
    ({ status }) => [status?.statusCode, status?.errorData?.payload] as const
  )

it.live("a token that we granted lets the official client do what it says, and no more", () =>
  Effect.gen(function*() {
    const granted = yield* asServer(Access.grant({
      ttl: "1 hour",
      user: "ada",
      channels: { lobby: ["read", "write"] },
      patterns: { channels: { "^room-[0-9]+$": ["read"] } },
      users: { ada: ["get", "update"] },
      meta: { team: 1 }
    }))
    const token = Redacted.value(granted)
    const ada = yield* client("ada")
    ada.setToken(token)
    const parsed = ada.parseToken(token)
    assert.deepInclude(parsed, { version: 2, ttl: 60, authorized_uuid: "ada", meta: { team: 1 } })
    assert.deepInclude(parsed?.resources?.channels?.["lobby"], { read: true, write: true, manage: false })
    assert.deepInclude(parsed?.resources?.uuids?.["ada"], { get: true, update: true, delete: false })
    assert.deepInclude(parsed?.patterns?.channels?.["^room-[0-9]+$"], { read: true, write: false })

    yield* theirs(() => ada.publish({ channel: "lobby", message: "theirs" }))
    assert.deepStrictEqual(
      (yield* withToken(token)(History.list({ channel: "lobby" }))).items.length,
      1
    )
    yield* theirs(() => ada.fetchMessages({ channels: ["room-1"] }))
    yield* theirs(() => ada.objects.setUUIDMetadata({ uuid: "ada", data: { name: "Ada" } }))
    const refused = [403, { channels: ["room-1"] }] as const
    assert.deepStrictEqual(yield* refusal(() => ada.publish({ channel: "room-1", message: 1 })), refused)
    const ourRefusal = yield* Effect.flip(withToken(token)(Publish.publish({ channel: "room-1", message: 1 })))
    assert.deepInclude(reasonOf(ourRefusal), { _tag: "AccessDenied", status: 403, channels: ["room-1"] })
    const bob = yield* client("bob")
    bob.setToken(token)
    assert.strictEqual((yield* refusal(() => bob.publish({ channel: "lobby", message: 1 })))[0], 403)
    yield* asServer(Access.revoke(granted))
    assert.strictEqual((yield* refusal(() => ada.publish({ channel: "lobby", message: 1 })))[0], 403)
  }).pipe(Effect.provide(NodeTransport.layer), Effect.scoped, served))

it.live("we read and use a token that the official client granted, until it revokes it", () =>
  Effect.gen(function*() {
    const server = yield* client("server", { secretKey: "sec" })
    const token = yield* theirs(() =>
      server.grantToken({
        ttl: 15,
        authorized_uuid: "ada",
        resources: { channels: { "a b/ü": { read: true, write: true } }, groups: { g: { manage: true } } },
        patterns: { uuids: { "^u": { get: true } } },
        meta: { city: "Köln" }
      })
    )
    const content = yield* Effect.fromResult(AccessToken.parse(Redacted.make(token)))
    assert.deepStrictEqual([...content.resources.channels], [["a b/ü", ["read", "write"]]])
    assert.deepStrictEqual([...content.resources.groups], [["g", ["manage"]]])
    assert.deepStrictEqual([...content.patterns.users], [["^u", ["get"]]])
    assert.deepStrictEqual([content.user, content.meta], ["ada", { city: "Köln" }])
    assert.strictEqual(DateTime.toEpochMillis(content.expires) - DateTime.toEpochMillis(content.granted), 900_000)

    const asAda = withToken(token)
    yield* asAda(Publish.publish({ channel: "a b/ü", message: "ours" }))
    assert.deepStrictEqual(
      Object.values((yield* theirs(() => server.fetchMessages({ channels: ["a b/ü"] }))).channels)
        .map((messages) => messages.map(({ message }) => message)),
      [["ours"]]
    )
    const ourRefusal = yield* Effect.flip(asAda(Publish.publish({ channel: "b", message: 1 })))
    assert.deepInclude(reasonOf(ourRefusal), { _tag: "AccessDenied", channels: ["b"] })
    yield* theirs(() => server.revokeToken(token))
    const revoked = yield* Effect.flip(asAda(Publish.publish({ channel: "a b/ü", message: 2 })))
    assert.include(revoked.message, "Token is revoked")
  }).pipe(Effect.provide(NodeTransport.layer), Effect.scoped, served))

it.live("both are refused the same wrong grants", () =>
  Effect.gen(function*() {
    const server = yield* client("server", { secretKey: "sec" })
    const channels = { a: { read: true } }
    for (
      const [ttl, resources] of [[0, { channels }], [43_201, { channels }], [15, {}]] as const
    ) {
      yield* Effect.flip(Effect.tryPromise(() => server.grantToken({ ttl, resources })))
      const { reason } = yield* Effect.flip(asServer(Access.grant({
        ttl: `${ttl} minutes`,
        ..."channels" in resources && { channels: { a: ["read"] } }
      })))
      assert.strictEqual(reason._tag, "BadRequest")
    }
    const stranger = yield* client("server", { secretKey: "another" })
    assert.strictEqual((yield* refusal(() => stranger.grantToken({ ttl: 1, resources: { channels } })))[0], 403)
    const { reason } = yield* Effect.flip(
      ours({ secretKey: Redacted.make("another") })(Access.grant({ ttl: "1 minute", channels: { a: ["read"] } }))
    )
    assert.deepInclude(reason, { _tag: "InvalidKey", key: "secret" })
  }).pipe(Effect.provide(NodeTransport.layer), Effect.scoped, served))
