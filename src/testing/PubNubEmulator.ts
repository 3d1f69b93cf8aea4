/**
 * The PubNub service in memory: a test provides it in place of the network.
 *
 * `layer` provides an `HttpClient` that runs in the caller's own fibers, and `PubNubEmulator`, which reads and changes the
 * state of the service. No socket is open, so virtual time and interruption work. `PubNubEmulatorServer` of
 * `effect-herald/node` serves the same emulator on a port.
 *
 * It shares no code with the client: the same mistake on both sides would hide itself.
 *
 * **Rules**
 *
 * - Time is the caller's `Clock`. A clock that is too early for timetokens of 17 digits, such as a `TestClock`, counts from
 *   2023-11-14T22:13:20Z.
 * - A request changes the state in one synchronous step. Only waiting for an answer can be interrupted.
 * - A reader gets the newest 100 events after its cursor, over all its channels. Older ones are lost silently, as in
 *   production.
 * - A cursor is a place in the order of arrival, not a publish timetoken: an event of another region can arrive late.
 * - A subscribe to groups that have no channels is refused with 400, unless it names a channel too. A poll is answered at
 *   once, empty and with its own cursor, when one of its groups loses a channel.
 * - It can run for days. After ten thousand events it forgets those that have a whole queue of younger ones on their own
 *   channel. Only a reader with a filter can notice.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Brand from "effect/Brand"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Result from "effect/Result"
import type * as actions from "./pubnub/messageActions.ts"
import * as answers from "./pubnub/answers.ts"
import type { Draft, Entry } from "./pubnub/entry.ts"
import type * as files from "./pubnub/files.ts"
import * as keysets from "./pubnub/keyset.ts"
import type * as objects from "./pubnub/appContext.ts"
import * as requestParts from "./pubnub/request.ts"
import * as rights from "./pubnub/rights.ts"
import * as routes from "./pubnub/routes.ts"
import { sign } from "./pubnub/signature.ts"
import * as storage from "./pubnub/storage.ts"
import { ConnectionReset } from "./server/connection.ts"
import * as cors from "./server/cors.ts"
import * as json from "./server/json.ts"
import * as longPoll from "./server/longPoll.ts"
import type * as message from "./server/message.ts"
import * as defaults from "./server/options.ts"
import * as plainBody from "./server/plainBody.ts"
import * as recent from "./server/recent.ts"
import * as shell from "./server/shell.ts"

export { ConnectionReset }

/**
 * An answer on its way to the client.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = message.Answer

/**
 * A request as it comes over the wire.
 *
 * @category models
 * @since 0.1.0
 */
export type Request = message.Request

/**
 * The add-ons and switches of a keyset. All are on by default, except `accessManager`, `presenceDeltas` and those that begin with
 * `disallow`.
 *
 * - `accessManager`: refuses a request that names a channel, group or user and has neither a signature nor a token (403). A token
 *   that `grant` or a signed request made allows what it says, to its user and until it expires. One that only looks like those is
 *   refused, and any other text permits everything, as long as it is neither revoked nor expired. A signed request has every right.
 * - `appContext`: users, channels and memberships. Off: their endpoints answer 403.
 * - `disallowGetAllChannels`, `disallowGetAllUsers`: refuses to list all channels or all users (403), as "Disallow Get All Channel
 *   Metadata" and "Disallow Get All User Metadata" of the vendor's portal do. A signed request may list, and a token whose `categories`
 *   have `get` on them.
 * - `mobilePush`: the devices of channels, and their pushes. Off: its endpoints answer 403.
 * - `files`: files and their announcements. Off: their endpoints answer 402.
 * - `persistence`: stores published messages and message actions. Off: messages are only delivered, and requests for
 *   actions or history are refused with 403.
 * - `presence`: joins, leaves and states, and their events. Off: its endpoints answer 402.
 * - `presenceDeltas`: interval events name the users that came and went, not only how many are there.
 * - `streamController`: wildcards, channel groups and filters. Off: they are refused with 403.
 *
 * @category models
 * @since 0.1.0
 */
export type AddOns = keysets.AddOns

/**
 * Requests that are refused: those of `userIds` (default: all users) for `channels` and `groups` (default: all names).
 *
 * @category models
 * @since 0.1.0
 */
export type Denial = keysets.Denial

/**
 * A position in time: 17 digits. The same type as `Timetoken.Timetoken` of the client.
 *
 * @category models
 * @since 0.1.0
 */
export type Timetoken = string & Brand.Brand<"Timetoken">

/**
 * The tag of a version of an object. The same type as `AppContext.Etag` of the client.
 *
 * @category models
 * @since 0.1.0
 */
export type Etag = string & Brand.Brand<"Etag">

/**
 * A field in a write: a value sets it, `Option.none()` clears it, and an absent or `undefined` one leaves it as it is.
 *
 * @category models
 * @since 0.1.0
 */
export type Settable<A> = A | Option.Option<A> | undefined

