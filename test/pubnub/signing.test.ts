import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { Publish, PubNubConfig, Time } from "effect-herald/pubnub"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import * as Url from "../../src/internal/url.ts"
import * as Endpoint from "../../src/pubnub/internal/wire/endpoint.ts"

it.effect("a secret signs again and again, and no more when it is wiped", () =>
  Effect.gen(function*() {
    const [secret, other] = [Redacted.make("sec"), Redacted.make("other")]
    const signature = yield* Endpoint.signatureOf(secret, "text")
    assert.strictEqual(yield* Endpoint.signatureOf(secret, "text"), signature)
    assert.notStrictEqual(yield* Endpoint.signatureOf(other, "text"), signature)
    Redacted.wipeUnsafe(secret)
    const { key } = yield* Effect.flip(Endpoint.signatureOf(secret, "text"))
    assert.strictEqual(key, "secret")
  }))

// The worked examples of the protocol notes: what is signed, and the signature, computed elsewhere.
const examples = [
  {
    name: "a GET",
    keys: { publishKey: "myPublishKey", subscribeKey: "mySubscribeKey", secretKey: "mySecretKey" },
    request: { method: "GET", path: "/v2/auth/audit/sub-key/mySubscribeKey" },
    query: [["channel", "ch1"], ["uuid", "myUUID"], ["pnsdk", "PubNub-JS-Nodejs/suchJavascript"], [
      "timestamp",
      "1317427200"
    ]],
    text:
      "GET\nmyPublishKey\n/v2/auth/audit/sub-key/mySubscribeKey\nchannel=ch1&pnsdk=PubNub-JS-Nodejs%2FsuchJavascript&timestamp=1317427200&uuid=myUUID\n",
    signature: "v2.I7AFqanrAAtwVfvLHyKECTWw7UcZmwbRnwENpXdGB9E"
  },
  {
    name: "a POST with a body",
    keys: { publishKey: "myPublishKey", subscribeKey: "mySubscribeKey", secretKey: "mySecretKey" },
    request: {
      method: "POST",
      path: "/v3/pam/mySubscribeKey/grant",
      body:
        "{\"ttl\":1440,\"permissions\":{\"resources\":{\"channels\":{},\"groups\":{},\"uuids\":{\"user1\":1},\"users\":{},\"spaces\":{}},\"patterns\":{\"channels\":{},\"groups\":{},\"uuids\":{\".*\":1},\"users\":{},\"spaces\":{}},\"meta\":{}}}"
    },
    query: [["uuid", "myUUID"], ["pnsdk", "PubNub-JS-Nodejs/testVersion"], ["timestamp", "1571360790"]],
    text:
      "POST\nmyPublishKey\n/v3/pam/mySubscribeKey/grant\npnsdk=PubNub-JS-Nodejs%2FtestVersion&timestamp=1571360790&uuid=myUUID\n{\"ttl\":1440,\"permissions\":{\"resources\":{\"channels\":{},\"groups\":{},\"uuids\":{\"user1\":1},\"users\":{},\"spaces\":{}},\"patterns\":{\"channels\":{},\"groups\":{},\"uuids\":{\".*\":1},\"users\":{},\"spaces\":{}},\"meta\":{}}}",
    signature: "v2.A1ldFjcfAiD0rw7-kFKKwY5j0Mpq1R5u8JDeej7P3jo"
  },
  {
    name: "a publish with everything that needs escaping",
    keys: { publishKey: "pub", subscribeKey: "sub", secretKey: "sec" },
    request: {
      method: "GET",
      path: "/publish/pub/sub/0/ch/0/%7B%22text%22%3A%22hi%2C%20it%27s%20%28me%29%21%22%7D"
    },
    query: [["store", "1"], ["uuid", "u 1"], ["pnsdk", "X/1.0"], ["timestamp", "1700000000"]],
    text:
      "GET\npub\n/publish/pub/sub/0/ch/0/%7B%22text%22%3A%22hi%2C%20it%27s%20%28me%29%21%22%7D\npnsdk=X%2F1.0&store=1&timestamp=1700000000&uuid=u%201\n",
    signature: "v2.VAkpc0eSmKxcbZyWH0DAturY-fsuZiFifOqn5LpvdV8"
  }
] as const

