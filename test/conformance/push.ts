/**
 * Recorded requests about mobile push: each is replayed by itself through the client, and each cassette in its order against
 * the emulator. The client has no devices of the old protocol of APNs, so those stand for devices of FCM: only the type differs.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import { PubNubConfig, Push, PushDevice } from "effect-herald/pubnub"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as Kit from "./kit.ts"
import { recordedParts, recordedQuery } from "./matching.ts"
import * as Replay from "./replay.ts"
import * as Single from "./single.ts"

const v1 = "/v1/push/sub-key/{subKey}/devices/{device}"
const v2 = "/v2/push/sub-key/{subKey}/devices-apns2/{device}"

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set([v1, `${v1}/remove`, v2, `${v2}/remove`])

const isOurs = ({ request }: Kit.Exchange): boolean => ours.has(request.template)

const listOf = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "").split(",").filter((name) => name !== "")

const deviceOf = ({ request }: Kit.Exchange): PushDevice.Device => {
  const token = decodeURIComponent(recordedParts(request)[5] ?? "")
  const query = recordedQuery(request)
  const environment = query.get("environment") === "production" ? "production" : "development"
  return request.template.startsWith(v2)
    ? PushDevice.apns({ token, topic: query.get("topic") ?? "", environment })
    : PushDevice.fcm(token)
}

const callOf = (exchange: Kit.Exchange) => {
  const device = deviceOf(exchange)
  const query = recordedQuery(exchange.request)
  const [add, remove] = [query.get("add"), query.get("remove")]
  return exchange.request.template.endsWith("/remove")
    ? Push.removeDevice({ device })
    : add !== undefined
    ? Push.addChannels({ device, channels: listOf(add) })
    : remove !== undefined
    ? Push.removeChannels({ device, channels: listOf(remove) })
    : Push.listChannels({ device })
}

const parse = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

const namesOf = (answer: Schema.Json): ReadonlyArray<string> =>
  Array.isArray(answer) ? answer.filter((name) => typeof name === "string") : []

/** Whether the client refuses the device before it sends anything: the service says the same of it. */
const isRefused = ({ request, response }: Kit.Exchange): boolean =>
  response.status === 400 && !(request.template.startsWith("/v1") && !recordedQuery(request).has("type"))

let replayed = 0
let emulated = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [`push exchanges ${replayed}, with the emulator ${emulated}`]

const replay = Effect.fnUntraced(function*(exchange: Kit.Exchange, exactPath: boolean) {
  const transport = Replay.make([exchange], new Set(), { exactPath, ignored: () => ["type", "count"] })
  const result = yield* callOf(exchange).pipe(
    Effect.provideService(HttpClient.HttpClient, transport.client),
    Effect.provideService(PubNubConfig.PubNubConfig, Single.configOf(exchange, 3)),
    Effect.result
  )
  replayed++
  const { response } = exchange
  if (response.status !== 200) {
    if (result._tag === "Success") return assert.fail("it succeeded")
    assert.strictEqual(result.failure.reason._tag, "BadRequest")
    return
  }
  assert.deepStrictEqual(transport.problems(), [])
  const recorded = parse(response.rawBody)
  const isList = Array.isArray(recorded) && recorded[0] !== 1
  const outcome: unknown = result._tag === "Success" ? result.success : result.failure
  assert.deepStrictEqual(outcome, isList ? recorded : undefined)
})

/** A list of the emulator has what was added in the cassette; the service keeps what earlier tests added as well. */
const emulate = Effect.fnUntraced(function*(cassette: Kit.Cassette) {
  const key = [cassette.keys.subscribe ?? ""].flat()[0] ?? ""
  const emulator = yield* PubNubEmulator.make({ keysets: [{ subscribeKey: key, publishKey: "demo" }] })
  for (const { request, response } of cassette.interactions.filter(isOurs)) {
    const answer = yield* emulator.handle({ method: "GET", target: request.rawTarget, headers: {}, body: "" })
    assert.strictEqual(answer.status, response.status, request.rawTarget)
    const [ours, theirs] = [parse(answer.body), parse(response.rawBody)]
    if (Array.isArray(theirs) && theirs[0] !== 1) {
      assert.includeMembers([...namesOf(theirs)], [...namesOf(ours)], request.rawTarget)
    } else assert.deepStrictEqual(ours, theirs, request.rawTarget)
    emulated++
  }
})

export const suite = () => {
  describe("recorded requests for mobile push", () => {
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
                assert.deepStrictEqual(Single.locations(error), ["device.token"])
                replayed++
              })
              : replay(exchange, !/^(objc|ruby)\./.test(cassette.name)), { discard: true }),
          emulate(cassette)
        ))
    }
  })
}
