/**
 * The readers of one configuration and their connections: one connection, and a further one for each 32 kB of names. Demand of
 * the readers starts polls.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as PollLoop from "../../../internal/pollLoop.ts"
import type { Cursor } from "../../../Cursor.ts"
import * as Encryption from "../wire/encryption.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import type { Subscription } from "../../Subscription.ts"
import * as Request from "./request.ts"
import { Connection, sizeOf } from "./connection.ts"
import type { Core, Settings } from "./core.ts"
import { Knowledge } from "./knowledge.ts"
import type { Lane } from "./lane.ts"
import type { Key } from "./names.ts"
import * as Pace from "./pace.ts"
import { type Options, Reader } from "./reader.ts"
import { Wakes } from "./wakes.ts"

/** The longest address of a connection. The rest of the limit is a reserve for what changes from poll to poll. */
const room = Request.longestAddress - 1_000

export class Engine {
  private readonly core: Core
  private readonly running = new Set<Fiber.Fiber<void>>()
  private readonly connections = new Set<Connection>()
  /** The connection of each name. Events of a channel that is also in a group may arrive on another connection. */
  private readonly homes = new Map<Key, Connection>()
  private readonly readers = new Set<Reader>()
  private readonly base: number
  private watch: Fiber.Fiber<void> | undefined
  isOn = true
  private isClosed = false

  constructor(core: Omit<Core, "demand" | "full" | "waiting" | "wakes">) {
    this.core = {
      ...core,
      fork: (effect) => {
        const fiber = core.fork(this.isClosed ? Effect.void : effect)
        this.running.add(fiber)
        fiber.addObserver(() => this.running.delete(fiber))
        return fiber
      },
      demand: () => this.demand(),
      wakes: new Wakes(),
      full: new Set(),
      waiting: 0
    }
    const { filter, state } = core.settings
    this.base = Request.sizeOf(core.config, { channels: [], groups: [], filter, state })
  }

  /** The names of all readers. */
  get keys(): Iterable<Key> {
    return this.homes.keys()
  }

  // --- readers

  join(members: Iterable<Subscription>, options: Options): Reader {
    const reader = new Reader(this.core, options)
    if (this.isClosed) {
      reader.finish(done)
      return reader
    }
    reader.home = this
    this.readers.add(reader)
    this.add(reader, members)
    return reader
  }

  readonly leave = (reader: Reader): void => {
    if (!this.readers.delete(reader)) return
    this.drop(reader, reader.keys)
    this.core.full.delete(reader)
    for (const connection of this.connections) connection.forget(reader)
    this.demand()
  }

  add(reader: Reader, members: Iterable<Subscription>): void {
    // A reader that has left has no names any more, although its stream may not have ended yet.
    if (!this.readers.has(reader)) return
    const homes = Map.groupBy(reader.add(members), (key) => this.homeOf(key))
    for (const [connection, keys] of homes) connection.join(reader, keys)
  }

  remove(reader: Reader, members: Iterable<Subscription>): void {
    if (!this.readers.has(reader)) return
    const before = reader.wasDown ? this.placesOf(reader) : []
    this.drop(reader, reader.remove(members))
    if (!reader.wasDown || this.isDown(reader)) return
    // The reader has left the interrupted connection. It gets no more statuses of it, so the interruption ends here.
    // Without names it has no place any more.
    const [place] = [...this.placesOf(reader), ...before]
    if (place !== undefined) {
      reader.tell({ _tag: "Reconnected", cursor: place, downFor: Duration.zero })
    }
  }

  private isDown(reader: Reader): boolean {
    for (const connection of this.connections) {
      for (const lane of connection.lanes.values()) if (lane.readers.has(reader) && connection.isDown(lane)) return true
    }
    return false
  }

  private drop(reader: Reader, gone: Iterable<Key>): void {
    for (const [connection, keys] of Map.groupBy(gone, (key) => this.homes.get(key))) {
      connection?.leave(reader, keys)
      for (const key of keys) if (connection?.has(key) === false) this.homes.delete(key)
    }
  }

