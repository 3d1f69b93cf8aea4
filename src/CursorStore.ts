/**
 * Stores for the cursors of durable readers, so that a reader goes on after a crash.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Failure from "./internal/failure.ts"
import { Cursor } from "./Cursor.ts"
import * as Checksum from "./internal/checksum.ts"
import * as ReaderKey from "./internal/readerKey.ts"
import * as SafeFiles from "./internal/safeFiles.ts"

/**
 * A cursor was not saved or loaded.
 *
 * `Unavailable`: the store failed; another attempt may succeed. `Invalid`: the store holds something that is not a cursor, or
 * was given something that is not a cursor. `Fenced`: another process owns the reader now, so this one may no longer save. In all
 * cases the reader fails: it never starts from now instead.
 *
 * @category errors
 * @since 0.1.0
 */
export class CursorStoreError extends Failure.TaggedError<CursorStoreError>("CursorStore")("CursorStoreError", {
  /** What the reader did. Only stores with owners have `claim` and `create` (a table). */
  operation: Schema.Literals(["create", "claim", "load", "save"]),
  /** Whether the store failed, its content is wrong, or the reader has another owner. */
  kind: Schema.Literals(["Unavailable", "Invalid", "Fenced"]),
  /** The name of the reader. Empty for `create`. */
  reader: Schema.String,
  /** What the store said. */
  description: Schema.String,
  /** Who owns the reader now. Only with `Fenced`. */
  owner: Schema.optionalKey(Schema.String)
}, {
  message: ({ description, kind, operation, reader }) => {
    if (operation === "create") return `The table of cursors could not be created: ${description}. Check the database.`
    if (kind === "Fenced") {
      return `Reader "${reader}" has another owner: ${description}. End this one. The other one goes on from the last commit.`
    }
    const what = `The cursor of reader "${reader}" could not be ${done[operation]}`
    if (operation === "claim" && kind === "Invalid") return `${what}: ${description}.`
    const then = operation === "load" && kind === "Invalid"
      ? "Restore it from a backup. If you delete it, the reader starts at its option `from`."
      : "Check the store. Nothing is lost: the reader handles again what it did not commit."
    return `${what}: ${description}. ${then}`
  },
  isRetryable: ({ kind }) => kind === "Unavailable"
}) {}

const done = { claim: "claimed", load: "loaded", save: "saved" } as const

/**
 * A store of cursors, each under the name of its reader.
 *
 * **Example** (In files)
 *
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Layer from "effect/Layer"
 * import * as CursorStore from "effect-herald/CursorStore"
 *
 * const Cursors = CursorStore.layerFileSystem("cursors").pipe(Layer.provide(NodeServices.layer))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class CursorStore extends Context.Service<CursorStore, {
  /** Loads the cursor of a reader: `undefined` only if it never saved one. Fails with `CursorStoreError`. */
  readonly load: (reader: string) => Effect.Effect<Cursor | undefined, CursorStoreError>
  /** Saves the cursor of a reader, and replaces the one before. Fails with `CursorStoreError`. */
  readonly save: (reader: string, cursor: Cursor) => Effect.Effect<void, CursorStoreError>
  /**
   * Runs work and saves the cursor in one transaction of the store's database: both happen, or neither does. The result is a
   * failure if the work failed; then nothing is saved. If the cursor was saved by an earlier attempt, the work is undone, or not
   * run. Only stores in a database have it. Fails with `CursorStoreError`.
   */
  readonly transaction?: <E, R>(
    reader: string,
    cursor: Cursor,
    work: Effect.Effect<unknown, E, R>
  ) => Effect.Effect<Result.Result<void, E>, CursorStoreError, R>
}>()("effect-herald/CursorStore") {}

const CursorText = Schema.fromJsonString(Cursor)
const encode = Schema.encodeEffect(CursorText)
const decode = Schema.decodeEffect(CursorText)

