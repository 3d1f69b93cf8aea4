/**
 * The reactions of chosen messages, or of the newest messages, as a live value. They are read from history, and from the actions
 * of the channel if history does not have a message. Events update them. They are read again after events may have been lost.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { MessageAction } from "../../MessageAction.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Timetoken from "../../Timetoken.ts"
import * as Entries from "../wire/entries.ts"
import * as Live from "./live.ts"
import * as Reactions from "./reactions.ts"
import * as Reread from "./reread.ts"
import { isDecoded, type UndecodableItem } from "../../../UndecodableItem.ts"

/** The messages to watch: either these, or the newest `last`. */
type Options =
  & { readonly channel: string }
  & (
    | { readonly messages: ReadonlyArray<string>; readonly last?: undefined }
    | { readonly last: number; readonly messages?: undefined }
  )

/** Streams the actions of the channel from this timetoken on. */
type Actions = (
  since: Timetoken.Timetoken | undefined
) => Stream.Stream<MessageAction | UndecodableItem, PubNubError.PubNubError, Live.Needs>

type Found = Effect.Effect<ReadonlyMap<string, ReadonlyArray<Reactions.Action>>, PubNubError.PubNubError, Live.Needs>

const operation = "MessageActions.live"

/** How far history may be behind. */
const historyLag = "1 second"

export const keep = ({ channel, last, messages }: Options, actions: Actions) =>
  Effect.flatMap(PubNubConfig, ({ userId }) => {
    const found = last === undefined ? readMessages(channel, [...new Set(messages)], actions) : readLast(channel, last)
    const watched = { last, me: userId }
    return Live.keep<Reactions.State, ReadonlyMap<string, Reactions.Reactions>, never, Live.Needs>({
      name: `the reactions on ${channel}`,
      // With `catchUp`, history would give messages only, and a lost action would be reported only if actions had come before.
      subscription: { channels: [channel], catchUp: "none" },
      begins: Reread.needsReread,
      read: Effect.fnUntraced(function*(held, events, untilRead) {
        // The service dropped events a moment ago. History may not have them yet.
        if (events.some((event) => event._tag === "GapSuspected")) yield* Effect.sleep(historyLag)
        const read = yield* untilRead(Effect.map(found, (found) => Reactions.make(found, userId)))
        const known = held === undefined || last === undefined ? read : yield* Reactions.withUnshown(read, held, last)
        // A lost event may have undone the events before it, so only events after the loss are applied. If the answer is newer
        // than they are, the rest still arrives.
        return Reactions.follow(known, events.slice(events.findLastIndex(Reread.needsReread) + 1), watched)
      }),
      follow: (held, events) =>
        Effect.succeed({
          held: Reactions.follow(held, events, watched),
          isDoubted: events.some(Reread.needsReread)
        }),
      valueOf: Reactions.valueOf,
      isSame: Equal.equals,
      undecodableOf: () => []
    })
  })

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

const include = ["actions"] as const

const readLast = (channel: string, last: number): Found =>
  Entries.stream(operation, { channel, include }).pipe(
    Stream.take(last),
    Stream.runCollect,
    Effect.map((entries) => new Map(entries.toReversed().flatMap(actionsOf)))
  )

/** An entry that cannot be decoded counts as a message if it has a timetoken. */
const actionsOf = (entry: Entries.Entry): ReadonlyArray<readonly [string, ReadonlyArray<Reactions.Action>]> =>
  entry.timetoken === undefined ? [] : [[entry.timetoken, "actions" in entry ? entry.actions ?? [] : []]]

const isTimetoken = Schema.is(Timetoken.Timetoken)

const readMessages = (channel: string, messages: ReadonlyArray<string>, actions: Actions): Found =>
  Effect.gen(function*() {
    const found = new Map<string, ReadonlyArray<Reactions.Action>>()
    let wanted: ReadonlyArray<Timetoken.Timetoken> = messages.filter(isTimetoken).toSorted().toReversed()
    const oldest = wanted.at(-1)
    while (wanted[0] !== undefined) {
      const before = Option.getOrUndefined(Timetoken.fromBigInt(Timetoken.toBigInt(wanted[0]) + 1n))
      const { items, next } = yield* Entries.page(operation, () => ({ channel, since: oldest, before, include }))
      for (const [message, actions] of items.flatMap(actionsOf)) found.set(message, actions)
      wanted = next === undefined ? [] : wanted.slice(1).filter((message) => message < next)
    }
    const others = messages.filter((message) => !found.has(message))
    if (others.length > 0) {
      const missing = new Map(others.map((message): [string, Array<Reactions.Action>] => [message, []]))
      const since = others.every(isTimetoken) ? others.toSorted()[0] : undefined
      yield* Stream.runForEach(actions(since), (action) =>
        isDecoded(action)
          ? Effect.sync(() => missing.get(action.messageTimetoken)?.push(action))
          : Effect.logWarning(`an action on ${channel} cannot be read: ${action.issue}`))
      for (const [message, actions] of missing) found.set(message, actions)
    }
    return new Map(messages.map((message) => [message, found.get(message) ?? []]))
  })
