/** The endpoints of message actions, under `/v1/message-actions`. */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Answer } from "../server/message.ts"
import type { Action } from "./messageActions.ts"
import * as answers from "./answers.ts"
import { type Keyset, parseJson } from "./keyset.ts"
import { type Moment, type Request, timetokenOf } from "./request.ts"

const maxPage = 100

const written = ({ actionTimetoken, messageTimetoken, type, uuid, value }: Action) => ({
  type,
  value,
  uuid,
  actionTimetoken: String(actionTimetoken),
  messageTimetoken: String(messageTimetoken)
})

const invalid = (location: string, locationType: answers.Detail["locationType"], message = "Invalid value") =>
  answers.badAction([{ message, location, locationType }])

const add = (
  keyset: Keyset,
  channel: string,
  messageTimetoken: bigint,
  { body, query }: Request,
  { now, region }: Moment
): Answer => {
  const content = Option.getOrUndefined(parseJson(body))
  if (!Predicate.isObject(content)) return answers.badAction([], "Request payload must be in JSON format.")
  const { type, value } = content
  const missing = ["type", "value"].filter((name) => content[name] === undefined)
  if (missing.length > 0) {
    return answers.badAction(missing.map((location) => ({ message: "Missing field", location, locationType: "body" })))
  }
  if (!Predicate.isString(type) || type === "") return invalid("type", "body")
  if (!Predicate.isString(value) || value === "") return invalid("value", "body")
  const uuid = query.get("uuid") ?? ""
  const { action, isNew, published } = keyset.actions.add(channel, { type, value, uuid, messageTimetoken }, region, now)
  if (!isNew) return answers.actionExists
  return published ? answers.action(written(action)) : answers.actionUnpublished(written(action), "added")
}

const remove = (
  keyset: Keyset,
  channel: string,
  messageTimetoken: bigint,
  actionTimetoken: bigint,
  { query }: Request,
  { now, region }: Moment
): Answer => {
  const action = keyset.actions.find(channel, messageTimetoken, actionTimetoken)
  if (action === undefined) return answers.badAction([], "No matching message actions to delete")
  if (action.uuid !== query.get("uuid")) {
    return answers.badAction([], "Not deleting message action: wrong uuid specified")
  }
  const { published } = keyset.actions.remove(action, region, now)
  return published ? answers.action({}) : answers.actionUnpublished({}, "removed")
}

const read = (keyset: Keyset, channel: string, { query }: Request): Answer => {
  const [start, end, limit] = [query.get("start"), query.get("end"), query.get("limit") ?? String(maxPage)]
  const [before, from] = [timetokenOf(start), timetokenOf(end)]
  if (start !== undefined && before === undefined) return invalid("start", "query")
  if (end !== undefined && from === undefined) return invalid("end", "query")
  if (!/^[1-9]\d*$/.test(limit)) return invalid("limit", "query")
  const inRange = keyset.actions.of(channel).filter(({ actionTimetoken }) =>
    (before === undefined || actionTimetoken < before) && (from === undefined || actionTimetoken >= from)
  )
  const size = Math.min(maxPage, Number(limit))
  const page = inRange.slice(-size)
  const [first] = page
  const more = keyset.moreActions && first !== undefined && inRange.length > page.length
    ? {
      url: `/v1/message-actions/${keyset.subscribeKey}/channel/${encodeURIComponent(channel)}` +
        `?start=${first.actionTimetoken}${end === undefined ? "" : `&end=${end}`}&limit=${size}`,
      start: String(first.actionTimetoken),
      ...(end === undefined ? {} : { end }),
      limit: size
    }
    : undefined
  return answers.actionPage(page.map(written), more)
}

/** Everything under `/v1/message-actions`. */
export const route = (keyset: Keyset, request: Request, moment: Moment): Answer => {
  const { method, query, segments } = request
  const [word, channel = "", message, messageText, action, actionText, ...rest] = segments.slice(3)
  const isKnown = word === "channel" && channel !== "" && rest.length === 0 && (
    method === "GET" && message === undefined ||
    message === "message" && messageText !== undefined && (
        method === "POST" && action === undefined ||
        method === "DELETE" && action === "action" && actionText !== undefined
      )
  )
  if (!isKnown) return answers.notFound
  const operation = method === "GET" ? "getActions" : method === "POST" ? "addAction" : "removeAction"
  if (keyset.refused(query, operation, { channels: [channel] }).channels.length > 0) {
    return answers.actionsForbidden
  }
  if (!keyset.addOns().persistence) return answers.noActions
  if (method === "GET") return read(keyset, channel, request)
  const messageTimetoken = timetokenOf(messageText)
  if (messageTimetoken === undefined) return invalid("messageTimetoken", "path")
  if (method === "POST") return add(keyset, channel, messageTimetoken, request, moment)
  const actionTimetoken = timetokenOf(actionText)
  return actionTimetoken === undefined
    ? invalid("actionTimetoken", "path")
    : remove(keyset, channel, messageTimetoken, actionTimetoken, request, moment)
}
