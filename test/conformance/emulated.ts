/**
 * The emulator against the real service: it is asked what the service was asked about message actions and App Context,
 * and its answers have the status and the shape of the recorded ones. What the service had before a recording is put
 * there first, as far as the recording shows it. (`test/testing/recorded.test.ts` compares the values, where a recording
 * begins with nothing.)
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as Kit from "./kit.ts"

const isOurs = ({ request }: Kit.Exchange): boolean => /^\/(v2\/objects|v1\/message-actions)\//.test(request.template)

/** What does not show what it begins with. */
const leftOut: { readonly [name: string]: string } = {
  "ruby.remove_message_action": "removes an action of which nothing is recorded"
}

const isPublish = ({ request }: Kit.Exchange): boolean => request.template.startsWith("/publish/")

// --------------------------------------------------------------------------------------------------------------------
// what was there before
// --------------------------------------------------------------------------------------------------------------------

type Json = Schema.JsonObject
const isObject = Schema.is(Schema.Record(Schema.String, Schema.Json))
const textOf = Schema.decodeUnknownSync(Schema.String)
const parse = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

interface Patch {
  readonly path: string
  readonly body: Json
}

const otherEnd = { uuids: "channel", channels: "uuid" } as const
const collections = { uuid: "uuids", channel: "channels" } as const

const isCollection = (word: string | undefined): word is "uuids" | "channels" => word === "uuids" || word === "channels"

/** The writes by which there is what an answer shows. */
const writesOf = (path: string, data: Schema.Json): ReadonlyArray<Patch> => {
  const [, , , subscribeKey, collection, id, others] = path.split("/")
  if (!isCollection(collection)) return []
  const base = `/v2/objects/${subscribeKey}`
  const metadata = (
    collection: "uuids" | "channels",
    { eTag, id, updated: _updated, ...body }: Json
  ): ReadonlyArray<Patch> =>
    // Only a part of it may be shown, and none where there is no metadata.
    eTag === undefined ? [] : [{ path: `${base}/${collection}/${encodeURIComponent(textOf(id))}`, body }]
  const rows = (Array.isArray(data) ? data : [data]).filter(isObject)
  if (others === undefined) return rows.flatMap((row) => metadata(collection, row))
  const name = otherEnd[collection]
  return rows.flatMap((row) => {
    const { custom, status, type } = row
    const other = row[name]
    if (!isObject(other)) return []
    const relation = Object.fromEntries(
      Object.entries({ custom, status, type }).filter(([, value]) => value !== undefined)
    )
    return [
      ...metadata(collections[name], other),
      {
        path: `${base}/${collection}/${id}/${others}`,
        body: { set: [{ [name]: { id: other.id ?? "" }, ...relation }] }
      }
    ]
  })
}

/** What a write is about: an object, or the two ends of a relation, from whichever it is told. */
const subjectsOf = ({ body, path }: Patch): ReadonlyArray<string> => {
  const [, , , , collection, id, others] = path.split("/")
  if (!isCollection(collection) || others === undefined) return [`${collection}/${id}`]
  const name = otherEnd[collection]
  return [body.set, body.delete].flatMap((entries) =>
    (Array.isArray(entries) ? entries : []).filter(isObject).map((entry) => {
      const other = entry[name]
      const pair = [`${collection}/${id}`, `${others}/${encodeURIComponent(isObject(other) ? textOf(other.id) : "")}`]
      return pair.toSorted().join(" ")
    })
  )
}

// --------------------------------------------------------------------------------------------------------------------
// shapes
// --------------------------------------------------------------------------------------------------------------------

const keysOf = (value: object): string => Object.keys(value).toSorted().join()

/** Where two answers are not of one shape. A value that is not set can be of any. */
export const shapeDifferences = (emulated: unknown, recorded: unknown, at = ""): ReadonlyArray<string> => {
  if (emulated === null || recorded === null) return []
  if (Array.isArray(emulated) && Array.isArray(recorded)) {
    if (recorded.length === 0 || emulated.length === 0) return []
    return emulated.flatMap((item: unknown) => {
      const found = recorded.map((other: unknown) => shapeDifferences(item, other, `${at}[]`))
      return found.some(({ length }) => length === 0) ? [] : found[0] ?? []
    })
  }
  if (Predicate.isObject(emulated) && Predicate.isObject(recorded) && !Array.isArray(emulated)) {
    // The fields of custom data are the application's.
    if (at.endsWith(".custom")) return []
    return keysOf(emulated) === keysOf(recorded)
      ? Object.keys(recorded).flatMap((key) => shapeDifferences(emulated[key], recorded[key], `${at}.${key}`))
      : [`${at}: ${keysOf(emulated)} is not ${keysOf(recorded)}`]
  }
  return typeof emulated === typeof recorded ? [] : [`${at}: ${typeof emulated} is not ${typeof recorded}`]
}

// --------------------------------------------------------------------------------------------------------------------
// replay
// --------------------------------------------------------------------------------------------------------------------

/** Timetokens and tags are the emulator's own: later requests name those. */
const translate = (words: Map<string, string>, recorded: unknown, emulated: unknown): void => {
  if (typeof recorded === "string" && typeof emulated === "string") {
    if (/^\d{17}$/.test(recorded)) words.set(recorded, emulated)
    return
  }
  if (!Predicate.isObject(recorded) || !Predicate.isObject(emulated)) return
  for (const [key, value] of Object.entries(recorded)) {
    const other = emulated[key]
    if (key === "eTag" && typeof value === "string" && typeof other === "string") words.set(value, other)
    else translate(words, value, other)
  }
}

