/** Users, streams and messages as answers show them: most absent fields are `null`. */
import * as ids from "./ids.ts"
import type { Attachment, Message, Stream, User } from "./pod.ts"

export const user = ({ displayName, email, firstName, id, lastName, username }: User) => ({
  userId: id,
  firstName: firstName ?? null,
  lastName: lastName ?? null,
  displayName,
  email: email ?? null,
  username
})

export const stream = ({ id, name, type }: Stream) => ({
  streamId: id,
  streamType: type,
  roomName: type === "ROOM" ? name ?? null : null,
  members: null,
  external: false,
  crossPod: null,
  recipientTenantIds: null
})

/** In an event about a stream, an IM or MIM shows its members. */
export const streamOfEvent = (shown: Stream) => ({
  ...stream(shown),
  members: shown.type === "ROOM" ? null : [...shown.members.values()].map(user)
})

export const roomProperties = ({ created, creator, name }: Stream) => ({
  name: name ?? null,
  description: null,
  creatorUser: user(creator),
  createdDate: created,
  external: false,
  crossPod: false,
  public: false,
  copyProtected: false,
  readOnly: false,
  discoverable: true,
  membersCanInvite: true,
  keywords: [],
  canViewHistory: true
})

const previewWidth = 600

const attachment = ({ content, id, name, preview }: Attachment) => ({
  id,
  name,
  size: content.length,
  images: preview === undefined ? [] : [{ id: preview.id, dimension: String(previewWidth) }]
})

export const message = (shown: Message) => {
  const { attachments, content, id, initial, parent, replacedBy, replacing, silent, timestamp } = shown
  return {
    messageId: id,
    parentMessageId: parent?.id ?? null,
    timestamp,
    message: content.presentation,
    sharedMessage: null,
    data: content.data ?? null,
    attachments: attachments.length === 0 ? null : attachments.map(attachment),
    user: user(shown.user),
    stream: stream(shown.stream),
    externalRecipients: null,
    diagnostic: null,
    userAgent: "Agent-25.8.1-Linux",
    originalFormat: "com.symphony.messageml.v2",
    disclaimer: null,
    sid: null,
    replacing: replacing ?? null,
    replacedBy: replacedBy?.id ?? null,
    initialTimestamp: initial?.timestamp ?? null,
    initialMessageId: initial?.id ?? null,
    silent: silent ?? null
  }
}

export const streamAttachment = ({ id, timestamp, user }: Message) => (attached: Attachment) => ({
  messageId: ids.toStandard(id),
  ingestionDate: timestamp,
  userId: user.id,
  fileId: attached.id,
  name: attached.name,
  size: attached.content.length,
  "content-type": attached.contentType,
  previews: attached.preview === undefined ? [] : [{ fileId: attached.preview.id, width: previewWidth }]
})

/** A user of a message's status, with numbers as text and `userName`. */
export const statusUser = ({ displayName, email, firstName, id, lastName, username }: User, timestamp: number) => ({
  userId: String(id),
  firstName: firstName ?? null,
  lastName: lastName ?? null,
  displayName,
  email: email ?? null,
  userName: username,
  timestamp: String(timestamp)
})

export const receiptUser = ({ email, firstName, id, lastName, username }: User) => ({
  id,
  username,
  firstName: firstName ?? null,
  lastName: lastName ?? null,
  emailAddress: email ?? null
})

export const sessionUser = ({ displayName, email, firstName, id, key, lastName, username }: User) => ({
  id,
  emailAddress: email ?? null,
  firstName: firstName ?? null,
  lastName: lastName ?? null,
  displayName,
  title: null,
  company: "Herald",
  username,
  location: null,
  accountType: key === undefined ? "NORMAL" : "SYSTEM",
  avatars: ["original", "small"].map((size) => ({ size, url: `../avatars/static/${size}/default.png` })),
  roles: ["INDIVIDUAL"]
})
