/**
 * What the runners of a fleet share in a database: the owners and cursors of lanes, the table of channels, the settings, and the
 * turns of requests to history.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { Cursor } from "../Cursor.ts"
import { CursorStoreError } from "../CursorStore.ts"
import type { FleetError } from "./FleetError.ts"
import { differing } from "./internal/differing.ts"
import type * as SqlCursorStore from "./SqlCursorStore.ts"

/**
 * What all runners of a fleet must agree on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** The name of the fleet. */
  readonly fleet: string
  /** The number of lanes of single channels. */
  readonly lanes: number
  /** The number of shards that the cluster has for each shard group. */
  readonly shards: number
  /** The shard group in which the lanes run. */
  readonly shardGroup: string
}

/**
 * The channels and groups of the runner that started last.
 *
 * @category models
 * @since 0.1.0
 */
export interface Named {
  /** How the runner is named. */
  readonly owner: string
  /** A hash of 32 bits over its `channels` and `groups`: it differs where they do. */
  readonly hash: number
}

/**
 * The channels of a fleet in its table.
 *
 * @category models
 * @since 0.1.0
 */
export interface Channels {
  /** It changes with each change of the table. */
  readonly version: number
  /** The names, in no order. */
  readonly channels: ReadonlyArray<string>
  /** Those among them that no lane has noted as read. */
  readonly waiting: ReadonlyArray<string>
}

/**
 * What the database knows of one lane.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneRow {
  /** The name of the lane's reader. */
  readonly reader: string
  /** The runner that claimed it last. */
  readonly owner: string
  /** How often the lane was claimed. */
  readonly epoch: number
  /** When it was claimed, in milliseconds since 1970. */
  readonly claimedAt: number
  /** When its cursor was committed last, in milliseconds since 1970. Absent if it never was. */
  readonly committedAt?: number | undefined
  /** The timetoken up to which messages were handled. Absent if nothing was committed. */
  readonly position?: string | undefined
}

/**
 * Options of a claim.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClaimOptions {
  /** The settings with which this runner started. */
  readonly settings: Settings
  /** The name of the lane's reader. */
  readonly reader: string
  /** How this runner is named. */
  readonly owner: string
}

/**
 * What the runners of a fleet share.
 *
 * @category services
 * @since 0.1.0
 */
export class FleetStore extends Context.Service<FleetStore, {
  /**
   * Claims a lane for this runner. Every owner before can no longer commit. Fails with `CursorStoreError`, and with `Invalid` if
   * the fleet has other settings meanwhile.
   */
  readonly claim: (options: ClaimOptions) => Effect.Effect<SqlCursorStore.Claim, CursorStoreError>
  /** Stores the settings of a fleet if it is new. Succeeds with the stored ones. */
  readonly begin: (settings: Settings) => Effect.Effect<Settings, FleetError>
  /** Succeeds with the channels of a fleet, or with nothing if the version is still the same. */
  readonly channels: (fleet: string, version?: number) => Effect.Effect<Channels | undefined, FleetError>
  /** Adds channels. Those that are there stay as they are. */
  readonly addChannels: (fleet: string, channels: ReadonlyArray<string>) => Effect.Effect<void, FleetError>
  /** Removes channels. */
  readonly removeChannels: (fleet: string, channels: ReadonlyArray<string>) => Effect.Effect<void, FleetError>
  /** Notes that a lane reads these channels, unless another owner claimed the lane. */
  readonly taken: (
    fleet: string,
    channels: ReadonlyArray<string>,
    claim: Pick<SqlCursorStore.Claim, "epoch" | "reader">
  ) => Effect.Effect<void, FleetError>
  /** Succeeds with how many of these channels wait for their lane. */
  readonly waiting: (fleet: string, channels: ReadonlyArray<string>) => Effect.Effect<number, FleetError>
  /** Succeeds with what is known of the lanes of a fleet, in the order of their names. */
  readonly lanes: (fleet: string) => Effect.Effect<ReadonlyArray<LaneRow>, FleetError>
  /** Takes the next turn of a request to history, and succeeds with the time until then. */
  readonly historyTurn: (fleet: string, perSecond: number) => Effect.Effect<Duration.Duration, FleetError>
  /** Notes what a runner names that starts. The newest start counts. */
  readonly noteNamed: (fleet: string, named: Named) => Effect.Effect<void, FleetError>
  /** Succeeds with what the runner named that started last, if one is known. */
  readonly named: (fleet: string) => Effect.Effect<Named | undefined, FleetError>
  /** Succeeds with the settings of a fleet, if it is known. */
  readonly settings: (fleet: string) => Effect.Effect<Settings | undefined, FleetError>
  /** Stores other settings of a fleet that is known, and runs work with them: both happen, or neither does. */
  readonly resize: <E, R>(
    settings: Settings,
    work: Effect.Effect<void, E, R>
  ) => Effect.Effect<void, E | FleetError, R>
}>()("effect-herald/fleet/FleetStore") {}