/** Two sealed copies of each cursor. The first one is written first: where it is intact, it is the newer one. */
const inCopies = (store: {
  readonly get: (key: string) => Effect.Effect<string | undefined, { readonly message: string }>
  readonly set: (key: string, text: string) => Effect.Effect<void, { readonly message: string }>
}) =>
  CursorStore.of({
    load: Effect.fnUntraced(function*(reader) {
      const failed = (kind: CursorStoreError["kind"], description: string) =>
        new CursorStoreError({ operation: "load", kind, reader, description })
      const read = Effect.fnUntraced(function*(key: string) {
        const sealed = yield* Effect.mapError(store.get(key), ({ message }) => failed("Unavailable", message))
        if (sealed === undefined) return undefined
        const text = Checksum.open(sealed)
        if (text === undefined) return yield* failed("Invalid", `${key} is damaged: its checksum is wrong`)
        return yield* Effect.mapError(decode(text), ({ message }) => failed("Invalid", `${key}: ${message}`))
      })
      const key = yield* ReaderKey.of(reader)
      const first = yield* Effect.result(read(`${key}-1`))
      if (Result.isSuccess(first) && first.success !== undefined) return first.success
      const second = yield* Effect.result(read(`${key}-2`))
      const failure = Result.isFailure(first) ? first.failure : Result.isFailure(second) ? second.failure : undefined
      const cursor = Result.getOrUndefined(second)
      if (failure === undefined) return cursor
      if (cursor === undefined) return yield* failure
      yield* Effect.logWarning(`${failure.message} Its second copy is intact, and is used.`)
      return cursor
    }),
    save: Effect.fnUntraced(function*(reader, cursor) {
      const failed = (kind: CursorStoreError["kind"]) => ({ message }: { readonly message: string }) =>
        new CursorStoreError({ operation: "save", kind, reader, description: message })
      const sealed = Checksum.seal(yield* Effect.mapError(encode(cursor), failed("Invalid")))
      const key = yield* ReaderKey.of(reader)
      yield* Effect.mapError(
        Effect.andThen(store.set(`${key}-1`, sealed), store.set(`${key}-2`, sealed)),
        failed("Unavailable")
      )
    })
  })

/**
 * Keeps cursors in files of a directory, which is created if it does not exist.
 *
 * **Details**
 *
 * Each cursor is in two files with checksums: if one is damaged, `load` uses the other one, and logs a warning. If both are,
 * it fails with `CursorStoreError`. A file is written under another name, synced, and renamed; then the directory is synced. So
 * after a power failure each file holds the last cursor that was saved. The files have mode 0600, a new directory has mode 0700.
 * Fails with `PlatformError` if the directory cannot be created or read.
 *
 * File names are made of `a-z`, `0-9`, `-` and `_`, and are never equal for two readers, even where the file system ignores
 * case.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFileSystem = (
  directory: string
): Layer.Layer<CursorStore, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(CursorStore, Effect.map(SafeFiles.make(directory), inCopies))

/**
 * Keeps cursors in any `KeyValueStore` of Effect, such as SQL or Redis. For files, use {@link layerFileSystem}:
 * `KeyValueStore.layerFileSystem` writes them in place, and does not sync them.
 *
 * **Details**
 *
 * Each cursor is stored twice, under two keys and with checksums: if one is damaged, `load` uses the other one, and logs a
 * warning. If both are, it fails with `CursorStoreError`.
 *
 * **Example** (In Redis, behind a prefix)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as KeyValueStore from "effect/persistence/KeyValueStore"
 * import * as CursorStore from "effect-herald/CursorStore"
 *
 * declare const Redis: Layer.Layer<KeyValueStore.KeyValueStore>
 *
 * const Prefixed = Layer.effect(
 *   KeyValueStore.KeyValueStore,
 *   Effect.map(KeyValueStore.KeyValueStore, KeyValueStore.prefix("orders/"))
 * )
 * const Cursors = CursorStore.layerKeyValueStore.pipe(Layer.provide(Prefixed), Layer.provide(Redis))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerKeyValueStore: Layer.Layer<CursorStore, never, KeyValueStore.KeyValueStore> = Layer.effect(
  CursorStore,
  Effect.map(KeyValueStore.KeyValueStore, inCopies)
)

/**
 * Keeps cursors in memory, for tests and for readers that need not survive a restart. Each build of the layer has its own memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<CursorStore> = Layer.provide(layerKeyValueStore, KeyValueStore.layerMemory)
