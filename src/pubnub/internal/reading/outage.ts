/**
 * How somebody waits for history that fails: by the schedule of its kind of failure, and for as long as was chosen. A lane does
 * so at a gap, and a reader that was passed by for itself.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Cursor } from "../../../Cursor.ts"
import * as LongPoll from "../../../internal/longPoll.ts"
import * as PollLoop from "../../../internal/pollLoop.ts"
import * as Retries from "../../../internal/retries.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import { scheduleOf } from "./backfill.ts"
import type { Core } from "./core.ts"
import { toError } from "./ending.ts"

/** What follows from a failure. */
export type Outcome =
  /** It was waited for as long as was chosen. */
  | { readonly _tag: "TooLong" }
  /** The schedule has ended. */
  | { readonly _tag: "GaveUp"; readonly error: SubscribeError }
  /** History is asked again after so many milliseconds. */
  | { readonly _tag: "Again"; readonly millis: number; readonly told: SubscribeStatus.Interrupted }

export class Outage {
  private readonly core: Core
  private readonly within: number
  private readonly retries: Retries.Retries<PubNubError.Reason, never>
  /** Since when history is waited for. */
  private readonly since: LongPoll.Moment
  private downSince: LongPoll.Moment | undefined
  private attempts = 0

  constructor(core: Core, within: number) {
    this.core = core
    this.within = within
    this.retries = Retries.make(scheduleOf(core.settings.schedule))
    this.since = PollLoop.moment(core.clock)
  }

  /** A request failed. */
  failed(reason: PubNubError.Reason, cursor: Cursor | undefined): Effect.Effect<Outcome> {
    const now = PollLoop.moment(this.core.clock)
    if (LongPoll.elapsed(this.since, now) >= this.within) return Effect.succeed({ _tag: "TooLong" })
    const attempt = ++this.attempts
    return Effect.map(this.retries.ask(reason), (decision): Outcome => {
      if (decision._tag === "GaveUp") return { _tag: "GaveUp", error: toError(reason, attempt, cursor) }
      this.downSince ??= now
      const { millis } = decision
      const at = cursor === undefined ? {} : { cursor }
      const retryIn = Duration.millis(millis)
      return { _tag: "Again", millis, told: { _tag: "Interrupted", reason, ...at, attempt, retryIn } }
    })
  }

  /** It goes on, also where history was given up. Gives the end of an interruption, if there was one. */
  over(cursor: Cursor): SubscribeStatus.Reconnected | undefined {
    if (this.downSince === undefined) return undefined
    const downFor = Duration.millis(LongPoll.elapsed(this.downSince, PollLoop.moment(this.core.clock)))
    this.downSince = undefined
    this.attempts = 0
    this.retries.forget()
    return { _tag: "Reconnected", cursor, downFor }
  }
}
