/**
 * Message actions: what users attach to published messages, such as reactions and receipts. {@link add} and {@link remove}
 * change them, {@link list} and {@link stream} read them, and {@link live} keeps the reactions of messages as a live value.
 * `Subscribe.messageActions` emits them as events, and `History` lists them with their messages (`include: ["actions"]`). The
 * keyset needs Message Persistence.
 *
 * Each request fails with a `PubNubError`: `FeatureDisabled` without Message Persistence, and `BadRequest` without a
 * `status` when the input is wrong and nothing was sent.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import * as Codec from "../internal/codec.ts"
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import * as Text from "../internal/text.ts"
import type { Live } from "../Live.ts"
import type { Page } from "../Page.ts"
import { isDecoded, type UndecodableItem } from "../UndecodableItem.ts"
import type * as History from "./History.ts"
import * as LiveReactions from "./internal/live/liveReactions.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Items from "./internal/wire/items.ts"
import * as Names from "./internal/wire/names.ts"
import * as Pages from "./internal/wire/pages.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import { MessageAction } from "./MessageAction.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import * as Timetoken from "./Timetoken.ts"

// --------------------------------------------------------------------------------------------------------------------
// errors
// --------------------------------------------------------------------------------------------------------------------

const Message = {
  /** The channel of the message. */
  channel: Schema.String,
  /** The message. */
  messageTimetoken: Schema.String
}

const Action = {
  ...Message,
  /** The action that was to be removed. */
  actionTimetoken: Schema.String
}

/**
 * This user already has an action of this type and value on the message. If {@link add} was repeated because the answer to
 * the first request was lost, the first request succeeded.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionExists extends Failure.TaggedError<ActionExists>("pubnub")("ActionExists", {
  ...Message,
  /** The type of the action. */
  type: Schema.String,
  /** The value of the action. */
  value: Schema.String
}, {
  message: ({ channel, messageTimetoken, type, value }) =>
    `MessageActions.add: this user already has the ${type} ${
      Text.quoted(value)
    } on message ${messageTimetoken} of ${channel}. ` +
    "There is nothing to do; MessageActions.remove removes it."
}) {}

/**
 * The message has no such action. If {@link remove} was repeated because the answer to the first request was lost, the
 * first request succeeded.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionNotFound extends Failure.TaggedError<ActionNotFound>("pubnub")("ActionNotFound", Action, {
  message: ({ actionTimetoken, channel, messageTimetoken }) =>
    `MessageActions.remove: message ${messageTimetoken} of ${channel} has no action ${actionTimetoken}. Somebody may ` +
    "have removed it already; MessageActions.list gives the actions that exist."
}) {}

/**
 * Another user added the action, and only that user can remove it.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionOfAnotherUser
  extends Failure.TaggedError<ActionOfAnotherUser>("pubnub")("ActionOfAnotherUser", Action, {
    message: ({ actionTimetoken, channel, messageTimetoken }) =>
      `MessageActions.remove: another user added the action ${actionTimetoken} on message ${messageTimetoken} of ` +
      `${channel}. Remove it with the userId that added it.`
  })
{}

/**
 * The service stored or removed the action, but could not announce it to subscribers (status 207). Do not repeat the
 * request: the answer would be {@link ActionExists} or {@link ActionNotFound}. A program that has to see the change at once
 * reads {@link list}.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionNotAnnounced extends Failure.TaggedError<ActionNotAnnounced>("pubnub")("ActionNotAnnounced", {
  ...Message,
  /** The function that was called. */
  operation: Schema.Literals(["MessageActions.add", "MessageActions.remove"]),
  /** The action that was stored, where the service says it. */
  action: Schema.optionalKey(MessageAction),
  /** What the service said. */
  description: Schema.String
}, {
  message: ({ channel, description, messageTimetoken, operation }) =>
    `${operation}: the action on message ${messageTimetoken} of ${channel} was ` +
    `${operation === "MessageActions.add" ? "stored" : "removed"}, but not announced to subscribers: ${description}. ` +
    "Do not repeat the request; MessageActions.list shows the change."
}) {}

/**
 * The errors of {@link add}.
 *
 * @category errors
 * @since 0.1.0
 */
