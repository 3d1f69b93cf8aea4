/**
 * Recorded requests of App Context, each replayed by itself, wherever a cassette holds one, and the cases of the
 * JavaScript client. What else a cassette holds is replayed with its own kind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  AppContext,
  Channels,
  Members,
  Memberships,
  type PubNubConfig,
  type PubNubError,
  Users
} from "effect-herald/pubnub"
import * as Answers from "./answers.ts"
import * as Kit from "./kit.ts"
import { recordedParts, recordedQuery } from "./matching.ts"
import * as Single from "./single.ts"

const objects = "/v2/objects/{subKey}"
const templates = {
  users: `${objects}/uuids`,
  user: `${objects}/uuids/{uuid}`,
  memberships: `${objects}/uuids/{uuid}/channels`,
  channels: `${objects}/channels`,
  channel: `${objects}/channels/{channel}`,
  members: `${objects}/channels/{channel}/uuids`
} as const

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set(Object.values(templates))

const isOurs = ({ request }: Kit.Exchange): boolean => ours.has(request.template)

// --------------------------------------------------------------------------------------------------------------------
// calls
// --------------------------------------------------------------------------------------------------------------------

type Failure =
  | PubNubError.PubNubError
  | AppContext.ObjectNotFound
  | AppContext.ObjectChanged
  | AppContext.UpdateOutcomeUnknown

type Call = Effect.Effect<unknown, Failure, HttpClient.HttpClient | PubNubConfig.PubNubConfig>

const listOf = (text: string | undefined): ReadonlyArray<string> | undefined => text?.split(",")

/** What the service calls a `uuid` is a user. */
const ourName = (name: string): string => name.replace(/^uuid\b/, "user")

const asked = <A>(part: Schema.ConstraintDecoder<A>, { request }: Kit.Exchange) => ({
  // Nothing, where nothing is said: left out, ours would ask for status and type.
  include: Schema.decodeSync(Schema.Array(part))(
    listOf(recordedQuery(request).get("include"))?.map(ourName) ?? []
  )
})

const askedList = <P, K extends string>(
  part: Schema.ConstraintDecoder<P>,
  keys: ReadonlyArray<K>,
  exchange: Kit.Exchange
) => {
  const key = Schema.Literals(keys.flatMap((key) => [key, `${key}:asc`, `${key}:desc`] as const))
  const query = recordedQuery(exchange.request)
  const [limit, count, sort] = [query.get("limit"), query.get("count"), listOf(query.get("sort"))]
  const cursor = (text: string | undefined) => text === undefined ? undefined : AppContext.PageCursor.make(text)
  return {
    ...asked(part, exchange),
    limit: limit === undefined ? undefined : Number(limit),
    totalCount: count === undefined ? undefined : /^(1|true)$/i.test(count),
    next: cursor(query.get("start")),
    previous: cursor(query.get("end")),
    filter: query.get("filter"),
    sort: sort === undefined ? undefined : Schema.decodeUnknownSync(Schema.Array(key))(sort.map(ourName))
  }
}

const text = Schema.optionalKey(Schema.NullOr(Schema.String))
const custom = Schema.optionalKey(Schema.NullOr(AppContext.Custom))
const common = { status: text, type: text, custom }

const UserBody = Schema.Struct({ name: text, externalId: text, profileUrl: text, email: text, ...common })
const ChannelBody = Schema.Struct({ name: text, description: text, ...common })

/** A null of a body, said to our client. */
const settable = <A>(value: A | null | undefined): A | Option.Option<A> | undefined =>
  value === null ? Option.none() : value

/** The body, of which nothing may be unknown. */
const bodyOf = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, { request }: Kit.Exchange): S["Type"] =>
  Schema.decodeUnknownSync(Schema.fromJsonString(schema))(request.rawBody, { onExcessProperty: "error" })

const Part = Schema.Literals(["custom", "status", "type"])
const keys = ["id", "name", "updated", "status", "type"] as const

/** The own user is not named. */
const idOf = ({ request }: Kit.Exchange) => {
  const id = decodeURIComponent(recordedParts(request)[4] ?? "")
  return id === recordedQuery(request).get("uuid") && request.template.startsWith(templates.users) ? undefined : id
}

const userCall = (exchange: Kit.Exchange): Call => {
  const id = idOf(exchange)
  switch (exchange.request.method) {
    case "GET":
      return Users.get({ id, ...asked(Part, exchange) })
    case "DELETE":
      return Users.remove({ id })
    default: {
      const { custom, email, externalId, name, profileUrl, status, type } = bodyOf(UserBody, exchange)
      const fields = {
        id,
        name: settable(name),
        externalId: settable(externalId),
        profileUrl: settable(profileUrl),
        email: settable(email),
        status: settable(status),
        type: settable(type),
        custom: settable(custom),
        ...asked(Part, exchange)
      }
      const etag = etagOf(exchange)
      return etag === undefined ? Users.set(fields) : Users.set({ ...fields, ifMatchesEtag: etag })
    }
  }
}