/**
 * The limits of a keyset. Those that `PubNubConfig` has too have the same names, so one object can set both.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /**
   * The percent-encoded message, channel and metadata together, in bytes. Default: 32,768. Each of `!~*'()` counts as three
   * bytes, in a GET and in a POST. No recording shows where the service's own limit is.
   */
  readonly maxMessageSize: number
  /** The JSON of a signal, in bytes. Default: 64. */
  readonly maxSignalSize: number
  /** Path and query of a request, in bytes. A longer one is answered with 414. Default: 32,768. */
  readonly maxUrlSize: number
  /**
   * The body of a request after decompression, in bytes. A larger one is answered with 413. Default: 2,097,152, the
   * service's limit, or `maxMessageSize` where that is more.
   */
  readonly maxBodySize: number
  /**
   * How much is stored of messages, as much again of message actions, of files, and of events for readers: the bytes of files
   * and of the JSON of the others, and 1 KiB for each. The oldest go first. Default: no limit. `PubNubEmulatorServer` stores 64 MiB.
   */
  readonly storedBytes: number
  /** How many events are kept for a reader. Default: 100. */
  readonly queueLength: number
  /** How long an event is kept for readers. Default: for ever. */
  readonly queueRetention: Duration.Input
  /** How long a message without a `ttl` is stored. Default: for ever. */
  readonly historyRetention: Duration.Input
  /**
   * How long a user is present after a subscribe or a heartbeat that names no time. Then the user times out, even while a
   * poll waits. Default: 300 seconds.
   */
  readonly presenceTimeout: Duration.Input
  /** Up to how many users of a channel each join and leave is an event. Above, there are interval events. Default: 20. */
  readonly announceMax: number
  /** How often interval events come, at least 1 second. Default: 10 seconds. */
  readonly presenceInterval: Duration.Input
  /**
   * The most message actions on a page of history. Messages that do not fit move to the next page as a whole, but one
   * message is always there. Default: 25,000.
   */
  readonly actionsPageSize: number
  /** The bytes of a file. The form of an upload says it, and the storage refuses more. Default: 5,242,880. */
  readonly maxFileSize: number
  /** How long a file is stored. Default: for ever. */
  readonly fileRetention: Duration.Input
}

/**
 * A keyset of the service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keyset {
  /** The key by which requests find this keyset. */
  readonly subscribeKey: string
  /** The key that a publish must have. */
  readonly publishKey: string
  /**
   * Refuses requests whose signature is not made with it. A request without a signature is accepted, unless the add-on
   * `accessManager` is on. Default: signatures are not checked.
   */
  readonly secretKey?: string | undefined
  /** Add-ons that differ from those of all keysets. */
  readonly addOns?: defaults.Given<AddOns> | undefined
  /** Limits that differ from those of all keysets. */
  readonly limits?: defaults.Given<Limits> | undefined
}

/**
 * Options of the emulator. A name that is not listed here is a defect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The keysets. The emulator's own methods work on the first. Default: one, with the keys `demo-sub` and `demo-pub`. */
  readonly keysets?: readonly [Keyset, ...ReadonlyArray<Keyset>] | undefined
  /** Add-ons of all keysets. */
  readonly addOns?: defaults.Given<AddOns> | undefined
  /** Limits of all keysets. */
  readonly limits?: defaults.Given<Limits> | undefined
  /** How long a poll waits before it gets an empty answer. Default: 280 seconds. */
  readonly hold?: Duration.Input | undefined
  /** The most events of one poll. The rest comes with the next poll. Default: no limit. */
  readonly pollPageSize?: number | undefined
  /** The region of all readers and publishers. Default: 1. */
  readonly region?: number | undefined
  /** How much later a message is in history and in counts than with its readers. Default: no delay. */
  readonly historyDelay?: Duration.Input | undefined
  /**
   * Whether a page of message actions says with `more` that there are older ones. The service's documents say so, but no
   * recording shows it. Default: `false`.
   */
  readonly moreActions?: boolean | undefined
  /** How long each answer takes after the request was handled. Runs for each request. Default: no time. */
  readonly latency?: Effect.Effect<Duration.Input> | undefined
}

/**
 * What every event that a test sends can have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outgoing {
  /** The channel. */
  readonly channel: string
  /** The user id of the publisher. Default: none. */
  readonly publisher?: string | undefined
  /** The custom message type. Default: none. */
  readonly customMessageType?: string | undefined
  /** The region where it is published. Default: the emulator's. */
  readonly region?: number | undefined
  /** How much later than its timetoken it arrives, with its readers and in history. Default: no delay. */
  readonly delay?: Duration.Input | undefined
}

/**
 * A signal that another client sends.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignalOptions extends Outgoing {
  /** Any JSON value. */
  readonly message: unknown
}

/**
 * A message that another client publishes.
 *
 * @category models
 * @since 0.1.0
 */
export interface PublishOptions extends SignalOptions {
  /** Metadata of the message: any JSON value. Default: none. */
  readonly meta?: unknown
  /** Whether history stores it. Default: `true`. */
  readonly store?: boolean | undefined
  /** How long it is stored, in whole hours; `"Infinity"` is for ever. Default: the keyset's `historyRetention`. */
  readonly ttl?: Duration.Input | undefined
}

/**
 * The kinds of events, in the order of the service's numbers: 0, 1, 2, 3 and 4.
 *
 * @category models
 * @since 0.1.0
 */
export type EventKind = typeof kinds[number]

const kinds = ["Message", "Signal", "AppContext", "MessageAction", "File"] as const

/**
 * An event of any kind.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmitOptions extends Outgoing {
  /** The kind, or its number if it has no name yet. */
  readonly kind: EventKind | number
  /** Any JSON value. */
  readonly payload: unknown
  /** Metadata of the event: any JSON value. Default: none. */
  readonly meta?: unknown
  /** Whether history stores it, as it stores files. Default: `false`. */
  readonly store?: boolean | undefined
}

/**
 * A message as the service stores it. Fields that were not given are `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMessage {
  /** The channel. */
  readonly channel: string
  /** When it was published. */
  readonly timetoken: Timetoken
  /** The message: any JSON value. */
  readonly payload: unknown
  /** Its metadata: any JSON value. */
  readonly meta: unknown
  /** The user id of the publisher. */
  readonly publisher: string | undefined
  /** The custom message type. */
  readonly customMessageType: string | undefined
  /** How long it is stored; infinite is for ever. */
  readonly ttl: Duration.Duration | undefined
}

/**
 * An event in the queues of readers: a message, a signal, a presence event, ….
 *
 * @category models
 * @since 0.1.0
 */
export interface QueuedEvent {
  /** The channel. Presence events are on the channel with `-pnpres` behind its name. */
  readonly channel: string
  /** When it was published. */
  readonly timetoken: Timetoken
  /** The kind, or its number if it has no name. A presence event is a `Message`, as on the wire. */
  readonly kind: EventKind | number
  /** The payload: any JSON value. */
  readonly payload: unknown
  /** Its metadata: any JSON value. */
  readonly meta: unknown
  /** The user id of the publisher. */
  readonly publisher: string | undefined
  /** The custom message type. */
  readonly customMessageType: string | undefined
}

