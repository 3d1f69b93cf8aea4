/** Cursors are kept whole, each under its own name, whatever happens to a disk. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type { Cursor } from "effect-herald/Cursor"
import * as CursorStore from "effect-herald/CursorStore"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Checksum from "../src/internal/checksum.ts"
import * as ReaderKey from "../src/internal/readerKey.ts"
import { root } from "./kit/scratch.ts"

const cursorAt = (end: number): Cursor => ({
  position: String(17_900_000_000_000_000n + BigInt(end)),
  region: 1,
  delivered: ["é"]
})

/** A directory of its own, which does not exist yet. */
const directory = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
      return Fs.mkdtempSync(Path.join(root, ".scratch/"))
    }),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  ),
  (folder) => Path.join(folder, "cursors")
)

/** The store of a directory, as a process that starts builds it. */
const storeOf = (directory: string, files = NodeServices.layer) =>
  Effect.map(
    Layer.build(Layer.fresh(Layer.provide(CursorStore.layerFileSystem(directory), files))),
    (context) => Effect.provideContext(CursorStore.CursorStore, context)
  ).pipe(Effect.flatten)

const copies = (directory: string) => [Path.join(directory, "herald-r-1"), Path.join(directory, "herald-r-2")] as const

describe("file cursor store", () => {
  it.effect("loads the cursor saved last, and undefined when nothing was saved", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const store = yield* storeOf(folder)
      assert.isUndefined(yield* store.load("r"))
      yield* store.save("r", cursorAt(1))
      yield* store.save("r", cursorAt(2))
      assert.deepStrictEqual(yield* store.load("r"), cursorAt(2))
      const next = yield* storeOf(folder)
      assert.deepStrictEqual(yield* next.load("r"), cursorAt(2))
    }).pipe(Effect.scoped))

  const damages: ReadonlyArray<readonly [string, (file: string) => void]> = [
    [
      "has one digit changed",
      (file) => Fs.writeFileSync(file, Fs.readFileSync(file, "utf8").replace(/(17900000000000)0/, "$19"))
    ],
    ["is empty", (file) => Fs.writeFileSync(file, "")],
    ["is cut", (file) => Fs.truncateSync(file, 40)],
    ["is rubbish", (file) => Fs.writeFileSync(file, Buffer.from([0xff, 0x00, 0xd8]))],
    ["has a byte more", (file) => Fs.appendFileSync(file, "\n")],
    [
      "is valid, and no cursor",
      (file) => Fs.writeFileSync(file, Checksum.seal("{\"position\":\"0\",\"delivered\":[]}"))
    ],
    ["cannot be read", (file) => {
      Fs.rmSync(file)
      Fs.mkdirSync(file)
    }]
  ]
  it.effect.each(damages)(
    "loads the other copy when one copy %s, and fails when both do",
    ([, damage]) =>
      Effect.gen(function*() {
        for (const index of [0, 1] as const) {
          const folder = yield* directory
          const store = yield* storeOf(folder)
          yield* store.save("r", cursorAt(1))
          damage(copies(folder)[index])
          assert.deepStrictEqual(yield* store.load("r"), cursorAt(1))
          damage(copies(folder)[1 - index]!)
          const error = yield* Effect.flip(store.load("r"))
          assert.strictEqual(error._tag, "CursorStoreError")
          assert.strictEqual(error.operation, "load")
        }
      }).pipe(Effect.scoped)
  )

  it.effect("loads the other copy when one copy is missing, and fails when that one is damaged", () =>
    Effect.gen(function*() {
      for (const index of [0, 1] as const) {
        const folder = yield* directory
        const store = yield* storeOf(folder)
        yield* store.save("r", cursorAt(1))
        Fs.rmSync(copies(folder)[index])
        assert.deepStrictEqual(yield* store.load("r"), cursorAt(1))
        Fs.truncateSync(copies(folder)[1 - index]!, 20)
        const error = yield* Effect.flip(store.load("r"))
        assert.strictEqual(error.kind, "Invalid")
        assert.isFalse(error.isRetryable)
        assert.include(error.message, "delete it")
      }
    }).pipe(Effect.scoped))

  it.effect("sets modes that let only the process's user read the directory and the files", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const store = yield* storeOf(folder)
      yield* store.save("r", cursorAt(1))
      assert.strictEqual(Fs.statSync(folder).mode & 0o777, 0o700)
      for (const file of copies(folder)) {
        assert.strictEqual(Fs.statSync(file).mode & 0o777, 0o600)
        Fs.chmodSync(file, 0o644)
      }
      yield* store.save("r", cursorAt(2))
      for (const file of copies(folder)) assert.strictEqual(Fs.statSync(file).mode & 0o777, 0o600)
    }).pipe(Effect.scoped))

  it.effect("leaves no temporary file, removes an old one, and keeps a recent one of another process", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      Fs.mkdirSync(folder)
      const [old, young] = [Path.join(folder, "herald-r-1.7.new"), Path.join(folder, "herald-r-1.8.new")]
      for (const file of [old, young]) Fs.writeFileSync(file, "half")
      yield* TestClock.setTime(1_000_000_000)
      Fs.utimesSync(old, 999_900, 999_900)
      Fs.utimesSync(young, 999_970, 999_970)
      const store = yield* storeOf(folder)
      yield* store.save("r", cursorAt(1))
      assert.deepStrictEqual(Fs.readdirSync(folder), ["herald-r-1", "herald-r-1.8.new", "herald-r-2"])
    }).pipe(Effect.scoped))
})

