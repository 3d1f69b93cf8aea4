/** The datafeed of the Agent: feeds are made, read with a long poll, and deleted. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as longPoll from "../server/longPoll.ts"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import * as call from "./call.ts"
import type * as feeds from "./feeds.ts"
import type { Service } from "./service.ts"
import * as wire from "./wire.ts"

/** How many feeds a user can have. */
const most = 20

const shownFeed = ({ created, id }: feeds.Feed) => ({ id, createdAt: created, type: "fanout" })

const list: call.Handler = ({ feeds, step }, { caller, query }) =>
  step(() => {
    const tag = query.get("tag")
    const own = feeds.of(caller).filter((feed) => tag === undefined || feed.tag === tag)
    return answers.ok([
      // A feed of another kind, which readers of the datafeed must ignore.
      ...tag === undefined ? [{ id: `${"d".repeat(32)}_p_0001`, createdAt: 0, type: "datahose" }] : [],
      ...own.map(shownFeed)
    ])
  })

const readCreate = call.json(Schema.Struct({
  tag: Schema.optional(Schema.NullOr(Schema.String.check(Schema.isMaxLength(100)))),
  includeInvisible: Schema.optional(Schema.NullOr(Schema.Boolean))
}))

const create: call.Handler = Effect.fnUntraced(function*({ feeds, step }, request) {
  const { tag } = request.body.length === 0 ? {} : yield* readCreate(request)
  return yield* step((now) =>
    feeds.of(request.caller).length >= most
      ? answers.error(403, `There are ${most} feeds already`)
      : answers.json(201, shownFeed(feeds.create(request.caller, tag ?? undefined, now)))
  )
})

const gone = answers.badRequest("Could not find a datafeed with the id provided")

const remove: call.Handler = ({ feeds, step }, { caller, parameters }) =>
  step(() => {
    const feed = feeds.find(caller, parameters[0] ?? "")
    if (feed === undefined) return gone
    feeds.remove(feed)
    return answers.noContent
  })

const readAck = call.json(Schema.Struct({
  ackId: Schema.optional(Schema.NullOr(Schema.String)),
  updatePresence: Schema.optional(Schema.NullOr(Schema.Boolean))
}))

const shownEvent = ({ id, initiator, messageId, payload, timestamp, type }: feeds.Event) => ({
  id,
  messageId: messageId ?? null,
  timestamp,
  type,
  diagnostic: null,
  initiator: initiator === undefined ? null : { user: wire.user(initiator) },
  payload
})

/** Answers when there are events, or when the time is over. */
const poll = (service: Service, { caller, parameters }: call.Call, deadline: number) =>
  longPoll.poll<Answer>((waiter) =>
    service.step((now) => {
      const feed = service.feeds.find(caller, parameters[0] ?? "")
      if (feed === undefined) return { answer: gone }
      feed.lastRead = now
      if (now >= deadline || service.feeds.hasNews(feed, now)) {
        const { ackId, events } = service.feeds.read(feed, now)
        return { answer: answers.ok({ events: events.map(shownEvent), ackId }) }
      }
      feed.waiters.add(waiter)
      return {
        millis: Math.min(deadline, service.feeds.nextDue(feed) ?? deadline) - now,
        leave: service.step((now) => {
          feed.waiters.delete(waiter)
          feed.lastRead = now
        })
      }
    })
  )

const read: call.Handler = Effect.fnUntraced(function*(service, request) {
  const { ackId } = yield* readAck(request)
  const deadline = yield* service.step((now) => {
    const feed = service.feeds.find(request.caller, request.parameters[0] ?? "")
    const isKnown = feed !== undefined && ((ackId ?? "") === "" || service.feeds.acknowledge(feed, ackId ?? ""))
    return isKnown ? now + service.settings.holdMillis : undefined
  })
  return deadline === undefined ? gone : yield* poll(service, request, deadline)
})

export const handlers = { list, create, read, remove }
