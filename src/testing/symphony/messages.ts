/** The Agent's endpoints for messages: send, update, blast, import, get, list, search and download. */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import * as call from "./call.ts"
import * as drafts from "./drafts.ts"
import * as ids from "./ids.ts"
import * as messageML from "./messageML.ts"
import type { Attachment, File, Message, Stream } from "./pod.ts"
import * as services from "./service.ts"
import * as wire from "./wire.ts"

const texts = ["message", "data", "version", "silent"]

/** 204 when there is none. */
const found = (messages: ReadonlyArray<Message>): Answer =>
  messages.length === 0 ? answers.noContent : answers.ok(messages.map(wire.message))

const info: call.Handler<call.Request> = ({ settings }) =>
  Effect.sync(() =>
    answers.ok({
      ipAddress: "127.0.0.1",
      hostname: "agent",
      serverFqdn: "https://agent.example.com:443",
      version: settings.agentVersion,
      url: "https://agent.example.com:443/agent",
      onPrem: false,
      mt: true,
      commitId: null
    })
  )

const send: call.Handler = Effect.fnUntraced(function*(service, request) {
  const id = yield* call.idAt(request, 0)
  const { draft } = yield* drafts.read(service, request, texts)
  return yield* service.step((now) => {
    const stream = call.findStream(service, request.caller, id)
    if (call.isAnswer(stream)) return stream
    return answers.ok(wire.message(services.post(service, stream, request.caller, draft, now)))
  })
})

const update: call.Handler = Effect.fnUntraced(function*(service, request) {
  const streamId = yield* call.idAt(request, 0)
  const messageId = yield* call.idAt(request, 1)
  const { draft } = yield* drafts.read(service, request, texts)
  return yield* service.step((now) => {
    const stream = call.findStream(service, request.caller, streamId)
    if (call.isAnswer(stream)) return stream
    const message = service.pod.message(messageId)
    if (message?.stream !== stream) return answers.badRequest("There is no such message in the stream")
    if (message.user !== request.caller) return answers.forbidden
    if (message.suppressed !== undefined) return answers.badRequest("The message was deleted")
    if (message.replacedBy !== undefined) return answers.badRequest("The message was replaced by a newer one")
    return answers.ok(
      wire.message(services.replace(service, message, { ...draft, silent: draft.silent ?? true }, now))
    )
  })
})

const blast: call.Handler = Effect.fnUntraced(function*(service, request) {
  const { draft, sids } = yield* drafts.read(service, request, [...texts, "sids"])
  const streams = sids.split(",")
  if (sids === "") return answers.badRequest("There is no stream in sids")
  if (streams.length > 100) return answers.badRequest("There are more than 100 streams in sids")
  return yield* service.step((now) => {
    const messages: Array<Message> = []
    const errors = new Map<string, unknown>()
    for (const id of streams) {
      const stream = call.findStream(service, request.caller, id)
      if (call.isAnswer(stream)) errors.set(id, JSON.parse(stream.body))
      else messages.push(services.post(service, stream, request.caller, draft, now))
    }
    return answers.ok({ messages: messages.map(wire.message), errors: Object.fromEntries(errors) })
  })
})

// --------------------------------------------------------------------------------------------------------------------
// import
// --------------------------------------------------------------------------------------------------------------------

const Files = Schema.optional(
  Schema.NullOr(Schema.Array(Schema.Struct({ filename: Schema.String, content: Schema.String })))
)

const Imported = Schema.Struct({
  message: Schema.String,
  data: Schema.optional(Schema.NullOr(Schema.String)),
  intendedMessageTimestamp: Schema.Int,
  intendedMessageFromUserId: Schema.Int,
  originatingSystemId: Schema.String,
  originalMessageId: Schema.optional(Schema.NullOr(Schema.String)),
  streamId: Schema.String,
  attachments: Files,
  previews: Files
})

type Imported = typeof Imported.Type

