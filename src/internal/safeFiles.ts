/** Small files that survive a power failure: a save writes a temporary file, syncs it, and renames it. */
import type * as Duration from "effect/Duration"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"

export interface SafeFiles {
  /** The text of a file, or `undefined` if there is no such file. */
  readonly get: (name: string) => Effect.Effect<string | undefined, PlatformError>
  /** Replaces the text of a file. The new text is on the disk when the effect ends. */
  readonly set: (name: string, text: string) => Effect.Effect<void, PlatformError>
}

const unfinished = ".new"
/** A temporary file that is older than this is left from a process that was killed. */
const abandoned: Duration.Input = "1 minute"

const utf8 = new TextEncoder()

/** The files of a directory. Creates the directory if it does not exist. Only the user of the process can read the files. */
export const make = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const sync = (directory: string) =>
    Effect.scoped(
      Effect.flatMap(
        // Some platforms cannot open a directory, and so cannot sync it.
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
      // Another process may have renamed it meanwhile.
      Effect.ignore
    )
  }

  const write = (file: string, text: string) =>
    Effect.scoped(
      Effect.flatMap(
        // `wx` does not follow a link that another process put there.
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
