/**
 * The reactions of some messages, or of the newest, kept current: they are read from history and, where that does not have
 * the messages, from the actions of the channel, then followed by events, and read again whenever events may have been lost.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { MessageAction } from "../../MessageAction.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Streams from "../reading/streams.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import * as Timetoken from "../../Timetoken.ts"
import * as Entries from "../wire/entries.ts"
import * as Loss from "./loss.ts"
import * as Reactions from "./reactions.ts"
import * as Reread from "./reread.ts"
import { isDecoded, type UndecodableItem } from "../../../UndecodableItem.ts"

/** Of which messages: of these, or of so many of the newest. */
type Options =
  & { readonly channel: string }
  & (
    | { readonly messages: ReadonlyArray<string>; readonly last?: undefined }
    | { readonly last: number; readonly messages?: undefined }
  )

type Needs = HttpClient.HttpClient | PubNubConfig

/** The actions of the channel, from this one on. */
type Actions = (
  since: Timetoken.Timetoken | undefined
) => Stream.Stream<MessageAction | UndecodableItem, PubNubError.PubNubError, Needs>

type Found = Effect.Effect<ReadonlyMap<string, ReadonlyArray<Reactions.Action>>, PubNubError.PubNubError, Needs>

/** How far history may be behind. */
const historyLag = "1 second"

export const stream = (
  { channel, last, messages }: Options,
  actions: Actions
): Stream.Stream<ReadonlyMap<string, Reactions.Reactions>, SubscribeError | PubNubError.PubNubError, Needs> =>
  Stream.unwrap(Effect.map(PubNubConfig, ({ userId }) => {
    const found = last === undefined ? readMessages(channel, [...new Set(messages)], actions) : readLast(channel, last)
    const read = Effect.map(found, (found) => Reactions.make(found, userId))
    const watched = { last, me: userId }
    const step = Effect.fnUntraced(function*(
      before: Reactions.State | undefined,
      events: ReadonlyArray<SubscribeEvent.SubscribeEvent>
    ) {
      for (const event of events) yield* Loss.warn(event)
      const followed = before && Reactions.follow(before, events, watched)
      if (!events.some(Loss.isLoss)) return followed
      // What was crowded out a moment ago may not be in history yet.
      if (events.some((event) => event._tag === "GapSuspected")) yield* Effect.sleep(historyLag)
      const found = yield* Reread.untilRead(read, {
        isFirst: before === undefined,
        tell: (error) => Effect.logWarning(`the reactions on ${channel} are not known: ${error.message}`)
      })
      const known = followed === undefined || last === undefined
        ? found
        : yield* Reactions.withUnshown(found, followed, last)
      // What was told before the loss may have been undone in it. What comes behind it is followed: should the answer be
      // younger, what else happened is still to come.
      return Reactions.follow(known, events.slice(events.findLastIndex(Loss.isLoss) + 1), watched)
    })
    // Catching up would bring messages only, and tell of a loss only where actions had come before.
    return Streams.events({ channels: [channel], catchUp: "none" }).pipe(
      // Nothing is polled while it is read: what happens meanwhile comes next, from the same cursor.
      Stream.mapAccumArrayEffect(
        (): Reactions.State | undefined => undefined,
        (before, events) =>
          Effect.map(
            step(before, events),
            (state) => [state, state === undefined ? [] : [Reactions.valueOf(state)]] as const
          )
      ),
      Stream.changes
    )
  }))

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

const include = { actions: true, meta: false }

const readLast = (channel: string, last: number): Found =>
  Entries.stream({ channel, include }).pipe(
    Stream.take(last),
    Stream.runCollect,
    Effect.map((entries) => new Map(entries.toReversed().flatMap(actionsOf)))
  )

// An entry that cannot be read is a message all the same, if it says which.
const actionsOf = (entry: Entries.Entry): ReadonlyArray<readonly [string, ReadonlyArray<Reactions.Action>]> =>
  entry._tag !== "UndecodableEntry"
    ? [[entry.timetoken, entry.actions]]
    : entry.timetoken === undefined
    ? []
    : [[entry.timetoken, []]]

const isTimetoken = Schema.is(Timetoken.Timetoken)

const readMessages = (channel: string, messages: ReadonlyArray<string>, actions: Actions): Found =>
  Effect.gen(function*() {
    const found = new Map<string, ReadonlyArray<Reactions.Action>>()
    let wanted: ReadonlyArray<Timetoken.Timetoken> = messages.filter(isTimetoken).toSorted().toReversed()
    const oldest = wanted.at(-1)
    while (wanted[0] !== undefined) {
      const before = Option.getOrUndefined(Timetoken.fromBigInt(Timetoken.toBigInt(wanted[0]) + 1n))
      const { entries, next } = yield* Entries.page({ channel, since: oldest, before, include })
      for (const [message, actions] of entries.flatMap(actionsOf)) found.set(message, actions)
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
