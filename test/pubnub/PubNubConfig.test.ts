import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Publish, PubNubConfig, Subscribe, Time } from "effect-herald/pubnub"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import packageJson from "../../package.json" with { type: "json" }
import { version } from "../../src/internal/version.ts"

const fromEnvironment = (
  options: Parameters<typeof PubNubConfig.layerConfig>[0],
  values: Record<string, unknown>
) => Layer.provide(PubNubConfig.layerConfig(options), ConfigProvider.layer(ConfigProvider.fromUnknown(values)))

it.effect("reads the documented environment names, and keeps secrets redacted", () =>
  Effect.gen(function*() {
    const config = yield* PubNubConfig.PubNubConfig
    assert.deepInclude({ ...config }, {
      subscribeKey: "sub",
      publishKey: "pub",
      userId: "ada",
      origin: "localhost:4040",
      tls: false,
      issues: []
    })
    assert.strictEqual(Redacted.value(config.secretKey!), "s3cr3t")
    assert.isTrue(Equal.equals(config.authToken, Redacted.make("t0ken")))
    assert.notMatch(JSON.stringify(config), /s3cr3t|t0ken/)
  }).pipe(
    Effect.provide(fromEnvironment({}, {
      PUBNUB_SUBSCRIBE_KEY: "sub",
      PUBNUB_PUBLISH_KEY: "pub",
      PUBNUB_SECRET_KEY: "s3cr3t",
      PUBNUB_AUTH_TOKEN: "t0ken",
      PUBNUB_USER_ID: "ada",
      PUBNUB_ORIGIN: "localhost:4040",
      PUBNUB_TLS: "false"
    }))
  ))

it.effect("uses defaults for options that are not given, and accepts a Config for an option", () =>
  Effect.gen(function*() {
    const config = yield* PubNubConfig.PubNubConfig
    assert.deepInclude({ ...config }, {
      subscribeKey: "other",
      publishKey: undefined,
      origin: "ps.pndsn.com",
      tls: true,
      maxMessageSize: 32_768,
      maxSignalSize: 64,
      queueLength: 100,
      sendLeave: true
    })
    assert.strictEqual(Duration.toSeconds(config.requestTimeout), 3)
    assert.strictEqual(Duration.toSeconds(config.pollTimeout), 55)
  }).pipe(
    Effect.provide(fromEnvironment({
      subscribeKey: Config.String("OTHER_KEY"),
      requestTimeout: Config.Duration("TIMEOUT").pipe(Config.withDefault("3 seconds"))
    }, { OTHER_KEY: "other", PUBNUB_USER_ID: "ada" }))
  ))

it.effect("fails the layer with a ConfigError when a key is missing", () =>
  Effect.gen(function*() {
    const error = yield* PubNubConfig.PubNubConfig.pipe(
      Effect.provide(fromEnvironment({}, { PUBNUB_USER_ID: "ada" })),
      Effect.flip
    )
    assert.strictEqual(error._tag, "ConfigError")
    assert.include(error.message, "PUBNUB_SUBSCRIBE_KEY")
  }))

it("make never fails, and lists each wrong option as an issue", () => {
  const { issues } = PubNubConfig.make({
    subscribeKey: "a/b",
    userId: " ",
    origin: "http://x",
    requestTimeout: 0,
    maxMessageSize: Number.NaN,
    queueLength: 0
  })
  assert.deepStrictEqual(
    issues.map(({ location }) => location),
    ["userId", "subscribeKey", "origin", "requestTimeout", "maxMessageSize", "queueLength"]
  )
})

it.effect("a configuration that no address can carry is refused like any other wrong one", () =>
  Effect.gen(function*() {
    const config = { subscribeKey: "s", publishKey: "p", userId: "u" }
    for (const wrong of [{ userId: "\ud800" }, { instanceId: "\ud800" }, { partnerId: "\ud800" }]) {
      const provided = Effect.provide([PubNubConfig.layer({ ...config, ...wrong }), Transport.layerScripted([])])
      const published = yield* Effect.flip(provided(Publish.publish({ channel: "a", message: 1 })))
      const subscribed = yield* Effect.flip(provided(Stream.runDrain(Subscribe.messages({ channels: ["a"] }))))
      for (const { message } of [published, subscribed]) {
        assert.include(message, `${Object.keys(wrong)[0]} has an unpaired surrogate`)
      }
    }
  }))

