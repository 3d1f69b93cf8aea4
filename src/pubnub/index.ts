/** What users, channels, memberships and members have in common. */
export * as AppContext from "./AppContext.ts"

/** Tokens: grant, revoke, explain. */
export * as Access from "./Access.ts"

/** Why a token does not allow a call. */
export * as AccessExplanation from "./AccessExplanation.ts"

/** What a token says. */
export * as AccessToken from "./AccessToken.ts"

/** Names of channels and groups. */
export * as ChannelName from "./ChannelName.ts"

/** Lists of channels under a name. */
export * as ChannelGroups from "./ChannelGroups.ts"

/** What App Context keeps of channels. */
export * as Channels from "./Channels.ts"

/** Messages that the service cannot read. */
export * as Encryption from "./Encryption.ts"
/** Files: send, list, download. */
export * as Files from "./Files.ts"

/** What a subscription delivers. */
export * as SubscribeEvent from "./SubscribeEvent.ts"

/** What the requests about users and channels have in common. */
export * as Objects from "./Objects.ts"

/** What the requests about memberships have in common. */
export * as Relations from "./Relations.ts"

/** Filters of lists. */
export * as ObjectFilter from "./ObjectFilter.ts"

/** What was published. */
export * as History from "./History.ts"

/** Who belongs to a channel. */
export * as Members from "./Members.ts"

/** To which channels a user belongs. */
export * as Memberships from "./Memberships.ts"

/** A reaction, a receipt. */
export * as MessageAction from "./MessageAction.ts"

/** Reactions, receipts, and whatever else is attached to messages. */
export * as MessageActions from "./MessageActions.ts"

/** Who is where. */
export * as Presence from "./Presence.ts"

/** Publish, fire, signal. */
export * as Publish from "./Publish.ts"

/** Publishing in order, at a pace, and safely again. */
export * as Publisher from "./Publisher.ts"

/** Keys, user and limits. */
export * as PubNubConfig from "./PubNubConfig.ts"

/** Which devices get push messages. */
export * as Push from "./Push.ts"

/** The devices of mobile push. */
export * as PushDevice from "./PushDevice.ts"

/** What a device shows for a message. */
export * as PushPayload from "./PushPayload.ts"

/** What a request can fail with. */
export * as PubNubError from "./PubNubError.ts"

/** Access tokens that renew themselves. */
export * as RenewingToken from "./RenewingToken.ts"

/** What a subscription says of itself. */
export * as SubscribeStatus from "./SubscribeStatus.ts"

/** Streams of events. */
export * as Subscribe from "./Subscribe.ts"

/** What ends a subscription. */
export * as SubscribeError from "./SubscribeError.ts"

/** Many streams over one connection. */
export * as Subscriber from "./Subscriber.ts"

/** What to listen to. */
export * as Subscription from "./Subscription.ts"

/** The service's clock. */
export * as Time from "./Time.ts"

/** Seventeen digits. */
export * as Timetoken from "./Timetoken.ts"

/** What App Context keeps of users. */
export * as Users from "./Users.ts"
