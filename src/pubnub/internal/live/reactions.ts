/**
 * The reactions of some messages: made from actions that were read, and updated by events.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { MessageAction } from "../../MessageAction.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import { Timetoken } from "../../Timetoken.ts"

/** One action on a message. */
export type Action = Omit<MessageAction, "messageTimetoken">

/** All actions of one type and value on a message. */
interface Reaction {
  readonly type: string
  readonly value: string
  readonly count: number
  readonly users: ReadonlyMap<string, Timetoken>
  readonly mine?: Timetoken
}

/** In the order in which each was first added. */
export type Reactions = ReadonlyArray<Reaction>

export interface State {
  /** The watched messages. If these are the newest of the channel, the oldest comes first. */
  readonly messages: ReadonlyArray<string>
  /** Includes reactions whose message has not arrived yet. A message without reactions may be absent. */
  readonly reactions: ReadonlyMap<string, Reactions>
}

export const make = (found: ReadonlyMap<string, ReadonlyArray<Action>>, me: string): State => ({
  messages: [...found.keys()],
  reactions: new Map(Array.from(found, ([message, actions]) => [message, reactionsOf(actions, me)]))
})

export const valueOf = ({ messages, reactions }: State): ReadonlyMap<string, Reactions> =>
  new Map(messages.map((message) => [message, reactions.get(message) ?? []]))

const reactionsOf = (actions: Iterable<Action>, me: string): Reactions => {
  const kinds = new Map<string, Action & { readonly users: Map<string, Timetoken> }>()
  for (const action of [...actions].toSorted((a, b) => a.actionTimetoken < b.actionTimetoken ? -1 : 1)) {
    const { actionTimetoken, type, userId, value } = action
    const key = JSON.stringify([type, value])
    const kind = kinds.get(key)
    if (kind === undefined) kinds.set(key, { ...action, users: new Map([[userId, actionTimetoken]]) })
    else kind.users.set(userId, actionTimetoken)
  }
  return Array.from(kinds.values(), ({ type, users, value }): Reaction => {
    const mine = Array.from(users).find(([user]) => user === me)?.[1]
    return { type, value, count: users.size, users, ...mine === undefined ? {} : { mine } }
  })
}

const actionsOf = (reactions: Reactions): ReadonlyArray<Action> =>
  reactions.flatMap(({ type, users, value }) =>
    Array.from(users, ([userId, actionTimetoken]) => ({ type, value, userId, actionTimetoken }))
  )

const isTimetoken = Schema.is(Timetoken)

/** The messages to watch: the newest `last`, or always the same ones if it is undefined. */
export interface Watched {
  readonly last: number | undefined
  /** The user whose reactions are `mine`. */
  readonly me: string
}

export const follow = (
  before: State,
  events: ReadonlyArray<SubscribeEvent.SubscribeEvent>,
  { last, me }: Watched
): State => {
  const changed = new Map<string, Map<Timetoken, Action>>()
  const published = new Set<string>()
  const actionsOn = (message: string): Map<Timetoken, Action> => {
    const actions = changed.get(message) ??
      new Map(actionsOf(before.reactions.get(message) ?? []).map((action) => [action.actionTimetoken, action]))
    changed.set(message, actions)
    return actions
  }
  for (const event of events) {
    switch (event._tag) {
      case "Message":
      case "FileShared":
        published.add(event.timetoken)
        break
      case "MessageActionAdded": {
        const { messageTimetoken, ...action } = event.action
        actionsOn(messageTimetoken).set(action.actionTimetoken, action)
        break
      }
      case "MessageActionRemoved":
        actionsOn(event.action.messageTimetoken).delete(event.action.actionTimetoken)
        break
      default:
    }
  }
  const reactions = new Map(before.reactions)
  for (const [message, actions] of changed) reactions.set(message, reactionsOf(actions.values(), me))
  return watched({ messages: newest(before.messages, published, last), reactions }, last)
}

const newest = (
  messages: ReadonlyArray<string>,
  published: ReadonlySet<string>,
  last: number | undefined
): ReadonlyArray<string> =>
  last === undefined || published.size === 0
    ? messages
    : [...new Set([...messages, ...published])].toSorted().slice(-last)

/** Drops the reactions of messages that are not watched and will not be. */
const watched = ({ messages, reactions }: State, last: number | undefined): State => {
  const known = new Set(messages)
  const oldest = messages[0] ?? ""
  // An action may arrive before its message, if the message is of another region.
  const mayCome = (message: string, reactions: Reactions) =>
    last !== undefined && isTimetoken(message) && message > oldest &&
    actionsOf(reactions).some(({ actionTimetoken }) => actionTimetoken > message)
  const own: Array<readonly [string, Reactions]> = []
  const toCome: Array<readonly [string, Reactions]> = []
  for (const one of reactions) {
    if (known.has(one[0])) own.push(one)
    else if (mayCome(...one)) toCome.push(one)
  }
  return { messages, reactions: new Map([...own, ...toCome.slice(-mostToCome)]) }
}

/** The most messages that have reactions before they arrive. Anybody may react to messages that nobody published. */
const mostToCome = 1_000

/** How late messages of other regions may be, in ticks of 100 ns. */
const unshownFor = 100_000_000n

/** Adds to a read the messages that are so new that history may not have them yet. */
export const withUnshown = (found: State, known: State, last: number): Effect.Effect<State> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const from = String(BigInt(now) * 10_000n - unshownFor)
    const isUnshown = (message: string) => message > from && !found.messages.includes(message)
    return watched({
      messages: newest(found.messages, new Set(known.messages.filter(isUnshown)), last),
      reactions: new Map([...found.reactions, ...[...known.reactions].filter(([message]) => isUnshown(message))])
    }, last)
  })
