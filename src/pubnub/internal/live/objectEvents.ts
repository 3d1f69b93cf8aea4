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

export type DecodeCustom<C, R> = (custom: AppContext.Custom) => Effect.Effect<C, unknown, R>

/** Stands where an event does not say for certain what is there. */
export const inDoubt = Symbol("inDoubt")

/** What is there after an event: `undefined` is nothing. */
export const after = <A extends Item<C>, C, R>(
  held: A | undefined,
  event: ObjectEvent,
  decode: DecodeCustom<C, R>
): Effect.Effect<A | undefined | typeof inDoubt, never, R> => {
  const isSet = "change" in event
  if (held === undefined) return Effect.succeed(isSet ? inDoubt : undefined)
  if (!isSet) return Effect.succeed(removedAt(event) - timeOf(held) > aMinute ? undefined : inDoubt)
  const { change, etag, updated } = event
  if (updated === undefined || etag === undefined) return Effect.succeed(inDoubt)
  const isLater = updated.epochMilliseconds > timeOf(held)
  if (!isLater) return Effect.succeed(etag === held.etag ? held : inDoubt)
  const { custom, ...texts } = change
  const changed = { ...held, updated, etag }
  if (custom === undefined) return Effect.succeed(withFields(changed, { ...texts }))
  if (Option.isNone(custom)) return Effect.succeed(withFields(changed, { ...texts, custom }))
  // What is no custom data, or does not match its schema, fails the read, where it can be seen.
  if (!isCustom(custom.value)) return Effect.succeed(inDoubt)
  return Effect.match(decode(custom.value), {
    onSuccess: (custom) => withFields(changed, { ...texts, custom: Option.some(custom) }),
    onFailure: () => inDoubt
  })
}

/** A record with fields that changed: `None` takes one away. */
const withFields = <A extends object>(
  held: A,
  fields: { readonly [name: string]: Option.Option<unknown> | undefined }
): A => {
  const next = { ...held }
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (Option.isSome(value)) Object.assign(next, { [name]: value.value })
    else Reflect.deleteProperty(next, name)
  }
  return next
}

/** Whether an event says something that is not in what was read after it. */
export const isBehind = (read: AppContext.Versioned | undefined, event: ObjectEvent): boolean =>
  "change" in event
    ? read === undefined || event.updated !== undefined && timeOf(read) < event.updated.epochMilliseconds
    : read !== undefined && timeOf(read) <= removedAt(event)

/** No two regions differ by as much. */
export const aMinute = 60_000

const timeOf = ({ updated }: AppContext.Versioned): number => updated.epochMilliseconds

// A removal has no time of its own.
const removedAt = ({ timetoken }: SubscribeEvent.Delivery): number => Position.millisOf(timetoken)

const isCustom = Schema.is(AppContext.Custom)