const channelCall = (exchange: Kit.Exchange): Call => {
  const id = idOf(exchange) ?? ""
  switch (exchange.request.method) {
    case "GET":
      return Channels.get({ id, ...asked(Part, exchange) })
    case "DELETE":
      return Channels.remove({ id })
    default: {
      const { custom, description, name, status, type } = bodyOf(ChannelBody, exchange)
      const fields = {
        id,
        name: settable(name),
        description: settable(description),
        status: settable(status),
        type: settable(type),
        custom: settable(custom),
        ...asked(Part, exchange)
      }
      const etag = etagOf(exchange)
      return etag === undefined ? Channels.set(fields) : Channels.set({ ...fields, ifMatchesEtag: etag })
    }
  }
}

// --- relations

const relationKeys = ["updated", "status", "type"] as const
const own = ["custom", "status", "type"] as const

const End = Schema.Struct({ id: Schema.String })
const MembershipBody = Schema.Struct({
  set: Schema.optionalKey(Schema.Array(Schema.Struct({ channel: End, ...common }))),
  delete: Schema.optionalKey(Schema.Array(Schema.Struct({ channel: End })))
})
const MemberBody = Schema.Struct({
  set: Schema.optionalKey(Schema.Array(Schema.Struct({ uuid: End, ...common }))),
  delete: Schema.optionalKey(Schema.Array(Schema.Struct({ uuid: End })))
})

const fieldsOf = ({ custom, status, type }: Schema.Struct<typeof common>["Type"]) =>
  custom === undefined && status === undefined && type === undefined
    ? undefined
    : { custom: settable(custom), status: settable(status), type: settable(type) }

const membershipsCall = (exchange: Kit.Exchange): Call => {
  const options = {
    userId: idOf(exchange),
    ...askedList(
      Schema.Literals([...own, "channel", "channel.custom", "channel.status", "channel.type"]),
      [...relationKeys, "channel.id", "channel.name", "channel.updated", "channel.status", "channel.type"],
      exchange
    )
  }
  if (exchange.request.method === "GET") return Memberships.list(options)
  const body = bodyOf(MembershipBody, exchange)
  const set = body.set?.map(({ channel, ...sent }) => {
    const fields = fieldsOf(sent)
    return fields === undefined ? channel.id : { channelId: channel.id, ...fields }
  })
  const remove = body.delete?.map(({ channel }) => channel.id)
  return remove === undefined
    ? Memberships.set({ ...options, channels: set ?? [] })
    : set === undefined
    ? Memberships.remove({ ...options, channels: remove })
    : Memberships.manage({ ...options, set, remove })
}

const membersCall = (exchange: Kit.Exchange): Call => {
  const options = {
    channel: idOf(exchange) ?? "",
    ...askedList(
      Schema.Literals([...own, "user", "user.custom", "user.status", "user.type"]),
      [...relationKeys, "user.id", "user.name", "user.updated", "user.status", "user.type"],
      exchange
    )
  }
  if (exchange.request.method === "GET") return Members.list(options)
  const body = bodyOf(MemberBody, exchange)
  const set = body.set?.map(({ uuid, ...sent }) => {
    const fields = fieldsOf(sent)
    return fields === undefined ? uuid.id : { userId: uuid.id, ...fields }
  })
  const remove = body.delete?.map(({ uuid }) => uuid.id)
  return remove === undefined
    ? Members.set({ ...options, users: set ?? [] })
    : set === undefined
    ? Members.remove({ ...options, users: remove })
    : Members.manage({ ...options, set, remove })
}

const etagOf = ({ request }: Kit.Exchange): AppContext.Etag | undefined => {
  const etag = request.headers["if-match"]
  return etag === undefined ? undefined : AppContext.Etag.make(etag)
}

/** The call that makes a recorded request. */
export const callOf = (exchange: Kit.Exchange): Call => {
  switch (exchange.request.template) {
    case templates.users:
      return Users.list(askedList(Part, keys, exchange))
    case templates.user:
      return userCall(exchange)
    case templates.channels:
      return Channels.list(askedList(Part, keys, exchange))
    case templates.channel:
      return channelCall(exchange)
    case templates.memberships:
      return membershipsCall(exchange)
    default:
      return membersCall(exchange)
  }
}

