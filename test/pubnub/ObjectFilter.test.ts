import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { Channels, ObjectFilter, PubNubConfig, Users } from "effect-herald/pubnub"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import type * as UndecodableItem from "effect-herald/UndecodableItem"
import { emulated, start } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"
import { casesOf } from "../simulation/seeds.ts"

const printed = (filter: ObjectFilter.Filter<string>) => Result.getOrThrow(ObjectFilter.print(filter))
const noon = DateTime.makeUnsafe("2026-09-21T12:00:00.500Z")

describe("print", () => {
  it.each(
    [
      [ObjectFilter.equals("name", "Ada"), "name == 'Ada'"],
      [ObjectFilter.notEquals("name", ""), "name != ''"],
      [ObjectFilter.equals("name", "O'Hara"), "name == \"O'Hara\""],
      [ObjectFilter.equals("name", "the \"best\""), "name == 'the \"best\"'"],
      [ObjectFilter.equals("name", "') || (id != '"), "name == \"') || (id != '\""],
      [ObjectFilter.lessThan("updated", noon), "updated < '2026-09-21T12:00:00.500Z'"],
      [ObjectFilter.lessThanOrEqualTo("status", "b"), "status <= 'b'"],
      [ObjectFilter.greaterThan("status", "b"), "status > 'b'"],
      [ObjectFilter.greaterThanOrEqualTo("status", "b"), "status >= 'b'"],
      [ObjectFilter.like("name", "A*"), "name LIKE 'A*'"],
      [ObjectFilter.equals("channel.name", "a"), "channel.name == 'a'"],
      // The service knows users as uuids.
      [ObjectFilter.like("user.email", "*@a"), "uuid.email LIKE '*@a'"],
      [ObjectFilter.not(ObjectFilter.equals("id", "a")), "!(id == 'a')"],
      [ObjectFilter.and(ObjectFilter.equals("id", "a")), "id == 'a'"],
      [
        ObjectFilter.or(
          ObjectFilter.and(ObjectFilter.equals("id", "a"), ObjectFilter.equals("name", "b")),
          ObjectFilter.equals("type", "c")
        ),
        "(id == 'a' && name == 'b') || type == 'c'"
      ],
      [
        ObjectFilter.and(
          ObjectFilter.equals("id", "a"),
          ObjectFilter.equals("name", "b"),
          ObjectFilter.not(ObjectFilter.equals("type", "c"))
        ),
        "(id == 'a' && name == 'b') && !(type == 'c')"
      ]
    ] as const
  )("writes %j as %s", (filter, text) => assert.strictEqual(printed(filter), text))

  it.each([["both kinds of quotes", "a'b\"c"], ["half of a surrogate pair", "a\ud800"]])(
    "refuses a text with %s",
    (_, text) => {
      const refused = ObjectFilter.print(
        ObjectFilter.and(ObjectFilter.equals("id", "a"), ObjectFilter.not(ObjectFilter.like("name", text)))
      )
      if (Result.isSuccess(refused)) return assert.fail(refused.success)
      assert.strictEqual(refused.failure._tag, "BadRequest")
      assert.deepStrictEqual(refused.failure.details.map(({ location }) => location), ["filter"])
    }
  )
})

// --------------------------------------------------------------------------------------------------------------------
// what it means
// --------------------------------------------------------------------------------------------------------------------

const texts = ["", "a", "b", "ab", "A*", "*", "a'b", "x\"y", "(", "&&", "ü #/%", "name", "2026", "-1"]
const fields = ["id", "name", "externalId", "profileUrl", "email", "status", "type"] as const

const one = <A>(of: ReadonlyArray<A>) => Effect.map(Random.nextIntBetween(0, of.length - 1), (index) => of[index]!)

const comparison = Effect.gen(function*() {
  if ((yield* Random.nextIntBetween(0, 9)) === 0) {
    const compare = yield* one([
      ObjectFilter.lessThan,
      ObjectFilter.lessThanOrEqualTo,
      ObjectFilter.greaterThan,
      ObjectFilter.equals
    ])
    return compare("updated", DateTime.makeUnsafe(start + 1_000 * (yield* Random.nextIntBetween(0, 20))))
  }
  const compare = yield* one([
    ObjectFilter.equals,
    ObjectFilter.notEquals,
    ObjectFilter.lessThan,
    ObjectFilter.lessThanOrEqualTo,
    ObjectFilter.greaterThan,
    ObjectFilter.greaterThanOrEqualTo,
    ObjectFilter.like<typeof fields[number]>
  ])
  return compare(yield* one(fields), yield* one(texts))
})

