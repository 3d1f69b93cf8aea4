/**
 * Reads what a service usually writes at the cost of the checks: the interpreter of schemas costs up to ten times as much.
 *
 * The check of a schema gives the decoded value of what is usual, and `unusual` for everything else. Then the schema decides: it
 * alone says whether an odd value fits, and what is wrong with it. So a check may know little, but what it gives must be what its
 * schema gives. A schema that transforms has a check only if one is defined beside it; the checks of others follow from their parts.
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

export const unusual: unique symbol = Symbol("unusual")

/**
 * Gives the decoded value of what `JSON.parse` gave, or `unusual`. `undefined` stands for an absent key, in what it takes and in what
 * it gives.
 */
export type Check = (json: unknown) => unknown

/** A check that is made of others: there is none where one of them has none. */
export type Derived = Check | undefined

// By the syntax tree, which a schema shares with its opaque class.
const defined = new WeakMap<SchemaAST.AST, Check>()

/** Gives a schema a check. */
export const define = <S extends Schema.Constraint>(schema: S, check: Derived): S => {
  if (check !== undefined) defined.set(schema.ast, check)
  return schema
}

/** The result of `JSON.parse`. To check again that it is JSON would cost more than everything else. */
export const Parsed = define(
  Schema.declare((_value): _value is Schema.Json => true),
  (json) => json === undefined ? unusual : json
)

/** The check of a schema, if it has one. */
export const of = (schema: unknown): Derived => {
  if (!Schema.isSchema(schema)) return undefined
  const { ast } = schema
  const known = defined.get(ast)
  if (known !== undefined) return known
  if (SchemaAST.isOptional(ast) && Predicate.hasProperty(schema, "schema")) return optional(of(schema.schema))
  if (ast.encoding !== undefined || SchemaAST.isOptional(ast)) return undefined
  switch (ast._tag) {
    case "String":
      return scalar(ast, Predicate.isString)
    case "Number":
      return scalar(ast, Predicate.isNumber)
    case "Boolean":
      return scalar(ast, Predicate.isBoolean)
    case "Null":
      return scalar(ast, Predicate.isNull)
    case "Literal":
      return scalar(ast, (json) => json === ast.literal)
    case "Never":
      return () => unusual
  }
  if (ast.checks !== undefined) return undefined
  if (Predicate.hasProperty(schema, "members") && Array.isArray(schema.members)) return union(schema.members.map(of))
  if (Predicate.hasProperty(schema, "fields") && Predicate.isObject(schema.fields)) return struct(schema.fields)
  if (!Predicate.hasProperty(schema, "value")) return undefined
  if (SchemaAST.isArrays(ast) && ast.elements.length === 0) return list(of(schema.value))
  return Predicate.hasProperty(schema, "key") && schema.key === Schema.String ? record(of(schema.value)) : undefined
}

/** What has no parts, and is what the result is too. */
const scalar = (ast: SchemaAST.AST, is: (json: unknown) => boolean): Derived => {
  if (ast.checks === undefined) return (json) => is(json) ? json : unusual
  const [filter, ...others] = ast.checks
  return filter._tag !== "Filter" || others.length > 0
    ? undefined
    : (json) => is(json) && filter.run(json, ast, noOptions) === undefined ? json : unusual
}
const noOptions = {}

const optional = (check: Derived): Derived => check && ((json) => json === undefined ? undefined : check(json))

/** Of a key that is absent in the result where it is absent or null. */
export const nullish = (check: Derived): Derived =>
  check && ((json) => json === undefined || json === null ? undefined : check(json))

/** At most one member fits. */
const union = (members: ReadonlyArray<Derived>): Derived => {
  const checks = members.filter((check) => check !== undefined)
  return checks.length < members.length ? undefined : (json) => {
    for (const check of checks) {
      const value = check(json)
      if (value !== unusual) return value
    }
    return unusual
  }
}

export const list = (check: Derived): Derived =>
  check && ((json) => {
    if (!Array.isArray(json)) return unusual
    const values: Array<unknown> = []
    for (const entry of json) {
      const value = check(entry)
      if (value === unusual) return unusual
      values.push(value)
    }
    return values
  })

const record = (check: Derived): Derived =>
  check && ((json) => {
    // To set the key `__proto__` would set the prototype.
    if (!Predicate.isObject(json) || Object.hasOwn(json, "__proto__")) return unusual
    const values: { [name: string]: unknown } = {}
    for (const name of Object.keys(json)) {
      const value = check(json[name])
      if (value === unusual) return unusual
      values[name] = value
    }
    return values
  })

/** A struct. `names` has the names that the service gives to fields that are called otherwise here. */
export const struct = (
  fields: { readonly [name: string]: unknown },
  names: { readonly [name: string]: string } = {}
): Derived => {
  const parts: Array<{ readonly name: string; readonly key: string; readonly check: Check }> = []
  for (const [name, field] of Object.entries(fields)) {
    const check = of(field)
    if (check === undefined) return undefined
    parts.push({ name, key: names[name] ?? name, check })
  }
  return (json) => {
    if (!Predicate.isObject(json)) return unusual
    const values: { [name: string]: unknown } = {}
    for (const { check, key, name } of parts) {
      const value = check(json[key])
      if (value === unusual) return unusual
      if (value !== undefined) values[name] = value
    }
    return values
  }
}
