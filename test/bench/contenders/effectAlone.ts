/**
 * What an application would write with Effect and without this package: `dispatch`, `JSON.parse`, streams, and nothing for what
 * could go wrong. It has an event with a cursor for each message, and no checks, no duplicates, no retries. The difference to
 * effect-herald is what the package costs; the rest is Effect's.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Pool } from "undici"
import { channelsOf, type Contender, keys } from "../contender.ts"
import { Whole } from "./dispatch.ts"

interface Page {
  readonly t: { readonly t: string; readonly r: number }
  readonly m: ReadonlyArray<
    { readonly c: string; readonly d: unknown; readonly i: string; readonly p: { readonly t: string } }
  >
}

interface Event {
  readonly _tag: "Message"
  readonly channel: string
  readonly payload: unknown
  readonly publisher: string
  readonly timetoken: string
  readonly cursor: { readonly position: string; readonly region: number; readonly delivered: ReadonlyArray<string> }
}

/** As many channels as fit into an address. */
const channelsPerPoll = 500

/** The events of one channel, for the stream that reads it. */
class Inbox {
  #parts: Array<ReadonlyArray<Event>> = []
  #resume: ((part: Effect.Effect<ReadonlyArray<Event>>) => void) | undefined

  readonly take = Effect.callback<ReadonlyArray<Event>>((resume) => {
    const part = this.#parts.shift()
    if (part === undefined) this.#resume = resume
    else resume(Effect.succeed(part))
  })

  offer(part: ReadonlyArray<Event>): void {
    const resume = this.#resume
    this.#resume = undefined
    if (resume === undefined) this.#parts.push(part)
    else resume(Effect.succeed(part))
  }
}

export const make = (origin: string): Contender => {
  const pool = new Pool(`http://${origin}`)
  const poll = (names: string, position: string): Effect.Effect<Page> =>
    Effect.callback<Page>((resume) => {
      const path = `/v2/subscribe/${keys.subscribeKey}/${names}/0?tt=${position}&tr=1&uuid=bench`
      const whole = new Whole(
        (page) => resume(Effect.succeed(page as Page)),
        (error) => resume(Effect.die(error))
      )
      pool.dispatch({ path, method: "GET" }, whole)
    })

  const eventsOf = ({ m, t }: Page): ReadonlyArray<Event> => {
    const place = { position: t.t, region: t.r, delivered: [] }
    return m.map(({ c, d, i, p }) => ({
      _tag: "Message",
      channel: c,
      payload: d,
      publisher: i,
      timetoken: p.t,
      cursor: { ...place }
    }))
  }

  const pages = (names: string) =>
    Stream.unwrap(
      Effect.map(poll(names, "0"), ({ t }) =>
        Stream.paginate(t.t, (position) =>
          Effect.map(poll(names, position), (page) =>
            [eventsOf(page), Option.some(page.t.t)] as const)))
    )

  return {
    Receive: (job, id) =>
      Effect.runPromise(
        pages(channelsOf(job, id).join(",")).pipe(Stream.take(job.count), Stream.runForEach(() => Effect.void))
      ),
    Share: (job, id) =>
      Effect.gen(function*() {
        const channels = channelsOf(job, id)
        const inboxes = new Map(channels.map((channel) => [channel, new Inbox()]))
        const all = yield* Deferred.make<void>()
        let received = 0
        const handle = () => {
          received++
          return received === job.count ? Deferred.succeed(all, undefined) : Effect.void
        }
        for (const { take } of inboxes.values()) {
          const inbox = Stream.flattenIterable(Stream.fromEffectRepeat(take))
          yield* Effect.forkScoped(Stream.runForEach(inbox, handle))
        }
        const route = (events: ReadonlyArray<Event>) => {
          for (const [channel, part] of Map.groupBy(events, ({ channel }) => channel)) inboxes.get(channel)?.offer(part)
          return Effect.void
        }
        for (let first = 0; first < channels.length; first += channelsPerPoll) {
          const names = channels.slice(first, first + channelsPerPoll).join(",")
          yield* Effect.forkScoped(Stream.runForEachArray(pages(names), route))
        }
        yield* Deferred.await(all)
      }).pipe(Effect.scoped, Effect.runPromise)
  }
}
