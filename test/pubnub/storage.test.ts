/** Which channels an answer of history is about. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Storage from "../../src/pubnub/internal/wire/storage.ts"

const told = (text: string) => text

const listed = (channels: ReadonlyArray<string>, answer: { readonly [name: string]: number }) =>
  Result.map(
    Storage.pages({ channels, since: undefined, before: undefined, limit: 100, actions: false, meta: false }).decode({
      channels: Object.fromEntries(Object.entries(answer).map(([name, count]) => [name, Array(count).fill(null)]))
    }, told),
    (pages) => [...pages.values()].map(({ entries }) => entries.length)
  )

const counted = (channels: ReadonlyArray<string>, answer: { readonly [name: string]: number }) =>
  Result.map(
    Storage.counts(channels, "17900000000000000").decode({ channels: answer }, told),
    (counts) => [...counts.values()]
  )

describe.each([["entries", listed], ["counts", counted]] as const)("%s", (_, read) => {
  it.each<readonly [ReadonlyArray<string>, { readonly [name: string]: number }, ReadonlyArray<number>]>([
    [["a", "b"], { b: 2, a: 1 }, [1, 2]],
    [["a", "b"], { b: 2 }, [0, 2]],
    [["a"], {}, [0]],
    [["a b", "ü"], { "a%20b": 1, "%C3%BC": 2 }, [1, 2]],
    [["a%41"], { "a%2541": 1 }, [1]],
    [["a%41"], { "a%41": 1 }, [1]],
    [["%"], { "%": 1 }, [1]],
    [["__proto__", "constructor"], { ["__proto__"]: 1, constructor: 2 }, [1, 2]],
    [["a"], { a: 1, b: 2 }, [1]]
  ])("of %j are read from %j", (channels, answer, expected) => {
    assert.deepStrictEqual(Result.getOrThrow(read(channels, answer)), expected)
  })

  it.each<readonly [ReadonlyArray<string>, { readonly [name: string]: number }]>([
    [["a"], { b: 1 }],
    [["a"], { A: 1 }],
    [["a", "b"], { a: 1, c: 1 }],
    [["a b"], { "a+b": 1 }]
  ])("of %j are not read from %j, which is about other channels", (channels, answer) => {
    assert.strictEqual(Result.getOrThrow(Result.flip(read(channels, answer))), "it is about other channels")
  })
})
