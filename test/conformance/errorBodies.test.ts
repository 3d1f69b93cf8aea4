/**
 * Every error body of the reference (E1 to E24) and the one reason that it is read as. Known from recordings, from the
 * documents, or from what other clients are tested with.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { assertReason, readAnswer, type Reason } from "./answers.ts"

interface Row {
  readonly name: string
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** `"success"` where the answer is one in spite of its looks. */
  readonly expected: Reason | "success"
}

const denied = (
  description: string,
  channels: ReadonlyArray<string> = [],
  groups: ReadonlyArray<string> = []
): Reason => ({
  _tag: "AccessDenied",
  status: 403,
  description,
  channels,
  groups
})

const bad = (status: number, description: string, details: ReadonlyArray<unknown> = []): Reason => ({
  _tag: "BadRequest",
  status,
  description,
  details
})

const disabled = (addOn: string, description: string): Reason => ({ _tag: "FeatureDisabled", addOn, description })

const objects = (status: number, message: string, more: object = {}) => ({
  status,
  error: { message, source: "objects", ...more }
})

const invalidInput = "Request payload contained invalid input."
const noPermission = "Supplied authorization key does not have the permissions required to perform this operation."
const tooFast = "You have exceeded the maximum number of requests per second allowed for your subscriber key."
const tooSlow = "The server took longer to respond than the maximum allowed processing time."
const multiplexing =
  "Use of the channel groups API requires the Stream Controller add-on which is not enabled for this subscribe key."

const failure = (status: number, description: string, answeredBy: "service" | "intermediary"): Reason => ({
  _tag: "ServerFailure",
  status,
  description,
  answeredBy,
  retryAfter: undefined
})

