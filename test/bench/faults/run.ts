/** Each case with each client, in a process of its own, against a service of its own. */
import * as Effect from "effect/Effect"
import * as Process from "../process.ts"
import { type Case, cases, type Publish } from "./cases.ts"
import { channel, type Heard, type ReaderName, readers } from "./ears.ts"
import * as Server from "./server.ts"

export interface Outcome {
  readonly published: number
  readonly lost: number
  /** Deliveries of what was delivered before. */
  readonly twice: number
  /** The longest time from the publication of a message to its delivery, in seconds. */
  readonly slowest: number
  /** Whether nothing came of what was published after the fault was over. */
  readonly stuck: boolean
  /** How many pages of history it asked for. */
  readonly pages: number
  /** What the application heard, and how often. */
  readonly told: ReadonlyArray<string>
}

export interface Row {
  readonly fault: string
  readonly outcomes: Readonly<Record<ReaderName, Outcome>>
}

/** Waits by looking, but no longer than this. */
const within = (millis: number, holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    holds() || millis <= 0 ? Effect.void : Effect.andThen(Effect.sleep(20), within(millis - 20, holds))
  )

const counted = (told: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const what of told) counts.set(what, (counts.get(what) ?? 0) + 1)
  return [...counts].map(([what, count]) => count === 1 ? what : `${what} × ${count}`)
}

const outcome = Effect.fnUntraced(function*({ first, hits = 0, then }: Case, name: ReaderName) {
  const server = yield* Server.make
  if (first !== undefined) yield* first(server)
  // Silent, as the official client writes of bad answers to the console.
  const reader = yield* Process.start("faults/reader.ts", [name, server.origin], [], true)
  let connected = false
  const publishedAt: Array<number> = []
  const delivered: Array<number> = []
  const seen = new Set<number>()
  const told: Array<string> = []
  let slowest = 0
  reader.on("message", (heard: Heard) => {
    if (heard._tag === "Connected") connected = true
    if (heard._tag === "Told") told.push(heard.what)
    if (heard._tag === "Message") {
      delivered.push(heard.id)
      if (!seen.has(heard.id)) slowest = Math.max(slowest, Date.now() - (publishedAt[heard.id] ?? Number.NaN))
      seen.add(heard.id)
    }
  })
  reader.on("exit", () => told.push("process ended"))
  yield* within(8_000, () => connected)

  const publish: Publish = (count) =>
    Effect.asVoid(Effect.suspend(() =>
      server.emulator.publishAll(
        Array.from({ length: count }, () => ({ channel, message: publishedAt.push(Date.now()) - 1 }))
      )
    ))
  const trickle = (count: number) => Effect.repeat(Effect.delay(publish(1), 40), { times: count - 1 })

  yield* trickle(10)
  // All that is under way when a client comes back after its three seconds stays below the hundred that are kept.
  yield* Effect.all([trickle(30), then?.(server, publish) ?? Effect.void], { concurrency: "unbounded" })
  // A client that waits for seconds after each fault has the time to meet them all.
  yield* Effect.repeat(Effect.delay(publish(1), 300), {
    while: () => Effect.map(server.faults.injected, (injected) => injected.length < hits),
    times: 60
  })
  yield* server.faults.heal
  const healed = publishedAt.length
  yield* trickle(20)
  yield* within(10_000, () => seen.has(publishedAt.length - 1))
  // For what comes once more.
  yield* Effect.sleep(300)
  return {
    published: publishedAt.length,
    lost: publishedAt.length - seen.size,
    twice: delivered.length - seen.size,
    slowest: slowest / 1000,
    stuck: !delivered.some((id) => id >= healed),
    pages: server.pages(),
    told: counted(told)
  }
}, Effect.scoped)

/** They mostly wait, so several run at the same time. */
export const run: Effect.Effect<ReadonlyArray<Row>, never> = Effect.forEach(
  cases,
  (one) =>
    Effect.map(
      Effect.all(readers.map((name) => Effect.map(outcome(one, name), (made) => [name, made] as const)), {
        concurrency: "unbounded"
      }),
      (made): Row => ({ fault: one.name, outcomes: Object.fromEntries(made) as Row["outcomes"] })
    ),
  { concurrency: 4 }
)

const told = ({ told }: Outcome) => told.join(", ") || "nothing"

const columns = ({ lost, pages, published, slowest, stuck, twice }: Outcome) =>
  [`${lost} of ${published}`, twice, stuck ? "for ever" : `${slowest.toFixed(1)} s`, pages].join(" | ")

const summary = (rows: ReadonlyArray<Row>, name: ReaderName) => {
  const count = (holds: (outcome: Outcome) => boolean) => rows.filter(({ outcomes }) => holds(outcomes[name])).length
  const [stuck, twice] = [count(({ stuck }) => stuck), count(({ twice }) => twice > 0)]
  const [lost, silent] = [count(({ lost }) => lost > 0), count(({ lost, told }) => lost > 0 && told.length === 0)]
  return `${name}: stuck in ${stuck} of ${rows.length}, lost in ${lost} (told nothing in ${silent}), twice in ${twice}`
}

/** Two tables in Markdown, what was delivered and what was said of it, and what they come to. */
export const render = (rows: ReadonlyArray<Row>): string =>
  [
    ...readers.map((name) => summary(rows, name)),
    "",
    `| what happens | ${readers.map((name) => `${name}: lost | twice | slowest | pages`).join(" | ")} |`,
    `|---|${"---|".repeat(4 * readers.length)}`,
    ...rows.map(({ fault, outcomes }) =>
      `| ${fault} | ${readers.map((name) => columns(outcomes[name])).join(" | ")} |`
    ),
    "",
    `| what happens | ${readers.map((name) => `${name} tells`).join(" | ")} |`,
    `|---|${"---|".repeat(readers.length)}`,
    ...rows.map(({ fault, outcomes }) => `| ${fault} | ${readers.map((name) => told(outcomes[name])).join(" | ")} |`)
  ].join("\n")
