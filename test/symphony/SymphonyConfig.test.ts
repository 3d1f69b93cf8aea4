import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { NodeSymphony } from "effect-herald/node"
import { Session, SymphonyConfig, SymphonyError } from "effect-herald/symphony"
import { keys } from "../testing/symphonyHttp.ts"
import { emulator, pod, whoAmI } from "./bots.ts"
import * as Util from "node:util"

const bot: SymphonyConfig.Bot = { username: "bot", privateKey: Redacted.make(keys.bot.privateKey) }
const made = (options: Partial<SymphonyConfig.Options>) =>
  SymphonyConfig.make({ host: "acme.symphony.com", ...options })
const urlsOf = (
  { agent, keyManager, pod }: SymphonyConfig.SymphonyConfig["Service"]
) => [pod.url, agent.url, keyManager.url]

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(value: T): void => assert.isTrue(value)

it("layers have exactly their documented requirements and errors", () => {
  type Failure<A> = A extends (...options: never) => Layer.Layer<infer _S, infer E, infer R> ? [E, R] : never
  holds<Equal<Failure<typeof SymphonyConfig.layer>, [never, never]>>(true)
  holds<Equal<Failure<typeof SymphonyConfig.layerConfig>, [Config.ConfigError, never]>>(true)
  holds<
    Equal<
      Failure<typeof SymphonyConfig.layerFile>,
      [SymphonyConfig.SymphonyConfigError | PlatformError.PlatformError, FileSystem.FileSystem | Path.Path]
    >
  >(true)
  holds<
    Equal<
      Failure<typeof NodeSymphony.layerFile>,
      [SymphonyConfig.SymphonyConfigError | PlatformError.PlatformError, never]
    >
  >(true)
  type Needs = HttpClient.HttpClient | SymphonyConfig.SymphonyConfig
  holds<Equal<Failure<typeof Session.layer>, [never, Needs]>>(true)
  holds<Equal<Failure<typeof Session.layerOnBehalfOf>, [never, Needs]>>(true)
})

describe("addresses of SymphonyConfig", () => {
  it.each<readonly [SymphonyConfig.Options, Array<string>]>([
    [{ host: "a.b" }, ["https://a.b:443", "https://a.b:443", "https://a.b:443"]],
    [{ host: "a.b", scheme: "http" }, ["http://a.b", "http://a.b", "http://a.b"]],
    [{ host: "a.b", port: 8443, context: "/x/y/" }, [
      "https://a.b:8443/x/y",
      "https://a.b:8443/x/y",
      "https://a.b:8443/x/y"
    ]],
    [
      { host: "a.b", context: "x", agent: { host: "c.d", port: 1, context: "" }, keyManager: { scheme: "http" } },
      ["https://a.b:443/x", "https://c.d:1", "http://a.b/x"]
    ],
    [{ agent: { host: "c.d" } }, ["", "https://c.d:443", ""]]
  ])("are derived from %j", (options, urls) => {
    const config = SymphonyConfig.make(options)
    assert.deepStrictEqual(urlsOf(config), urls)
    assert.deepStrictEqual(config.issues, [])
  })

  const Name = Arbitrary.schema(Schema.Literals(["x", "/x", "x/", "//x//"]))
  it.effect.prop(
    "ignore slashes around a context",
    [Name],
    ([context]) => Effect.sync(() => assert.strictEqual(made({ context }).pod.url, "https://acme.symphony.com:443/x"))
  )

  it("keep Redacted headers hidden, and check their values", () => {
    const config = made({ headers: { "X-Api-Key": Redacted.make("k3y") } })
    assert.notInclude(`${JSON.stringify(config)}${Util.inspect(config, { depth: 9, showHidden: true })}`, "k3y")
    assert.deepStrictEqual(config.issues, [])
    assert.deepStrictEqual(
      made({ headers: { "X-Api-Key": Redacted.make("k3y\r\nsessionToken: 2") } }).issues.map(({ location }) =>
        location
      ),
      ["headers.X-Api-Key"]
    )
  })

  it("use the headers of a service in place of the common ones", () => {
    const config = made({ headers: { "X-A": "1" }, agent: { headers: { "X-B": "2" } } })
    assert.deepStrictEqual(config.pod.headers, { "x-a": "1" })
    assert.deepStrictEqual(config.agent.headers, { "x-b": "2" })
  })
})

