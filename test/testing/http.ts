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

const patch = (target: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  answered(
    HttpClientRequest.patch(`http://any.host${target}`, { headers }).pipe(
      HttpClientRequest.bodyText(typeof body === "string" ? body : JSON.stringify(body), "application/json")
    )
  )

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

/** A part of App Context: `/uuids/ada`, `/channels/a/uuids`. */
const objectsTarget = (path: string, parameters: Query) => `/v2/objects/demo-sub${path}?${query(parameters)}`

export const getObjects = (path: string, parameters: Query = {}) => get(objectsTarget(path, parameters))

export const setObjects = (
  path: string,
  body: unknown,
  parameters: Query = {},
  headers: Readonly<Record<string, string>> = {}
) => patch(objectsTarget(path, parameters), body, headers)

export const removeObject = (path: string, parameters: Query = {}) => remove(objectsTarget(path, parameters))

const actionsTarget = (channel: string, path: string, parameters: Query) =>
  `/v1/message-actions/demo-sub/channel/${enc(channel)}${path}?${query(parameters)}`

export const addAction = (channel: string, message: string, body: unknown, parameters: Query = {}) =>
  post(
    actionsTarget(channel, `/message/${message}`, parameters),
    typeof body === "string" ? body : JSON.stringify(body)
  )

export const removeAction = (channel: string, message: string, action: string, parameters: Query = {}) =>
  remove(actionsTarget(channel, `/message/${message}/action/${action}`, parameters))

export const getActions = (channel: string, parameters: Query = {}) => get(actionsTarget(channel, "", parameters))

/** What came after a cursor: the next one, and the envelopes. */
export const poll = (channels: string, tt: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  subscribe(channels, { tt, tr: 1, ...parameters }).pipe(
    Effect.flatMap(({ text }) => Schema.decodeEffect(Page)(text)),
    Effect.map(({ m, t }) => ({ cursor: t.t, region: t.r, envelopes: m, payloads: m.map(({ d }) => d) }))
  )

/** Where the names stand now. */
export const handshake = (channels: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  Effect.map(poll(channels, "0", parameters), ({ cursor }) => cursor)
