/**
 * Whatever is passed to a public function, in whatever place: no defect, and no request that leaves the path of its
 * endpoint. The functions are found in the modules themselves: one without an example here fails the test.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as CursorStore from "effect-herald/CursorStore"
import * as pubnub from "effect-herald/pubnub"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { isPut } from "../simulation/seeds.ts"

const timetoken = "17900000000000001"
const token = Redacted.make("p0F2AkF0GmgvHt5DdHRsAQ==")
const Person = Schema.Struct({ name: Schema.String })
const options = { channels: ["a", "b"], groups: ["g"], filter: "x == 1", presence: true, from: timetoken, capacity: 10 }
const page = {
  limit: 5,
  totalCount: true,
  next: "MQ",
  filter: "id == 'a'",
  sort: ["updated:desc"],
  include: ["custom"]
}
const fields = { name: "n", status: "s", type: "t", custom: { a: "b" }, include: ["custom"], ifMatchesEtag: "e" }
const member = { userId: "x", status: "s", type: "t", custom: { a: 1 } }
const membership = { channelId: "x", status: "s", type: "t", custom: { a: 1 } }
const ranged = { channel: "a", since: timetoken, before: "17900000000000009" }
const message = { channel: "a", message: { x: ["y"] }, meta: { m: 1 }, customMessageType: "label" }
const nothing = () => ({})
const durable = { reader: "r", concurrency: 2 }
const configured = {
  subscribeKey: "s",
  publishKey: "p",
  userId: "u",
  origin: "host",
  tls: true,
  requestTimeout: 1_000,
  pollTimeout: "1 second",
  maxMessageSize: 1,
  maxSignalSize: 1,
  maxUrlSize: 1_000,
  queueLength: 1,
  queueRetention: 1_000,
  historyRetention: 1_000,
  historyRate: 1,
  presenceTimeout: 20_000,
  heartbeatInterval: 5_000,
  sendLeave: true,
  requestIds: true,
  instanceId: "i",
  partnerId: "p"
}

const file = { channel: "a", id: "i", name: "n" }
const once = { base: "1 second", maxAttempts: 1 }

const apns = { _tag: "Apns", token: "aa", topic: "t", environment: "production" }

/** How each function is called: every parameter that it has is among the arguments. */
const examples: { readonly [name: string]: ReadonlyArray<unknown> } = {
  "Access.explain": [token, { operation: "Publish.publish", channels: ["a"], groups: ["g"], users: ["u"], user: "u" }],
  "Access.explain right": [token, { kind: "channel", name: "a", right: "read", user: "u" }],
  "Access.grant": [{
    ttl: "1 hour",
    user: "u",
    channels: { a: ["read"] },
    groups: { g: ["manage"] },
    users: { u: ["get"] },
    patterns: { channels: { "^a$": ["read"] } },
    categories: { channels: ["get"] },
    meta: { a: 1 }
  }],
  "Access.revoke": [token],
  "AccessToken.parse": [token],
  "ChannelName.isPresence": ["a"],
  "ChannelName.isWildcard": ["a"],
  "ChannelName.issue": ["a"],
  "ChannelName.presenceOf": ["a"],
  "ChannelName.subscriptionIssue": ["a"],
  "ChannelName.withoutPresence": ["a"],
  "ChannelGroups.addChannels": [{ group: "g", channels: ["a", "b"] }],
  "ChannelGroups.remove": [{ group: "g" }],
  "ChannelGroups.listChannels": [{ group: "g" }],
  "ChannelGroups.removeChannels": [{ group: "g", channels: ["a"] }],
  "Channels.get": [{ id: "a", include: ["custom"] }],
  "Channels.list": [page],
  "Channels.live": [{ id: "a" }],
  "Channels.remove": [{ id: "a" }],
  "Channels.set": [{ id: "a", description: "d", ...fields }],
  "Channels.stream": [{ filter: page.filter, sort: page.sort, include: page.include, pageSize: 5 }],
  "Channels.update": [{ id: "a", custom: "merge" }, nothing],
  "ObjectFilter.and": [pubnub.ObjectFilter.equals("id", "a"), pubnub.ObjectFilter.equals("id", "b")],
  "ObjectFilter.equals": ["id", "a"],
  "ObjectFilter.greaterThan": ["id", "a"],
  "ObjectFilter.greaterThanOrEqualTo": ["id", "a"],
  "ObjectFilter.lessThan": ["id", "a"],
  "ObjectFilter.lessThanOrEqualTo": ["id", "a"],
  "ObjectFilter.like": ["id", "a"],
  "ObjectFilter.not": [pubnub.ObjectFilter.equals("id", "a")],
  "ObjectFilter.notEquals": ["id", "a"],
  "ObjectFilter.or": [pubnub.ObjectFilter.equals("id", "a"), pubnub.ObjectFilter.equals("id", "b")],
  "ObjectFilter.print": [
    pubnub.ObjectFilter.and(
      pubnub.ObjectFilter.equals("id", "a"),
      pubnub.ObjectFilter.not(pubnub.ObjectFilter.like("x", "b"))
    )
  ],
  "Encryption.Encryption": [],
  "Encryption.layer": [{ keys: [token, token], legacy: "static", writeLegacy: false, plain: "reject" }],
  "Encryption.make": [{ key: token, legacy: "none", plain: "accept" }],
  "Files.announce": [{
    ...file,
    message: "m",
    meta: { a: 1 },
    store: true,
    ttl: "1 hour",
    customMessageType: "label",
    retry: once
  }],
  "Files.download": [file, { maxSize: 5, retry: once }],
  "Files.downloadBytes": [{ channel: "a", file: { id: "i", name: "n" } }, { maxSize: 5, retry: once }],
  "Files.downloadText": [file, { maxSize: 5, retry: once }],
  "Files.findAnnouncement": [{ ...file, since: timetoken }],
  "Files.list": [{ channel: "a", limit: 5 }],
  "Files.remove": [file],
  "Files.send": [{
    channel: "a",
    name: "n",
    content: "x",
    contentType: "text/plain",
    message: "m",
    meta: { a: 1 },
    store: true,
    ttl: "1 hour",
    customMessageType: "label",
    settleUnknown: false,
    uploadTimeout: "1 second",
    retry: once
  }],
  "Files.stream": [{ channel: "a", pageSize: 5 }],
  "Files.url": [file],
  "RenewingToken.make": [Effect.succeed(token), { margin: "1 minute", retry: { base: "1 second" } }],
  "History.count": [{ channels: ["a", "b"], after: { a: timetoken, b: timetoken } }],
  "History.list": [{ ...ranged, limit: 5, include: ["meta", "actions"] }],
  "History.listByChannel": [{ channels: ["a", "b"], since: timetoken, limit: 5, include: [] }],
  "History.remove": [ranged],
  "History.remove all": [{ channel: "a", all: true }],
  "History.stream": [{ ...ranged, order: "oldestFirst", include: ["meta", "actions"] }],
  "Members.list": [{ channel: "a", ...page }],
  "Members.live": [{ channel: "a" }],
  "Members.manage": [{ channel: "a", set: ["w", member], remove: ["y", { userId: "z" }], limit: 5 }],
  "Members.remove": [{ channel: "a", users: ["x", { userId: "y" }], ...page }],
  "Members.set": [{ channel: "a", users: ["y", member], ...page }],
  "Members.stream": [{ channel: "a", pageSize: 5, include: ["user.custom"] }],
  "Members.update": [{ channel: "a", userId: "u", custom: "merge" }, nothing],
  "Memberships.list": [{ userId: "u", ...page }],
  "Memberships.live": [{ userId: "u" }],
  "Memberships.manage": [{ userId: "u", set: ["w", membership], remove: ["y", { channelId: "z" }], limit: 5 }],
  "Memberships.remove": [{ userId: "u", channels: ["x", { channelId: "y" }] }],
  "Memberships.set": [{ userId: "u", channels: ["y", membership], ...page }],
  "Memberships.stream": [{ userId: "u", pageSize: 5, include: ["channel.custom"] }],
  "Memberships.update": [{ userId: "u", channel: "a", custom: "merge" }, nothing],
  "MessageActions.add": [{ channel: "a", messageTimetoken: timetoken, type: "reaction", value: "x" }],
  "MessageActions.live": [{ channel: "a", messages: [timetoken] }],
  "MessageActions.live last": [{ channel: "a", last: 2 }],
  "MessageActions.list": [{ ...ranged, limit: 5 }],
  "MessageActions.remove": [{ channel: "a", messageTimetoken: timetoken, actionTimetoken: timetoken }],
  "MessageActions.stream": [{ ...ranged, order: "oldestFirst", pageSize: 5 }],
  "Presence.live": [{ channel: "a", include: ["state"] }],
  "Presence.getState": [{ channels: ["a"], groups: ["g"], userId: "u", schema: Person }],
  "Presence.hereNow": [{ channels: ["a"], groups: ["g"], include: ["users", "state"], limit: 5, offset: 1 }],
  "Presence.setState": [{ channels: ["a"], groups: ["g"], userId: "u", state: { a: { b: 1 } } }],
  "Presence.stream": [{ channel: "a", include: ["state"], pageSize: 5 }],
  "Presence.whereNow": [{ userId: "u" }],
  "Push.addChannels": [{ device: apns, channels: ["a", "b"] }],
  "Push.listChannels": [{ device: apns }],
  "Push.removeChannels": [{ device: apns, channels: ["a"] }],
  "Push.removeDevice": [{ device: apns }],
  "PushDevice.apns": [{ token: "aa", topic: "t", environment: "production" }],
  "PushDevice.fcm": ["f"],
  "PushPayload.make": [{
    title: "t",
    body: "b",
    badge: 1,
    sound: "default",
    data: { a: "b" },
    fcm: { image: "https://example.com/a.png", collapseKey: "k", ttl: "1 hour" },
    apns: {
      topics: [{ topic: "t", environment: "production" }],
      authMethod: "token",
      collapseId: "i",
      subtitle: "s",
      pushType: "alert"
    },
    exclude: [apns]
  }],
  "Publish.fire": [{ ...message, method: "GET" }],
  "Publish.prepare": [message],
  "Publish.publish": [{ ...message, method: "GET", store: true, ttl: "1 hour", replicate: false }],
  "Publish.publish typed": [{ channel: "a", message: { name: "x" }, schema: Person }],
  "Publish.signal": [{ channel: "a", message: "x", customMessageType: "label" }],
  "Publish.size": [message],
  "Publisher.enqueue": [message],
  "Publisher.make": [{ capacity: 1, rateLimit: { limit: 5, window: "1 second" }, flushTimeout: 10, messageIds: true }],
  "Publisher.publish": [{ ...message, method: "GET", store: true, ttl: "1 hour", replicate: false }],
  "PubNubConfig.layer": [configured],
  "PubNubConfig.layerConfig": [],
  "PubNubConfig.make": [configured],
  "Publisher.layer": [{ capacity: 1, rateLimit: { limit: 5, window: 10 }, flushTimeout: 10, messageIds: true }],
  "Subscribe.messageActions": [options],
  "Subscribe.channels": [options],
  "Subscribe.consume": [() => Effect.void, { ...options, ...durable }],
  "Subscribe.consumePages": [() => Effect.void, { ...options, ...durable }],
  "Subscribe.files": [options],
  "Subscribe.memberships": [options],
  "Subscribe.messages": [options],
  "Subscribe.pages": [{ ...options, ...durable }],
  "Subscribe.presence": [options],
  "Subscribe.signals": [options],
  "Subscribe.statuses": [options],
  "Subscribe.stream": [{ ...options, state: { a: { x: 1 } }, catchUp: { within: "1 minute" } }],
  "Subscribe.subscriptionSet": [options],
  "Subscribe.users": [options],
  "Subscriber.layer": [],
  "Subscription.channel": ["a"],
  "Subscription.channelMetadata": ["a"],
  "Subscription.group": ["a"],
  "Subscription.userMetadata": ["a"],
  "Timetoken.fromBigInt": [17900000000000001n],
  "Timetoken.fromDateTime": [DateTime.makeUnsafe(0)],
  "Users.get": [{ id: "a", include: ["custom"] }],
  "Users.list": [page],
  "Users.live": [{ id: "a" }],
  "Users.remove": [{ id: "a" }],
  "Users.set": [{ id: "a", email: "e", profileUrl: "p", externalId: "x", ...fields }],
  "Users.stream": [{ filter: page.filter, sort: page.sort, include: page.include, pageSize: 5 }],
  "Users.update": [{ id: "a", custom: "merge" }, nothing]
}