describe("issues of SymphonyConfig", () => {
  const nonsenseWaits: Partial<SymphonyConfig.Options> = JSON.parse(
    `{"retry":{"base":"soon","cap":"-1 seconds"}}`
  )
  const nonsense: Partial<SymphonyConfig.Options> = JSON.parse(`{"requestTimeout":"soon"}`)
  it.each<readonly [Partial<SymphonyConfig.Options>, Array<string>]>([
    [{}, []],
    [{ host: "https://a.b" }, ["host"]],
    [{ host: "a.b:443" }, ["host"]],
    [{ host: "" }, ["host"]],
    [{ host: "[::1]", agent: { host: "127.0.0.1" } }, []],
    [{ port: 0, agent: { port: 65_536 }, pod: { port: 1.5 } }, ["port", "pod.port", "agent.port"]],
    [{ context: "a?b", keyManager: { context: "x y" } }, ["context", "keyManager.context"]],
    [{ headers: { "a b": "1" }, agent: { headers: { x: "1\r\nsessionToken: 2" } } }, [
      "headers.a b",
      "agent.headers.x"
    ]],
    [{ headers: { sessionToken: "x" } }, ["headers.sessionToken"]],
    [{ maxAnswerSize: 1 }, []],
    [{ maxAnswerSize: 0 }, ["maxAnswerSize"]],
    [{ maxAnswerSize: Number.NaN }, ["maxAnswerSize"]],
    [{ maxAnswerSize: 1.5 }, ["maxAnswerSize"]],
    [{ bot: { ...bot, username: " " }, app: { appId: "", privateKey: bot.privateKey } }, ["bot.username", "app.appId"]],
    [{ requestTimeout: 0 }, ["requestTimeout"]],
    [nonsense, ["requestTimeout"]],
    [{ retry: { maxAttempts: 0 }, reconnect: { maxAttempts: 1.5 } }, ["retry.maxAttempts", "reconnect.maxAttempts"]],
    [{ retry: { maxAttempts: -1 } }, ["retry.maxAttempts"]],
    [{ retry: { maxAttempts: Infinity, factor: 1 } }, []],
    [{ retry: { factor: 0.5 }, reconnect: { factor: Number.NaN } }, ["retry.factor", "reconnect.factor"]],
    [nonsenseWaits, ["retry.base", "retry.cap"]],
    [{ retry: { base: 0, cap: 0 } }, []],
    [{ reconnect: { base: 0, cap: 0 } }, ["reconnect.base"]],
    [{ retry: { maxAttempts: Infinity, base: 0 } }, ["retry.base"]],
    [{ retry: { base: "Infinity" } }, ["retry.base"]],
    [{ retry: Schedule.recurs(0) }, []]
  ])("of %j are %j", (options, locations) => {
    assert.deepStrictEqual(made(options).issues.map(({ location }) => location), locations)
  })

  it.effect("are reported by the first request, before it is sent", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(whoAmI)
      assert.strictEqual(error.reason._tag, "BadRequest")
      assert.match(error.message, /The configuration is not valid: agent\.port is not a port\. Nothing was sent/)
      assert.deepStrictEqual(yield* emulator.use(({ requests }) => requests), [])
    }).pipe(Effect.provide(
      Session.layer().pipe(
        Layer.provideMerge(SymphonyConfig.layer({ host: "a.b", bot, agent: { port: -1 } })),
        Layer.provideMerge(pod())
      )
    )))
})

