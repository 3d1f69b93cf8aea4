/**
 * A Symphony pod with its Agent and its key manager, in memory: what a test provides in place of the network.
 *
 * `layer` serves an `HttpClient` in the caller's own fibers. There is no socket, so virtual time and interruption reach
 * it, and the state of the pod can be read and changed through `SymphonyEmulator`. `SymphonyEmulatorServer` of
 * `effect-herald/node` puts the same state machine on a port.
 *
 * It shares no code with the client: the same mistake on both sides would hide itself.
 *
 * **What it keeps to**
 *
 * - It has the message service (all fifteen methods), logins with RSA keys, for bots and on behalf of users, and the
 *   datafeed. It makes no difference between roles: who is in a stream may do all that can be done there.
 * - Logins are verified: the signature, with the public key that was registered, and the end, by the caller's `Clock`.
 * - A request changes the state in one synchronous step; only waiting for an answer can be interrupted.
 * - It is strict where the service's limits are known, and where a service that guesses would hide a mistake: ids in
 *   paths are URL-safe, parts and properties have known names, templates in messages are refused.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import { ConnectionReset } from "./server/connection.ts"
import * as cors from "./server/cors.ts"
import * as exchange from "./server/exchange.ts"
import * as json from "./server/json.ts"
import { decode } from "./server/percent.ts"
import * as plainBody from "./server/plainBody.ts"
import * as recent from "./server/recent.ts"
import * as answers from "./symphony/answers.ts"
import { isAnswer } from "./symphony/call.ts"
import * as feeds from "./symphony/feeds.ts"
import * as jwt from "./symphony/jwt.ts"
import * as messageML from "./symphony/messageML.ts"
import type * as multipart from "./symphony/multipart.ts"
import * as operations from "./symphony/operations.ts"
import * as pods from "./symphony/pod.ts"
import { handlers } from "./symphony/routes.ts"
import * as services from "./symphony/service.ts"
import * as sessions from "./symphony/sessions.ts"

export { ConnectionReset }

/**
 * An answer on its way to the client: status, headers, and the body as text. No answer of the service is binary: files
 * are base64.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = answers.Answer

/**
 * A request as it comes over the wire: `target` is path and query, still percent-encoded, and `body` is bytes, which may
 * be compressed as `content-encoding` says: gzip or deflate. Names of headers are in lower case.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/**
 * What a request is for: `login` is every kind of it, `datafeed` everything that is done with feeds, and each other one
 * is a method of the message service, or `agentInfo` or `sessionInfo`.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = operations.Kind

/**
 * A user, or a bot.
 *
 * @category models
 * @since 0.1.0
 */
export interface User {
  /** Default: the next one, from 7000000000001 on. */
  readonly id?: number
  /** By which it logs in. */
  readonly username: string
  /** Default: the username. */
  readonly displayName?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly email?: string
  /** PEM (`BEGIN PUBLIC KEY`). Who has one can log in by it. */
  readonly publicKey?: string
}

/**
 * An extension application, which acts on behalf of every user.
 *
 * @category models
 * @since 0.1.0
 */
export interface App {
  readonly id: string
  /** PEM (`BEGIN PUBLIC KEY`). */
  readonly publicKey: string
}

/**
 * A conversation: of two (`IM`), of some (`MIM`), in a room or on a wall.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stream {
  readonly type: "IM" | "MIM" | "ROOM" | "POST"
  /** Of a room. */
  readonly name?: string
  /** Usernames; the first is who made it. */
  readonly members: readonly [string, ...ReadonlyArray<string>]
}

/**
 * A file of a message.
 *
 * @category models
 * @since 0.1.0
 */
export interface File {
  readonly name: string
  readonly content: Uint8Array
  /** Default: `application/octet-stream`. */
  readonly contentType?: string
  readonly preview?: Uint8Array
}

/**
 * A message that somebody else sends.
 *
 * @category models
 * @since 0.1.0
 */
