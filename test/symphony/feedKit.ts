/** A bot in a room with ada, on an emulated pod behind faults, and readers of its feed. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Datafeed, type DatafeedEvent, Session, SymphonyConfig } from "effect-herald/symphony"
import { Faults, SymphonyEmulator, VirtualTime } from "effect-herald/testing"
import { keys, start } from "../testing/symphonyHttp.ts"

export const emulator = SymphonyEmulator.SymphonyEmulator

export const withBot = (options: {
  readonly emulator?: SymphonyEmulator.Options
  readonly config?: Partial<SymphonyConfig.Options>
  readonly script?: ReadonlyArray<Faults.Rule>
} = {}) => {
  /** The session is there: a login waits for cryptography, which virtual time does not wait for. */
  const loggedIn = Effect.flatMap(Session.Session, ({ tokens }) => tokens)
  return Layer.effectDiscard(loggedIn).pipe(
    Layer.provideMerge(Session.layer()),
    Layer.provideMerge(Faults.layer({ script: options.script ?? [] })),
    Layer.provideMerge(SymphonyEmulator.layer({
      users: [
        { username: "bot", publicKey: keys.bot.publicKey },
        { username: "ada", displayName: "Ada Byron" },
        { username: "bob" }
      ],
      ...options.emulator
    })),
    Layer.provideMerge(SymphonyConfig.layer({
      host: "acme.symphony.com",
      bot: { username: "bot", privateKey: Redacted.make(keys.bot.privateKey) },
      ...options.config
    })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer)
  )
}

export const room = emulator.use(({ createStream }) =>
  createStream({ type: "ROOM", name: "Orders", members: ["ada", "bot"] })
)

export const say = (streamId: string, message: string, from = "ada") =>
  emulator.use(({ send }) => send({ streamId, username: from, message }))

/** What a reader was told of, in short: the text of messages, and the tags of all else. */
export const shown = (event: DatafeedEvent.DatafeedEvent): string =>
  event._tag === "MessageSent"
    ? event.message.message?.replaceAll(/<[^>]*>/g, "").trim() ?? ""
    : event._tag

/** A reader on a fiber of its own, and what it was told of so far. */
export const listen = (options?: Datafeed.Options) =>
  Effect.gen(function*() {
    const told: Array<string> = []
    const fiber = yield* Datafeed.stream(options).pipe(
      Stream.runForEach((event) => Effect.sync(() => told.push(shown(event)))),
      Effect.forkChild({ startImmediately: true })
    )
    return { told, fiber }
  })

/** Requests that the pod got. Their bodies are not kept, so that reads are known by how many there were. */
export const requestsTo = (part: string) =>
  Effect.map(
    emulator.use(({ requests }) => requests),
    (requests) => requests.filter(({ method, target }) => `${method} ${target}`.includes(part))
  )

export const feeds = emulator.use(({ feeds }) => feeds)

export const pending = Effect.map(feeds, (feeds) => feeds.map(({ pending }) => pending))

export const injected = Faults.Faults.use(({ injected }) => injected)

/** Lets time pass until something is so that waits for cryptography, too. */
export const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function*() {
    for (let turn = 0; turn < 1_000 && !(yield* condition); turn++) {
      yield* VirtualTime.advance("1 millis")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
  })
