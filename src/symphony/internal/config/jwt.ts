/**
 * Signs the token of a login with an RSA key. The pod knows the public key. The token holds only a name and an expiry.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type * as Redacted from "effect/Redacted"
import * as Secret from "../../../internal/secret.ts"
import * as Pem from "./pem.ts"

/** How long a token is valid, in seconds. The service refuses more than 300. */
const lifetime = 240

const utf8 = new TextEncoder()

const encoded = (json: object): string => Base64Url.encode(utf8.encode(JSON.stringify(json)))

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }

/** Makes a token that is valid from now. Fails with what is wrong with the key. */
export const sign = Effect.fnUntraced(
  function*(subject: string, privateKey: Redacted.Redacted): Effect.fn.Return<string, string> {
    const pkcs8 = yield* Effect.fromResult(Pem.read(Secret.textOf(privateKey) ?? ""))
    const now = yield* Clock.currentTimeMillis
    const text = `${encoded({ alg: "RS512", typ: "JWT" })}.${
      encoded({ sub: subject, exp: Math.floor(now / 1000) + lifetime })
    }`
    return `${text}.${Base64Url.encode(yield* signatureOf(pkcs8, text))}`
  }
)

// Without effect/crypto, which would add all of its algorithms to every bundle.
const signatureOf = (pkcs8: Uint8Array<ArrayBuffer>, text: string): Effect.Effect<Uint8Array, string> =>
  Effect.tryPromise({
    try: async () => {
      const { subtle } = globalThis.crypto
      const key = await subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"])
      return new Uint8Array(await subtle.sign(algorithm.name, key, utf8.encode(text)))
    },
    // The platform's error may quote the key.
    catch: () => "is an RSA key that cannot be used: it is damaged or too short"
  })