/**
 * Which events to read.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventsOptions {
  /** The channel. Default: all channels. */
  readonly channel?: string | undefined
  /** The most events. The newest are given. Default: no limit. */
  readonly limit?: number | undefined
}

/**
 * The names of rights on channels, channel groups and users.
 *
 * @category models
 * @since 0.1.0
 */
export type Right = rights.Right

/**
 * Rights by name or by pattern.
 *
 * @category models
 * @since 0.1.0
 */
export interface Permissions {
  /** Rights on channels. Default: none. */
  readonly channels?: { readonly [name: string]: ReadonlyArray<Right> } | undefined
  /** Rights on channel groups. Default: none. */
  readonly groups?: { readonly [name: string]: ReadonlyArray<Right> } | undefined
  /** Rights on users. Default: none. */
  readonly users?: { readonly [name: string]: ReadonlyArray<Right> } | undefined
}

/**
 * A token to make.
 *
 * @category models
 * @since 0.1.0
 */
export interface GrantOptions extends Permissions {
  /** How long it lasts, rounded up to whole minutes. Default: 1 hour. */
  readonly ttl?: Duration.Input | undefined
  /** The only user that may use it. Default: any user may. */
  readonly user?: string | undefined
  /** Rights by regular expression, which is found anywhere in a name. Default: none. */
  readonly patterns?: Permissions | undefined
  /** Rights on all channels or all users, whatever their names. The service itself grants only `"get"`. Default: none. */
  readonly categories?: {
    /** Rights on all channels. */
    readonly channels?: ReadonlyArray<Right> | undefined
    /** Rights on all users. */
    readonly users?: ReadonlyArray<Right> | undefined
  } | undefined
  /** Data of the application: any JSON. Default: none. */
  readonly meta?: { readonly [key: string]: unknown } | undefined
}

/**
 * A token that is refused.
 *
 * @category models
 * @since 0.1.0
 */
export interface RefusedToken {
  /** The token. */
  readonly token: string
  /** Why. */
  readonly reason: "expired" | "revoked"
}

/**
 * The custom data of users, channels and memberships: scalars by name.
 *
 * @category models
 * @since 0.1.0
 */
export type Custom = objects.Custom

/**
 * What users, channels and memberships have in common. Fields that are not set are `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredObject {
  /** The status. */
  readonly status: string | undefined
  /** The type. */
  readonly type: string | undefined
  /** The custom data. */
  readonly custom: Custom | undefined
  /** When it was changed last. */
  readonly updated: DateTime.Utc
  /** The tag of this version. */
  readonly etag: Etag
}

/**
 * A user as App Context stores it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredUser extends StoredObject {
  /** The user id. */
  readonly id: string
  /** The name. */
  readonly name: string | undefined
  /** The id in another system. */
  readonly externalId: string | undefined
  /** The address of a picture. */
  readonly profileUrl: string | undefined
  /** The email address. */
  readonly email: string | undefined
}

/**
 * A channel as App Context stores it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredChannel extends StoredObject {
  /** The name of the channel, as in a publish. */
  readonly id: string
  /** The display name. */
  readonly name: string | undefined
  /** The description. */
  readonly description: string | undefined
}

/**
 * A membership as App Context stores it. Neither the user nor the channel needs metadata.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMembership extends StoredObject {
  /** The user. */
  readonly userId: string
  /** The channel. */
  readonly channel: string
}

/**
 * A write to an object: `K` names it, and the other fields are set, cleared or left as they are. Custom data are replaced as a
 * whole.
 *
 * @category models
 * @since 0.1.0
 */
export type Change<A extends StoredObject, K extends keyof A> =
  & Pick<A, K>
  & { readonly [F in keyof Omit<A, K | "updated" | "etag">]?: Settable<Exclude<A[F], undefined>> }

/**
 * A message action as the service stores it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredAction {
  /** The type, such as `reaction`. */
  readonly type: string
  /** The value, such as an emoji. */
  readonly value: string
  /** The user who added it. */
  readonly userId: string
  /** When it was added. */
  readonly actionTimetoken: Timetoken
  /** The timetoken of its message. */
  readonly messageTimetoken: string
}

/**
 * A request that the emulator received.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledRequest {
  /** The method, in upper case. */
  readonly method: string
  /** Path and query, still percent-encoded. Of one that is too long, only the beginning. */
  readonly target: string
  /** The user id of the caller. */
  readonly userId: string | undefined
  /** When it came, by the caller's wall clock. */
  readonly time: DateTime.Utc
}

/**
 * What the emulator gives for a message, signal or event that it sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sent {
  /** When the emulator accepted it. */
  readonly timetoken: Timetoken
}

/**
 * A channel of the keyset.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** The name of the channel. */
  readonly channel: string
}

/**
 * Any JSON value in place of an envelope.
 *
 * @category models
 * @since 0.1.0
 */
export interface RawOptions extends ChannelOptions {
  /** The value that readers get, any JSON. */
  readonly envelope: unknown
}

/**
 * A user or channel with metadata.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  /** The id of the user or channel. */
  readonly id: string
}

/**
 * A message action to remove.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoveActionOptions extends ChannelOptions {
  /** The timetoken of the message. */
  readonly messageTimetoken: string
  /** The timetoken of the action. */
  readonly actionTimetoken: string
}

/**
 * A file as the storage has it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredFile {
  /** The id. */
  readonly id: string
  /** The name. */
  readonly name: string
  /** The bytes. */
  readonly content: Uint8Array
  /** The media type that a download gets. */
  readonly contentType: string
  /** When it was uploaded. */
  readonly created: DateTime.Utc
}

/**
 * A file to store. Nobody is told of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PutFileOptions extends ChannelOptions {
  /** The name. */
  readonly name: string
  /** The content: bytes, or text in UTF-8. */
  readonly content: string | Uint8Array
  /** The media type. Default: `application/octet-stream`. */
  readonly contentType?: string | undefined
}