// --- power failures

/**
 * A disk that fails at the step of this number, and with it the power: what was written and not synced is lost. It notes the
 * steps.
 */
const failing = (failAt: number) => {
  const steps: Array<string> = []
  const unsynced = new Set<string>()
  const step = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      if (steps.length >= failAt) return Effect.die("no power")
      steps.push(name)
      return effect
    })
  const layer = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) =>
      FileSystem.FileSystem.of({
        ...fs,
        open: (path, options) =>
          step(
            `open ${Path.basename(path)} ${options?.flag}`,
            Effect.map(fs.open(path, options), (file) => ({
              ...file,
              writeAll: (bytes) => {
                unsynced.add(path)
                return step("write", file.writeAll(bytes))
              },
              sync: Effect.andThen(step("sync", file.sync), Effect.sync(() => unsynced.delete(path)))
            }))
          ),
        rename: (from, to) =>
          step(
            "rename",
            Effect.andThen(
              fs.rename(from, to),
              Effect.sync(() => {
                if (unsynced.delete(from)) unsynced.add(to)
              })
            )
          ),
        remove: (path, options) => steps.length >= failAt ? Effect.die("no power") : fs.remove(path, options)
      }))
  )
  return {
    steps,
    layer: Layer.provideMerge(layer, NodeServices.layer),
    lose: () => {
      for (const file of unsynced) if (Fs.existsSync(file)) Fs.truncateSync(file, 0)
    }
  }
}

describe("file cursor store on a failing disk", () => {
  it.effect("writes each copy to a temporary file, syncs it, renames it and syncs the directory", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      Fs.mkdirSync(folder)
      const { layer, steps } = failing(Number.POSITIVE_INFINITY)
      const store = yield* storeOf(folder, layer)
      yield* store.save("r", cursorAt(1))
      const written = (
        copy: number
      ) => [`open herald-r-${copy}.n.new wx`, "write", "sync", "rename", "open cursors r", "sync"]
      assert.deepStrictEqual(steps.map((step) => step.replace(/\d+\.new/, "n.new")), [...written(1), ...written(2)])
    }).pipe(Effect.scoped))

  it.effect("loads the old or the new cursor after a power failure at any step, and the new one after save", () =>
    Effect.gen(function*() {
      for (let failAt = 0; failAt <= 12; failAt++) {
        const folder = yield* directory
        yield* (yield* storeOf(folder)).save("r", cursorAt(1))
        const { layer, lose } = failing(failAt)
        const exit = yield* Effect.exit((yield* storeOf(folder, layer)).save("r", cursorAt(2)))
        assert.strictEqual(Exit.isSuccess(exit), failAt === 12)
        lose()
        const kept = yield* (yield* storeOf(folder)).load("r")
        // The first copy is in place after four steps.
        assert.deepStrictEqual(kept, cursorAt(failAt < 4 ? 1 : 2), `at step ${failAt}`)
      }
    }).pipe(Effect.scoped))

  it.effect("fails and leaves no file when the disk is full at the first save, and works afterwards", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const full = PlatformError.systemError({
        _tag: "WriteZero",
        module: "FileSystem",
        method: "open",
        description: "full"
      })
      const layer = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) =>
          FileSystem.FileSystem.of({
            ...fs,
            open: (path, options) =>
              Effect.map(fs.open(path, options), (file) => ({
                ...file,
                sync: file.sync,
                writeAll: () => Effect.fail(full)
              }))
          }))
      )
      const store = yield* storeOf(folder, Layer.provideMerge(layer, NodeServices.layer))
      const error = yield* Effect.flip(store.save("r", cursorAt(1)))
      assert.strictEqual(error.kind, "Unavailable")
      assert.isTrue(error.isRetryable)
      assert.deepStrictEqual(Fs.readdirSync(folder), [])
      const next = yield* storeOf(folder)
      assert.isUndefined(yield* next.load("r"))
      yield* next.save("r", cursorAt(1))
      assert.isDefined(yield* next.load("r"))
    }).pipe(Effect.scoped))
})

