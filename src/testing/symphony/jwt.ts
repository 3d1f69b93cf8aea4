/** The tokens of logins: checks who signed them, with which key, and until when they are valid. */
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

// RS512. The length is only for new keys: as in the vendor's guide, and fast.
const algorithm = Signature.rsaPkcs1v15({ hash: Digest.sha512, modulusLength: 2048 })

const Rsa = Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

/** A registered public key. */
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

/** The bytes of a part, which has no padding, no letters of another alphabet and no bits beyond its last byte. */
const bytesOf = (part: string): Uint8Array | undefined => {
  const bytes = Result.getOrElse(Base64Url.decode(part), () => undefined)
  return bytes !== undefined && bytes.length > 0 && Base64Url.encode(bytes) === part ? bytes : undefined
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const parsed = <S extends Schema.Codec<unknown, unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
  return (part: string) => {
    const bytes = bytesOf(part)
    return bytes === undefined
      ? Result.fail("no base64url")
      : Result.flatMap(Result.try({ try: () => decoder.decode(bytes), catch: () => "no UTF-8" }), decode)
  }
}

// Refuses tokens with a critical extension, or with a body that is not base64url: no extension is known here.
const parseHeader = parsed(Schema.Struct({
  alg: Schema.Literal("RS512"),
  typ: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^JWT$/i))),
  crit: Schema.optionalKey(Schema.Never),
  b64: Schema.optionalKey(Schema.Never)
}))
const parseClaims = parsed(Schema.Struct({
  sub: Schema.String,
  exp: Schema.Int,
  nbf: Schema.optionalKey(Schema.Finite)
}))

/** How long a token may be valid, in seconds. */
const longest = 300

/** The account of a token, if a known key signed it and it has not expired and does not last too long. */
export const verify = <A extends { readonly key: PublicKey | undefined }>(
  token: string,
  find: (name: string) => A | undefined
): Effect.Effect<A | undefined> =>
  Effect.gen(function*() {
    const [head = "", body = "", tail = "", ...more] = token.split(".")
    const claims = parseClaims(body)
    const signed = bytesOf(tail)
    if (more.length > 0 || Result.isFailure(parseHeader(head)) || Result.isFailure(claims) || signed === undefined) {
      return undefined
    }
    const seconds = (yield* Clock.currentTimeMillis) / 1000
    const { exp, nbf, sub } = claims.success
    const account = find(sub)
    if (account?.key === undefined || exp <= seconds || exp > seconds + longest) return undefined
    if (nbf !== undefined && nbf > seconds) return undefined
    const { verify } = yield* Signature.Signature
    const isRight = yield* verify(account.key, signed, new TextEncoder().encode(`${head}.${body}`))
    return isRight ? account : undefined
  }).pipe(Effect.provide(Rsa), Effect.orElseSucceed(() => undefined))