export interface SendOptions {
  /** Where it is posted. */
  readonly streamId: string
  /** A username. */
  readonly from: string
  /** MessageML, with or without its root. */
  readonly message: string
  /** Entities, by their keys. */
  readonly data?: Readonly<Record<string, unknown>>
  /** Its files. Default: none. */
  readonly attachments?: ReadonlyArray<File>
  /** The message that it answers or hands on. */
  readonly parent?: {
    readonly messageId: string
    readonly type: "REPLY" | "FORWARD" | "REPLY_FORM"
  }
}

/**
 * Something that happens elsewhere, to be told to the readers in a stream: `SYMPHONYELEMENTSACTION`, `CONNECTIONREQUESTED`, …
 *
 * @category models
 * @since 0.1.0
 */
export interface EmitOptions {
  readonly type: string
  /** Its properties, as they are: `{ symphonyElementsAction: { … } }`. */
  readonly payload: Readonly<Record<string, unknown>>
  /** Who did it, a username. Default: nobody. */
  readonly initiator?: string
  /** It is told to who is in this stream. Default: to all users. */
  readonly streamId?: string
  readonly messageId?: string
}

/**
 * What becomes of a message at one of its readers.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiptOptions {
  readonly messageId: string
  /** A username. */
  readonly by: string
  /** Who has read a message was delivered it before. */
  readonly what: "delivered" | "read" | "emailed"
}

/**
 * A message as the pod keeps it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMessage {
  readonly messageId: string
  readonly streamId: string
  /** A username. */
  readonly from: string
  /** Milliseconds of the clock when it came, or what an import says. */
  readonly timestamp: number
  /** As it was sent. */
  readonly messageML: string
  /** As it is read. */
  readonly presentationML: string
  /** As it is read, without markup. */
  readonly text: string
  /** The entities, given and made, as JSON text. */
  readonly data: string | undefined
  readonly attachments: ReadonlyArray<File & { readonly id: string }>
  /** Whether this version left its readers alone; only an update says so. */
  readonly silent: boolean | undefined
  readonly replacing: string | undefined
  readonly replacedBy: string | undefined
  readonly imported: boolean
  readonly suppressed: boolean
}

/**
 * A stream as the pod keeps it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredStream {
  readonly streamId: string
  readonly type: "IM" | "MIM" | "ROOM" | "POST"
  readonly name: string | undefined
  /** Usernames. */
  readonly members: ReadonlyArray<string>
}

/**
 * A datafeed, and how far its reader is.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredFeed {
  readonly feedId: string
  /** A username. */
  readonly of: string
  readonly tag: string | undefined
  /** Milliseconds of the clock. */
  readonly lastRead: number
  /** How many events are not acknowledged, told or not. */
  readonly pending: number
}

/**
 * A login that went well: of a bot at the pod (`session`) or at the key manager, of an application, or on behalf of a user.
 *
 * @category models
 * @since 0.1.0
 */
export type Login = sessions.Login

/**
 * A part of a multipart body, as it came.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = multipart.Part

/**
 * A request that the emulator was given.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledRequest {
  readonly method: string
  /** Path and query, as they came. Of one that is too long, what is not. */
  readonly target: string
  /** What it is for, if that is known. */
  readonly kind: Kind | undefined
  /** As they came, but for the tokens: those that were there are `<redacted>`. */
  readonly headers: Readonly<Record<string, string>>
  /** When it came, by the caller's wall clock. */
  readonly time: DateTime.Utc
}

/**
 * Answers in place of those that the service would give.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  /** Which requests it is for, by what they are for or by themselves. Default: the next, whatever it is. */
  readonly on?: Kind | ((request: Request) => boolean)
  readonly status: number
  /** Text is sent as it is, anything else as JSON. Default: an error with the status as its code. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How many requests fail. Default 1. */
  readonly times?: number
}

