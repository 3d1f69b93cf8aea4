/**
 * What users attach to messages that are there already (reactions, receipts, bookmarks): {@link add}, {@link remove}, and
 * {@link list} or {@link stream} for what was added; {@link live} keeps the reactions of messages current.
 * As events they come with `Subscribe.actions`, and together with their messages from `History` (`include.actions`). It
 * needs Message Persistence.
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
import * as Failure from "../internal/failure.ts"
import * as Codec from "../internal/codec.ts"
import * as Input from "../internal/input.ts"
import { MessageAction } from "./MessageAction.ts"
import type { Live } from "../Live.ts"
import type * as History from "./History.ts"
import * as LiveReactions from "./internal/live/liveReactions.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Items from "./internal/wire/items.ts"
import * as Names from "./internal/wire/names.ts"
import * as Pages from "./internal/wire/pages.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import * as Timetoken from "./Timetoken.ts"
import { isDecoded, type UndecodableItem } from "../UndecodableItem.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * A page of the actions of one channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  /** Oldest first, by their own timetokens. */
  readonly actions: ReadonlyArray<MessageAction | UndecodableItem>
  /** Where the next older page ends: pass it as `before`. Absent when there is none. */
  readonly next?: Timetoken.Timetoken
}

// --------------------------------------------------------------------------------------------------------------------
// errors
// --------------------------------------------------------------------------------------------------------------------

const Message = { channel: Schema.String, messageTimetoken: Schema.String }

/**
 * This user has an action of this type and value on the message already. Where an {@link add} was tried again because
 * its answer never came, that is good news: the first one arrived.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionExists extends Failure.TaggedError<ActionExists>("pubnub")("ActionExists", {
  ...Message,
  type: Schema.String,
  value: Schema.String
}, {
  message: ({ channel, messageTimetoken, type, value }) =>
    `addMessageAction: this user has the ${type} "${value}" on message ${messageTimetoken} of ${channel} ` +
    "already. There is nothing to do; remove takes it back."
}) {}

/**
 * The message has no such action. Where a {@link remove} was tried again because its answer never came, that is good
 * news: the first one arrived.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionNotFound extends Failure.TaggedError<ActionNotFound>("pubnub")("ActionNotFound", {
  ...Message,
  actionTimetoken: Schema.String
}, {
  message: ({ actionTimetoken, channel, messageTimetoken }) =>
    `removeMessageAction: message ${messageTimetoken} of ${channel} has no action ${actionTimetoken}. It may ` +
    "be gone already; list tells what there is, with the timetokens that remove needs."
}) {}

/**
 * The action was added by another user, and only its own user can remove it.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionOfAnotherUser extends Failure.TaggedError<ActionOfAnotherUser>("pubnub")("ActionOfAnotherUser", {
  ...Message,
  actionTimetoken: Schema.String
}, {
  message: ({ actionTimetoken, channel, messageTimetoken }) =>
    `removeMessageAction: the action ${actionTimetoken} on message ${messageTimetoken} of ${channel} is of ` +
    "another user. Remove it with the userId that added it."
}) {}

/**
 * The action was stored, or removed, but the service could not tell subscribers (207). `action` is what was stored, where
 * the service says it. Do not try again: it is done, and the answer would be {@link ActionExists} or
 * {@link ActionNotFound}. Whoever has to see it at once reads {@link list}.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActionNotAnnounced extends Failure.TaggedError<ActionNotAnnounced>("pubnub")("ActionNotAnnounced", {
  ...Message,
  operation: Schema.Literals(["addMessageAction", "removeMessageAction"]),
  action: Schema.optionalKey(MessageAction),
  description: Schema.String
}, {
  message: ({ channel, description, messageTimetoken, operation }) =>
    `${operation}: the action on message ${messageTimetoken} of ${channel} was ` +
    `${
      operation === "addMessageAction" ? "stored" : "removed"
    }, but subscribers were not told: ${description}. Do not ` +
    "try again; who has to see it at once reads list."
}) {}

/**
 * What {@link add} can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type AddError = PubNubError.PubNubError | ActionExists | ActionNotAnnounced

/**
 * What {@link remove} can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type RemoveError = PubNubError.PubNubError | ActionNotFound | ActionOfAnotherUser | ActionNotAnnounced

// --------------------------------------------------------------------------------------------------------------------
// adding and removing
// --------------------------------------------------------------------------------------------------------------------

/**
 * What {@link add} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AddOptions {
  /** The channel of the message. */
  readonly channel: string
  /** The message, by the timetoken that `Publish.publish` gave. The service does not look whether there is one. */
  readonly messageTimetoken: Timetoken.Timetoken
  /** What kind of action it is: `"reaction"`, `"receipt"`. Not empty. */
  readonly type: string
  /** What it says: `"👍"`, `"read"`. Not empty. */
  readonly value: string
}

