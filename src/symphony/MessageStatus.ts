/**
 * What became of a message: who got it and who read it ({@link status}, {@link receipts}), what answers it
 * ({@link relationships}), and whether it is shown at all ({@link suppress}).
 *
 * What the service leaves out or gives as `null` is an absent key, as in `PostedMessage`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
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
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import type { SymphonyError } from "./SymphonyError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

type Needs = HttpClient.HttpClient | SymphonyConfig | Session

const Text = Lenient.optional(Schema.String)
const Integer = Lenient.optional(Lenient.Integer)
const Instant = Lenient.optional(Lenient.Instant)

// --------------------------------------------------------------------------------------------------------------------
// status
// --------------------------------------------------------------------------------------------------------------------

/**
 * A user to whom a message was sent, and when it got where it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface StatusUser {
  readonly userId?: number
  readonly firstName?: string
  readonly lastName?: string
  readonly displayName?: string
  readonly email?: string
  readonly username?: string
  readonly timestamp?: DateTime.Utc
}

/**
 * The codec of a {@link StatusUser}. The service writes ids and timestamps as text here, or as numbers, and `userName`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StatusUser: Schema.Codec<StatusUser, unknown> = Lenient.renamed(
  Schema.Struct({
    userId: Integer,
    firstName: Text,
    lastName: Text,
    displayName: Text,
    email: Text,
    username: Text,
    timestamp: Instant
  }),
  { username: "userName" }
)

/**
 * How far a message is with each of its readers. Nobody is in two of the lists.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageStatus {
  /** Who sent it. */
  readonly author?: StatusUser
  /** Who has read it. */
  readonly read: ReadonlyArray<StatusUser | UndecodableItem>
  /** Who got it and has not read it. */
  readonly delivered: ReadonlyArray<StatusUser | UndecodableItem>
  /** Who has not got it. */
  readonly sent: ReadonlyArray<StatusUser | UndecodableItem>
}

/**
 * The codec of a {@link MessageStatus}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MessageStatus: Schema.Codec<MessageStatus, unknown> = Schema.Struct({
  author: Lenient.optional(StatusUser),
  read: Lenient.list(StatusUser),
  delivered: Lenient.list(StatusUser),
  sent: Lenient.list(StatusUser)
})

// --------------------------------------------------------------------------------------------------------------------
// receipts
// --------------------------------------------------------------------------------------------------------------------

/**
 * Who sent a message, or on whose behalf.
 *
 * @category models
 * @since 0.1.0
 */
export interface Creator {
  readonly id: number
  readonly name?: string
}

/**
 * The codec of a {@link Creator}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Creator: Schema.Codec<Creator, unknown> = Schema.Struct({ id: Lenient.Integer, name: Text })

/**
 * A reader of a message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reader {
  readonly id?: number
  readonly username?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly emailAddress?: string
}

/**
 * The codec of a {@link Reader}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reader: Schema.Codec<Reader, unknown> = Schema.Struct({
  id: Integer,
  username: Text,
  firstName: Text,
  lastName: Text,
  emailAddress: Text
})

/**
 * What one reader did with a message. A timestamp is absent when it has not happened.
 *
 * @category models
 * @since 0.1.0
 */
export interface Receipt {
  readonly user?: Reader
  readonly deliveryReceiptTimestamp?: DateTime.Utc
  readonly readReceiptTimestamp?: DateTime.Utc
  readonly emailNotificationTimestamp?: DateTime.Utc
  readonly downloads: ReadonlyArray<{ readonly fileName?: string; readonly timestamp?: DateTime.Utc } | UndecodableItem>
}