// --- names

const names = [
  "a",
  "a/next",
  "a-1",
  "a-2",
  "a/",
  "A",
  "a.",
  "a..",
  ".",
  "..",
  "",
  "con",
  "nul.txt",
  "a b",
  "a%2Fnext",
  "a_002fnext",
  "é",
  "e\u0301",
  "\ud800",
  "\udc00",
  "\ufffd",
  "ß",
  "SS",
  "ss",
  "İ",
  "i",
  "ı",
  "x".repeat(300),
  `${"x".repeat(300)}y`,
  "X".repeat(300),
  "é".repeat(300),
  "😀".repeat(90),
  "../../etc/passwd",
  "__proto__",
  `${"x".repeat(100)}__${"0".repeat(64)}`
]

describe("reader names", () => {
  it.effect("get different files in one directory", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const store = yield* storeOf(folder)
      for (const [index, name] of names.entries()) yield* store.save(name, cursorAt(index))
      for (const [index, name] of names.entries()) {
        assert.deepStrictEqual(yield* store.load(name), cursorAt(index), name)
      }
      const files = Fs.readdirSync(folder)
      assert.strictEqual(new Set(files.map((file) => file.normalize("NFKD").toLowerCase())).size, names.length * 2)
      for (const file of files) assert.match(file, /^herald-[a-z0-9_-]{0,200}-[12]$/)
    }).pipe(Effect.scoped))

  it.effect.prop(
    "get different keys of portable characters, whatever the names are",
    [Arbitrary.schema(Schema.String), Arbitrary.schema(Schema.String)],
    ([one, other]) =>
      Effect.gen(function*() {
        const [first, second] = [yield* ReaderKey.of(one), yield* ReaderKey.of(other)]
        assert.match(first, /^herald-[a-z0-9_-]{0,200}$/)
        assert.strictEqual(first === second, one === other)
      })
  )
})

// --- other stores

describe("key-value cursor store", () => {
  it.effect("loads the second copy when any one character of the first is changed", () =>
    Effect.gen(function*() {
      const values = yield* KeyValueStore.KeyValueStore
      const store = yield* CursorStore.CursorStore
      yield* store.save("r", cursorAt(1))
      const text = yield* values.get("herald-r-1")
      if (text === undefined) return assert.fail("nothing was kept")
      for (let at = 0; at < text.length; at++) {
        const changed = text[at] === "1" ? "7" : "1"
        yield* values.set("herald-r-1", text.slice(0, at) + changed + text.slice(at + 1))
        assert.deepStrictEqual(yield* store.load("r"), cursorAt(1))
      }
      yield* values.set("herald-r-2", "")
      assert.strictEqual((yield* Effect.flip(store.load("r"))).kind, "Invalid")
    }).pipe(Effect.provide(Layer.provideMerge(CursorStore.layerKeyValueStore, KeyValueStore.layerMemory))))

  it.effect("loads the newer copy when a process was killed between the two writes", () =>
    Effect.gen(function*() {
      const values = yield* KeyValueStore.KeyValueStore
      const store = yield* CursorStore.CursorStore
      yield* store.save("r", cursorAt(1))
      const old = yield* values.get("herald-r-2")
      yield* store.save("r", cursorAt(2))
      yield* values.set("herald-r-2", old ?? "")
      assert.deepStrictEqual(yield* store.load("r"), cursorAt(2))
    }).pipe(Effect.provide(Layer.provideMerge(CursorStore.layerKeyValueStore, KeyValueStore.layerMemory))))
})

it("Checksum computes CRC-32", () => {
  assert.strictEqual(Checksum.of("123456789"), "cbf43926")
  assert.strictEqual(Checksum.of(""), "00000000")
  assert.strictEqual(Checksum.open(Checksum.seal("a b")), "a b")
})
