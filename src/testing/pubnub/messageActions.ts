/** Message actions. Each change sends an event to the channel. */
import type { Draft } from "./entry.ts"
import * as recent from "../server/recent.ts"

/** An action of a user on a message. */
export interface Action {
  readonly channel: string
  readonly type: string
  readonly value: string
  readonly uuid: string
  readonly actionTimetoken: bigint
  readonly messageTimetoken: bigint
}

interface Channel {
  /** By timetoken, oldest first. */
  readonly actions: Array<Action>
  /** By message, and by user, type and value, which are unique. */
  readonly byMessage: Map<bigint, Map<string, Action>>
}

const keyOf = ({ type, uuid, value }: Pick<Action, "type" | "uuid" | "value">) => JSON.stringify([type, value, uuid])

/** The actions of one keyset. */
export const make = (options: {
  readonly tick: (now: bigint) => bigint
  readonly append: (draft: Draft, region: number, now: bigint) => bigint
  /** Beyond it, the oldest of all channels go without an event. */
  readonly storedBytes: number
}) => {
  const channels = new Map<string, Channel>()
  const stored = recent.make<Action>(options.storedBytes, ({ type, value }) => 1024 + type.length + value.length)
  let unpublished = 0

  /** Sends the event of a change. `false` if it is withheld. */
  const publish = (
    event: "added" | "removed",
    { actionTimetoken, channel, messageTimetoken, type, uuid, value }: Action,
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

  /** Removes an action, and maps that become empty. */
  const drop = (action: Action) => {
    const kept = channels.get(action.channel)
    const onMessage = kept?.byMessage.get(action.messageTimetoken)
    if (kept === undefined || onMessage?.delete(keyOf(action)) !== true) return
    kept.actions.splice(kept.actions.indexOf(action), 1)
    if (onMessage.size === 0) kept.byMessage.delete(action.messageTimetoken)
    if (kept.actions.length === 0) channels.delete(action.channel)
  }

  return {
    /** Adds an action, once. It does not check whether the message exists. */
    add: (channel: string, draft: Omit<Action, "actionTimetoken" | "channel">, region: number, now: bigint) => {
      const kept: Channel = channels.get(channel) ?? { actions: [], byMessage: new Map() }
      const onMessage = kept.byMessage.get(draft.messageTimetoken) ?? new Map<string, Action>()
      const existing = onMessage.get(keyOf(draft))
      if (existing !== undefined) return { action: existing, isNew: false, published: false }
      const action: Action = { ...draft, channel, actionTimetoken: options.tick(now) }
      channels.set(channel, kept)
      kept.byMessage.set(draft.messageTimetoken, onMessage.set(keyOf(action), action))
      kept.actions.push(action)
      for (const gone of stored.add(action)) drop(gone)
      return { action, isNew: true, published: publish("added", action, region, now) }
    },
    find: (channel: string, messageTimetoken: bigint, actionTimetoken: bigint): Action | undefined =>
      ofMessage(channel, messageTimetoken).find((action) => action.actionTimetoken === actionTimetoken),
    remove: (action: Action, region: number, now: bigint) => {
      stored.remove(action)
      drop(action)
      return { published: publish("removed", action, region, now) }
    },
    /** All of a channel, oldest first. */
    of: (channel: string): ReadonlyArray<Action> => channels.get(channel)?.actions ?? [],
    ofMessage,
    channels: (): Iterable<string> => channels.keys(),
    /** Withholds the events of the next changes. */
    withhold: (count: number) => {
      unpublished = count
    }
  }
}

/** The actions of a message as history shows them: by type, then by value. */
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
