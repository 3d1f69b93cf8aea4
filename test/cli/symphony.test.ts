import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { DatafeedEvent, PostedMessage } from "effect-herald/symphony"
import { Faults, SymphonyEmulator } from "effect-herald/testing"
import { failNext } from "../kit/failNext.ts"
import { start } from "../kit/emulated.ts"
import { lists } from "../kit/nested.ts"
import * as Kit from "./kit.ts"
import { herald as process } from "./spawn.ts"

const { privateKey, publicKey } = await Effect.runPromise(SymphonyEmulator.keyPair)

const world = Faults.layer().pipe(
  Layer.provideMerge(
    SymphonyEmulator.layer({ users: [{ username: "bot", publicKey }, { username: "ada", displayName: "Ada" }] })
  ),
  Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start)))
)

const emulator = SymphonyEmulator.SymphonyEmulator

const room = emulator.use(({ createStream }) => createStream({ type: "ROOM", name: "Orders", members: ["ada", "bot"] }))

const environment = {
  SYMPHONY_HOST: "acme.symphony.com",
  SYMPHONY_BOT_USERNAME: "bot",
  SYMPHONY_BOT_PRIVATE_KEY: Redacted.value(privateKey)
}

const herald = (args: ReadonlyArray<string>, options: Parameters<typeof Kit.herald>[1] = {}) =>
  Kit.herald(["symphony", ...args], { ...options, environment: { ...environment, ...options.environment } })

const stored = (streamId: string) => emulator.use(({ messages }) => messages({ streamId }))

/** Waits for what happens outside of fibers too: signatures are real. */
const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(Effect.andThen(Effect.promise(() => new Promise(setImmediate)), condition), {
    until: (met) => met,
    times: 20_000
  }).pipe(Effect.tap((met) => Effect.sync(() => assert.isTrue(met))))

const messagesOf = Schema.decodeEffect(
  Schema.Array(Schema.fromJsonString(Schema.toCodecJson(PostedMessage.PostedMessage)))
)
const eventsOf = Schema.decodeEffect(
  Schema.Array(Schema.fromJsonString(Schema.toCodecJson(DatafeedEvent.DatafeedEvent)))
)

describe("send", () => {
  it.effect("escapes text, and prints the message's id", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { exitCode, stderr, stdout } = yield* herald(["send", streamId, "Is 5 < 6?\n<b>&</b> so on"])
      assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: [] })
      const [last] = yield* stored(streamId)
      assert.deepStrictEqual(stdout, [last?.messageId ?? ""])
      assert.strictEqual(last?.username, "bot")
      assert.strictEqual(last?.messageML, "<messageML>Is 5 &lt; 6?<br/>&lt;b&gt;&amp;&lt;/b&gt; so on</messageML>")
    }).pipe(Effect.provide(world)))

  it.effect("sends markup with data, and all of stdin as one message", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const markup = "<div class=\"entity\" data-entity-id=\"order\"><b>Order</b> 7</div>"
      const data = JSON.stringify({ order: { type: "com.acme.order", version: "1.0", id: 7 } })
      const marked = yield* herald(["send", streamId, "--message-ml", "--data", data, "--json", markup])
      assert.deepStrictEqual((yield* messagesOf(marked.stdout)).map((message) => message.data), [data])
      yield* herald(["send", streamId], { stdin: "one\ntwo\n" })
      yield* herald(["send", streamId, "-", "--message-ml"], { stdin: "<b>three</b>" })
      assert.deepStrictEqual((yield* stored(streamId)).map(({ messageML }) => messageML), [
        `<messageML>${markup}</messageML>`,
        "<messageML>one<br/>two</messageML>",
        "<messageML><b>three</b></messageML>"
      ])
    }).pipe(Effect.provide(world)))

  it.effect("attaches files under their names, and exits with 2 when one is missing", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const content = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251)
      yield* fs.writeFile(`${folder}/é 1.pdf`, content)
      yield* fs.writeFileString(`${folder}/b.csv`, "a,b")
      const { stderr } = yield* herald(
        ["send", streamId, "two files", "--attachment", `${folder}/é 1.pdf`, "--attachment", `${folder}/b.csv`]
      )
      assert.deepStrictEqual(stderr, [])
      const [sent] = yield* stored(streamId)
      assert.deepStrictEqual(sent?.attachments.map(({ name }) => name), ["é 1.pdf", "b.csv"])
      assert.deepStrictEqual(sent?.attachments[0]?.content, content)

      const missing = yield* herald(["send", streamId, "a file", "--attachment", `${folder}/none`])
      assert.strictEqual(missing.exitCode, 2)
      assert.include(missing.stderr[0], "\"none\" cannot be read")
      assert.lengthOf(yield* stored(streamId), 1)
    }).pipe(Effect.provide([world, NodeServices.layer])))
})