describe("schedules of SymphonyConfig", () => {
  /** The waits in milliseconds, and whether it ended, of so many failures. */
  const waitsOf = (
    schedule: Schedule.Schedule<unknown, SymphonyError.SymphonyError>,
    failures: number,
    retryAfter?: Duration.Duration
  ) =>
    Effect.gen(function*() {
      const reason = new SymphonyError.RateLimited({ description: "", retryAfter })
      const request = { method: "GET", path: "" }
      const error = new SymphonyError.SymphonyError({ operation: "", reason, request })
      const step = yield* Schedule.toStep(schedule)
      const waits: Array<number> = []
      while (waits.length < failures) {
        const wait = yield* Effect.exit(step(0, error))
        if (Exit.isFailure(wait)) break
        waits.push(Duration.toMillis(wait.value[1]))
      }
      return waits
    })

  it.effect("retry ten times by default, half a second to five minutes apart", () =>
    Effect.gen(function*() {
      const bounds = [1, 2, 4, 8, 16, 32, 64, 128, 256]
      const waits = yield* waitsOf(made({}).retry, 100)
      assert.lengthOf(waits, bounds.length)
      for (const [index, wait] of waits.entries()) {
        assert.isAtLeast(wait, 500)
        assert.isAtMost(wait, bounds[index]! * 1000)
      }
      const many = yield* waitsOf(made({ retry: { maxAttempts: 500 } }).retry, 1000)
      assert.lengthOf(many, 499)
      assert.isAbove(Math.max(...many), 200_000)
      assert.isAtMost(Math.max(...many), 300_000)
    }))

  it.effect("replace single settings, or take a whole schedule", () =>
    Effect.gen(function*() {
      const { retry } = made({ retry: { base: "1 second", factor: 1 } })
      assert.deepStrictEqual(yield* waitsOf(retry, 100), Array.from({ length: 9 }, () => 1000))
      assert.deepStrictEqual(yield* waitsOf(made({ retry: { maxAttempts: 1 } }).retry, 100), [])
      assert.lengthOf(yield* waitsOf(made({ retry: { base: 0, maxAttempts: undefined } }).retry, 100), 9)
      assert.deepStrictEqual(yield* waitsOf(made({ retry: Schedule.recurs(2) }).retry, 100), [0, 0])
      assert.lengthOf(yield* waitsOf(made({ retry: { maxAttempts: Infinity } }).retry, 3000), 3000)
    }))

  it.effect("wait at least as long as Retry-After asks, up to five minutes", () =>
    Effect.gen(function*() {
      const { retry } = made({ retry: { factor: 1 } })
      for (const [asked, wait] of [[10, 10_000], [0.1, 500], [3600, 300_000]] as const) {
        assert.deepStrictEqual(yield* waitsOf(retry, 1, Duration.seconds(asked)), [wait])
      }
      const capped = made({ retry: { cap: "1 second" } }).retry
      assert.deepStrictEqual(yield* waitsOf(capped, 2, Duration.seconds(3)), [3000, 3000])
    }))

  it.effect("reconnect for ever, unless maxAttempts is set", () =>
    Effect.gen(function*() {
      assert.lengthOf(yield* waitsOf(made({}).reconnect, 500), 500)
      assert.lengthOf(yield* waitsOf(made({ retry: { maxAttempts: 2 } }).reconnect, 500), 500)
      assert.lengthOf(yield* waitsOf(made({ reconnect: { factor: 2 } }).reconnect, 500), 500)
      assert.lengthOf(yield* waitsOf(made({ reconnect: { maxAttempts: 10 } }).reconnect, 500), 9)
    }))
})

const environment = (values: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env: values }))