/**
 * Channels to add to a group, or to remove from it.
 *
 * @category models
 * @since 0.1.0
 */
export interface GroupOptions {
  /** The name of the group. */
  readonly group: string
  /** The names of the channels. */
  readonly channels: ReadonlyArray<string>
}

/**
 * A region, and the users that move to it.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegionOptions {
  /** The number of the region, as cursors have it. */
  readonly region: number
  /** The user to move. Default: everybody. */
  readonly userId?: string | undefined
}

/**
 * A device of mobile push, as it was added.
 *
 * @category models
 * @since 0.1.0
 */
export interface PushTarget {
  /** The kind of its registration: `apns2` has a topic and an environment. */
  readonly platform: "apns" | "apns2" | "fcm" | "gcm"
  /** The token of the app on the device. */
  readonly token: string
  /** The app at APNs. */
  readonly topic?: string
  /** Which of the two services of APNs. */
  readonly environment?: string
}

/**
 * A device of mobile push with its channels.
 *
 * @category models
 * @since 0.1.0
 */
export interface PushDevice extends PushTarget {
  /** In the order in which they were added. */
  readonly channels: ReadonlyArray<string>
}

/**
 * What one device gets of a published message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pushed extends PushTarget {
  /** The channel of the message. */
  readonly channel: string
  /** The timetoken of the message. */
  readonly timetoken: Timetoken
  /** The payload as FCM or APNs gets it, without targets and excluded devices. */
  readonly payload: object
}

/**
 * One keyset of the emulated service: reads its state, changes it, and makes it fail.
 *
 * @category models
 * @since 0.1.0
 */
export interface EmulatedKeyset {
  /** Publishes a message. */
  readonly publish: (options: PublishOptions) => Effect.Effect<Sent>
  /** Publishes any number of messages in one step, and gives their timetokens. */
  readonly publishAll: (messages: ReadonlyArray<PublishOptions>) => Effect.Effect<ReadonlyArray<Timetoken>>
  /** Sends a signal. */
  readonly signal: (options: SignalOptions) => Effect.Effect<Sent>
  /** Sends an event of any kind. */
  readonly emit: (options: EmitOptions) => Effect.Effect<Sent>
  /** Sends any JSON value in place of an envelope. */
  readonly emitRaw: (options: RawOptions) => Effect.Effect<Sent>
  /** The stored messages of a channel that have not expired, oldest first. */
  readonly messages: (options: ChannelOptions) => Effect.Effect<ReadonlyArray<StoredMessage>>
  /** The events that readers can still get, in order of arrival. */
  readonly events: (options?: EventsOptions) => Effect.Effect<ReadonlyArray<QueuedEvent>>
  /** The names of all channels that have events, messages, message actions, users or metadata, sorted. */
  readonly channelNames: Effect.Effect<ReadonlyArray<string>>
  /** The ids of the users that are present on a channel, in the order of their joins. */
  readonly occupants: (options: ChannelOptions) => Effect.Effect<ReadonlyArray<string>>
  /** The users that have metadata, by id. */
  readonly users: Effect.Effect<ReadonlyArray<StoredUser>>
  /** The channels that have metadata, by id. */
  readonly channels: Effect.Effect<ReadonlyArray<StoredChannel>>
  /** All memberships, by channel and then by user. */
  readonly memberships: Effect.Effect<ReadonlyArray<StoredMembership>>
  /** Creates or changes a user. Sends an event only if something changed. */
  readonly setUser: (change: Change<StoredUser, "id">) => Effect.Effect<StoredUser>
  /** Removes the metadata of a user. Memberships stay. */
  readonly removeUser: (options: ObjectOptions) => Effect.Effect<void>
  /** Creates or changes the metadata of a channel. Sends an event only if something changed. */
  readonly setChannel: (change: Change<StoredChannel, "id">) => Effect.Effect<StoredChannel>
  /** Removes the metadata of a channel. Memberships stay. */
  readonly removeChannel: (options: ObjectOptions) => Effect.Effect<void>
  /** Creates or changes a membership. Sends an event only if something changed. */
  readonly setMembership: (change: Change<StoredMembership, "userId" | "channel">) => Effect.Effect<StoredMembership>
  /** Removes a membership. */
  readonly removeMembership: (options: Pick<StoredMembership, "userId" | "channel">) => Effect.Effect<void>
  /** The message actions of a channel, oldest first. */
  readonly actions: (options: ChannelOptions) => Effect.Effect<ReadonlyArray<StoredAction>>
  /** Adds a message action. If the user added it before, gives that one. */
  readonly addAction: (
    options: Omit<StoredAction, "actionTimetoken"> & ChannelOptions
  ) => Effect.Effect<StoredAction>
  /** Removes a message action of any user. */
  readonly removeAction: (options: RemoveActionOptions) => Effect.Effect<void>
  /** Makes the next changes of message actions without publishing them. The requests are answered with 207. */
  readonly withholdActions: (count: number) => Effect.Effect<void>
  /** The devices of mobile push that have channels, in the order in which they were added. */
  readonly pushDevices: Effect.Effect<ReadonlyArray<PushDevice>>
  /** The newest 10,000 payloads that FCM and APNs were given, oldest first. A payload that is too large for them is not among it. */
  readonly pushes: Effect.Effect<ReadonlyArray<Pushed>>
  /** The files of a channel, by id. */
  readonly files: (options: ChannelOptions) => Effect.Effect<ReadonlyArray<StoredFile>>
  /** Stores a file without telling anybody. */
  readonly putFile: (options: PutFileOptions) => Effect.Effect<StoredFile>
  /** The names of the channel groups, sorted. */
  readonly groups: Effect.Effect<ReadonlyArray<string>>
  /** The channels of a group. */
  readonly groupChannels: (options: Pick<GroupOptions, "group">) => Effect.Effect<ReadonlyArray<string>>
  /** Adds channels to a group, and creates the group if need be. */
  readonly addToGroup: (options: GroupOptions) => Effect.Effect<void>
  /** Removes channels from a group. */
  readonly removeFromGroup: (options: GroupOptions) => Effect.Effect<void>
  /** Refuses requests with 403, until `allow`. Polls that already wait go on. */
  readonly deny: (denial: Denial) => Effect.Effect<void>
  /** Takes back every `deny`. */
  readonly allow: Effect.Effect<void>
  /** Makes a token, as the service does for a signed request. Only the add-on `accessManager` checks its rights. */
  readonly grant: (options: GrantOptions) => Effect.Effect<string>
  /** Refuses all further requests with this token: it was revoked. */
  readonly revokeToken: (token: string) => Effect.Effect<void>
  /** Refuses all further requests with this token: it has expired. */
  readonly expireToken: (token: string) => Effect.Effect<void>
  /** The tokens that are refused since `revokeToken` or `expireToken`. */
  readonly refusedTokens: Effect.Effect<ReadonlyArray<RefusedToken>>
  /** Turns add-ons on and off. */
  readonly setAddOns: (addOns: defaults.Given<AddOns>) => Effect.Effect<void>
}

