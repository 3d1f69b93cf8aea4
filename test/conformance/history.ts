/**
 * Recorded reads, counts and removals of history, each replayed by itself, wherever a cassette holds one. The second
 * version of the history API is not offered by the client: its exchanges are passed over, and cassettes that hold nothing
 * else of ours are left out by name.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import { History, PubNubConfig, Timetoken } from "effect-herald/pubnub"
import type * as Page_ from "effect-herald/Page"
import * as Kit from "./kit.ts"
import { recordedParts, recordedQuery } from "./matching.ts"
import * as Replay from "./replay.ts"
import * as Single from "./single.ts"

/** The classes of which every cassette is replayed or left out by name. */
const classes = ["history", "message-counts"] as const

const legacy = "reads by the second version of the history API only, which the client does not offer"

const leftOut: { readonly [name: string]: string } = {
  "asyncio.history.delete_success": "removes between bounds of three digits, which the client refuses",
  "ruby.message_counts.1": "counts from a position that is no timetoken, which the client refuses",
  "ruby.message_counts.4": "counts from a position that is no timetoken, which the client refuses",
  "native_sync.history.basic": legacy,
  "native_sync.history.encoded": legacy,
  "ruby.history.all_history_messages_3": legacy,
  "ruby.history.include_meta__encrypted": legacy,
  "ruby.history.no_includes__encrypted_random_iv": legacy,
  "ruby.history.paged_history_3": legacy
}

/** Exchanges that are passed over though they are ours. */
const strange = (exchange: Kit.Exchange): boolean =>
  // Positions that are no timetokens, which the client refuses.
  ["start", "end", "timetoken", "channelsTimetoken"].some((name) =>
    !/^(\d{17}(,\d{17})*)?$/.test(recordedQuery(exchange.request).get(name) ?? "")
  )

const templates = {
  history: "/v3/history/sub-key/{subKey}/channel/{channels}",
  withActions: "/v3/history-with-actions/sub-key/{subKey}/channel/{channel}",
  counts: "/v3/history/sub-key/{subKey}/message-counts/{channels}"
} as const

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set(Object.values(templates))

const isOurs = (exchange: Kit.Exchange): boolean => ours.has(exchange.request.template) && !strange(exchange)

// Ours always says how many it asks for, and always asks for publishers and types.
const always = ["max", "include_uuid", "include_message_type", "include_custom_message_type"]

/** What ours says where the recording is silent, or says no. */
const ignoredOf = ({ request }: Kit.Exchange): ReadonlyArray<string> => {
  const query = recordedQuery(request)
  return always.filter((name) => name === "max" ? !query.has(name) : !isOn(query.get(name)))
}

const timetoken = (text: string | undefined): Timetoken.Timetoken | undefined =>
  text === undefined ? undefined : Timetoken.Timetoken.make(text)

const isOn = (text: string | undefined): boolean => text === "true" || text === "1"

const callOf = (exchange: Kit.Exchange) => {
  const { request } = exchange
  const parts = recordedParts(request)
  const query = recordedQuery(request)
  const channels = decodeURIComponent(parts[5] ?? "").split(",")
  const [channel = ""] = channels
  const [start, end] = [timetoken(query.get("start")), timetoken(query.get("end"))]
  if (request.template === templates.counts) {
    const each = query.get("channelsTimetoken")?.split(",")
    return History.count({
      channels,
      after: each === undefined
        ? Timetoken.Timetoken.make(query.get("timetoken") ?? "")
        : Object.fromEntries(channels.map((name, index) => [name, Timetoken.Timetoken.make(each[index] ?? "")]))
    })
  }
  if (request.method === "DELETE") {
    // Both bounds of the service are those before ours.
    const after = (bound: Timetoken.Timetoken | undefined) =>
      bound === undefined ? undefined : Timetoken.Timetoken.make(String(BigInt(bound) + 1n))
    return start !== undefined && end !== undefined
      ? History.remove({ channel, since: after(start), before: after(end) })
      : start === undefined && end === undefined
      ? History.remove({ channel, all: true })
      : History.remove({ channel, before: start, since: end })
  }
  const max = query.get("max")
  const range = { before: start, since: end, limit: max === undefined ? undefined : Number(max) }
  const meta = isOn(query.get("include_meta")) ? ["meta"] as const : []
  return request.template === templates.withActions || channels.length === 1
    ? History.list({
      ...range,
      channel,
      include: request.template === templates.withActions ? [...meta, "actions"] : meta
    })
    : History.listByChannel({ ...range, channels, include: meta })
}