/**
 * Shares the state of fleets in the memory of this process, for tests. Each build of the layer has its own memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<FleetStore> = Layer.effect(
  FleetStore,
  Effect.sync(() => inMemory())
)

// --------------------------------------------------------------------------------------------------------------------
// internal
// --------------------------------------------------------------------------------------------------------------------

interface Row {
  readonly fleet: string
  readonly owner: string
  readonly epoch: number
  readonly claimedAt: number
  readonly cursor: Cursor | undefined
  readonly committedAt: number | undefined
}

const inMemory = (): FleetStore["Service"] => {
  const rows = new Map<string, Row>()
  const fleets = new Map<string, Settings>()
  const channels = new Map<string, Map<string, { taken: boolean }>>()
  const turns = new Map<string, number>()
  const named = new Map<string, Named>()
  let version = 1

  const channelsOf = (fleet: string) => {
    const found = channels.get(fleet) ?? new Map<string, { taken: boolean }>()
    channels.set(fleet, found)
    return found
  }

  const owned = (operation: "load" | "save", reader: string, epoch: number) =>
    Effect.suspend(() => {
      const row = rows.get(reader)
      return row?.epoch === epoch
        ? Effect.succeed(row)
        : Effect.fail(
          new CursorStoreError({
            operation,
            kind: "Fenced",
            reader,
            description: `${row?.owner ?? "nobody"} claimed it`,
            owner: row?.owner ?? "nobody"
          })
        )
    })

  return {
    claim: ({ owner, reader, settings }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const { fleet } = settings
        const description = differing(settings, fleets.get(fleet))
        if (description !== undefined) {
          return Effect.fail(new CursorStoreError({ operation: "claim", kind: "Invalid", reader, description }))
        }
        const before = rows.get(reader)
        const epoch = (before?.epoch ?? 0) + 1
        rows.set(reader, {
          fleet,
          owner,
          epoch,
          claimedAt: now,
          cursor: before?.cursor,
          committedAt: before?.committedAt
        })
        const save = (cursor: Cursor) =>
          Effect.flatMap(owned("save", reader, epoch), (row) =>
            Effect.map(Clock.currentTimeMillis, (committedAt) => {
              rows.set(reader, { ...row, cursor, committedAt })
            }))
        return Effect.succeed({
          reader,
          owner,
          epoch,
          store: {
            load: () => Effect.map(owned("load", reader, epoch), ({ cursor }) => cursor),
            save: (_, cursor) => save(cursor),
            transaction: <E, R>(_: string, cursor: Cursor, work: Effect.Effect<unknown, E, R>) =>
              Effect.flatMap(
                Effect.result(work),
                (worked): Effect.Effect<Result.Result<void, E>, CursorStoreError> =>
                  Result.isFailure(worked)
                    ? Effect.succeed(Result.fail(worked.failure))
                    : Effect.as(save(cursor), Result.void)
              )
          }
        })
      }),
    begin: (settings) =>
      Effect.sync(() => {
        const stored = fleets.get(settings.fleet) ?? settings
        fleets.set(settings.fleet, stored)
        return stored
      }),
    channels: (fleet, known) =>
      Effect.sync(() => {
        if (known === version) return undefined
        const all = [...channelsOf(fleet)]
        const waiting = all.filter(([, { taken }]) => !taken)
        return { version, channels: all.map(([channel]) => channel), waiting: waiting.map(([channel]) => channel) }
      }),
    addChannels: (fleet, added) =>
      Effect.sync(() => {
        const all = channelsOf(fleet)
        for (const channel of added) if (!all.has(channel)) all.set(channel, { taken: false })
        version++
      }),
    removeChannels: (fleet, removed) =>
      Effect.sync(() => {
        for (const channel of removed) channelsOf(fleet).delete(channel)
        version++
      }),
    taken: (fleet, channels, { epoch, reader }) =>
      Effect.sync(() => {
        if (rows.get(reader)?.epoch !== epoch) return
        for (const channel of channels) {
          const found = channelsOf(fleet).get(channel)
          if (found !== undefined) found.taken = true
        }
      }),
    waiting: (fleet, channels) =>
      Effect.sync(() => channels.filter((channel) => channelsOf(fleet).get(channel)?.taken === false).length),
    lanes: (fleet) =>
      Effect.sync(() =>
        [...rows].filter(([, row]) => row.fleet === fleet).sort(([one], [other]) => one < other ? -1 : 1).map(
          ([reader, { claimedAt, committedAt, cursor, epoch, owner }]): LaneRow => ({
            reader,
            owner,
            epoch,
            claimedAt,
            committedAt,
            position: cursor?.position
          })
        )
      ),
    historyTurn: (fleet, perSecond) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const turn = Math.max(now, turns.get(fleet) ?? 0)
        turns.set(fleet, turn + 1_000 / perSecond)
        return Duration.millis(turn - now)
      }),
    noteNamed: (fleet, by) => Effect.sync(() => void named.set(fleet, by)),
    named: (fleet) => Effect.sync(() => named.get(fleet)),
    settings: (fleet) => Effect.sync(() => fleets.get(fleet)),
    resize: (settings, work) =>
      Effect.suspend(() => {
        const { fleet } = settings
        const before = fleets.get(fleet)
        if (before === undefined) return Effect.void
        fleets.set(fleet, settings)
        return Effect.onError(work, () => Effect.sync(() => fleets.set(fleet, before)))
      })
  }
}
