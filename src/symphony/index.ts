/** Ids of streams and messages. */
export * as Ids from "./Ids.ts"

/** Markup of messages. */
export * as MessageML from "./MessageML.ts"

/** Who talks. */
export * as Session from "./Session.ts"

/** Where the services are. */
export * as SymphonyConfig from "./SymphonyConfig.ts"

/** What a request can fail with. */
export * as SymphonyError from "./SymphonyError.ts"