/** What a recording says in other words than ours, which mean the same, in ours. */
const inOurWords = (exchange: Kit.Exchange): Kit.Exchange => {
  const query = new Map(recordedQuery(exchange.request))
  const { rawBody } = exchange.request
  // The service knows no part `totalCount`: the answers have no total.
  const include = listOf(query.get("include"))?.filter((part) => part !== "totalCount") ?? []
  // A part of the other end brings that end.
  const ends = ["uuid", "channel"].filter((end) => include.some((part) => part.startsWith(`${end}.`)))
  if (include.length > 0) query.set("include", [...include, ...ends].join(","))
  return {
    ...exchange,
    request: {
      ...exchange.request,
      query: Object.fromEntries(query),
      ...typeof rawBody === "string" && rawBody !== "" ? { rawBody: JSON.stringify(tersely(JSON.parse(rawBody))) } : {}
    }
  }
}

/** The body without lists of nothing, and without what is said of relations that go away. */
const tersely = (body: { readonly set?: unknown; readonly delete?: unknown }) =>
  Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => !Array.isArray(value) || value.length > 0)
      .map(([name, value]) => [
        name,
        name === "delete" && Array.isArray(value)
          ? value.map(({ channel, uuid }: { readonly channel?: unknown; readonly uuid?: unknown }) => ({
            channel,
            uuid
          }))
          : value
      ])
  )

// --------------------------------------------------------------------------------------------------------------------
// what an answer must become, without a line of the client
// --------------------------------------------------------------------------------------------------------------------

/** Moments as milliseconds. */
const shown = (value: unknown): unknown =>
  DateTime.isDateTime(value)
    ? DateTime.toEpochMillis(value)
    : Array.isArray(value)
    ? value.map(shown)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(item)]))
    : value

type Json = Schema.JsonObject
const textOf = Schema.decodeUnknownSync(Schema.String)
const objectOf = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Json))
const decodeOne = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ data: Schema.Json })))
const decodeMany = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  data: Schema.Array(Schema.Json),
  totalCount: Schema.optionalKey(Schema.Int),
  next: Schema.optionalKey(Schema.String),
  prev: Schema.optionalKey(Schema.String)
})))

const fields = (names: ReadonlyArray<string>, data: Json) =>
  Object.fromEntries(
    names.flatMap((name) => data[name] === undefined || data[name] === null ? [] : [[name, data[name]]])
  )

const version = ({ eTag, updated }: Json) => ({ etag: eTag, updated: Date.parse(textOf(updated)) })

const metadata = (names: ReadonlyArray<string>) => (json: Schema.Json) => {
  const data = objectOf(json)
  return { id: data.id, ...version(data), ...fields([...names, "status", "type", "custom"], data) }
}

const user = metadata(["name", "externalId", "profileUrl", "email"])
const channel = metadata(["name", "description"])

/** A relation, and the object at its other end, which has a tag where all of it came. */
const relation =
  (wire: string, name: string, idName: string, end: (json: Schema.Json) => unknown) => (json: Schema.Json) => {
    const data = objectOf(json)
    const other = objectOf(data[wire])
    return {
      [idName]: other.id,
      ...version(data),
      ...fields(["status", "type", "custom"], data),
      ...other.eTag === undefined ? {} : { [name]: end(other) }
    }
  }

const membership = relation("channel", "channel", "channelId", channel)
const member = relation("uuid", "user", "userId", user)

const page = (item: (json: Schema.Json) => unknown, { request, response }: Kit.Exchange) => {
  const { data, next, prev, totalCount } = decodeMany(response.rawBody)
  // A page that is not full has none behind it, though the service says how to ask for one; before another it has that one.
  const query = recordedQuery(request)
  const isFull = data.length >= (query.has("end") ? 1 : Number(query.get("limit") ?? 100))
  return {
    items: data.map(item),
    ...totalCount === undefined ? {} : { totalCount },
    ...next === undefined || !isFull ? {} : { next },
    ...prev === undefined ? {} : { previous: prev }
  }
}

const expectedOf = (exchange: Kit.Exchange): unknown => {
  const { request, response } = exchange
  if (request.method === "DELETE") return undefined
  switch (request.template) {
    case templates.users:
      return page(user, exchange)
    case templates.channels:
      return page(channel, exchange)
    case templates.user:
      return user(decodeOne(response.rawBody).data)
    case templates.channel:
      return channel(decodeOne(response.rawBody).data)
    case templates.memberships:
      return page(membership, exchange)
    default:
      return page(member, exchange)
  }
}

/** What a refusal must become: what the statuses say that only objects have, and else its reason. */
const assertFailure = (exchange: Kit.Exchange, failure: Failure, reason: () => Answers.Reason) => {
  const { request, response } = exchange
  const told = { ...failure, _tag: failure._tag }
  const object = {
    kind: request.template === templates.user ? "user" : "channel",
    id: idOf(exchange) ?? recordedQuery(request).get("uuid")
  }
  switch (response.status) {
    case 404:
      return assert.deepInclude<object>(told, { _tag: "ObjectNotFound", ...object })
    case 412:
      return assert.deepInclude<object>(told, { _tag: "ObjectChanged", ...object, etag: request.headers["if-match"] })
    default:
      return Answers.assertFailure(failure, reason())
  }
}

