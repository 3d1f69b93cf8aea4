/**
 * Recorded grants and revocations of Access Manager: each is replayed by itself through the client, and each cassette in its
 * order against the emulator. The recorded clients repeat channels as `spaces` and users as `users`, which the service ignores.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Access, AccessToken, PubNubConfig } from "effect-herald/pubnub"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as Kit from "./kit.ts"
import { canonical, recordedParts } from "./matching.ts"
import * as Replay from "./replay.ts"
import * as Single from "./single.ts"

const grant = "/v3/pam/{subKey}/grant"

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set([grant, `${grant}/{token}`])

const isOurs = ({ request }: Kit.Exchange): boolean => ours.has(request.template)

const parse = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

const Masks = Schema.Record(Schema.String, Schema.Int)
const Kinds = Schema.Struct({ channels: Masks, groups: Masks, uuids: Masks })

// What a struct does not name is dropped when it is decoded.
const Body = Schema.fromJsonString(Schema.Struct({
  ttl: Schema.Int,
  permissions: Schema.Struct({
    resources: Kinds,
    patterns: Kinds,
    meta: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    uuid: Schema.optionalKey(Schema.String)
  })
}))

const bodyOf = ({ request }: Kit.Exchange) => Schema.decodeUnknownSync(Body)(request.rawBody)

const bits = { read: 1, write: 2, manage: 4, delete: 8, get: 32, update: 64, join: 128 } as const

const named = <const Right extends keyof typeof bits>(masks: typeof Masks.Type, rights: ReadonlyArray<Right>) =>
  Object.fromEntries(
    Object.entries(masks).map(([name, mask]) => [name, rights.filter((right) => (mask & bits[right]) > 0)])
  )

const resourcesOf = ({ channels, groups, uuids }: typeof Kinds.Type): Access.Resources => ({
  channels: named(channels, ["read", "write", "manage", "delete", "get", "update", "join"]),
  groups: named(groups, ["read", "manage"]),
  users: named(uuids, ["get", "update", "delete"])
})

const callOf = (exchange: Kit.Exchange) => {
  if (exchange.request.method === "DELETE") {
    return Access.revoke(Redacted.make(decodeURIComponent(recordedParts(exchange.request)[4] ?? "")))
  }
  const { permissions: { meta, patterns, resources, uuid }, ttl } = bodyOf(exchange)
  return Access.grant({
    ...resourcesOf(resources),
    patterns: resourcesOf(patterns),
    ttl: `${ttl} minutes`,
    user: uuid,
    ...meta !== undefined && { meta }
  })
}

const isAnchored = (pattern: string) => pattern.startsWith("^") && pattern.endsWith("$")

/** Whether the client refuses a grant that the service takes or refuses later: patterns that are found in the midst, and no right. */
const isRefused = (exchange: Kit.Exchange): boolean => {
  if (exchange.request.method === "DELETE") return false
  const { permissions: { patterns } } = bodyOf(exchange)
  return exchange.response.status === 400 ||
    Object.values(patterns).some((masks) => !Object.keys(masks).every(isAnchored))
}

let replayed = 0
let emulated = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [`access exchanges ${replayed}, with the emulator ${emulated}`]

/** The recorded request without what the client does not send. */
const asOurs = (exchange: Kit.Exchange): Kit.Exchange =>
  exchange.request.method === "DELETE" ? exchange : {
    ...exchange,
    request: {
      ...exchange.request,
      rawBody: JSON.stringify({ ...bodyOf(exchange), permissions: { meta: {}, ...bodyOf(exchange).permissions } })
    }
  }

