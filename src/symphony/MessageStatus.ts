/**
 * Tells what became of a message: who got and who read it ({@link status}, {@link receipts}), what answers it
 * ({@link relationships}). Hides it from everybody ({@link suppress}).
 *
 * What the service leaves out or gives as `null` is an absent key, as in `PostedMessage`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Input from "../internal/input.ts"
import * as Ids from "./Ids.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { type Path, pod } from "./internal/wire/path.ts"
import * as Paging from "./internal/wire/paging.ts"
import * as Request from "./internal/wire/request.ts"
import type { MessageOptions } from "./Messages.ts"
import * as PostedMessage from "./PostedMessage.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import type { SymphonyError } from "./SymphonyError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

const { flag, id, instant, integer, text } = Lenient.keys

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * A user to whom a message was sent, and when the message got as far as its list says.
 *
 * @category models
 * @since 0.1.0
 */
export class StatusUser extends Schema.Opaque<StatusUser>()(Schema.Struct({
  ...PostedMessage.User.fields,
  /** When the message got this far. */
  timestamp: instant
})) {}

const statusUser = Lenient.renamed(StatusUser, { userName: "username" })

/**
 * How far a message is with each of its readers. Each reader is in one of the lists.
 *
 * @category models
 * @since 0.1.0
 */
export class MessageStatus extends Schema.Opaque<MessageStatus>()(Schema.Struct({
  /** The sender. */
  author: Lenient.optional(statusUser),
  /** The users who have read it. */
  read: Lenient.list(statusUser),
  /** The users who got it and have not read it. */
  delivered: Lenient.list(statusUser),
  /** The users who have not got it. */
  sent: Lenient.list(statusUser)
})) {}

/**
 * How often a reader downloaded a file.
 *
 * @category models
 * @since 0.1.0
 */
export class Download extends Schema.Opaque<Download>()(Schema.Struct({
  /** The name of the file. */
  fileName: text,
  /** When it was downloaded. */
  timestamp: instant
})) {}

/**
 * What one reader did with a message. The time of what has not happened is absent.
 *
 * @category models
 * @since 0.1.0
 */
export class Receipt extends Schema.Opaque<Receipt>()(Lenient.renamed(
  Schema.Struct({
    /** The reader. */
    user: Lenient.optional(Lenient.renamed(PostedMessage.User, { id: "userId", emailAddress: "email" })),
    /** When the reader got the message. */
    deliveredAt: instant,
    /** When the reader read it. */
    readAt: instant,
    /** When the reader was notified of it by email. */
    emailedAt: instant,
    /** The downloads of its files. */
    downloads: Lenient.list(Download)
  }),
  {
    deliveryReceiptTimestamp: "deliveredAt",
    readReceiptTimestamp: "readAt",
    emailNotificationTimestamp: "emailedAt",
    downloadReceiptCounts: "downloads"
  }
)) {}

/**
 * How often a file of a message was downloaded.
 *
 * @category models
 * @since 0.1.0
 */
export class DownloadCount extends Schema.Opaque<DownloadCount>()(Schema.Struct({
  /** The name of the file. */
  fileName: text,
  /** How often it was downloaded. */
  count: integer
})) {}

/** A user who must be there: the service writes an object of nulls for nobody. */
const somebody = Lenient.optional(
  Lenient.renamed(PostedMessage.User, { id: "userId", name: "displayName" }).pipe(
    Schema.check(Schema.makeFilter(({ userId }) => userId !== undefined))
  )
)

/**
 * One page of the receipts of a message, with counts over all pages. `next` and `previous` are absent at the ends.
 *
 * @category models
 * @since 0.1.0
 */
