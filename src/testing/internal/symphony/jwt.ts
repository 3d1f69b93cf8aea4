/** The tokens of logins, from the service's side: who signed, with a key that was registered, and until when it holds. */
import * as Clock from "effect/Clock"
import type * as CryptoError from "effect/crypto/CryptoError"
import * as Digest from "effect/crypto/Digest"
import * as KeyFormat from "effect/crypto/KeyFormat"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

// RS512. Of a key that is read the length is its own; one that is made has that of the vendor's guide, for speed.
const algorithm = Signature.rsaPkcs1v15({ hash: Digest.sha512, modulusLength: 2048 })

const Rsa = Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

/** A public key that was registered. */
export type PublicKey = Signature.PublicKey

/** Reads a public key: PEM of `SubjectPublicKeyInfo` (`BEGIN PUBLIC KEY`). */
export const publicKey = (pem: string): Effect.Effect<PublicKey, CryptoError.CryptoError> =>
  KeyFormat.decodePublic(KeyFormat.pem(KeyFormat.spki), algorithm, pem.trim())

/** A new pair of keys, as PEM. */
export const keyPair = Effect.gen(function*() {
  const { generateKeyPair } = yield* Signature.Signature
  const pair = yield* generateKeyPair(algorithm)
  return {
    privateKey: Redacted.make(yield* KeyFormat.encode(KeyFormat.pem(KeyFormat.pkcs8), pair.privateKey)),
    publicKey: yield* KeyFormat.encode(KeyFormat.pem(KeyFormat.spki), pair.publicKey)
  }
}).pipe(Effect.provide(Rsa), Effect.orDie)

const parsed = <S extends Schema.Codec<unknown, unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
  return (segment: string) => Result.flatMap(Base64Url.decodeString(segment), decode)
}

const parseHeader = parsed(Schema.Struct({ alg: Schema.Literal("RS512") }))
const parseClaims = parsed(Schema.Struct({ sub: Schema.String, exp: Schema.Int }))

/** The longest that a token may hold, in seconds. */
const longest = 300

/** Whose token it is, if it is right: signed by a known key, not past its end, and the end not too far off. */
export const verify = <A extends { readonly key: PublicKey | undefined }>(
  token: string,
  find: (name: string) => A | undefined
): Effect.Effect<A | undefined> =>
  Effect.gen(function*() {
    const [head = "", body = "", tail = "", ...more] = token.split(".")
    const claims = parseClaims(body)
    const signed = Base64Url.decode(tail)
    if (
      more.length > 0 || Result.isFailure(parseHeader(head)) || Result.isFailure(claims) || Result.isFailure(signed)
    ) {
      return undefined
    }
    const left = claims.success.exp - (yield* Clock.currentTimeMillis) / 1000
    const account = find(claims.success.sub)
    if (account?.key === undefined || left <= 0 || left > longest) return undefined
    const { verify } = yield* Signature.Signature
    const isRight = yield* verify(account.key, signed.success, new TextEncoder().encode(`${head}.${body}`))
    return isRight ? account : undefined
  }).pipe(Effect.provide(Rsa), Effect.orElseSucceed(() => undefined))
