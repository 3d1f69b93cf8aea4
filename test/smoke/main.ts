/**
 * `npm run smoke`: packs the package, installs it in empty folders as users do, and runs one program (`program.ts`) on every
 * runtime against `herald emulator`. It takes the runtimes from npm, and skips those that it cannot install.
 *
 * - `--quick`: only the runtimes that are there.
 * - `--no-skip`: a runtime that would be skipped fails.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { execFile, spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createServer } from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import { rolldown } from "rolldown"
import packageJson from "../../package.json" with { type: "json" }
import * as Chromium from "../kit/chromium.ts"
import { root, tsc } from "../kit/scratch.ts"

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean", default: false }, "no-skip": { type: "boolean", default: false } }
})

/** A row that cannot run here. */
class Skipped extends Data.TaggedError("Skipped")<{ readonly message: string }> {}
/** A row that ran, and did not do what it should. */
class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** What a program writes, with the Node of this process before all others. Fails when the program does. */
const run = (cwd: string, [file = "", ...args]: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  Effect.callback<string, Failed>((resume, signal) => {
    const PATH = [Path.dirname(process.execPath), process.env["PATH"]].join(Path.delimiter)
    execFile(
      file,
      args,
      { cwd, signal, timeout: 300_000, maxBuffer: 1 << 26, env: { ...process.env, PATH, ...env } },
      (error, stdout) =>
        resume(
          error === null
            ? Effect.succeed(stdout)
            : new Failed({ message: `${error.message}\n${stdout}` })
        )
    )
  })

const temporary = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "herald-smoke-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
)

