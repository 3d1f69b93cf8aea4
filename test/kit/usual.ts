/** Tests that the check of a schema gives the same values as the schema: for usual values, and for values that differ in places. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Usual from "../../src/internal/usual.ts"
import { casesOf, isLong } from "../simulation/seeds.ts"
import { lists } from "./nested.ts"

type Json = Schema.Json

/** Unexpected values that a service may send. They are JSON text, because some cannot be written as literals. */
const odd: ReadonlyArray<Json> = JSON.parse(
  `[null, true, false, 0, -0, -1, 1.5, 7, 1e999, -1e999, 9007199254740992, 1e21,
  1790000000000, 8640000000000001, "", " ", "x", "7", "-12", "1e3", "true", "\\ud800", "=", "+/==", "__proto__",
  "17905741246383965", "2026-09-01T10:00:00.123456Z", "2026-09-01", "2026-13-01T00:00:00Z", "2026-02-29T23:59:59.999999999Z",
  "0026-09-01T10:00:00.123Z", "2026-09-01T25:00:00.000Z", "2026-09-01T10:00:00.1Z", "2026-00-00T00:00:00.000Z", [], [null], ["x"], [7], [{}], {},
  {"id": "x"}, {"id": "x", "eTag": "e"}, {"__proto__": null}, {"__proto__": {"id": "x"}}, {"toString": 1, "constructor": {}},
  {"_tag": "UndecodableItem", "issue": "x", "raw": 1}, ${lists(40)}]`
)

const oddOnes = odd.map((value) => () => value)

/** Keys to add to an object. */
const names = ["__proto__", "constructor", "_tag", "id", "eTag", "etag", "unknown", "sharedMessage", "members"]

const isObject = (json: Json): json is Schema.JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json)

/** All values that differ from a value in one place, each made when it is asked for. */
export const changes = (json: Json): ReadonlyArray<() => Json> => {
  if (Array.isArray(json)) {
    const list: ReadonlyArray<Json> = json
    return [
      ...oddOnes,
      ...list.map((_, at) => () => list.toSpliced(at, 1)),
      ...list.flatMap((entry, at) => changes(entry).map((changed) => () => list.with(at, changed())))
    ]
  }
  if (!isObject(json)) return oddOnes
  const entries = Object.entries(json)
  return [
    ...oddOnes,
    ...entries.map((_, at) => () => Object.fromEntries(entries.toSpliced(at, 1))),
    ...names.flatMap((name) => odd.map((value) => () => Object.fromEntries([...entries, [name, value]]))),
    ...entries.flatMap(([name, value], at) =>
      changes(value).map((changed) => () => Object.fromEntries(entries.with(at, [name, changed()])))
    )
  ]
}

/** Whether the check knows the value. If so, asserts that it gives the same value as the schema. */
const isUsual = <A>(schema: Schema.ConstraintDecoder<A>, json: Json): boolean => {
  const value = Usual.of(schema)?.(json)
  if (value === undefined || value === Usual.unusual) return false
  const decoded = Schema.decodeUnknownExit(schema)(json)
  if (!Exit.isSuccess(decoded)) assert.fail(`the schema refuses ${JSON.stringify(json)}`)
  assert.deepStrictEqual<unknown>(value, decoded.value)
  return true
}

const Places = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))), {
  minLength: 2,
  maxLength: 4
})

/** Tests the check of a schema with values that it must know, and with values that differ from them. */
export const itReadsUsual = <A>(
  name: string,
  schema: Schema.ConstraintDecoder<A>,
  usual: ReadonlyArray<Json>
): void => {
  describe(`the check of ${name}`, () => {
    it("knows usual values", () => {
      for (const json of usual) assert.isTrue(isUsual(schema, json), JSON.stringify(json))
    })

    it("gives the same value as the schema when one place differs", () => {
      for (const json of usual) {
        for (const [index, changed] of changes(json).entries()) {
          if (isLong || index % 10 === 0) isUsual(schema, changed())
        }
      }
    })

    it.prop("gives the same value as the schema when several places differ", [Places], ([places]) => {
      for (const json of usual) {
        isUsual(
          schema,
          places.reduce((changed: Json, place) => {
            const all = changes(changed)
            return all[place % all.length]?.() ?? null
          }, json)
        )
      }
    }, { arbitrary: { runs: casesOf(15, 300) } })
  })
}
