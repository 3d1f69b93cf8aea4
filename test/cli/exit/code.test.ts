import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import { herald } from "../kit.ts"

const answering = (answer: Transport.Answer) => Effect.provide(Transport.layerScripted([answer]))

describe("exit codes", () => {
  const cases: ReadonlyArray<readonly [number, string, ReadonlyArray<string>, Transport.Answer]> = [
    [2, "refused by the service", ["publish", "a", "1"], { status: 400, body: "[0,\"Invalid Channel\",\"1\"]" }],
    [2, "too large for the service", ["publish", "a", "1"], { status: 414, body: "[0,\"Message Too Large\",\"1\"]" }],
    [3, "an invalid key", ["publish", "a", "1"], { status: 400, body: "[0,\"Invalid Key\",\"1\"]" }],
    [4, "no connection", ["publish", "a", "1"], { failure: "ECONNREFUSED" }],
    [4, "an unknown host", ["time"], { failure: "ENOTFOUND" }],
    [4, "a reset while asking the time", ["time"], { failure: "ECONNRESET" }],
    [4, "too many requests", ["publish", "a", "1"], { status: 429, body: "{}" }],
    [4, "a failure of the service", ["time"], { status: 500, body: "oops" }],
    [4, "an answer that is none", ["time"], { status: 200, body: "<html>" }],
    [5, "a reset while publishing", ["publish", "a", "1"], { failure: "ECONNRESET" }],
    [5, "an answer to a publish that is none", ["publish", "a", "1"], { status: 200, body: "<html>" }],
    [5, "a proxy that failed", ["signal", "a", "1"], { status: 502, body: "<html>" }]
  ]
  for (const [code, what, args, answer] of cases) {
    it.effect(`exits with ${code} for ${what}`, () =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* herald(args)
        assert.deepStrictEqual(stdout, [])
        assert.lengthOf(stderr, 1)
        assert.match(stderr[0] ?? "", /^herald: [^\n]+$/)
        assert.strictEqual(exitCode, code)
      }).pipe(answering(answer)))
  }

  const refused: ReadonlyArray<readonly [number, string, ReadonlyArray<string>]> = [
    [2, "no channel", ["publish"]],
    [2, "an unknown command", ["publsh", "a"]],
    [2, "an unknown flag", ["time", "--fast"]],
    [2, "a number that is none", ["publish", "a", "1", "--ttl", "soon"]],
    [2, "metadata that is no object", ["publish", "a", "1", "--meta", "[]"]],
    [2, "a channel with a comma", ["publish", "a,b", "1"]],
    [2, "a signal of more than 64 bytes", ["signal", "a", "x".repeat(65)]],
    [2, "nothing to subscribe to", ["subscribe"]],
    [2, "no timetoken", ["subscribe", "a", "--from", "yesterday"]],
    [2, "a count of nothing", ["subscribe", "a", "--limit", "0"]],
    [2, "a flag of another service", ["symphony", "search", "--subscribe-key", "a"]],
    [2, "a length without a unit", ["publish", "a", "1", "--ttl", "24"]],
    [2, "half an hour in history", ["publish", "a", "1", "--ttl", "30 minutes"]],
    [2, "a range from nowhere", ["history", "a", "--since", "yesterday"]],
    [2, "a part that there is not", ["presence", "here-now", "a", "--include", "users,shoes"]],
    [2, "an origin with a scheme", ["time", "--origin", "https://ps.pndsn.com"]]
  ]
  for (const [code, what, args] of refused) {
    it.effect(`exits with ${code}, and sends nothing, for ${what}`, () =>
      Effect.gen(function*() {
        const { exitCode, stderr, stdout } = yield* herald(args)
        assert.deepStrictEqual(stdout, [])
        assert.lengthOf(stderr, 1)
        assert.strictEqual(exitCode, code)
        const { all } = yield* Transport.Exchanges
        assert.deepStrictEqual(yield* all, [])
      }).pipe(Effect.provide(Transport.layerScripted([]))))
  }

  it.effect("exits with 3 when access is denied, a feature is off or a key is missing", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.deny({ channels: ["secret"] })
      yield* emulator.setAddOns({ streamController: false })
      assert.strictEqual((yield* herald(["publish", "secret", "1"])).exitCode, 3)
      assert.strictEqual((yield* herald(["subscribe", "-g", "crew"])).exitCode, 3)
      const { exitCode, stderr } = yield* herald(["publish", "a", "1"], { environment: { PUBNUB_PUBLISH_KEY: "" } })
      assert.strictEqual(exitCode, 3)
      assert.include(stderr[0], "--publish-key or PUBNUB_PUBLISH_KEY")
    }).pipe(Effect.provide(PubNubEmulator.layer())))

  it.effect("exits with 5 when a publish gets no answer", () =>
    Effect.gen(function*() {
      const minutes = Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust("1 minute")))
      assert.strictEqual((yield* Effect.raceFirst(herald(["publish", "a", "1"]), minutes)).exitCode, 5)
    }).pipe(answering({ never: true })))

  it.effect("prints an error as one JSON object with --json", () =>
    Effect.gen(function*() {
      const refused = yield* herald(["publish", "a", "1", "--json"])
      assert.lengthOf(refused.stderr, 1)
      assert.deepInclude(JSON.parse(refused.stderr[0] ?? ""), {
        error: {
          _tag: "PubNubError",
          operation: "Publish.publish",
          reason: {
            _tag: "Transport",
            code: "ECONNREFUSED",
            description: "the connection failed with ECONNREFUSED",
            sent: false
          },
          request: { method: "GET", path: "/publish/{publishKey}/{subscribeKey}/0/a/0/{message}" }
        },
        exitCode: 4
      })
      const usage = yield* herald(["publish", "--json"])
      const { error, exitCode, message } = JSON.parse(usage.stderr[0] ?? "")
      assert.strictEqual(error._tag, "BadInput")
      assert.strictEqual(exitCode, 2)
      assert.include(message, "Missing required argument: channel")
    }).pipe(Effect.provide(Transport.layerScripted([]))))

  it.effect("never prints secrets", () =>
    Effect.gen(function*() {
      const secrets = ["--secret-key", "sec-c-hush", "--auth-token", "tok-hush"]
      for (
        const args of [["time"], ["publish", "a", "1"], ["publish", "a,b", "1"], ["subscribe", "a", "--limit", "x"]]
      ) {
        for (const json of [[], ["--json"]]) {
          const { stderr, stdout } = yield* herald([...args, ...secrets, ...json, "--log-level", "all"])
          assert.notInclude([...stdout, ...stderr].join("\n"), "hush")
        }
      }
    }).pipe(Effect.provide(Transport.layerScripted([]))))
})

