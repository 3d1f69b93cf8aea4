/** Durable readers: they start at a stored cursor, and commit the events that they handled. */
import type * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Cursor } from "../../../Cursor.ts"
import { CursorStore, CursorStoreError } from "../../../CursorStore.ts"
import * as Commits from "../../../internal/commits.ts"
import * as Grace from "../../../internal/grace.ts"
import * as PacedCommits from "../../../internal/pacedCommits.ts"
import * as Retry from "../../../Retry.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as EventStreams from "./eventStreams.ts"
import { cursorOf } from "./place.ts"

/** The name of the cursor, and the schedule for a save that failed. */
export interface Name {
  readonly reader: string
  readonly commitRetry?: Retry.Policy<CursorStoreError> | undefined
}

/** Reads the events after a cursor. Without a cursor it starts as a new reader does. */
export type Read<A, E, R> = (from: Cursor | undefined) => Stream.Stream<SubscribeEvent.SubscribeEvent<A>, E, R>

/** How long one attempt to load or save a cursor may take. */
const patience = "30 seconds"

const pace: PacedCommits.Pace = { every: "250 millis", atOnce: 100, grace: Commits.grace }

/** Loads the stored cursor, and gives the effect that saves another one. */
const open = Effect.fnUntraced(function*({ commitRetry, reader }: Name) {
  const store = yield* CursorStore
  const schedule = Schedule.while(
    Retry.toSchedule(commitRetry ?? Retry.commit),
    ({ input }: { readonly input: CursorStoreError }) => Effect.succeed(input.isRetryable)
  )
  const retried = <A, R>(attempt: Effect.Effect<A, CursorStoreError, R>): Effect.Effect<A, CursorStoreError, R> =>
    Effect.tapError(attempt, (error) => error.isRetryable ? Effect.logWarning(error.message) : Effect.void).pipe(
      Effect.retry(schedule)
    )
  const late = (time: string, operation: CursorStoreError["operation"] = "save") =>
    new CursorStoreError({
      operation,
      kind: "Unavailable",
      reader,
      description: `the store did not answer within ${time}`
    })
  // A store may hang, and may not be interruptible.
  const attempt = <A>(
    work: () => Effect.Effect<A, CursorStoreError>,
    operation?: CursorStoreError["operation"]
  ): Effect.Effect<A, CursorStoreError> =>
    Effect.forkDetach(Effect.suspend(work), { startImmediately: true }).pipe(
      Effect.flatMap((fiber) => Grace.awaitAtMost(fiber, patience)),
      Effect.flatMap(Option.getOrElse(() => Exit.fail(late(patience, operation))))
    )
  return {
    kept: yield* retried(attempt(() => store.load(reader), "load")),
    save: (cursor: Cursor) => retried(attempt(() => store.save(reader, cursor))),
    store,
    retried,
    late
  }
})

/** Pages, each with its own commit. */
export const pages = <A, E, R>(name: Name, read: Read<A, E, R>) =>
  Stream.unwrap(Effect.map(open(name), ({ kept, save }) => {
    const commits = Commits.make(save)
    return Stream.mapArray(read(kept), (events): Arr.NonEmptyReadonlyArray<{
      readonly items: Arr.NonEmptyReadonlyArray<SubscribeEvent.SubscribeEvent<A>>
      readonly commit: Effect.Effect<void, CursorStoreError>
    }> => [{ items: events, commit: commits.next(events.map(cursorOf).findLast((cursor) => cursor !== undefined)) }])
  }))

