/** Raw requests, so that the emulator is tested against the protocol and not against our client. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"

const Page = Schema.fromJsonString(Schema.Struct({
  t: Schema.Struct({ t: Schema.String, r: Schema.Int }),
  m: Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
}))

const answered = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.gen(function*() {
    const response = yield* HttpClient.execute(request)
    const text = yield* response.text
    const body: unknown = JSON.parse(text)
    return { status: response.status, headers: response.headers, text, body }
  })

export const get = (target: string) => answered(HttpClientRequest.get(`http://any.host${target}`))

export const post = (target: string, body: string) =>
  answered(
    HttpClientRequest.post(`http://any.host${target}`).pipe(HttpClientRequest.bodyText(body, "application/json"))
  )

const remove = (target: string) => answered(HttpClientRequest.delete(`http://any.host${target}`))

export const enc = encodeURIComponent

const query = (parameters: Readonly<Record<string, string | number>>) =>
  Object.entries({ uuid: "me", ...parameters }).map(([name, value]) => `${name}=${enc(value)}`).join("&")

export const publish = (
  channel: string,
  message: unknown,
  parameters: Readonly<Record<string, string | number>> = {}
) =>
  get(
    `/publish/demo-pub/demo-sub/0/${enc(channel)}/0/${enc(JSON.stringify(message))}?${
      query({ uuid: "you", ...parameters })
    }`
  )

export const signal = (channel: string, message: unknown) =>
  get(`/signal/demo-pub/demo-sub/0/${enc(channel)}/0/${enc(JSON.stringify(message))}?${query({ uuid: "you" })}`)

export const subscribe = (channels: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  get(`/v2/subscribe/demo-sub/${channels.split(",").map(enc).join(",")}/0?${query(parameters)}`)

export const presence = (path: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  get(`/v2/presence/sub-key/demo-sub${path}?${query(parameters)}`)

export const group = (path: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  get(`/v1/channel-registration/sub-key/demo-sub/channel-group${path}?${query(parameters)}`)

type Query = Readonly<Record<string, string | number>>

const names = (list: string) => list.split(",").map(enc).join(",")

export const history = (channels: string, parameters: Query = {}) =>
  get(`/v3/history/sub-key/demo-sub/channel/${names(channels)}?${query(parameters)}`)

export const historyWithActions = (channels: string, parameters: Query = {}) =>
  get(`/v3/history-with-actions/sub-key/demo-sub/channel/${names(channels)}?${query(parameters)}`)

export const legacyHistory = (channel: string, parameters: Query = {}) =>
  get(`/v2/history/sub-key/demo-sub/channel/${enc(channel)}?${query(parameters)}`)

export const counts = (channels: string, parameters: Query = {}) =>
  get(`/v3/history/sub-key/demo-sub/message-counts/${names(channels)}?${query(parameters)}`)

export const deleteMessages = (channel: string, parameters: Query = {}) =>
  remove(`/v3/history/sub-key/demo-sub/channel/${enc(channel)}?${query(parameters)}`)

/** What came after a cursor: the next one, and the envelopes. */
export const poll = (channels: string, tt: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  subscribe(channels, { tt, tr: 1, ...parameters }).pipe(
    Effect.flatMap(({ text }) => Schema.decodeEffect(Page)(text)),
    Effect.map(({ m, t }) => ({ cursor: t.t, region: t.r, envelopes: m, payloads: m.map(({ d }) => d) }))
  )

/** Where the names stand now. */
export const handshake = (channels: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  Effect.map(poll(channels, "0", parameters), ({ cursor }) => cursor)