/**
 * Adds an action of this user to a message, and gives it as it is stored. Fails with {@link ActionExists} where this user
 * has added the same before, with {@link ActionNotAnnounced} where it is stored but nobody was told, and with
 * `PubNubError`. After a `Transport` that was sent, a `Timeout` or a `ServerFailure` it may have arrived:
 * adding again is safe, since nothing is stored twice.
 *
 * **Details**
 *
 * `POST /v1/message-actions/{subscribeKey}/channel/{channel}/message/{messageTimetoken}`. The body may have as many bytes
 * as a message (`maxMessageSize`).
 *
 * **Example** (A read receipt, as often as one likes)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 * import type { Timetoken } from "effect-herald/pubnub/Timetoken"
 *
 * const markRead = (channel: string, messageTimetoken: Timetoken) =>
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
  Endpoint.reading("addMessageAction", () => {
    const { channel, messageTimetoken, type, value } = options
    const message = { channel, messageTimetoken }
    const partial = (rest: { readonly action?: MessageAction; readonly description: string }) =>
      new ActionNotAnnounced({ operation: "addMessageAction", ...message, ...rest })
    return Endpoint.run("addMessageAction", ({ maxMessageSize }) => {
      const body = JSON.stringify({ type, value })
      const size = utf8.encode(body).length
      return {
        method: "POST",
        path: path`/v1/message-actions/${subscribeKey}/channel/${channel}/message/${messageTimetoken}`,
        body,
        issues: [
          ...channelIssues(channel),
          ...Input.issues({
            messageTimetoken: Pages.timetoken(messageTimetoken),
            type: Input.filled(type),
            value: Input.filled(value) ??
              (size > maxMessageSize
                ? `makes a body of ${size} bytes, and maxMessageSize is ${maxMessageSize}`
                : undefined)
          })
        ],
        longInput,
        attributes: { "messaging.destination.name": channel },
        decode: (json, told) =>
          Result.map(decodeAdded(json), ({ data }) => ({ action: data, unpublished: unpublished(json, told) }))
      }
    }).pipe(
      Effect.mapError((error) =>
        refusalOf(error, ({ description, status }) =>
          status === 409
            ? new ActionExists({ ...message, type, value })
            : status === 207
            ? partial({ description })
            : undefined)
      ),
      Effect.flatMap(({ action, unpublished }) =>
        unpublished === undefined
          ? Effect.succeed(action)
          : Effect.fail(partial({ action, description: unpublished }))
      )
    )
  })

/**
 * What {@link remove} takes. A {@link MessageAction} has both timetokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoveOptions {
  /** The channel of the message. */
  readonly channel: string
  /** The message, as the action has it: in old data, ten digits. */
  readonly messageTimetoken: string
  /** The action, as {@link add} and {@link list} give it. */
  readonly actionTimetoken: Timetoken.Timetoken
}

/**
 * Removes an action of this user from a message. Fails with {@link ActionNotFound}, {@link ActionOfAnotherUser},
 * {@link ActionNotAnnounced} where it is gone but nobody was told, and `PubNubError`. It may be tried again:
 * {@link ActionNotFound} then says that the first try arrived.
 *
 * **Details**
 *
 * `DELETE /v1/message-actions/{subscribeKey}/channel/{channel}/message/{messageTimetoken}/action/{actionTimetoken}`
 *
 * **Example** (Taking back what was added)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageActions from "effect-herald/pubnub/MessageActions"
 * import type { Timetoken } from "effect-herald/pubnub/Timetoken"
 *
 * const wave = (messageTimetoken: Timetoken) =>
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
  Endpoint.reading("removeMessageAction", () => {
    const { actionTimetoken, channel, messageTimetoken } = options
    const action = { channel, messageTimetoken, actionTimetoken }
    const partial = (description: string) =>
      new ActionNotAnnounced({ operation: "removeMessageAction", channel, messageTimetoken, description })
    return Endpoint.run("removeMessageAction", () => ({
      method: "DELETE",
      path:
        path`/v1/message-actions/${subscribeKey}/channel/${channel}/message/${messageTimetoken}/action/${actionTimetoken}`,
      issues: [
        ...channelIssues(channel),
        ...Input.issues({
          messageTimetoken: digits(messageTimetoken),
          actionTimetoken: Pages.timetoken(actionTimetoken)
        })
      ],
      longInput,
      attributes: { "messaging.destination.name": channel },
      decode: (json, told) => Result.map(decodeRemoved(json), () => unpublished(json, told))
    })).pipe(
      Effect.mapError((error) =>
        refusalOf(error, ({ description, status }) =>
          /no matching message action/i.test(description)
            ? new ActionNotFound(action)
            : /wrong uuid/i.test(description)
            ? new ActionOfAnotherUser(action)
            : status === 207
            ? partial(description)
            : undefined)
      ),
      Effect.flatMap((unpublished) => unpublished === undefined ? Effect.void : Effect.fail(partial(unpublished)))
    )
  })

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/**
 * What {@link list} takes. The range is of the actions' own timetokens, not of their messages'.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions extends History.Range {
  /** One channel; not a wildcard. */
  readonly channel: string
  /** The most actions of a page, 1 to 100. Default: 100. */
  readonly limit?: number | undefined
}

