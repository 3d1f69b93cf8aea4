/**
 * Encrypts and decrypts streams of bytes, which hold no more than a chunk at a time. A key pads whatever it encrypts, and checks
 * the padding of whatever it decrypts. So each chunk but the last loses the padding that it got, or gets padding to lose.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { block, type Key, randomIv } from "./aes.ts"
import { type Bytes, concat } from "./bytes.ts"
import type { Legacy } from "./cipher.ts"
import * as Format from "./format.ts"
import type { Keys } from "./keys.ts"

type Chunk = Arr.NonEmptyReadonlyArray<Uint8Array>

/** What a stream of blocks does with the bytes that came. */
interface Steps<E> {
  /** Takes bytes in the middle. Gives the bytes to emit, and those that wait for more. */
  readonly more: (bytes: Bytes) => Effect.Effect<readonly [emitted: Bytes, waiting: Bytes], E>
  /** Takes the bytes that waited, at the end. */
  readonly last: (bytes: Bytes) => Effect.Effect<Bytes, E>
}

const through = <E, R, E2>(
  stream: Stream.Stream<Uint8Array, E, R>,
  make: () => Steps<E2>
): Stream.Stream<Uint8Array, E | E2, R> =>
  Stream.transformPull(stream, (pull) =>
    Effect.sync(() => {
      const { last, more } = make()
      let waiting = new Uint8Array()
      let isOver = false
      const next: Pull.Pull<Chunk, E | E2, void> = Effect.suspend(() =>
        isOver ? Cause.done() : Pull.matchEffect(pull, {
          onSuccess: (chunk) =>
            Effect.flatMap(more(concat([waiting, ...chunk])), ([emitted, rest]) => {
              waiting = rest
              return emitted.length === 0 ? next : Effect.succeed<Chunk>([emitted])
            }),
          onFailure: (cause) => Effect.failCause(cause),
          onDone: () => {
            isOver = true
            return Effect.flatMap(
              last(waiting),
              (emitted) => emitted.length === 0 ? Cause.done() : Effect.succeed<Chunk>([emitted])
            )
          }
        })
      )
      return next
    }))

const wholeBlocks = (length: number): number => length - length % block

const none = new Uint8Array()

/** How a stream is encrypted. */
export interface Written {
  readonly key: Key
  readonly isHeaded: boolean
}

export const encryptAll = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  { isHeaded, key }: Written
): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    let iv = randomIv()
    const first = isHeaded ? Format.headed(iv, none) : iv
    return Stream.concat(
      Stream.succeed(first),
      through(stream, () => ({
        more: (bytes) =>
          Effect.promise(async () => {
            const size = wholeBlocks(bytes.length)
            if (size === 0) return [none, bytes]
            const encrypted = (await key.encrypt(iv, bytes.slice(0, size))).slice(0, size)
            iv = encrypted.slice(-block)
            return [encrypted, bytes.slice(size)]
          }),
        last: (bytes) => Effect.promise(() => key.encrypt(iv, bytes))
      }))
    )
  })

/** Why a stream cannot be decrypted. */
const undecryptable = "no key decrypts it, or it was changed or cut"

/** Where the ciphertext of a stream begins, and its first vector. */
const startOf = (
  head: Bytes,
  legacy: Legacy
): Result.Result<{ readonly kind: keyof Keys; readonly iv: Bytes; readonly start: number }, string> => {
  const format = Format.read(head)
  switch (format._tag) {
    case "Headed":
      return Result.succeed({ kind: "headed", iv: format.iv, start: format.start })
    case "Legacy":
      return legacy === "none" || head.length < block
        ? Result.fail("it has no header")
        : Result.succeed({ kind: "legacy", iv: head.slice(0, block), start: block })
    case "Unknown":
      return Result.fail(format.issue)
  }
}

const decryptWith = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  keys: Keys,
  legacy: Legacy
): Stream.Stream<Uint8Array, E | string, R> =>
  through(stream, () => {
    let key: Key | undefined
    let iv = none
    /** Reads the header, if it was not read. Gives the bytes behind it. */
    const begin = (bytes: Bytes): Effect.Effect<readonly [Key, Bytes], string> => {
      if (key !== undefined) return Effect.succeed([key, bytes])
      return Effect.map(Effect.fromResult(startOf(bytes, legacy)), ({ iv: first, kind, start }) => {
        iv = first
        key = keys[kind]
        return [keys[kind], bytes.slice(start)]
      })
    }
    return {
      more: (all) =>
        key === undefined && all.length < Format.longestHeader
          ? Effect.succeed([none, all])
          : Effect.flatMap(begin(all), ([key, bytes]) => {
            // The last block stays: it has the padding if nothing follows.
            const size = Math.max(0, wholeBlocks(bytes.length - 1))
            if (size === 0) return Effect.succeed([none, bytes])
            const part = bytes.slice(0, size)
            const lastOne = part.slice(-block)
            return Effect.flatMap(
              Effect.promise(async () => key.decrypt(iv, concat([part, await key.encrypt(lastOne, none)]))),
              (decrypted) => {
                iv = lastOne
                return decrypted === undefined
                  ? Effect.fail(undecryptable)
                  : Effect.succeed([decrypted, bytes.slice(size)])
              }
            )
          }),
      last: (all) =>
        Effect.flatMap(begin(all), ([key, bytes]) =>
          Effect.flatMap(
            Effect.promise(async () => bytes.length === block ? key.decrypt(iv, bytes) : undefined),
            (decrypted) => decrypted === undefined ? Effect.fail(undecryptable) : Effect.succeed(decrypted)
          ))
    }
  })

/** The end of a stream: the last block and the one before it, with which the last one decrypts. */
const tailOf = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) =>
  Stream.runFold(stream, () => ({ head: none, tail: none }), ({ head, tail }, bytes: Uint8Array) => ({
    head: head.length < Format.longestHeader ? concat([head, bytes.subarray(0, Format.longestHeader)]) : head,
    tail: concat([tail, bytes]).slice(-2 * block)
  }))

/**
 * Decrypts a stream. With several keys it runs the stream once more before that, for its last block: the padding there shows which
 * key is the right one.
 */
export const decryptAll = <E, R, E2>(
  stream: Stream.Stream<Uint8Array, E, R>,
  keys: Arr.NonEmptyReadonlyArray<Keys>,
  legacy: Legacy,
  fail: (description: string) => E2
): Stream.Stream<Uint8Array, E | E2, R> => {
  const decrypted = (keys: Keys): Stream.Stream<Uint8Array, E | E2, R> =>
    Stream.mapError(
      decryptWith(Stream.mapError(stream, (error) => ({ error })), keys, legacy),
      (failure) => typeof failure === "string" ? fail(failure) : failure.error
    )
  if (keys.length === 1) return decrypted(keys[0])
  return Stream.unwrap(Effect.flatMap(tailOf(stream), ({ head, tail }) => {
    const start = startOf(head, legacy)
    if (Result.isFailure(start)) return Effect.fail(fail(start.failure))
    const { kind } = start.success
    return Effect.flatMap(
      Effect.promise(() => Promise.all(keys.map((one) => one[kind].decrypt(tail.slice(0, block), tail.slice(block))))),
      (found) => {
        const fitting = keys.filter((_, index) => found[index] !== undefined)
        const [only] = fitting
        return only === undefined
          ? Effect.fail(fail(undecryptable))
          : fitting.length > 1
          ? Effect.fail(fail("more than one key may be the right one: decrypt it with one key"))
          : Effect.succeed(decrypted(only))
      }
    )
  }))
}
