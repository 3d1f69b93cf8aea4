/** One pod with all that belongs to it: what is kept, how it changes, and whom a change is told to. */
import type * as Effect from "effect/Effect"
import type * as feeds from "./feeds.ts"
import * as ids from "./ids.ts"
import type { Part } from "./multipart.ts"
import type * as pods from "./pod.ts"
import type * as sessions from "./sessions.ts"
import * as wire from "./wire.ts"

/** What can be changed while it runs. */
export interface Settings {
  agentVersion: string
  isKeyDeliverySimple: boolean
  /** Messages with one of these words in them are refused with 451. */
  blocked: ReadonlyArray<string>
  readonly allowedTypes: ReadonlyArray<string>
  readonly receiptsPageSize: number
  readonly holdMillis: number
}

export interface Service {
  readonly pod: pods.Pod
  readonly sessions: sessions.Sessions
  readonly feeds: feeds.Feeds
  readonly settings: Settings
  /** One change of the state: synchronous, so that nothing comes between its parts. */
  readonly step: <A>(change: (now: number) => A) => Effect.Effect<A>
  /** Keeps the parts of the newest multipart body. */
  readonly keepParts: (parts: ReadonlyArray<Part>) => Effect.Effect<void>
}

const told = (service: Service, message: pods.Message, now: number) => {
  const payload = { messageSent: { message: { ...wire.message(message), externalRecipients: false } } }
  service.feeds.offer(
    { type: "MESSAGESENT", timestamp: now, messageId: message.id, initiator: message.user, payload },
    message.stream.members
  )
  return message
}

export const post = (
  service: Service,
  stream: pods.Stream,
  user: pods.User,
  draft: pods.Draft,
  now: number
): pods.Message => told(service, service.pod.post(stream, user, draft, now), now)

export const replace = (service: Service, replaced: pods.Message, draft: pods.Draft, now: number): pods.Message =>
  told(service, service.pod.replace(replaced, draft, now), now)

/** Hides a message; to do it again changes nothing. */
export const suppress = (service: Service, message: pods.Message, user: pods.User, now: number): number => {
  if (message.suppressed !== undefined) return message.suppressed
  message.suppressed = now
  const payload = { messageSuppressed: { messageId: message.id, stream: wire.stream(message.stream) } }
  service.feeds.offer(
    { type: "MESSAGESUPPRESSED", timestamp: now, messageId: message.id, initiator: user, payload },
    message.stream.members
  )
  return now
}

export const addStream = (
  service: Service,
  options: Parameters<pods.Pod["addStream"]>[0],
  now: number
): pods.Stream => {
  const stream = service.pod.addStream(options, now)
  const shown = wire.streamOfEvent(stream)
  const [type, payload] = stream.type === "ROOM"
    ? ["ROOMCREATED", { roomCreated: { stream: shown, roomProperties: wire.roomProperties(stream) } }] as const
    : ["INSTANTMESSAGECREATED", { instantMessageCreated: { stream: shown } }] as const
  service.feeds.offer({ type, timestamp: now, initiator: stream.creator, payload }, stream.members)
  return stream
}

/** Lets a user in, who reads of it as the others do. */
export const addMember = (service: Service, stream: pods.Stream, user: pods.User, now: number): void => {
  if (stream.members.has(user.id)) return
  stream.members.set(user.id, user)
  const payload = { userJoinedRoom: { stream: wire.stream(stream), affectedUser: wire.user(user) } }
  service.feeds.offer({ type: "USERJOINEDROOM", timestamp: now, initiator: stream.creator, payload }, stream.members)
}

/** Puts a user out, who reads of it as the others do. */
export const removeMember = (service: Service, stream: pods.Stream, user: pods.User, now: number): void => {
  if (!stream.members.has(user.id)) return
  const payload = { userLeftRoom: { stream: wire.stream(stream), affectedUser: wire.user(user) } }
  service.feeds.offer({ type: "USERLEFTROOM", timestamp: now, initiator: user, payload }, stream.members)
  stream.members.delete(user.id)
}

/** Whether a word that is not allowed is in a message or in the name of one of its files. */
export const isBlocked = ({ settings }: Service, { content, files }: pods.Draft): boolean =>
  [content.text, ...files.map(({ name }) => name)].some((text) => settings.blocked.some((word) => text.includes(word)))

/** The newest come first: by what they say that their time is, and then by when they came. */
export const newestFirst = (messages: ReadonlyArray<pods.Message>): ReadonlyArray<pods.Message> =>
  messages.filter(({ suppressed }) => suppressed === undefined).toReversed().toSorted((a, b) =>
    b.timestamp - a.timestamp
  )

/** The message with that id, in either alphabet. */
export const messageOf = ({ pod }: Service, id: string): pods.Message | undefined => pod.message(ids.toUrlSafe(id))
