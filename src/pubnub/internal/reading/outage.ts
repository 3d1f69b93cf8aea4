/**
 * Waits for history that fails, with the schedule for that kind of failure and at most for the time that `catchUp` allows. A lane
 * uses it at a gap. A reader that missed events uses one of its own.
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

/** What to do after a failure. */
export type Outcome =
  /** History failed for longer than `catchUp` allows. */
  | { readonly _tag: "TooLong" }
  /** The schedule has ended. */
  | { readonly _tag: "GaveUp"; readonly error: SubscribeError }
  /** Read history again after so many milliseconds. */
  | { readonly _tag: "Again"; readonly millis: number; readonly told: SubscribeStatus.Interrupted }

export class Outage {
  private readonly core: Core
  private readonly within: number
  private readonly retries: Retries.Retries<PubNubError.Reason, never>
  /** When waiting began. */
  private readonly since: LongPoll.Moment
  private downSince: LongPoll.Moment | undefined
  private attempts: number

  /** An outage that replaces an earlier one continues its row of failures: readers wait for one `Reconnected`. */
  constructor(core: Core, within: number, earlier?: Outage) {
    this.core = core
    this.within = within
    this.retries = earlier?.retries ?? Retries.make(scheduleOf(core.settings.schedule))
    this.downSince = earlier?.downSince
    this.attempts = earlier?.attempts ?? 0
    this.since = PollLoop.moment(core.clock)
  }

  /** Whether `Reconnected` is still to come. */
  get isDown(): boolean {
    return this.downSince !== undefined
  }

  /** Decides what to do after a request failed. */
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

  /** Ends the outage, also if the reader gave up on history. Gives the `Reconnected` of an interruption, if there was one. */
  over(cursor: Cursor): SubscribeStatus.Reconnected | undefined {
    if (this.downSince === undefined) return undefined
    const downFor = Duration.millis(LongPoll.elapsed(this.downSince, PollLoop.moment(this.core.clock)))
    this.downSince = undefined
    this.attempts = 0
    this.retries.forget()
    return { _tag: "Reconnected", cursor, downFor }
  }
}