/** What takes a value that this library made, or a schema as a module has it, and no input. */
const withoutInput = [
  /^(SubscribeEvent|SubscribeStatus|PubNubError|SubscribeError|AppContext)\./,
  /^Subscription\.(hears|isSame)$/,
  /^Timetoken\.(Order|toBigInt|toDateTime)$/,
  /\.withCustom$/
]

const deep = () => {
  let value: unknown = 1
  for (let level = 0; level < 8_000; level++) value = [value]
  return value
}

const cyclic: Array<unknown> = []
cyclic.push(cyclic)

const thrower = {
  toJSON: () => {
    throw new Error("toJSON")
  },
  toString: () => {
    throw new Error("toString")
  },
  get channel() {
    throw new Error("a getter")
  },
  get id() {
    throw new Error("a getter")
  }
}

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}

const nasty: ReadonlyArray<unknown> = [
  "\ud800",
  "\udfff x",
  "",
  " ",
  ".",
  "..",
  "../../x",
  "a/b",
  "/",
  "\\",
  "?x",
  "a?b=c&d",
  "#",
  "a#b",
  "%",
  "%2e%2e",
  "\u0000",
  "a\r\nb",
  "\u001b[2J",
  "x".repeat(100_000),
  "__proto__",
  "constructor",
  "toString",
  "\u202egnp",
  "👩‍👩‍👧‍👦",
  ",",
  "a,b",
  "*",
  "a.*",
  "a-pnpres",
  "@host",
  "//host/path",
  "http://evil/",
  ";",
  "'\"",
  "\u2028",
  "\ufeff",
  "undefined",
  undefined,
  null,
  true,
  0,
  -0,
  NaN,
  Infinity,
  -1,
  1.5,
  2 ** 53,
  10n,
  Symbol("s"),
  Symbol.iterator,
  () => "f",
  {},
  [],
  [[]],
  [null],
  [undefined],
  ["\ud800"],
  { length: 1 },
  new Map([["a", 1]]),
  new Set("a"),
  new Date(NaN),
  Object.create(null),
  deep(),
  cyclic,
  thrower,
  [thrower],
  revoked(),
  Promise.resolve(1),
  /x/,
  new Uint8Array(2),
  Option.none(),
  Option.some("x"),
  Effect.die("no effect of ours")
]

