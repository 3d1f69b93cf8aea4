/**
 * A Symphony pod in memory, with its Agent and its key manager: a test provides it in place of the network.
 *
 * `layer` provides an `HttpClient` that runs in the caller's own fibers, and `SymphonyEmulator`, which reads and changes
 * the state of the pod. No socket is open, so virtual time and interruption work. `SymphonyEmulatorServer` of
 * `effect-herald/node` serves the same emulator on a port.
 *
 * It shares no code with the client: the same mistake on both sides would hide itself.
 *
 * **Rules**
 *
 * - It has the message service (all fifteen methods), logins with RSA keys, for bots and on behalf of users, and the
 *   datafeed. It knows no roles: every member of a stream may do everything there.
 * - It verifies logins: the signature with the registered public key, and the expiry by the caller's `Clock`.
 * - A request changes the state in one synchronous step. Only waiting for an answer can be interrupted.
 * - It is strict where the service's limits are known, and where a lenient service would hide a mistake: ids in paths are
 *   URL-safe, names of parts and properties are known, and templates in messages are refused.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { ConnectionReset } from "./server/connection.ts"
import * as cors from "./server/cors.ts"
import * as json from "./server/json.ts"
import { decode, pairsOf } from "./server/percent.ts"
import type * as message from "./server/message.ts"
import * as defaults from "./server/options.ts"
import * as plainBody from "./server/plainBody.ts"
import * as recent from "./server/recent.ts"
import * as shell from "./server/shell.ts"
import * as answers from "./symphony/answers.ts"
import { isAnswer } from "./symphony/call.ts"
import * as feeds from "./symphony/feeds.ts"
import * as jwt from "./symphony/jwt.ts"
import * as messageML from "./symphony/messageML.ts"
import type * as multipart from "./server/multipart.ts"
import * as operations from "./symphony/operations.ts"
import * as pods from "./symphony/pod.ts"
import { handlers } from "./symphony/routes.ts"
import * as services from "./symphony/service.ts"
import * as sessions from "./symphony/sessions.ts"

export { ConnectionReset }

/**
 * An answer on its way to the client.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = message.Answer

/**
 * A request as it comes over the wire.
 *
 * @category models
 * @since 0.1.0
 */
export type Request = message.Request

/**
 * What a request is for: any `login`, anything on a `datafeed`, one method of the message service, `agentInfo` or
 * `sessionInfo`.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = operations.Kind

/**
 * A user or a bot.
 *
 * @category models
 * @since 0.1.0
 */
export interface User {
  /** The id. Default: the next one, from 7000000000001. */
  readonly userId?: number | undefined
  /** The name with which the user logs in. */
  readonly username: string
  /** The name that others see. Default: the username. */
  readonly displayName?: string | undefined
  /** The first name. Default: none. */
  readonly firstName?: string | undefined
  /** The last name. Default: none. */
  readonly lastName?: string | undefined
  /** The email address. Default: none. */
  readonly email?: string | undefined
  /** PEM (`BEGIN PUBLIC KEY`). A user without a key cannot log in. Default: none. */
  readonly publicKey?: string | undefined
}

/**
 * An extension application. It acts on behalf of every user.
 *
 * @category models
 * @since 0.1.0
 */
export interface App {
  /** The id with which the application logs in. */
  readonly appId: string
  /** PEM (`BEGIN PUBLIC KEY`). */
  readonly publicKey: string
}

/**
 * A conversation: of two users (`IM`) or more (`MIM`), a room (`ROOM`) or a wall (`POST`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Stream {
  /** The type of the conversation. */
  readonly type: "IM" | "MIM" | "ROOM" | "POST"
  /** The name of a room. Default: none. */
  readonly name?: string | undefined
  /** Usernames. The first is the creator. */
  readonly members: readonly [string, ...ReadonlyArray<string>]
}

/**
 * A file of a message.
 *
 * @category models
 * @since 0.1.0
 */
export interface File {
  /** The file name. */
  readonly name: string
  /** The bytes. */
  readonly content: Uint8Array
  /** The media type. Default: `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** The bytes of a preview image. Default: none. */
  readonly preview?: Uint8Array | undefined
}