const install = (folder: string, ...packages: ReadonlyArray<string>) =>
  run(folder, ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", ...packages])

// --- the tarball

interface Packed {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/** The most that a tarball may weigh, in bytes. */
const limit = 2_000_000

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`

const pack = Effect.fnUntraced(function*(folder: string) {
  yield* run(root, ["npm", "run", "build"])
  const output = yield* run(root, ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder])
  const [packed]: ReadonlyArray<Packed> = JSON.parse(output)
  if (packed === undefined) return yield* new Failed({ message: output })
  const names = new Set(packed.files.map(({ path }) => path))
  const wrong = [...names].filter((name) =>
    /(^|\/)(node_modules|test)\/|\.test\./.test(name) ||
    name.startsWith("dist/") && /\.(js|ts)$/.test(name) && !names.has(`${name}.map`)
  )
  if (wrong.length > 0) {
    return yield* new Failed({ message: `should not be there, or have no map: ${wrong.join(", ")}` })
  }
  if (packed.size > limit) return yield* new Failed({ message: `${packed.size} bytes, more than ${limit}` })
  return {
    tarball: Path.join(folder, packed.filename),
    detail: `${names.size} files, ${megabytes(packed.size)} packed, ${megabytes(packed.unpackedSize)} unpacked`
  }
})

// --- the command in an empty folder

const contentOf = (file: string) => Fs.readFileSync(Path.join(root, file), "utf8")

/** Runs the line that `docs/reference/commands.md` has for any folder, with the tarball in the package's place. */
const npx = Effect.fnUntraced(function*(tarball: string) {
  const folder = yield* temporary
  // npx keeps what it installs in npm's cache. This one has only the downloads of the user's.
  const downloads = Path.join((yield* run(root, ["npm", "config", "get", "cache"])).trim(), "_cacache")
  const npm = Path.join(folder, ".npm")
  Fs.mkdirSync(downloads, { recursive: true })
  Fs.mkdirSync(npm)
  Fs.symlinkSync(downloads, Path.join(npm, "_cacache"))
  const [line = ""] = /^npx -p effect-herald .*--help/m.exec(contentOf("docs/reference/commands.md")) ?? []
  const command = line.replace("npx -p effect-herald", `npx --yes -p file:${tarball}`).split(" ")
  const help = yield* run(folder, command, { npm_config_cache: npm, npm_config_prefer_offline: "true" })
  return help.includes("herald <subcommand>") ? line : yield* new Failed({ message: help })
})

/** Runs the first program of the README as it says there: as `first.mts`. */
const readme = Effect.fnUntraced(function*(folder: string) {
  const [, program = ""] = /^```ts\n([\s\S]*?)^```/m.exec(contentOf("README.md")) ?? []
  Fs.writeFileSync(Path.join(folder, "first.mts"), program)
  const events = yield* run(folder, ["node", "first.mts"])
  return /Message[\s\S]*id: 1/.test(events) ? "node first.mts" : yield* new Failed({ message: events })
})

// --- projects

/** A folder with the package and this version of Effect. */
const project = Effect.fnUntraced(function*(tarball: string, effect: string) {
  const folder = yield* temporary
  Fs.writeFileSync(Path.join(folder, "package.json"), JSON.stringify({ type: "module" }))
  yield* install(folder, tarball, `effect@${effect}`, `@effect/platform-node@${effect}`)
  for (const name of ["program.ts", "onServer.ts", "onWeb.ts"]) {
    Fs.copyFileSync(Path.join(import.meta.dirname, name), Path.join(folder, name))
  }
  return folder
})

/** `herald emulator` of a project, and its origin. */
const emulator = Effect.fnUntraced(function*(folder: string) {
  const herald = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["node_modules/.bin/herald", "emulator", "--port=0", "--json"], {
        cwd: folder,
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (herald) => Effect.sync(() => herald.kill())
  )
  return yield* Effect.callback<string, Failed>((resume) => {
    herald.stdout.once("data", (line) => resume(Effect.succeed(JSON.parse(String(line)).origin)))
    herald.once("exit", () => resume(new Failed({ message: "herald emulator ended" })))
  }).pipe(Effect.timeout("30 seconds"))
})

const one = { received: [{ id: 1 }], stored: [{ id: 1 }], failure: "ObjectNotFound" }

/** Fails unless the program saw through each of these transports what it should. */
const check = (report: string, ...transports: ReadonlyArray<string>) =>
  report === JSON.stringify(Object.fromEntries(transports.map((name) => [name, one])))
    ? Effect.succeed(transports.join(", "))
    : new Failed({ message: report })

// --- runtimes

/** Where a package of npm is that has a program in it. It stays until `npm ci`. */
const tool = Effect.fnUntraced(function*(name: string, version: string) {
  if (flags.quick) return yield* new Skipped({ message: "--quick" })
  const folder = Path.join(root, "node_modules/.cache/smoke", `${name}-${version}`)
  const bin = Path.join(folder, "node_modules/.bin", name)
  if (!Fs.existsSync(bin)) {
    Fs.mkdirSync(folder, { recursive: true })
    Fs.writeFileSync(Path.join(folder, "package.json"), JSON.stringify({ allowScripts: { [name]: true } }))
    yield* install(folder, `${name}@${version}`).pipe(
      Effect.mapError(({ message }) => new Skipped({ message: `npm does not install ${name}@${version}: ${message}` }))
    )
  }
  return bin
})

interface World {
  readonly folder: string
  readonly origin: string
}

const onServer = ({ folder, origin }: World, place: string, ...command: ReadonlyArray<string>) =>
  Effect.flatMap(
    run(folder, [...command, "onServer.ts", place, origin]),
    (report) => check(report, "emulator", "fetch", "node")
  )

/** `onWeb.ts` of a project in one file. */
const bundle = (folder: string, format: "es" | "iife") =>
  Effect.promise(async () => {
    const build = await rolldown({ input: Path.join(folder, "onWeb.ts"), platform: "browser" })
    const { output } = await build.generate({ format, name: "Smoke", exports: "named", codeSplitting: false })
    return output[0].code
  })

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const onWorkerd = Effect.fnUntraced(function*({ folder, origin }: World) {
  const workerd = yield* tool("workerd", "1")
  const port = yield* freePort
  Fs.writeFileSync(Path.join(folder, "worker.js"), yield* bundle(folder, "es"))
  Fs.writeFileSync(
    Path.join(folder, "workerd.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-01-01")),
    (name = "internet", network = (allow = ["public", "private", "local"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
`
  )
  let written = ""
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(workerd, ["serve", "workerd.capnp"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
      child.stderr.on("data", (chunk) => (written += String(chunk)))
      return child
    }),
    (child) => Effect.sync(() => child.kill())
  )
  const report = yield* Effect.tryPromise({
    try: async (signal) => (await fetch(`http://127.0.0.1:${port}/?place=workerd&origin=${origin}`, { signal })).text(),
    catch: (cause) => new Failed({ message: `${String(cause)}\n${written}` })
  }).pipe(Effect.retry(Schedule.spaced("100 millis")), Effect.timeout("30 seconds"))
  return yield* check(report, "emulator", "fetch")
})

