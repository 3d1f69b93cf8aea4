/**
 * No input of any type, length or depth is a defect, and no request leaves its path. The functions are found by reflection: a new
 * one has to have an example here, whose parts are replaced by everything nasty, one at a time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Symphony from "effect-herald/symphony"
import type { Session } from "effect-herald/symphony/Session"
import { isPut } from "../simulation/seeds.ts"
import { config, mid, session, sid } from "./kit.ts"

const cycle: { self?: unknown } = {}
cycle.self = cycle
const deep = (levels: number) => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}
const angry = () => {
  throw new Error("angry")
}
const proxy = new Proxy({}, { get: angry, has: angry, ownKeys: angry, getOwnPropertyDescriptor: angry })

const nasty: ReadonlyArray<unknown> = [
  "",
  " ",
  ".",
  "..",
  "../..",
  "a/b",
  "a/../../b",
  "%2e%2e",
  "a?b",
  "a#b",
  "a&b=c",
  "a\\b",
  "\ud800",
  "\udc00a",
  "\0",
  "a\r\nb: c",
  "\u2028",
  "constructor",
  "__proto__",
  "toString",
  "${a",
  "<b>",
  "&constructor;",
  "]]>",
  "=".repeat(1e4),
  "/".repeat(1e4),
  "ä".repeat(1e4),
  "<a>".repeat(8e3),
  "😀",
  0,
  -0,
  -1,
  .5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 60,
  9e15,
  true,
  false,
  null,
  undefined,
  1n,
  Symbol("s"),
  {},
  [],
  [null],
  [[]],
  () => 1,
  angry,
  cycle,
  proxy,
  deep(8e3),
  Object.create(null),
  new Date(Number.NaN),
  /a/,
  new Map([[1, 2]]),
  new Uint8Array(3),
  Redacted.make("a"),
  { toJSON: angry },
  { toString: angry },
  {
    get content() {
      return angry()
    }
  },
  { _tag: "Once" },
  { length: 1e9 },
  Effect.succeed(1),
  Stream.make(1),
  Schema.String,
  Promise.resolve(1),
  Array.from({ length: 200 }, () => "a")
]

const time = 1_700_000_000_000
const streamId = sid
const messageId = mid
const file = { name: "a.txt", content: "a", contentType: "text/plain", preview: { name: "b", content: "b" } }
const imported = {
  streamId,
  message: "a",
  data: { a: 1 },
  intendedMessageTimestamp: time,
  intendedMessageFromUserId: 1,
  originatingSystemId: "s",
  originalMessageId: "o",
  attachments: [{ name: "a", content: "a" }],
  previews: [{ name: "b", content: "b" }]
}
const posting = { message: "a", data: { a: 1 }, version: "2.0", attachments: [file], resendUnknown: false }
const searching = {
  query: { text: "a", streamId, streamType: "ROOM", author: 1, hashtag: "a", mention: 2, fromDate: time, toDate: time },
  order: "oldestFirst",
  scope: "a",
  tier: "hot"
}
const feed = { tag: "t", include: ["own", "invisible"], deleteOnEnd: false, readTimeout: "1 second" }
const consuming = {
  ...feed,
  concurrency: 1,
  retry: Schedule.recurs(1),
  deadLetter: () => Effect.void,
  onStatus: () => Effect.void
}
const place = { scheme: "https", host: "a.b", port: 443, context: "c", headers: { "x-a": "b" } }
const key = Redacted.make("-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----")
const retry = { maxAttempts: 1, base: 1, factor: 1, cap: 1 }
const options = {
  ...place,
  pod: place,
  agent: place,
  keyManager: place,
  bot: { username: "b", privateKey: key },
  app: { appId: "a", privateKey: key },
  retry,
  reconnect: retry,
  requestTimeout: "1 second"
}
const field = { name: "n", label: "l", required: true, placeholder: "p", masked: false, value: "v", checked: true }

/** Arguments of each function that are right. */
const examples: { readonly [name: string]: ReadonlyArray<unknown> } = {
  "Attachment.once": [Stream.make(new Uint8Array(1))],
  "Attachments.streamAttachment": [{ streamId, messageId, attachmentId: "f" }],
  "Attachments.getAttachment": [{ streamId, messageId, attachmentId: "f" }],
  "Attachments.streamAttachments": [{ streamId, since: time, until: time, order: "oldestFirst", pageSize: 1 }],
  "Attachments.listAttachments": [{ streamId, since: time, until: time, order: "oldestFirst", limit: 1 }],
  "Datafeed.consume": [() => Effect.void, consuming],
  "Datafeed.consumePages": [() => Effect.void, consuming],
  "Datafeed.messages": [{ ...feed, onStatus: () => Effect.void }],
  "Datafeed.stream": [feed],
  "Datafeed.pages": [feed],
  "Ids.issue": [sid],
  "Ids.toStandard": [sid],
  "Ids.toUrlSafe": [sid],
  "MessageML.bold": ["a", 1],
  "MessageML.bulletList": ["a", "b"],
  "MessageML.button": [{ name: "n", type: "action" }, "a"],
  "MessageML.card": [{ header: ["a"], body: ["b"], iconSrc: "c" }],
  "MessageML.cashtag": ["a"],
  "MessageML.cell": ["a"],
  "MessageML.checkbox": [field, "a"],
  "MessageML.code": ["a"],
  "MessageML.datePicker": [field],
  "MessageML.emoji": ["a"],
  // Its schema is a part of the program, and no input.
  "MessageML.entity": [],
  "MessageML.escape": ["a"],
  "MessageML.form": ["id", "a"],
  "MessageML.group": ["a"],
  "MessageML.hashtag": ["a"],
  "MessageML.headerCell": ["a"],
  "MessageML.heading": [1, "a"],
  "MessageML.image": ["a"],
  "MessageML.isMarkup": ["a"],
  "MessageML.italic": ["a"],
  "MessageML.item": ["a"],
  "MessageML.link": ["a", "b"],
  "MessageML.mention": [{ userId: 1, strict: true }],
  "MessageML.messageML": [Object.assign(["a", "b", "c"], { raw: ["a", "b", "c"] }), "x", ["y"]],
  "MessageML.numberedList": ["a", "b"],
  "MessageML.option": [{ value: "a", selected: true }, "b"],
  "MessageML.paragraph": ["a"],
  "MessageML.personSelector": [field],
  "MessageML.preformatted": ["a"],
  "MessageML.radio": [field, "a"],
  "MessageML.read": [{ message: "<div>a</div>", data: "{\"a\":{\"type\":\"com.symphony.emoji\"}}" }],
  "MessageML.row": ["a"],
  "MessageML.select": [field, Symphony.MessageML.option({ value: "a" })],
  "MessageML.span": [{ class: "a" }, "a"],
  "MessageML.table": [Symphony.MessageML.row("a")],
  "MessageML.text": ["a"],
  "MessageML.textArea": [field],
  "MessageML.textField": [field],
  "MessageML.timePicker": [field],
  "MessageML.underline": ["a"],
  "MessageML.unsafe": ["a"],
  "MessageSearch.search": [{ ...searching, skip: 0, limit: 1 }],
  "MessageSearch.streamSearch": [{ ...searching, pageSize: 1 }],
  "MessageStatus.streamReceipts": [{ messageId }],
  "MessageStatus.receipts": [{ messageId, previous: "a" }],
  "MessageStatus.relationships": [{ messageId }],
  "MessageStatus.status": [{ messageId }],
  "MessageStatus.suppress": [{ messageId }],
  "Messages.blast": [{ streamIds: [streamId], ...posting }],
  "Messages.get": [{ messageId }],
  "Messages.importMessages": [{ messages: [imported], resendUnknown: false }],
  "Messages.list": [{ streamId, since: time, until: time, skip: 0, limit: 1 }],
  "Messages.stream": [{ streamId, since: time, until: time, pageSize: 1 }],
  "Messages.send": [{ streamId, ...posting }],
  "Messages.update": [{
    streamId,
    messageId,
    message: { content: "a", silent: true, attachments: [file] },
    silent: true
  }],
  // Tried as a layer.
  "Session.make": [],
  "Session.layer": [{ bot: { username: "b", privateKey: key } }],
  "Session.layerOnBehalfOf": [{ userId: 1 }],
  "SymphonyConfig.layer": [options],
  // What reads variables is a part of the program too.
  "SymphonyConfig.layerConfig": [],
  "SymphonyConfig.layerFile": ["a.json"],
  "SymphonyConfig.make": [options]
}