describe("SymphonyConfig.layerConfig", () => {
  const read = (values: Record<string, string>, options?: Parameters<typeof SymphonyConfig.layerConfig>[0]) =>
    SymphonyConfig.SymphonyConfig.pipe(
      Effect.provide(Layer.provide(SymphonyConfig.layerConfig(options), environment(values)))
    )

  it.effect("reads the documented variables, and hides secrets", () =>
    Effect.gen(function*() {
      const config = yield* read({
        SYMPHONY_HOST: "a.b",
        SYMPHONY_SCHEME: "http",
        SYMPHONY_PORT: "8080",
        SYMPHONY_CONTEXT: "x",
        SYMPHONY_AGENT_HOST: "c.d",
        SYMPHONY_AGENT_SCHEME: "https",
        SYMPHONY_AGENT_PORT: "8443",
        SYMPHONY_AGENT_CONTEXT: "y",
        SYMPHONY_KEY_MANAGER_HOST: "e.f",
        SYMPHONY_BOT_USERNAME: "bot",
        SYMPHONY_BOT_PRIVATE_KEY: "hush-bot",
        SYMPHONY_APP_ID: "app",
        SYMPHONY_APP_PRIVATE_KEY: "hush-app"
      })
      assert.deepStrictEqual(urlsOf(config), ["http://a.b:8080/x", "https://c.d:8443/y", "http://e.f:8080/x"])
      assert.deepStrictEqual([config.bot?.username, config.app?.appId, config.issues], ["bot", "app", []])
      assert.deepStrictEqual(
        [Redacted.value(config.bot!.privateKey), Redacted.value(config.app!.privateKey)],
        ["hush-bot", "hush-app"]
      )
      assert.notMatch(JSON.stringify(config), /hush/)
    }))

  it.effect("requires only a host, and takes another Config for an option", () =>
    Effect.gen(function*() {
      const config = yield* read({ HERE: "a.b", WAIT: "3 seconds" }, {
        host: Config.String("HERE"),
        requestTimeout: Config.Duration("WAIT")
      })
      assert.deepStrictEqual(urlsOf(config), ["https://a.b:443", "https://a.b:443", "https://a.b:443"])
      assert.deepStrictEqual([config.bot, config.app], [undefined, undefined])
      assert.strictEqual(Duration.toSeconds(config.requestTimeout), 3)
    }))

  it.effect.each<readonly [Record<string, string>, string]>([
    [{}, "SYMPHONY_HOST"],
    [{ SYMPHONY_HOST: "a.b", SYMPHONY_PORT: "x" }, "SYMPHONY_PORT"],
    [{ SYMPHONY_HOST: "a.b", SYMPHONY_AGENT_SCHEME: "ftp" }, "SYMPHONY_AGENT_SCHEME"],
    [{ SYMPHONY_HOST: "a.b", SYMPHONY_BOT_USERNAME: "bot" }, "SYMPHONY_BOT_PRIVATE_KEY"],
    [{ SYMPHONY_HOST: "a.b", SYMPHONY_BOT_PRIVATE_KEY: "hush" }, "SYMPHONY_BOT_USERNAME"],
    [{ SYMPHONY_HOST: "a.b", SYMPHONY_APP_PRIVATE_KEY: "hush" }, "SYMPHONY_APP_ID"]
  ])("reads %j and names %s in its error", ([values, name]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read(values))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, name)
      assert.notInclude(error.message, "hush")
    }))
})

