/**
 * What an event of App Context says for certain.
 *
 * An event tells what changed and when, not from what. Regions may swap two events, and a read may be younger than an event
 * that is still on its way. So only what is certain is applied: a change that is later than what is held, and a removal that
 * is later by more than regions differ. What has the same time and tag is known already. All else is read again: what is
 * older with another tag (it may be in what is held, or have come from another region behind it), what has the same
 * millisecond, a removal that may be older than what is held, and what creates (it may be older than a removal). A change
 * that is applied without one that came before it is right as soon as that one arrives, late: it is older, and so it is read.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AppContext from "../../AppContext.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Position from "../reading/clockCheck.ts"

/** An event of a user, a channel or a membership. */
export type ObjectEvent = SubscribeEvent.UserEvent | SubscribeEvent.ChannelEvent | SubscribeEvent.MembershipEvent

export type Item<C> = AppContext.Versioned & AppContext.Included<C>

export type DecodeCustom<C, R> = (
  custom: Option.Option<AppContext.Custom>
) => Effect.Effect<Option.Option<C>, unknown, R>

const inDoubt = Effect.undefined

/** What is there after an event, `None` if nothing. `undefined` where that is in doubt. */
export const after = <A extends Item<C>, C, R>(
  held: Option.Option<A>,
  event: ObjectEvent,
  decode: DecodeCustom<C, R>
): Effect.Effect<Option.Option<A> | undefined, never, R> => {
  const isSet = "change" in event
  if (Option.isNone(held)) return isSet ? inDoubt : Effect.succeed(held)
  const item = held.value
  if (!isSet) return removedAt(event) - timeOf(item) > aMinute ? Effect.succeedNone : inDoubt
  const { change, etag, updated } = event
  if (updated === undefined || !isEtag(etag)) return inDoubt
  const isLater = updated.epochMilliseconds > timeOf(item)
  if (!isLater) return etag === item.etag ? Effect.succeed(held) : inDoubt
  const { custom, ...texts } = change
  if (custom === undefined) return Effect.succeedSome({ ...item, ...texts, updated, etag })
  const scalars = Option.filter(custom, isCustom)
  if (Option.isSome(custom) && Option.isNone(scalars)) return inDoubt
  // What does not match its schema fails the read, where it can be seen.
  return Effect.match(decode(scalars), {
    onSuccess: (custom) => Option.some({ ...item, ...texts, custom, updated, etag }),
    onFailure: () => undefined
  })
}

/** Whether an event told of something that is not in what was read after it. */
export const isBehind = (read: Option.Option<AppContext.Versioned>, event: ObjectEvent): boolean =>
  "change" in event
    ? Option.match(read, {
      onNone: () => true,
      onSome: (item) => event.updated !== undefined && timeOf(item) < event.updated.epochMilliseconds
    })
    : Option.exists(read, (item) => timeOf(item) <= removedAt(event))

/** No two regions differ by as much. */
export const aMinute = 60_000

const timeOf = ({ updated }: AppContext.Versioned): number => updated.epochMilliseconds

// A removal has no time of its own.
const removedAt = ({ timetoken }: SubscribeEvent.Delivery): number => Position.millisOf(timetoken)

const isEtag = Schema.is(AppContext.Etag)
const isCustom = Schema.is(AppContext.Custom)