export type AddError = PubNubError.PubNubError | ActionExists | ActionNotAnnounced

/**
 * The errors of {@link remove}.
 *
 * @category errors
 * @since 0.1.0
 */
export type RemoveError = PubNubError.PubNubError | ActionNotFound | ActionOfAnotherUser | ActionNotAnnounced

// --------------------------------------------------------------------------------------------------------------------
// adding and removing
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options of {@link add}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AddOptions {
  /** The channel of the message, neither a wildcard nor a presence name. */
  readonly channel: string
  /** The message: its timetoken, or its 10 digits in old data. The service does not check that it exists. */
  readonly messageTimetoken: string
  /** The kind of the action: `"reaction"`, `"receipt"`. Not empty. */
  readonly type: string
  /** The value of the action: `"👍"`, `"read"`. Not empty. */
  readonly value: string
}

/**
 * Adds an action of this user to a message, and gives the stored action. Fails with {@link ActionExists} if this user
 * added the same before, and with {@link ActionNotAnnounced} if it is stored but subscribers do not know it. It is safe to
 * repeat the request: the service stores nothing twice.
 *
 * **Details**
 *
 * `POST /v1/message-actions/{subscribeKey}/channel/{channel}/message/{messageTimetoken}`. The body may have
 * `maxMessageSize` bytes.
 *
 * **Example** (Add a read receipt, any number of times)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 *
 * const markRead = (channel: string, messageTimetoken: string) =>
 *   MessageActions.add({ channel, messageTimetoken, type: "receipt", value: "read" }).pipe(
 *     Effect.asVoid,
 *     Effect.catchTag("ActionExists", () => Effect.void)
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const add = (
  options: AddOptions
): Effect.Effect<MessageAction, AddError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.reading(addition, () => {
    const { channel, messageTimetoken, type, value } = options
    const message = { channel, messageTimetoken }
    return change(addition, message, ({ maxMessageSize }) => {
      const body = JSON.stringify({ type, value })
      const size = utf8.encode(body).length
      return {
        method: "POST",
        path: path`/v1/message-actions/${subscribeKey}/channel/${channel}/message/${messageTimetoken}`,
        body,
        issues: Input.issues({
          type: Input.filled(type),
          value: Input.filled(value) ??
            (size > maxMessageSize
              ? `makes a body of ${size} bytes, and maxMessageSize is ${maxMessageSize}`
              : undefined)
        }),
        decode: (json) => Result.map(decodeAdded(json), ({ data }) => data)
      }
    }, ({ status }) => status === 409 ? new ActionExists({ ...message, type, value }) : undefined)
  })

/**
 * The options of {@link remove}. A `MessageAction` has both timetokens: `remove({ channel, ...action })`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoveOptions {
  /** The channel of the message, neither a wildcard nor a presence name. */
  readonly channel: string
  /** The message, as the action has it: 17 digits, or 10 digits in old data. */
  readonly messageTimetoken: string
  /** The action, as {@link add} and {@link list} give it. */
  readonly actionTimetoken: Timetoken.Timetoken
}

