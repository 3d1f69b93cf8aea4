/**
 * What became of a message: who got it and who read it, what answers it, and whether it is shown at all.
 *
 * What the service leaves out or gives as `null` is an absent key, as in `PostedMessage`.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as Lenient from "./internal/lenient.ts"
import { UnreadableEntry } from "./UnreadableEntry.ts"

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
  readonly author?: StatusUser
  readonly read: ReadonlyArray<StatusUser>
  /** Who got it and has not read it. */
  readonly delivered: ReadonlyArray<StatusUser>
  /** Who has not got it. */
  readonly sent: ReadonlyArray<StatusUser>
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
  readonly downloads: ReadonlyArray<{ readonly fileName?: string; readonly timestamp?: DateTime.Utc }>
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
  readonly downloadCounts: ReadonlyArray<{ readonly fileName?: string; readonly count?: number }>
  /** One that cannot be read is told in its place. */
  readonly receipts: ReadonlyArray<Receipt | UnreadableEntry>
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
    receipts: Lenient.list(Schema.Union([UnreadableEntry, Receipt])),
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
  readonly replies: ReadonlyArray<string>
  readonly forwards: ReadonlyArray<string>
  readonly formReplies: ReadonlyArray<string>
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
