/** The users, streams and messages of a pod. Every function is one synchronous step. */
import * as ids from "./ids.ts"
import type { PublicKey } from "./jwt.ts"
import * as recent from "../server/recent.ts"
import type { Content } from "./messageML.ts"

export interface User {
  readonly id: number
  readonly username: string
  readonly displayName: string
  readonly firstName: string | undefined
  readonly lastName: string | undefined
  readonly email: string | undefined
  /** A user without a key cannot log in. */
  readonly key: PublicKey | undefined
}

export interface App {
  readonly id: string
  readonly key: PublicKey | undefined
}

export type StreamType = "IM" | "MIM" | "ROOM" | "POST"

export interface Stream {
  readonly id: string
  readonly type: StreamType
  readonly name: string | undefined
  readonly creator: User
  readonly created: number
  /** By user id. */
  readonly members: Map<number, User>
  /** In the order in which they came. */
  readonly messages: Array<Message>
}

export interface Attachment {
  /** It has percent signs in it, as characters of its own. */
  readonly id: string
  readonly name: string
  readonly contentType: string
  readonly content: Uint8Array
  readonly preview: { readonly id: string; readonly content: Uint8Array } | undefined
}

/** A file as it comes, before it has an id. */
export interface File {
  readonly name: string
  readonly contentType: string
  readonly content: Uint8Array
  readonly preview: Uint8Array | undefined
}

export type RelationshipType = "REPLY" | "FORWARD" | "REPLY_FORM"

/** The receipt of a message at one reader. */
export interface Receipt {
  delivered: number | undefined
  read: number | undefined
  emailed: number | undefined
  readonly downloads: Array<{ readonly fileName: string; readonly timestamp: number }>
}

/** A message before it has an id. */
export interface Draft {
  readonly messageML: string
  readonly content: Content
  readonly files: ReadonlyArray<File>
  /** Whether an update notifies nobody. */
  readonly silent?: boolean | undefined
  readonly parent?: { readonly message: Message; readonly type: RelationshipType } | undefined
}

export interface Message {
  readonly id: string
  readonly stream: Stream
  readonly user: User
  readonly timestamp: number
  readonly messageML: string
  readonly content: Content
  readonly attachments: ReadonlyArray<Attachment>
  readonly silent: boolean | undefined
  /** By id, so that an answer does not hold a message that is forgotten. */
  readonly parent: { readonly id: string; readonly type: RelationshipType } | undefined
  readonly imported: boolean
  readonly replacing: string | undefined
  /** The first version of a message that was updated. */
  readonly initial: { readonly id: string; readonly timestamp: number } | undefined
  replacedBy: Message | undefined
  suppressed: number | undefined
  readonly receipts: Map<number, Receipt>
}

export interface Pod {
  readonly addUser: (user: Omit<User, "id"> & { readonly id: number | undefined }) => User
  readonly users: ReadonlyMap<number, User>
  readonly user: (by: { readonly id: number } | { readonly username: string }) => User | undefined
  readonly findUser: (
    by: { readonly uid?: string | undefined; readonly email?: string | undefined }
  ) => User | undefined
  readonly addApp: (app: App) => void
  readonly app: (id: string) => App | undefined
  readonly addStream: (
    stream: Pick<Stream, "type" | "name" | "creator"> & { readonly members: ReadonlyArray<User> },
    now: number
  ) => Stream
  readonly stream: (id: string) => Stream | undefined
  readonly streams: () => ReadonlyArray<Stream>
  readonly message: (id: string) => Message | undefined
  readonly post: (stream: Stream, user: User, draft: Draft, now: number) => Message
  /** Adds a message with a time in the past. */
  readonly import: (stream: Stream, user: User, draft: Draft, timestamp: number) => Message
  readonly replace: (replaced: Message, draft: Draft, now: number) => Message
  /** The messages that answer or forward it. */
  readonly related: (message: Message, type: RelationshipType) => ReadonlyArray<Message>
  /** The receipt of a reader, which can be changed. */
  readonly receipt: (message: Message, user: User) => Receipt
}

