/** Recorded requests about files, with those to the storage, replayed call by call. */
import { assert, describe, it } from "@effect/vitest"
import * as Brand from "effect/Brand"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Files, PubNubConfig } from "effect-herald/pubnub"
import * as Kit from "./kit.ts"
import { differences, recordedParts, recordedQuery } from "./matching.ts"
import * as Replay from "./replay.ts"

const base = "/v1/files/{subKey}/channels/{channel}"
const templates = {
  form: `${base}/generate-upload-url`,
  announcement: "/v1/files/publish-file/{pubKey}/{subKey}/0/{channel}/0/{message}",
  list: `${base}/files`,
  file: `${base}/files/{fileId}/{fileName}`
} as const

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set(Object.values(templates))

/** Their ciphertexts have random parts, which no other client can make again. */
const leftOut: ReadonlySet<string> = new Set([
  "asyncio.file_upload.publish_file_message_encrypted",
  "asyncio.file_upload.send_and_download_encrypted_file_crypto_module"
])

const cursor = Brand.nominal<Files.PageCursor>()
const once = { retry: Schedule.recurs(0) }
const content = "Knights who say Ni!"

const Event = Schema.Struct({
  message: Schema.optionalKey(Schema.Json),
  file: Schema.Struct({ id: Schema.String, name: Schema.String })
})
const decodeEvent = Schema.decodeUnknownSync(Schema.fromJsonString(Event))
const decodeList = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({
    data: Schema.Array(Schema.Struct({ id: Schema.String })),
    next: Schema.NullOr(Schema.String)
  }))
)

const decodedParts = ({ request }: Kit.Exchange) => recordedParts(request).map(decodeURIComponent)

/** What a recorded announcement says. */
const announcementOf = (exchange: Kit.Exchange) => {
  const parts = decodedParts(exchange)
  const query = recordedQuery(exchange.request)
  const { file, message } = decodeEvent(parts[8])
  const hours = Number(query.get("ttl"))
  return {
    ...file,
    channel: parts[6] ?? "",
    message,
    store: query.get("store") === "1",
    // Without storage, the time to live means nothing.
    ttl: hours === 0 ? undefined : `${hours} hours` as const,
    customMessageType: query.get("custom_message_type")
  }
}

interface Call {
  readonly exchanges: ReadonlyArray<Kit.Exchange>
  readonly run: Effect.Effect<void, unknown, HttpClient.HttpClient | PubNubConfig.PubNubConfig>
}

/** The call that makes the first of these exchanges, and those behind it. */
const callOf = (exchanges: ReadonlyArray<Kit.Exchange>): Call => {
  const [first, second, third] = exchanges
  if (first === undefined) return assert.fail("nothing is left")
  const parts = decodedParts(first)
  const [channel = "", , id = "", name = ""] = parts.slice(4)
  switch (first.request.template) {
    case templates.form: {
      const refused = second !== undefined && second.response.status !== 204
      const { id: _id, name: _name, ...announcement } = third === undefined || refused
        ? { channel, id: "", name: "" }
        : announcementOf(third)
      const sent = Files.send({ ...announcement, name: "king_arthur.txt", content, ...once })
      return refused
        ? {
          exchanges: exchanges.slice(0, 2),
          run: Effect.map(
            Effect.flip(sent),
            (error) =>
              assert.deepInclude(error, { _tag: "StorageRefused", code: "AuthorizationQueryParametersError" } as object)
          )
        }
        : {
          exchanges: exchanges.slice(0, 3),
          run: Effect.map(sent, ({ id, timetoken }) => {
            assert.include(second?.response.headers["location"] ?? id, id)
            assert.include(third?.response.rawBody ?? "", timetoken)
          })
        }
    }
    case templates.announcement:
      return {
        exchanges: [first],
        run: Effect.map(
          Files.announce({ ...announcementOf(first), ...once }),
          ({ timetoken }) => assert.include(first.response.rawBody ?? "", timetoken)
        )
      }
    case templates.list: {
      const query = recordedQuery(first.request)
      const limit = query.get("limit")
      const asked = query.get("next")
      const { data, next } = decodeList(first.response.rawBody)
      return {
        exchanges: [first],
        run: Effect.map(
          Files.list({
            channel,
            limit: limit === undefined ? undefined : Number(limit),
            next: asked === undefined ? undefined : cursor(asked)
          }),
          (page) => {
            assert.deepStrictEqual(page.items.map((item) => "id" in item && item.id), data.map(({ id }) => id))
            assert.strictEqual(page.next ?? null, next)
          }
        )
      }
    }
    default: {
      const file = { channel, id, name }
      if (first.request.method === "DELETE") return { exchanges: [first], run: Files.remove(file) }
      const isWhole = second?.request.host?.startsWith("files-") === true
      return {
        exchanges: exchanges.slice(0, isWhole ? 2 : 1),
        run: isWhole
          ? Effect.map(Files.downloadText(file, once), (text) => assert.strictEqual(text, content))
          // What is behind the link was not asked for.
          : Effect.map(
            Effect.flip(Files.downloadText(file, once)),
            ({ _tag }) => assert.strictEqual(_tag, "PubNubError")
          )
      }
    }
  }
}

