/** Message actions: what users add to messages, and the endpoints that add, remove and read it. */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as answers from "./answers.ts"
import { type Draft, type Keyset, parseJson } from "./keyset.ts"

/** One action of a user on a message. */
export interface Action {
  readonly type: string
  readonly value: string
  readonly uuid: string
  readonly actionTimetoken: bigint
  readonly messageTimetoken: bigint
}

interface Channel {
  /** By timetoken, oldest first. */
  readonly actions: Array<Action>
  readonly byMessage: Map<bigint, Array<Action>>
}

const take = <A>(list: Array<A>, item: A) => list.splice(list.indexOf(item), 1)

/** The actions of one keyset. */
export const make = (options: {
  readonly tick: (now: bigint) => bigint
  readonly append: (draft: Draft, region: number, now: bigint) => bigint
}) => {
  const channels = new Map<string, Channel>()
  let unpublished = 0

  /** Whether readers hear of it. */
  const publish = (
    event: "added" | "removed",
    channel: string,
    { actionTimetoken, messageTimetoken, type, uuid, value }: Action,
    region: number,
    now: bigint
  ): boolean => {
    if (unpublished > 0) {
      unpublished--
      return false
    }
    const data = { type, value, actionTimetoken: String(actionTimetoken), messageTimetoken: String(messageTimetoken) }
    const payload = JSON.stringify({ source: "actions", version: "1.0", event, data })
    options.append({ channel, payload, type: 3, publisher: uuid }, region, now)
    return true
  }

  return {
    /** What a user adds a second time is not added; nothing asks whether there is such a message. */
    add: (channel: string, draft: Omit<Action, "actionTimetoken">, region: number, now: bigint) => {
      const kept: Channel = channels.get(channel) ?? { actions: [], byMessage: new Map() }
      const onMessage = kept.byMessage.get(draft.messageTimetoken) ?? []
      const existing = onMessage.find(({ type, uuid, value }) =>
        type === draft.type && value === draft.value && uuid === draft.uuid
      )
      if (existing !== undefined) return { action: existing, isNew: false, published: false }
      const action: Action = { ...draft, actionTimetoken: options.tick(now) }
      channels.set(channel, kept)
      kept.byMessage.set(draft.messageTimetoken, onMessage)
      kept.actions.push(action)
      onMessage.push(action)
      return { action, isNew: true, published: publish("added", channel, action, region, now) }
    },
    find: (channel: string, messageTimetoken: bigint, actionTimetoken: bigint): Action | undefined =>
      channels.get(channel)?.byMessage.get(messageTimetoken)?.find((action) =>
        action.actionTimetoken === actionTimetoken
      ),
    remove: (channel: string, action: Action, region: number, now: bigint) => {
      const kept = channels.get(channel)
      const onMessage = kept?.byMessage.get(action.messageTimetoken)
      if (kept === undefined || onMessage === undefined) return { published: false }
      take(kept.actions, action)
      take(onMessage, action)
      if (onMessage.length === 0) kept.byMessage.delete(action.messageTimetoken)
      return { published: publish("removed", channel, action, region, now) }
    },
    /** All of a channel, oldest first. */
    of: (channel: string): ReadonlyArray<Action> => channels.get(channel)?.actions ?? [],
    ofMessage: (channel: string, messageTimetoken: bigint): ReadonlyArray<Action> =>
      channels.get(channel)?.byMessage.get(messageTimetoken) ?? [],
    /** So many of the next changes are not published. */
    withhold: (count: number) => {
      unpublished = count
    }
  }
}

/** The actions of a message as history has them: by type, then by value. */
export const grouped = (actions: ReadonlyArray<Action>) => {
  const types = new Map<string, Map<string, Array<{ readonly uuid: string; readonly actionTimetoken: string }>>>()
  for (const { actionTimetoken, type, uuid, value } of actions) {
    const values = types.get(type) ?? new Map<string, Array<{ uuid: string; actionTimetoken: string }>>()
    const users = values.get(value) ?? []
    users.push({ uuid, actionTimetoken: String(actionTimetoken) })
    types.set(type, values.set(value, users))
  }
  return Object.fromEntries([...types].map(([type, values]) => [type, Object.fromEntries(values)]))
}

interface Request {
  readonly method: string
  readonly segments: ReadonlyArray<string>
  readonly query: ReadonlyMap<string, string>
  readonly body: string
}

interface Moment {
  readonly now: bigint
  readonly region: number
}

const maxPage = 100

const written = ({ actionTimetoken, messageTimetoken, type, uuid, value }: Action) => ({
  type,
  value,
  uuid,
  actionTimetoken: String(actionTimetoken),
  messageTimetoken: String(messageTimetoken)
})

const timetoken = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined

const invalid = (location: string, locationType: answers.Detail["locationType"], message = "Invalid value") =>
  answers.badAction([{ message, location, locationType }])

const add = (
  keyset: Keyset,
  channel: string,
  messageTimetoken: bigint,
  { body, query }: Request,
  { now, region }: Moment
): answers.Answer => {
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
): answers.Answer => {
  const action = keyset.actions.find(channel, messageTimetoken, actionTimetoken)
  if (action === undefined) return answers.badAction([], "No matching message actions to delete")
  if (action.uuid !== query.get("uuid")) {
    return answers.badAction([], "Not deleting message action: wrong uuid specified")
  }
  const { published } = keyset.actions.remove(channel, action, region, now)
  return published ? answers.action({}) : answers.actionUnpublished({}, "removed")
}

const read = (keyset: Keyset, channel: string, { query }: Request): answers.Answer => {
  const [start, end, limit] = [query.get("start"), query.get("end"), query.get("limit") ?? String(maxPage)]
  const [before, from] = [timetoken(start), timetoken(end)]
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
export const route = (keyset: Keyset, request: Request, moment: Moment): answers.Answer => {
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
  if (keyset.refused(query.get("uuid") ?? "", { channels: [channel], groups: [] }).channels.length > 0) {
    return answers.actionsForbidden
  }
  if (!keyset.addOns().persistence) return answers.noActions
  if (method === "GET") return read(keyset, channel, request)
  const messageTimetoken = timetoken(messageText)
  if (messageTimetoken === undefined) return invalid("messageTimetoken", "path")
  if (method === "POST") return add(keyset, channel, messageTimetoken, request, moment)
  const actionTimetoken = timetoken(actionText)
  return actionTimetoken === undefined
    ? invalid("actionTimetoken", "path")
    : remove(keyset, channel, messageTimetoken, actionTimetoken, request, moment)
}