describe("error messages", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["publish", "a", "1", "--ttl", "30 minutes"], "--ttl is not a whole number of hours"],
    [["publish", "a", "1", "--custom-message-type", "x"], "--custom-message-type must be"],
    [["subscribe", "-g", "a,b"], "--group \"a,b\" holds a comma"],
    [["history", "a", "--since", "x"], "--since: \"x\". Expected: a timetoken, a time as"],
    [["history", "a", "--limit", "0"], "--limit: \"0\". Expected a value greater than 0"],
    [["users", "list", "--include", "shoes"], "--include: \"shoes\". Expected: custom, status, type"],
    [["users", "set", "", "--name", "x"], "user \"\" is blank"],
    [["channels", "get", ""], "channel \"\" is blank"],
    [["members", "set", "room", "ada", "--status", "x".repeat(60)], "--status has 60 characters"],
    [["message-actions", "add", "a", "12", "t", "v"], "message is \"12\""],
    [
      ["history", "a", "--origin", "http://a"],
      "--origin is not a host name with an optional port: leave out the path, and the scheme, which --tls"
    ],
    [["history", "a", "--since", "2026-09-21", "--before", "2026-09-20"], "--before is not later than --since"],
    [["symphony", "list", "", "--host", "x", "--bot", "b", "--private-key", "/dev/null"], "stream is empty"],
    [["users", "set", "ada", "--name", "x", "--clear", "name"], "Pass either --name or --clear name"]
  ]
  it.effect.each(cases)("name the flags of %j", ([args, words]) =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* herald(args)
      assert.strictEqual(exitCode, 2)
      assert.include(stderr[0], words)
    }).pipe(Effect.provide(Transport.layerScripted([]))))

  it.effect.each<readonly [Transport.Answer, string]>([
    [{ status: 400, body: "[0,\"Invalid Key\",\"1\"]" }, "Check --publish-key or PUBNUB_PUBLISH_KEY."],
    [{ failure: "ERR_SSL_WRONG_VERSION_NUMBER" }, "pass --no-tls, or set PUBNUB_TLS=false."]
  ])("say which flag mends %j", ([answer, words]) =>
    Effect.gen(function*() {
      const { stderr } = yield* herald(["history", "a"])
      assert.include(stderr[0], words)
      assert.notMatch(stderr[0] ?? "", /PubNubConfig|tls: false/)
    }).pipe(answering(answer)))
})

describe("help", () => {
  it.effect("is printed without arguments and with --help, and lists the exit codes", () =>
    Effect.gen(function*() {
      for (const args of [[], ["--help"]]) {
        const { exitCode, stderr, stdout } = yield* herald(args)
        assert.strictEqual(exitCode, 0)
        assert.deepStrictEqual(stderr, [])
        assert.include(stdout.join("\n"), "Exit codes: 0 done; 1 unexpected; 2 wrong input")
      }
    }).pipe(Effect.provide(Transport.layerScripted([]))))

  it.effect("of a command shows only the flags of its service", () =>
    Effect.gen(function*() {
      const help = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
        return (yield* herald([...args, "--help"])).stdout.join("\n")
      })
      for (const flag of ["--subscribe-key", "--user-id", "--tls", "--json"]) {
        assert.include(yield* help("publish"), flag)
        assert.include(yield* help("users", "set"), flag)
      }
      for (const args of [["symphony"], ["symphony", "send"]]) {
        const text = yield* help(...args)
        assert.include(text, "--private-key")
        assert.include(text, "--json")
        assert.notMatch(text, /PUBNUB_|--subscribe-key|--user-id/)
      }
    }).pipe(Effect.provide(Transport.layerScripted([]))))

  it.effect("is printed for the short names of commands", () =>
    Effect.gen(function*() {
      assert.include((yield* herald(["actions", "--help"])).stdout.join("\n"), "live")
      assert.include((yield* herald(["groups", "--help"])).stdout.join("\n"), "add-channels")
    }).pipe(Effect.provide(Transport.layerScripted([]))))
})

it.effect.each(["bash", "zsh", "fish", "powershell"])(
  "--completions prints a script of %s that knows commands and flags",
  (shell) =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* herald(["--completions", shell])
      assert.strictEqual(exitCode, 0)
      for (const word of ["timetoken", "here-now", "oldest-first"]) assert.include(stdout.join("\n"), word)
    }).pipe(Effect.provide(Transport.layerScripted([])))
)
