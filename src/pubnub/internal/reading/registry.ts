/**
 * The engines that readers share: one for each transport, configuration, encryption, filter, and what explains refusals. The
 * registry has no keys of its own, so two keysets or tokens never mix, and neither do two encryptions. An engine explains a refusal
 * as the reader does that opened it.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Encryption } from "../../Encryption.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { Current as CurrentEncryption } from "../wire/encryption.ts"
import { type Explain, Explainer } from "../wire/explainer.ts"
import * as Token from "../wire/token.ts"
import * as Engine from "./engine.ts"
import { type Names, namesOf } from "./names.ts"
import type { Reader } from "./reader.ts"
import * as Request from "./request.ts"

type Config = PubNubConfig["Service"]

const mostStatuses = 1_000

/** Changes of names within so many milliseconds cause one handshake. */
export const gathered = 25

/** What readers with the same configuration and transport share. */
interface Group {
  readonly config: Config
  readonly client: HttpClient.HttpClient
  readonly encryption: Encryption | undefined
  readonly explain: Explain | undefined
  readonly engines: Map<string | undefined, Shared>
  /** The streams that get its statuses. */
  readonly listeners: Set<Listener>
  isOn: boolean
}

type Listener = Queue.Queue<SubscribeStatus.Status, Cause.Done>

/** The right to use an engine until `giveBack`. */
export interface Lease {
  readonly engine: Engine.Engine
  /** Ends the use. The reader leaves the engine. */
  readonly giveBack: (reader?: Reader) => Effect.Effect<void>
}

/** The one lease of an engine. A lease for each stream would cost memory. */
interface Shared extends Lease {
  /** How many streams and sets use it. */
  users: number
}

type Needs = HttpClient.HttpClient | PubNubConfig

export class Registry {
  /** The schedules that the caller gave. */
  readonly reconnect: Request.Schedules | undefined
  private readonly groups = new Set<Group>()
  /** The engines that are being closed. */
  private readonly closing = new Set<Fiber.Fiber<void>>()
  private isClosed = false

  constructor(reconnect?: Request.Schedules) {
    this.reconnect = reconnect
  }

  /** Gives the engine for the configuration in the context. It is closed after its last user has given it back. */
  lease(filter: string | undefined): Effect.Effect<Lease, never, Needs> {
    return Effect.flatMap(this.group, (group) => this.shared(group, filter))
  }

  /** Streams the statuses of all connections of the configuration in the context. */
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

  /** Closes all engines and ends all streams of statuses. */
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

  /** The group of what the context has. */
  private readonly group: Effect.Effect<Group, never, Needs> = Effect.gen({ self: this }, function*() {
    const config = yield* PubNubConfig
    const client = yield* HttpClient.HttpClient
    const encryption = yield* CurrentEncryption
    const explain = yield* Explainer
    const found = [...this.groups].find((group) =>
      group.client === client && group.encryption === encryption && group.explain === explain &&
      isSame(group.config, config)
    )
    if (found !== undefined) return found
    const group: Group = { config, client, encryption, explain, engines: new Map(), listeners: new Set(), isOn: true }
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
        // Meanwhile another fiber may have made the engine, or closed the last engine of the group.
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

  /** Closes an engine without users. It leaves its channels in the background; only `close` waits for that. */
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

  /** Forgets a group without users. There may be a group for each token. */
  private forget(group: Group): void {
    if (group.engines.size === 0 && group.listeners.size === 0 && group.isOn) this.groups.delete(group)
  }
}

/** Whether two configurations are the same to a connection. The publish key does not matter. */
const isSame = (one: Config, other: Config): boolean =>
  one === other || Token.isSame(withoutPublishing(one), withoutPublishing(other))

const withoutPublishing = ({ publishKey: _, ...rest }: Config) => rest

/** The registry of the layer of `Subscriber`. Undefined without the layer. */
export const Current = Context.Reference<Registry | undefined>("effect-herald/pubnub/internal/Registry", {
  defaultValue: () => undefined
})
