/**
 * The emulator against the real service: it is asked what the service and its storage were asked about files, and its answers have
 * the status, the headers and the shape of the recorded ones. Files that were there before a recording are put there first.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import { shapeDifferences, withUser } from "./emulated.ts"
import * as Kit from "./kit.ts"

const text = "Knights who say Ni!"

const parse = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

const decodeForm = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  data: Schema.Struct({ id: Schema.String }),
  file_upload_request: Schema.Struct({
    url: Schema.String,
    form_fields: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String }))
  })
})))
type Form = ReturnType<typeof decodeForm>

const decodeList = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({
    data: Schema.Array(Schema.Struct({ id: Schema.String })),
    next: Schema.NullOr(Schema.String)
  }))
)

const boundary = "f0rm"

const multipart = (form: Form): string =>
  [
    ...form.file_upload_request.form_fields.map(({ key, value }) => `name="${key}"\r\n\r\n${value}`),
    `name="file"; filename="king_arthur.txt"\r\nContent-Type: application/octet-stream\r\n\r\n${text}`
  ].map((part) => `--${boundary}\r\nContent-Disposition: form-data; ${part}\r\n`).join("") + `--${boundary}--\r\n`

/** Path and query of an address, whatever its host. */
const targetOf = (url: string): string => url.replace(/^https?:\/\/[^/]+/, "")

/** An address without what is of a host, of a time or of a key: how many segments, which query, and the name of the file. */
const addressOf = (url: string) => {
  const [path = "", query = ""] = targetOf(url).replace("/_storage", "").split("?")
  const segments = decodeURIComponent(path).split("/")
  return [segments.length, segments.at(-1), [...new URLSearchParams(query).keys()]]
}

const headersOf = (headers: Readonly<Record<string, string>>) => ({
  type: headers["content-type"]?.replace(/;.*/, ""),
  location: headers["location"] === undefined ? undefined : addressOf(headers["location"]),
  etag: headers["etag"]?.replaceAll(/[0-9a-f]/g, "0")
})

let asked = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [`file exchanges with the emulator ${asked}`]

const replay = Effect.fnUntraced(function*(cassette: Kit.Cassette) {
  const keyOf = (keys: string | ReadonlyArray<string> | undefined) => [keys ?? "other"].flat()[0] ?? "other"
  const emulator = yield* PubNubEmulator.make({
    keysets: [{ subscribeKey: keyOf(cassette.keys.subscribe), publishKey: keyOf(cassette.keys.publish) }]
  })
  /** What the emulator has in place of the ids and cursors of the service. */
  const words = new Map<string, string>()
  const reword = (target: string) => [...words].reduce((changed, [from, to]) => changed.replaceAll(from, to), target)
  let form: Form | undefined
  let link = ""
  for (const { request, response } of cassette.interactions) {
    const what = `${request.method} ${request.rawTarget}`
    const recorded = response.rawBody ?? ""
    const isList = request.template.endsWith("/files")
    if (isList) {
      const { data, next } = decodeList(recorded)
      const channel = decodeURIComponent(request.path.split("/")[5] ?? "")
      // Behind a page with a cursor there is another one, and something behind that.
      const wanted = data.length * (next === null ? 1 : 3)
      for (let there = (yield* emulator.files({ channel })).length; there < wanted; there++) {
        yield* emulator.putFile({ channel, name: "king_arthur.txt", content: text })
      }
    }
    const isUpload = request.host !== undefined && request.method === "POST"
    const isForm = isUpload && response.status === 204
    const answer = yield* emulator.handle({
      method: request.method,
      target: isUpload
        ? targetOf(form?.file_upload_request.url ?? "")
        : request.host === undefined
        ? withUser(reword(request.rawTarget))
        : targetOf(link),
      headers: isForm ? { "content-type": `multipart/form-data; boundary=${boundary}` } : request.headers,
      body: isForm && form !== undefined ? multipart(form) : request.rawBody ?? ""
    })
    asked++
    assert.strictEqual(answer.status, response.status, what)
    assert.deepStrictEqual(headersOf(answer.headers), headersOf(response.headers), what)
    const body = answer.bytes === undefined ? answer.body : new TextDecoder().decode(answer.bytes)
    if (request.template.endsWith("/generate-upload-url")) {
      const theirs = decodeForm(recorded)
      form = decodeForm(body)
      words.set(theirs.data.id, form.data.id)
      const keysOf = ({ file_upload_request: { form_fields } }: Form) => form_fields.map(({ key }) => key)
      assert.deepStrictEqual(keysOf(form), keysOf(theirs))
    }
    link = answer.headers["location"] ?? link
    if (isList) {
      const [ours, theirs] = [decodeList(body), decodeList(recorded)]
      assert.strictEqual(ours.data.length, theirs.data.length, what)
      assert.strictEqual(ours.next === null, theirs.next === null, what)
      for (const [index, { id }] of theirs.data.entries()) {
        if (!words.has(id)) words.set(id, ours.data[index]?.id ?? "")
      }
      if (ours.next !== null && theirs.next !== null) words.set(theirs.next, ours.next)
    }
    if (answer.status === 200 && request.host === undefined) {
      assert.deepStrictEqual(shapeDifferences(parse(body), parse(recorded)), [], `${what}\n${body}`)
    } else {
      const codeOf = (text: string) => /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? text
      // What was encrypted is not recorded.
      if (recorded !== "" || answer.status !== 200) assert.strictEqual(codeOf(body), codeOf(recorded), what)
    }
  }
})

export const suite = () => {
  describe("recorded files against the emulator", () => {
    for (const cassette of Kit.cassettes("files")) it.effect(cassette.name, () => replay(cassette))
  })
}
