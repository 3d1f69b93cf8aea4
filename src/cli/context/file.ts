/**
 * The file of contexts: named settings of PubNub and Symphony. It may hold secrets, so only its owner may read it.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { homedir } from "node:os"
import { BadInput } from "../exit/failure.ts"

const text = Schema.optional(Schema.String)
const secret = Schema.optional(Schema.RedactedFromValue(Schema.String))

const PubNub = Schema.Struct({
  subscribeKey: Schema.String,
  publishKey: text,
  secretKey: secret,
  authToken: secret,
  userId: text,
  origin: text,
  tls: Schema.optional(Schema.Boolean)
})

/** The settings of a context of PubNub. */
export type PubNub = typeof PubNub.Type

const Symphony = Schema.Struct({ config: text, host: text, bot: text, privateKey: text })

/** The settings of a context of Symphony. The private key stays in its own file. */
export type Symphony = typeof Symphony.Type

const section = <S extends Schema.Constraint>(settings: S) =>
  Schema.Struct({ inUse: text, contexts: Schema.Record(Schema.String, settings) })

const File = Schema.Struct({ pubnub: section(PubNub), symphony: section(Symphony) })
type File = typeof File.Type

interface Contexts<A> {
  /** The name of the context that is used when no flag names one. */
  readonly inUse?: string | undefined
  readonly contexts: { readonly [name: string]: A }
}

/** The contexts of one service in the file. */
export interface Section<A> {
  readonly get: (file: File) => Contexts<A>
  readonly set: (file: File, contexts: Contexts<A>) => File
}

export const pubnub: Section<PubNub> = { get: (file) => file.pubnub, set: (file, pubnub) => ({ ...file, pubnub }) }

export const symphony: Section<Symphony> = {
  get: (file) => file.symphony,
  set: (file, symphony) => ({ ...file, symphony })
}

const Json = Schema.fromJsonString(Schema.toCodecJson(File))
const decode = Schema.decodeEffect(Json)
const encode = Schema.encodeEffect(Json)

const empty: File = { pubnub: { contexts: {} }, symphony: { contexts: {} } }

/** Where the file is: `HERALD_CONTEXTS`, or `~/.herald/contexts.json`. Empty if there is to be none. */
const location = Effect.flatMap(Path.Path, ({ join }) =>
  Config.String("HERALD_CONTEXTS").pipe(
    Config.withDefault(join(homedir(), ".herald", "contexts.json")),
    Effect.mapError(({ message }) => new BadInput({ description: `HERALD_CONTEXTS cannot be read: ${message}` }))
  ))

type Failure = BadInput | PlatformError.PlatformError

type Files = FileSystem.FileSystem | Path.Path

const readFile: Effect.Effect<File, Failure, Files> = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const file = yield* location
  if (file === "" || !(yield* fs.exists(file))) return empty
  const { mode } = yield* fs.stat(file)
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    return yield* new BadInput({ description: `Other users can read the secrets in ${file}: run chmod 600 ${file}` })
  }
  return yield* Effect.catchTag(
    decode(yield* fs.readFileString(file)),
    "SchemaError",
    // The reason may quote a secret.
    () => new BadInput({ description: `${file} is not a file of contexts: mend it, or remove it` })
  )
})

/** Reads the contexts of a service. Without a file there are none. */
export const read = <A>({ get }: Section<A>): Effect.Effect<Contexts<A>, Failure, Files> => Effect.map(readFile, get)

/** Changes the contexts of a service. The file is replaced as a whole. */
export const change = <A>(
  section: Section<A>,
  f: (contexts: Contexts<A>) => Effect.Effect<Contexts<A>, BadInput>
): Effect.Effect<Contexts<A>, Failure, Files> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = yield* location
    if (file === "") {
      return yield* new BadInput({ description: "HERALD_CONTEXTS is empty: there is no file of contexts" })
    }
    const all = yield* readFile
    const changed = yield* f(section.get(all))
    const text = yield* Effect.orDie(encode(section.set(all, changed)))
    // A file that is there keeps its mode, so the name must be new.
    const other = `${file}.${randomUUID()}`
    yield* fs.makeDirectory(path.dirname(file), { recursive: true, mode: 0o700 })
    yield* fs.writeFileString(other, `${text}\n`, { flag: "wx", mode: 0o600 })
    yield* fs.rename(other, file)
    return changed
  })

/** The context of this name. */
export const named = <A>({ contexts }: Contexts<A>, name: string): Effect.Effect<A, BadInput> =>
  Option.match(Record.get(contexts, name), {
    onNone: () => {
      const names = Object.keys(contexts)
      const known = names.length === 0 ? "There are none" : `There are: ${names.join(", ")}`
      return Effect.fail(new BadInput({ description: `There is no context "${name}". ${known}` }))
    },
    onSome: Effect.succeed
  })

/** The context of this name, or without a name the one in use, if there is one. */
export const chosen = <A>(
  section: Section<A>,
  name: string | undefined
): Effect.Effect<A | undefined, Failure, Files> =>
  Effect.flatMap(read(section), (contexts) => {
    const wanted = name ?? contexts.inUse
    return wanted === undefined ? Effect.undefined : named(contexts, wanted)
  })