const replay = Effect.fnUntraced(function*(exchange: Kit.Exchange) {
  const transport = Replay.make([asOurs(exchange)], new Set(), { exactPath: true })
  const result = yield* callOf(exchange).pipe(
    Effect.provideService(HttpClient.HttpClient, transport.client),
    Effect.provideService(
      PubNubConfig.PubNubConfig,
      PubNubConfig.make({
        subscribeKey: recordedParts(exchange.request)[2] ?? "",
        publishKey: "demo",
        secretKey: Redacted.make("sec"),
        userId: Single.nobody
      })
    ),
    Effect.result
  )
  replayed++
  assert.deepStrictEqual(transport.problems(), [])
  if (exchange.response.status !== 200) {
    if (Result.isSuccess(result)) return assert.fail("it succeeded")
    const { reason } = result.failure
    assert.strictEqual(reason._tag, "BadRequest")
    assert.include(reason.message, "Token is expired")
    return
  }
  if (Result.isFailure(result)) return assert.fail(result.failure.message)
  if (result.success === undefined) return
  const content = Result.getOrThrow(AccessToken.parse(result.success))
  const { permissions: { resources, uuid }, ttl } = bodyOf(exchange)
  assert.strictEqual(content.user, uuid)
  assert.strictEqual(content.expires.epochMilliseconds - content.granted.epochMilliseconds, ttl * 60_000)
  assert.deepStrictEqual(
    canonical(Object.fromEntries(content.resources.channels)),
    canonical(resourcesOf(resources).channels)
  )
})

const tokenOf = (answer: Schema.Json): string | undefined =>
  Predicate.isObject(answer) && Predicate.hasProperty(answer, "data") && Predicate.hasProperty(answer.data, "token") &&
    typeof answer.data.token === "string"
    ? answer.data.token
    : undefined

/** The content of a token, without the time when it was granted and its signature. */
const contentOf = (token: string) => {
  const { meta, patterns, resources, ttl, user } = Result.getOrThrow(AccessToken.parse(Redacted.make(token)))
  const mapped = ({ channels, groups, users }: AccessToken.Permissions) => ({ channels, groups, users })
  return { meta, patterns: mapped(patterns), resources: mapped(resources), ttl, user }
}

const emulate = Effect.fnUntraced(function*(cassette: Kit.Cassette) {
  const key = [cassette.keys.subscribe ?? ""].flat()[0] ?? ""
  const emulator = yield* PubNubEmulator.make({
    keysets: [{ subscribeKey: key, publishKey: "demo" }],
    addOns: { accessManager: true }
  })
  let token = ""
  for (const { request, response } of cassette.interactions.filter(isOurs)) {
    if (response.status === 400 && request.method === "DELETE") yield* TestClock.adjust("1 minute")
    const path = request.method === "DELETE" ? `/v3/pam/${key}/grant/${encodeURIComponent(token)}` : request.rawTarget
    const answer = yield* emulator.handle({
      method: request.method,
      target: `${path.split("?")[0]}?uuid=ada&signature=v2.x&timestamp=1`,
      headers: {},
      body: request.rawBody ?? ""
    })
    const [ours, theirs] = [parse(answer.body), parse(response.rawBody)]
    const [our, their] = [tokenOf(ours), tokenOf(theirs)]
    assert.strictEqual(answer.status, response.status, request.rawTarget)
    if (our === undefined || their === undefined) assert.deepStrictEqual(ours, theirs)
    else {
      assert.deepStrictEqual(contentOf(our), contentOf(their))
      token = our
    }
    emulated++
  }
})

export const suite = () => {
  describe("recorded requests of Access Manager", () => {
    const all = Kit.classes().flatMap((name) => Kit.cassettes(name)).filter((cassette) =>
      cassette.interactions.some(isOurs)
    )
    for (const cassette of all) {
      it.effect(cassette.name, () =>
        Effect.andThen(
          Effect.forEach(cassette.interactions.filter(isOurs), (exchange) =>
            isRefused(exchange)
              ? Effect.gen(function*() {
                const error = yield* Single.refused(callOf(exchange))
                assert.match(Single.locations(error)[0] ?? "", /^(patterns\.\w+|channels)$/)
                replayed++
              })
              : replay(exchange), { discard: true }),
          emulate(cassette)
        ))
    }
  })
}
