/**
 * Histories and streams of encrypted, plain and corrupted messages: each of them arrives once, in its place, as what it was. A
 * corrupted ciphertext ends nothing and hides nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Encryption, History, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"
import { numbers } from "../kit/numbers.ts"
import { watched } from "../kit/watched.ts"
import { batchesOf, isLong } from "./seeds.ts"

const emulator = PubNubEmulator.PubNubEmulator

const key = Redacted.make("myCipherKey")

/** The same numbers for the same seed, from 0 to 1. */
const random = (seed: number) => {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state = state + 0x6d2b79f5 | 0
    const mixed = Math.imul(state ^ state >>> 15, 1 | state)
    return ((mixed ^ mixed >>> 7) >>> 0) / 2 ** 32
  }
}

type Kind = "encrypted" | "plain" | "corrupted" | "foreign"

interface Sent {
  readonly kind: Kind
  readonly n: number
  readonly message: unknown
}

const corrupt = (text: string, next: () => number): string => {
  const at = Math.floor(next() * text.length)
  switch (Math.floor(next() * 4)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + "Ab+/=_é"[Math.floor(next() * 7)] + text.slice(at + 1)
    case 2:
      return text.slice(0, at) + text.slice(at + 4)
    default:
      return text.slice(0, at) + text.slice(0, at)
  }
}

const messagesOf = Effect.fnUntraced(function*(seed: number, count: number) {
  const next = random(seed)
  const own = yield* Encryption.make({ key })
  const legacy = yield* Encryption.make({ key, writeLegacy: true })
  const other = yield* Encryption.make({ key: Redacted.make("other") })
  const sent: Array<Sent> = []
  for (const n of numbers(count)) {
    const kind: Kind = (["encrypted", "plain", "corrupted", "foreign"] as const)[Math.floor(next() * 4)] ?? "plain"
    const text = JSON.stringify({ n, text: "x".repeat(Math.floor(next() * 40)) })
    const seal = kind === "foreign" ? other.seal : next() < 0.3 ? legacy.seal : own.seal
    const sealed: string = JSON.parse(yield* seal(text))
    const message = kind === "plain" ? JSON.parse(text) : kind === "corrupted" ? corrupt(sealed, next) : sealed
    sent.push({ kind, n, message })
  }
  return sent
})

/** What the reader must see of each, and what it saw. A corrupted message may still be readable, or look like plain text. */
const holds = ({ kind, message, n }: Sent, seen: SubscribeEvent.SubscribeEvent | History.Stored | undefined) => {
  switch (seen?._tag) {
    case "Message":
    case "StoredMessage":
      if (kind === "plain") return seen.encrypted === false && JSON.stringify(seen.payload) === JSON.stringify(message)
      if (kind === "encrypted") return seen.encrypted === true && JSON.stringify(seen.payload).includes(`"n":${n},`)
      return kind === "corrupted" && (seen.encrypted === true || seen.payload === message)
    case "Undecodable":
    case "StoredUndecodable":
      return (kind === "corrupted" || kind === "foreign") && seen.reason === "Undecryptable" && seen.raw === message
    default:
      return false
  }
}

const check = Effect.fnUntraced(function*(seed: number, count: number) {
  const { advance, service } = yield* watched({ key })
  yield* Effect.gen(function*() {
    const sent = yield* messagesOf(seed, count)
    const seen: Array<SubscribeEvent.SubscribeEvent> = []
    const reader = yield* Subscribe.stream({ channels: ["a"] }).pipe(
      Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
      Effect.forkChild
    )
    yield* advance(1)
    const { publishAll } = yield* emulator
    const next = random(seed + 1)
    for (let at = 0; at < count;) {
      // Now and then more than the service keeps for a reader.
      const size = Math.ceil(next() * (next() < 0.2 ? 250 : 60))
      yield* publishAll(sent.slice(at, at + size).map(({ message }) => ({ channel: "a", message })))
      at += size
      yield* advance(1)
    }
    yield* advance(60)
    assert.isUndefined(reader.pollUnsafe(), "the stream goes on")
    yield* Fiber.interrupt(reader)
    const live = seen.filter(({ _tag }) => _tag === "Message" || _tag === "Undecodable")
    const stored = yield* Stream.runCollect(History.stream({ channel: "a", order: "oldestFirst" }))
    for (const got of [live, stored]) {
      assert.lengthOf(got, count)
      for (const [index, one] of sent.entries()) {
        assert.isTrue(holds(one, got[index]), JSON.stringify([seed, one, got[index]]))
      }
    }
    assert.deepStrictEqual(seen.filter(({ _tag }) => _tag.startsWith("Gap")), [])
  }).pipe(Effect.provideService(Encryption.Encryption, service))
})

describe("mixed histories", () => {
  it.effect.each(batchesOf(1, 1 / 50))(
    "show each message once, in its place, as what it was: %s",
    ([, batch]) =>
      Effect.forEach(
        batch,
        // A quarter of them is corrupted: twenty seeds have 10,000.
        (seed) => Effect.provide(check(seed, isLong ? 2_000 : 150), emulated(), { local: true }),
        { discard: true }
      ),
    240_000
  )
})
