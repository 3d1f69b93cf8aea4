/** One user, or the metadata of one channel, as a live value. */
import * as Effect from "effect/Effect"
import type * as AppContext from "../../AppContext.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type { Events } from "./live.ts"
import * as LiveRecords from "./liveRecords.ts"
import * as ObjectEvents from "./objectEvents.ts"

export const keep = <A extends ObjectEvents.Item<C>, C, E extends AppContext.CustomMismatch, R, R2>(
  { decode, get, isOf, ...names }: Pick<LiveRecords.Source<A, never, E, R>, "operation" | "kind" | "id"> & {
    readonly get: Effect.Effect<A, PubNubError.PubNubError | AppContext.ObjectNotFound | E, R>
    readonly isOf: (
      event: SubscribeEvent.SubscribeEvent
    ) => event is SubscribeEvent.UserEvent | SubscribeEvent.ChannelEvent
    readonly decode: ObjectEvents.DecodeCustom<C, R2>
  }
) => {
  const read = get.pipe(Effect.catchTag("ObjectNotFound", () => Effect.undefined))
  return LiveRecords.keep<A | undefined, string, E, R | R2>({
    ...names,
    read,
    readParts: () => read,
    follow: Effect.fnUntraced(function*(held: A | undefined, events: Events) {
      const doubted = new Set<string>()
      let value = held
      for (const event of events.filter(isOf)) {
        const next = yield* ObjectEvents.after(value, event, decode)
        if (next === ObjectEvents.inDoubt) doubted.add(names.id)
        else value = next
      }
      return { value, doubted }
    }),
    isBehind: (value, events) => {
      const last = events.findLast(isOf)
      return last !== undefined && ObjectEvents.isBehind(value, last)
    }
  })
}
