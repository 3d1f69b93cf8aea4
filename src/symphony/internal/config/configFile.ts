/**
 * Reads the JSON or YAML files of the vendor's kits as options. It reports keys that mean nothing here, and refuses or reports keys
 * whose meaning this library does not support.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Yaml from "effect/encoding/Yaml"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Json from "../../../internal/json.ts"
import type { Detail } from "../../SymphonyError.ts"

// --------------------------------------------------------------------------------------------------------------------
// shape
// --------------------------------------------------------------------------------------------------------------------

const placeholder = /(\$?)\$\{([^{}]+)\}/g

/** The parts of a placeholder. The name has at least one character. */
const nameAndDefault = (content: string): readonly [name: string, otherwise: string | undefined] => {
  const end = content.indexOf(":-", 1)
  return end === -1 ? [content, undefined] : [content.slice(0, end), content.slice(end + 2)]
}

/** Replaces `${NAME}` and `${NAME:-default}` with values of the environment; `$${` is a literal `${`. */
const filled = Effect.fnUntraced(function*(text: string): Effect.fn.Return<string, string> {
  const values = new Map<string, string>()
  for (const [, escape, content = ""] of text.matchAll(placeholder)) {
    if (escape === "$" || values.has(content)) continue
    const [name, otherwise] = nameAndDefault(content)
    const found = yield* Effect.mapError(Config.option(Config.String(name)), () => `refers to ${name}: unreadable`)
    const value = Option.getOrElse(found, () => otherwise)
    if (value === undefined) return yield* Effect.fail(`refers to ${name}, which is not set`)
    values.set(content, value)
  }
  return text.replace(
    placeholder,
    (whole, escape: string, content: string) => escape === "$" ? whole.slice(1) : values.get(content) ?? whole
  )
})

// YAML reads text without quotes as a number or a boolean if it can.
const Text = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transformEffect((value: string | number | boolean, options) =>
      Effect.mapError(
        filled(String(value)),
        (message) => new SchemaIssue.InvalidValue({ message }, value, options)
      )
    ),
    encode: SchemaGetter.transform((text: string): string | number | boolean => text)
  })
)

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const Whole = Text.pipe(Schema.decodeTo(Schema.FiniteFromString))

const Scheme = Text.pipe(Schema.decodeTo(Schema.Literals(["http", "https"])))

const Service = Schema.Struct({
  scheme: optional(Scheme),
  host: optional(Text),
  port: optional(Whole),
  context: optional(Text),
  defaultHeaders: optional(Schema.Record(Schema.String, Text)),
  proxy: optional(Schema.Unknown)
})

const Source = Schema.Struct({ path: optional(Text), content: optional(Text) })

const Keys = { privateKey: optional(Source), certificate: optional(Source) }

const RetrySection = Schema.Struct({
  maxAttempts: optional(Whole),
  initialIntervalMillis: optional(Whole),
  multiplier: optional(Whole),
  maxIntervalMillis: optional(Whole)
})

const File = Schema.Struct({
  ...Service.fields,
  pod: optional(Service),
  agent: optional(Schema.Struct({ ...Service.fields, loadBalancing: optional(Schema.Unknown) })),
  keyManager: optional(Service),
  bot: optional(Schema.Struct({ username: optional(Text), ...Keys })),
  app: optional(Schema.Struct({ appId: optional(Text), ...Keys })),
  retry: optional(RetrySection),
  datafeed: optional(Schema.Struct({ retry: optional(RetrySection) })),
  readTimeout: optional(Whole),
  ssl: optional(Schema.Unknown),
  commonJwt: optional(Schema.Struct({ enabled: optional(Text) }))
})

type File = typeof File.Type

const decode = Schema.decodeUnknownEffect(File)
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/**
 * Reads a file: its options, its settings for the transport, and its keys without effect. Fails with all problems, by key.
 */