/**
 * Removes an action of this user from a message. Fails with {@link ActionNotFound}, with {@link ActionOfAnotherUser}, and
 * with {@link ActionNotAnnounced} if it is removed but subscribers do not know it. It is safe to repeat the request:
 * {@link ActionNotFound} then means that the first request succeeded.
 *
 * **Details**
 *
 * `DELETE /v1/message-actions/{subscribeKey}/channel/{channel}/message/{messageTimetoken}/action/{actionTimetoken}`
 *
 * **Example** (Wave for five seconds)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 *
 * const wave = (messageTimetoken: string) =>
 *   Effect.gen(function*() {
 *     const action = yield* MessageActions.add({ channel: "chat", messageTimetoken, type: "reaction", value: "👋" })
 *     yield* Effect.sleep("5 seconds")
 *     yield* MessageActions.remove({ channel: "chat", ...action })
 *   })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove = (
  options: RemoveOptions
): Effect.Effect<void, RemoveError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.reading(removal, () => {
    const { actionTimetoken, channel, messageTimetoken } = options
    const message = { channel, messageTimetoken }
    const action = { ...message, actionTimetoken }
    return change(removal, message, () => ({
      method: "DELETE",
      path:
        path`/v1/message-actions/${subscribeKey}/channel/${channel}/message/${messageTimetoken}/action/${actionTimetoken}`,
      issues: Input.issues({ actionTimetoken: Pages.timetoken(actionTimetoken) }),
      decode: (json) => Result.map(decodeRemoved(json), () => undefined)
    }), ({ description }) =>
      /no matching message action/i.test(description)
        ? new ActionNotFound(action)
        : /wrong uuid/i.test(description)
        ? new ActionOfAnotherUser(action)
        : undefined)
  })

/** Changes an action. `refusalOf` names the answers of the service that are errors of their own. */
const change = <A extends MessageAction | undefined, E>(
  operation: ActionNotAnnounced["operation"],
  message: { readonly channel: string; readonly messageTimetoken: string },
  describe: (
    config: PubNubConfig["Service"]
  ) => Pick<Endpoint.Endpoint<A>, "method" | "path" | "body"> & {
    readonly issues: ReadonlyArray<PubNubError.Detail>
    readonly decode: (json: Schema.Json) => Result.Result<A, string>
  },
  refusalOf: (reason: PubNubError.BadRequest) => E | undefined
) => {
  const unannounced = (description: string, action?: MessageAction) =>
    new ActionNotAnnounced({ operation, ...message, description, ...action === undefined ? {} : { action } })
  return Endpoint.run(operation, (config) => {
    const request = describe(config)
    return {
      ...request,
      issues: [
        ...channelIssues(message.channel),
        ...Input.issues({ messageTimetoken: digits(message.messageTimetoken) }),
        ...request.issues
      ],
      longInput,
      attributes: { "messaging.destination.name": message.channel },
      decode: (json, told) => Result.map(request.decode(json), (action) => ({ action, failure: failureOf(json, told) }))
    }
  }).pipe(
    Effect.mapError((error) => {
      const { reason } = error
      if (reason._tag !== "BadRequest" || reason.status === undefined) return error
      return refusalOf(reason) ?? (reason.status === 207 ? unannounced(reason.description) : error)
    }),
    Effect.flatMap(({ action, failure }) =>
      failure === undefined ? Effect.succeed(action) : Effect.fail(unannounced(failure, action))
    )
  )
}

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options of {@link list}. The range is of the timetokens of the actions, not of their messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions extends History.Range {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** `next` of the page before this one. Default: the newest page of the range. */
  readonly next?: Timetoken.Timetoken | undefined
  /** The most actions of the page: 1 to 100. Default: 100. */
  readonly limit?: number | undefined
}

/**
 * Lists one page of the actions of a channel: the newest of the range, oldest first. `next` of a page leads to the older
 * page. What cannot be decoded becomes an `UndecodableItem` in its place.
 *
 * **Details**
 *
 * `GET /v1/message-actions/{subscribeKey}/channel/{channel}`. The service calls `before` (and `next`) `start`, and `since`
 * `end`. It seldom says that there are `more` actions, so every full page has a `next`.
 *
 * **Example** (The actions of the newest page, by message)
 *
 * ```ts
 * import * as Arr from "effect/Array"
 * import * as Effect from "effect/Effect"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const byMessage = MessageActions.list({ channel: "chat" }).pipe(
 *   Effect.map(({ items }) =>
 *     Arr.groupBy(items.filter(UndecodableItem.isDecoded), ({ messageTimetoken }) => messageTimetoken)
 *   )
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list = (
  options: ListOptions
): Effect.Effect<
  Page<MessageAction | UndecodableItem, Timetoken.Timetoken>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> => ask("MessageActions.list", () => ({ ...options }))

/**
 * The options of {@link stream}. The range is of the timetokens of the actions, not of their messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends History.Range {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** Default: `"newestFirst"`, which reads no more pages than it needs. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
  /** The actions of each request: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * Streams the actions of a channel, page after page, in either order. Actions that users add meanwhile cause neither
 * duplicates nor gaps. It requests no page before its reader needs one.
 *
 * **Details**
 *
 * It pages as {@link list} does. The service gives pages from the new end. `newestFirst` emits them as they come.
 * `oldestFirst` first pages back to the old end. It keeps the last ten pages and requests the others again.
 *
 * **Example** (The users that have read a message)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 * import type { Timetoken } from "effect-herald/pubnub/Timetoken"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const readers = (channel: string, message: Timetoken) =>
 *   // An action is younger than its message.
 *   MessageActions.stream({ channel, since: message }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.filter(({ messageTimetoken, type }) => messageTimetoken === message && type === "receipt"),
 *     Stream.map(({ userId }) => userId),
 *     Stream.runCollect,
 *     Effect.map((users) => new Set(users))
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = (
  options: StreamOptions
): Stream.Stream<MessageAction | UndecodableItem, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.readingStream("MessageActions.stream", () => {
    const { channel, pageSize, ...range } = options
    return Pages.stream(range, (range) => ask("MessageActions.stream", () => ({ ...range, channel, pageSize })))
  })

/** The most actions of a page, and the most messages of `live`. */
const most = 100

