/**
 * The recorded error answers, and what each must become: the reason that is read from it, and what an operation of ours
 * makes of that reason.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import type { PubNubError, SubscribeEvent } from "effect-herald/pubnub"
import * as Json from "../../src/internal/json.ts"
import * as Text from "../../src/internal/text.ts"
import * as Answer from "../../src/pubnub/internal/wire/answer.ts"
import * as Kit from "./kit.ts"

/** Fields of a reason. All that are named must agree. */
export interface Reason {
  readonly _tag: PubNubError.Reason["_tag"]
  readonly [field: string]: unknown
}

const refused = (
  names: { readonly channels?: ReadonlyArray<string>; readonly groups?: ReadonlyArray<string> }
): Reason => ({
  _tag: "AccessDenied",
  status: 403,
  description: "Forbidden",
  channels: names.channels ?? [],
  groups: names.groups ?? []
})

const bad = (status: number, description: string, details: ReadonlyArray<unknown> = []): Reason => ({
  _tag: "BadRequest",
  status,
  description,
  details
})

const invalidSubscribeKey: Reason = { _tag: "InvalidKey", key: "subscribe", description: "Invalid Subscribe Key" }

const pushType = bad(400, "Invalid type argument")
const tooLong = bad(400, "Signal size too large")

/** For each cassette with error answers: what its answers, in order, say. */
const expected: { readonly [cassette: string]: ReadonlyArray<Reason> } = {
  "asyncio.invocations.envelope_raises": [invalidSubscribeKey],
  "asyncio.publish.not_permitted": [{
    ...refused({ channels: ["asyncio-int-publish"] }),
    description: "Forbidden (x-pn-cause 9999)"
  }],
  "asyncio.subscription.access_denied_unsubscribe_operation": [refused({ channels: ["not-permitted-channel"] })],
  "native_sync.add_channels_to_push.invalid_push_type_error": [pushType],
  "native_sync.list_push_channels.invalid_push_type_error": [pushType],
  "native_sync.publish.invalid_key": [{ _tag: "InvalidKey", key: "publish", description: "Invalid Key" }],
  "native_sync.remove_channels_from_push.invalid_push_type_error": [pushType],
  "objc.ChannelMetadata.NotFetchChannelMetadataWhenTargetChannelDoesNotHaveMetadata": [
    bad(404, "Requested object was not found."),
    bad(404, "Requested object was not found.")
  ],
  "objc.Publish.NotSendTooLongSignalMessage": [tooLong, tooLong],
  "objc.Subscribe.NotSubscribeToChannelAndReceiveAccessDeniedEventWhenPAMKeysUsed": [
    refused({ channels: ["test-channel1"] }),
    refused({ channels: ["test-channel1"] })
  ],
  "objc.Subscribe.NotSubscribeToChannelGroupAndReceiveAccessDeniedEventWhenPAMKeysUsed": [
    refused({ groups: ["test-channel-group1"] }),
    refused({ groups: ["test-channel-group1"] })
  ],
  "objc.Subscribe.NotSubscribeToChannelGroupAndRetryWhenReceiveAccessDeniedEvent": [
    refused({ groups: ["test-channel-group1"] }),
    refused({ groups: ["test-channel-group1"] }),
    refused({ groups: ["test-channel-group1"] })
  ],
  "ruby.add_channels_to_push.004": [bad(400, "Invalid device token")],
  "ruby.channel-registration-error": [{ _tag: "FeatureDisabled", addOn: "StreamController" }],
  "ruby.grant-token-error": [
    bad(400, "This grant contains no permissions", [{ message: "What are you granting?", location: "permissions" }])
  ],
  "ruby.message_actions.add_002": [bad(409, "Action Already Added")],
  "ruby.signal-error": [tooLong],
  "tornado.invocations.future_raises": [invalidSubscribeKey],
  "tornado.invocations.result_raises": [invalidSubscribeKey],
  "tornado.publish.not_permitted": [
    refused({ channels: ["not_permitted_channel"] }),
    refused({ channels: ["not_permitted_channel"] })
  ],
  "native_sync.pam.revoke_expired_token": [
    bad(400, "Invalid token", [{ message: "Token is expired.", location: "token" }])
  ],
  "asyncio.objects_v2.channel.if_matches_etag": [
    bad(412, "Channel to update has been modified after it was read.")
  ],
  "native_sync.objects_v2.channel.if_matches_etag": [
    bad(412, "Channel to update has been modified after it was read.")
  ],
  "native_sync.objects_v2.uuid.if_matches_etag": [bad(412, "User to update has been modified after it was read.")],
  "asyncio.file_upload.send_and_download_file": [
    bad(400, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"")
  ]
}