/** The arguments with one place after another put to something else. */
const places = (value: unknown): ReadonlyArray<(put: unknown) => unknown> => {
  if (Schema.isSchema(value) || typeof value !== "object" || value === null || DateTime.isDateTime(value)) {
    return [(put) => put]
  }
  const below = Object.entries(value).flatMap(([key, part]) =>
    places(part).map((place) => (put: unknown) =>
      Array.isArray(value)
        ? value.map((item: unknown, index) => String(index) === key ? place(put) : item)
        : { ...value, [key]: place(put) }
    )
  )
  return [(put) => put, ...below]
}

/** What is asked for, and the host it goes to. */
const recording = (seen: Array<URL>) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) => {
      seen.push(url)
      const body = JSON.stringify({ status: 400, error: true, message: "no" })
      return Effect.succeed(Exchange.response(request, { status: 400, headers: {}, body }))
    })
  )

const config = pubnub.PubNubConfig.layer({ subscribeKey: "sub", publishKey: "pub", userId: "ada", origin: "emulator" })

// A function without effects may give back what it was given: a proxy that no guard can look at.
const isPlain = (made: unknown) => typeof made !== "object" || nasty.includes(made)

type Needs =
  | HttpClient.HttpClient
  | pubnub.PubNubConfig.PubNubConfig
  | pubnub.Publisher.Publisher
  | CursorStore.CursorStore
  | Scope.Scope