const rows: ReadonlyArray<Row> = [
  {
    name: "E1 publish, wrong publish key",
    status: 400,
    body: [0, "Invalid Key", "14820999375199241"],
    expected: { _tag: "InvalidKey", key: "publish", description: "Invalid Key" }
  },
  {
    name: "E1 in a 200",
    status: 200,
    body: [0, "Invalid Key", "14820999375199241"],
    expected: { _tag: "InvalidKey", key: "publish", description: "Invalid Key" }
  },
  {
    name: "E2 publish, unknown keyset",
    status: 400,
    body: { message: "Invalid Subscribe Key", error: true, service: "Access Manager", status: 400 },
    expected: { _tag: "InvalidKey", key: "subscribe", description: "Invalid Subscribe Key" }
  },
  {
    name: "E3 publish, no permission",
    status: 403,
    headers: { "x-pn-cause": "9999" },
    body: {
      message: "Forbidden",
      payload: { channels: ["asyncio-int-publish"] },
      error: true,
      service: "Access Manager",
      status: 403
    },
    expected: denied("Forbidden (x-pn-cause 9999)", ["asyncio-int-publish"])
  },
  {
    name: "E4 subscribe, no permission, channels",
    status: 403,
    body: {
      message: "Forbidden",
      payload: { channels: ["a", "b"] },
      error: true,
      service: "Access Manager",
      status: 403
    },
    expected: denied("Forbidden", ["a", "b"])
  },
  {
    name: "E4 subscribe, no permission, groups",
    status: 403,
    body: {
      message: "Forbidden",
      payload: { "channel-groups": [":test-channel-group1"] },
      error: true,
      service: "Access Manager",
      status: 403
    },
    expected: denied("Forbidden", [], ["test-channel-group1"])
  },
  {
    name: "E5 token revoked",
    status: 403,
    body: { error: true, status: 403, service: "Access Manager", message: "Token is revoked" },
    expected: denied("Token is revoked")
  },
  {
    name: "E6a address too long",
    status: 414,
    body: { status: 414, service: "Balancer", error: true, message: "Request URI Too Long" },
    expected: bad(414, "Request URI Too Long")
  },
  {
    name: "E6b message too large",
    status: 400,
    body: [0, "Message Too Large", "13524237335750949"],
    expected: bad(400, "Message Too Large")
  },
  {
    name: "E7 signal too large",
    status: 400,
    body: [0, "Signal size too large", "15663104658224536"],
    expected: bad(400, "Signal size too large")
  },
  {
    name: "E8 grant, bad time to live",
    status: 400,
    body: {
      error: {
        message: "Invalid ttl",
        source: "grant",
        details: [{ message: "Range should be 1 to 43200 minute(s).", location: "ttl", locationType: "body" }]
      },
      service: "Access Manager",
      status: 400
    },
    expected: bad(400, "Invalid ttl", [{ message: "Range should be 1 to 43200 minute(s).", location: "ttl" }])
  },
  {
    name: "E8b grant without permissions",
    status: 400,
    body: {
      error: {
        message: "This grant contains no permissions",
        source: "grant",
        details: [{ message: "What are you granting?", location: "permissions", locationType: "body" }]
      },
      service: "Access Manager",
      status: 400
    },
    expected: bad(400, "This grant contains no permissions", [{
      message: "What are you granting?",
      location: "permissions"
    }])
  },
  {
    name: "E8c grant, clock off",
    status: 400,
    body: { message: "Invalid Timestamp", error: true, service: "Access Manager", status: 400 },
    expected: {
      ...bad(400, "Invalid Timestamp"),
      details: [{ location: "timestamp", message: "is more than a minute off: set the clock of this machine" }]
    }
  },
  {
    name: "E9 revoke of an expired token",
    status: 400,
    body: {
      error: {
        details: [{ location: "token", locationType: "path", message: "Token is expired." }],
        message: "Invalid token",
        source: "revoke"
      },
      service: "Access Manager",
      status: 400
    },
    expected: bad(400, "Invalid token", [{ location: "token", message: "Token is expired." }])
  },
  {
    name: "E10 App Context, changed in between, channel",
    status: 412,
    body: objects(412, "Channel to update has been modified after it was read."),
    expected: bad(412, "Channel to update has been modified after it was read.")
  },
  {
    name: "E10 App Context, changed in between, user",
    status: 412,
    body: objects(412, "User to update has been modified after it was read."),
    expected: bad(412, "User to update has been modified after it was read.")
  },
  {
    name: "E11a App Context, not found",
    status: 404,
    body: objects(404, "Requested object was not found."),
    expected: bad(404, "Requested object was not found.")
  },
  {
    name: "E11 App Context, 400",
    status: 400,
    body: objects(400, invalidInput, {
      details: [{ message: "User ID is required", location: "uuid", locationType: "query" }]
    }),
    expected: bad(400, invalidInput, [{ message: "User ID is required", location: "uuid" }])
  },
  { name: "E11 App Context, 403", status: 403, body: objects(403, noPermission), expected: denied(noPermission) },
  {
    name: "E11 App Context, 409",
    status: 409,
    body: objects(409, "Object with the requested identifier already exists."),
    expected: bad(409, "Object with the requested identifier already exists.")
  },
  {
    name: "E11 App Context, 415",
    status: 415,
    body: objects(415, "Request payload must be in JSON format."),
    expected: bad(415, "Request payload must be in JSON format.")
  },
  {
    name: "E11 App Context, 429",
    status: 429,
    body: objects(429, tooFast),
    expected: { _tag: "RateLimited", description: tooFast, retryAfter: undefined }
  },
  {
    name: "E11 App Context, 5xx",
    status: 503,
    body: objects(503, tooSlow),
    expected: failure(503, tooSlow, "service")
  },
  {
    name: "E12 message actions, bad input",
    status: 400,
    body: {
      status: 400,
      error: {
        source: "actions",
        message: invalidInput,
        details: [{ message: "Missing field", location: "value", locationType: "body" }]
      }
    },
    expected: bad(400, invalidInput, [{ message: "Missing field", location: "value" }])
  },
  {
    name: "E12 message actions, unknown keyset",
    status: 400,
    body: { status: 400, error: { source: "actions", message: "Invalid Subkey" } },
    expected: { _tag: "InvalidKey", key: "subscribe", description: "Invalid Subkey" }
  },
  {
    name: "E13 message actions, forbidden",
    status: 403,
    body: { status: 403, error: { source: "actions", message: noPermission } },
    expected: denied(noPermission)
  },
  {
    name: "E14 message actions, stored but not told",
    status: 207,
    body: {
      status: 207,
      data: { type: "reaction", value: "smiley_face", uuid: "u", actionTimetoken: "1", messageTimetoken: "2" },
      error: { message: "Stored but failed to publish message action.", source: "actions" }
    },
    expected: "success"
  },
  {
    name: "E14 message actions, deleted but not told",
    status: 207,
    body: {
      status: 207,
      data: {},
      error: { message: "Deleted but failed to publish removed events.", source: "actions" }
    },
    expected: "success"
  },
  {
    name: "E15a message actions, duplicate",
    status: 409,
    body: { status: 409, error: { source: "actions", message: "Action Already Added" } },
    expected: bad(409, "Action Already Added")
  },
  {
    name: "E15b message actions, of somebody else",
    status: 400,
    body: { status: 400, error: { source: "actions", message: "Not deleting message action: wrong uuid specified" } },
    expected: bad(400, "Not deleting message action: wrong uuid specified")
  },
  {
    name: "E15b message actions, nothing there",
    status: 400,
    body: { status: 400, error: { source: "actions", message: "No matching message actions to delete" } },
    expected: bad(400, "No matching message actions to delete")
  },
  {
    name: "E16 push, bad type",
    status: 400,
    body: { error: "Invalid type argument" },
    expected: bad(400, "Invalid type argument")
  },
  {
    name: "E17 push, bad token",
    status: 400,
    body: { error: "Invalid device token" },
    expected: bad(400, "Invalid device token")
  },
  {
    name: "E17 push, bad token, older",
    status: 400,
    body: { error: "Expected 32 or 100 byte hex device token" },
    expected: bad(400, "Expected 32 or 100 byte hex device token")
  },
  {
    name: "E18 storage, 403 in a 200",
    status: 200,
    body: { status: 403, error: true, error_message: "Forbidden here", channels: {} },
    expected: denied("Forbidden here")
  },
  {
    name: "E18 storage, error as a number",
    status: 400,
    body: { status: 400, error: 1, error_message: "Bad start", channels: {} },
    expected: bad(400, "Bad start")
  },
  {
    name: "E18 storage, a success that says it is no error",
    status: 200,
    body: { status: 200, error: false, error_message: "", channels: {} },
    expected: "success"
  },
  {
    name: "E18 storage, a success with error 0",
    status: 200,
    body: { status: 200, error: 0, error_message: "", channels: {} },
    expected: "success"
  },
  {
    name: "E19 presence",
    status: 400,
    body: { status: 400, error: 1, message: "No state specified.", service: "Presence" },
    expected: bad(400, "No state specified.")
  },
  {
    name: "E20 channel groups, add-on missing",
    status: 403,
    body: { status: 403, message: multiplexing, service: "channel-registry", error: true },
    expected: disabled("StreamController", multiplexing)
  },
  {
    name: "E20 channel groups, too many",
    status: 400,
    body: { status: 400, message: "Maximum channel group count exceeded.", service: "channel-registry", error: true },
    expected: bad(400, "Maximum channel group count exceeded.")
  },
  {
    name: "E20 channel groups, bad name",
    status: 400,
    body: { status: 400, message: "Reserved character in input parameters.", service: "channel-registry", error: true },
    expected: bad(400, "Reserved character in input parameters.")
  },
  {
    name: "E20b files, bad channel",
    status: 400,
    body: {
      status: 400,
      error: { message: "[channel] contains invalid characters", source: "Files", code: 3001 }
    },
    expected: bad(400, "[channel] contains invalid characters")
  },
  {
    name: "E20b files, add-on missing",
    status: 402,
    body: { status: 402, error: { message: "Files service not enabled for subkey", source: "Files", code: 3005 } },
    expected: disabled("Files", "Files service not enabled for subkey")
  },
  {
    name: "E21 file storage",
    status: 400,
    body: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationQueryParametersError</Code>" +
      "<Message>X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"</Message><RequestId>B</RequestId></Error>",
    expected: bad(400, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")
  },
  {
    name: "E22 a portal's page in a 200",
    status: 200,
    body: "<html>Log in</html>",
    expected: { _tag: "Malformed", status: 200, excerpt: "<html>Log in</html>" }
  },
  { name: "E22 nothing in a 200", status: 200, body: "", expected: { _tag: "Malformed", status: 200, excerpt: "" } },
  {
    name: "E22 a proxy's page in a 403",
    status: 403,
    body: "<html>Blocked</html>",
    expected: failure(403, "<html>Blocked</html>", "intermediary")
  },
  {
    name: "E22 a balancer's page",
    status: 502,
    body: "<html><body>Bad Gateway</body></html>",
    expected: failure(502, "<html><body>Bad Gateway</body></html>", "intermediary")
  },
  { name: "E22 nothing in a 403", status: 403, body: "", expected: failure(403, "no explanation", "intermediary") },
  { name: "E22 nothing in a 404", status: 404, body: "", expected: failure(404, "no explanation", "intermediary") },
  { name: "E22 nothing in a 503", status: 503, body: "", expected: failure(503, "no explanation", "intermediary") },
  {
    name: "E23 too many requests",
    status: 429,
    headers: { "retry-after": "60" },
    body: { status: 429, error: true, message: "Too Many Requests", service: "Balancer" },
    expected: {
      _tag: "RateLimited",
      description: "Too Many Requests",
      retryAfter: Duration.seconds(60)
    }
  },
  {
    name: "E24 not in the plan",
    status: 402,
    body: { status: 402, error: true, message: "Not available for used key set" },
    expected: disabled("Unnamed", "Not available for used key set")
  },
  {
    name: "E24 push not enabled",
    status: 403,
    body: { status: 403, error: true, message: "Push notifications are not enabled for this subscribe key" },
    expected: disabled("MobilePush", "Push notifications are not enabled for this subscribe key")
  },
  {
    name: "E24 history not enabled",
    status: 403,
    body: { status: 403, error: true, error_message: "Storage is not enabled for this subscribe key", channels: {} },
    expected: disabled("MessagePersistence", "Storage is not enabled for this subscribe key")
  },
  {
    name: "E24 deletion not enabled",
    status: 403,
    body: { status: 403, error: true, error_message: "Deletion is not enabled for this subscribe key" },
    expected: disabled("MessagePersistence", "Deletion is not enabled for this subscribe key")
  },
  {
    name: "E24 multiplexing not enabled",
    status: 403,
    body: { status: 403, error: true, message: "Channel multiplexing not enabled" },
    expected: disabled("StreamController", "Channel multiplexing not enabled")
  },
  {
    name: "E24 audit without Access Manager",
    status: 200,
    body: { status: 200, warning: true, message: "WARNING: Access Manager is not enabled", payload: {} },
    expected: "success"
  }
]

describe("error bodies", () => {
  for (const { body, expected, headers, name, status } of rows) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const result = yield* readAnswer({
          status,
          headers,
          text: typeof body === "string" ? body : JSON.stringify(body)
        })
        if (expected === "success") {
          assert.deepStrictEqual(Result.isSuccess(result) ? result.success : result.failure, body)
          return
        }
        if (Result.isSuccess(result)) return assert.fail("a success")
        assertReason(result.failure, expected)
      }))
  }

  const nothingThere = "Channel group or groups result in empty subscription set"
  const groupsOnly: ReadonlyArray<readonly [number, Reason]> = [
    [400, { _tag: "EmptySubscription", status: 400, description: nothingThere }],
    [404, bad(404, nothingThere)]
  ]
  it.effect.each(groupsOnly)(
    "a subscription of groups without channels is answered %s",
    ([status, expected]) =>
      Effect.gen(function*() {
        const body = { message: nothingThere, payload: { "channel-groups": ["g"] }, error: true, status }
        const result = yield* readAnswer({ status, text: JSON.stringify(body) })
        if (Result.isSuccess(result)) return assert.fail("a success")
        assertReason(result.failure, expected)
      })
  )

  it("has a row for each of E1 to E24", () => {
    const numbers = new Set(rows.map(({ name }) => Number(/^E(\d+)/.exec(name)?.[1])))
    assert.deepStrictEqual([...numbers], Array.from({ length: 24 }, (_, index) => index + 1))
  })
})