describe("list and search", () => {
  const filled = Effect.gen(function*() {
    const { send } = yield* emulator
    const streamId = yield* room
    for (const text of ["one", "two <hash tag=\"urgent\"/>", "three \u009b31m"]) {
      yield* TestClock.adjust("1 minute")
      yield* send({ streamId, username: "ada", message: text })
    }
    return streamId
  })

  it.effect("list prints one line per message, newest first, within its bounds", () =>
    Effect.gen(function*() {
      const streamId = yield* filled
      const ids = (yield* stored(streamId)).map(({ messageId }) => messageId)
      const all = yield* herald(["list", streamId], { terminal: true })
      assert.deepStrictEqual(all.stdout, [
        `2026-09-21T14:16:20.000Z  Ada: three \uFFFD31m  ${ids[2]}`,
        `2026-09-21T14:15:20.000Z  Ada: two #urgent  ${ids[1]}`,
        `2026-09-21T14:14:20.000Z  Ada: one  ${ids[0]}`
      ])
      const newest = yield* herald(["list", streamId, "--limit", "1"])
      assert.deepStrictEqual((yield* messagesOf(newest.stdout)).map(({ messageId }) => messageId), [
        ids[2]
      ])
      const since = yield* herald(["list", streamId, "--since", "2026-09-21T14:15Z", "--until", "2026-09-21T14:16Z"])
      assert.deepStrictEqual((yield* messagesOf(since.stdout)).map(({ messageId }) => messageId), [ids[1]])
    }).pipe(Effect.provide(world)))

  it.effect("search applies hashtag, text, stream, time, order and limit", () =>
    Effect.gen(function*() {
      const streamId = yield* filled
      const found = (...args: ReadonlyArray<string>) =>
        Effect.map(herald(["search", ...args], { terminal: true }), ({ stderr, stdout }) => [
          ...stderr,
          ...stdout.map((line) => line.slice(31).split(" ")[0])
        ])
      assert.deepStrictEqual(yield* found("--hashtag", "urgent"), ["two"])
      assert.deepStrictEqual(yield* found("--text", "one", "--stream-id", streamId), ["one"])
      assert.deepStrictEqual(yield* found("--stream-id", streamId, "--oldest-first", "--limit", "2"), ["one", "two"])
      assert.deepStrictEqual(yield* found("--stream-id", streamId, "--since", "2026-09-21T14:16Z"), ["three"])
      const refused = yield* herald(["search", "--text", "one"])
      assert.strictEqual(refused.exitCode, 2)
    }).pipe(Effect.provide(world)))
})

describe("status", () => {
  it.effect("prints the users that read a message, and those that did not", () =>
    Effect.gen(function*() {
      const { addUser, receive } = yield* emulator
      yield* addUser({ username: "bob" })
      const streamId = yield* emulator.use(({ createStream }) =>
        createStream({ type: "ROOM", name: "Three", members: ["bot", "ada", "bob"] })
      )
      const [messageId = ""] = (yield* herald(["send", streamId, "Hello"])).stdout
      yield* receive({ messageId, username: "ada", kind: "read" })
      const { stdout } = yield* herald(["status", messageId])
      assert.deepStrictEqual(stdout, [
        "2026-09-21T14:13:20.000Z  read       Ada",
        "2026-09-21T14:13:20.000Z  sent       bob"
      ])
      const asJson = yield* herald(["status", messageId, "--json"])
      assert.strictEqual(JSON.parse(asJson.stdout[0] ?? "").read[0].displayName, "Ada")
    }).pipe(Effect.provide(world)))
})