const randomFilter = (depth: number): Effect.Effect<ObjectFilter.Filter<Users.UserKind["filterField"]>> =>
  Effect.gen(function*() {
    const kind = depth === 0 ? 0 : yield* Random.nextIntBetween(0, 4)
    const inner = randomFilter(depth - 1)
    if (kind <= 1) return yield* comparison
    if (kind === 2) return ObjectFilter.not(yield* inner)
    const combine = kind === 3 ? ObjectFilter.and : ObjectFilter.or
    return combine(yield* inner, yield* inner, yield* inner)
  })

const order = { "<": [-1], "<=": [-1, 0], ">": [1], ">=": [1, 0], "==": [0] } as const

/** What a filter says of a user, without a language between. */
const passes = (filter: ObjectFilter.Filter<string>, user: Users.User<"status" | "type">): boolean => {
  switch (filter._tag) {
    case "Both":
      return passes(filter.left, user) && passes(filter.right, user)
    case "Either":
      return passes(filter.left, user) || passes(filter.right, user)
    case "Negation":
      return !passes(filter.filter, user)
    case "Comparison": {
      const { operator, value } = filter
      if (operator === "!=") return !passes({ ...filter, operator: "==" }, user)
      const name = filter.field as typeof fields[number] | "updated"
      const field: unknown = user[name]
      const left = DateTime.isDateTime(field) ? DateTime.toEpochMillis(field) : field as string | undefined
      const right = typeof value === "string" ? value : DateTime.toEpochMillis(value)
      if (left === undefined) return false
      if (operator !== "LIKE") {
        return (order[operator] as ReadonlyArray<number>).includes(left < right ? -1 : left > right ? 1 : 0)
      }
      const [head = "", ...tail] = String(right).split("*")
      if (tail.length === 0) return left === head
      let rest = String(left)
      if (!rest.startsWith(head)) return false
      rest = rest.slice(head.length)
      const last = tail.pop()!
      for (const part of tail) {
        const at = rest.indexOf(part)
        if (at < 0) return false
        rest = rest.slice(at + part.length)
      }
      return rest.endsWith(last)
    }
  }
}

it.effect("Users.list gives the users that a filter matches", () =>
  Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    for (let index = 0; index < 20; index++) {
      const change = Object.fromEntries(
        (yield* Effect.forEach(fields, (field) =>
          Effect.map(one([undefined, ...texts]), (text) => [field, text] as const)))
          .filter(([field, text]) =>
            field !== "id" && text !== undefined
          )
      )
      yield* emulator.setUser({
        id: index < texts.length && texts[index] !== "" ? texts[index]! : `user-${index}`,
        ...change
      })
      yield* VirtualTime.advance("1 second")
    }
    const { items: all } = yield* Users.list()
    assert.lengthOf(all, 20)
    let some = 0
    const filters = casesOf(150, 500)
    for (let count = 0; count < filters; count++) {
      const filter = yield* randomFilter(3)
      const { items } = yield* Users.list({ filter })
      const expected = decoded(all).filter((user) => passes(filter, user))
      assert.deepStrictEqual(decoded(items).map(({ id }) => id), expected.map(({ id }) => id), printed(filter))
      if (items.length > 0 && items.length < all.length) some++
    }
    assert.isAbove(some, 0.4 * filters)
  }).pipe(Random.withSeed("filters"), Effect.provide(emulated())))

it.effect("Channels.list accepts a filter as text, and the fields of channels", () =>
  Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    yield* emulator.setChannel({ id: "a", description: "first" })
    yield* emulator.setChannel({ id: "b", description: "second" })
    const ids = (page: { readonly items: ReadonlyArray<Channels.Channel | UndecodableItem.UndecodableItem> }) =>
      decoded(page.items).map(({ id }) => id)
    assert.deepStrictEqual(ids(yield* Channels.list({ filter: "description like 'f*'" })), ["a"])
    assert.deepStrictEqual(ids(yield* Channels.list({ filter: ObjectFilter.like("description", "s*") })), ["b"])
  }).pipe(Effect.provide(emulated())))

it.effect("a filter that cannot be written is refused before a request is made", () =>
  Effect.gen(function*() {
    for (const filter of [ObjectFilter.equals("name", "a'b\"c"), " ", "name == '\ud800'"]) {
      const { reason } = yield* Effect.flip(Users.list({ filter }))
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.isUndefined(reason.status)
      assert.deepStrictEqual(reason.details.map(({ location }) => location), ["filter"])
    }
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([]),
    PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" })
  ))))