const reword = (words: ReadonlyMap<string, string>, text: string): string =>
  [...words].reduce((changed, [from, to]) => changed.replaceAll(from, to), text)

/** Recordings without a user are of one that the recorder left out. */
export const withUser = (target: string): string =>
  /[?&]uuid=/.test(target) ? target : `${target}${target.includes("?") ? "&" : "?"}uuid=someone`

const first = (keys: string | ReadonlyArray<string> | undefined): string => [keys ?? ""].flat()[0] ?? ""

// --- events

const Page = Schema.fromJsonString(Schema.Struct({
  t: Schema.Struct({ t: Schema.String, r: Schema.Int }),
  m: Schema.Array(Schema.Record(Schema.String, Schema.Json))
}))
const decodePage = Schema.decodeUnknownSync(Page)

const isSubscribe = ({ request }: Kit.Exchange): boolean => request.template.startsWith("/v2/subscribe/")

const isLeave = ({ request }: Kit.Exchange): boolean => request.template.endsWith("/leave")

/** An envelope of a change, without what every service gives its own, and shard and flags, which nobody reads. */
const comparable = (text: string): unknown =>
  JSON.parse(text, (key, value: unknown) => /^(updated|eTag|p|a|f)$/.test(key) ? key : value)

/** The changes of which a recorded reader heard are heard of at the emulator too, and no others. */
const assertHeard = (pages: ReadonlyArray<string>, emulated: string, words: ReadonlyMap<string, string>) => {
  const changes = (text: string) => decodePage(text).m.filter(({ e }) => e === 2 || e === 3)
  const heard = pages.flatMap(changes).map((envelope) => comparable(reword(words, JSON.stringify(envelope))))
  const ours = changes(emulated).map((envelope) => comparable(JSON.stringify(envelope)))
  assert.sameDeepMembers([...ours], heard)
  events += heard.length
}

// --- all of it

const replay = Effect.fnUntraced(function*(cassette: Kit.Cassette) {
  const emulator = yield* PubNubEmulator.make({
    keysets: [{ subscribeKey: first(cassette.keys.subscribe), publishKey: first(cassette.keys.publish) }]
  })
  const words = new Map<string, string>()
  const known = new Set<string>()
  const ask = (method: string, target: string, body: string, headers: Readonly<Record<string, string>>) =>
    emulator.handle({ method, target: withUser(reword(words, target)), headers, body: reword(words, body) })
  let reader: { readonly target: string; readonly cursor: string; readonly pages: Array<string> } | undefined
  for (const exchange of cassette.interactions) {
    const { request, response } = exchange
    if (isSubscribe(exchange)) {
      const target = `${request.rawTarget.split("?")[0]}?uuid=reader`
      if (reader === undefined) {
        const { t } = decodePage((yield* ask("GET", target, "", {})).body)
        reader = { target: `${target}&tr=${t.r}`, cursor: t.t, pages: [] }
      } else reader.pages.push(response.rawBody ?? "")
    }
    if (isLeave(exchange) && reader !== undefined) {
      const page = yield* emulator.handle({
        method: "GET",
        target: `${reader.target}&tt=${reader.cursor}`,
        headers: {},
        body: ""
      })
      assertHeard(reader.pages, page.body, words)
      reader = undefined
    }
    if (!isOurs(exchange) && !isPublish(exchange)) continue
    const recorded = parse(response.rawBody)
    const path = request.rawTarget.split("?")[0] ?? ""
    const requested = request.rawBody ? parse(request.rawBody) : null
    if (isOurs(exchange) && response.status === 200 && isObject(recorded)) {
      for (const write of writesOf(path, recorded.data ?? null)) {
        const isOwn = request.method === "PATCH" && isObject(requested) &&
          subjectsOf({ path, body: requested }).some((subject) => subjectsOf(write).includes(subject))
        if (isOwn || subjectsOf(write).every((subject) => known.has(subject))) continue
        yield* ask("PATCH", write.path, JSON.stringify(write.body), {})
        for (const subject of subjectsOf(write)) known.add(subject)
      }
      for (const subject of subjectsOf({ path, body: isObject(requested) ? requested : {} })) known.add(subject)
    }
    const answer = yield* ask(request.method, request.rawTarget, request.rawBody ?? "", {
      ...request.headers,
      ...request.headers["if-match"] === undefined ? {} : { "if-match": reword(words, request.headers["if-match"]) }
    })
    const emulated = parse(answer.body)
    translate(words, recorded, emulated)
    if (isPublish(exchange)) continue
    const what = `${request.method} ${request.rawTarget}`
    assert.strictEqual(answer.status, response.status, what)
    assert.deepStrictEqual(shapeDifferences(emulated, recorded), [], `${what}\n${answer.body}\n${response.rawBody}`)
    replayed++
  }
})

let replayed = 0
let events = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  `exchanges with the emulator ${replayed}, events ${events} (${Object.keys(leftOut).length} cassettes left out)`
]

export const suite = () => {
  describe("recordings against the emulator", () => {
    const all = Kit.classes().flatMap((name) => Kit.cassettes(name)).filter((cassette) =>
      cassette.interactions.some(isOurs)
    )

    it.effect("fail to replay for the cassettes that are left out", () =>
      Effect.gen(function*() {
        for (const name of Object.keys(leftOut)) {
          const cassette = all.find((cassette) => cassette.name === name) ?? assert.fail(name)
          const exit = yield* Effect.exit(Effect.suspend(() => replay(cassette)))
          assert.strictEqual(exit._tag, "Failure", name)
        }
      }))

    for (const cassette of all) {
      if (!(cassette.name in leftOut)) it.effect(cassette.name, () => replay(cassette))
    }
  })
}
