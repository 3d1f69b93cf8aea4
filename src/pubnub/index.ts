/** Names of channels and groups. */
export * as Channel from "./Channel.ts"

/** What a subscription delivers. */
export * as Event from "./Event.ts"

/** What was published. */
export * as History from "./History.ts"

/** Publish, fire, signal. */
export * as Publish from "./Publish.ts"

/** Keys, user and limits. */
export * as PubNubConfig from "./PubNubConfig.ts"

/** What a request can fail with. */
export * as PubNubError from "./PubNubError.ts"

/** What a subscription says of itself. */
export * as Status from "./Status.ts"

/** Streams of events. */
export * as Subscribe from "./Subscribe.ts"

/** What ends a subscription. */
export * as SubscribeError from "./SubscribeError.ts"

/** The service's clock. */
export * as Time from "./Time.ts"

/** Seventeen digits. */
export * as Timetoken from "./Timetoken.ts"

/** Who publishes and subscribes. */
export * as UserId from "./UserId.ts"