const errorsOf = (cassette: Kit.Cassette) => cassette.interactions.filter(({ response }) => response.status >= 400)

/** What an error answer of a cassette says. */
export const expectedOf = (cassette: Kit.Cassette, exchange: Kit.Exchange): Reason =>
  expected[cassette.name]?.[errorsOf(cassette).indexOf(exchange)] ??
    assert.fail(`${cassette.name}: nothing is expected of ${exchange.response.rawBody}`)

/** An answer as the client sees it, read as the client reads it. */
export const readAnswer = (answer: {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly text: string
}) =>
  Effect.result(Answer.read(
    { ...answer, headers: Headers.fromInput(answer.headers ?? {}), told: Text.teller([]) },
    { path: () => "/", parse: Json.parseExact, decode: Result.succeed }
  ))

/** That a reason has the tag and the fields. */
export const assertReason = (reason: PubNubError.Reason, expected: Reason) => {
  const fields: Readonly<Record<string, unknown>> = { ...reason, _tag: reason._tag }
  assert.deepStrictEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, fields[name]])), expected)
}

/** That an operation failed for the reason, with the service's words in its message. */
export const assertFailure = (
  failure: {
    readonly _tag: string
    readonly message: string
    readonly reason?: PubNubError.Reason
    readonly refusedBy?: string
  },
  expected: Reason
) => {
  if (expected.description === "Signal size too large") {
    assert.deepStrictEqual([failure._tag, failure.refusedBy], ["MessageTooLarge", "service"])
    return
  }
  assert.strictEqual(failure._tag, "PubNubError")
  assertReason(failure.reason ?? assert.fail("no reason"), expected)
  // Details are part of the same sentence.
  if (typeof expected.description === "string") {
    assert.include(failure.message, expected.description.replace(/\.$/, ""))
  }
}

/** That a subscription ended for the reason, and told it before. */
export const assertRefused = (
  failure: {
    readonly _tag: string
    readonly message: string
    readonly reason: { readonly _tag: string }
    readonly cursor?: unknown
  },
  last: SubscribeEvent.SubscribeEvent | undefined,
  expected: Reason
) => {
  assert.strictEqual(failure._tag, "SubscribeError")
  assert.deepStrictEqual({ ...failure.reason, _tag: failure.reason._tag }, expected)
  assert.include(failure.message, String(expected.description))
  assert.isUndefined(failure.cursor)
  if (last?._tag !== "Disconnected") return assert.fail("no Disconnected")
  if (last.reason === undefined || last.reason._tag === "Defect" || last.reason._tag === "InboxOverflow") {
    return assert.fail("no reason")
  }
  assertReason(last.reason, expected)
}

let errors = 0
let answers = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [`answers read ${answers} (${errors} of them errors)`]

export const suite = () => {
  describe("recorded answers", () => {
    describe.each(Kit.classes())("%s", (name) => {
      for (const cassette of Kit.cassettes(name)) {
        it.effect(cassette.name, () =>
          Effect.gen(function*() {
            assert.strictEqual(errorsOf(cassette).length, expected[cassette.name]?.length ?? 0)
            for (const exchange of cassette.interactions) {
              const { response } = exchange
              // Redirects and what file storage says of success are not for reading.
              if (response.status >= 300 && response.status < 400) continue
              if (exchange.request.host !== undefined && response.status < 400) continue
              const result = yield* readAnswer({ ...response, text: response.rawBody ?? "" })
              answers++
              if (response.status < 400) {
                assert.isTrue(Result.isSuccess(result), response.rawBody ?? "no body")
                continue
              }
              errors++
              if (Result.isSuccess(result)) return assert.fail(`success: ${response.rawBody}`)
              assertReason(result.failure, expectedOf(cassette, exchange))
            }
          }))
      }
    })
  })
}