/**
 * Options of the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** People and bots. Default: none. */
  readonly users?: ReadonlyArray<User>
  /** Extension applications. Default: none. */
  readonly apps?: ReadonlyArray<App>
  /** Conversations. Default: none. */
  readonly streams?: ReadonlyArray<Stream>
  /** Default `Agent-25.8.1-Linux`. */
  readonly agentVersion?: string
  /** Whether session tokens say that no token of the key manager is needed. Default: no. */
  readonly simplifiedKeyDelivery?: boolean
  /** The file types that are allowed, with their dots. */
  readonly allowedTypes?: ReadonlyArray<string>
  /**
   * How much is stored of messages with their files, and as much again for each datafeed, in bytes, and 1 KiB for each.
   * Beyond it the oldest go. Default: all is stored; `SymphonyEmulatorServer` stores 256 MiB.
   */
  readonly storedBytes?: number
  /** How many receipts are in one answer. Default 100. */
  readonly receiptsPage?: number
  /** How long a read of the datafeed waits before it is answered with nothing. Default 30 seconds. */
  readonly hold?: Duration.Input
  /** After what time events come again that were not acknowledged. Default 30 seconds. */
  readonly visibility?: Duration.Input
  /** How long a feed lives that nobody reads. Default 30 minutes. */
  readonly feedLifetime?: Duration.Input
  /** Computed for each request: how long its answer takes, after it was handled. Default: no time. */
  readonly latency?: Effect.Effect<Duration.Input>
}

/**
 * The state of the emulated pod: to read it, to change it, and to make it behave badly.
 *
 * A name or an id that the emulator does not have is a defect: it is a mistake of the test.
 *
 * **Example** (A message from elsewhere)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* SymphonyEmulator.SymphonyEmulator
 *   const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "orders-bot"] })
 *   yield* emulator.send({ streamId, from: "ada", message: "Hello <b>bot</b>" })
 *   return yield* emulator.messages(streamId)
 * }).pipe(Effect.provide(SymphonyEmulator.layer({ users: [{ username: "ada" }, { username: "orders-bot" }] })))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class SymphonyEmulator extends Context.Service<SymphonyEmulator, {
  /** Handles one request as the service would. Waits as long as a read of the datafeed is held. */
  readonly handle: (request: Request) => Effect.Effect<Answer, ConnectionReset>
  /** Adds a user or a bot, and gives its id. A public key that cannot be read is a defect. */
  readonly addUser: (user: User) => Effect.Effect<number>
  /** Adds an application. A public key that cannot be read is a defect. */
  readonly addApp: (app: App) => Effect.Effect<void>
  /** Makes a stream and gives its id, URL-safe. */
  readonly createStream: (stream: Stream) => Effect.Effect<string>
  /** Lets a user into a stream. */
  readonly addMember: (streamId: string, username: string) => Effect.Effect<void>
  /** Puts a user out of a stream. */
  readonly removeMember: (streamId: string, username: string) => Effect.Effect<void>
  /** Sends a message and gives its id, URL-safe. A message that the Agent would refuse is a defect. */
  readonly send: (options: SendOptions) => Effect.Effect<string>
  /** Hides a message, as an administrator does. */
  readonly suppress: (messageId: string) => Effect.Effect<void>
  /** Delivers a message to a reader, or lets it be read. */
  readonly receive: (options: ReceiptOptions) => Effect.Effect<void>
  /** Tells readers of the datafeed of an event of any kind, and gives its id. */
  readonly emit: (options: EmitOptions) => Effect.Effect<string>
  /** Makes all tokens worthless, or those of one username or application. */
  readonly expireSessions: (name?: string) => Effect.Effect<void>
  /** From now on, messages with one of these words in their text or in a file name are refused with 451. */
  readonly block: (words: ReadonlyArray<string>) => Effect.Effect<void>
  /** Answers the next requests in place of the service, which does not see them. */
  readonly failNext: (failure: Failure) => Effect.Effect<void>
  /** Makes the Agent another version. */
  readonly setAgentVersion: (version: string) => Effect.Effect<void>
  /** Whether session tokens say that no token of the key manager is needed, for the logins from now on. */
  readonly setSimplifiedKeyDelivery: (on: boolean) => Effect.Effect<void>
  /** Forgets a feed, as the service does when nobody reads it. */
  readonly dropFeed: (feedId: string) => Effect.Effect<void>
  /** Cuts the connection of every read that waits. All state is kept. */
  readonly restart: Effect.Effect<void>
  /** The messages of a stream in the order in which they came, with those that were replaced or suppressed. */
  readonly messages: (streamId: string) => Effect.Effect<ReadonlyArray<StoredMessage>>
  /** The streams, oldest first. */
  readonly streams: Effect.Effect<ReadonlyArray<StoredStream>>
  /** The feeds that live, oldest first. */
  readonly feeds: Effect.Effect<ReadonlyArray<StoredFeed>>
  /** The logins that went well, oldest first: the newest 10,000. */
  readonly logins: Effect.Effect<ReadonlyArray<Login>>
  /** The requests so far, oldest first: the newest 10,000, and fewer when they have more than 16 MB of headers. */
  readonly requests: Effect.Effect<ReadonlyArray<HandledRequest>>
  /** The parts of the newest multipart body, in their order. */
  readonly parts: Effect.Effect<ReadonlyArray<Part>>
  /** How many reads of the datafeed wait now. */
  readonly readers: Effect.Effect<number>
}>()("effect-herald/testing/SymphonyEmulator") {}