/**
 * A message that another user sends.
 *
 * @category models
 * @since 0.1.0
 */
export interface SendOptions {
  /** The stream. */
  readonly streamId: string
  /** The sender. */
  readonly username: string
  /** MessageML, with or without its root element. */
  readonly message: string
  /** Entities by key. Default: none. */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  /** Files. Default: none. */
  readonly attachments?: ReadonlyArray<File> | undefined
  /** The message that this one answers or forwards. Default: none. */
  readonly parent?: {
    /** The id of the other message. */
    readonly messageId: string
    /** How the messages are related. */
    readonly type: "REPLY" | "FORWARD" | "REPLY_FORM"
  } | undefined
}

/**
 * An event of any kind for the datafeeds.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmitOptions {
  /** The type of the event: `SYMPHONYELEMENTSACTION`, `CONNECTIONREQUESTED`, … */
  readonly kind: string
  /** The payload with its outer key: `{ symphonyElementsAction: { … } }`. */
  readonly payload: Readonly<Record<string, unknown>>
  /** The username of the user who caused it. Default: none. */
  readonly initiator?: string | undefined
  /** The stream whose members get the event. Default: all users get it. */
  readonly streamId?: string | undefined
  /** The id of the message that the event is about. Default: none. */
  readonly messageId?: string | undefined
}

/**
 * What happens to a message at one reader.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiptOptions {
  /** The message. */
  readonly messageId: string
  /** The reader. */
  readonly username: string
  /** What happens. A read receipt implies a delivery receipt. */
  readonly kind: "delivered" | "read" | "emailed"
}

/**
 * A user who joins or leaves a stream.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemberOptions {
  /** The stream. */
  readonly streamId: string
  /** The user. */
  readonly username: string
}

/**
 * A message as the pod stores it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMessage {
  /** The id, URL-safe. */
  readonly messageId: string
  /** The stream, URL-safe. */
  readonly streamId: string
  /** The sender. */
  readonly username: string
  /** When it was sent; of an imported message, what the import says. */
  readonly timestamp: DateTime.Utc
  /** The message as it was sent. */
  readonly messageML: string
  /** The message as readers get it. */
  readonly presentationML: string
  /** The message without markup. */
  readonly text: string
  /** The entities as JSON text, both given ones and those that the pod made. */
  readonly data: string | undefined
  /** The files. */
  readonly attachments: ReadonlyArray<
    File & {
      /** The id of the attachment in this message. */
      readonly attachmentId: string
    }
  >
  /** Whether an update notifies nobody; `undefined` for a first version. */
  readonly silent: boolean | undefined
  /** The id of the version before this one. */
  readonly replacing: string | undefined
  /** The id of the version after this one. */
  readonly replacedBy: string | undefined
  /** Whether it was imported. */
  readonly imported: boolean
  /** Whether it is suppressed. */
  readonly suppressed: boolean
}

/**
 * A stream as the pod stores it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredStream {
  /** The id, URL-safe. */
  readonly streamId: string
  /** The type of the conversation. */
  readonly type: "IM" | "MIM" | "ROOM" | "POST"
  /** The name of a room. */
  readonly name: string | undefined
  /** Usernames. */
  readonly members: ReadonlyArray<string>
}

/**
 * A user or a bot as the pod stores it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredUser {
  /** The id. */
  readonly userId: number
  /** The name with which the user logs in. */
  readonly username: string
  /** The name that others see. */
  readonly displayName: string
  /** The email address. */
  readonly email: string | undefined
  /** Whether the user has a public key. */
  readonly canLogIn: boolean
}

/**
 * A datafeed, and how far its reader is.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredFeed {
  /** The id. */
  readonly feedId: string
  /** The owner. */
  readonly username: string
  /** The tag that its creator gave it. */
  readonly tag: string | undefined
  /** When it was read last. */
  readonly lastReadAt: DateTime.Utc
  /** How many events are not acknowledged, whether they were delivered or not. */
  readonly pending: number
}

