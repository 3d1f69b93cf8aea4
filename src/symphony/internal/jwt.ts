/**
 * The proof of who logs in: a token signed with the RSA key whose public half the pod knows. It says a name and an end,
 * and nothing else.
 */
import * as Clock from "effect/Clock"
import type * as CryptoError from "effect/crypto/CryptoError"
import * as KeyFormat from "effect/crypto/KeyFormat"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/** The service refuses what ends later than 300 seconds from now. */
const lifetime = 240

const utf8 = new TextEncoder()

const encoded = (json: object): string => Base64Url.encode(utf8.encode(JSON.stringify(json)))

const Rsa = Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

/** Environment variables hold a key on one line, its line breaks written out. */
const withBreaks = (pem: string): string => pem.replaceAll("\\n", "\n").trim()

const decodeKey = (pem: string) =>
  pem.includes("BEGIN RSA PRIVATE KEY")
    ? KeyFormat.decodePrivate(KeyFormat.pem(KeyFormat.pkcs1), Signature.rsaPkcs1v15Sha512, pem)
    : KeyFormat.decodePrivate(KeyFormat.pem(KeyFormat.pkcs8), Signature.rsaPkcs1v15Sha512, pem)

/** A new token for each attempt, as of now. Fails when the key is no RSA key in PEM. */
export const sign = (
  subject: string,
  privateKey: Redacted.Redacted
): Effect.Effect<string, CryptoError.CryptoError> =>
  Effect.gen(function*() {
    const signature = yield* Signature.Signature
    const key = yield* decodeKey(withBreaks(Redacted.value(privateKey)))
    const now = yield* Clock.currentTimeMillis
    const text = `${encoded({ alg: "RS512", typ: "JWT" })}.${
      encoded({ sub: subject, exp: Math.floor(now / 1000) + lifetime })
    }`
    return `${text}.${Base64Url.encode(yield* signature.sign(key, utf8.encode(text)))}`
  }).pipe(Effect.provide(Rsa))
