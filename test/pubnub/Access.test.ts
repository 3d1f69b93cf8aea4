/** Grants, revocations and explanations: what is sent, what is refused before, what comes back. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import { Access, PubNubConfig, type PubNubError } from "effect-herald/pubnub"

const config = PubNubConfig.make({
  subscribeKey: "sub",
  publishKey: "pub",
  secretKey: Redacted.make("sec"),
  authToken: Redacted.make("own-token"),
  userId: "server"
})

/** Runs a call whose requests get this answer, and gives the requests, too. */
const answered = <A, E>(
  call: Effect.Effect<A, E, HttpClient.HttpClient | PubNubConfig.PubNubConfig>,
  body: unknown = { data: { message: "Success", token: "t0ken" }, service: "Access Manager", status: 200 },
  { status = 200, ...options }: { readonly status?: number; readonly config?: PubNubConfig.PubNubConfig["Service"] } =
    {}
) =>
  Effect.gen(function*() {
    const requests: Array<{ method: string; url: URL; body: string }> = []
    const client = HttpClient.make((request, url) =>
      Effect.sync(() => {
        const sent = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
        requests.push({ method: request.method, url, body: sent })
        return HttpClientResponse.fromWeb(request, new Response(JSON.stringify(body), { status }))
      })
    )
    const result = yield* Effect.result(call.pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(PubNubConfig.PubNubConfig, options.config ?? config)
    ))
    return { result, requests }
  })

const detailsOf = (result: unknown) => {
  const failure = (result as { readonly failure?: PubNubError.PubNubError }).failure
  const reason = failure?.reason
  return reason?._tag === "BadRequest" && reason.status === undefined
    ? reason.details.map(({ location, message }) => `${location} ${message}`)
    : assert.fail(`not refused: ${failure?._tag}`)
}

describe("Access.grant", () => {
  it.effect("sends the rights as numbers, signed and without the token", () =>
    Effect.gen(function*() {
      const { requests, result } = yield* answered(Access.grant({
        ttl: "1 hour",
        user: "ada",
        channels: { "room-1": ["read", "write"], all: ["read", "write", "manage", "delete", "get", "update", "join"] },
        groups: { g: ["read", "manage"] },
        users: { ada: ["get", "update", "delete"] },
        patterns: { channels: { "^room-[0-9]+$": ["read"] } },
        categories: { channels: ["get"], users: ["get"] },
        meta: { level: 3 }
      }))
      assert(result._tag === "Success")
      assert.strictEqual(Redacted.value(result.success), "t0ken")
      const [request] = requests
      assert.strictEqual(requests.length, 1)
      assert.strictEqual(`${request?.method} ${request?.url.pathname}`, "POST /v3/pam/sub/grant")
      assert.match(request?.url.searchParams.get("signature") ?? "", /^v2\./)
      assert.isFalse(request?.url.searchParams.has("auth"))
      assert.deepStrictEqual(JSON.parse(request?.body ?? ""), {
        ttl: 60,
        permissions: {
          resources: { channels: { "room-1": 3, all: 239 }, groups: { g: 5 }, uuids: { ada: 104 } },
          patterns: { channels: { "^room-[0-9]+$": 1 }, groups: {}, uuids: {} },
          categories: { channels: 32, uuids: 32 },
          meta: { level: 3 },
          uuid: "ada"
        }
      })
    }))

  it.effect("sends names that are special to JavaScript as names", () =>
    Effect.gen(function*() {
      const channels = Object.fromEntries([["__proto__", ["read"] as const], ["constructor", ["write"] as const], [
        "1",
        [
          "read"
        ] as const
      ]])
      const { requests } = yield* answered(Access.grant({ ttl: "1 minute", channels }))
      assert.include(requests[0]?.body, "{\"1\":1,\"__proto__\":1,\"constructor\":2}")
    }))

  it.effect.each<readonly [string, unknown, string]>([
    ["ttl of nothing", { ttl: 0 }, "ttl is not"],
    ["ttl of half a minute", { ttl: "90 seconds" }, "ttl is not"],
    ["ttl of more than 30 days", { ttl: "43201 minutes" }, "ttl is not"],
    ["ttl that is infinite", { ttl: "Infinity" }, "ttl is not"],
    ["ttl that is no duration", { ttl: "x" }, "ttl is not"],
    ["ttl that is NaN", { ttl: NaN }, "ttl is not"],
    ["no right at all", { channels: undefined }, "channels is empty, as are"],
    [
      "empty maps only",
      { channels: {}, patterns: { users: {} }, categories: { users: [] } },
      "channels is empty, as are"
    ],
    ["a name without rights", { channels: { a: [] } }, "channels[\"a\"] is empty"],
    ["a right of another kind", { groups: { g: ["write"] } }, "groups[\"g\"] \"write\" is not one of read, manage"],
    ["rights that are no list", { users: { u: "get" } }, "users[\"u\"] is \"get\", not a list"],
    ["a wildcard as a name", { channels: { "2136.*": ["read"] } }, "grant it under patterns as \"^2136\\\\..*$\""],
    ["an empty name", { channels: { "": ["read"] } }, "channels \"\" is empty"],
    ["a pattern without anchors", { patterns: { channels: { "room-": ["read"] } } }, "found anywhere in a name"],
    ["a pattern with one anchored alternative", { patterns: { channels: { "^a|b$": ["read"] } } }, "found anywhere"],
    ["a pattern that is no expression", { patterns: { channels: { "^(a$": ["read"] } } }, "has ( without )"],
    ["a pattern with look-around", { patterns: { groups: { "^(?!a).*$": ["read"] } } }, "look-around"],
    ["a pattern with a back-reference", { patterns: { users: { "^(a)\\1$": ["get"] } } }, "back-reference"],
    ["patterns that are no object", { patterns: [] }, "patterns is a list, not an object"],
    ["channels that are no object", { channels: ["a"] }, "channels is a list, not an object"],
    ["a blank user", { user: " " }, "user is blank"],
    ["meta that JSON cannot hold", { meta: { a: 1n } }, "meta cannot be carried by JSON"],
    ["meta that is no object", { meta: "x" }, "meta is \"x\", not an object"],
    ["meta that is a text in JSON", { meta: new Date(0) }, "meta is not a JSON object"],
    ["another category right", { categories: { channels: ["update"] } }, "not one of get"]
  ])("refuses %s before a request", ([, options, problem]) =>
    Effect.gen(function*() {
      const given = { ttl: "1 hour", channels: { a: ["read"] }, ...options as object } as Access.GrantOptions
      const { requests, result } = yield* answered(Access.grant(given))
      assert.strictEqual(requests.length, 0)
      assert.include(detailsOf(result).join("; "), problem)
    }))

  it.effect("sends meta that is many levels deep", () =>
    Effect.gen(function*() {
      const meta = { deep: JSON.parse("[".repeat(10_000) + "]".repeat(10_000)) }
      const { requests } = yield* answered(Access.grant({ ttl: "1 hour", channels: { a: ["read"] }, meta }))
      assert.strictEqual(requests.length, 1)
    }))

  it.effect("takes a ttl of one minute and of 30 days", () =>
    Effect.gen(function*() {
      for (const [ttl, minutes] of [["1 minute", 1], ["30 days", 43_200]] as const) {
        const { requests } = yield* answered(Access.grant({ ttl, channels: { a: ["read"] } }))
        assert.nestedPropertyVal(JSON.parse(requests[0]?.body ?? ""), "ttl", minutes)
      }
    }))

  it.effect("names the key that is missing when there is no secret key", () =>
    Effect.gen(function*() {
      const { requests, result } = yield* answered(Access.grant({ ttl: "1 hour", channels: { a: ["read"] } }), {}, {
        config: PubNubConfig.make({ subscribeKey: "sub", publishKey: "pub", userId: "u" })
      })
      assert.strictEqual(requests.length, 0)
      assert(result._tag === "Failure")
      assert.deepInclude({ ...result.failure.reason }, { _tag: "InvalidKey", key: "secret" })
    }))

  it.effect("shows no token when the answer cannot be decoded", () =>
    Effect.gen(function*() {
      const { result } = yield* answered(Access.grant({ ttl: "1 hour", channels: { a: ["read"] } }), {
        data: { message: "Success", token: { token: "qEF2AkF0GmertwtDdHRs" } },
        status: 200
      })
      assert(result._tag === "Failure")
      assert.strictEqual(result.failure.reason._tag, "Malformed")
      assert.notInclude(JSON.stringify({ ...result.failure.reason }), "qEF2AkF0")
    }))
})

