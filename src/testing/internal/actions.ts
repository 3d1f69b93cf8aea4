/** Message actions: what users add to messages. Each change is an event on the channel. */
import type { Draft } from "./keyset.ts"

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
  /** By message, and by what a user can add to it once. */
  readonly byMessage: Map<bigint, Map<string, Action>>
}

const keyOf = ({ type, uuid, value }: Pick<Action, "type" | "uuid" | "value">) => JSON.stringify([type, value, uuid])

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

  /** Oldest first, as they came. */
  const ofMessage = (channel: string, messageTimetoken: bigint): ReadonlyArray<Action> => [
    ...channels.get(channel)?.byMessage.get(messageTimetoken)?.values() ?? []
  ]

  return {
    /** What a user adds a second time is not added; nothing asks whether there is such a message. */
    add: (channel: string, draft: Omit<Action, "actionTimetoken">, region: number, now: bigint) => {
      const kept: Channel = channels.get(channel) ?? { actions: [], byMessage: new Map() }
      const onMessage = kept.byMessage.get(draft.messageTimetoken) ?? new Map<string, Action>()
      const existing = onMessage.get(keyOf(draft))
      if (existing !== undefined) return { action: existing, isNew: false, published: false }
      const action: Action = { ...draft, actionTimetoken: options.tick(now) }
      channels.set(channel, kept)
      kept.byMessage.set(draft.messageTimetoken, onMessage.set(keyOf(action), action))
      kept.actions.push(action)
      return { action, isNew: true, published: publish("added", channel, action, region, now) }
    },
    find: (channel: string, messageTimetoken: bigint, actionTimetoken: bigint): Action | undefined =>
      ofMessage(channel, messageTimetoken).find((action) => action.actionTimetoken === actionTimetoken),
    remove: (channel: string, action: Action, region: number, now: bigint) => {
      const kept = channels.get(channel)
      const onMessage = kept?.byMessage.get(action.messageTimetoken)
      if (kept === undefined || onMessage === undefined) return { published: false }
      kept.actions.splice(kept.actions.indexOf(action), 1)
      onMessage.delete(keyOf(action))
      if (onMessage.size === 0) kept.byMessage.delete(action.messageTimetoken)
      return { published: publish("removed", channel, action, region, now) }
    },
    /** All of a channel, oldest first. */
    of: (channel: string): ReadonlyArray<Action> => channels.get(channel)?.actions ?? [],
    ofMessage,
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
