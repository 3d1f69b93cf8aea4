/** The same with a stream that has a finalizer, retries, work at a fixed interval, a date, and a token that may change. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { told } from "./told.ts"

export * from "./publish.ts"

const Page = Schema.fromJsonString(Schema.Struct({
  t: Schema.Struct({ t: Schema.String }),
  m: Schema.Array(Schema.Struct({ c: Schema.String, d: Schema.Unknown, at: Schema.DateTimeUtcFromString }))
}))

export const subscribe = (channel: string, token: SubscriptionRef.SubscriptionRef<string>) => {
  let position = "0"
  const poll = Effect.gen(function*() {
    const auth = yield* SubscriptionRef.get(token)
    const page = yield* Effect.flatMap(
      told(`/subscribe/${channel}?tt=${position}&auth=${auth}`),
      Schema.decodeUnknownEffect(Page)
    )
    position = page.t.t
    return page.m.map(({ at, ...rest }) => ({ ...rest, at: DateTime.toEpochMillis(at) }))
  }).pipe(Effect.retry(Schedule.exponential("1 second")))
  const heartbeat = Effect.repeat(told("/heartbeat"), Schedule.fixed("5 minutes"))
  return Stream.fromEffectRepeat(poll).pipe(
    Stream.flattenIterable,
    Stream.ensuring(Effect.ignore(told("/leave"))),
    Stream.interruptWhen(
      SubscriptionRef.changes(token).pipe(Stream.filter((auth) => auth === ""), Stream.take(1), Stream.runDrain)
    ),
    Stream.onStart(Effect.forkChild(Effect.ignore(heartbeat)))
  )
}