describe("datafeed", () => {
  it.effect("prints one event a line, and acknowledges it after that", () =>
    Effect.gen(function*() {
      const { feeds, readers, send } = yield* emulator
      const streamId = yield* room
      const pending = Effect.map(feeds, ([feed]) => feed?.pending)
      const lines: Array<string> = []
      const atPrint: Array<number | undefined> = []
      const fiber = yield* Effect.forkChild(herald(["datafeed", "--tag", "cli"], {
        onLine: (line) =>
          Effect.map(pending, (pending) => {
            lines.push(line)
            atPrint.push(pending)
          })
      }))
      yield* until(Effect.map(readers, (readers) => readers === 1))
      yield* send({ streamId, username: "bot", message: "of its own" })
      yield* send({ streamId, username: "ada", message: "Hello" })
      yield* until(Effect.map(pending, (pending) => pending === 0))
      yield* Fiber.interrupt(fiber)
      const [connected, sent, ...more] = yield* eventsOf(lines)
      assert.strictEqual(connected?._tag, "FeedConnected")
      assert.isTrue(sent?._tag === "MessageSent" && sent.message.user?.displayName === "Ada")
      assert.deepStrictEqual(more, [])
      assert.isAbove(atPrint[1] ?? 0, 0)
      assert.strictEqual((yield* feeds)[0]?.tag, "cli")
    }).pipe(Effect.provide(world)))

  it.effect.each([true, false])(
    "prints events of 16,000 levels (terminal: %s)",
    (terminal) =>
      Effect.gen(function*() {
        const { emit, feeds, readers } = yield* emulator
        const streamId = yield* room
        const lines: Array<string> = []
        const fiber = yield* Effect.forkChild(herald(["datafeed"], {
          terminal,
          onLine: (line) => Effect.sync(() => lines.push(line))
        }))
        yield* until(Effect.map(readers, (readers) => readers === 1))
        const payload = { deep: JSON.parse(lists(16_000)) as unknown }
        yield* emit({ kind: "NEWEVENT", payload, initiator: "ada", streamId })
        yield* emit({ kind: "MESSAGESENT", payload: { messageSent: { message: payload.deep } }, streamId })
        const formValues = { formValues: payload }
        yield* emit({ kind: "SYMPHONYELEMENTSACTION", payload: { symphonyElementsAction: formValues }, streamId })
        yield* until(Effect.map(feeds, ([feed]) => feed?.pending === 0))
        yield* Fiber.interrupt(fiber)
        assert.lengthOf(lines, 4)
        for (const line of lines.slice(1)) assert.include(line, lists(16_000))
      }).pipe(Effect.provide(world))
  )

  it.effect("prints text on a terminal, and continues with the same feed", () =>
    Effect.gen(function*() {
      const { createStream, emit, feeds, readers, send, suppress } = yield* emulator
      const streamId = yield* room
      const heard = Effect.fnUntraced(function*(happening: Effect.Effect<unknown>) {
        const lines: Array<string> = []
        const fiber = yield* Effect.forkChild(herald(["datafeed"], {
          terminal: true,
          onLine: (line) => Effect.sync(() => lines.push(line))
        }))
        yield* until(Effect.map(readers, (readers) => readers === 1))
        yield* happening
        yield* until(Effect.map(feeds, ([feed]) => feed?.pending === 0))
        yield* until(Effect.map(readers, (readers) => readers === 1))
        yield* Fiber.interrupt(fiber)
        return lines.map((line) => line.replace(/^14:13:20.000Z {2}/, ""))
      })
      let messageId = ""
      const first = yield* heard(Effect.gen(function*() {
        messageId = yield* send({ streamId, username: "ada", message: "Hi <b>bot</b>\u009b" })
      }))
      const feedId = (yield* feeds)[0]?.feedId
      assert.deepStrictEqual(first, [
        `FeedConnected     ${feedId}, new`,
        `MessageSent       Orders  Ada: Hi bot\uFFFD  ${messageId}`
      ])
      yield* suppress({ messageId })
      yield* createStream({ type: "ROOM", name: "Side room", members: ["ada", "bot"] })
      const second = yield* heard(
        emit({
          kind: "SYMPHONYELEMENTSACTION",
          initiator: "ada",
          streamId,
          payload: { symphonyElementsAction: { stream: { streamId }, formId: "form", formValues: { action: "buy" } } }
        })
      )
      assert.strictEqual(second[0], `FeedConnected     ${feedId}`)
      assert.include(second.join("\n"), "MessageSuppressed")
      assert.include(second.join("\n"), "RoomCreated       Side room  Ada")
      assert.include(second.at(-1), "Ada: form {\"action\":\"buy\"}")
    }).pipe(Effect.provide(world)))
})