/**
 * The emulated service: reads its state, changes it, and makes it fail. The methods of {@link EmulatedKeyset} work on the
 * first keyset.
 *
 * **Example** (A message of another client)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* PubNubEmulator.PubNubEmulator
 *   yield* emulator.publish({ channel: "orders", message: { id: 1 } })
 *   return yield* emulator.messages({ channel: "orders" })
 * }).pipe(Effect.provide(PubNubEmulator.layer()))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class PubNubEmulator extends Context.Service<
  PubNubEmulator,
  EmulatedKeyset & {
    /** Handles one request as the service would. Waits as long as a poll is held. */
    readonly handle: (request: Request) => Effect.Effect<Answer, ConnectionReset>
    /** The methods for another keyset. Throws if there is none with this key. */
    readonly keyset: (subscribeKey: string) => EmulatedKeyset
    /** Moves one user, or everybody, to a region. */
    readonly setRegion: (options: RegionOptions) => Effect.Effect<void>
    /** Resets the connection of every poll that waits. Keeps all state. */
    readonly restart: Effect.Effect<void>
    /** The newest 10,000 requests, oldest first; fewer when their addresses have more than 16 MB together. */
    readonly requests: Effect.Effect<ReadonlyArray<HandledRequest>>
    /** How many polls wait now. */
    readonly readers: Effect.Effect<number>
  }
>()("effect-herald/testing/PubNubEmulator") {}

const defaultKeyset: Keyset = { subscribeKey: "demo-sub", publishKey: "demo-pub" }

const defaultAddOns: AddOns = {
  accessManager: false,
  appContext: true,
  disallowGetAllChannels: false,
  disallowGetAllUsers: false,
  mobilePush: true,
  files: true,
  persistence: true,
  presence: true,
  presenceDeltas: false,
  streamController: true
}

const defaultLimits: Limits = {
  maxMessageSize: 32_768,
  maxSignalSize: 64,
  maxUrlSize: 32_768,
  maxBodySize: 2_097_152,
  storedBytes: Number.POSITIVE_INFINITY,
  queueLength: 100,
  queueRetention: Duration.infinity,
  historyRetention: Duration.infinity,
  presenceTimeout: "300 seconds",
  announceMax: 20,
  presenceInterval: "10 seconds",
  actionsPageSize: 25_000,
  maxFileSize: 5_242_880,
  fileRetention: Duration.infinity
}

const millisOf = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

/** A length of time in ticks of a timetoken, 10,000 a millisecond. For ever is ten thousand years. */
const ticksOf = (input: Duration.Input): bigint => BigInt(Math.round(Math.min(millisOf(input), 3e14))) * 10_000n

/** The same with the fractions of a millisecond. */
const delayOf = (input: Duration.Input = 0): bigint => Duration.toNanosUnsafe(Duration.fromInputUnsafe(input)) / 100n

const keysetFields: Record<keyof Keyset, true> = {
  subscribeKey: true,
  publishKey: true,
  secretKey: true,
  addOns: true,
  limits: true
}

const makeKeyset = (
  keyset: Keyset,
  shared: { readonly addOns: defaults.Given<AddOns>; readonly limits: defaults.Given<Limits> },
  historyDelay: Duration.Input,
  moreActions: boolean
) => {
  defaults.refuseUnknown("A keyset of PubNubEmulator", keysetFields, keyset)
  const { addOns, limits: own, publishKey, secretKey, subscribeKey } = keyset
  const limits = defaults.merge("limits of PubNubEmulator", defaultLimits, shared.limits, own)
  const maxBodySize = own?.maxBodySize ?? shared.limits.maxBodySize ??
    Math.max(limits.maxBodySize, limits.maxMessageSize)
  return keysets.make({
    subscribeKey,
    publishKey,
    secretKey,
    addOns: defaults.merge("addOns of PubNubEmulator", defaultAddOns, shared.addOns, addOns),
    limits: {
      ...limits,
      maxBodySize,
      queueRetentionMillis: millisOf(limits.queueRetention),
      retentionMillis: millisOf(limits.historyRetention),
      fileRetentionMillis: millisOf(limits.fileRetention),
      historyDelayMillis: millisOf(historyDelay)
    },
    moreActions,
    presence: {
      timeout: ticksOf(limits.presenceTimeout),
      announceMax: limits.announceMax,
      interval: ticksOf(Duration.max(Duration.fromInputUnsafe(limits.presenceInterval), Duration.seconds(1)))
    }
  })
}

// The first millisecond whose timetoken has 17 digits, and where an earlier clock counts from.
const firstMillis = 1_000_000_000_000
const epochMillis = 1_700_000_000_000

const ticksAt = (millis: number): bigint =>
  BigInt(Math.floor(millis < firstMillis ? millis + epochMillis : millis)) * 10_000n