/**
 * One page of the actions of a channel: the newest of the range, oldest first. Fails with `PubNubError`.
 *
 * **Details**
 *
 * `GET /v1/message-actions/{subscribeKey}/channel/{channel}`. What is `before` here, the first timetoken that does not
 * belong to the range any more, the service calls `start`; `since`, the oldest that does, it calls `end`. The service
 * seldom says that there is `more`: a full page has a `next` too. What cannot be read is an `UndecodableItem` in its place.
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
 *   Effect.map(({ actions }) =>
 *     Arr.groupBy(actions.filter(UndecodableItem.isDecoded), ({ messageTimetoken }) => messageTimetoken)
 *   )
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list = (
  options: ListOptions
): Effect.Effect<Page, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  ask("limit", () => ({ ...options }))

/**
 * What {@link stream} takes. The range is of the actions' own timetokens, not of their messages'.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends History.Range {
  /** One channel; not a wildcard. */
  readonly channel: string
  /** Default: `"newestFirst"`, which reads no more than it gives. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
  /** How many actions to ask for at once, 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * The actions of a channel, page after page, in either direction: none comes twice and none is passed over while others
 * are added. It stops asking when its reader stops. Fails with `PubNubError`.
 *
 * **Details**
 *
 * As {@link list}. The service gives pages from the new end. `newestFirst` hands them on as they come. `oldestFirst` goes
 * back to the old end first, keeps the last ten pages of that way, and asks again for what it had to let go.
 *
 * **Example** (Who has read a message)
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
  Endpoint.readingStream("listMessageActions", () => {
    const { channel, order, pageSize, ...range } = options
    return Pages.stream({ ...range, order }, (range) =>
      Effect.map(
        ask("pageSize", () => ({ ...range, channel, limit: pageSize })),
        ({ actions, ...rest }) => ({ entries: actions, ...rest })
      ))
  })

/** The most actions of a page, and the most messages of `live`. */
const most = 100

const ask = (
  limitName: "limit" | "pageSize",
  read: () => ListOptions
): Effect.Effect<Page, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("listMessageActions", () => {
    const { before, channel, limit = most, since } = read()
    return {
      path: path`/v1/message-actions/${subscribeKey}/channel/${channel}`,
      query: { start: before, end: since, limit: String(limit) },
      issues: [
        ...channelIssues(channel),
        // The service allows an empty range.
        ...Pages.issuesOf({ before, since }, { mayBeEmpty: true }),
        ...Input.issues({ [limitName]: Input.whole(1, most)(limit) })
      ],
      longInput,
      attributes: { "messaging.destination.name": channel },
      decode: (json) =>
        Result.flatMap(decodeListed(json), ({ data, more }) => {
          const actions = data.map(readAction)
          const dated = actions.map((action) => isDecoded(action) ? { timetoken: action.actionTimetoken } : {})
          return Result.map(Pages.of(dated, limit, more?.start ?? undefined, before), ({ next }): Page => ({
            actions,
            ...next === undefined || since !== undefined && next <= since ? {} : { next }
          }))
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
  /** What kind of action it is: `"reaction"`, `"receipt"`. */
  readonly type: string
  /** What it says: `"👍"`, `"read"`. */
  readonly value: string
  /** By how many users. */
  readonly count: number
  /** By whom, the first first, each with the timetoken of the action. */
  readonly users: ReadonlyMap<string, Timetoken.Timetoken>
  /** The timetoken of this user's own action, by which {@link remove} takes it back; absent where there is none. */
  readonly mine?: Timetoken.Timetoken
}

/**
 * What a message has got, in the order in which each was first added.
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

const utf8 = new TextEncoder()

const longInput = { location: "channel", advice: "use a channel with a shorter name" }

const isDigits = Schema.is(MessageAction.fields.messageTimetoken)

const digits: Input.Check = (value) => isDigits(value) ? undefined : `is ${Input.shown(value)}, not made of digits`

const channelIssues = (channel: string): ReadonlyArray<PubNubError.Detail> =>
  Input.each("channel", [channel], Names.withoutPresence(", and presence events have no actions"))

/** What an error of the service means for actions. */
const refusalOf = <E>(
  error: PubNubError.PubNubError,
  meaning: (reason: PubNubError.BadRequest) => E | undefined
): PubNubError.PubNubError | E => {
  const { reason } = error
  return (reason._tag === "BadRequest" && reason.status !== undefined ? meaning(reason) : undefined) ?? error
}

// The service's word for a user.
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
const decodeUnpublished = Schema.decodeUnknownOption(
  Schema.Struct({ error: Schema.Struct({ message: Schema.String }) })
)

/** Why subscribers were not told, in an answer that has data nevertheless. */
const unpublished = (json: Schema.Json, told: (text: string) => string): string | undefined =>
  Option.getOrUndefined(Option.map(decodeUnpublished(json), ({ error }) => told(error.message)))
