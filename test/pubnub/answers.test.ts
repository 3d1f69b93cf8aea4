/** What each answer means: the documented and recorded failures, and those of whatever stands between. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import * as Json from "../../src/internal/json.ts"
import * as Text from "../../src/internal/text.ts"
import * as Answer from "../../src/pubnub/internal/wire/answer.ts"

interface Expected {
  readonly _tag: string
  readonly [field: string]: unknown
}

/** What an answer to a request of such a path fails with. */
const reasonOf = (status: number, text: string, path = "/v2/subscribe/sub/a/0", headers: Record<string, string> = {}) =>
  Effect.flip(Answer.read(
    { status, text, headers: Headers.fromInput(headers), told: Text.teller([]) },
    { path: () => path, parse: Json.parseExact, decode: Result.succeed }
  ))

const fields = (reason: object): { readonly [field: string]: unknown } => ({ ...reason })

const accessManager = (status: number, message: string) =>
  JSON.stringify({ message, error: true, service: "Access Manager", status })
const objects = (status: number, message: string, source = "objects") =>
  JSON.stringify({ status, error: { message, source } })
const presence = (status: number, message: string) => JSON.stringify({ status, error: 1, message, service: "Presence" })
const storage = (status: number, error_message: string) =>
  JSON.stringify({ status, error: true, error_message, channels: {} })
const registry = (status: number, message: string) =>
  JSON.stringify({ status, message, service: "channel-registry", error: true })
const balancer = (status: number, message: string) =>
  JSON.stringify({ status, service: "Balancer", error: true, message })
const published = (message: string) => JSON.stringify([0, message, "14820999375199241"])
const needs = (what: string, addOn: string) =>
  `Use of the ${what} API requires the ${addOn} add-on which is not enabled for this subscribe key.`
const notPermitted = "Supplied authorization key does not have the permissions required to perform this operation."

const bad = (status: number): Expected => ({ _tag: "BadRequest", status })
const denied: Expected = { _tag: "AccessDenied", status: 403 }
const key = (key: string, status = 400): Expected => ({ _tag: "InvalidKey", key, status })
const off = (addOn: string, status: number): Expected => ({ _tag: "FeatureDisabled", addOn, status })
const own = (status: number): Expected => ({ _tag: "ServerFailure", status, answeredBy: "service" })
const between = (status: number): Expected => ({ _tag: "ServerFailure", status, answeredBy: "intermediary" })