describe("Access.revoke", () => {
  const token = Redacted.make("qEF2AkF0GmgwPF1DdHRs+/x==")

  it.effect("sends the token as one segment, signed", () =>
    Effect.gen(function*() {
      const { requests, result } = yield* answered(Access.revoke(token), { data: { message: "Success" }, status: 200 })
      assert.strictEqual(result._tag, "Success")
      const [request] = requests
      assert.strictEqual(
        `${request?.method} ${request?.url.pathname}`,
        "DELETE /v3/pam/sub/grant/qEF2AkF0GmgwPF1DdHRs%2B%2Fx%3D%3D"
      )
      assert.match(request?.url.searchParams.get("signature") ?? "", /^v2\./)
      assert.isFalse(request?.url.searchParams.has("auth"))
    }))

  it.effect("shows nothing of the token when the service repeats it", () =>
    Effect.gen(function*() {
      const { result } = yield* answered(Access.revoke(token), {
        error: { message: `Invalid token ${Redacted.value(token)}`, source: "revoke" },
        status: 400
      }, { status: 400 })
      assert(result._tag === "Failure")
      assert.strictEqual(result.failure.reason._tag, "BadRequest")
      assert.strictEqual(result.failure.request.path, "/v3/pam/{subscribeKey}/grant/{token}")
      assert.notInclude(`${result.failure.message} ${JSON.stringify({ ...result.failure.reason })}`, "qEF2AkF0")
    }))

  it.effect("refuses an empty token, a dot and one that is not redacted before a request", () =>
    Effect.gen(function*() {
      for (const wrong of [Redacted.make(""), Redacted.make(".."), "text" as unknown as Redacted.Redacted]) {
        const { requests, result } = yield* answered(Access.revoke(wrong))
        assert.strictEqual(requests.length, 0)
        assert.match(detailsOf(result).join(), /^token is /)
      }
    }))
})
