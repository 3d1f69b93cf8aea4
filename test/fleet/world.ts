/** Runners of a fleet in processes of their own, a publisher, and what became of each message. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import { Fleet, FleetStore, SqlFleetStore } from "effect-herald/fleet"
import type { PubNubEmulator } from "effect-herald/testing"
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Settings } from "./runner.ts"

export interface Options extends Omit<Settings, "port"> {
  readonly emulator: PubNubEmulator.PubNubEmulator["Service"]
  readonly channels: number
  /** Messages a second. */
  readonly rate: number
  /** The bundled runner. */
  readonly program: string
  /** For the logs of the runners. */
  readonly folder: string
  readonly firstPort: number
}

/** Notes each message that is handled, each claim with the cursor at which it begins, and each cursor that is saved. */
export const createTables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* SqlFleetStore.createTables()
  yield* sql`CREATE TABLE IF NOT EXISTS handled (
    id bigserial PRIMARY KEY, reader text, payload bigint, timetoken bigint, owner text,
    at timestamptz NOT NULL DEFAULT clock_timestamp())`
  yield* sql`CREATE TABLE IF NOT EXISTS claimed (
    reader text, epoch bigint, owner text, begins bigint, marks int, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, epoch))`
  yield* sql`CREATE TABLE IF NOT EXISTS saved (
    id bigserial PRIMARY KEY, reader text, epoch bigint, position text,
    at timestamptz NOT NULL DEFAULT clock_timestamp())`
  yield* sql.unsafe(`CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' OR NEW.epoch IS DISTINCT FROM OLD.epoch THEN
        INSERT INTO claimed (reader, epoch, owner, begins, marks)
          VALUES (NEW.reader, NEW.epoch, NEW.owner, (NEW.cursor::jsonb ->> 'position')::bigint,
            jsonb_array_length(NEW.cursor::jsonb -> 'delivered'));
        RETURN NEW;
      END IF;
      IF NEW.cursor IS DISTINCT FROM OLD.cursor THEN
        INSERT INTO saved (reader, epoch, position) VALUES (NEW.reader, NEW.epoch, NEW.cursor::jsonb ->> 'position');
      END IF;
      RETURN NEW;
    END $$`)
  yield* sql`CREATE OR REPLACE TRIGGER note AFTER INSERT OR UPDATE ON herald_readers FOR EACH ROW EXECUTE FUNCTION note()`
})

