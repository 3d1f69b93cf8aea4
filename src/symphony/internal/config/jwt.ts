/**
 * The token of a login, signed with the RSA key whose public half the pod knows. It holds a name and an expiry, and nothing else.
 */
import * as Clock from "effect/Clock"
import * as KeyFormat from "effect/crypto/KeyFormat"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Secret from "../../../internal/secret.ts"
import * as Pem from "./pem.ts"

/** The service refuses what ends later than 300 seconds from now. */
const lifetime = 240

const utf8 = new TextEncoder()

const encoded = (json: object): string => Base64Url.encode(utf8.encode(JSON.stringify(json)))

const Rsa = Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

const decodeKey = ({ der, format }: Pem.RsaKey) =>
  KeyFormat.decodePrivate(KeyFormat[format], Signature.rsaPkcs1v15Sha512, der)

/** A new token for each attempt, as of now. Fails with what is wrong with the key. */
export const sign = (
  subject: string,
  privateKey: Redacted.Redacted
): Effect.Effect<string, string> =>
  Effect.gen(function*() {
    const signature = yield* Signature.Signature
    const key = yield* decodeKey(yield* Effect.fromResult(Pem.read(Secret.textOf(privateKey) ?? "")))
    const now = yield* Clock.currentTimeMillis
    const text = `${encoded({ alg: "RS512", typ: "JWT" })}.${
      encoded({ sub: subject, exp: Math.floor(now / 1000) + lifetime })
    }`
    return `${text}.${Base64Url.encode(yield* signature.sign(key, utf8.encode(text)))}`
  }).pipe(
    // What the platform says of a key that it cannot take may quote it.
    Effect.mapError((error) => typeof error === "string" ? error : "is an RSA key that cannot be used: it is damaged"),
    Effect.provide(Rsa)
  )
