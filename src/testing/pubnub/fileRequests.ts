/** The endpoints of files, under `/v1/files`. The bytes go to the storage (`storage.ts`). */
import * as Mime from "effect/http/Mime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Answer } from "../server/message.ts"
import { encode } from "../server/percent.ts"
import * as answers from "./answers.ts"
import type { StoredFile } from "./files.ts"
import { type Keyset, parseJson } from "./keyset.ts"
import type { Moment, Request } from "./request.ts"
import * as storage from "./storage.ts"

/** The subscribe key of a request under `/v1/files`. */
export const subscribeKeyOf = (segments: ReadonlyArray<string>): string | undefined =>
  segments[2] === "publish-file" ? segments[4] : segments[2]

const maxPage = 100

/** The type of a file by its name. The rules of the service are not known. */
const typeOf = (name: string): string => {
  const type = Option.getOrElse(Mime.getType(name), () => "application/octet-stream")
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type
}

// The service cleans names. Its rules are not known.
// oxlint-disable-next-line no-control-regex
const clean = (name: string) => name.replaceAll(/[\u0000-\u001f\u007f/\\]/g, "_")

const giveForm = (keyset: Keyset, channel: string, { body, origin }: Request, { now }: Moment): Answer => {
  const content = Option.getOrUndefined(parseJson(body))
  const name = Predicate.isObject(content) ? content.name : undefined
  if (!Predicate.isString(name) || name === "") return answers.badFile("[name] is required")
  const form = storage.newForm(keyset, { channel, name: clean(name), contentType: typeOf(name) }, now)
  keyset.files.open(form)
  return answers.file({
    data: { id: form.id, name: form.name },
    file_upload_request: {
      url: `${origin}${storage.place}/`,
      method: "POST",
      expiration_date: storage.dateOf(form.expires),
      form_fields: form.fields
    }
  })
}

const publish = (keyset: Keyset, { query, segments }: Request, { now, region }: Moment): Answer => {
  const [, , , publishKey, , , channel = "", , payload = ""] = segments
  if (publishKey !== keyset.publishKey) return answers.invalidPublishKey(keyset.position(now))
  const meta = query.get("meta")
  if (Option.isNone(parseJson(payload)) || meta !== undefined && Option.isNone(parseJson(meta))) {
    return answers.invalidJson(keyset.position(now))
  }
  const ttl = query.get("ttl")
  return answers.sent(keyset.append(
    {
      channel,
      payload,
      type: 4,
      publisher: query.get("uuid"),
      meta,
      customMessageType: query.get("custom_message_type"),
      stored: query.get("store") === "0" ? undefined : { ttl: ttl === undefined ? undefined : Number(ttl) }
    },
    region,
    now
  ))
}

const listed = ({ bytes, created, id, name }: StoredFile) => ({
  name,
  id,
  size: bytes.length,
  created: storage.dateOf(created)
})

/** A cursor is the last id of the page before. It is opaque to clients, and as long as the service's. */
const cursorOf = (id: string) => `${id}_`.padEnd(257, "0")

const list = (keyset: Keyset, channel: string, { query }: Request, { now }: Moment): Answer => {
  const limit = query.get("limit") ?? String(maxPage)
  if (!/^[1-9]\d*$/.test(limit) || Number(limit) > maxPage) return answers.badFile("[limit] is out of range")
  const after = query.get("next")?.split("_")[0] ?? ""
  const rest = keyset.files.of(channel, now).filter(({ id }) => id > after)
  const page = rest.slice(0, Number(limit))
  const last = page.at(-1)
  return answers.file({
    data: page.map(listed),
    next: last !== undefined && rest.length > page.length ? cursorOf(last.id) : null,
    count: page.length
  })
}

/** Everything under `/v1/files`. */
export const route = (keyset: Keyset, request: Request, moment: Moment): Answer => {
  const { method, query, segments } = request
  const isPublish = segments[2] === "publish-file"
  const channel = (isPublish ? segments[6] : segments[4]) ?? ""
  const isKnown = isPublish
    ? method === "GET" && segments.length === 9
    : segments[3] === "channels" && channel !== ""
  if (!isKnown) return answers.notFound
  const isSent = isPublish || segments[5] === "generate-upload-url"
  const operation = isSent ? "sendFile" : method === "DELETE" ? "deleteFile" : "readFiles"
  if (keyset.refused(query, operation, { channels: [channel] }).channels.length > 0) {
    return answers.forbidden([channel])
  }
  if (!keyset.addOns().files) return answers.noFiles
  if (isPublish) return publish(keyset, request, moment)
  const [word, id, name, ...more] = segments.slice(5)
  if (word === "generate-upload-url" && id === undefined && method === "POST") {
    return giveForm(keyset, channel, request, moment)
  }
  if (word !== "files" || more.length > 0) return answers.notFound
  if (id === undefined) return method === "GET" ? list(keyset, channel, request, moment) : answers.notFound
  if (name === undefined) return answers.notFound
  const file = keyset.files.find(id, moment.now)
  const isThere = file !== undefined && file.channel === channel && file.name === name
  if (method === "DELETE") {
    // What the service says about a file that is not there is not known.
    if (isThere) keyset.files.remove(id)
    return answers.file({})
  }
  if (method !== "GET") return answers.notFound
  // The service makes a link without looking: the storage knows what is there.
  const key = keyset.files.keyOf({ channel, id, name })
  return answers.fileLink(`${request.origin}${storage.linkTo(key.split("/").map(encode).join("/"), moment.now)}`)
}
