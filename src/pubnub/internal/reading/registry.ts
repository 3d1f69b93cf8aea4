/**
 * The connections that a program shares: one engine for all that listen with the same transport, configuration and filter. It
 * holds no keys of its own, so that two keysets never mix and no signature changes.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Token from "../wire/token.ts"
import * as Engine from "./engine.ts"
import { type Names, namesOf } from "./names.ts"
import type { Reader } from "./reader.ts"
import * as Request from "./request.ts"

type Config = PubNubConfig["Service"]

const mostStatuses = 1_000

/** Changes of names within so many milliseconds are one. */
export const gathered = 25

/** All that is shared by one configuration over one transport. */
interface Group {
  readonly config: Config
  readonly client: HttpClient.HttpClient
  readonly engines: Map<string | undefined, Shared>
  /** Where its statuses go. */
  readonly listeners: Set<Listener>
  isOn: boolean
}

type Listener = Queue.Queue<SubscribeStatus.Status, Cause.Done>

/** An engine that somebody uses. */
export interface Lease {
  readonly engine: Engine.Engine
  /** It is not used any more, nor by this reader. */
  readonly giveBack: (reader?: Reader) => Effect.Effect<void>
}

/** The one lease of all that use an engine: one for each stream would add to what it holds. */
interface Shared extends Lease {
  /** How many streams and sets use it. */
  users: number
}

type Needs = HttpClient.HttpClient | PubNubConfig

export class Registry {
  /** The retry schedules of its connections, as the caller gave them. */
  readonly reconnect: Request.Schedules | undefined
  private readonly groups = new Set<Group>()
  /** Engines that are about to be closed. */
  private readonly closing = new Set<Fiber.Fiber<void>>()
  private isClosed = false

  constructor(reconnect?: Request.Schedules) {
    this.reconnect = reconnect
  }

  /** The engine of the configuration in use, until it is given back. The last one out closes it. */
  lease(filter: string | undefined): Effect.Effect<Lease, never, Needs> {
    return Effect.flatMap(this.group, (group) => this.shared(group, filter))
  }

  /** What all connections of the configuration do, as it happens. */
  get statuses(): Stream.Stream<SubscribeStatus.Status, never, Needs> {
    return Stream.unwrap(
      Effect.acquireRelease(
        Effect.zipWith(
          Queue.sliding<SubscribeStatus.Status, Cause.Done>(mostStatuses),
          this.group,
          (listener, group) => {
            group.listeners.add(listener)
            if (this.isClosed) Queue.endUnsafe(listener)
            return { listener, group }
          }
        ),
        ({ group, listener }) =>
          Effect.sync(() => {
            group.listeners.delete(listener)
            this.forget(group)
          })
      ).pipe(Effect.map(({ listener }) => Stream.fromQueue(listener)))
    )
  }

  get subscribed(): Effect.Effect<Names, never, Needs> {
    return Effect.map(this.group, (group) => {
      this.forget(group)
      return namesOf(new Set([...group.engines.values()].flatMap(({ engine }) => [...engine.keys])))
    })
  }

  get switchOff(): Effect.Effect<void, never, Needs> {
    return Effect.map(this.group, (group) => {
      group.isOn = false
      for (const { engine } of group.engines.values()) engine.switchOff()
    })
  }

  get switchOn(): Effect.Effect<void, never, Needs> {
    return Effect.map(this.group, (group) => {
      group.isOn = true
      for (const { engine } of group.engines.values()) engine.switchOn()
      this.forget(group)
    })
  }

  get unsubscribeAll(): Effect.Effect<void, never, Needs> {
    return Effect.flatMap(this.group, (group) => {
      this.forget(group)
      return Effect.forEach([...group.engines.values()], ({ engine }) => engine.unsubscribeAll, { discard: true })
    })
  }

  /** Ends all that is shared. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isClosed = true
      const engines = [...this.groups].flatMap(({ engines }) => [...engines.values()])
      return Effect.forEach(engines, ({ engine }) => engine.close, { concurrency: "unbounded", discard: true }).pipe(
        Effect.andThen(Fiber.awaitAll(this.closing)),
        Effect.andThen(Effect.sync(() => {
          for (const { listeners } of this.groups) listeners.forEach(Queue.endUnsafe)
        }))
      )
    })
  }

  /** What is shared with the transport and the configuration in use. */
  private readonly group: Effect.Effect<Group, never, Needs> = Effect.gen({ self: this }, function*() {
    const config = yield* PubNubConfig
    const client = yield* HttpClient.HttpClient
    const found = [...this.groups].find((group) => group.client === client && isSame(group.config, config))
    if (found !== undefined) return found
    const group: Group = { config, client, engines: new Map(), listeners: new Set(), isOn: true }
    this.groups.add(group)
    return group
  })

  private shared(group: Group, filter: string | undefined): Effect.Effect<Shared, never, HttpClient.HttpClient> {
    const find = () => {
      const found = group.engines.get(filter)
      if (found !== undefined) found.users++
      return found
    }
    const found = find()
    if (found !== undefined) return Effect.succeed(found)
    const settings = {
      filter,
      state: undefined,
      schedule: Request.scheduleOf(this.reconnect),
      demand: "ahead",
      from: undefined,
      gathered
    } as const
    return Effect.flatMap(
      Engine.make(group.config, settings, (status) => {
        for (const listener of group.listeners) Queue.offerUnsafe(listener, status)
      }),
      (engine) => {
        // Another fiber may have made it meanwhile, or closed the last engine of the group.
        const other = find()
        if (other !== undefined) return Effect.succeed(other)
        this.groups.add(group)
        if (!group.isOn) engine.switchOff()
        const shared: Shared = {
          engine,
          users: 1,
          giveBack: (reader) =>
            Effect.suspend(() => {
              if (reader !== undefined) engine.leave(reader)
              shared.users--
              return this.settle(group, filter)
            })
        }
        group.engines.set(filter, shared)
        return this.isClosed ? Effect.as(engine.close, shared) : Effect.succeed(shared)
      }
    )
  }

  /** Closes an engine that nobody uses any more. Nobody waits for the service to be told, but the end of all that is shared. */
  private settle(group: Group, filter: string | undefined): Effect.Effect<void> {
    const shared = group.engines.get(filter)
    if (shared === undefined || shared.users > 0) return Effect.void
    group.engines.delete(filter)
    this.forget(group)
    return Effect.map(Effect.forkDetach(shared.engine.close), (fiber) => {
      this.closing.add(fiber)
      fiber.addObserver(() => this.closing.delete(fiber))
    })
  }

  /** Keeps no group that nobody uses: there may be one for each token. */
  private forget(group: Group): void {
    if (group.engines.size === 0 && group.listeners.size === 0 && group.isOn) this.groups.delete(group)
  }
}

/** Whether two configurations are the same to a connection: it publishes nothing. */
const isSame = (one: Config, other: Config): boolean =>
  one === other || Token.isSame(withoutPublishing(one), withoutPublishing(other))

const withoutPublishing = ({ publishKey: _, ...rest }: Config) => rest

/** What a program shares, if it was given the layer of `Subscriber`. */
export const Current = Context.Reference<Registry | undefined>("effect-herald/pubnub/internal/Registry", {
  defaultValue: () => undefined
})
