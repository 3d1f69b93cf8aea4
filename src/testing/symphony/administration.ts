/** The pod's endpoints for messages: files, status, receipts, relationships and suppression. */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import * as call from "./call.ts"
import * as ids from "./ids.ts"
import type { Message, Receipt, User } from "./pod.ts"
import * as services from "./service.ts"
import * as wire from "./wire.ts"

const sessionInfo: call.Handler = (_, { caller }) => Effect.succeed(answers.ok(wire.sessionUser(caller)))

const allowedTypes: call.Handler = ({ settings }) => Effect.sync(() => answers.ok(settings.allowedTypes))

const attachments: call.Handler = Effect.fnUntraced(function*(service, request) {
  const id = yield* call.idAt(request, 0)
  const since = (yield* call.integer(request, "since")) ?? 0
  const to = (yield* call.integer(request, "to")) ?? Number.POSITIVE_INFINITY
  const limit = (yield* call.integer(request, "limit", { max: 100 })) ?? 50
  const sortDir = (yield* call.word(request, "sortDir", ["ASC", "DESC"])) ?? "ASC"
  return yield* service.step(() => {
    const stream = call.findStream(service, request.caller, id)
    if (call.isAnswer(stream)) return stream
    const newest = services.newestFirst(stream.messages).filter(({ timestamp }) =>
      timestamp >= since && timestamp <= to
    )
    const messages = sortDir === "ASC" ? newest.toReversed() : newest
    return answers.ok(
      messages.flatMap((message) => message.attachments.map(wire.streamAttachment(message))).slice(0, limit)
    )
  })
})

/** An operation on a message that the caller can see. */
const onMessage = (
  show: (message: Message, now: number, service: services.Service, request: call.Call) => Answer
): call.Handler =>
  Effect.fnUntraced(function*(service, request) {
    const id = yield* call.idAt(request, 0)
    return yield* service.step((now) => {
      const message = call.findMessage(service, request.caller, id)
      return call.isAnswer(message) ? message : show(message, now, service, request)
    })
  })

const suppress = onMessage((message, now, service, { caller }) =>
  answers.ok({
    messageId: message.id,
    suppressed: true,
    suppressionDate: services.suppress(service, message, caller, now)
  })
)

const readersOf = ({ stream, user }: Message): ReadonlyArray<User> =>
  [...stream.members.values()].filter((member) => member !== user)

const status = onMessage((message) => {
  const readers = readersOf(message).map((user) => {
    const { delivered, read } = message.receipts.get(user.id) ?? {}
    const timestamp = read ?? delivered ?? message.timestamp
    return {
      state: read !== undefined ? "read" : delivered !== undefined ? "delivered" : "sent",
      shown: wire.statusUser(user, timestamp)
    }
  })
  const which = (state: string) => readers.filter((reader) => reader.state === state).map(({ shown }) => shown)
  return answers.ok({
    author: wire.statusUser(message.user, message.timestamp),
    read: which("read"),
    delivered: which("delivered"),
    sent: which("sent")
  })
})

const cursorOf = (index: number) => Base64Url.encode(`receipt ${index}`)

const indexOf = (cursor: string | undefined): number | undefined => {
  const text = Result.getOrElse(Base64Url.decodeString(cursor ?? ""), () => "")
  const [, digits] = /^receipt (\d+)$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** The range of receipts of one page. A cursor is an index: a page begins after it, or ends before it. */
const pageOf = (
  query: ReadonlyMap<string, string>,
  total: number,
  size: number
): { readonly start: number; readonly end: number } | undefined => {
  const [after, before] = [query.get("after"), query.get("before")]
  if (after === undefined && before === undefined) return { start: 0, end: Math.min(total, size) }
  const cursor = indexOf(after ?? before)
  if (cursor === undefined) return undefined
  return after === undefined
    ? { start: Math.max(0, cursor - size), end: cursor }
    : { start: cursor + 1, end: Math.min(total, cursor + 1 + size) }
}

/** How often each file was downloaded. */
const downloadCounts = (receipts: ReadonlyArray<Receipt | undefined>) => {
  const names = receipts.flatMap((receipt) => (receipt?.downloads ?? []).map(({ fileName }) => fileName))
  return [...new Set(names)].map((fileName) => ({
    fileName,
    count: names.filter((name) => name === fileName).length
  }))
}

const receipts = onMessage((message, _, { settings }, { query }) => {
  const { stream, timestamp, user } = message
  const readers = readersOf(message)
  const all = readers.map(({ id }) => message.receipts.get(id))
  const count = (is: (receipt: Receipt) => number | undefined) =>
    all.filter((receipt) => receipt !== undefined && is(receipt) !== undefined).length
  const page = pageOf(query, readers.length, settings.receiptsPageSize)
  if (page === undefined) return answers.badRequest("The cursor is not known")
  const { end, start } = page
  const path = `/v1/admin/messages/${message.id}/receipts`
  return answers.ok({
    creator: { id: user.id, name: user.displayName },
    onBehalfOfUser: { id: null, name: null },
    stream: { id: ids.toStandard(stream.id), name: stream.name ?? null, streamType: stream.type },
    creationDate: timestamp,
    deliveryReceiptCount: count(({ delivered }) => delivered),
    readReceiptCount: count(({ read }) => read),
    emailNotificationCount: count(({ emailed }) => emailed),
    downloadReceiptCounts: downloadCounts(all),
    MessageReceiptDetail: readers.slice(start, end).map((reader) => {
      const receipt = message.receipts.get(reader.id)
      return {
        user: wire.receiptUser(reader),
        deliveryReceiptTimestamp: receipt?.delivered ?? null,
        readReceiptTimestamp: receipt?.read ?? null,
        emailNotificationTimestamp: receipt?.emailed ?? null,
        downloadReceiptCounts: receipt?.downloads ?? []
      }
    }),
    pagination: start === 0 && end === readers.length ? null : {
      cursors: { before: cursorOf(start), after: cursorOf(end - 1) },
      previous: start === 0 ? null : `${path}?before=${cursorOf(start)}`,
      next: end === readers.length ? null : `${path}?after=${cursorOf(end - 1)}`
    }
  })
})

const relationships: call.Handler = (service, request) =>
  (request.headers["user-agent"] ?? "") === ""
    ? Effect.succeed(answers.badRequest("The header User-Agent is required"))
    : related(service, request)

const related = onMessage((message, _, { pod }) => {
  const of = (type: Parameters<typeof pod.related>[1]) => pod.related(message, type).map(({ id }) => ids.toStandard(id))
  const { parent } = message
  return answers.ok({
    messageId: ids.toStandard(message.id),
    parent: parent === undefined
      ? null
      : { messageId: ids.toStandard(parent.id), relationshipType: parent.type },
    replies: of("REPLY"),
    forwards: of("FORWARD"),
    formReplies: of("REPLY_FORM")
  })
})

export const handlers = { sessionInfo, allowedTypes, attachments, suppress, status, receipts, relationships }