const ask = (
  operation: string,
  read: () => ListOptions & Pick<StreamOptions, "pageSize">
): Effect.Effect<
  Page<MessageAction | UndecodableItem, Timetoken.Timetoken>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> =>
  Endpoint.run(operation, () => {
    const { channel, pageSize, limit = pageSize ?? most, ...range } = read()
    // The service allows an empty range.
    const { issues, ...bounds } = Pages.boundsOf(range, { mayBeEmpty: true })
    return {
      path: path`/v1/message-actions/${subscribeKey}/channel/${channel}`,
      query: { start: bounds.before, end: bounds.since, limit: String(limit) },
      issues: [
        ...channelIssues(channel),
        ...issues,
        ...Input.issues({ [pageSize === undefined ? "limit" : "pageSize"]: Input.whole(1, most)(limit) })
      ],
      longInput,
      attributes: { "messaging.destination.name": channel },
      decode: (json) =>
        Result.flatMap(decodeListed(json), ({ data, more }) => {
          const items = data.map(readAction)
          const dated = items.map((action) => isDecoded(action) ? { timetoken: action.actionTimetoken } : {})
          return Result.map(Pages.of(dated, limit, more?.start ?? undefined, bounds), (page) => ({ ...page, items }))
        })
    }
  })

// --------------------------------------------------------------------------------------------------------------------
// as a value that is kept live
// --------------------------------------------------------------------------------------------------------------------

/**
 * All actions of one type and value on a message: the 👍, however many they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reaction {
  /** The kind of the actions: `"reaction"`, `"receipt"`. */
  readonly type: string
  /** The value of the actions: `"👍"`, `"read"`. */
  readonly value: string
  /** The number of users that added it. */
  readonly count: number
  /** The users that added it, in that order, each with the timetoken of the action. */
  readonly users: ReadonlyMap<string, Timetoken.Timetoken>
  /** The timetoken of this user's own action, for {@link remove}. Absent without one. */
  readonly mine?: Timetoken.Timetoken
}

/**
 * The reactions of a message, in the order in which they were first added.
 *
 * @category models
 * @since 0.1.0
 */
export type Reactions = ReadonlyArray<Reaction>

/**
 * The options of {@link live} for certain messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface LiveMessagesOptions {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** The timetokens of 1 to 100 messages. Ten digits, as old actions have them, are fine. */
  readonly messages: ReadonlyArray<string>
  /** Not together with `messages`. */
  readonly last?: undefined
}

/**
 * The options of {@link live} for the newest messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface LiveLastOptions {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** How many of the newest messages, 1 to 100. When a message is published it enters, and the oldest leaves. */
  readonly last: number
  /** Not together with `last`. */
  readonly messages?: undefined
}

/**
 * The options of {@link live}.
 *
 * @category models
 * @since 0.1.0
 */
export type LiveOptions = LiveMessagesOptions | LiveLastOptions