const isEffect = (made: unknown): made is Effect.Effect<unknown, unknown, Needs> => Effect.isEffect(made)
const isStream = (made: unknown): made is Stream.Stream<unknown, unknown, Needs> => Stream.isStream(made)
const isLayer = (made: unknown): made is Layer.Layer<unknown, unknown, Needs> => Layer.isLayer(made)

const run = (seen: Array<URL>, call: () => unknown) =>
  Effect.suspend(() => {
    const made = call()
    const effect: Effect.Effect<unknown, unknown, Needs> = isPlain(made)
      ? Effect.succeed(made)
      : isEffect(made)
      ? made
      : isStream(made)
      ? Stream.runDrain(Stream.take(made, 1))
      : isLayer(made)
      ? Layer.build(made)
      : Effect.succeed(made)
    return Effect.asVoid(effect)
  }).pipe(
    Effect.scoped,
    Effect.provide(
      pubnub.Publisher.layer({ rateLimit: "none", flushTimeout: 0 }).pipe(
        Layer.provideMerge(Layer.mergeAll(recording(seen), config, CursorStore.layerMemory))
      )
    ),
    Effect.timeout("5 seconds"),
    Effect.exit
  )

/** The fixed parts of a path: what stands where the example has its own text may be anything but more segments. */
const shapeOf = ({ host, pathname }: URL) => `${host} ${pathname.split("/").length}`

