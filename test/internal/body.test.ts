/** Bodies of any size: what is held of them is bounded, whatever their headers say. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Body from "../../src/internal/body.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

/** A response of pieces, and how many were taken. */
const pieces = (
  next: (number: number) => Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string> = {}
) => {
  const state = { taken: 0, isCancelled: false }
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      const piece = next(state.taken++)
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    },
    cancel: () => {
      state.isCancelled = true
    }
  }, { highWaterMark: 0 })
  return {
    state,
    response: HttpClientResponse.fromWeb(HttpClientRequest.get("http://host/"), new Response(body, { headers }))
  }
}

describe("Body.text", () => {
  it.effect("reads a body below the limit to its end", () =>
    Effect.gen(function*() {
      const { response } = pieces((number) => number < 3 ? bytes("añ\u20ac😀"[number] ?? "") : undefined)
      assert.deepStrictEqual(yield* Body.text(response, 10), { text: "añ€" })
    }))

  it.effect("decodes a character that is split between two pieces", () =>
    Effect.gen(function*() {
      const euro = bytes("€")
      const { response } = pieces((number) => number < 3 ? euro.slice(number, number + 1) : undefined)
      assert.deepStrictEqual(yield* Body.text(response, 3), { text: "€" })
    }))

  it.effect("reads an empty body", () =>
    Effect.gen(function*() {
      const empty = HttpClientResponse.fromWeb(HttpClientRequest.get("http://host/"), new Response(null))
      assert.deepStrictEqual(yield* Body.text(empty, 10), { text: "" })
    }))

  it.effect.each([{}, { "content-length": "3" }, { "content-length": "-1" }, { "content-length": "x" }])(
    "stops reading an endless body above the limit, with headers %o",
    (headers) =>
      Effect.gen(function*() {
        const { response, state } = pieces(() => bytes("x".repeat(1_000)), headers)
        const { limit, text } = yield* Body.text(response, 10_000)
        assert.strictEqual(limit, 10_000)
        assert.strictEqual(text, `${"x".repeat(1_024)}…`)
        assert.strictEqual(state.taken, 11)
        assert.isTrue(state.isCancelled)
      })
  )

  it.effect("reads a body that another client has already read", () =>
    Effect.gen(function*() {
      const { response } = pieces((number) => number === 0 ? bytes("abc") : undefined)
      assert.strictEqual(yield* response.text, "abc")
      assert.deepStrictEqual(yield* Body.text(response, 10), { text: "abc" })
    }))

  it.effect("fails when the body breaks off", () =>
    Effect.gen(function*() {
      const breaking = (after: number) =>
        pieces((number) => {
          if (number === after) throw new Error("broken")
          return bytes("abc")
        }).response
      for (const after of [0, 1]) {
        const error = yield* Effect.flip(Body.text(breaking(after), 10))
        assert.strictEqual(error.reason._tag, "DecodeError")
      }
    }))

  it.effect("reads a body of exactly the limit, and cuts one that is a byte longer", () =>
    Effect.gen(function*() {
      const of = (size: number) => pieces((number) => number === 0 ? bytes("x".repeat(size)) : undefined).response
      assert.isUndefined((yield* Body.text(of(100), 100)).limit)
      assert.deepStrictEqual(yield* Body.text(of(101), 100), { text: `${"x".repeat(101)}…`, limit: 100 })
    }))
})