const isClass = (value: unknown) =>
  typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value))

const functions = Object.entries(Symphony).flatMap(([module, symbols]) =>
  Object.entries(symbols).flatMap(([name, value]: [string, unknown]) =>
    typeof value === "function" && !isClass(value) && !Schema.isSchema(value)
      ? [[`${module}.${name}`, value] as const]
      : []
  )
)

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null &&
  (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) && !Symphony.MessageML.isMarkup(value)

/** A value with each of its parts replaced, one at a time, itself first. */
const withReplaced = (value: unknown, by: unknown): ReadonlyArray<readonly [place: string, value: unknown]> => [
  ["", by],
  ...(isPlain(value)
    ? Object.keys(value).flatMap((key) =>
      withReplaced(value[key], by).map(([place, part]) => {
        const copy: Record<string, unknown> = Array.isArray(value) ? Object.assign([], value) : { ...value }
        copy[key] = part
        return [`.${key}${place}`, copy] as const
      })
    )
    : [])
]

/** Everything that is asked for, and refused. */
const paths: Array<string> = []
const refusing = HttpClient.make((request, url) =>
  Effect.sync(() => {
    paths.push(url.pathname)
    return HttpClientResponse.fromWeb(request, new Response("{\"code\":403,\"message\":\"no\"}", { status: 403 }))
  })
)
const surroundings = Layer.mergeAll(
  Layer.succeed(HttpClient.HttpClient, refusing),
  config(),
  session(),
  Path.layer,
  FileSystem.layerNoop({ readFileString: () => Effect.succeed("{\"host\":\"a.b\"}") })
)
const context = Effect.runSync(Effect.scoped(Layer.build(surroundings)))