/**
 * A pair of RSA keys in PEM: the private one for the configuration of a client, the public one for the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyPair {
  /** PKCS#8 (`BEGIN PRIVATE KEY`). */
  readonly privateKey: Redacted.Redacted
  /** `BEGIN PUBLIC KEY`. */
  readonly publicKey: string
}

/**
 * A new pair of RSA keys of 2048 bits. It takes a fraction of a second: tests that need no other share one.
 *
 * **Example** (A bot that can log in)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
 *
 * const program = Effect.gen(function*() {
 *   const { publicKey } = yield* SymphonyEmulator.keyPair
 *   const emulator = yield* SymphonyEmulator.SymphonyEmulator
 *   yield* emulator.addUser({ username: "orders-bot", publicKey })
 * }).pipe(Effect.provide(SymphonyEmulator.layer()))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const keyPair: Effect.Effect<KeyPair> = jwt.keyPair

/** Requests and logins that are remembered: so many of few bytes, and fewer of more. */
const keptRequests = 10_000
const keptPerRequest = 1_600

/** The longest address. The vendor names none: this is that of the other emulator, and more than balancers read. */
const urlBytes = 32_768

/** 30 MB of a message, and the form around it. */
const bodyBytes = 32 * 1024 * 1024

const defaultTypes = [".bmp", ".csv", ".doc", ".docx", ".gif", ".jpeg", ".jpg", ".json", ".pdf", ".png", ".txt", ".zip"]

const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/** The query, decoded once; `undefined` when it is no percent-encoding. */
const parseQuery = (search: string): ReadonlyMap<string, string> | undefined => {
  const query = new Map<string, string>()
  for (const pair of search.split("&").filter((pair) => pair !== "")) {
    const [name = "", value = ""] = pair.split(/=(.*)/s)
    const [decodedName, decodedValue] = [decode(name), decode(value)]
    if (decodedName === undefined || decodedValue === undefined) return undefined
    query.set(decodedName, decodedValue)
  }
  return query
}

const secretHeaders = ["sessiontoken", "keymanagertoken", "authorization"]

const withoutSecrets = (headers: Request["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined) return []
      return [[name, secretHeaders.includes(name) && value !== "" ? "<redacted>" : value]]
    })
  )

const headersSize = (headers: HandledRequest["headers"]): number =>
  Object.entries(headers).reduce((size, [name, value]) => size + name.length + value.length, 0)

const defect = (what: string) => Effect.die(new Error(`the emulator has no ${what}`))

const stored = (message: pods.Message): StoredMessage => ({
  messageId: message.id,
  streamId: message.stream.id,
  from: message.user.username,
  timestamp: message.timestamp,
  messageML: message.messageML,
  presentationML: message.content.presentation,
  text: message.content.text,
  data: message.content.data,
  attachments: message.attachments.map(({ preview, ...attachment }) => ({
    ...attachment,
    ...preview === undefined ? {} : { preview: preview.content }
  })),
  silent: message.silent,
  replacing: message.replacing,
  replacedBy: message.replacedBy?.id,
  imported: message.imported,
  suppressed: message.suppressed !== undefined
})