const documented: ReadonlyArray<readonly [status: number, body: string, expected: Expected, path?: string]> = [
  [400, published("Invalid Key"), key("publish")],
  [200, published("Invalid Key"), key("publish", 200)],
  [400, accessManager(400, "Invalid Subscribe Key"), key("subscribe")],
  [400, objects(400, "Invalid Subkey", "actions"), key("subscribe")],
  [403, accessManager(403, "Signature Does Not Match"), key("secret", 403)],
  [403, accessManager(403, "signature does not match"), key("secret", 403)],
  [403, accessManager(403, "Invalid Signature"), key("secret", 403)],
  [400, accessManager(400, "Invalid Timestamp"), {
    ...bad(400),
    details: [{ location: "timestamp", message: "is more than a minute off: set the clock of this machine" }]
  }],
  [403, accessManager(403, "Token is revoked"), denied],
  [403, accessManager(403, "Token is expired"), denied],
  [
    403,
    "{\"message\":\"Forbidden\",\"payload\":{\"channels\":[\"a\"],\"channel-groups\":[\":g\"]},\"error\":true,\"service\":\"Access Manager\",\"status\":403}",
    { ...denied, channels: ["a"], groups: ["g"] }
  ],
  [403, objects(403, notPermitted), denied],
  [403, objects(403, notPermitted, "actions"), denied],
  [403, storage(403, "Forbidden"), denied],
  [400, accessManager(400, "Missing UUID"), bad(400)],
  [414, balancer(414, "Request URI Too Long"), bad(414)],
  [413, balancer(413, "Request Entity Too Large"), bad(413)],
  [400, published("Message Too Large"), bad(400)],
  [400, published("Signal size too large"), bad(400)],
  [400, published("Invalid JSON"), bad(400)],
  [
    400,
    "{\"error\":{\"message\":\"Invalid ttl\",\"source\":\"grant\",\"details\":[{\"message\":\"Range should be 1 to 43200 minute(s).\",\"location\":\"ttl\",\"locationType\":\"body\"}]},\"service\":\"Access Manager\",\"status\":400}",
    { ...bad(400), details: [{ message: "Range should be 1 to 43200 minute(s).", location: "ttl" }] }
  ],
  [400, objects(400, "Invalid token", "revoke"), bad(400)],
  [412, objects(412, "Channel to update has been modified after it was read."), bad(412)],
  [412, objects(412, "User to update has been modified after it was read."), bad(412)],
  [404, objects(404, "Requested object was not found."), bad(404)],
  [404, objects(404, "Requested object was not found.", "actions"), bad(404)],
  [409, objects(409, "Object with the requested identifier already exists."), bad(409)],
  [409, objects(409, "Action Already Added", "actions"), bad(409)],
  [415, objects(415, "Request payload must be in JSON format."), bad(415)],
  [429, objects(429, "You have exceeded the maximum number of requests per second allowed for your subscriber key."), {
    _tag: "RateLimited"
  }],
  [429, "{\"status\":429,\"error\":true,\"message\":\"Too many requests.\"}", { _tag: "RateLimited" }],
  [500, objects(500, "The server took longer to respond than the maximum allowed processing time."), own(500)],
  [400, objects(400, "Not deleting message action: wrong uuid specified", "actions"), bad(400)],
  [400, objects(400, "No matching message actions to delete", "actions"), bad(400)],
  [400, "{\"error\":\"Invalid type argument\"}", bad(400), "/v2/push/sub-key/sub/devices/d"],
  [400, "{\"error\":\"Invalid device token\"}", bad(400), "/v2/push/sub-key/sub/devices/d"],
  [400, presence(400, "No state specified."), bad(400)],
  [400, registry(400, "Maximum channel group count exceeded."), bad(400)],
  [400, registry(400, "Reserved character in input parameters."), bad(400)],
  [
    400,
    "{\"status\":400,\"error\":{\"message\":\"[channel] contains invalid characters\",\"source\":\"Files\",\"code\":3001}}",
    bad(400)
  ],
  [
    400,
    "{\"status\":400,\"error\":true,\"message\":\"Channel group or groups result in empty subscription set\",\"service\":\"Subscribe\"}",
    { _tag: "EmptySubscription", status: 400 }
  ],
  [
    400,
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>",
    { ...bad(400), description: "Your proposed upload exceeds the maximum allowed size" }
  ],
  [403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", denied],
  // Add-ons, by the path that was asked, whatever the words.
  [402, presence(402, "Not available for used key set"), off("Presence", 402), "/v2/presence/sub-key/sub/channel/a"],
  [402, "{\"message\":\"Not available for used key set\"}", off("Presence", 402), "/v2/presence/sub-key/sub"],
  [
    403,
    storage(403, needs("history", "Storage & Playback")),
    off("MessagePersistence", 403),
    "/v3/history/sub-key/sub/channel/a"
  ],
  [
    403,
    objects(403, needs("message actions", "Storage & Playback"), "actions"),
    off("MessagePersistence", 403),
    "/v1/message-actions/sub/channel/a"
  ],
  [403, objects(403, needs("objects", "App Context")), off("AppContext", 403), "/v2/objects/sub/uuids"],
  [
    403,
    registry(403, needs("channel groups", "Stream Controller")),
    off("StreamController", 403),
    "/v1/channel-registration/sub-key/sub/channel-group"
  ],
  [
    402,
    "{\"status\":402,\"error\":{\"message\":\"Files service not enabled for subkey\",\"source\":\"Files\",\"code\":3005}}",
    off("Files", 402),
    "/v1/files/sub/channels/a/files"
  ],
  [402, presence(402, "Not available for used key set"), off("MobilePush", 402), "/v1/push/sub-key/sub/devices/d"],
  // A subscribe may need several: only the words tell.
  [403, accessManager(403, "Wildcard subscribe is not enabled"), off("StreamController", 403)],
  [402, accessManager(402, "Not available for used key set"), off("Unnamed", 402)],
  // The service's own words where no hop may have the last.
  ...[408, 425, 499].map((status) => [status, balancer(status, "later"), own(status)] as const),
  ...[500, 502, 503, 504].map((status) => [status, balancer(status, "oops"), own(status)] as const)
]

describe("an error answer of the service", () => {
  it.effect.each(documented)(
    "becomes its reason: %i %s",
    ([status, body, expected, path]) =>
      Effect.map(
        reasonOf(status, body, path),
        (reason) => assert.deepInclude(fields(reason), expected)
      )
  )
})

const html = "<html><head><title>404 Not Found</title></head><body><center>nginx</center></body></html>"

/** Bodies that are not of the service. */
const foreign = [
  html,
  "",
  " \n",
  "Not Found",
  "{\"message\":\"Forbidden\"}",
  "{\"message\":\"no Route matched with those values\",\"request_id\":\"1\"}",
  "{\"timestamp\":\"2026-01-01\",\"status\":404,\"error\":\"Not Found\",\"path\":\"/v2\"}",
  "{\"success\":false,\"errors\":[{\"code\":1000}]}",
  "{}",
  "[]",
  "[1,\"Sent\",\"17334108326343660\"]",
  "null",
  "404",
  "{\"status\":404,\"error\":true,\"mess",
  "<Error><Code>x</Code></Error>"
]

describe("an answer of a proxy or gateway", () => {
  const statuses = [
    400,
    401,
    403,
    404,
    405,
    407,
    408,
    409,
    410,
    412,
    415,
    418,
    421,
    425,
    451,
    499,
    500,
    502,
    503,
    504,
    511
  ]
  it.effect.each(statuses)(
    "with %i is a retryable ServerFailure of the intermediary, whatever its body",
    (status) =>
      Effect.gen(function*() {
        for (const body of foreign) {
          const reason = yield* reasonOf(status, body)
          assert.deepInclude(fields(reason), between(status), body)
          assert.isTrue(reason.isRetryable)
          assert.include(reason.message, `A proxy or gateway answered ${status} in place of the service`)
          assert.notMatch(reason.message, /The service/)
        }
      })
  )

  it.effect.each([413, 414, 431])("with %i is a BadRequest", (status) =>
    Effect.gen(function*() {
      for (const body of foreign) assert.strictEqual((yield* reasonOf(status, body))._tag, "BadRequest")
    }))

  it.effect("with 429 is RateLimited", () =>
    Effect.gen(function*() {
      for (const body of foreign) assert.strictEqual((yield* reasonOf(429, body))._tag, "RateLimited")
    }))

  it.effect.each([0, 300, 301, 302, 303, 304, 307, 308])(
    "with %i is a ServerFailure of the intermediary, whatever its body",
    (status) =>
      Effect.gen(function*() {
        for (const body of [...foreign, accessManager(403, "Forbidden"), published("Invalid Key")]) {
          assert.deepInclude(fields(yield* reasonOf(status, body)), between(status), body)
        }
      })
  )

  it.effect("with 200 is Malformed", () =>
    Effect.gen(function*() {
      for (const body of [html, "", "x", "{\"status\":404,\"error\":true,\"mess"]) {
        assert.strictEqual((yield* reasonOf(200, body))._tag, "Malformed")
      }
    }))
})