/**
 * The codec of a {@link Receipt}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Receipt: Schema.Codec<Receipt, unknown> = Lenient.renamed(
  Schema.Struct({
    user: Lenient.optional(Reader),
    deliveryReceiptTimestamp: Instant,
    readReceiptTimestamp: Instant,
    emailNotificationTimestamp: Instant,
    downloads: Lenient.list(Schema.Struct({ fileName: Text, timestamp: Instant }))
  }),
  { downloads: "downloadReceiptCounts" }
)

/**
 * Where the pages in front of this one and behind it are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cursors {
  readonly before?: string
  readonly after?: string
}

/**
 * A page of the receipts of a message, with counts over all of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageReceipts {
  readonly creator?: Creator
  readonly onBehalfOfUser?: Creator
  readonly stream?: { readonly id?: string; readonly name?: string; readonly streamType?: string }
  readonly creationDate?: DateTime.Utc
  readonly deliveryReceiptCount?: number
  readonly readReceiptCount?: number
  readonly emailNotificationCount?: number
  readonly downloadCounts: ReadonlyArray<{ readonly fileName?: string; readonly count?: number } | UndecodableItem>
  /** One that cannot be read is told in its place. */
  readonly receipts: ReadonlyArray<Receipt | UndecodableItem>
  /** Absent when this is the only page. */
  readonly pagination?: { readonly cursors?: Cursors; readonly previous?: string; readonly next?: string }
}

/**
 * The codec of {@link MessageReceipts}. The service writes `MessageReceiptDetail` for the receipts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MessageReceipts: Schema.Codec<MessageReceipts, unknown> = Lenient.renamed(
  Schema.Struct({
    creator: Lenient.optional(Creator),
    onBehalfOfUser: Lenient.optional(Creator),
    stream: Lenient.optional(Schema.Struct({ id: Text, name: Text, streamType: Text })),
    creationDate: Instant,
    deliveryReceiptCount: Integer,
    readReceiptCount: Integer,
    emailNotificationCount: Integer,
    downloadCounts: Lenient.list(Schema.Struct({ fileName: Text, count: Integer })),
    receipts: Lenient.list(Receipt),
    pagination: Lenient.optional(Schema.Struct({
      cursors: Lenient.optional(Schema.Struct({
        before: Lenient.optional(Lenient.TextOrNumber),
        after: Lenient.optional(Lenient.TextOrNumber)
      })),
      previous: Text,
      next: Text
    }))
  }),
  { receipts: "MessageReceiptDetail", downloadCounts: "downloadReceiptCounts" }
)

// --------------------------------------------------------------------------------------------------------------------
// relationships and suppression
// --------------------------------------------------------------------------------------------------------------------

/** Where a page begins, and the cursors of those before it. */
interface ReceiptsPlace {
  readonly after: string | undefined
  readonly before: ReadonlyArray<string>
}

/** So many cursors are remembered. */
const mostCursors = 100

/**
 * What a message answers or forwards, and what answers or forwards it. Ids are as the service writes them: in the
 * standard alphabet as of today. `relationshipType` is `REPLY`, `FORWARD` or `REPLY_FORM`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Relationships {
  readonly messageId?: string
  readonly parent?: { readonly messageId: string; readonly relationshipType?: string }
  readonly replies: ReadonlyArray<string | UndecodableItem>
  readonly forwards: ReadonlyArray<string | UndecodableItem>
  readonly formReplies: ReadonlyArray<string | UndecodableItem>
}

/**
 * The codec of {@link Relationships}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Relationships: Schema.Codec<Relationships, unknown> = Schema.Struct({
  messageId: Text,
  parent: Lenient.optional(Schema.Struct({ messageId: Schema.NonEmptyString, relationshipType: Text })),
  replies: Lenient.list(Schema.String),
  forwards: Lenient.list(Schema.String),
  formReplies: Lenient.list(Schema.String)
})

/**
 * That a message is not shown any more, and since when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Suppression {
  readonly messageId?: string
  readonly suppressed?: boolean
  readonly suppressionDate?: DateTime.Utc
}

/**
 * The codec of a {@link Suppression}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Suppression: Schema.Codec<Suppression, unknown> = Schema.Struct({
  messageId: Text,
  suppressed: Lenient.optional(Lenient.Flag),
  suppressionDate: Instant
})

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/**
 * Hides a message from everybody. It may be repeated. The session needs a role that allows it.
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
): Effect.Effect<Suppression, SymphonyError, Needs> =>
  ofMessage("suppress", options, (id) => pod`/v1/admin/messagesuppression/${id}/suppress`, decodeSuppression, "POST")

const decodeSuppression = Lenient.json(Suppression)

/**
 * How far a message is with each of its readers. Fails with `NotFound` where nothing is known of it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/message/{messageId}/status`
 *
 * **Example** (Who has not read it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const unread = (messageId: string) =>
 *   Effect.map(MessageStatus.status({ messageId }), ({ delivered, sent }) => [...delivered, ...sent].filter(UndecodableItem.isDecoded))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const status = (
  options: MessageOptions
): Effect.Effect<MessageStatus, SymphonyError, Needs> =>
  ofMessage("status", options, (id) => pod`/v1/message/${id}/status`, decodeStatus)

const decodeStatus = Lenient.json(MessageStatus)

/**
 * What {@link receipts} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiptsOptions extends MessageOptions {
  /** The page in front of this cursor. */
  readonly before?: string | undefined
  /** The page behind this cursor. */
  readonly after?: string | undefined
}