const timetoken = Brand.nominal<Timetoken>()
const toTimetoken = (ticks: bigint): Timetoken => timetoken(String(ticks))
const etag = Brand.nominal<Etag>()

const optionalJson = (value: unknown): string | undefined => value === undefined ? undefined : json.write(value)

/** The service counts in hours, and 0 is for ever. */
const hoursOf = (ttl: Duration.Input): number => {
  const hours = Duration.toHours(Duration.fromInputUnsafe(ttl))
  return Number.isFinite(hours) ? hours : 0
}

const durationOf = (hours: number): Duration.Duration => hours === 0 ? Duration.infinity : Duration.hours(hours)

/** The wire clears a field with `null`. */
const changeOf = (fields: Readonly<Record<string, Settable<objects.Value>>>): objects.Change =>
  new Map(
    Object.entries(fields).flatMap(([name, value]): ReadonlyArray<readonly [string, objects.Value | null]> =>
      value === undefined ? [] : [[name, Option.isOption(value) ? Option.getOrNull(value) : value]]
    )
  )

const byId = Order.mapInput(Order.String, ([id]: readonly [string, objects.Item]) => id)

const byChannelAndUser = Order.combine(
  Order.mapInput(Order.String, ({ channel }: objects.Membership) => channel),
  Order.mapInput(Order.String, ({ uuid }: objects.Membership) => uuid)
)

const textOf = ({ fields }: objects.Item, name: string): string | undefined => {
  const value = fields.get(name)
  return typeof value === "string" ? value : undefined
}

const storedObject = (item: objects.Item): StoredObject => {
  const custom = item.fields.get("custom")
  return {
    status: textOf(item, "status"),
    type: textOf(item, "type"),
    custom: typeof custom === "object" ? custom : undefined,
    updated: DateTime.makeUnsafe(Number(item.updated / 1_000n)),
    etag: etag(item.eTag)
  }
}

const storedUser = (id: string, item: objects.Item): StoredUser => ({
  id,
  name: textOf(item, "name"),
  externalId: textOf(item, "externalId"),
  profileUrl: textOf(item, "profileUrl"),
  email: textOf(item, "email"),
  ...storedObject(item)
})

const storedChannel = (id: string, item: objects.Item): StoredChannel => ({
  id,
  name: textOf(item, "name"),
  description: textOf(item, "description"),
  ...storedObject(item)
})

const storedAction = ({ actionTimetoken, messageTimetoken, type, uuid, value }: actions.Action): StoredAction => ({
  type,
  value,
  userId: uuid,
  actionTimetoken: toTimetoken(actionTimetoken),
  messageTimetoken: String(messageTimetoken)
})

const storedFile = ({ bytes, contentType, created, id, name }: files.StoredFile): StoredFile => ({
  id,
  name,
  content: bytes,
  contentType,
  created: DateTime.makeUnsafe(Number(created / 10_000n))
})

const maskOf = (given: ReadonlyArray<Right>) => given.reduce((mask, right) => mask | rights.bits[right], 0)

const masksOf = (names: { readonly [name: string]: ReadonlyArray<Right> } = {}): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(names).map(([name, given]) => [name, maskOf(given)])
  )

const permissionsOf = ({ channels, groups, users }: Permissions) => ({
  channels: masksOf(channels),
  groups: masksOf(groups),
  uuids: masksOf(users)
})

const queuedEvent = (
  { channel, customMessageType, data, metadata, publisher, timetoken, type = 0 }: Entry
): QueuedEvent => ({
  channel,
  timetoken: toTimetoken(timetoken),
  kind: kinds[type] ?? type,
  payload: data,
  meta: metadata,
  publisher,
  customMessageType
})

const problems: Readonly<Record<plainBody.Problem, Answer>> = {
  TooLarge: answers.requestEntityTooLarge,
  Corrupt: answers.badRequest,
  UnknownEncoding: answers.unsupportedMediaType
}

/** Runs one step on a keyset at a time and in a region. */
type StepOn = <A>(change: (keyset: keysets.Keyset, now: bigint, region: number) => A) => Effect.Effect<A>

