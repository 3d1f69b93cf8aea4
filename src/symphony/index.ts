/** Files to send. */
export * as Attachment from "./Attachment.ts"

/** Files that were posted. */
export * as Attachments from "./Attachments.ts"

/** Hearing. */
export * as Datafeed from "./Datafeed.ts"

/** What is heard. */
export * as DatafeedEvent from "./DatafeedEvent.ts"

/** What a feed says of itself. */
export * as DatafeedStatus from "./DatafeedStatus.ts"

/** Ids of streams and messages. */
export * as Ids from "./Ids.ts"

/** Messages to send. */
export * as Message from "./Message.ts"

/** Markup of messages. */
export * as MessageML from "./MessageML.ts"

/** Finding messages. */
export * as MessageSearch from "./MessageSearch.ts"

/** What became of a message. */
export * as MessageStatus from "./MessageStatus.ts"

/** Messages: to send, and to read. */
export * as Messages from "./Messages.ts"

/** A message that was posted. */
export * as PostedMessage from "./PostedMessage.ts"

/** Who talks. */
export * as Session from "./Session.ts"

/** Where the services are. */
export * as SymphonyConfig from "./SymphonyConfig.ts"

/** What a request can fail with. */
export * as SymphonyError from "./SymphonyError.ts"