const readImport = call.json(Schema.Array(Imported))

const filesOf = ({ attachments, previews }: Imported): Result.Result<ReadonlyArray<File>, string> =>
  Result.gen(function*() {
    const contents = (files: Imported["attachments"]) =>
      Result.mapError(
        Result.all((files ?? []).map(({ content }) => Base64.decode(content))),
        () => "the content of a file is not base64"
      )
    const files = yield* contents(attachments)
    const shown = yield* contents(previews)
    if (shown.length > 0 && shown.length !== files.length) {
      return yield* Result.fail("there must be as many previews as attachments")
    }
    return files.map((content, i) => ({
      name: attachments?.[i]?.filename ?? "",
      contentType: "application/octet-stream",
      content,
      preview: shown[i]
    }))
  })

const importAll: call.Handler = Effect.fnUntraced(function*(service, request) {
  const items = yield* readImport(request)
  const prepared = yield* Effect.forEach(items, (item) =>
    Effect.result(Effect.gen(function*() {
      const content = yield* messageML.read(item.message, item.data ?? "", service.pod.findUser)
      return { messageML: item.message, content, files: yield* Effect.fromResult(filesOf(item)) }
    })))
  return yield* service.step((now) => {
    const importOne = (item: Imported, index: number): Result.Result<Message, string> =>
      Result.gen(function*() {
        const draft = yield* prepared[index] ?? Result.fail("it was not read")
        const stream = service.pod.stream(ids.toUrlSafe(item.streamId))
        const author = service.pod.user({ id: item.intendedMessageFromUserId })
        if (stream === undefined) return yield* Result.fail(`no stream with the id ${item.streamId}`)
        if (!stream.members.has(request.caller.id)) return yield* Result.fail("the importer is not in the stream")
        if (author === undefined || !stream.members.has(author.id)) {
          return yield* Result.fail("the intended author is not in the stream")
        }
        if (item.intendedMessageTimestamp >= now) return yield* Result.fail("the timestamp is not in the past")
        return service.pod.import(stream, author, draft, item.intendedMessageTimestamp)
      })
    return answers.ok(items.map((item, index) => {
      const { originalMessageId, originatingSystemId } = item
      const result = importOne(item, index)
      return {
        ...Result.isSuccess(result) ? { messageId: result.success.id } : {},
        originatingSystemId,
        originalMessageId: originalMessageId ?? null,
        diagnostic: Result.isSuccess(result) ? null : result.failure
      }
    }))
  })
})

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

const get: call.Handler = Effect.fnUntraced(function*(service, request) {
  const id = yield* call.idAt(request, 0)
  return yield* service.step(() => {
    const message = service.pod.message(id)
    if (message === undefined || message.suppressed !== undefined) return answers.noContent
    return message.stream.members.has(request.caller.id) ? answers.ok(wire.message(message)) : answers.forbidden
  })
})

const list: call.Handler = Effect.fnUntraced(function*(service, request) {
  const id = yield* call.idAt(request, 0)
  const since = yield* call.integer(request, "since")
  const until = yield* call.integer(request, "until")
  const skip = (yield* call.integer(request, "skip")) ?? 0
  const limit = (yield* call.integer(request, "limit", { min: 1, max: 500 })) ?? 50
  if (since === undefined) return answers.badRequest("since is required")
  return yield* service.step(() => {
    const stream = call.findStream(service, request.caller, id)
    if (call.isAnswer(stream)) return stream
    const inRange = services.newestFirst(stream.messages).filter(({ timestamp }) =>
      timestamp >= since && (until === undefined || timestamp <= until)
    )
    return found(inRange.slice(skip, skip + limit))
  })
})

