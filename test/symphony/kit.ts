/** What tests of Symphony share: a session that needs no login, a script in place of the network, and a pod in memory. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Session, SymphonyConfig, type SymphonyError } from "effect-herald/symphony"
import { Transport } from "effect-herald/testing"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"

export const sid = "FH6C-spkoCH0rxgMKsvqqP___susIzthuw"
export const sidStandard = "FH6C+spkoCH0rxgMKsvqqP///susIzthuw=="
export const mid = "TYgOZ65dVsu3SeK7u2YdfH///o6fzBu"

/** A session whose tokens are `session 1` and `key manager 1`, then `session 2`, …. */
export const session = (options: { readonly onBehalf?: boolean } = {}) =>
  Layer.sync(Session.Session, () => {
    let number = 1
    const tokens = () => ({
      sessionToken: Redacted.make(`session ${number}`),
      keyManagerToken: options.onBehalf === true ? undefined : Redacted.make(`key manager ${number}`)
    })
    return Session.Session.of({
      tokens: Effect.sync(tokens),
      renew: () =>
        Effect.sync(() => {
          number++
          return tokens()
        })
    })
  })

export const config = (options: Partial<SymphonyConfig.Options> = {}) =>
  SymphonyConfig.layer({ host: "acme.symphony.com", retry: { initialInterval: "10 millis" }, ...options })

/** Answers of a script. */
export const scripted = (...answers: ReadonlyArray<Transport.Answer>) =>
  Layer.mergeAll(Transport.scripted(answers), config(), session())

export const exchanges = Transport.Exchanges.use(({ all }) => all)

export const reasonOf = (error: { readonly _tag: string; readonly reason?: SymphonyError.Reason }): string =>
  error._tag === "SymphonyError" && error.reason !== undefined ? error.reason._tag : error._tag

export const detailsOf = (error: unknown): ReadonlyArray<string> => {
  const { reason } = error as SymphonyError.SymphonyError
  return reason._tag === "InvalidRequest" ? reason.details.map(({ location, message }) => `${location} ${message}`) : []
}

/** The parts of a body, read by the platform's own parser. */
export const partsOf = (exchange: Transport.Exchange) =>
  new Response(exchange.body, { headers: { "content-type": exchange.headers["content-type"] ?? "" } }).formData()

export const { keyPair } = SymphonyEmulator

/** A pod in memory with a bot in a room, and the bot's session. */
export const emulated = (options: SymphonyEmulator.Options = {}) =>
  Layer.unwrap(Effect.map(keyPair, ({ privateKey, publicKey }) =>
    Session.layer().pipe(
      Layer.provideMerge(SymphonyConfig.layer({
        host: "acme.symphony.com",
        bot: { username: "bot", privateKey },
        retry: { initialInterval: "10 millis" }
      })),
      Layer.provideMerge(SymphonyEmulator.layer({
        users: [{ username: "bot", publicKey }, { username: "ada" }, { username: "bob" }],
        ...options
      }))
    )))

export const emulator = SymphonyEmulator.SymphonyEmulator

export const room = (...members: ReadonlyArray<string>) =>
  emulator.use(({ createStream }) => createStream({ type: "ROOM", name: "Orders", members: ["bot", ...members] }))
