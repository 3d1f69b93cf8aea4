/**
 * Applies events of App Context to a record.
 *
 * An event says what changed and when, but not from which version. Regions may deliver two events in the wrong order, and an
 * event may arrive after a read that includes it. So an event is applied only in two cases: a change that is later than the
 * record, and a removal that is later by more than regions differ. A change with the time and the etag of the record is known
 * already. After every other event the record is read again:
 *
 * - a change that is older and has another etag: the record may include it, or another region was late with it;
 * - a change of the same millisecond with another etag;
 * - a removal that may be older than the record;
 * - a change of a record that does not exist: it may be older than a removal.
 *
 * If a change is applied before an older one arrives, the older one causes a read, which corrects the record.
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

/** The result of an event after which the record must be read. */
export const inDoubt = Symbol("inDoubt")

/** Gives the record after an event. `undefined` if there is none. */
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
  // Reads the record if the custom data is invalid or does not match its schema. Then the read fails, which users see.
  if (!isCustom(custom.value)) return Effect.succeed(inDoubt)
  return Effect.match(decode(custom.value), {
    onSuccess: (custom) => withFields(changed, { ...texts, custom: Option.some(custom) }),
    onFailure: () => inDoubt
  })
}

/** Changes fields of a record. `None` removes a field. */
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

/** Whether a record that was read after an event does not include it. */
export const isBehind = (read: AppContext.Versioned | undefined, event: ObjectEvent): boolean =>
  "change" in event
    ? read === undefined || event.updated !== undefined && timeOf(read) < event.updated.epochMilliseconds
    : read !== undefined && timeOf(read) <= removedAt(event)

/** No two regions differ by more. */
export const aMinute = 60_000

const timeOf = ({ updated }: AppContext.Versioned): number => updated.epochMilliseconds

/** A removal has no `updated`, so its timetoken counts. */
const removedAt = ({ timetoken }: SubscribeEvent.Delivery): number => Position.millisOf(timetoken)

const isCustom = Schema.is(AppContext.Custom)