/**
 * Keeps the reactions (and all other actions) of some messages, or of the newest, current while the scope is open. The value
 * has every message, also one without reactions.
 *
 * **Details**
 *
 * It subscribes to the channel, reads the actions, and then follows the events, page by page: everything within one page is
 * one change. It reads again when events may have been lost (after an interruption, a suspected gap, a doubted cursor, an
 * event that cannot be decoded), because history has the actions and not their events. Meanwhile the value is `stale`.
 *
 * It reads history with its actions, 25 messages a page: the newest for `last`, and for `messages` the pages that have them.
 * Messages that history does not have (too old, never stored, ten digits) are looked for among the actions of the channel
 * ({@link stream}), from the oldest of them on, or from the beginning where one has no timetoken of 17 digits. A read that may
 * succeed later is repeated as `Retry.reconnect` says.
 *
 * It returns when the actions are known. Fails with `PubNubError` when they cannot be read (`AccessDenied`, `FeatureDisabled`,
 * …), at once for wrong input, and with `SubscribeError` when the subscription ends before. After that it does not fail:
 * `state` and `failure` of {@link Live} say what keeps the value from being current.
 *
 * **Gotchas**
 *
 * With `last`, a message that is never stored counts when it is published, and no longer after the next read. A message that
 * is removed from history leaves with the next read. An action that was stored or removed without an event appears with the
 * next read.
 *
 * **Example** (👍 3 (you))
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 *
 * const line = (reactions: MessageActions.Reactions) =>
 *   reactions.map(({ count, mine, value }) => `${value} ${count}${mine === undefined ? "" : " (you)"}`).join("  ")
 *
 * const program = Stream.unwrap(
 *   Effect.map(MessageActions.live({ channel: "chat", last: 20 }), SubscriptionRef.changes)
 * ).pipe(
 *   Stream.runForEach(({ value }) =>
 *     Effect.forEach(value, ([timetoken, reactions]) => Effect.log(timetoken, line(reactions)))
 *   )
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const live = (
  options: LiveOptions
): Effect.Effect<
  SubscriptionRef.SubscriptionRef<
    Live<ReadonlyMap<string, Reactions>, PubNubError.PubNubError | SubscribeError>
  >,
  PubNubError.PubNubError | SubscribeError,
  HttpClient.HttpClient | PubNubConfig | Scope.Scope
> =>
  Endpoint.reading("MessageActions.live", () => {
    const { channel } = options
    const issues = liveIssues(options)
    return issues.length > 0
      ? Effect.fail(Endpoint.refusal("MessageActions.live", issues))
      : LiveReactions.keep(options, (since) => stream({ channel, since }))
  })

const liveIssues = ({ channel, last, messages }: LiveOptions) => [
  ...channelIssues(channel),
  ...last === undefined
    ? Names.issuesOf("messages", messages, most, { issue: digits })
    : Input.issues({ last: Input.whole(1, most)(last) })
]

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const addition = "MessageActions.add"
const removal = "MessageActions.remove"

const utf8 = new TextEncoder()

const longInput = { location: "channel", advice: "use a channel with a shorter name" }

const digits: Input.Check = (value) =>
  typeof value === "string" && /^\d{10,17}$/.test(value) ? undefined : `is ${Input.shown(value)}, not 10 to 17 digits`

const channelIssues = (channel: string): ReadonlyArray<PubNubError.Detail> =>
  Input.each("channel", [channel], Names.withoutPresence(", and presence events have no actions"))

// The service says `uuid`.
const Wire = MessageAction.pipe(Schema.encodeKeys({ userId: "uuid" }))

const decodeAdded = Codec.decodeResult(Schema.Struct({ data: Wire }))
const decodeRemoved = Codec.decodeResult(Schema.Struct({ data: Schema.Struct({}) }))
const decodeListed = Codec.decodeResult(Schema.Struct({
  data: Items.Unread,
  more: Schema.optionalKey(Schema.NullOr(Schema.Struct({
    start: Schema.optionalKey(Schema.NullOr(Timetoken.Timetoken))
  })))
}))

const readAction = Items.reader(Wire)
const decodeFailure = Schema.decodeUnknownOption(
  Schema.Struct({ error: Schema.Struct({ message: Schema.String }) })
)

/** Why the service could not announce an action. Such an answer has data nevertheless. */
const failureOf = (json: Schema.Json, told: (text: string) => string): string | undefined =>
  Option.getOrUndefined(Option.map(decodeFailure(json), ({ error }) => told(error.message)))