export const read = Effect.fnUntraced(function*(file: string) {
  const text = yield* (yield* FileSystem.FileSystem).readFileString(file)
  const parsed = yield* Effect.fromResult(parse(text))
  const misplaced = misplacedOf(parsed)
  if (misplaced !== undefined) return yield* Effect.fail([misplaced])
  const section = yield* decode(parsed, { errors: "all" }).pipe(
    Effect.mapError(({ issue }) =>
      issuesOf(issue).issues.map(({ message, path = [] }) =>
        located(
          message.replace(/^Expected (.*?)( \| null)?$/, "must be $1"),
          path.map(String).join(".")
        )
      )
    )
  )
  const { agent, keyManager, pod } = section
  const bot = yield* identity(file, "bot", "username", section.bot?.username, section.bot ?? {})
  const app = yield* identity(file, "app", "appId", section.app?.appId, section.app ?? {})
  if (isGiven(agent?.loadBalancing)) {
    return yield* Effect.fail([located("is not offered: give the agent one host", "agent.loadBalancing")])
  }
  return {
    options: {
      ...service(section),
      pod: service(pod),
      agent: service(agent),
      keyManager: service(keyManager),
      bot: bot === undefined ? undefined : { username: bot.name, privateKey: bot.privateKey },
      app: app === undefined ? undefined : { appId: app.name, privateKey: app.privateKey },
      retry: retry(section.retry),
      reconnect: retry(section.datafeed?.retry),
      requestTimeout: section.readTimeout ?? undefined
    },
    left: leftOf(section),
    unused: unusedOf(parsed, known, "")
  }
})

const located = (message: string, location: string): Detail => location === "" ? { message } : { location, message }

// The error of a JSON parser quotes the text, which may hold a key. The error of the YAML parser names the line, or an alias,
// which may be a password that begins with a star.
const parse = (text: string): Result.Result<unknown, ReadonlyArray<Detail>> =>
  Result.map(
    Result.orElse(Json.parse(text), () =>
      Result.mapError(parseYaml(text), (error): ReadonlyArray<Detail> => [{
        message: `is neither JSON nor YAML: ${
          error instanceof Error
            ? error.message.replace(/alias '.*'/s, "alias: a value that begins with * must be in quotes")
            : "unreadable"
        }`
      }])),
    (parsed) => withTexts(parsed, text)
  )

const parseYaml = (text: string): Result.Result<unknown, unknown> =>
  Result.try({ try: () => Yaml.parse(text), catch: (error) => error })

// --- text that looks like a number

