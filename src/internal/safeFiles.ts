/** Small files that are whole after a power failure: each is written aside, synced, and put in place by one step. */
import type * as Duration from "effect/Duration"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"

export interface SafeFiles {
  /** The text of a file; `undefined` where there is none. */
  readonly get: (name: string) => Effect.Effect<string | undefined, PlatformError>
  /** Puts a text in place of the one before. After it, the text is on the disk. */
  readonly set: (name: string, text: string) => Effect.Effect<void, PlatformError>
}

const unfinished = ".new"
/** No file takes longer to write: an older one was left by a process that was killed. */
const abandoned: Duration.Input = "1 minute"

const utf8 = new TextEncoder()

/** The files of a directory, which is made where it does not exist. Only the user of the process can read them. */
export const make = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const sync = (directory: string) =>
    Effect.scoped(
      Effect.flatMap(
        // Not every platform opens a directory. Where it does not, there is nothing to sync it by.
        Effect.option(fs.open(directory, { flag: "r" })),
        Option.match({ onNone: () => Effect.void, onSome: (opened) => opened.sync })
      )
    )

  if (!(yield* fs.exists(directory))) {
    yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
    yield* sync(path.dirname(path.resolve(directory)))
  }

  const before = DateTime.toEpochMillis(DateTime.subtractDuration(yield* DateTime.now, abandoned))
  for (const name of yield* fs.readDirectory(directory)) {
    if (!name.endsWith(unfinished)) continue
    const file = path.join(directory, name)
    yield* fs.stat(file).pipe(
      Effect.flatMap(({ mtime }) =>
        Option.exists(mtime, (at) => at.getTime() < before) ? fs.remove(file, { force: true }) : Effect.void
      ),
      // Another process may have put it in place meanwhile.
      Effect.ignore
    )
  }

  const write = (file: string, text: string) =>
    Effect.scoped(
      Effect.flatMap(
        // `wx` follows no link that somebody has put there.
        fs.open(file, { flag: "wx", mode: 0o600 }),
        (opened) => Effect.andThen(opened.writeAll(utf8.encode(text)), opened.sync)
      )
    )

  const files: SafeFiles = {
    get: (name) =>
      Effect.catchIf(
        fs.readFileString(path.join(directory, name)),
        (error) => error.reason._tag === "NotFound",
        () => Effect.undefined
      ),
    set: Effect.fnUntraced(function*(name, text) {
      const file = path.join(directory, name)
      // Two processes may write the same file, when one takes over from the other.
      const aside = `${file}.${yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)}${unfinished}`
      yield* Effect.andThen(write(aside, text), fs.rename(aside, file)).pipe(
        Effect.onError(() => Effect.ignore(fs.remove(aside, { force: true })))
      )
      yield* sync(directory)
    })
  }
  return files
})