  placesOf(reader: Reader): ReadonlyArray<Cursor> {
    return this.lanesOf(reader).flatMap((lane) => lane.placeOf(reader) ?? [])
  }

  reachedBy(reader: Reader): string {
    return this.lanesOf(reader).reduce((to, { reached }) => reached > to ? reached : to, "")
  }

  private lanesOf(reader: Reader): ReadonlyArray<Lane> {
    const lanes: Array<Lane> = []
    for (const { lanes: all } of this.connections) {
      const lane = all.get(reader.options.within)
      if (lane?.readers.has(reader) === true) lanes.push(lane)
    }
    return lanes
  }

  // --- connections

  private homeOf(key: Key): Connection {
    const known = this.homes.get(key)
    if (known !== undefined) return known
    const size = sizeOf(key)
    let home: Connection | undefined
    for (const connection of this.connections) {
      if (this.base + connection.size + size > room) continue
      home = connection
      break
    }
    home ??= this.connect()
    home.reserve(key)
    this.homes.set(key, home)
    return home
  }

  private connect(): Connection {
    const connection = new Connection(this.core, {
      leave: this.leave,
      emptied: (connection) => this.connections.delete(connection)
    })
    if (!this.isOn) connection.loop.signal({ _tag: "SwitchedOff" })
    this.connections.add(connection)
    const { clock, config } = this.core
    const watch = PollLoop.watch(
      clock,
      () => Array.from(this.connections, ({ loop }) => loop),
      Duration.toMillis(config.pollTimeout)
    )
    this.watch ??= this.core.fork(
      Effect.catchDefect(watch, (defect) =>
        Effect.sync(() => {
          this.watch = undefined
          for (const connection of this.connections) connection.broken(defect)
        }))
    )
    return connection
  }

  private demand(): void {
    for (const connection of this.connections) connection.wake()
  }

  // --- all connections

  switchOff(): void {
    if (!this.isOn) return
    this.isOn = false
    for (const connection of this.connections) connection.switchOff()
  }

  switchOn(): void {
    this.isOn = true
    for (const connection of this.connections) connection.switchOn()
  }

  /** Ends all readers, and forgets all names and positions. */
  get unsubscribeAll(): Effect.Effect<void, never, HttpClient.HttpClient> {
    return Effect.suspend(() => {
      const all = [...this.connections]
      for (const connection of all) connection.switchOff()
      this.homes.clear()
      this.connections.clear()
      this.endReaders()
      return Effect.forEach(all, (connection) => connection.close, { discard: true })
    })
  }

  /** Ends all readers and connections. Leaves the channels, within a second. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isClosed = true
      this.endReaders()
      const left = Effect.forEach([...this.connections], (connection) => connection.close, {
        concurrency: "unbounded",
        discard: true
      })
      for (const fiber of this.running) fiber.interruptUnsafe()
      return this.core.provide(left)
    })
  }

  private endReaders(): void {
    for (const reader of this.readers) reader.finish(done)
    this.readers.clear()
  }
}

const done: Exit.Exit<never, Cause.Done> = Exit.fail(Cause.Done())

export const make = Effect.fnUntraced(function*(
  config: PubNubConfig["Service"],
  settings: Settings,
  publish: (status: SubscribeStatus.Status) => void = () => {}
): Effect.fn.Return<Engine, never, HttpClient.HttpClient> {
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<HttpClient.HttpClient>()
  const encryption = yield* Encryption.Current
  const pace = Pace.within(Pace.make(config.historyRate), yield* Pace.Shared)
  const history = { config, encryption, knowledge: new Knowledge(clock), pace }
  return new Engine({
    config,
    settings,
    clock,
    history,
    fork: Effect.runForkWith(context),
    provide: Effect.provideContext(context),
    publish
  })
})