const readSearch = call.json(Schema.Struct({
  text: Schema.optional(Schema.String),
  streamId: Schema.optional(Schema.String),
  streamType: Schema.optional(Schema.Literals(["CHAT", "IM", "MIM", "ROOM", "POST"])),
  author: Schema.optional(Schema.Int),
  hashtag: Schema.optional(Schema.String),
  cashtag: Schema.optional(Schema.String),
  mention: Schema.optional(Schema.Int),
  signal: Schema.optional(Schema.String),
  fromDate: Schema.optional(Schema.Int),
  toDate: Schema.optional(Schema.Int)
}))

const isOfType = ({ type }: Stream, wanted: string | undefined) =>
  wanted === undefined || wanted === type || wanted === "CHAT" && type !== "POST"

const search: call.Handler = Effect.fnUntraced(function*(service, request) {
  const skip = (yield* call.integer(request, "skip")) ?? 0
  const limit = (yield* call.integer(request, "limit", { min: 1, max: 1000 })) ?? 50
  const sortDir = (yield* call.word(request, "sortDir", ["asc", "desc", "ASC", "DESC"])) ?? "desc"
  const query = yield* readSearch(request)
  const { author, cashtag, fromDate, hashtag, mention, signal, streamId, streamType, text, toDate } = query
  const others = [text, streamId, streamType, author, hashtag, cashtag, mention]
  if (text !== undefined && streamId === undefined) return answers.badRequest("text is searched in a stream only")
  if (signal !== undefined && others.some((value) => value !== undefined)) {
    return answers.badRequest("signal can be combined with dates only")
  }
  return yield* service.step(() => {
    const stream = streamId === undefined
      ? undefined
      : call.findStream(service, request.caller, ids.toUrlSafe(streamId))
    if (stream !== undefined && call.isAnswer(stream)) return stream
    const streams = stream === undefined
      ? service.pod.streams().filter(({ members }) => members.has(request.caller.id))
      : [stream]
    const isFound = ({ content, timestamp, user }: Message) =>
      (text === undefined || content.text.toLowerCase().includes(text.toLowerCase())) &&
      (author === undefined || user.id === author) &&
      (hashtag === undefined || content.hashtags.includes(hashtag)) &&
      (cashtag === undefined || content.cashtags.includes(cashtag)) &&
      (mention === undefined || content.mentions.includes(mention)) &&
      (fromDate === undefined || timestamp >= fromDate) &&
      (toDate === undefined || timestamp < toDate) &&
      // The emulator has no signals.
      signal === undefined
    const messages = services.newestFirst(
      streams.filter((stream) => isOfType(stream, streamType)).flatMap(({ messages }) => messages).filter(isFound)
    )
    const sorted = sortDir.toLowerCase() === "asc" ? messages.toReversed() : messages
    return found(sorted.slice(skip, skip + limit))
  })
})

const contentOf = (attachments: ReadonlyArray<Attachment>, fileId: string) => {
  for (const { content, id, name, preview } of attachments) {
    if (id === fileId) return { name, content }
    if (preview?.id === fileId) return { name, content: preview.content }
  }
  return undefined
}

const attachment: call.Handler = Effect.fnUntraced(function*(service, request) {
  const id = yield* call.idAt(request, 0)
  const fileId = request.query.get("fileId")
  const messageId = request.query.get("messageId")
  if (fileId === undefined || messageId === undefined) {
    return answers.badRequest("fileId and messageId are required")
  }
  return yield* service.step((now) => {
    const stream = call.findStream(service, request.caller, id)
    if (call.isAnswer(stream)) return stream
    const message = services.messageOf(service, messageId)
    const file = message?.stream === stream && message.suppressed === undefined
      ? contentOf(message.attachments, fileId)
      : undefined
    if (message === undefined || file === undefined) return answers.badRequest("There is no such file in the message")
    if (message.user !== request.caller) {
      service.pod.receipt(message, request.caller).downloads.push({ fileName: file.name, timestamp: now })
    }
    return answers.text(Base64.encode(file.content))
  })
})

export const handlers = { info, send, update, blast, importAll, get, list, search, attachment }
