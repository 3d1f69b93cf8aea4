/**
 * Recorded questions about presence, changes of state, and requests about channel groups, each replayed by itself,
 * wherever a cassette holds one, and the presence cases of the JavaScript client.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import type { PubNubError } from "effect-herald/pubnub"
import { ChannelGroups, Presence, PubNubConfig } from "effect-herald/pubnub"
import * as Answers from "./answers.ts"
import * as Kit from "./kit.ts"
import { recordedParts, recordedQuery } from "./matching.ts"
import * as Replay from "./replay.ts"
import * as Single from "./single.ts"

/** The classes of which every cassette is replayed or left out by name. */
const classes = ["presence", "channel-groups"] as const

const leftOut: { readonly [name: string]: string } = {
  "ruby.heartbeat-sub": "heartbeats and a subscription only, which are replayed as far as subscriptions make them"
}

const presence = "/v2/presence/sub-key/{subKey}"
const registry = "/v1/channel-registration/sub-key/{subKey}/channel-group"

const templates = {
  hereNow: `${presence}/channel/{channels}`,
  hereNowGlobal: presence,
  whereNow: `${presence}/uuid/{uuid}`,
  getState: `${presence}/channel/{channels}/uuid/{uuid}`,
  setState: `${presence}/channel/{channels}/uuid/{uuid}/data`,
  groups: registry,
  group: `${registry}/{group}`,
  deleteGroup: `${registry}/{group}/remove`
} as const

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set(Object.values(templates))

const isOurs = ({ request }: Kit.Exchange): boolean => ours.has(request.template)

const listOf = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "").split(",").filter((name) => name !== "")

const decodeState = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

const isOn = (text: string | undefined): boolean | undefined => text === undefined ? undefined : text === "1"

const numberOf = (text: string | undefined): number | undefined => text === undefined ? undefined : Number(text)

interface Asked {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  readonly user: string | undefined
  readonly query: ReadonlyMap<string, string>
}

const askedOf = ({ request }: Kit.Exchange): Asked => {
  const parts = recordedParts(request).map(decodeURIComponent)
  const query = recordedQuery(request)
  return {
    channels: request.template.includes("{channels}") ? listOf(parts[5]) : [],
    groups: listOf(query.get("channel-group")),
    user: request.template === templates.whereNow ? parts[5] : parts[7],
    query
  }
}

type Call = Effect.Effect<unknown, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig.PubNubConfig>

const callOf = (exchange: Kit.Exchange): Call => {
  const { request } = exchange
  const { channels, groups, query, user } = askedOf(exchange)
  const group = decodeURIComponent(recordedParts(request)[5] ?? "")
  switch (request.template) {
    case templates.hereNow:
    case templates.hereNowGlobal:
      return Presence.hereNow({
        ...request.template === templates.hereNow ? { channels, groups } : {},
        include: query.get("disable_uuids") === "1" ? [] : isOn(query.get("state")) ? ["users", "state"] : ["users"],
        limit: numberOf(query.get("limit")),
        offset: numberOf(query.get("offset"))
      })
    case templates.whereNow:
      return Presence.whereNow({ userId: user })
    case templates.getState:
      return Presence.getState({ channels, groups, userId: user })
    case templates.setState:
      return Presence.setState({ channels, groups, userId: user, state: decodeState(query.get("state")) })
    case templates.groups:
      return ChannelGroups.list
    case templates.group:
      return query.has("add")
        ? ChannelGroups.addChannels({ group, channels: listOf(query.get("add")) })
        : query.has("remove")
        ? ChannelGroups.removeChannels({ group, channels: listOf(query.get("remove")) })
        : ChannelGroups.listChannels({ group })
    default:
      return ChannelGroups.remove({ group })
  }
}

// --- what an answer must become, without a line of the client

const Person = Schema.Union([
  Schema.String,
  Schema.Struct({ uuid: Schema.String, state: Schema.optionalKey(Schema.Json) })
])
const One = Schema.Struct({ occupancy: Schema.Int, uuids: Schema.optionalKey(Schema.Array(Person)) })
const Body = Schema.Struct({
  payload: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  occupancy: Schema.optionalKey(Schema.Int),
  uuids: One.fields.uuids
})
const decodeBody = Schema.decodeUnknownSync(Schema.fromJsonString(Body))
const decodeOnes = Schema.decodeUnknownSync(Schema.Record(Schema.String, One))

const entry = ({ occupancy, uuids = [] }: typeof One.Type) => ({
  occupancy,
  users: new Map(uuids.map((person) => {
    if (typeof person === "string") return [person, { userId: person }] as const
    const { state, uuid } = person
    return [uuid, state === undefined ? { userId: uuid } : { userId: uuid, state }] as const
  }))
})