/** A key, at the beginning of a line or of a flow, with a value that a parser reads as a number or a boolean. */
const bare =
  /((?:^|[{,])[^\S\n]*(?:-[^\S\n]+)?(?:"[^"\n]*"[^\S\n]*:|(?:'[^'\n]*'|[\w.-]+)[^\S\n]*:(?=[^\S\n]))[^\S\n]*)([-+]?[\d.][\w.+-]*|true|false)(?=[^\S\n]*(?:$|#|,|\}))/gim

/** Keeps such values as text: a parser reads the names `1e3` and `1.10` as the numbers 1000 and 1.1. */
const withTexts = (parsed: unknown, text: string): unknown => {
  const quoted = parseYaml(text.replace(bare, (_, before: string, value: string) => `${before}"${value}"`))
  return Result.isSuccess(quoted) && isSame(parsed, quoted.success) ? quoted.success : parsed
}

/** Whether two values are the same, apart from numbers and booleans that are text in the second. */
const isSame = (value: unknown, written: unknown): boolean => {
  if (value === written) return true
  if (typeof written === "string") return Object.is(Result.getOrUndefined(parseYaml(written)), value)
  if (!Predicate.isObject(value) || !Predicate.isObject(written)) {
    return Array.isArray(value) && Array.isArray(written) && value.length === written.length &&
      value.every((item, index) => isSame(item, written[index]))
  }
  const entries = Object.entries(value)
  const others = new Map(Object.entries(written))
  return entries.length === others.size &&
    entries.every(([key, item]) => others.has(key) && isSame(item, others.get(key)))
}

// --- unknown keys

/** The known keys. `true`: all keys below it are known. */
interface Known {
  readonly [key: string]: Known | true
}

const keysOf = (fields: object): Known => Object.fromEntries(Object.keys(fields).map((key) => [key, true as const]))
const place = keysOf(Service.fields)
const identityKeys = (name: string): Known => ({
  [name]: true,
  privateKey: keysOf(Source.fields),
  certificate: true
})

const known: Known = {
  ...place,
  pod: place,
  agent: { ...place, loadBalancing: true },
  keyManager: place,
  bot: identityKeys("username"),
  app: identityKeys("appId"),
  retry: keysOf(RetrySection.fields),
  datafeed: { retry: keysOf(RetrySection.fields) },
  readTimeout: true,
  ssl: true,
  commonJwt: keysOf({ enabled: true }),
  // The version of the vendor's format.
  _version: true
}

/** Whether a value is empty. The vendor's templates have empty values for unused settings. */
const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === "" ||
  typeof value === "object" && Object.values(value).every((inner) => isEmpty(inner))

const unusedOf = (section: unknown, known: Known, at: string): ReadonlyArray<string> =>
  !Predicate.isObject(section) ? [] : Object.entries(section).flatMap(([key, value]) => {
    const below = Object.hasOwn(known, key) ? known[key] : undefined
    return below === true || isEmpty(value)
      ? []
      : below === undefined
      ? [`${at}${key}`]
      : unusedOf(value, below, `${at}${key}.`)
  })

/** Whether an object has a key that only configurations have. */
const isConfiguration = (section: unknown): boolean =>
  Predicate.isObject(section) && ["host", "pod", "agent", "keyManager", "bot", "app"].some((key) => key in section)

/** The problem of a file with all settings in a wrong place, which would be an empty configuration. */
const misplacedOf = (parsed: unknown): Detail | undefined => {
  if (!Predicate.isObject(parsed) || isConfiguration(parsed) || isEmpty(parsed)) return undefined
  for (const [key, value] of Object.entries(parsed)) {
    if (Object.hasOwn(known, key) || !isConfiguration(value)) continue
    return located("holds the settings, which have to be one level up, at the root of the file", key)
  }
  for (const [section, keys] of [["bot", ["username", "privateKey", "certificate"]], ["app", ["appId"]]] as const) {
    const key = keys.find((key) => key in parsed)
    if (key !== undefined) return located(`stands at the root of the file, and belongs in ${section}`, key)
  }
  return Object.keys(parsed).some((key) => Object.hasOwn(known, key))
    ? undefined
    : { message: "has no setting of a configuration at its root, such as host or bot" }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const service = (section: File["pod"]) => ({
  scheme: section?.scheme ?? undefined,
  host: section?.host ?? undefined,
  port: section?.port ?? undefined,
  context: section?.context ?? undefined,
  headers: section?.defaultHeaders ?? undefined
})

// The defaults of the vendor's kits. There, a negative number of attempts means no limit.
const retry = (section: File["retry"]) => {
  if (section === undefined || section === null) return undefined
  const maxAttempts = section.maxAttempts ?? 10
  return {
    base: section.initialIntervalMillis ?? undefined,
    factor: section.multiplier ?? undefined,
    cap: section.maxIntervalMillis ?? "5 minutes" as const,
    maxAttempts: maxAttempts < 0 ? Infinity : maxAttempts,
    maxRetryAfter: "5 minutes" as const
  }
}

// These settings are for the transport: this module makes no connections.
const leftOf = (section: File): ReadonlyArray<string> => [
  ...(["pod", "agent", "keyManager"] as const).flatMap((name) =>
    isGiven(section[name]?.proxy) ? [`${name}.proxy`] : []
  ),
  ...(["proxy", "ssl"] as const).filter((name) => isGiven(section[name])),
  ...section.commonJwt?.enabled === "true" ? ["commonJwt"] : []
]

// --- identities

interface Section {
  readonly privateKey?: typeof Source.Type | null
  readonly certificate?: typeof Source.Type | null
}

// The vendor's templates have empty text for unused settings.
const isSet = (text: string | null | undefined): text is string => isGiven(text) && text !== ""

const identity = (
  file: string,
  section: "bot" | "app",
  nameKey: string,
  name: string | null | undefined,
  { certificate, privateKey }: Section
) =>
  Effect.gen(function*() {
    const at = `${section}.privateKey`
    const refuse = (message: string, location: string) => Effect.fail([located(message, location)])
    const { content, path } = privateKey ?? {}
    const hasKey = isSet(content) || isSet(path)
    const hasCertificate = isSet(certificate?.content) || isSet(certificate?.path)
    if (!isSet(name) && !hasKey && !hasCertificate) return undefined
    if (!isSet(name)) return yield* refuse("is missing", `${section}.${nameKey}`)
    if (hasCertificate) {
      return yield* refuse(
        hasKey
          ? "is set beside privateKey: take one of them out"
          : "is the only proof, and logins with certificates are not offered: set privateKey",
        `${section}.certificate`
      )
    }
    if (isSet(content) && isSet(path)) return yield* refuse("has both path and content: take one of them out", at)
    if (isSet(content)) return { name, privateKey: Redacted.make(content) }
    if (!isSet(path)) return yield* refuse("is missing: it needs path or content", at)
    const { dirname, resolve } = yield* Path.Path
    const keyFile = resolve(dirname(file), path)
    const pem = yield* (yield* FileSystem.FileSystem).readFileString(keyFile).pipe(
      Effect.catch(({ reason }) => refuse(`cannot be read from ${keyFile} (${reason._tag})`, `${at}.path`))
    )
    return { name, privateKey: Redacted.make(pem) }
  }).pipe(
    Effect.filterOrFail(
      (identity) => identity === undefined || Redacted.value(identity.privateKey).includes("-----BEGIN "),
      () => [located("is not PEM", `${section}.privateKey`)]
    )
  )
