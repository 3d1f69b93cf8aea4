/**
 * Recorded requests about message actions, each replayed by itself, wherever a cassette holds one, and the cases of the
 * JavaScript client. What else a cassette holds is replayed with its own kind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Schema from "effect/Schema"
import { MessageActions, type PubNubConfig, type PubNubError, Timetoken } from "effect-herald/pubnub"
import * as Answers from "./answers.ts"
import * as Kit from "./kit.ts"
import { recordedParts, recordedQuery } from "./matching.ts"
import * as Single from "./single.ts"

const channel = "/v1/message-actions/{subKey}/channel/{channel}"
const templates = {
  list: channel,
  add: `${channel}/message/{messageTimetoken}`,
  remove: `${channel}/message/{messageTimetoken}/action/{actionTimetoken}`
} as const

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set(Object.values(templates))

const isOurs = ({ request }: Kit.Exchange): boolean => ours.has(request.template)

// --- the call

type Failure =
  | PubNubError.PubNubError
  | MessageActions.ActionExists
  | MessageActions.ActionNotFound
  | MessageActions.ActionOfAnotherUser
  | MessageActions.ActionNotAnnounced

const Body = Schema.fromJsonString(Schema.Struct({ type: Schema.String, value: Schema.String }))
const decodeBody = Schema.decodeUnknownSync(Body)

const timetoken = (text: string | undefined): Timetoken.Timetoken | undefined =>
  text === undefined ? undefined : Timetoken.Timetoken.make(text)

const askedOf = ({ request }: Kit.Exchange) => {
  const [channel = "", , messageTimetoken = "", , actionTimetoken = ""] = recordedParts(request)
    .slice(4)
    .map(decodeURIComponent)
  return { channel, messageTimetoken, actionTimetoken, query: recordedQuery(request) }
}

const callOf = (
  exchange: Kit.Exchange
): Effect.Effect<unknown, Failure, HttpClient.HttpClient | PubNubConfig.PubNubConfig> => {
  const { actionTimetoken, channel, messageTimetoken, query } = askedOf(exchange)
  switch (exchange.request.template) {
    case templates.add:
      return MessageActions.add({
        channel,
        messageTimetoken: Timetoken.Timetoken.make(messageTimetoken),
        ...decodeBody(exchange.request.rawBody)
      })
    case templates.remove:
      return MessageActions.remove({
        channel,
        messageTimetoken,
        actionTimetoken: Timetoken.Timetoken.make(actionTimetoken)
      })
    default: {
      const limit = query.get("limit")
      return MessageActions.list({
        channel,
        before: timetoken(query.get("start")),
        since: timetoken(query.get("end")),
        limit: limit === undefined ? undefined : Number(limit)
      })
    }
  }
}

// --- what an answer must become, without a line of the client

const Action = Schema.Struct({
  type: Schema.String,
  value: Schema.String,
  uuid: Schema.String,
  actionTimetoken: Schema.String,
  messageTimetoken: Schema.String
})
const decodeAdded = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ data: Action })))
const decodeListed = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  data: Schema.Array(Action),
  more: Schema.optionalKey(Schema.Struct({ start: Schema.String }))
})))

const expectedAction = ({ uuid, ...action }: typeof Action.Type) => ({ ...action, userId: uuid })

const expectedOf = (exchange: Kit.Exchange): unknown => {
  const { request, response } = exchange
  switch (request.template) {
    case templates.add:
      return expectedAction(decodeAdded(response.rawBody).data)
    case templates.remove:
      return undefined
    default: {
      const { data, more } = decodeListed(response.rawBody)
      const full = data.length === Number(askedOf(exchange).query.get("limit") ?? 100)
      const next = more?.start ?? (full ? data[0]?.actionTimetoken : undefined)
      return { items: data.map(expectedAction), ...next === undefined ? {} : { next } }
    }
  }
}

/** What a refusal must become: what the statuses say that only actions have, and else its reason. */
const assertFailure = (exchange: Kit.Exchange, failure: Failure, reason: () => Answers.Reason) => {
  const { channel, messageTimetoken } = askedOf(exchange)
  const { request, response } = exchange
  switch (response.status) {
    case 207:
      return assert.deepInclude({ ...failure, _tag: failure._tag } as object, {
        _tag: "ActionNotAnnounced",
        operation: "MessageActions.add",
        channel,
        messageTimetoken,
        action: expectedAction(decodeAdded(response.rawBody).data)
      })
    case 409:
      return assert.deepInclude({ ...failure, _tag: failure._tag } as object, {
        _tag: "ActionExists",
        channel,
        messageTimetoken,
        ...decodeBody(request.rawBody)
      })
    default:
      return Answers.assertFailure(failure, reason())
  }
}