/**
 * A successful login.
 *
 * @category models
 * @since 0.1.0
 */
export interface Login {
  /** A bot at the pod (`session`) or at the key manager, an application, or an application on behalf of a user. */
  readonly kind: sessions.LoginKind
  /** The username, or the id of an application. */
  readonly name: string
  /** When. */
  readonly time: DateTime.Utc
}

/**
 * A part of a multipart body.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = multipart.Part

/**
 * A request that the emulator received.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledRequest {
  /** The method, in upper case. */
  readonly method: string
  /** Path and query, still percent-encoded. Of one that is too long, only the beginning. */
  readonly target: string
  /** What the request is for, if it is for a known operation. */
  readonly kind: Kind | undefined
  /** The headers. Tokens are `<redacted>`. */
  readonly headers: Readonly<Record<string, string>>
  /** When it came, by the caller's wall clock. */
  readonly time: DateTime.Utc
}

/**
 * Options of the emulator. A name that is not listed here is a defect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Users and bots. Default: none. */
  readonly users?: ReadonlyArray<User> | undefined
  /** Extension applications. Default: none. */
  readonly apps?: ReadonlyArray<App> | undefined
  /** Conversations. Default: none. */
  readonly streams?: ReadonlyArray<Stream> | undefined
  /** The version of the Agent. Default: `Agent-25.8.1-Linux`. */
  readonly agentVersion?: string | undefined
  /** Whether session tokens say that no token of the key manager is needed. Default: `false`. */
  readonly simplifiedKeyDelivery?: boolean | undefined
  /** The file types that are allowed, with their dots. Default: twelve, such as `.pdf` and `.png`. */
  readonly allowedTypes?: ReadonlyArray<string> | undefined
  /**
   * How much is stored of messages with their files, and as much again for each datafeed: the bytes, and 1 KiB for each.
   * The oldest go first. Default: no limit. `SymphonyEmulatorServer` stores 256 MiB.
   */
  readonly storedBytes?: number | undefined
  /** How many receipts one answer has. Default: 100. */
  readonly receiptsPageSize?: number | undefined
  /** How long a read of the datafeed waits before it gets an empty answer. Default: 30 seconds. */
  readonly hold?: Duration.Input | undefined
  /** After what time events that were not acknowledged are delivered again. Default: 30 seconds. */
  readonly visibility?: Duration.Input | undefined
  /** After what time without a read a feed is removed. Default: 30 minutes. */
  readonly feedLifetime?: Duration.Input | undefined
  /** How long each answer takes after the request was handled. Runs for each request. Default: no time. */
  readonly latency?: Effect.Effect<Duration.Input> | undefined
}