/** How a reader commits what it handled. */
export interface Committing {
  readonly kept: Cursor | undefined
  /** Adds an event; call it in the order of the events. Gives the effect that marks the event as handled. */
  readonly open: (event: SubscribeEvent.SubscribeEvent<unknown>) => Effect.Effect<void>
  /** Runs a handler, and commits the event with it if handlers and commits share transactions. */
  readonly with: Transact
  /** Call it after each page. */
  readonly room: Effect.Effect<void>
  /** Runs the reader until it ends or the store fails. */
  readonly during: <A, E, R>(reading: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CursorStoreError, R>
}

export type Transact = <E, R>(
  work: Effect.Effect<unknown, E, R>,
  last: SubscribeEvent.SubscribeEvent<unknown>
) => Effect.Effect<unknown, E, R>

/** Loads the stored cursor, and commits in the background. It saves once more at the end. */
export const begin = (name: Name): Effect.Effect<Committing, CursorStoreError, CursorStore> =>
  Effect.map(open(name), ({ kept, late, save }) => {
    const commits = PacedCommits.make(save, pace)
    const close = Effect.flatMap(commits.close, (saved) => saved ? Effect.void : Effect.fail(late(Commits.grace)))
    return {
      kept,
      open: (event) => commits.open(cursorOf(event)),
      with: (work) => work,
      room: commits.room,
      during: (reading) =>
        Effect.onExit(
          Effect.raceFirst(reading, commits.failed),
          (exit): Effect.Effect<void, CursorStoreError> => Exit.isSuccess(exit) ? close : Effect.catch(close, warned)
        )
    }
  })

/** Another owner is the orderly end of a reader. */
const warned = (error: CursorStoreError): Effect.Effect<void> =>
  error.kind === "Fenced" ? Effect.void : Effect.logWarning(error.message)

/**
 * Loads the stored cursor, and commits each message in the transaction of its handler. Events without a handler are committed
 * after their page. All is done in order, so that no save can follow a transaction with a newer cursor.
 */
export const beginTransactions = (name: Name): Effect.Effect<Committing, CursorStoreError, CursorStore> =>
  Effect.map(open(name), ({ kept, retried, save, store: { transaction } }) => {
    const failure = Deferred.makeUnsafe<never, CursorStoreError>()
    let handled: Cursor | undefined
    let saved: Cursor | undefined
    const saves = <A, E, R>(
      attempt: Effect.Effect<A, CursorStoreError, R>,
      cursor: Cursor,
      then: (result: A) => Effect.Effect<void, E>
    ): Effect.Effect<void, E, R> =>
      Effect.matchEffect(attempt, {
        // Not a failure of the handler: neither `retry` nor `deadLetter` see it.
        onFailure: (error) => Effect.andThen(Deferred.fail(failure, error), Effect.never),
        onSuccess: (result) =>
          Effect.tap(then(result), () =>
            Effect.sync(() => {
              saved = cursor
            }))
      })
    return {
      kept,
      open: (event) =>
        Effect.sync(() => {
          handled = cursorOf(event) ?? handled
        }),
      with: (work, last) => {
        const cursor = cursorOf(last)
        return cursor === undefined || transaction === undefined
          ? work
          : saves(retried(transaction(name.reader, cursor, work)), cursor, Effect.fromResult)
      },
      room: Effect.suspend(() =>
        handled === undefined || handled === saved ? Effect.void : saves(save(handled), handled, () => Effect.void)
      ),
      during: (reading) => Effect.raceFirst(reading, Deferred.await(failure))
    }
  })

/** An event, and the effect that marks it as handled. */
export interface Open<A> {
  readonly event: A
  readonly handled: Effect.Effect<void>
}

/** Runs a handler, and marks its events as handled if it succeeds. */
export const handling = <E, R>(
  handler: Effect.Effect<unknown, E, R>,
  work: ReadonlyArray<Open<unknown>>
): Effect.Effect<void, E, R> =>
  Effect.asVoid(
    Effect.onExit(handler, (exit) =>
      Exit.isSuccess(exit)
        ? Effect.forEach(work, ({ handled }) => handled, { discard: true })
        : Effect.void)
  )

/**
 * Runs until the stream of events, a handler or the store fails. `handle` takes the messages of a page. A status in the page
 * divides them.
 */
export const consume = Effect.fnUntraced(
  function*<A, E, R, E1, R1, E2, R2>({ concurrency, commits, handle, onStatus, read }: {
    readonly commits: Committing
    readonly read: Read<A, E1, R1>
    readonly handle: (messages: ReadonlyArray<Open<SubscribeEvent.Message<A>>>) => Effect.Effect<void, E, R>
    readonly onStatus: (notice: SubscribeEvent.Notice) => Effect.Effect<unknown, E2, R2>
    /** How many pages are handled at once. */
    readonly concurrency: number
  }) {
    const page = Effect.fnUntraced(function*(work: ReadonlyArray<Open<SubscribeEvent.SubscribeEvent<A>>>) {
      let messages: Array<Open<SubscribeEvent.Message<A>>> = []
      for (const { event, handled } of work) {
        if (event._tag === "Message") {
          messages.push({ event, handled })
        } else if (EventStreams.isNotice(event)) {
          yield* handle(messages)
          messages = []
          yield* handling(onStatus(event), [{ event, handled }])
        } else {
          yield* handled
        }
      }
      yield* handle(messages)
      yield* commits.room
    })
    const working = read(commits.kept).pipe(
      Stream.mapArray((events): Arr.NonEmptyReadonlyArray<ReadonlyArray<Open<SubscribeEvent.SubscribeEvent<A>>>> => [
        events.map((event) => ({ event, handled: commits.open(event) }))
      ]),
      Stream.mapEffect(page, { concurrency }),
      Stream.runDrain
    )
    yield* commits.during(working)
  }
)