const Item = Schema.Struct({
  message: Schema.Json,
  timetoken: Schema.String,
  uuid: Schema.optionalKey(Schema.NullOr(Schema.String)),
  meta: Schema.optionalKey(Schema.Json),
  custom_message_type: Schema.optionalKey(Schema.NullOr(Schema.String)),
  actions: Schema.optionalKey(
    Schema.Record(
      Schema.String,
      Schema.Record(
        Schema.String,
        Schema.Array(Schema.Struct({ uuid: Schema.String, actionTimetoken: Schema.String }))
      )
    )
  )
})
const Recorded = Schema.Struct({ channels: Schema.Record(Schema.String, Schema.Array(Item)) })
const decodeRecorded = Schema.decodeUnknownSync(Schema.fromJsonString(Recorded))
const decodeCounts = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ channels: Schema.Record(Schema.String, Schema.Int) }))
)

const actionsOf = ({ actions = {}, timetoken }: typeof Item.Type) =>
  Object.entries(actions).flatMap(([type, values]) =>
    Object.entries(values).flatMap(([value, users]) =>
      users.map(({ actionTimetoken, uuid }) => ({
        type,
        value,
        userId: uuid,
        actionTimetoken,
        messageTimetoken: timetoken
      }))
    )
  )

const expectedEntries = (exchange: Kit.Exchange) =>
  new Map(
    Object.entries(decodeRecorded(exchange.response.rawBody ?? "").channels).map(([name, items]) => {
      const channel = decodeURIComponent(name)
      return [
        channel,
        items.map((item) => ({
          _tag: "StoredMessage",
          channel,
          timetoken: item.timetoken,
          ...(item.uuid ? { publisher: item.uuid } : {}),
          payload: item.message,
          ...(item.meta === undefined || item.meta === "" || item.meta === null ? {} : { meta: item.meta }),
          ...(item.custom_message_type ? { customMessageType: item.custom_message_type } : {}),
          ...exchange.request.template === templates.withActions ? { actions: actionsOf(item) } : {}
        }))
      ] as const
    })
  )

type Page = Page_.Page<History.Stored, Timetoken.Timetoken>

const assertResult = (exchange: Kit.Exchange, result: unknown) => {
  const { request, response } = exchange
  if (request.method === "DELETE") return assert.isUndefined(result)
  if (request.template === templates.counts) {
    return assert.deepStrictEqual(result, new Map(Object.entries(decodeCounts(response.rawBody ?? "").channels)))
  }
  const expected = expectedEntries(exchange)
  if (!(result instanceof Map)) {
    const page = result as Page
    return assert.deepStrictEqual<unknown>(page.items, [...expected.values()].flat())
  }
  const pages: ReadonlyMap<string, Page> = result
  for (const [channel, page] of pages) {
    assert.deepStrictEqual<unknown>(page.items, expected.get(channel) ?? [], channel)
  }
  return assert.deepStrictEqual([...expected.keys()].filter((channel) => !pages.has(channel)), [])
}

let replayed = 0
let passedOver = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  `history exchanges ${replayed} (${passedOver} of the second version passed over, ${
    Object.keys(leftOut).length
  } cassettes left out)`
]

export const suite = () => {
  const all = Kit.classes().flatMap((name) => Kit.cassettes(name))

  describe("recorded requests for history", () => {
    it("are all replayed, or left out by name", () => {
      for (const cassette of classes.flatMap((name) => Kit.cassettes(name))) {
        assert.strictEqual(!cassette.interactions.some(isOurs), cassette.name in leftOut, cassette.name)
      }
    })

    for (const cassette of all) {
      const exchanges = cassette.interactions.filter(isOurs)
      passedOver += cassette.interactions.filter(({ request }) => request.template.startsWith("/v2/history/")).length
      if (exchanges.length === 0) continue
      it.effect(cassette.name, () =>
        Effect.forEach(exchanges, (exchange) =>
          Effect.gen(function*() {
            const replay = Replay.make([exchange], new Set(), {
              exactPath: !/^(objc|ruby)\./.test(cassette.name),
              ignored: ignoredOf
            })
            const result = yield* callOf(exchange).pipe(
              Effect.provideService(HttpClient.HttpClient, replay.client),
              Effect.provideService(
                PubNubConfig.PubNubConfig,
                Single.configOf(exchange, 3)
              )
            )
            assert.deepStrictEqual(replay.problems(), [])
            assertResult(exchange, result)
            replayed++
          }), { discard: true }))
    }
  })
}