describe("presence", () => {
  const made = (options: Partial<PubNubConfig.Options>) =>
    PubNubConfig.make({ subscribeKey: "s", userId: "u", ...options })

  it("is off by default, and on with a timeout or an interval", () => {
    const cases: ReadonlyArray<readonly [Partial<PubNubConfig.Options>, number | undefined, number | undefined]> = [
      [{}, undefined, undefined],
      [{ presenceTimeout: "300 seconds" }, 300, 149],
      [{ presenceTimeout: "20 seconds" }, 20, 9],
      [{ presenceTimeout: "3 seconds" }, 3, 1],
      [{ heartbeatInterval: "1 minute" }, 300, 60],
      [{ heartbeatInterval: "19 seconds", presenceTimeout: "20 seconds" }, 20, 19]
    ]
    for (const [options, timeout, interval] of cases) {
      const { heartbeatInterval, issues, presenceTimeout } = made(options)
      assert.deepStrictEqual(issues, [])
      assert.strictEqual(presenceTimeout && Duration.toSeconds(presenceTimeout), timeout)
      assert.strictEqual(heartbeatInterval && Duration.toSeconds(heartbeatInterval), interval)
    }
  })

  // Types let not everything through that configuration files hold.
  const nonsense: { readonly presenceTimeout: never } = JSON.parse(`{"presenceTimeout":"soon"}`)
  const finite = "is not a positive, finite duration"
  it.each<readonly [Partial<PubNubConfig.Options>, string, string]>([
    [{ heartbeatInterval: 0 }, "heartbeatInterval", finite],
    [{ heartbeatInterval: Number.NaN }, "heartbeatInterval", finite],
    [{ heartbeatInterval: "-5 seconds" }, "heartbeatInterval", finite],
    [{ heartbeatInterval: Infinity }, "heartbeatInterval", finite],
    [
      { heartbeatInterval: "300 seconds" },
      "heartbeatInterval",
      "is 300 s, not less than the presence timeout of 300 s"
    ],
    [
      { heartbeatInterval: "21 seconds", presenceTimeout: "20 seconds" },
      "heartbeatInterval",
      "is 21 s, not less than the presence timeout of 20 s"
    ],
    [{ presenceTimeout: "1 second" }, "heartbeatInterval", "is 1 s, not less than the presence timeout of 1 s"],
    [{ presenceTimeout: Number.NaN }, "presenceTimeout", finite],
    [{ presenceTimeout: Infinity }, "presenceTimeout", finite],
    [nonsense, "presenceTimeout", finite]
  ])("%j is an issue", (options, location, message) => {
    assert.deepStrictEqual(made(options).issues, [{ location, message }])
  })
})

it("accepts hosts with ports and bare addresses as origins", () => {
  for (const origin of ["ps.pndsn.com", "localhost:4040", "127.0.0.1", "[::1]:80", "a-b.c"]) {
    assert.deepStrictEqual(PubNubConfig.make({ subscribeKey: "s", userId: "u", origin }).issues, [], origin)
  }
})

it.effect("sends version, partner, instance, request id and user id with each request", () =>
  Effect.gen(function*() {
    yield* Time.now
    const [request] = yield* PubNubEmulator.PubNubEmulator.use(({ requests }) => requests)
    const query = new URL(request!.target, "http://host").searchParams
    assert.strictEqual(query.get("pnsdk"), `effect-herald-acme/${version}`)
    assert.strictEqual(query.get("instanceid"), "pn-1")
    assert.match(query.get("requestid")!, /^[0-9a-f-]{36}$/)
    assert.strictEqual(query.get("uuid"), "ada l")
  }).pipe(
    Effect.provide([
      PubNubEmulator.layer(),
      PubNubConfig.layer({
        subscribeKey: "demo-sub",
        userId: "ada l",
        partnerId: "acme",
        instanceId: "pn-1",
        requestIds: true
      })
    ])
  ))

it("has the version of package.json", () => assert.strictEqual(version, packageJson.version))

it("sets maxAnswerSize to a hundred messages, and to at least 32 MiB", () => {
  const sizeOf = (options: Partial<PubNubConfig.Options>) =>
    PubNubConfig.make({ subscribeKey: "a", userId: "b", ...options }).maxAnswerSize
  assert.strictEqual(sizeOf({}), 32 * 1024 * 1024)
  assert.strictEqual(sizeOf({ maxMessageSize: 2 * 1024 * 1024 }), 200 * 1024 * 1024)
  assert.strictEqual(sizeOf({ maxMessageSize: 2 * 1024 * 1024, maxAnswerSize: 7 }), 7)
  for (const maxAnswerSize of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const { issues } = PubNubConfig.make({ subscribeKey: "a", userId: "b", maxAnswerSize })
    assert.deepStrictEqual(issues.map(({ location }) => location), ["maxAnswerSize"])
  }
})