const expectedOf = (exchange: Kit.Exchange): unknown => {
  const { request, response } = exchange
  const { channels, groups } = askedOf(exchange)
  const { occupancy = 0, payload, uuids = [] } = decodeBody(response.rawBody ?? "")
  switch (request.template) {
    case templates.hereNow:
    case templates.hereNowGlobal: {
      const asked = channels.map((channel) => [channel, { occupancy: 0, users: new Map() }] as const)
      return payload === undefined
        ? {
          totalOccupancy: occupancy,
          totalChannels: occupancy === 0 ? 0 : 1,
          channels: new Map(channels.map((channel) => [channel, entry({ occupancy, uuids })]))
        }
        : {
          totalOccupancy: payload.total_occupancy,
          totalChannels: payload.total_channels,
          channels: new Map<string, unknown>([
            ...asked,
            ...Object.entries(decodeOnes(payload.channels)).map(([name, one]) => [name, entry(one)] as const)
          ])
        }
    }
    case templates.whereNow:
      return payload?.channels ?? []
    case templates.getState: {
      const all = channels.length === 1 && groups.length === 0 ? { [channels[0] ?? ""]: payload } : payload?.channels
      return new Map(Object.entries(all ?? {}).filter(([, state]) => JSON.stringify(state) !== "{}"))
    }
    case templates.setState:
      return payload
    case templates.groups:
      return payload?.groups
    case templates.group:
      return payload?.channels
    default:
      return undefined
  }
}

let replayed = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  `presence and group exchanges ${replayed} (${Object.keys(leftOut).length} cassettes left out)`
]

const replay = Effect.fnUntraced(function*(exchange: Kit.Exchange, exactPath: boolean) {
  const replay = Replay.make([exchange], new Set(), { exactPath })
  const result = yield* callOf(exchange).pipe(
    Effect.provideService(HttpClient.HttpClient, replay.client),
    Effect.provideService(
      PubNubConfig.PubNubConfig,
      Single.configOf(exchange, 3)
    ),
    Effect.result
  )
  assert.deepStrictEqual(replay.problems(), [])
  replayed++
  return result
})

export const suite = () => {
  describe("recorded requests for presence and channel groups", () => {
    it("are all replayed, or left out by name", () => {
      for (const cassette of classes.flatMap((name) => Kit.cassettes(name))) {
        assert.strictEqual(!cassette.interactions.some(isOurs), cassette.name in leftOut, cassette.name)
      }
    })

    for (const cassette of Kit.classes().flatMap((name) => Kit.cassettes(name))) {
      const exchanges = cassette.interactions.filter(isOurs)
      if (exchanges.length === 0) continue
      it.effect(cassette.name, () =>
        Effect.forEach(exchanges, (exchange) =>
          Effect.gen(function*() {
            const result = yield* replay(exchange, !/^(objc|ruby)\./.test(cassette.name))
            if (result._tag === "Failure") {
              return Answers.assertFailure(result.failure, Answers.expectedOf(cassette, exchange))
            }
            assert.deepStrictEqual(result.success, expectedOf(exchange))
          }), { discard: true }))
    }

    for (const { api, case: name, expected, request, response } of Kit.expectations()) {
      if (api !== "presence" || !request || !response) continue
      it.effect(`JavaScript client: ${name}`, () =>
        Effect.gen(function*() {
          const [, verb, data] = /\/channel\/[^/]+(\/uuid\/[^/]+(\/data)?)?$/.exec(request.path) ?? []
          const exchange: Kit.Exchange = {
            request: {
              ...request,
              headers: {},
              rawTargetComplete: true,
              template: !request.path.includes("/channel/")
                ? templates.hereNowGlobal
                : data !== undefined
                ? templates.setState
                : verb !== undefined
                ? templates.getState
                : templates.hereNow
            },
            response: { status: response.status, headers: {}, rawBody: JSON.stringify(response.body) }
          }
          const result = yield* replay(exchange, true)
          if (result._tag === "Failure") return assert.fail(result.failure.message)
          assert.deepStrictEqual(result.success, expectedOf(exchange))
          // And where that client says the same in the same words, so does ours.
          const { totalChannels, totalOccupancy } = decodeTotals(expected)
          if (totalOccupancy !== undefined) assert.deepInclude(result.success, { totalChannels, totalOccupancy })
        }))
    }
  })
}

const decodeTotals = Schema.decodeUnknownSync(
  Schema.Struct({ totalChannels: Schema.optionalKey(Schema.Int), totalOccupancy: Schema.optionalKey(Schema.Int) })
)
