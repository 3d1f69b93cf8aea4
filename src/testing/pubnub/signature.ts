/** The `v2.` request signature, from the service's side. */
import * as percent from "../server/percent.ts"

const encoder = new TextEncoder()

/** The signature that a client with this secret would have put on the request. */
export const sign = async (options: {
  readonly secretKey: string
  readonly publishKey: string
  readonly method: string
  readonly path: string
  readonly pairs: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
}): Promise<string> => {
  const query = options.pairs
    .filter(([name]) => name !== "signature")
    .toSorted(([a], [b]) => a < b ? -1 : a === b ? 0 : 1)
    .map(([name, value]) => `${name}=${percent.encode(value)}`)
    .join("&")
  // A publish is signed as a GET without a body, even when it is posted.
  const isPublish = options.path.startsWith("/publish")
  const method = isPublish ? "GET" : options.method
  const body = !isPublish && (method === "POST" || method === "PATCH") ? options.body : ""
  const text = [method, options.publishKey, options.path, query, body].join("\n")
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(options.secretKey),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"]
  )
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)))
  return `v2.${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`
}