/**
 * What each reader did with a message, a page of them, with counts over all. Fails with `NotFound` where nothing is known of
 * it. The session needs a role that allows it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/admin/messages/{messageId}/receipts`
 *
 * **Example** (How many have read it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 *
 * const readers = (messageId: string) =>
 *   Effect.map(MessageStatus.receipts({ messageId }), ({ readReceiptCount = 0 }) => readReceiptCount)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const receipts = (
  options: ReceiptsOptions
): Effect.Effect<MessageReceipts, SymphonyError, Needs> => receiptsAs("receipts", options)

const receiptsPath = (messageId: string) => pod`/v1/admin/messages/${Ids.toUrlSafe(messageId)}/receipts`

const receiptsAs = (
  operation: "receipts" | "allReceipts",
  options: ReceiptsOptions
): Effect.Effect<MessageReceipts, SymphonyError, Needs> =>
  Request.run(operation, () => {
    const { after, before, messageId } = options
    return {
      path: receiptsPath(messageId),
      query: { before, after },
      issues: Input.issues({
        messageId: Ids.issue(messageId),
        before: Input.optional(Input.text)(before),
        after: before !== undefined && after !== undefined
          ? "cannot be combined with before"
          : Input.optional(Input.text)(after)
      }),
      decode: decodeReceipts
    }
  })

const decodeReceipts = Lenient.json(MessageReceipts)

/**
 * What each reader did with a message, page after page. It stops asking when its reader stops.
 *
 * **Details**
 *
 * As {@link receipts}.
 *
 * **Example** (Who has read it)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as MessageStatus from "effect-herald/symphony/MessageStatus"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const readers = (messageId: string) =>
 *   MessageStatus.allReceipts({ messageId }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.filter((receipt) => receipt.readReceiptTimestamp !== undefined)
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const allReceipts = (
  options: MessageOptions
): Stream.Stream<Receipt | UndecodableItem, SymphonyError, Needs> =>
  Endpoint.readingStream("allReceipts", () => {
    const { messageId } = options
    const first: ReceiptsPlace = { after: undefined, before: [] }
    return Paging.paginate({ operation: "allReceipts", path: receiptsPath(messageId) }, first, ({ after, before }) =>
      Effect.map(receiptsAs("allReceipts", { messageId, after }), ({ pagination, receipts }) => {
        const next = pagination?.cursors?.after
        return {
          entries: receipts,
          next: receipts.length === 0 || next === undefined || next === after
            ? Option.none()
            : before.includes(next)
            ? "the cursor of an earlier page came again"
            : Option.some({ after: next, before: [...before.slice(-mostCursors), next] })
        }
      }))
  })

/**
 * What a message answers or forwards, and what answers or forwards it. The session needs a role that allows it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/admin/messages/{messageId}/metadata/relationships`
 *
 * **Example** (Its answers)
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
): Effect.Effect<Relationships, SymphonyError, Needs> =>
  ofMessage("relationships", options, (id) => pod`/v1/admin/messages/${id}/metadata/relationships`, decodeRelationships)

const decodeRelationships = Lenient.json(Relationships)

/** A request whose only input is a message. */
const ofMessage = <A>(
  operation: string,
  options: MessageOptions,
  pathOf: (messageId: string) => Path,
  decode: (text: string) => Result.Result<A, string>,
  method: "GET" | "POST" = "GET"
): Effect.Effect<A, SymphonyError, Needs> =>
  Request.run(operation, () => {
    const { messageId } = options
    const issues = Input.issues({ messageId: Ids.issue(messageId) })
    return { method, path: pathOf(Ids.toUrlSafe(messageId)), issues, decode }
  })
