import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as VirtualTime from "effect-herald/testing/VirtualTime"

/** Runs a stream in a fiber, which is started, and collects its elements. */
export const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    const fiber = yield* Effect.forkChild(Stream.runForEach(stream, (event) => Effect.sync(() => seen.push(event))))
    yield* Effect.yieldNow
    return { seen, fiber }
  })

/** The same, and moves time by a second: the stream is connected. */
export const collectConnected = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    const fiber = yield* Effect.forkChild(Stream.runForEach(stream, (event) => Effect.sync(() => seen.push(event))))
    yield* VirtualTime.advance("1 second")
    return { seen, fiber }
  })