const emulatedKeyset = (step: StepOn): EmulatedKeyset => {
  const send = (draft: Draft, delay: Duration.Input | undefined) =>
    step((keyset, now, region) => ({ timetoken: toTimetoken(keyset.append(draft, region, now, delayOf(delay))) }))

  const publication = ({ delay: _, message, meta, store, ttl, ...rest }: PublishOptions): Draft => ({
    ...rest,
    payload: json.write(message),
    meta: optionalJson(meta),
    stored: store === false ? undefined : { ttl: ttl === undefined ? undefined : hoursOf(ttl) }
  })

  return {
    publish: (message) => send(publication(message), message.delay),
    publishAll: (messages) =>
      step((keyset, now, region) =>
        messages.map((message) => toTimetoken(keyset.append(publication(message), region, now, delayOf(message.delay))))
      ),
    signal: ({ delay, message, ...rest }) => send({ ...rest, payload: json.write(message), type: 1 }, delay),
    emit: ({ delay, kind, meta, payload, store, ...rest }) =>
      send({
        ...rest,
        payload: json.write(payload),
        type: typeof kind === "number" ? kind : kinds.indexOf(kind),
        meta: optionalJson(meta),
        stored: store === true ? {} : undefined
      }, delay),
    emitRaw: ({ channel, envelope }) => send({ channel, payload: "null", raw: json.write(envelope) }, undefined),
    messages: ({ channel }) =>
      step((keyset, now) =>
        keyset.history.page(channel, now, {}, Number.POSITIVE_INFINITY).map((entry) => ({
          channel,
          timetoken: toTimetoken(entry.timetoken),
          payload: entry.data,
          meta: entry.metadata,
          publisher: entry.publisher,
          customMessageType: entry.customMessageType,
          ttl: entry.stored?.ttl === undefined ? undefined : durationOf(entry.stored.ttl)
        }))
      ),
    events: ({ channel, limit = Number.POSITIVE_INFINITY } = {}) =>
      step((keyset, now) => keyset.newest(channel, limit, now).map(queuedEvent)),
    channelNames: step((keyset) => Arr.sort(keyset.channelNames(), Order.String)),
    occupants: ({ channel }) => step((keyset) => [...keyset.presence.occupants(channel).keys()]),
    users: step((keyset) => Arr.sort(keyset.objects.all("uuid"), byId).map(([id, item]) => storedUser(id, item))),
    channels: step((keyset) =>
      Arr.sort(keyset.objects.all("channel"), byId).map(([id, item]) => storedChannel(id, item))
    ),
    memberships: step((keyset) =>
      Arr.sort(keyset.objects.memberships(), byChannelAndUser)
        .map(({ channel, item, uuid }) => ({ userId: uuid, channel, ...storedObject(item) }))
    ),
    setUser: ({ custom, email, externalId, id, name, profileUrl, status, type }) =>
      step((keyset, now, region) => {
        const change = changeOf({ name, externalId, profileUrl, email, status, type, custom })
        return storedUser(id, keyset.objects.set("uuid", id, change, region, now))
      }),
    removeUser: ({ id }) => step((keyset, now, region) => keyset.objects.remove("uuid", id, region, now)),
    setChannel: ({ custom, description, id, name, status, type }) =>
      step((keyset, now, region) => {
        const change = changeOf({ name, description, status, type, custom })
        return storedChannel(id, keyset.objects.set("channel", id, change, region, now))
      }),
    removeChannel: ({ id }) => step((keyset, now, region) => keyset.objects.remove("channel", id, region, now)),
    setMembership: ({ channel, custom, status, type, userId }) =>
      step((keyset, now, region) => {
        const change = changeOf({ status, type, custom })
        return { userId, channel, ...storedObject(keyset.objects.join(userId, channel, change, region, now)) }
      }),
    removeMembership: ({ channel, userId }) =>
      step((keyset, now, region) => keyset.objects.leave(userId, channel, region, now)),
    actions: ({ channel }) => step((keyset) => keyset.actions.of(channel).map(storedAction)),
    addAction: ({ channel, messageTimetoken, type, userId, value }) =>
      step((keyset, now, region) => {
        const draft = { type, value, uuid: userId, messageTimetoken: BigInt(messageTimetoken) }
        return storedAction(keyset.actions.add(channel, draft, region, now).action)
      }),
    removeAction: ({ actionTimetoken, channel, messageTimetoken }) =>
      step((keyset, now, region) => {
        const action = keyset.actions.find(channel, BigInt(messageTimetoken), BigInt(actionTimetoken))
        if (action !== undefined) keyset.actions.remove(action, region, now)
      }),
    withholdActions: (count) => step((keyset) => keyset.actions.withhold(count)),
    files: ({ channel }) => step((keyset, now) => keyset.files.of(channel, now).map(storedFile)),
    putFile: ({ channel, content, contentType = "application/octet-stream", name }) =>
      step((keyset, now) => {
        const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
        const file = { channel, id: keyset.files.newId(), name, bytes, contentType, created: now }
        keyset.files.put(file)
        return storedFile(file)
      }),
    groups: step((keyset) => Arr.sort(keyset.groups(), Order.String)),
    groupChannels: ({ group }) => step((keyset) => [...keyset.members(group)]),
    addToGroup: ({ channels, group }) => step((keyset) => keyset.addToGroup(group, channels)),
    removeFromGroup: ({ channels, group }) => step((keyset) => keyset.removeFromGroup(group, channels)),
    deny: (denial) => step((keyset) => keyset.deny(denial)),
    allow: step((keyset) => keyset.allow()),
    pushDevices: step((keyset) => keyset.push.all().map(({ channels, device }) => ({ ...device, channels }))),
    pushes: step((keyset) =>
      keyset.push.pushes().map(({ timetoken, ...push }) => ({ ...push, timetoken: toTimetoken(timetoken) }))
    ),
    grant: ({ categories = {}, meta = {}, patterns = {}, ttl = "1 hour", user, ...resources }) =>
      step((keyset, now) => {
        const content = {
          ttl: Math.ceil(millisOf(ttl) / 60_000),
          uuid: user,
          resources: permissionsOf(resources),
          patterns: permissionsOf(patterns),
          categories: masksOf({
            ...categories.channels && { channels: categories.channels },
            ...categories.users && { uuids: categories.users }
          }),
          meta
        }
        return keyset.access.grant(content, now)
      }),
    revokeToken: (token) => step((keyset) => keyset.spoil(token, "revoked")),
    expireToken: (token) => step((keyset) => keyset.spoil(token, "expired")),
    refusedTokens: step((keyset) => [...keyset.spoiled.values()]),
    setAddOns: (addOns) => step((keyset) => keyset.setAddOns(addOns))
  }
}

