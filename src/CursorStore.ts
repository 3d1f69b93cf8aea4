/**
 * Where cursors are kept, so that a reader goes on after a crash.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import { Cursor } from "./Cursor.ts"

/**
 * A cursor could not be kept or read: the store failed, or what it holds is no cursor.
 *
 * @category errors
 * @since 0.1.0
 */
export class CursorStoreError
  extends Schema.TaggedError<CursorStoreError>("effect-herald/CursorStore/CursorStoreError")(
    "CursorStoreError",
    {
      operation: Schema.Literals(["load", "save"]),
      reader: Schema.String,
      description: Schema.String
    }
  )
{
  override get message(): string {
    return `The cursor of ${this.reader} could not be ${
      this.operation === "load" ? "read" : "kept"
    }: ${this.description}. ` +
      "Nothing was skipped: what was not committed comes again."
  }
}

/**
 * Where readers keep their cursors, each under its own name.
 *
 * **Example** (In files)
 *
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Layer from "effect/Layer"
 * import * as KeyValueStore from "effect/persistence/KeyValueStore"
 * import * as CursorStore from "effect-herald/CursorStore"
 *
 * const Cursors = CursorStore.layerKeyValueStore.pipe(
 *   Layer.provide(KeyValueStore.layerFileSystem("cursors")),
 *   Layer.provide(NodeServices.layer)
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class CursorStore extends Context.Service<CursorStore, {
  /** The cursor of a reader, if it has committed one. */
  readonly load: (reader: string) => Effect.Effect<Option.Option<Cursor>, CursorStoreError>
  /** Keeps the cursor of a reader in place of the one before. */
  readonly save: (reader: string, cursor: Cursor) => Effect.Effect<void, CursorStoreError>
}>()("effect-herald/CursorStore") {}

const CursorText = Schema.fromJsonString(Cursor)
const encode = Schema.encodeEffect(CursorText)
const decode = Schema.decodeEffect(CursorText)

/**
 * Cursors in any `KeyValueStore` of Effect: files, SQL, Redis, by the application's choice.
 *
 * **Details**
 *
 * A cursor is written twice, under `herald/{reader}/next` and then under `herald/{reader}`: a process that is killed while it
 * writes a file leaves half a file, and the other is whole.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerKeyValueStore: Layer.Layer<CursorStore, never, KeyValueStore.KeyValueStore> = Layer.effect(
  CursorStore,
  Effect.map(KeyValueStore.KeyValueStore, (store) => {
    const failed = (operation: "load" | "save", reader: string) => (error: { readonly message: string }) =>
      new CursorStoreError({ operation, reader, description: error.message })
    const read = (key: string) =>
      Effect.flatMap(store.get(key), (text) => text === undefined ? Effect.succeedNone : Effect.asSome(decode(text)))
    return CursorStore.of({
      load: (reader) =>
        read(`herald/${reader}`).pipe(
          Effect.catchTag("SchemaError", () => read(`herald/${reader}/next`)),
          Effect.filterOrElse(Option.isSome, () => read(`herald/${reader}/next`)),
          Effect.mapError(failed("load", reader))
        ),
      save: (reader, cursor) =>
        encode(cursor).pipe(
          Effect.flatMap((text) =>
            Effect.andThen(store.set(`herald/${reader}/next`, text), store.set(`herald/${reader}`, text))
          ),
          Effect.mapError(failed("save", reader))
        )
    })
  })
)

/**
 * Cursors in memory, for tests and for readers that need not survive a restart. A layer of its own each time it is built.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<CursorStore> = Layer.provide(layerKeyValueStore, KeyValueStore.layerMemory)