describe("the signature", () => {
  it.effect.each(examples)(
    "matches the worked example of $name",
    ({ keys, query, request, signature, text }) =>
      Effect.gen(function*() {
        assert.strictEqual(
          Endpoint.signedText(keys.publishKey, request, Url.encodeQuery(Object.fromEntries(query))),
          text
        )
        const signed = yield* Endpoint.signatureOf(Redacted.make(keys.secretKey), text)
        assert.strictEqual(signed, signature)
      })
  )
})

const config = { subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "u 1", origin: "emulator" }

it.effect("signs GET and POST so that the service accepts them, and another secret is refused", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_790_000_000_000)
    const publish = (method: "GET" | "POST") =>
      Publish.publish({ channel: "it's (ok)!", message: { a: "~*'" }, meta: { x: "é" }, method })
    yield* publish("GET")
    yield* publish("POST")
    const refused = yield* publish("GET").pipe(
      Effect.flip,
      Effect.provide(PubNubConfig.layer({ ...config, secretKey: Redacted.make("another") }))
    )
    if (refused._tag !== "PubNubError") return assert.fail(refused._tag)
    assert.include(["AccessDenied", "InvalidKey"], refused.reason._tag)
  }).pipe(
    Effect.provide([
      PubNubConfig.layer({ ...config, secretKey: Redacted.make("sec") }),
      PubNubEmulator.layer({ keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }] })
    ])
  ))

it.effect("signs a publish by POST as a GET without a body, with the time of each attempt", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_700_000_000_000)
    const publish = Publish.publish({ channel: "ch", message: { a: 1 }, method: "POST" })
    yield* publish
    yield* TestClock.adjust("90 seconds")
    yield* publish
    const [first, second] = (yield* Transport.Exchanges.use(({ all }) => all)).map(({ url }) => new URL(url))
    for (const url of [first!, second!]) {
      const query = url.search.slice(1).split("&").filter((parameter) => !parameter.startsWith("signature="))
      const text = Endpoint.signedText("pub", { method: "GET", path: url.pathname }, query.join("&"))
      assert.strictEqual(
        yield* Endpoint.signatureOf(Redacted.make("sec"), text),
        url.searchParams.get("signature")
      )
    }
    assert.strictEqual(first!.searchParams.get("timestamp"), "1700000000")
    assert.strictEqual(second!.searchParams.get("timestamp"), "1700000090")
  }).pipe(
    Effect.provide(Layer.merge(
      Transport.layerScripted([{ body: "[1,\"Sent\",\"17000000000000001\"]" }, {
        body: "[1,\"Sent\",\"17000000000000002\"]"
      }]),
      PubNubConfig.layer({
        subscribeKey: "sub",
        publishKey: "pub",
        secretKey: Redacted.make("sec"),
        userId: "u",
        origin: "host"
      })
    ))
  ))

it.effect("sends neither token nor signature to the time endpoint", () =>
  Effect.gen(function*() {
    yield* Time.now
    const [exchange] = yield* Transport.Exchanges.use(({ all }) => all)
    const names = [...new URL(exchange!.url).searchParams.keys()]
    assert.deepStrictEqual(names, ["uuid", "pnsdk"])
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([{ body: "[17000000000000001]" }]),
    PubNubConfig.layer({ ...config, secretKey: Redacted.make("sec"), authToken: Redacted.make("token") })
  ))))

it.effect("fails with InvalidKey before a request when the secret or the publish key is missing", () =>
  Effect.gen(function*() {
    for (
      const [wrong, key] of [
        [{ ...config, secretKey: Redacted.make("") }, "secret"],
        [{ ...config, publishKey: undefined, secretKey: Redacted.make("sec") }, "publish"]
      ] as const
    ) {
      const result = yield* Effect.result(
        Publish.publish({ channel: "a", message: 1 }).pipe(
          Effect.provide(PubNubConfig.layer(wrong))
        )
      )
      if (Result.isSuccess(result) || result.failure._tag !== "PubNubError") {
        return assert.fail("expected a PubNubError")
      }
      const { reason } = result.failure
      assert.strictEqual(reason._tag === "InvalidKey" ? reason.key : reason._tag, key)
    }
    assert.deepStrictEqual(yield* Transport.Exchanges.use(({ all }) => all), [])
  }).pipe(Effect.provide(Transport.layerScripted([]))))
