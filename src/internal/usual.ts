/**
 * Decodes the usual answers of a service by hand-written checks: the interpreter of schemas takes up to ten times as long.
 *
 * The check of a schema returns the decoded value of usual input, and `unusual` for everything else. Then the schema decides
 * whether the input fits, and says what is wrong with it. So a check may know few forms, but it must return the same value as its
 * schema. Checks are derived from the parts of a schema. A schema that transforms has a check only if one is defined for it.
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"

export const unusual: unique symbol = Symbol("unusual")

/**
 * Decodes a result of `JSON.parse`, or returns `unusual`. `undefined` stands for an absent key, in the input and in the result.
 */
export type Check = (json: unknown) => unknown

/** A check that is made of others. Undefined if one of them is. */
export type Derived = Check | undefined

// The key is the syntax tree, which a schema shares with its opaque class.
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

/** The same. To a schema without a check, no value is usual. */
export const checkOf = (schema: unknown): Check => of(schema) ?? (() => unusual)

/** The check of a scalar that stays as it is. */
const scalar = (ast: SchemaAST.AST, is: (json: unknown) => boolean): Derived => {
  if (ast.checks === undefined) return (json) => is(json) ? json : unusual
  const [filter, ...others] = ast.checks
  return filter._tag !== "Filter" || others.length > 0
    ? undefined
    : (json) => is(json) && filter.run(json, ast, noOptions) === undefined ? json : unusual
}
const noOptions = {}

const optional = (check: Derived): Derived => check && ((json) => json === undefined ? undefined : check(json))

/** The check of a key that is absent in the result if it is absent or null. */
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
    // Setting the key `__proto__` would set the prototype.
    if (!Predicate.isObject(json) || Object.hasOwn(json, "__proto__")) return unusual
    const values: { [name: string]: unknown } = {}
    for (const name of Object.keys(json)) {
      const value = check(json[name])
      if (value === unusual) return unusual
      values[name] = value
    }
    return values
  })

/** The check of a struct. `names` maps fields to their names on the wire, if these differ. */
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
