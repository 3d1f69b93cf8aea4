/** A bot, a second one and an application on an emulated pod, and ways to wait for what the platform does in real time. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { Session, SymphonyConfig } from "effect-herald/symphony"
import { Faults, SymphonyEmulator } from "effect-herald/testing"
import * as Path from "../../src/symphony/internal/wire/path.ts"
import * as Request from "../../src/symphony/internal/wire/request.ts"
import { keys, start } from "../testing/symphonyHttp.ts"

export const bot: SymphonyConfig.Bot = { username: "bot", privateKey: Redacted.make(keys.bot.privateKey) }
export const app: SymphonyConfig.App = { appId: "herald-app", privateKey: Redacted.make(keys.app.privateKey) }

export const plain: SymphonyConfig.Options = { host: "acme.symphony.com", bot, app }

export const config = (options: Partial<SymphonyConfig.Options> = {}) => SymphonyConfig.layer({ ...plain, ...options })

export const pod = (options: SymphonyEmulator.Options = {}) =>
  Faults.layer().pipe(
    Layer.provideMerge(SymphonyEmulator.layer({
      users: [
        { username: "bot", publicKey: keys.bot.publicKey },
        { username: "second", publicKey: keys.other.publicKey },
        { username: "ada l" }
      ],
      apps: [{ appId: "herald-app", publicKey: keys.app.publicKey }],
      ...options
    })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start)))
  )

export const adaId = 7000000000003

/** The session of the bot on the pod. */
export const asBot = (
  options: { readonly pod?: SymphonyEmulator.Options; readonly config?: Partial<SymphonyConfig.Options> } = {}
) =>
  Effect.provide(
    Session.layer().pipe(Layer.provideMerge(config(options.config)), Layer.provideMerge(pod(options.pod)))
  )

export const tokens = Session.Session.use(({ tokens }) => tokens)

/** A request that says who it is for. */
export const whoAmI = Request.run("whoAmI", () => ({
  path: Path.pod`/v2/sessioninfo`,
  decode: (text) => Result.succeed<string>(JSON.parse(text).username)
}))

/** The same at the Agent. */
export const atAgent = Request.run("feeds", () => ({ path: Path.agent`/v5/datafeeds`, decode: Result.succeed<string> }))

export const emulator = SymphonyEmulator.SymphonyEmulator

/** How often somebody logged in, by kind and name. */
export const logins = Effect.map(
  emulator.use(({ logins }) => logins),
  (logins) => {
    const counts: Record<string, number> = {}
    for (const { kind, name } of logins) counts[`${kind} ${name}`] = (counts[`${kind} ${name}`] ?? 0) + 1
    return counts
  }
)

/** When requests were sent whose path begins so, from the start: those that the pod got, and those that met a fault. */
export const timesOf = (prefix: string) =>
  Effect.gen(function*() {
    const handled = yield* emulator.use(({ requests }) => requests)
    const failed = yield* Faults.Faults.use(({ injected }) => injected)
    return [
      ...handled.filter(({ target }) => target.startsWith(prefix)),
      ...failed.filter(({ request }) => request.includes(` ${prefix}`))
    ].map(({ time }) => time.epochMilliseconds - start).toSorted((a, b) => a - b)
  })

/** Lets the platform do its work (keys, signatures), without moving time, until it is so. */
export const until = <E, R>(isSo: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    while (!(yield* isSo)) yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
  })