/**
 * The emulated pod: reads its state, changes it, and makes it fail.
 *
 * A name or id that the pod does not have is a defect: the test is wrong.
 *
 * **Example** (A message of another user)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* SymphonyEmulator.SymphonyEmulator
 *   const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "orders-bot"] })
 *   yield* emulator.send({ streamId, username: "ada", message: "Hello <b>bot</b>" })
 *   return yield* emulator.messages({ streamId })
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
  /** Creates a stream and gives its id, URL-safe. */
  readonly createStream: (stream: Stream) => Effect.Effect<string>
  /** Adds a user to a stream. */
  readonly addMember: (options: MemberOptions) => Effect.Effect<void>
  /** Removes a user from a stream. */
  readonly removeMember: (options: MemberOptions) => Effect.Effect<void>
  /** Sends a message and gives its id, URL-safe. A message that the Agent would refuse is a defect. */
  readonly send: (options: SendOptions) => Effect.Effect<string>
  /** Suppresses a message, as an administrator does. */
  readonly suppress: (options: Pick<StoredMessage, "messageId">) => Effect.Effect<void>
  /** Delivers a message to a reader, or marks it as read or emailed. */
  readonly receive: (options: ReceiptOptions) => Effect.Effect<void>
  /** Sends an event of any kind to the datafeeds, and gives its id. */
  readonly emit: (options: EmitOptions) => Effect.Effect<string>
  /** Expires all tokens, or those of one username or application. */
  readonly expireSessions: (options?: {
    /** The username, or the id of the application. Default: all. */
    readonly name?: string | undefined
  }) => Effect.Effect<void>
  /** Refuses further messages that have one of these words in their text or in a file name (451). */
  readonly block: (words: ReadonlyArray<string>) => Effect.Effect<void>
  /** Changes the version of the Agent. */
  readonly setAgentVersion: (version: string) => Effect.Effect<void>
  /** Changes whether the tokens of further logins say that no token of the key manager is needed. */
  readonly setSimplifiedKeyDelivery: (on: boolean) => Effect.Effect<void>
  /** Removes a feed, as the service does when nobody reads it. */
  readonly dropFeed: (options: Pick<StoredFeed, "feedId">) => Effect.Effect<void>
  /** Resets the connection of every read that waits. Keeps all state. */
  readonly restart: Effect.Effect<void>
  /** The messages of a stream in the order of their arrival, with those that were replaced or suppressed. */
  readonly messages: (options: Pick<StoredMessage, "streamId">) => Effect.Effect<ReadonlyArray<StoredMessage>>
  /** The users and bots, oldest first. */
  readonly users: Effect.Effect<ReadonlyArray<StoredUser>>
  /** The words of the newest `block`. */
  readonly blocked: Effect.Effect<ReadonlyArray<string>>
  /** The streams, oldest first. */
  readonly streams: Effect.Effect<ReadonlyArray<StoredStream>>
  /** The feeds that exist, oldest first. */
  readonly feeds: Effect.Effect<ReadonlyArray<StoredFeed>>
  /** The newest 10,000 successful logins, oldest first. */
  readonly logins: Effect.Effect<ReadonlyArray<Login>>
  /** The newest 10,000 requests, oldest first; fewer when their headers have more than 16 MB together. */
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
 * Makes a pair of RSA keys of 2048 bits. It takes a fraction of a second, so share one between tests.
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

/** The longest address. The vendor names none: this is that of the other emulator, and more than balancers read. */
const maxUrlSize = 32_768

/** 30 MB of a message, and the form around it. */
const maxBodySize = 32 * 1024 * 1024

const defaultTypes = [".bmp", ".csv", ".doc", ".docx", ".gif", ".jpeg", ".jpg", ".json", ".pdf", ".png", ".txt", ".zip"]