const keywords =
  /^(v[123]|publish|signal|objects|uuids|channels?|history(-with-actions)?|message-(actions|counts)|sub-key)$/
const fixed = ({ pathname }: URL) =>
  pathname.replace("history-with-actions", "history").split("/").filter((segment) => keywords.test(segment)).join("/")

const functions = Object.entries(pubnub).flatMap(([module, exports]) =>
  Object.entries(exports).flatMap(([name, value]) => {
    const isClass = typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value))
    return typeof value === "function" && !isClass && !("ast" in value) ? [`${module}.${name}`] : []
  })
)

const isDone = (name: string) => withoutInput.some((pattern) => pattern.test(name)) || name in examples

it("has an example of every public function", () => {
  assert.deepStrictEqual(functions.filter((name) => !isDone(name)), [])
})

const functionOf = (name: string): (...args: ReadonlyArray<unknown>) => unknown => {
  const [module = "", method = ""] = name.split(" ")[0]!.split(".")
  const exports: { readonly [name: string]: unknown } = Object(Object(pubnub)[module])
  const found = exports[method]
  return typeof found === "function" ? (...args) => found(...args) : () => assert.fail(`there is no ${name}`)
}

/** Of these the errors are those of what they call: a live value reads, a publisher publishes, a layer makes. */
const callsOthers = /\.live( last)?$|^Publisher\.|\.prepare$|^Encryption\.layer$/

/** Says which function failed, where the error is of a request. */
const assertNamed = (exit: Exit.Exit<void, unknown>, name: string) => {
  const error: unknown = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) : undefined
  if (
    error instanceof CursorStore.CursorStoreError || !Predicate.hasProperty(error, "operation")
  ) return
  if (callsOthers.test(name)) assert.include(functions, error.operation)
  else assert.strictEqual(error.operation, name.split(" ")[0])
}

describe("an input that is missing as a whole", () => {
  it.live.each(Object.entries(examples))(
    "is told as what it is, in place of an object: %s",
    ([name, args]) =>
      Effect.gen(function*() {
        if (typeof args[0] !== "object") return
        for (const missing of [undefined, null]) {
          const exit = yield* run([], () => functionOf(name)(missing, ...args.slice(1)))
          const error: unknown = Exit.isFailure(exit)
            ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))
            : undefined
          if (!(error instanceof Error)) continue
          assert.notInclude(error.message, "cannot be read")
          if (error.message.includes("TypeError")) {
            assert.include(error.message, `has ${missing} in place of an object (`)
          }
        }
      })
  )
})

describe("any value in any place of the input", () => {
  it.live.each(Object.entries(examples))(
    "causes no defect, and no request outside the path of its endpoint: %s",
    ([name, args]) =>
      Effect.gen(function*() {
        const call = functionOf(name)
        const usual: Array<URL> = []
        const first = yield* run(usual, () => call(...args))
        if (Exit.isFailure(first)) assert.isFalse(Cause.hasDies(first.cause), String(first.cause))
        assertNamed(first, name)
        // Without names it is of the whole keyset.
        if (name === "Presence.hereNow") yield* run(usual, () => call())
        const shapes = new Set(usual.map(shapeOf))
        const words = new Set(usual.map(fixed))
        for (const [index, arg] of args.entries()) {
          const all = places(arg)
          for (const [at, place] of all.entries()) {
            for (const [which, put] of nasty.entries()) {
              if (!isPut(which, at, 2 * all.length)) continue
              const seen: Array<URL> = []
              const given = args.map((other, at) => at === index ? place(put) : other)
              const exit = yield* run(seen, () => call(...given))
              const what = () =>
                `${name}: ${
                  typeof put === "string" ? JSON.stringify(put.slice(0, 30)) : `${typeof put} no. ${which}`
                } in place ${at}`
              if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) {
                assert.fail(`${what()}\n${Cause.pretty(exit.cause)}`)
              }
              assertNamed(exit, name)
              for (const url of seen) {
                assert.isTrue(
                  shapes.has(shapeOf(url)) && words.has(fixed(url)),
                  `${what()} asks for ${url.href.slice(0, 300)}`
                )
              }
            }
          }
        }
      }),
    120_000
  )
})