const replay = Effect.fnUntraced(function*({ exchanges, run }: Call) {
  const waiting = [...exchanges]
  const problems: Array<string> = []
  const client = Replay.client((sent) => {
    const exchange = waiting.shift()
    if (exchange === undefined) return "cut"
    const { host } = exchange.request
    if (host === undefined) {
      problems.push(...differences(sent, exchange.request, ["meta", "limit", "ttl"]))
    } else {
      if (sent.url.host !== host) problems.push(`host: ${sent.url.host}`)
      if (/auth=|uuid=|pnsdk=/.test(sent.url.search)) problems.push(`query: ${sent.url.search}`)
      if (sent.method === "POST") problems.push(...formProblems(sent.body ?? "", exchanges[0]))
    }
    return Replay.recordedAnswer(exchange)
  })
  const [first] = exchanges
  const parts = first === undefined ? [] : decodedParts(first)
  const isAnnouncement = first?.request.template === templates.announcement
  const publishKey = exchanges.find(({ request }) => request.template === templates.announcement)
  yield* run.pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.provideService(
      PubNubConfig.PubNubConfig,
      PubNubConfig.make({
        subscribeKey: (isAnnouncement ? parts[4] : parts[2]) ?? "",
        publishKey: (publishKey === undefined ? undefined : decodedParts(publishKey)[3]) ?? "pub",
        userId: (first === undefined ? undefined : recordedQuery(first.request).get("uuid")) ?? "nobody"
      })
    )
  )
  assert.deepStrictEqual([...problems, ...waiting.map(({ request }) => `never asked: ${request.path}`)], [])
})

const decodeFields = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  file_upload_request: Schema.Struct({
    form_fields: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String }))
  })
})))

/** All fields as they were given, in their order, and then the file. */
const formProblems = (body: string, form: Kit.Exchange | undefined): ReadonlyArray<string> => {
  const { file_upload_request: { form_fields } } = decodeFields(form?.response.rawBody)
  const parts = [...body.matchAll(/name="([^"]*)"[^\r]*\r\n(?:Content-Type: [^\r]*\r\n)?\r\n([^]*?)\r\n--/g)]
  const sent = parts.map(([, name, value]) => `${name}=${value}`)
  const given = [...form_fields.map(({ key, value }) => `${key}=${value}`), `file=${content}`]
  return JSON.stringify(sent) === JSON.stringify(given) ? [] : [`form: ${JSON.stringify(sent)}`]
}

let replayed = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [`file exchanges ${replayed} (${leftOut.size} cassettes left out)`]

export const suite = () => {
  describe("recorded requests for files", () => {
    for (const cassette of Kit.cassettes("files")) {
      if (leftOut.has(cassette.name)) continue
      it.effect(cassette.name, () =>
        Effect.gen(function*() {
          let left: ReadonlyArray<Kit.Exchange> = cassette.interactions
          while (left.length > 0) {
            const call = callOf(left)
            yield* replay(call)
            left = left.slice(call.exchanges.length)
            replayed += call.exchanges.length
          }
        }))
    }
  })
}