const assertAnswer = Effect.fnUntraced(
  function*(recorded: Kit.Exchange, exactPath: boolean, reason: () => Answers.Reason) {
    const exchange = inOurWords(recorded)
    const result = yield* Single.replay(exchange, callOf(exchange), { exactPath })
    if (result._tag === "Failure") return assertFailure(exchange, result.failure, reason)
    assert.strictEqual(exchange.response.status, 200)
    assert.deepStrictEqual(shown(result.success), expectedOf(exchange))
  }
)

// --------------------------------------------------------------------------------------------------------------------
// cases of the JavaScript client
// --------------------------------------------------------------------------------------------------------------------

/** What is refused before a request is made, by both clients, and where ours says it is wrong. */
const invalid: { readonly [name: string]: readonly [call: () => Call, location: string] } = {
  "get channel metadata, empty name": [() => Channels.get({ id: "" }), "id"],
  "set memberships, empty list": [() => Memberships.set({ channels: [] }), "channels"]
}

/** What the answers of errors that other operations know too must become. */
const reasons: { readonly [name: string]: Answers.Reason } = {
  "get channel metadata, 400 with details": {
    _tag: "BadRequest",
    status: 400,
    description: "Request payload contained invalid input.",
    details: [{ message: "Invalid channel name", location: "channel" }]
  },
  "get channel metadata, 403": {
    _tag: "AccessDenied",
    status: 403,
    description: "Forbidden",
    channels: ["c"],
    groups: []
  }
}

const templateOf = (path: string): string => {
  const [, , , , kind, id, others] = path.split("/")
  return [
    templates.users,
    templates.user,
    templates.memberships,
    templates.channels,
    templates.channel,
    templates.members
  ]
    .find((template) => {
      const parts = template.split("/")
      return parts[4] === kind && (parts[5] === undefined) === (id === undefined) && parts[6] === others
    }) ?? assert.fail(path)
}

/** A case of the JavaScript client as if it were recorded, if it makes a request. */
export const exchangeOf = (entry: Kit.Expectation): Kit.Exchange | undefined =>
  Single.recordedForm(entry, () => templateOf(entry.request?.rawTarget.split("?")[0] ?? ""))

/** That client asks for the pages behind one and before another at once, which ours refuses: once for each. */
const inOneDirection = (exchange: Kit.Exchange): ReadonlyArray<Kit.Exchange> => {
  const { request } = exchange
  const { end, start, ...query } = request.query
  return start === undefined || end === undefined
    ? [exchange]
    : [{ start }, { end }].map((cursor) => ({ ...exchange, request: { ...request, query: { ...query, ...cursor } } }))
}

const javaScriptCase = (entry: Kit.Expectation) => {
  const exchange = exchangeOf(entry)
  if (exchange !== undefined) {
    return Effect.forEach(
      inOneDirection(exchange),
      (exchange) => assertAnswer(exchange, true, () => reasons[entry.case] ?? assert.fail("an error"))
    )
  }
  const [call, location] = invalid[entry.case] ?? assert.fail(`no call for ${entry.case}`)
  return Effect.map(
    Single.refused(call()),
    (failure) => assert.deepStrictEqual(Single.locations(failure), [location])
  )
}

// --------------------------------------------------------------------------------------------------------------------
// tests
// --------------------------------------------------------------------------------------------------------------------

let replayed = 0
let cases = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  `App Context exchanges ${replayed}, JavaScript cases ${cases}`
]

export const suite = () => {
  describe("recorded requests for App Context", () => {
    it("are in every cassette of the class", () => {
      for (const cassette of Kit.cassettes("app-context")) {
        assert.isTrue(cassette.interactions.some(isOurs), cassette.name)
      }
    })

    for (const cassette of Kit.classes().flatMap((name) => Kit.cassettes(name))) {
      const exchanges = cassette.interactions.filter(isOurs)
      if (exchanges.length === 0) continue
      it.effect(cassette.name, () =>
        Effect.forEach(exchanges, (exchange) =>
          Effect.gen(function*() {
            const exactPath = !/^(objc|ruby)\./.test(cassette.name)
            yield* assertAnswer(exchange, exactPath, () => Answers.expectedOf(cassette, exchange))
            replayed++
          }), { discard: true }))
    }

    describe("JavaScript client", () => {
      for (const entry of Kit.expectations().filter(({ api }) => api === "app-context")) {
        it.effect(entry.case, () => Effect.andThen(javaScriptCase(entry), Effect.sync(() => cases++)))
      }
    })
  })
}
