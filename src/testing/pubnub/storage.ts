/**
 * The storage of files, which other hosts are in production: it takes forms, and gives files by signed links. It knows no user and
 * no token. Here it has a path of its own.
 */
import * as Base64 from "effect/encoding/Base64"
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import type { Answer, Request } from "../server/message.ts"
import * as multipart from "../server/multipart.ts"
import { decode, pairsOf } from "../server/percent.ts"
import * as answers from "./answers.ts"
import { digest, type OpenForm, type StoredFile } from "./files.ts"
import type { Keyset } from "./keyset.ts"

/** The path under which the emulator serves it. */
export const place = "/_storage"

const second = 10_000_000n
/** How long a form is good. */
const formLifetime = 60n * second
/** How long a link is good, from the full hour on, in seconds. */
const linkSeconds = 3_900n

const momentOf = (ticks: bigint) => DateTime.makeUnsafe(Number(ticks / 10_000n))

/** A time to the second. */
export const dateOf = (ticks: bigint): string => DateTime.formatIso(momentOf(ticks)).replace(/\.\d+Z$/, "Z")

/** The same in the form of the storage. */
const stampOf = (ticks: bigint): string => dateOf(ticks).replaceAll(/[-:]/g, "")

const credentialOf = (ticks: bigint): string => `emulated/${stampOf(ticks).slice(0, 8)}/us-east-1/s3/aws4_request`

/** The form for a new file, good for a minute. */
export const newForm = (
  { files, limits }: Keyset,
  { channel, contentType, name }: Pick<StoredFile, "channel" | "name" | "contentType">,
  now: bigint
): OpenForm => {
  const id = files.newId()
  const expires = now + formLifetime
  const key = files.keyOf({ channel, id, name })
  const days = Number.isFinite(limits.fileRetentionMillis) ? Math.ceil(limits.fileRetentionMillis / 86_400_000) : 0
  const tagging = `<Tagging><TagSet><Tag><Key>ObjectTTLInDays</Key><Value>${days}</Value></Tag></TagSet></Tagging>`
  const amz = {
    "X-Amz-Credential": credentialOf(expires),
    "X-Amz-Security-Token": "",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Date": stampOf(expires)
  }
  const policy = Base64.encode(JSON.stringify({
    expiration: dateOf(expires),
    conditions: [
      { bucket: "emulated" },
      ["eq", "$tagging", tagging],
      ["eq", "$key", key],
      ["content-length-range", 0, limits.maxFileSize],
      ["starts-with", "$Content-Type", ""],
      ...Object.entries(amz).map(([name, value]) => ({ [name.toLowerCase()]: value }))
    ]
  }))
  const fields = {
    tagging,
    key,
    "Content-Type": contentType,
    ...amz,
    Policy: policy,
    "X-Amz-Signature": digest(policy, 64)
  }
  return {
    channel,
    id,
    name,
    fields: Object.entries(fields).map(([key, value]) => ({ key, value })),
    expires
  }
}

/** The address of a file, signed as of the full hour, so that it is the same for everybody within an hour. */
export const linkTo = (encodedKey: string, now: bigint): string => {
  const hour = now - now % (3_600n * second)
  return `${place}/${encodedKey}?${unsigned(hour)}&X-Amz-Signature=${signatureOf(encodedKey, stampOf(hour))}`
}

const unsigned = (hour: bigint) =>
  `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(credentialOf(hour))}` +
  `&X-Amz-Date=${stampOf(hour)}&X-Amz-Expires=${linkSeconds}&X-Amz-SignedHeaders=host`

const signatureOf = (encodedKey: string, stamp: string) => digest(`${stamp} ${encodedKey}`, 64)

/** Handles a request to the storage. */
export const handle = (
  request: Request,
  keysetOf: (subscribeKey: string) => Keyset | undefined,
  now: bigint
): Answer => {
  const { method, target } = request
  const [path = "", search = ""] = target.split(/\?(.*)/s)
  const encodedKey = path.slice(place.length + 1)
  if (method === "POST" && encodedKey === "") return upload(request, keysetOf, now)
  return method === "GET" && encodedKey !== ""
    ? download(request, encodedKey, new Map(pairsOf(search)), keysetOf, now)
    : answers.storageRefused("MethodNotAllowed")
}

