/**
 * The vendor's own descriptions of its services: files that lie beside the checkout, not in it. Where they are absent there
 * is nothing to test with.
 */
import * as Yaml from "effect/encoding/Yaml"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = new URL("../../../../shared/symphony/", import.meta.url)

/** Whether the files are here. */
export const isPresent = existsSync(folder)

/** What a run without the files says. */
export const absent = "skipped: ../shared/symphony is not beside this checkout, so there is no contract to test against"

export const fileOf = (document: string): string => fileURLToPath(new URL(document, folder))

/** `POST /agent/v4/message/blast`, with parameters in braces. */
export type Name = string

export interface Operation {
  readonly name: Name
  readonly statuses: ReadonlyArray<number>
  /** Of the answers that are no errors. */
  readonly examples: ReadonlyArray<string>
}

const Responses = Schema.Record(
  Schema.String,
  Schema.Struct({
    content: Schema.optionalKey(Schema.Record(
      Schema.String,
      Schema.Struct({ examples: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)) })
    ))
  })
)

const Document = Schema.Struct({
  paths: Schema.Record(
    Schema.String,
    Schema.Record(
      Schema.Literals(["get", "post", "delete"]),
      Schema.optionalKey(Schema.Struct({ responses: Responses }))
    )
  )
})

const parse = (document: string): unknown => Yaml.parse(readFileSync(fileOf(document), "utf8"))

/** The names of all fields that a document describes, wherever they are. */
export const fieldNames = (document: string): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit)
    if (!Predicate.isObject(value)) return
    for (const [key, field] of Object.entries(value)) {
      if (key === "properties" && Predicate.isObject(field)) Object.keys(field).forEach((name) => names.add(name))
      visit(field)
    }
  }
  visit(parse(document))
  return names
}

/** What a document of OpenAPI 3 describes. */
export const operations = (document: string): ReadonlyArray<Operation> =>
  Object.entries(Schema.decodeUnknownSync(Document)(parse(document)).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      statuses: Object.keys(responses).map(Number),
      examples: Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Number(status) < 300 ? Object.values(content).flatMap(({ examples = {} }) => Object.keys(examples)) : []
      )
    }))
  )