/**
 * The state machine itself, for a shell of your own around `handle`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}) {
  const context = yield* Effect.context<never>()
  const storedBytes = options.storedBytes ?? Number.POSITIVE_INFINITY
  const pod = pods.make(storedBytes)
  const requests = recent.make<HandledRequest>(
    keptRequests * keptPerRequest,
    ({ headers, target }) => Math.max(keptPerRequest, target.length + headersSize(headers))
  )
  let failures: Array<{ readonly failure: Failure; left: number }> = []
  let parts: ReadonlyArray<Part> = []

  const service: services.Service = {
    pod,
    sessions: sessions.make((yield* Random.nextInt).toString(36)),
    feeds: feeds.make({
      visibilityMillis: millis(options.visibility ?? "30 seconds"),
      lifetimeMillis: millis(options.feedLifetime ?? "30 minutes"),
      storedBytes
    }),
    settings: {
      agentVersion: options.agentVersion ?? "Agent-25.8.1-Linux",
      isKeyDeliverySimple: options.simplifiedKeyDelivery ?? false,
      blocked: [],
      allowedTypes: options.allowedTypes ?? defaultTypes,
      receiptsPage: options.receiptsPage ?? 100,
      holdMillis: millis(options.hold ?? "30 seconds")
    },
    step: (change) =>
      Clock.clockWith((clock) =>
        Effect.sync(() => {
          const now = Math.floor(clock.currentTimeMillisUnsafe())
          service.feeds.settle(now)
          return change(now)
        })
      ),
    keepParts: (newest) =>
      Effect.sync(() => {
        parts = newest
      })
  }
  const { settings, step } = service

  const keyOf = (name: string, publicKey: string | undefined) =>
    publicKey === undefined
      ? Effect.undefined
      : Effect.catch(
        jwt.publicKey(publicKey),
        (cause) => Effect.die(new Error(`the public key of "${name}" is not PEM of an RSA key`, { cause }))
      )

  const addUser = Effect.fnUntraced(
    function*({ displayName, email, firstName, id, lastName, publicKey, username }: User) {
      const key = yield* keyOf(username, publicKey)
      return pod.addUser({ id, username, displayName: displayName ?? username, firstName, lastName, email, key }).id
    }
  )

  const addApp = Effect.fnUntraced(function*({ id, publicKey }: App) {
    pod.addApp({ id, key: yield* keyOf(id, publicKey) })
  })

  const userOf = (username: string) =>
    Effect.suspend(() => {
      const user = pod.user({ username })
      return user === undefined ? defect(`user "${username}"`) : Effect.succeed(user)
    })

  const streamOf = (id: string) =>
    Effect.suspend(() => {
      const stream = pod.stream(id)
      return stream === undefined ? defect(`stream "${id}"`) : Effect.succeed(stream)
    })

  const messageOf = (id: string) =>
    Effect.suspend(() => {
      const message = services.messageOf(service, id)
      return message === undefined ? defect(`message "${id}"`) : Effect.succeed(message)
    })

  const createStream = Effect.fnUntraced(function*({ members, name, type }: Stream) {
    const creator = yield* userOf(members[0])
    const users = yield* Effect.forEach(members, userOf)
    return yield* step((now) => services.addStream(service, { type, name, creator, members: users }, now).id)
  })

  const send = Effect.fnUntraced(function*({ attachments = [], data, from, message, parent, streamId }: SendOptions) {
    const user = yield* userOf(from)
    const stream = yield* streamOf(streamId)
    const text = message.startsWith("<messageML") ? message : `<messageML>${message}</messageML>`
    const content = yield* messageML.read(text, data === undefined ? "" : json.write(data), pod.findUser).pipe(
      Effect.catch((issue) => Effect.die(new Error(`the Agent would refuse the message: ${issue}`)))
    )
    const draft: pods.Draft = {
      messageML: text,
      content,
      files: attachments.map(({ content, contentType = "application/octet-stream", name, preview }) => ({
        name,
        contentType,
        content,
        preview
      })),
      parent: parent === undefined ? undefined : { message: yield* messageOf(parent.messageId), type: parent.type }
    }
    return yield* step((now) => services.post(service, stream, user, draft, now).id)
  })

  /** The answer of a script, which is used up by it. */
  const scripted = (kind: Kind | undefined, request: Request): Answer | undefined => {
    const found = failures.find(({ failure: { on } }) =>
      on === undefined || (typeof on === "string" ? on === kind : on(request))
    )
    if (found === undefined) return undefined
    if (--found.left <= 0) failures = failures.filter((other) => other !== found)
    const { body, headers, status } = found.failure
    const answer = Predicate.isString(body)
      ? { status, headers: {}, body }
      : body === undefined
      ? answers.error(status, "Scripted failure")
      : answers.json(status, body)
    return { ...answer, headers: { ...answer.headers, ...headers } }
  }

  const answer = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Answer, ConnectionReset> {
    const { headers, method } = request
    const isTooLong = request.target.length > urlBytes
    const target = isTooLong ? request.target.slice(0, urlBytes) : request.target
    const [path = "", search = ""] = target.split(/\?(.*)/s)
    const { exists, name, parameters } = operations.find(method, path)
    const kind = name === undefined ? undefined : operations.operations[name].kind
    const time = DateTime.makeUnsafe(yield* Clock.currentTimeMillis)
    requests.add({ method, target, kind, headers: withoutSecrets(headers), time })
    if (isTooLong) return answers.uriTooLong
    if (method === "OPTIONS") return cors.preflight
    const failed = scripted(kind, request)
    if (failed !== undefined) return failed
    if (name === undefined) return exists ? answers.methodNotAllowed : answers.notFound
    const decoded = parameters.map(decode)
    const query = parseQuery(search)
    if (!decoded.every(Predicate.isString) || query === undefined) return answers.badRequest("The address is malformed")
    const body = yield* Effect.result(plainBody.read(request.body, headers["content-encoding"], bodyBytes))
    if (Result.isFailure(body)) {
      return body.failure === "Corrupt"
        ? answers.badRequest("The compressed body cannot be read")
        : answers.unsupportedMediaType
    }
    if (body.success.length > bodyBytes) return answers.tooLarge
    return yield* handlers[name](service, { parameters: decoded, query, headers, body: body.success }).pipe(
      Effect.catchIf(isAnswer, Effect.succeed)
    )
  })

  // A server knows nothing of its callers' services: of their context it gets what time, chance and scheduling are.
  const isolate = (caller: Context.Context<never>) =>
    context.pipe(
      Context.add(Clock.Clock, Context.get(caller, Clock.Clock)),
      Context.add(Random.Random, Context.get(caller, Random.Random)),
      Context.add(Scheduler.Scheduler, Context.get(caller, Scheduler.Scheduler))
    )

  const slowly = options.latency === undefined
    ? Effect.void
    : Effect.flatMap(options.latency, (duration) => Effect.sleep(duration))

  yield* Effect.forEach(options.users ?? [], addUser, { discard: true })
  yield* Effect.forEach(options.apps ?? [], addApp, { discard: true })
  yield* Effect.forEach(options.streams ?? [], createStream, { discard: true })

  return SymphonyEmulator.of({
    handle: (request) =>
      answer(request).pipe(Effect.map(cors.allow), Effect.tap(slowly), Effect.updateContext(isolate)),
    addUser,
    addApp,
    createStream,
    addMember: (streamId, username) =>
      Effect.flatMap(
        Effect.all([streamOf(streamId), userOf(username)]),
        ([stream, user]) => step((now) => services.addMember(service, stream, user, now))
      ),
    removeMember: (streamId, username) =>
      Effect.flatMap(
        Effect.all([streamOf(streamId), userOf(username)]),
        ([stream, user]) => step((now) => services.removeMember(service, stream, user, now))
      ),
    send,
    suppress: (messageId) =>
      Effect.flatMap(
        messageOf(messageId),
        (message) => step((now) => void services.suppress(service, message, message.user, now))
      ),
    receive: ({ by, messageId, what }) =>
      Effect.flatMap(
        Effect.all([messageOf(messageId), userOf(by)]),
        ([message, user]) =>
          step((now) => {
            const receipt = pod.receipt(message, user)
            if (what !== "emailed") receipt.delivered ??= now
            if (what !== "delivered") receipt[what] ??= now
          })
      ),
    emit: Effect.fnUntraced(function*({ initiator, messageId, payload, streamId, type }) {
      const user = initiator === undefined ? undefined : yield* userOf(initiator)
      const users = streamId === undefined ? pod.users : (yield* streamOf(streamId)).members
      return yield* step((now) =>
        service.feeds.offer({ type, timestamp: now, messageId, initiator: user, payload }, users)
      )
    }),
    expireSessions: (name) => Effect.sync(() => service.sessions.expire(name)),
    block: (words) =>
      Effect.sync(() => {
        settings.blocked = words
      }),
    failNext: (failure) =>
      Effect.sync(() => {
        failures = [...failures, { failure, left: failure.times ?? 1 }]
      }),
    setAgentVersion: (version) =>
      Effect.sync(() => {
        settings.agentVersion = version
      }),
    setSimplifiedKeyDelivery: (on) =>
      Effect.sync(() => {
        settings.isKeyDeliverySimple = on
      }),
    dropFeed: (feedId) =>
      step(() => {
        for (const feed of service.feeds.all()) if (feed.id === feedId) service.feeds.remove(feed)
      }),
    restart: Effect.sync(() => {
      const waiting = service.feeds.all().flatMap(({ waiters }) => [...waiters])
      for (const waiter of waiting) waiter.reset()
    }),
    messages: (streamId) => Effect.map(streamOf(streamId), ({ messages }) => messages.map(stored)),
    streams: Effect.sync(() =>
      pod.streams().map(({ id, members, name, type }) => ({
        streamId: id,
        type,
        name,
        members: [...members.values()].map(({ username }) => username)
      }))
    ),
    feeds: step(() =>
      service.feeds.all().map(({ entries, id, lastRead, tag, user }) => ({
        feedId: id,
        of: user.username,
        tag,
        lastRead,
        pending: entries.size
      }))
    ),
    logins: Effect.sync(service.sessions.logins),
    requests: Effect.sync(requests.all),
    parts: Effect.sync(() => parts),
    readers: Effect.sync(() => service.feeds.all().reduce((count, { waiters }) => count + waiters.size, 0))
  })
})

/**
 * An `HttpClient` that reaches an emulator of its own, whatever the host, and the emulator's state beside it.
 *
 * It is a function of its options, as layers are shared by identity: two calls are two pods.
 *
 * **Example** (A pod in place of the network)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
 *
 * const program = HttpClient.get("https://acme.symphony.com/agent/v1/info").pipe(
 *   Effect.flatMap((response) => response.text),
 *   Effect.provide(SymphonyEmulator.layer({ agentVersion: "Agent-24.12.1-Linux" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<SymphonyEmulator | HttpClient.HttpClient> =>
  Layer.effectContext(Effect.map(make(options), (emulator) =>
    Context.make(SymphonyEmulator, emulator).pipe(Context.add(
      HttpClient.HttpClient,
      HttpClient.make((request, url) =>
        Effect.flatMap(exchange.bodyBytes(request), ({ bytes, contentType }) =>
          emulator.handle({
            method: request.method,
            target: url.pathname + url.search,
            headers: { ...request.headers, "content-type": contentType },
            body: bytes
          })).pipe(
            Effect.map((answer) => exchange.response(request, answer)),
            Effect.catchTag("ConnectionReset", () => Effect.fail(exchange.failure(request, "ECONNRESET")))
          )
      )
    ))))