const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/** The query; `undefined` when it is not percent-encoded. */
const queryOf = (search: string): ReadonlyMap<string, string> | undefined => {
  const query = new Map<string, string>()
  for (const [name, value] of pairsOf(search)) {
    if (name === undefined || value === undefined) return undefined
    query.set(name, value)
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

const stored = (message: pods.Message): StoredMessage => ({
  messageId: message.id,
  streamId: message.stream.id,
  username: message.user.username,
  timestamp: DateTime.makeUnsafe(message.timestamp),
  messageML: message.messageML,
  presentationML: message.content.presentation,
  text: message.content.text,
  data: message.content.data,
  attachments: message.attachments.map(({ id, preview, ...attachment }) => ({
    attachmentId: id,
    ...attachment,
    ...preview === undefined ? {} : { preview: preview.content }
  })),
  silent: message.silent,
  replacing: message.replacing,
  replacedBy: message.replacedBy?.id,
  imported: message.imported,
  suppressed: message.suppressed !== undefined
})

const problems: Readonly<Record<plainBody.Problem, Answer>> = {
  TooLarge: answers.tooLarge,
  Corrupt: answers.badRequest("The compressed body cannot be read"),
  UnknownEncoding: answers.unsupportedMediaType
}

const userFields: Record<keyof User, true> = {
  userId: true,
  username: true,
  displayName: true,
  firstName: true,
  lastName: true,
  email: true,
  publicKey: true
}
const appFields: Record<keyof App, true> = { appId: true, publicKey: true }
const streamFields: Record<keyof Stream, true> = { type: true, name: true, members: true }

/**
 * The emulator itself, for a server of your own around `handle`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(given: Options = {}) {
  const options = defaults.merge<
    { readonly [K in Exclude<keyof Options, "latency">]-?: NonNullable<Options[K]> } & Pick<Options, "latency">
  >("SymphonyEmulator", {
    users: [],
    apps: [],
    streams: [],
    agentVersion: "Agent-25.8.1-Linux",
    simplifiedKeyDelivery: false,
    allowedTypes: defaultTypes,
    storedBytes: Number.POSITIVE_INFINITY,
    receiptsPageSize: 100,
    hold: "30 seconds",
    visibility: "30 seconds",
    feedLifetime: "30 minutes",
    latency: undefined
  }, given)
  const surround = yield* shell.make(options.latency)
  const pod = pods.make(options.storedBytes)
  const requests = recent.requests<HandledRequest>(({ headers, target }) => target.length + headersSize(headers))
  let parts: ReadonlyArray<Part> = []

  const service: services.Service = {
    pod,
    sessions: sessions.make((yield* Random.nextInt).toString(36)),
    feeds: feeds.make({
      visibilityMillis: millis(options.visibility),
      lifetimeMillis: millis(options.feedLifetime),
      storedBytes: options.storedBytes
    }),
    settings: {
      agentVersion: options.agentVersion,
      isKeyDeliverySimple: options.simplifiedKeyDelivery,
      blocked: [],
      allowedTypes: options.allowedTypes,
      receiptsPageSize: options.receiptsPageSize,
      holdMillis: millis(options.hold)
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

  const addUser = Effect.fnUntraced(function*(user: User) {
    defaults.refuseUnknown("A user of SymphonyEmulator", userFields, user)
    const { displayName, email, firstName, lastName, publicKey, userId, username } = user
    const key = yield* keyOf(username, publicKey)
    const names = { username, displayName: displayName ?? username, firstName, lastName, email }
    return pod.addUser({ id: userId, ...names, key }).id
  })

  const addApp = Effect.fnUntraced(function*(app: App) {
    defaults.refuseUnknown("An app of SymphonyEmulator", appFields, app)
    const { appId, publicKey } = app
    pod.addApp({ id: appId, key: yield* keyOf(appId, publicKey) })
  })

  /** Finds what a test names. */
  const the = <A>(kind: string, name: string, find: () => A | undefined) =>
    Effect.suspend(() => {
      const found = find()
      return found === undefined
        ? Effect.die(new Error(`SymphonyEmulator has no ${kind} "${name}"`))
        : Effect.succeed(found)
    })
  const userOf = (username: string) => the("user", username, () => pod.user({ username }))
  const streamOf = (id: string) => the("stream", id, () => pod.stream(id))
  const messageOf = (id: string) => the("message", id, () => services.messageOf(service, id))

  const createStream = Effect.fnUntraced(function*(stream: Stream) {
    defaults.refuseUnknown("A stream of SymphonyEmulator", streamFields, stream)
    const { members, name, type } = stream
    const creator = yield* userOf(members[0])
    const users = yield* Effect.forEach(members, userOf)
    return yield* step((now) => services.addStream(service, { type, name, creator, members: users }, now).id)
  })

  const send = Effect.fnUntraced(
    function*({ attachments = [], data, message, parent, streamId, username }: SendOptions) {
      const user = yield* userOf(username)
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
    }
  )

  const changeMember = (change: typeof services.addMember) =>
    Effect.fnUntraced(function*({ streamId, username }: { readonly streamId: string; readonly username: string }) {
      const stream = yield* streamOf(streamId)
      const user = yield* userOf(username)
      yield* step((now) => change(service, stream, user, now))
    })

  const answer = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Answer, ConnectionReset> {
    const { headers, method } = request
    const isTooLong = request.target.length > maxUrlSize
    const target = isTooLong ? request.target.slice(0, maxUrlSize) : request.target
    const [path = "", search = ""] = target.split(/\?(.*)/s)
    const { exists, name, parameters } = operations.find(method, path)
    const kind = name === undefined ? undefined : operations.operations[name].kind
    const time = DateTime.makeUnsafe(yield* Clock.currentTimeMillis)
    requests.add({ method, target, kind, headers: withoutSecrets(headers), time })
    if (isTooLong) return answers.uriTooLong
    if (method === "OPTIONS") return cors.preflight
    if (name === undefined) return exists ? answers.methodNotAllowed : answers.notFound
    const decoded = parameters.map(decode)
    const query = queryOf(search)
    if (!decoded.every(Predicate.isString) || query === undefined) {
      return answers.badRequest("The address is malformed")
    }
    const body = yield* Effect.result(plainBody.read(request, maxBodySize))
    if (Result.isFailure(body)) return problems[body.failure]
    return yield* handlers[name](service, { parameters: decoded, query, headers, body: body.success })
      .pipe(
        Effect.catchIf(isAnswer, Effect.succeed)
      )
  })

  yield* Effect.forEach(options.users, addUser, { discard: true })
  yield* Effect.forEach(options.apps, addApp, { discard: true })
  yield* Effect.forEach(options.streams, createStream, { discard: true })

  return SymphonyEmulator.of({
    handle: surround(answer),
    addUser,
    addApp,
    createStream,
    addMember: changeMember(services.addMember),
    removeMember: changeMember(services.removeMember),
    send,
    suppress: Effect.fnUntraced(function*({ messageId }) {
      const message = yield* messageOf(messageId)
      yield* step((now) => services.suppress(service, message, message.user, now))
    }),
    receive: Effect.fnUntraced(function*({ kind, messageId, username }) {
      const message = yield* messageOf(messageId)
      const user = yield* userOf(username)
      yield* step((now) => {
        const receipt = pod.receipt(message, user)
        if (kind !== "emailed") receipt.delivered ??= now
        if (kind !== "delivered") receipt[kind] ??= now
      })
    }),
    emit: Effect.fnUntraced(function*({ initiator, kind, messageId, payload, streamId }) {
      const user = initiator === undefined ? undefined : yield* userOf(initiator)
      const users = streamId === undefined ? pod.users : (yield* streamOf(streamId)).members
      return yield* step((now) =>
        service.feeds.offer({ type: kind, timestamp: now, messageId, initiator: user, payload }, users)
      )
    }),
    expireSessions: ({ name } = {}) => Effect.sync(() => service.sessions.expire(name)),
    block: (words) =>
      Effect.sync(() => {
        settings.blocked = words
      }),
    setAgentVersion: (version) =>
      Effect.sync(() => {
        settings.agentVersion = version
      }),
    setSimplifiedKeyDelivery: (on) =>
      Effect.sync(() => {
        settings.isKeyDeliverySimple = on
      }),
    dropFeed: ({ feedId }) =>
      step(() => {
        for (const feed of service.feeds.all()) if (feed.id === feedId) service.feeds.remove(feed)
      }),
    restart: Effect.sync(() => {
      const waiting = service.feeds.all().flatMap(({ waiters }) => [...waiters])
      for (const waiter of waiting) waiter.reset()
    }),
    messages: ({ streamId }) => Effect.map(streamOf(streamId), ({ messages }) => messages.map(stored)),
    users: Effect.sync(() =>
      [...pod.users.values()].map(({ displayName, email, id, key, username }) => ({
        userId: id,
        username,
        displayName,
        email,
        canLogIn: key !== undefined
      }))
    ),
    blocked: Effect.sync(() => settings.blocked),
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
        username: user.username,
        tag,
        lastReadAt: DateTime.makeUnsafe(lastRead),
        pending: entries.size
      }))
    ),
    logins: Effect.sync(() =>
      service.sessions.logins().map(({ time, ...login }) => ({ ...login, time: DateTime.makeUnsafe(time) }))
    ),
    requests: Effect.sync(requests.all),
    parts: Effect.sync(() => parts),
    readers: Effect.sync(() => service.feeds.all().reduce((count, { waiters }) => count + waiters.size, 0))
  })
})

/**
 * The emulator, and an `HttpClient` that reaches it whatever the host.
 *
 * Each call of `layer` makes another pod. Layers are shared by identity: keep the result to share a pod.
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
  shell.layer(SymphonyEmulator, make(options))