export class MessageReceipts extends Schema.Opaque<MessageReceipts>()(Lenient.renamed(
  Schema.Struct({
    /** The receipts of this page. */
    items: Lenient.list(Receipt),
    /** Gives the next page when it is passed as `next`. */
    next: Lenient.optional(Lenient.TextOrNumber),
    /** Gives the page before this one when it is passed as `previous`. */
    previous: Lenient.optional(Lenient.TextOrNumber),
    /** The sender. */
    creator: somebody,
    /** The user on whose behalf the sender sent it. */
    onBehalfOfUser: somebody,
    /** The stream of the message. */
    stream: Lenient.optional(Lenient.renamed(
      Schema.Struct({
        /** The id, URL-safe. */
        streamId: id,
        /** The name of the room, or of the conversation. */
        name: text,
        /** `IM`, `MIM`, `ROOM` or `POST` as of today. */
        streamType: text
      }),
      { id: "streamId" }
    )),
    /** When the message was sent. */
    creationDate: instant,
    /** How many users got it. */
    deliveredCount: integer,
    /** How many users read it. */
    readCount: integer,
    /** How many users were notified of it by email. */
    emailedCount: integer,
    /** How often each file was downloaded. */
    downloadCounts: Lenient.list(DownloadCount)
  }),
  {
    MessageReceiptDetail: "items",
    deliveryReceiptCount: "deliveredCount",
    readReceiptCount: "readCount",
    emailNotificationCount: "emailedCount",
    downloadReceiptCounts: "downloadCounts",
    // The service's own `next` and `previous` are addresses of nothing that can be asked for here.
    "pagination.cursors.after": "next",
    "pagination.cursors.before": "previous"
  }
)) {}

/**
 * What a message answers or forwards, and what answers or forwards it. The ids are URL-safe.
 *
 * @category models
 * @since 0.1.0
 */
export class Relationships extends Schema.Opaque<Relationships>()(Schema.Struct({
  /** The message. */
  messageId: id,
  /** The message that it answers or forwards. */
  parent: Lenient.optional(Schema.Struct({
    /** The message that this one answers or forwards. */
    messageId: Lenient.Id,
    /** `REPLY`, `FORWARD` or `REPLY_FORM`. */
    relationshipType: text
  })),
  /** The messages that answer it. */
  replies: Lenient.list(Lenient.Id),
  /** The messages that forward it. */
  forwards: Lenient.list(Lenient.Id),
  /** The messages that answer its form. */
  formReplies: Lenient.list(Lenient.Id)
})) {}

/**
 * Whether a message is hidden, and since when.
 *
 * @category models
 * @since 0.1.0
 */
export class Suppression extends Schema.Opaque<Suppression>()(Schema.Struct({
  /** The message. */
  messageId: id,
  /** Whether it is hidden. */
  suppressed: flag,
  /** Since when it is hidden. */
  suppressionDate: instant
})) {}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/**
 * Hides a message from everybody. It is safe to repeat. The session needs a role that allows it.
 *
 * **Details**
 *
 * `POST {pod}/pod/v1/admin/messagesuppression/{messageId}/suppress`
 *
 * **Example** (Since when it is hidden)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 *
 * const hide = (messageId: string) =>
 *   Effect.map(MessageStatus.suppress({ messageId }), ({ suppressionDate }) => suppressionDate)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const suppress = (
  options: MessageOptions
): Effect.Effect<Suppression, SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  ofMessage(
    "MessageStatus.suppress",
    options,
    (id) => pod`/v1/admin/messagesuppression/${id}/suppress`,
    decodeSuppression,
    "POST"
  )

const decodeSuppression = Lenient.json(Suppression)

/**
 * Tells how far a message is with each of its readers. Fails with the reason `NotFound` when the service knows nothing of it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/message/{messageId}/status`
 *
 * **Example** (The users who have not read it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const unread = (messageId: string) =>
 *   Effect.map(MessageStatus.status({ messageId }), ({ delivered, sent }) =>
 *     [...delivered, ...sent].filter(UndecodableItem.isDecoded))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const status = (
  options: MessageOptions
): Effect.Effect<MessageStatus, SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  ofMessage("MessageStatus.status", options, (id) => pod`/v1/message/${id}/status`, decodeStatus)

const decodeStatus = Lenient.json(MessageStatus)

/**
 * The options of {@link receipts}. At most one of `next` and `previous`; without them, the first page.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiptsOptions extends MessageOptions {
  /** The `next` of a page: gives the page after it. */
  readonly next?: string | undefined
  /** The `previous` of a page: gives the page before it. */
  readonly previous?: string | undefined
}