const noReceipt = (): Receipt => ({ delivered: undefined, read: undefined, emailed: undefined, downloads: [] })

const sizeOf = ({ attachments, content, messageML }: Message): number =>
  1024 + messageML.length + content.presentation.length + (content.data?.length ?? 0) +
  attachments.reduce((size, { content, preview }) => size + content.length + (preview?.content.length ?? 0), 0)

/** A pod. Beyond `storedBytes`, the oldest messages are forgotten. */
export const make = (storedBytes: number): Pod => {
  const users = new Map<number, User>()
  const apps = new Map<string, App>()
  const streams = new Map<string, Stream>()
  const messages = new Map<string, Message>()
  const stored = recent.make<Message>(storedBytes, sizeOf)
  let nextId = 1
  let nextUser = 7_000_000_000_001

  const fileId = (user: User) => encodeURIComponent(`internal_${user.id}/${ids.toStandard(ids.make(nextId++))}`)

  const attach = (user: User) => ({ content, contentType, name, preview }: File): Attachment => ({
    id: fileId(user),
    name,
    contentType,
    content,
    preview: preview === undefined ? undefined : { id: fileId(user), content: preview }
  })

  const add = (
    { content, files, messageML, parent, silent }: Draft,
    rest: Pick<Message, "stream" | "user" | "timestamp" | "imported" | "replacing" | "initial">
  ): Message => {
    const message: Message = {
      ...rest,
      id: ids.make(nextId++),
      messageML,
      content,
      attachments: files.map(attach(rest.user)),
      silent,
      parent: parent === undefined ? undefined : { id: parent.message.id, type: parent.type },
      replacedBy: undefined,
      suppressed: undefined,
      receipts: new Map()
    }
    messages.set(message.id, message)
    rest.stream.messages.push(message)
    for (const gone of stored.add(message)) {
      messages.delete(gone.id)
      gone.stream.messages.splice(gone.stream.messages.indexOf(gone), 1)
    }
    return message
  }

  return {
    users,
    addUser: ({ id = nextUser++, ...rest }) => {
      const user: User = { id, ...rest }
      users.set(id, user)
      return user
    },
    user: (by) => "id" in by ? users.get(by.id) : [...users.values()].find(({ username }) => username === by.username),
    findUser: ({ email, uid }) =>
      uid !== undefined
        ? users.get(Number(uid))
        : email === undefined
        ? undefined
        : [...users.values()].find((user) => user.email === email),
    addApp: (app) => {
      apps.set(app.id, app)
    },
    app: (id) => apps.get(id),
    addStream: ({ creator, members, name, type }, now) => {
      const stream: Stream = {
        id: ids.make(nextId++),
        type,
        name,
        creator,
        created: now,
        members: new Map([creator, ...members].map((user) => [user.id, user])),
        messages: []
      }
      streams.set(stream.id, stream)
      return stream
    },
    stream: (id) => streams.get(id),
    streams: () => [...streams.values()],
    message: (id) => messages.get(id),
    post: (stream, user, draft, now) =>
      add(draft, { stream, user, timestamp: now, imported: false, replacing: undefined, initial: undefined }),
    import: (stream, user, draft, timestamp) =>
      add(draft, { stream, user, timestamp, imported: true, replacing: undefined, initial: undefined }),
    replace: (replaced, draft, now) => {
      const { id, stream, timestamp, user } = replaced
      const initial = replaced.initial ?? { id, timestamp }
      const message = add(draft, { stream, user, timestamp: now, imported: false, replacing: id, initial })
      replaced.replacedBy = message
      return message
    },
    related: (message, type) =>
      [...messages.values()].filter(({ parent }) => parent?.id === message.id && parent.type === type),
    receipt: (message, user) => {
      const receipt = message.receipts.get(user.id) ?? noReceipt()
      message.receipts.set(user.id, receipt)
      return receipt
    }
  }
}