describe("exit codes", () => {
  it.effect("are 2 for invalid input, before a request", () =>
    Effect.gen(function*() {
      const { requests } = yield* emulator
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string, Record<string, string>?]> = [
        [["send"], "Missing required argument: stream"],
        [["send", "room 7", "x"], "base64"],
        [["send", "AAAA", "<b>", "--message-ml"], "not well formed"],
        [["send", "AAAA", "x", "--data", "[]"], "--data"],
        [["list", "AAAA", "--since", "yesterday"], "--since"],
        [["list", "AAAA", "--limit", "0"], "--limit"],
        [["list", "AAAA", "--host", "https://a.b/c"], "host"],
        [["list", "AAAA", "--private-key", "/nowhere.pem"], "/nowhere.pem"],
        [["list", "AAAA", "--config", "/nowhere.yaml"], "/nowhere.yaml"],
        [["list", "AAAA", "--config", "a.yaml", "--bot", "b"], "replaces all settings"],
        [["search", "--text", "x"], "add --stream-id"],
        [["list", "AAAA"], "SYMPHONY_PORT", { SYMPHONY_PORT: "many" }],
        [["list", "AAAA"], "RSA key", { SYMPHONY_BOT_PRIVATE_KEY: "hush" }],
        [["emulator"], "--private-key"]
      ]
      for (const [args, part, environment = {}] of cases) {
        const { exitCode, stderr, stdout } = yield* herald(args, { environment })
        assert.deepStrictEqual({ args, exitCode, stdout }, { args, exitCode: 2, stdout: [] })
        assert.lengthOf(stderr, 1)
        assert.match(stderr[0] ?? "", /^herald: [^\n]+$/)
        assert.include(stderr[0], part)
        assert.notInclude(stderr[0], "hush")
      }
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(world)))

  it.effect("are 2 when the host or the bot is not set", () =>
    Effect.gen(function*() {
      const nowhere = yield* Kit.herald(["symphony", "list", "AAAA"])
      assert.strictEqual(nowhere.exitCode, 2)
      assert.include(nowhere.stderr[0], "SYMPHONY_HOST: Expected string")
      const nobody = yield* Kit.herald(["symphony", "list", "AAAA", "--host", "a.b"])
      assert.strictEqual(nobody.exitCode, 2)
      assert.include(nobody.stderr[0], "bot is not set")
    }).pipe(Effect.provide(world)))

  it.effect("are 3 when the bot is not authorized, not in the stream or blocked", () =>
    Effect.gen(function*() {
      const { block, createStream } = yield* emulator
      const streamId = yield* room
      const other = yield* createStream({ type: "ROOM", name: "Other", members: ["ada"] })
      assert.strictEqual((yield* herald(["list", streamId, "--bot", "ada"])).exitCode, 3)
      assert.strictEqual((yield* herald(["send", other, "Hello"])).exitCode, 3)
      yield* block(["secret"])
      assert.strictEqual((yield* herald(["send", streamId, "a secret"])).exitCode, 3)
    }).pipe(Effect.provide(world)))

  it.effect("are 4 for a read that failed three times, and 5 for a send of unknown outcome, sent once", () =>
    Effect.gen(function*() {
      const { injected } = yield* Faults.Faults
      const streamId = yield* room
      const asked = (kind: SymphonyEmulator.Kind) =>
        Effect.map(injected, (all) => all.filter((request) => request.kind === kind).length)
      yield* failNext({ on: "list", status: 503, times: 9 })
      const fiber = yield* Effect.forkChild(herald(["list", streamId]))
      yield* until(Effect.map(asked("list"), (asked) => asked === 1))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).exitCode, 4)
      assert.strictEqual(yield* asked("list"), 3)

      yield* failNext({ on: "send", status: 503 })
      const lost = yield* herald(["send", streamId, "Hello", "--json"])
      assert.strictEqual(lost.exitCode, 5)
      const { error, exitCode } = JSON.parse(lost.stderr[0] ?? "")
      assert.deepStrictEqual([error._tag, error.streamIds, exitCode], ["MessageOutcomeUnknown", [streamId], 5])
      assert.strictEqual(yield* asked("send"), 1)
    }).pipe(Effect.provide(world)))

  it.effect("are 6 for an unknown message", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* herald(["status", "AAAA"])).exitCode, 6)
    }).pipe(Effect.provide(world)))
})