/**
 * Tells what each reader did with a message: one page of receipts, and counts over all of them. Fails with the reason
 * `NotFound` when the service knows nothing of the message. The session needs a role that allows it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/admin/messages/{messageId}/receipts`
 *
 * **Example** (How many users have read it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 *
 * const readers = (messageId: string) =>
 *   Effect.map(MessageStatus.receipts({ messageId }), ({ readCount = 0 }) => readCount)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const receipts = (
  options: ReceiptsOptions
): Effect.Effect<MessageReceipts, SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  page("MessageStatus.receipts", options)

const page = (operation: "MessageStatus.receipts" | "MessageStatus.streamReceipts", options: ReceiptsOptions) =>
  Request.run(operation, () => {
    const { messageId, next, previous } = options
    return {
      path: receiptsPath(messageId),
      query: { before: previous, after: next },
      issues: Input.issues({
        messageId: Ids.issue(messageId),
        previous: Input.optional(Input.text)(previous),
        next: previous !== undefined && next !== undefined
          ? "cannot be combined with previous"
          : Input.optional(Input.text)(next)
      }),
      decode: decodeReceipts
    }
  })

const receiptsPath = (messageId: string) => pod`/v1/admin/messages/${Ids.toUrlSafe(messageId)}/receipts`

const decodeReceipts = Lenient.json(MessageReceipts)

/** How many cursors a stream remembers, to notice one that comes again. */
const mostCursors = 100

/**
 * Tells what each reader did with a message, page after page. It asks for the next page when the reader pulls. The service
 * decides how many receipts a page has.
 *
 * **Details**
 *
 * As {@link receipts}.
 *
 * **Example** (The users who have read it)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const readers = (messageId: string) =>
 *   MessageStatus.streamReceipts({ messageId }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.filter(({ readAt }) => readAt !== undefined)
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const streamReceipts = (
  options: MessageOptions
): Stream.Stream<Receipt | UndecodableItem, SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  Endpoint.readingStream("MessageStatus.streamReceipts", () => {
    const { messageId } = options
    const first: { readonly at?: string; readonly cursors: ReadonlyArray<string> } = { cursors: [] }
    return Paging.paginate(
      { operation: "MessageStatus.streamReceipts", path: receiptsPath(messageId) },
      first,
      ({ at, cursors }) =>
        Effect.map(page("MessageStatus.streamReceipts", { messageId, next: at }), ({ items, next }) => ({
          entries: items,
          next: items.length === 0 || next === undefined || next === at
            ? Option.none()
            : cursors.includes(next)
            ? "the cursor of an earlier page came again"
            : Option.some({ at: next, cursors: [...cursors.slice(-mostCursors), next] })
        }))
    )
  })

/**
 * Tells what a message answers or forwards, and what answers or forwards it. The session needs a role that allows it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/admin/messages/{messageId}/metadata/relationships`
 *
 * **Example** (The answers to a message)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const answers = (messageId: string) =>
 *   Effect.flatMap(MessageStatus.relationships({ messageId }), ({ replies }) =>
 *     Effect.forEach(replies.filter(UndecodableItem.isDecoded), (messageId) => Messages.get({ messageId })))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const relationships = (
  options: MessageOptions
): Effect.Effect<Relationships, SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  ofMessage(
    "MessageStatus.relationships",
    options,
    (id) => pod`/v1/admin/messages/${id}/metadata/relationships`,
    decodeRelationships
  )

const decodeRelationships = Lenient.json(Relationships)

/** A request whose only input is a message. */
const ofMessage = <A>(
  operation: string,
  options: MessageOptions,
  pathOf: (messageId: string) => Path,
  decode: (text: string) => Result.Result<A, string>,
  method: "GET" | "POST" = "GET"
) =>
  Request.run(operation, () => {
    const { messageId } = options
    const issues = Input.issues({ messageId: Ids.issue(messageId) })
    return { method, path: pathOf(Ids.toUrlSafe(messageId)), issues, decode }
  })