type Services = Effect.Success<ReturnType<typeof Layer.build<Layer.Success<typeof surroundings>, never, never>>>

/** Runs what a function gave, whatever that is, or gives nothing where it is a value. */
const run = (made: unknown): Effect.Effect<unknown, unknown, never> | undefined => {
  const provided = (effect: Effect.Effect<unknown, unknown, never>) =>
    Effect.provideContext(effect, context as Services)
  if (Effect.isEffect(made)) return provided(made as Effect.Effect<unknown, unknown>)
  if (Stream.isStream(made)) return provided(Stream.runDrain(made as Stream.Stream<unknown, unknown>))
  if (Layer.isLayer(made)) {
    const asked = Symphony.Messages.get({ messageId })
    return provided(asked.pipe(Effect.provide(made as Layer.Layer<Session>)) as Effect.Effect<unknown, unknown>)
  }
  return undefined
}

describe("any input of Symphony's functions", () => {
  // The requests of a feed and of a login have no functions of their own, and are named by their modules.
  it("has an example for each exported function", () =>
    assert.deepStrictEqual(functions.map(([name]) => name).sort(), Object.keys(examples).sort()))

  it.effect.each(functions)("does not make %s die or leave its path", ([name, call]) =>
    Effect.gen(function*() {
      const args = examples[name] ?? []
      const attempt = (given: ReadonlyArray<unknown>, what: string) =>
        Effect.gen(function*() {
          let made: unknown
          try {
            made = Reflect.apply(call, undefined, given)
          } catch (error) {
            return assert.fail(`${what} throws ${error instanceof Error ? error.stack : "something"}`)
          }
          const effect = run(made)
          if (effect === undefined) return
          const exit = yield* Effect.exit(effect)
          if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) {
            assert.fail(`${what} dies of ${Cause.pretty(exit.cause)}`)
          }
          const error: unknown = Exit.isFailure(exit)
            ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))
            : undefined
          if (!/^(Datafeed|Session|SymphonyConfig)\./.test(name) && Predicate.hasProperty(error, "operation")) {
            assert.strictEqual(error.operation, name, what)
          }
        })
      paths.length = 0
      if (args.length === 0) return
      yield* attempt(args, "what is right")
      // Whose session it is, is asked where the feed leaves out what the bot did itself.
      const expected = new Set([...paths, "/pod/v2/sessioninfo"].map(shapeOf))
      for (const [index, arg] of args.entries()) {
        for (const [number, value] of nasty.entries()) {
          const places = withReplaced(arg, value)
          for (const [at, [place, replaced]] of places.entries()) {
            if (!isPut(number, at, 2 * places.length)) continue
            yield* attempt(args.with(index, replaced), `${name}(${index}${place}) with nasty ${number}`)
          }
        }
      }
      // A configuration may put a path in front.
      const strays = name.startsWith("SymphonyConfig")
        ? paths.filter((path) => !/^(\/[\w.~-]+)*\/(agent|pod|login|relay)\//.test(path) || /\/\.\.?(\/|$)/.test(path))
        : paths.filter((path) => !expected.has(shapeOf(path)))
      assert.deepStrictEqual(strays, [])
    }), 120_000)
})

/** How many segments a path has, and what it begins with. */
const shapeOf = (path: string): string => {
  const segments = path.split("/")
  return `${segments.length} ${segments.slice(0, 4).join("/")}`
}