describe("settings", () => {
  /** Where requests go. */
  const visited = Effect.fnUntraced(function*<A, E, R>(run: Effect.Effect<A, E, R>) {
    const hosts = new Set<string>()
    yield* Effect.updateService(
      run,
      HttpClient.HttpClient,
      HttpClient.tapRequest(({ url }) => Effect.sync(() => hosts.add(new URL(url).origin)))
    )
    return [...hosts]
  })

  it.effect("--host replaces the Agent, port and scheme of the environment", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const list = (host: string) =>
        visited(herald(["list", streamId, "--host", host], {
          environment: { SYMPHONY_AGENT_HOST: "agent.acme.com", SYMPHONY_PORT: "1", SYMPHONY_SCHEME: "http" }
        }))
      assert.deepStrictEqual(yield* list("other.symphony.com"), ["https://other.symphony.com"])
      assert.deepStrictEqual(yield* list("other.symphony.com:8443"), ["https://other.symphony.com:8443"])
      assert.deepStrictEqual(yield* list("localhost:4041"), ["http://localhost:4041"])
      assert.deepStrictEqual(yield* list("https://localhost"), ["https://localhost"])
      assert.deepStrictEqual(yield* list("http://pod:81"), ["http://pod:81"])
    }).pipe(Effect.provide(world)))

  it.effect("--config reads a configuration file of the vendor's kits", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${folder}/key.pem`, Redacted.value(privateKey))
      yield* fs.writeFileString(
        `${folder}/config.yaml`,
        "host: file.symphony.com\nbot:\n  username: bot\n  privateKey:\n    path: key.pem\n"
      )
      for (
        const hosts of [
          yield* visited(Kit.herald(["symphony", "list", streamId, "--config", `${folder}/config.yaml`])),
          yield* visited(herald(["list", streamId], { environment: { SYMPHONY_CONFIG: `${folder}/config.yaml` } }))
        ]
      ) {
        assert.deepStrictEqual(hosts, ["https://file.symphony.com"])
      }
    }).pipe(Effect.provide([world, NodeServices.layer])))
})

describe("emulator", () => {
  it.live(
    "writes a key that a bot can log in with, reuses it, and refuses an invalid one",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const key = `${folder}/bot.pem`
        const server = yield* process(["symphony", "emulator", "--port", "0", "--private-key", key, "--json"])
        const { bot, host, port, privateKey, streamId } = JSON.parse(yield* server.firstLine)
        const flags = ["--host", `${host}:${port}`, "--private-key", privateKey]
        const sent = yield* (yield* process(["symphony", "send", streamId, "Hello", "--bot", "ada", ...flags])).exit
        assert.deepStrictEqual({ code: sent.code, stderr: sent.stderr }, { code: 0, stderr: "" })
        const listed = yield* (yield* process(["symphony", "list", streamId, "--bot", bot, "--no-json", ...flags])).exit
        assert.match(listed.stdout, / {2}ada: Hello {2}/)
        assert.include(listed.stdout, sent.stdout.trim())
        yield* server.signal("SIGTERM")
        assert.strictEqual((yield* server.exit).code, 130)

        const made = yield* fs.readFileString(key)
        assert.strictEqual((yield* fs.stat(key)).mode & 0o777, 0o600)
        const again = yield* process(["symphony", "emulator", "--port", "0", "--private-key", key, "--no-json"])
        yield* again.firstLine
        yield* again.signal("SIGTERM")
        // Programs read the key from this variable, and not from a file.
        assert.include((yield* again.exit).stdout, `SYMPHONY_BOT_PRIVATE_KEY="$(cat '${key}')"`)
        assert.strictEqual(yield* fs.readFileString(key), made)

        yield* fs.writeFileString(key, "no key")
        const refused = yield* (yield* process(["symphony", "emulator", "--port", "0", "--private-key", key])).exit
        assert.strictEqual(refused.code, 2)
        assert.include(refused.stderr, "is not a private key")
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