let replayed = 0
let cases = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  `message action exchanges ${replayed}, JavaScript cases ${cases} (${Object.keys(casesLeftOut).length} left out)`
]

// --- cases of the JavaScript client

const casesLeftOut: { readonly [name: string]: string } = {
  "add message action, type of 16 characters": "the service sets no such limit, nor does our client"
}

const valid = Timetoken.Timetoken.make("15610547826969050")

/** What is refused before a request is made, by both clients. */
const invalid: { readonly [name: string]: Parameters<typeof MessageActions.add>[0] } = {
  "add message action without type": {
    channel: "test-channel",
    messageTimetoken: valid,
    type: "",
    value: "test"
  },
  "add message action without value": {
    channel: "test-channel",
    messageTimetoken: valid,
    type: "custom",
    value: ""
  }
}

const templateOf = (path: string): string =>
  path.includes("/action/") ? templates.remove : path.includes("/message/") ? templates.add : templates.list

/** Timetokens of less than 17 digits, which ours refuses, made long. */
const lengthened = (entry: Kit.Expectation): Kit.Expectation => {
  const longer = (text: string) =>
    text.replace(
      /\/(message|action)\/(\d+)/g,
      (_, word, digits) => `/${word}/${digits.padStart(17, "15610547826969050")}`
    )
  const { request } = entry
  return request
    ? { ...entry, request: { ...request, path: longer(request.path), rawTarget: longer(request.rawTarget) } }
    : entry
}

const javaScriptCase = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const exchange = Single.recordedForm(lengthened(entry), templateOf)
  if (exchange === undefined) {
    const options = invalid[entry.case] ?? assert.fail(`no call for ${entry.case}`)
    const failure = yield* Single.refused(MessageActions.add(options))
    return assert.deepStrictEqual(Single.locations(failure), [entry.case.split(" ").at(-1)])
  }
  const result = yield* Single.replay(exchange, callOf(exchange), { exactPath: true })
  if (result._tag === "Success") {
    assert.isBelow(exchange.response.status, 207)
    return assert.deepStrictEqual(result.success, expectedOf(exchange))
  }
  assertFailure(exchange, result.failure, () => ({
    _tag: "BadRequest",
    status: exchange.response.status,
    description: "Requested object was not found."
  }))
})

// --- tests

export const suite = () => {
  describe("recorded requests for message actions", () => {
    it("are in every cassette of the class", () => {
      for (const { interactions, name } of Kit.cassettes("message-actions")) {
        assert.isTrue(interactions.some(isOurs), name)
      }
    })

    for (const cassette of Kit.classes().flatMap((name) => Kit.cassettes(name))) {
      const exchanges = cassette.interactions.filter(isOurs)
      if (exchanges.length === 0) continue
      it.effect(cassette.name, () =>
        Effect.forEach(exchanges, (exchange) =>
          Effect.gen(function*() {
            const exactPath = !/^(objc|ruby)\./.test(cassette.name)
            const result = yield* Single.replay(exchange, callOf(exchange), { exactPath })
            if (result._tag === "Success") {
              assert.strictEqual(exchange.response.status, 200)
              assert.deepStrictEqual(result.success, expectedOf(exchange))
            } else assertFailure(exchange, result.failure, () => Answers.expectedOf(cassette, exchange))
            replayed++
          }), { discard: true }))
    }

    describe("JavaScript client", () => {
      const all = Kit.expectations().filter(({ api }) => api === "message-actions")

      it.effect("does not refuse a type of 16 characters, as the JavaScript client does", () =>
        Effect.gen(function*() {
          const name = "add message action, type of 16 characters"
          const [entry] = all.filter((entry) => entry.case === name && entry.case in casesLeftOut)
          assert.include(JSON.stringify(entry?.expected), "exceed maximum length of 15")
          const options = { channel: "c", messageTimetoken: valid, type: "x".repeat(16), value: "v" }
          assert.strictEqual(yield* Single.requestsOf(MessageActions.add(options)), 1)
        }))

      for (const entry of all) {
        if (entry.case in casesLeftOut) continue
        it.effect(entry.case, () => Effect.andThen(javaScriptCase(entry), Effect.sync(() => cases++)))
      }
    })
  })
}
