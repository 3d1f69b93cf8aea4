/** The form to upload a file with, and the request for it. */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import type * as Endpoint from "../wire/endpoint.ts"
import { path, subscribeKey } from "../wire/path.ts"
import * as File from "./file.ts"

export interface Form {
  /** The id that the service gave the file. */
  readonly id: string
  /** The name that the service gave it, which may differ from the one that was asked for. */
  readonly name: string
  /** Where the storage is. */
  readonly url: string
  /** The fields, in the order in which they are sent. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
  /** The most bytes of the content. */
  readonly limit: number
}

/** The most bytes where the policy does not say it: the limit of every keyset without a larger one. */
const usualLimit = 5 * 1024 * 1024

/** How long a form is sure to be good after it was asked for. The service says 60 seconds. */
export const lifetimeMillis = 55_000

const decodeAnswer = Codec.decodeResult(Schema.Struct({
  data: Schema.Struct({ id: Schema.String, name: Schema.String }),
  file_upload_request: Schema.Struct({
    url: Schema.String,
    form_fields: Schema.Array(Schema.Struct({
      key: Schema.optionalKey(Schema.String),
      // The documents call it so; the service writes `key`.
      name: Schema.optionalKey(Schema.String),
      value: Schema.String
    }))
  })
}))

/** The upper bound of the size in a policy, which is JSON in base64. Read by hand: a schema of JSON is slow where it is deep. */
export const limitOf = (policy: string): number => {
  const json = Result.getOrUndefined(Result.flatMap(Base64.decodeString(policy), Json.parse))
  const conditions: unknown = Json.isRecord(json) ? json["conditions"] : undefined
  const range: unknown = Array.isArray(conditions) ? conditions.find(isRange) : undefined
  const most: unknown = Array.isArray(range) ? range[2] : undefined
  return typeof most === "number" && Number.isSafeInteger(most) && most >= 0 ? most : usualLimit
}

const isRange = (condition: unknown): boolean => Array.isArray(condition) && condition[0] === "content-length-range"

/** The most fields of a form. The service sends about ten; each is kept, and searched for in what the storage says. */
const mostFields = 100

/** The most characters of the fields together. A policy has about a thousand. */
const mostCharacters = 65_536

const decode = (tls: boolean) => (json: Schema.Json): Result.Result<Form, string> =>
  Result.flatMap(decodeAnswer(json), ({ data, file_upload_request: { form_fields, url } }) => {
    const fields = form_fields.map(({ key, name, value }) => [key ?? name ?? "", value] as const)
    if (fields.some(([name]) => name === "")) return Result.fail("a field of the form has no name")
    if (fields.length > mostFields || fields.flat().join("").length > mostCharacters) {
      return Result.fail("the form of the upload is too large")
    }
    const [unusable] = File.partIssues(data)
    if (unusable !== undefined) return Result.fail(`the ${unusable.location} of the file ${unusable.message}`)
    const wrong = addressIssue(url, tls)
    if (wrong !== undefined) return Result.fail(`the address of the storage ${wrong}`)
    const policy = fields.find(([name]) => name.toLowerCase() === "policy")?.[1] ?? ""
    return Result.succeed({ ...data, url, fields, limit: limitOf(policy) })
  })

/** What is wrong with the address of a storage. Without TLS it would show a file that was asked for with TLS. */
export const addressIssue = (address: string, tls: boolean): string | undefined => {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url === undefined
    ? "is not an address"
    : url.protocol !== "https:" && (tls || url.protocol !== "http:")
    ? "is not one of https"
    : url.username !== "" || url.password !== ""
    ? "holds a user name or a password"
    : undefined
}

/** Asks for a form. */
export const endpoint = (
  operation: string,
  tls: boolean,
  { channel, name }: { readonly channel: string; readonly name: string }
): Endpoint.Endpoint<Form> => ({
  operation,
  method: "POST",
  path: path`/v1/files/${subscribeKey}/channels/${channel}/generate-upload-url`,
  body: JSON.stringify({ name }),
  attributes: { "messaging.destination.name": channel },
  decode: decode(tls)
})
