/** Files to send. */
export * as Attachment from "./Attachment.ts"

/** Files of posted messages. */
export * as Attachments from "./Attachments.ts"

/** The datafeed of a bot. */
export * as Datafeed from "./Datafeed.ts"

/** The events of a datafeed. */
export * as DatafeedEvent from "./DatafeedEvent.ts"

/** The statuses of a datafeed. */
export * as DatafeedStatus from "./DatafeedStatus.ts"

/** Ids of streams and messages. */
export * as Ids from "./Ids.ts"

/** Messages to send. */
export * as Message from "./Message.ts"

/** Markup of messages. */
export * as MessageML from "./MessageML.ts"

/** Searches messages. */
export * as MessageSearch from "./MessageSearch.ts"

/** Who got and read a message, and what answers it. */
export * as MessageStatus from "./MessageStatus.ts"

/** Sends and reads messages. */
export * as Messages from "./Messages.ts"

/** A message that was posted. */
export * as PostedMessage from "./PostedMessage.ts"

/** The session of a bot, or of a user. */
export * as Session from "./Session.ts"

/** The configuration. */
export * as SymphonyConfig from "./SymphonyConfig.ts"

/** The errors of requests. */
export * as SymphonyError from "./SymphonyError.ts"