describe("SymphonyConfig.layerFile", () => {
  /** Reads a file of a folder with a key beside it. */
  const read = (text: string, values: Record<string, string> = {}, name = "config.yaml") =>
    Effect.gen(function*() {
      const { makeTempDirectoryScoped, writeFileString } = yield* FileSystem.FileSystem
      const { join } = yield* Path.Path
      const folder = yield* makeTempDirectoryScoped()
      yield* writeFileString(join(folder, name), text)
      yield* writeFileString(join(folder, "bot.pem"), keys.bot.privateKey)
      yield* writeFileString(join(folder, "hush.txt"), "hush")
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        logged.push(`${logLevel} ${String(message).replace(folder, "")}`)
      })
      const config = yield* Effect.provide(
        SymphonyConfig.SymphonyConfig,
        SymphonyConfig.layerFile(join(folder, name)).pipe(
          Layer.provide(Layer.merge(environment(values), Logger.layer([logger])))
        )
      )
      return { config, logged, folder }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

  const detailsOf = (text: string, values: Record<string, string> = {}) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read(text, values))
      if (error._tag !== "SymphonyConfigError") return yield* Effect.die(error)
      assert.notMatch(JSON.stringify(error) + String(error), /hush/)
      return error.details.map(({ location, message }) => `${location}: ${message.replace(/\/\S*\//, "…/")}`)
    })

  it.effect("reads a YAML file of the vendor's kits", () =>
    Effect.gen(function*() {
      const { config, logged } = yield* read(`
# the kit's own
_version: "1.0"
scheme: https
host: acme.symphony.com
port: 8443
context: /x
readTimeout: 30000
connectionTimeout: 15000
connectionPoolMax: 20
defaultHeaders:
  X-Count: 7
pod: {host: pod.acme.com, defaultHeaders: {X-Pod: "yes"}}
agent:
  port: 443
keyManager:
  host: keys.acme.com
  context: ""
sessionAuth:
  host: anything at all
bot:
  username: bot
  privateKey:
    path: bot.pem
app:
  appId: 1234
  privateKey:
    content: |
      -----BEGIN PRIVATE KEY-----
      x
      -----END PRIVATE KEY-----
  certificate: {path: "", password: }
retry: {maxAttempts: 3, initialIntervalMillis: 100, multiplier: 1.5, maxIntervalMillis: 1000}
datafeed:
  version: v2
  retry: {maxAttempts: -1}
`)
      assert.deepStrictEqual(urlsOf(config), [
        "https://pod.acme.com:8443/x",
        "https://acme.symphony.com:443/x",
        "https://keys.acme.com:8443"
      ])
      assert.deepStrictEqual([config.pod.headers, config.agent.headers], [{ "x-pod": "yes" }, { "x-count": "7" }])
      assert.strictEqual(config.bot?.username, "bot")
      assert.strictEqual(Redacted.value(config.bot!.privateKey), keys.bot.privateKey)
      assert.strictEqual(config.app?.appId, "1234")
      assert.match(Redacted.value(config.app!.privateKey), /^-----BEGIN PRIVATE KEY-----\nx\n/)
      assert.strictEqual(Duration.toMillis(config.requestTimeout), 30_000)
      assert.deepStrictEqual(config.issues, [])
      const unused = "connectionTimeout, connectionPoolMax, sessionAuth, datafeed.version"
      assert.deepStrictEqual(logged, [`Warn /config.yaml: ${unused} is not known, or has no effect here`])
    }))

  it.effect("logs one warning that names unknown and unused settings", () =>
    Effect.gen(function*() {
      const { logged } = yield* read(`
host: a.b
hosst: typo
pod: {hots: c.d, connectionTimeout: 5, port: 1}
agent: {loadBalancing: null, contxt: x}
bot: {username: bot, privateKey: {path: bot.pem, pasword: x}, certificate: {path: "", password: }, name: y}
retry: {maxAttempt: 3, multiplier: 2}
datafeed: {version: v2, includeInvisible: true, idFilePath: "", retry: {maxInterval: 5}}
proxy: {host: p, anything: 1}
constructor: {}
__proto__: x
toString: 1
empty: {a: , b: {}}
`)
      assert.deepStrictEqual(logged, [
        "Warn /config.yaml: proxy is for the transport to heed, and not heeded here; hosst, pod.hots, " +
        "pod.connectionTimeout, agent.contxt, bot.privateKey.pasword, bot.name, retry.maxAttempt, datafeed.version, " +
        "datafeed.includeInvisible, datafeed.retry.maxInterval, __proto__, toString is not known, or has no effect here"
      ])
    }))

  it.effect("logs nothing when every setting is used", () =>
    Effect.gen(function*() {
      const { logged } = yield* read("_version: '1'\nhost: a.b\nretry: {maxAttempts: 3}\nreadTimeout: 5")
      assert.deepStrictEqual(logged, [])
    }))

  it.effect.each([
    "1e3",
    "1.10",
    "12345678901234567890",
    "1_000",
    "007",
    "0x10",
    "+5",
    "-1",
    ".5",
    ".inf",
    "True",
    "1"
  ])("reads a name as text as it is written: %s", (name) =>
    Effect.gen(function*() {
      const key = "privateKey: {path: bot.pem}"
      for (
        const text of [
          `host: a.b\nbot:\n  username: ${name}\n  ${key}\ndefaultHeaders:\n  X-A: ${name} # a comment\n`,
          `{host: a.b, bot: {username: ${name}, ${key}}, defaultHeaders: {X-A: ${name}}}`,
          `host: a.b\r\nbot:\r\n  ${key}\r\n  'username': ${name}\r\ndefaultHeaders: {X-A: ${name} }\r\n`
        ]
      ) {
        const { config } = yield* read(text)
        assert.deepStrictEqual([config.bot?.username, config.pod.headers["x-a"]], [name, name])
      }
      if (!/^-?[1-9]/.test(name) || name.includes("_")) return
      const { config } = yield* read(
        `{"host":"a.b", "bot": {"username":${name},"privateKey":{"path":"bot.pem"}},"port" : 8443}`
      )
      assert.deepStrictEqual([config.bot?.username, config.pod.url], [name, "https://a.b:8443"])
    }))

  it.effect("leaves text within quotes alone when it looks like settings", () =>
    Effect.gen(function*() {
      const { config } = yield* read(
        `host: a.b\nport: 1\ndefaultHeaders: {X-A: "x, port: 1, y", X-B: 'a, b: 1.10'}\nbot: {username: "a, b: 1.10, c", ` +
          "privateKey: {path: bot.pem}}"
      )
      assert.deepStrictEqual(config.pod.headers, { "x-a": "x, port: 1, y", "x-b": "a, b: 1.10" })
      assert.strictEqual(config.bot?.username, "a, b: 1.10, c")
    }))

  it.effect("reads JSON, and ignores nulls", () =>
    Effect.gen(function*() {
      const { config } = yield* read(
        JSON.stringify({
          host: "a.b",
          port: null,
          proxy: null,
          agent: null,
          bot: null,
          app: { appId: null },
          retry: null
        }),
        {},
        "config.json"
      )
      assert.deepStrictEqual(urlsOf(config), ["https://a.b:443", "https://a.b:443", "https://a.b:443"])
      assert.deepStrictEqual([config.bot, config.app, config.issues], [undefined, undefined, []])
    }))

  it.effect("replaces variables, with defaults and escapes", () =>
    Effect.gen(function*() {
      const { config } = yield* read(
        `
host: \${TENANT}.symphony.\${TLD:-com}
port: \${PORT:-443}
context: \${NOTHING:-}
bot: {username: "$\${x}-\${TENANT}-\${TENANT}", privateKey: {path: "\${KEY}.pem"}}
defaultHeaders: {a: "$TENANT {TENANT} $\${TENANT:-b}"}
ignored: \${UNKNOWN}
`,
        { TENANT: "acme", KEY: "bot" }
      )
      assert.strictEqual(config.pod.url, "https://acme.symphony.com:443")
      assert.strictEqual(config.bot?.username, "${x}-acme-acme")
      assert.deepStrictEqual(config.pod.headers, { a: "$TENANT {TENANT} ${TENANT:-b}" })
    }))

  it.effect("does not replace variables within the value of a variable", () =>
    Effect.gen(function*() {
      const { config } = yield* read("host: a.b\ncontext: x\ndefaultHeaders: {a: \"${A}\"}", { A: "$${B} ${B}" })
      assert.deepStrictEqual(config.pod.headers, { a: "$${B} ${B}" })
    }))

  it.effect.each<readonly [string, ReadonlyArray<string>]>([
    ["bot: {username: b}", ["bot.privateKey: is missing: it needs path or content"]],
    ["bot: {privateKey: {path: bot.pem}}", ["bot.username: is missing"]],
    ["app: {privateKey: {path: bot.pem}}", ["app.appId: is missing"]],
    [
      "bot: {username: b, privateKey: {path: bot.pem, content: hush}}",
      ["bot.privateKey: has both path and content: take one of them out"]
    ],
    [
      "bot: {username: b, privateKey: {path: none.pem}}",
      ["bot.privateKey.path: cannot be read from …/none.pem (NotFound)"]
    ],
    ["bot: {username: b, privateKey: {path: hush.txt}}", ["bot.privateKey: is not PEM"]],
    ["app: {appId: b, privateKey: {content: hush}}", ["app.privateKey: is not PEM"]],
    [
      "bot: {username: b, certificate: {path: c.p12, password: hush}}",
      ["bot.certificate: is the only proof, and logins with certificates are not offered: set privateKey"]
    ],
    [
      "app: {appId: b, privateKey: {path: bot.pem}, certificate: {path: c.pem}}",
      ["app.certificate: is set beside privateKey: take one of them out"]
    ],
    ["port: many\nscheme: ftp", ["port: must be a finite number", "scheme: must be \"http\" | \"https\""]],
    ["bot: hush", ["bot: must be object"]],
    ["agent: {port: \"${PORT}\"}", ["agent.port: refers to PORT, which is not set"]],
    ["agent: {port: 70000}", ["agent.port: is not a port"]],
    ["agent: {loadBalancing: {mode: random}}", ["agent.loadBalancing: is not offered: give the agent one host"]],
    ["retry: {multiplier: 0.5}", ["retry.multiplier: is 0.5, not a number of 1 or more"]],
    ["datafeed: {retry: {initialIntervalMillis: 0, maxAttempts: -1}}", [
      "datafeed.retry.initialIntervalMillis: is 0, not a positive, finite duration"
    ]],
    ["readTimeout: -1", ["readTimeout: is -1, not a positive, finite duration"]],
    ["defaultHeaders: {a b: 1}", ["defaultHeaders.a b: is not a valid header"]],
    ["symphony:\n  host: a.b\n  bot: {username: b}", [
      "symphony: holds the settings, which have to be one level up, at the root of the file"
    ]],
    ["{\"_version\": \"1\", \"config\": {\"pod\": {\"host\": \"a.b\"}}}", [
      "config: holds the settings, which have to be one level up, at the root of the file"
    ]],
    ["username: b\nprivateKey: {path: bot.pem}", ["username: stands at the root of the file, and belongs in bot"]],
    ["appId: b", ["appId: stands at the root of the file, and belongs in app"]],
    ["hosst: a.b\nbott: {username: b}", [
      "undefined: has no setting of a configuration at its root, such as host or bot"
    ]],
    ["[{host: a.b}]", ["undefined: must be object"]],
    ["just words", ["undefined: must be object"]],
    ["", ["undefined: must be object"]],
    ["host: a\nhost: b", ["undefined: is neither JSON nor YAML: Duplicate key 'host' at line 2"]],
    ["ssl: {trustStore: {password: *hush}}", [
      "undefined: is neither JSON nor YAML: Unknown alias: a value that begins with * must be in quotes at flow offset 29"
    ]],
    ["proxy:\n  password: *hush", [
      "undefined: is neither JSON nor YAML: Unknown YAML alias: a value that begins with * must be in quotes"
    ]],
    ["{\"bot\": \"hush\" hush}", ["undefined: is neither JSON nor YAML: Expected ',' at flow offset 15"]]
  ])("reports the issues of %j", ([text, details]) =>
    Effect.gen(function*() {
      const found = yield* detailsOf(text)
      assert.deepStrictEqual([...found].sort(), [...details].sort())
    }))

  it.effect("names the file and the setting in its error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read("agent: {port: 70000}"))
      assert.match(
        error.message,
        /^The configuration file \/.*\/config\.yaml is not valid: agent\.port is not a port\. Correct these settings\.$/
      )
    }))

  it.effect("fails with PlatformError when the file does not exist", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provide(SymphonyConfig.SymphonyConfig, SymphonyConfig.layerFile("/nowhere/config.yaml"))
      )
      assert.strictEqual(error._tag, "PlatformError")
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("warns of settings that the transport would have to apply", () =>
    Effect.gen(function*() {
      const { config, logged } = yield* read(`
host: a.b
proxy: {host: proxy, port: 3128, username: u, password: hush}
agent: {proxy: {host: other}}
ssl: {trustStore: {path: ca.pem}}
commonJwt: {enabled: true}
`)
      assert.deepStrictEqual(config.issues, [])
      assert.deepStrictEqual(logged, [
        "Warn /config.yaml: agent.proxy, proxy, ssl, commonJwt is for the transport to heed, and not heeded here"
      ])
    }))

  it.effect("gives a configuration that a bot can log in with", () =>
    Effect.gen(function*() {
      const { config } = yield* read("host: a.b\nbot: {username: bot, privateKey: {path: bot.pem}}")
      assert.strictEqual(
        yield* Effect.provide(
          whoAmI,
          Session.layer().pipe(
            Layer.provideMerge(Layer.succeed(SymphonyConfig.SymphonyConfig, config)),
            Layer.provideMerge(pod())
          )
        ),
        "bot"
      )
    }))

  it.effect("NodeSymphony.layerFile needs no other layer", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provide(SymphonyConfig.SymphonyConfig, NodeSymphony.layerFile("/nowhere/config.yaml"))
      )
      assert.strictEqual(error._tag, "PlatformError")
      const config = yield* Effect.provide(SymphonyConfig.SymphonyConfig, NodeSymphony.layer({ host: "a.b", bot }))
      assert.strictEqual(config.pod.url, "https://a.b:443")
      const other = yield* Effect.provide(
        SymphonyConfig.SymphonyConfig,
        Layer.provide(NodeSymphony.layerConfig(), environment({ SYMPHONY_HOST: "c.d" }))
      )
      assert.strictEqual(other.pod.url, "https://c.d:443")
    }))
})
