/** A pod with its sessions, feeds and settings: changes of the pod, and their events. */
import type * as Effect from "effect/Effect"
import type * as feeds from "./feeds.ts"
import * as ids from "./ids.ts"
import type { Part } from "../server/multipart.ts"
import type * as pods from "./pod.ts"
import type * as sessions from "./sessions.ts"
import * as wire from "./wire.ts"

/** Settings that can change while it runs. */
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

/** Suppresses a message, once. */
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

/** Adds a user to a stream. The user gets the event too. */
export const addMember = (service: Service, stream: pods.Stream, user: pods.User, now: number): void => {
  if (stream.members.has(user.id)) return
  stream.members.set(user.id, user)
  const payload = { userJoinedRoom: { stream: wire.stream(stream), affectedUser: wire.user(user) } }
  service.feeds.offer({ type: "USERJOINEDROOM", timestamp: now, initiator: stream.creator, payload }, stream.members)
}

/** Removes a user from a stream. The user gets the event too. */
export const removeMember = (service: Service, stream: pods.Stream, user: pods.User, now: number): void => {
  if (!stream.members.has(user.id)) return
  const payload = { userLeftRoom: { stream: wire.stream(stream), affectedUser: wire.user(user) } }
  service.feeds.offer({ type: "USERLEFTROOM", timestamp: now, initiator: user, payload }, stream.members)
  stream.members.delete(user.id)
}

/** Whether a blocked word is in a message or in a file name. */
export const isBlocked = ({ settings }: Service, { content, files }: pods.Draft): boolean =>
  [content.text, ...files.map(({ name }) => name)].some((text) => settings.blocked.some((word) => text.includes(word)))

/** Newest first: by timestamp, then by arrival. */
export const newestFirst = (messages: ReadonlyArray<pods.Message>): ReadonlyArray<pods.Message> =>
  messages.filter(({ suppressed }) => suppressed === undefined).toReversed().toSorted((a, b) =>
    b.timestamp - a.timestamp
  )

/** The message with that id, in either alphabet. */
export const messageOf = ({ pod }: Service, id: string): pods.Message | undefined => pod.message(ids.toUrlSafe(id))