const upload = (
  { body, headers, target }: Request,
  keysetOf: (subscribeKey: string) => Keyset | undefined,
  now: bigint
): Answer => {
  const contentType = headers["content-type"] ?? ""
  if (contentType.startsWith("application/x-www-form-urlencoded")) {
    return answers.storageRefused("AuthorizationQueryParametersError")
  }
  if (headers["transfer-encoding"] !== undefined) return answers.storageRefused("MissingContentLength")
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  const parts = multipart.parse(contentType, bytes)
  if (Result.isFailure(parts)) return answers.storageRefused("MalformedPOSTRequest")
  const at = parts.success.findIndex(({ name }) => name === "file")
  const file = parts.success[at]
  if (file === undefined) return answers.storageRefused("InvalidArgument")
  // What comes after the file is not read.
  const fields = new Map(
    parts.success.slice(0, at).map(({ content, name }) => [name, multipart.decodeText(content) ?? ""])
  )
  const key = fields.get("key") ?? ""
  const keyset = keysetOf(key.split("/")[0] ?? "")
  const form = keyset?.files.formOf(key)
  if (keyset === undefined || form === undefined) return answers.storageRefused("SignatureDoesNotMatch")
  const expected = new Map(form.fields.map(({ key, value }) => [key, value]))
  for (const name of ["Policy", "X-Amz-Signature"]) {
    if (fields.get(name) !== expected.get(name)) return answers.storageRefused("SignatureDoesNotMatch")
  }
  if (now > form.expires) return answers.storageRefused("PolicyExpired")
  for (const [name, value] of expected) {
    if (name !== "Content-Type" && fields.get(name) !== value) return answers.storageRefused("PolicyMismatch")
  }
  for (const name of fields.keys()) {
    if (!expected.has(name) && !name.startsWith("x-ignore-")) return answers.storageRefused("PolicyMismatch")
  }
  const { maxFileSize } = keyset.limits
  if (file.content.length > maxFileSize) return answers.fileTooLarge(file.content.length, maxFileSize)
  const { channel, id, name } = form
  keyset.files.put({
    channel,
    id,
    name,
    bytes: new Uint8Array(file.content),
    contentType: fields.get("Content-Type") ?? "binary/octet-stream",
    created: now
  })
  return {
    status: 204,
    headers: { etag: etagOf(file.content), location: `${target}${encodeURIComponent(key)}` },
    body: ""
  }
}

/** The service's is the MD5 of the bytes. */
const etagOf = (bytes: Uint8Array): string =>
  `"${digest(`${bytes.length} ${bytes.subarray(0, 4_096).join()} ${bytes.subarray(-4_096).join()}`, 32)}"`

const download = (
  { headers }: Request,
  encodedKey: string,
  query: ReadonlyMap<string | undefined, string | undefined>,
  keysetOf: (subscribeKey: string) => Keyset | undefined,
  now: bigint
): Answer => {
  const stamp = query.get("X-Amz-Date") ?? ""
  if (query.get("X-Amz-Signature") !== signatureOf(encodedKey, stamp)) {
    return answers.storageRefused("SignatureDoesNotMatch")
  }
  const [, year, month, day, hour] = /^(\d{4})(\d\d)(\d\d)T(\d\d)/.exec(stamp) ?? []
  const from = BigInt(Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`)) * 10_000n
  if (now > from + linkSeconds * second) return answers.storageRefused("LinkExpired")
  const [subscribeKey = "", , id = ""] = encodedKey.split("/").map(decode)
  const file = keysetOf(subscribeKey)?.files.find(id, now)
  if (file === undefined) return answers.storageRefused("NoSuchKey")
  const { bytes, contentType } = file
  const common = { "content-type": contentType, etag: etagOf(bytes), "accept-ranges": "bytes" }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers["range"] ?? "") ?? []
  if (first === undefined) return { status: 200, headers: common, body: "", bytes }
  const start = Number(first)
  if (start >= bytes.length) return answers.storageRefused("InvalidRange")
  const end = Math.min(bytes.length, last === "" ? bytes.length : Number(last) + 1)
  return {
    status: 206,
    headers: { ...common, "content-range": `bytes ${start}-${end - 1}/${bytes.length}` },
    body: "",
    bytes: bytes.subarray(start, end)
  }
}