/**
 * The emulator itself, for a server of your own around `handle`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(given: Options = {}) {
  const options = defaults.merge<
    { readonly [K in Exclude<keyof Options, "latency">]-?: NonNullable<Options[K]> } & Pick<Options, "latency">
  >("PubNubEmulator", {
    keysets: [defaultKeyset],
    addOns: {},
    limits: {},
    hold: "280 seconds",
    pollPageSize: Number.POSITIVE_INFINITY,
    region: 1,
    historyDelay: 0,
    moreActions: false,
    latency: undefined
  }, given)
  const surround = yield* shell.make(options.latency)
  const holdTicks = BigInt(Math.round(millisOf(options.hold) * 10_000))
  const all = Arr.map(
    options.keysets,
    (keyset) => makeKeyset(keyset, options, options.historyDelay, options.moreActions)
  )
  const [main] = all
  const byKey = new Map(all.map((keyset) => [keyset.subscribeKey, keyset]))
  const regions = new Map<string, number>()
  const longestTarget = Math.max(...all.map(({ limits }) => limits.maxUrlSize))
  const requests = recent.requests<HandledRequest>(({ target }) => target.length)
  let region = options.region

  const regionOf = (userId: string | undefined) => userId === undefined ? region : regions.get(userId) ?? region

  /** One change of the state: synchronous, so that nothing comes between its parts. */
  const step = <A>(change: (now: bigint) => A): Effect.Effect<A> =>
    Clock.clockWith((clock) =>
      Effect.sync(() => {
        const now = ticksAt(clock.currentTimeMillisUnsafe())
        for (const keyset of all) keyset.settle(now)
        const result = change(now)
        for (const keyset of all) keyset.flush()
        return result
      })
    )

  const stepOn = (keyset: keysets.Keyset): StepOn => (change) => step((now) => change(keyset, now, region))

  /** Answers a poll when something came, when its groups lost a channel, or when its time is over. */
  const poll = (
    { cursor, keyset, removals, subscription }: routes.Poll,
    userId: string | undefined,
    deadline: bigint
  ) =>
    longPoll.poll<Answer>((woken) =>
      step((now) => {
        // When the clock jumps, it is the reader that slept: the service answered before the events grew too old.
        const page = keyset.read(subscription, cursor, deadline - holdTicks, options.pollPageSize)
        if (page !== undefined) return { answer: answers.page(page.cursor, regionOf(userId), page.envelopes) }
        if (keyset.removals(subscription) > removals) return { answer: answers.page(cursor, regionOf(userId), []) }
        if (now >= deadline) {
          // Everything that comes from now on gets a later position.
          keyset.position(deadline)
          return { answer: answers.page(deadline > cursor ? deadline : cursor, regionOf(userId), []) }
        }
        const waiter: keysets.Waiter = { ...woken, subscription }
        keyset.waiters.add(waiter)
        const due = keyset.nextDue()
        const until = due !== undefined && due < deadline ? due : deadline
        return {
          millis: Math.ceil(Number(until - now) / 10_000),
          leave: Effect.sync(() => keyset.waiters.delete(waiter))
        }
      })
    )

  /** What is wrong with the signature of a request, if it has one. */
  const checkSignature = Effect.fnUntraced(function*(keyset: keysets.Keyset, request: requestParts.Request) {
    const { publishKey, secretKey } = keyset
    const signature = request.query.get("signature")
    if (secretKey === undefined || signature === undefined) return undefined
    const seconds = Number(request.query.get("timestamp"))
    const now = yield* Clock.currentTimeMillis
    if (!(Math.abs(now / 1000 - seconds) <= 60)) return answers.invalidTimestamp
    const expected = yield* Effect.promise(() => sign({ ...request, publishKey, secretKey }))
    return signature === expected ? undefined : answers.wrongSignature
  })

  const answer = Effect.fnUntraced(function*(request: Request): Effect.fn.Return<Answer, ConnectionReset> {
    const { method, target } = request
    const isTooLong = target.length > longestTarget
    const address = isTooLong ? undefined : requestParts.parse(request)
    const uuid = address?.query.get("uuid")
    const time = DateTime.makeUnsafe(yield* Clock.currentTimeMillis)
    requests.add({ method, target: isTooLong ? target.slice(0, longestTarget) : target, userId: uuid, time })
    if (isTooLong) return answers.requestUriTooLong
    if (method === "OPTIONS") return cors.preflight
    if (address === undefined) return answers.badRequest
    if (address.path.startsWith(`${storage.place}/`)) {
      const body = yield* Effect.result(plainBody.read(request, Number.POSITIVE_INFINITY))
      return Result.isFailure(body)
        ? problems[body.failure]
        : yield* step((now) => storage.handle({ ...request, body: body.success }, (key) => byKey.get(key), now))
    }
    if (address.path === "/time/0") return yield* step((now) => answers.time(main.position(now)))
    const subscribeKey = routes.subscribeKeyOf(address)
    if (subscribeKey === undefined) return answers.notFound
    const keyset = byKey.get(subscribeKey)
    if (keyset === undefined) return answers.invalidSubscribeKey
    if (target.length > keyset.limits.maxUrlSize) return answers.requestUriTooLong
    const body = yield* Effect.result(plainBody.read(request, keyset.limits.maxBodySize))
    if (Result.isFailure(body)) return problems[body.failure]
    const parsed = { ...address, body: new TextDecoder().decode(body.success) }
    const refusal = yield* checkSignature(keyset, parsed)
    if (refusal !== undefined) return refusal
    const { deadline, outcome } = yield* step((now) => ({
      deadline: now + holdTicks,
      outcome: routes.route(keyset, parsed, { now, region: regionOf(uuid) })
    }))
    return outcome._tag === "Answered" ? outcome.answer : yield* poll(outcome.poll, uuid, deadline)
  })

  return PubNubEmulator.of({
    ...emulatedKeyset(stepOn(main)),
    handle: surround(answer),
    keyset: (subscribeKey) => {
      const keyset = byKey.get(subscribeKey)
      if (keyset === undefined) {
        throw new Error(`PubNubEmulator has no keyset "${subscribeKey}": add it to the option keysets`)
      }
      return emulatedKeyset(stepOn(keyset))
    },
    setRegion: ({ region: to, userId }) =>
      Effect.sync(() => {
        if (userId === undefined) region = to
        else regions.set(userId, to)
      }),
    restart: Effect.sync(() => {
      const waiting = all.flatMap((keyset) => [...keyset.waiters])
      for (const waiter of waiting) waiter.reset()
    }),
    requests: Effect.sync(requests.all),
    readers: Effect.sync(() => all.reduce((count, keyset) => count + keyset.waiters.size, 0))
  })
})

/**
 * The emulator, and an `HttpClient` that reaches it whatever the host.
 *
 * Each call of `layer` makes another service. Layers are shared by identity: keep the result to share a service.
 *
 * **Example** (Time in place of the network)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
 *
 * const program = HttpClient.get("https://ps.pndsn.com/time/0").pipe(
 *   Effect.flatMap((response) => response.text),
 *   Effect.provide(PubNubEmulator.layer({ hold: "1 minute" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<PubNubEmulator | HttpClient.HttpClient> =>
  shell.layer(PubNubEmulator, make(options))