export const dropTables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DROP VIEW IF EXISTS herald_fleet_status`
  for (const table of ["handled", "claimed", "saved", "herald_readers", "herald_fleets", "herald_channels"]) {
    yield* sql`DROP TABLE IF EXISTS ${sql(table)}`
  }
})

export const make = Effect.fnUntraced(function*(options: Options) {
  const { channels, emulator, firstPort, folder, lanes, origin, program, rate, shards, url, work } = options
  const sql = yield* SqlClient.SqlClient
  const store = yield* FleetStore.FleetStore
  const names = Array.from({ length: channels }, (_, n) => `room-${n}`)
  const processes = new Map<number, ChildProcess>()

  const start = (runner: number) =>
    Effect.sync(() => {
      const settings: Settings = { url, origin, port: firstPort + runner, lanes, shards, work }
      const log = Fs.openSync(Path.join(folder, `runner-${runner}.log`), "a")
      const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ["ignore", log, log] })
      processes.set(runner, child)
    })
  const signal = (runner: number, signal: NodeJS.Signals) => Effect.sync(() => processes.get(runner)?.kill(signal))
  const ended = (runner: number) =>
    Effect.callback<void>((resume) => {
      const child = processes.get(runner)
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
      child.once("exit", () => resume(Effect.void))
    })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const child of processes.values()) child.kill("SIGKILL")
    })
  )

  const ownerOf = (runner: number) => `runner-${firstPort + runner}`
  const until = <E>(holds: Effect.Effect<boolean, E>, seconds = 60) =>
    Effect.repeat(Effect.orElseSucceed(holds, () => false), {
      until: (held) => held,
      schedule: Schedule.spaced("50 millis")
    }).pipe(Effect.timeoutOption(`${seconds} seconds`), Effect.map((held) => held._tag === "Some"))

  const readers = store.lanes("orders")
  /** How many lanes each runner owns. */
  const shares = Effect.map(
    readers,
    (rows) => [0, 1, 2].map((runner) => rows.filter(({ owner }) => owner === ownerOf(runner)).length)
  )

  let published = 0
  const publishAll = (count: number, channelOf: (id: number) => string = (id) => names[id % channels] ?? "") =>
    emulator.publishAll(Array.from({ length: count }, () => {
      const id = published++
      return { channel: channelOf(id), message: id }
    }))
  /** Publishes at the rate, whatever the timers do. */
  const publishing = Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    const before = published
    yield* Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const due = Math.floor((now - began) * rate / 1_000) - (published - before)
      return due > 0 ? publishAll(due) : Effect.void
    }).pipe(Effect.repeat(Schedule.spaced("20 millis")))
  })

  const counts = Effect.map(
    sql<{ readonly handled: unknown; readonly different: unknown }>`
      SELECT count(*) AS handled, count(DISTINCT payload) AS different FROM handled`,
    ([row]) => ({ handled: Number(row?.handled), different: Number(row?.different) })
  )
  /** Waits until all that was published is handled. */
  const settled = (seconds = 60) => until(Effect.map(counts, ({ different }) => different >= published), seconds)

  return {
    names,
    start,
    signal,
    ended,
    ownerOf,
    until,
    readers,
    shares,
    publishAll,
    publishing,
    settled,
    /** The channels of a lane. */
    namesOf: (reader: string) => names.filter((name) => `orders/${Fleet.laneOf(name, lanes)}` === reader),
    /** Waits until a runner has lanes. */
    joined: (runner: number) =>
      until(Effect.map(readers, (rows) => rows.some(({ owner }) => owner === ownerOf(runner)))),
    addChannels: Effect.forEach(
      Array.from({ length: Math.ceil(channels / 1_000) }, (_, n) => names.slice(n * 1_000, (n + 1) * 1_000)),
      (channels) => Fleet.addChannels({ fleet: "orders", channels }),
      { discard: true }
    ),
    /** Waits until each lane has a place, and a runner that is alive. */
    ready: until(
      Effect.map(readers, (rows) => rows.length === lanes && rows.every((row) => row.position !== undefined))
    ),
    /** Waits until the shares stay the same for some seconds. */
    calm: Effect.gen(function*() {
      let before = ""
      for (let same = 0; same < 8;) {
        yield* Effect.sleep("500 millis")
        const now = JSON.stringify(yield* Effect.orElseSucceed(readers, () => []), ["owner", "epoch", "reader"])
        same = now === before ? same + 1 : 0
        before = now
      }
    }).pipe(Effect.timeoutOption("60 seconds")),
    /** How long it takes until none of the lanes of a runner is its own any more. -1: longer than a minute. */
    takeOver: Effect.fnUntraced(function*(runner: number, act: Effect.Effect<unknown>) {
      const before = (yield* readers).filter(({ owner }) => owner === ownerOf(runner))
      const began = yield* Clock.currentTimeMillis
      yield* act
      const moved = yield* until(Effect.map(readers, (rows) => {
        const now = new Map(rows.map((row) => [row.reader, row]))
        return before.every(({ epoch, reader }) => {
          const row = now.get(reader)
          return row !== undefined && row.epoch > epoch && row.owner !== ownerOf(runner)
        })
      }))
      const after = new Map((yield* readers).map(({ claimedAt, reader }) => [reader, claimedAt]))
      const claimed = before.map(({ reader }) => (after.get(reader) ?? began) - began)
      return { lanes: before.length, first: Math.min(...claimed), millis: moved ? Math.max(0, ...claimed) : -1 }
    }),
    /** What became of all messages. */
    report: Effect.gen(function*() {
      const { different, handled } = yield* counts
      const [back] = yield* sql<{ readonly count: unknown }>`SELECT count(*) AS count FROM (
        SELECT position::bigint AS now, lag(position::bigint) OVER (PARTITION BY reader ORDER BY id) AS before FROM saved
      ) AS pairs WHERE now < before`
      return { published, lost: published - different, twice: handled - different, back: Number(back?.count) }
    }),
    /**
     * How many messages were in hand when lanes moved: handled by an owner before, and not committed when the next one claimed the
     * lane. `beyond`: messages that came again beyond those. `within`: messages that came twice in one claim.
     */
    inHand: Effect.gen(function*() {
      const [row] = yield* sql<{ readonly hands: unknown; readonly beyond: unknown; readonly within: unknown }>`
        WITH runs AS (
          -- A runner that was frozen handles with its old claim what it had begun.
          SELECT h.reader, h.payload, h.timetoken, c.epoch FROM handled h, LATERAL (
            SELECT epoch FROM claimed c WHERE c.reader = h.reader AND c.owner = h.owner AND c.at <= h.at
            ORDER BY epoch DESC LIMIT 1
          ) c
        ), firsts AS (
          SELECT reader, payload, timetoken, min(epoch) AS epoch FROM runs GROUP BY 1, 2, 3
        ), hands AS (
          SELECT c.reader, c.epoch, greatest(count(*) - c.marks, 0) AS count FROM claimed c
          JOIN firsts f ON f.reader = c.reader AND f.epoch < c.epoch AND f.timetoken > c.begins
          GROUP BY c.reader, c.epoch
        ), agains AS (
          SELECT r.reader, r.epoch, count(*) AS count FROM (SELECT DISTINCT reader, payload, epoch FROM runs) r
          JOIN firsts f ON f.reader = r.reader AND f.payload = r.payload AND f.epoch < r.epoch
          GROUP BY r.reader, r.epoch
        )
        SELECT
          (SELECT coalesce(sum(count), 0) FROM hands) AS hands,
          (SELECT coalesce(sum(greatest(a.count - coalesce(h.count, 0), 0)), 0)
            FROM agains a LEFT JOIN hands h USING (reader, epoch)) AS beyond,
          (SELECT count(*) FROM (SELECT FROM runs GROUP BY reader, payload, epoch HAVING count(*) > 1) twice) AS within`
      return { inHand: Number(row?.hands), beyond: Number(row?.beyond), within: Number(row?.within) }
    })
  }
})