const onChromium = Effect.fnUntraced(function*({ folder, origin }: World) {
  if (Chromium.chromium === undefined) return yield* new Skipped({ message: "there is no chromium in the PATH" })
  const open = yield* Chromium.start
  // The page is of another origin than the emulator that it talks to.
  const page = yield* open(`http://${origin.replace("127.0.0.1", "localhost")}/time/0`)
  const code = yield* bundle(folder, "iife")
  const report = yield* page.evaluate(`${code}\nSmoke.run("chromium", "${origin}")`)
  return yield* check(String(report), "emulator", "fetch")
})

/** What TypeScript says of the program and of all declarations that it imports. */
const types = (folder: string) =>
  Effect.suspend(() => {
    Fs.writeFileSync(
      Path.join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          module: "NodeNext",
          target: "ES2023",
          lib: ["ES2023", "DOM", "ESNext.Disposable"],
          strict: true,
          noEmit: true,
          types: ["node"],
          typeRoots: [Path.join(root, "node_modules/@types")],
          allowImportingTsExtensions: true
        },
        files: ["onServer.ts", "onWeb.ts"]
      })
    )
    const said = tsc("-p", folder, "--pretty", "false")
    return said === "" ? Effect.succeed("no errors") : new Failed({ message: said })
  })

// --- the rows

let failures = 0

/** Runs a row, and prints its outcome. */
const row = (name: string, effect: Effect.Effect<string, unknown, Scope.Scope>) =>
  Effect.scoped(effect).pipe(
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      const isSkipped = error instanceof Skipped && !flags["no-skip"]
      if (!isSkipped) failures++
      return Effect.succeed(
        `${isSkipped ? "skipped" : "FAILED"}: ${error instanceof Error ? error.message : String(error)}`
      )
    }),
    Effect.map((outcome) => process.stdout.write(`${name.padEnd(20)}${outcome}\n`))
  )

/** The lowest and the newest version of Effect that the package allows. */
const effects = Effect.map(
  run(root, ["npm", "view", `effect@${packageJson.peerDependencies.effect}`, "version", "--json"]),
  (listed) => {
    const versions: ReadonlyArray<string> = [JSON.parse(listed)].flat()
    return new Set([versions[0] ?? "", versions.at(-1) ?? ""])
  }
)

const program = Effect.gen(function*() {
  const { detail, tarball } = yield* pack(yield* temporary)
  yield* row("tarball", Effect.succeed(detail))
  yield* row("npx", npx(tarball))
  for (const effect of yield* effects) {
    const folder = yield* project(tarball, effect)
    const world = { folder, origin: yield* emulator(folder) }
    const on = (name: string, version: string, ...args: ReadonlyArray<string>) =>
      row(
        `${name} ${version}`,
        Effect.flatMap(tool(name, version), (file) => onServer(world, `${name}-${version}`, file, ...args))
      )
    process.stdout.write(`\nwith effect ${effect}\n`)
    yield* row("README", readme(folder))
    yield* row("types", types(folder))
    yield* row(`node ${process.versions.node}`, onServer(world, "node", process.execPath))
    yield* on("node", packageJson.engines.node.replace(">=", ""))
    yield* on("node", "26")
    yield* on("bun", "1")
    yield* on("deno", "2", "run", "--allow-all")
    yield* row("workerd", onWorkerd(world))
    yield* row("chromium", onChromium(world))
  }
})

await Effect.runPromise(Effect.scoped(program))
if (failures > 0) process.exitCode = 1
