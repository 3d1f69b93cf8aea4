/**
 * One lane on the runner that owns its shard: it claims the lane, reads it, and starts again whatever ends the reader. The cluster
 * never starts a singleton again that failed.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { CursorStoreError } from "../../CursorStore.ts"
import * as Text from "../../internal/text.ts"
import type { FleetError } from "../FleetError.ts"
import type { LaneState } from "../FleetHealth.ts"
import type { Claim } from "../SqlCursorStore.ts"

/** Channels and groups that a lane reads. */
export interface Names {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  /** Those of the channels that no lane had noted as read when the table was read. */
  readonly waiting: ReadonlyArray<string>
}

/** Whether two sets of names are the same. */
export const isSame = (one: Names, other: Names): boolean =>
  one.channels.length === other.channels.length && one.channels.every((name, index) => name === other.channels[index])

const isEmpty = ({ channels, groups }: Names): boolean => channels.length === 0 && groups.length === 0

export interface Lane<E = unknown, R = unknown> {
  readonly reader: string
  /** What the lane reads now. Channels are sorted. */
  readonly names: SubscriptionRef.SubscriptionRef<Names>
  readonly claim: Effect.Effect<Claim, CursorStoreError | FleetError>
  /** Reads until it fails, or until `stop` succeeds. Then it ends in order. */
  readonly read: (names: Names, store: Claim["store"], stop: Effect.Effect<void>) => Effect.Effect<void, E, R>
  /** Whether this runner owns the shard of the lane. */
  readonly isOurs: () => boolean
  /** How long a lane waits after another owner claimed it, before it asks whether the lane is its own again. */
  readonly pause: Duration.Input
  readonly restart: Schedule.Schedule<unknown, string>
  readonly report: (state: Partial<LaneState> & Pick<LaneState, "state">) => void
  readonly refused: Effect.Effect<void>
  readonly failed: Effect.Effect<void>
  readonly claimed: (claim: Claim) => Effect.Effect<void>
  /** Notes that the lane reads these channels from its stored cursor on. */
  readonly taken: (channels: ReadonlyArray<string>, claim: Claim) => Effect.Effect<void>
}

/** After so long without a failure, the schedule of restarts begins anew. */
const healthy = 60_000

/** After so many refusals in a row two fleets must be at it: a frozen runner is refused once. */
const mostRefusals = 3

const saidBy = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error && !Cause.hasDies(cause) ? Text.told(error.message) : Text.ofDefect(error)
}

const isFenced = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return error instanceof CursorStoreError && error.kind === "Fenced"
}

const round = Effect.fnUntraced(function*<E, R>(lane: Lane<E, R>) {
  const first = yield* SubscriptionRef.get(lane.names)
  if (isEmpty(first)) {
    lane.report({ state: "Waiting", channels: 0 })
    yield* until(lane.names, (names) => !isEmpty(names))
  }
  const claim = yield* lane.claim
  yield* lane.claimed(claim)
  while (true) {
    const names = yield* SubscriptionRef.get(lane.names)
    if (isEmpty(names)) return
    lane.report({ state: "Reading", channels: names.channels.length + names.groups.length, epoch: claim.epoch })
    // A reader saves its cursor once it is connected. Everything that is published from then on is behind it.
    const hasCursor = Latch.makeUnsafe(false)
    // A channel that was removed and added again meanwhile waits, too, though the names are the same.
    const note = Effect.andThen(
      hasCursor.await,
      Stream.runForEach(
        SubscriptionRef.changes(lane.names),
        (now) => isSame(names, now) && now.waiting.length > 0 ? lane.taken(now.waiting, claim) : Effect.void
      )
    )
    const isOther = until(lane.names, (other) => !isSame(names, other))
    const stop = Effect.raceFirst(isOther, Effect.andThen(note, Effect.never))
    yield* lane.read(names, onSave(claim.store, hasCursor.open), stop)
  }
})

const until = (names: SubscriptionRef.SubscriptionRef<Names>, holds: (names: Names) => boolean): Effect.Effect<void> =>
  Stream.runDrain(Stream.takeUntil(SubscriptionRef.changes(names), holds))

/** The store, with what follows each save, also one in a transaction. */
export const onSave = (store: Claim["store"], then: Effect.Effect<unknown>): Claim["store"] => ({
  ...store,
  save: (reader, cursor) => Effect.tap(store.save(reader, cursor), () => then),
  transaction: (reader, cursor, work) =>
    Effect.tap(
      store.transaction(reader, cursor, work),
      (worked) => Result.isSuccess(worked) ? then : Effect.void
    )
})

/** Runs a lane until it is interrupted. */
export const run = Effect.fnUntraced(function*<E, R>(lane: Lane<E, R>) {
  let step = yield* Schedule.toStepWithSleep(lane.restart)
  let refusals = 0
  while (true) {
    const began = yield* Clock.currentTimeMillis
    const cause = yield* Effect.match(Effect.sandbox(round(lane)), {
      onFailure: (cause) => cause,
      onSuccess: () => undefined
    })
    // It has no channels any more.
    if (cause === undefined) continue
    const lasted = (yield* Clock.currentTimeMillis) - began
    if (lasted >= healthy) {
      step = yield* Schedule.toStepWithSleep(lane.restart)
      refusals = 0
    }
    const failure = saidBy(cause)
    if (isFenced(cause)) {
      refusals++
      yield* lane.refused
      lane.report({ state: "Refused", failure })
      yield* refusals < mostRefusals
        ? Effect.logInfo(`another runner owns the lane: ${failure}`)
        : Effect.logError(
          `another runner claims the lane again and again: ${failure} Do two clusters run this fleet with one database?`
        )
      // It never takes the lane back: the cluster says whose it is, once its locks were refreshed.
      yield* Effect.repeat(Effect.sleep(lane.pause), { until: lane.isOurs })
      continue
    }
    yield* lane.failed
    lane.report({ state: "Failing", failure })
    yield* Effect.logWarning(`the reader ended, and is started again: ${failure}`)
    yield* Effect.catch(Effect.asVoid(step(failure)), () => {
      lane.report({ state: "Stopped", failure })
      return Effect.andThen(Effect.logError("the schedule of restarts ended: the lane stays down"), Effect.never)
    })
  }
})
