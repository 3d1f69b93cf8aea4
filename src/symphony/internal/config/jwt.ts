/**
 * The token of a login, signed with the RSA key whose public half the pod knows. It holds a name and an expiry, and nothing else.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type * as Redacted from "effect/Redacted"
import * as Secret from "../../../internal/secret.ts"
import * as Pem from "./pem.ts"

/** The service refuses what ends later than 300 seconds from now. */
const lifetime = 240

const utf8 = new TextEncoder()

const encoded = (json: object): string => Base64Url.encode(utf8.encode(JSON.stringify(json)))

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }

/** A new token for each attempt, as of now. Fails with what is wrong with the key. */
export const sign = (
  subject: string,
  privateKey: Redacted.Redacted
): Effect.Effect<string, string> =>
  Effect.gen(function*() {
    const pkcs8 = yield* Effect.fromResult(Pem.read(Secret.textOf(privateKey) ?? ""))
    const now = yield* Clock.currentTimeMillis
    const text = `${encoded({ alg: "RS512", typ: "JWT" })}.${
      encoded({ sub: subject, exp: Math.floor(now / 1000) + lifetime })
    }`
    return `${text}.${Base64Url.encode(yield* signatureOf(pkcs8, text))}`
  })

// Not with effect/crypto: it would bring all of its algorithms into every bundle.
const signatureOf = (pkcs8: Uint8Array<ArrayBuffer>, text: string): Effect.Effect<Uint8Array, string> =>
  Effect.tryPromise({
    try: async () => {
      const { subtle } = globalThis.crypto
      const key = await subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"])
      return new Uint8Array(await subtle.sign(algorithm.name, key, utf8.encode(text)))
    },
    // What the platform says of a key that it cannot take may quote it.
    catch: () => "is an RSA key that cannot be used: it is damaged"
  })
