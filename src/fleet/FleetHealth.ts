/**
 * The state of a fleet on one runner.
 *
 * @since 0.1.0
 */

/**
 * One lane on this runner.
 *
 * - `Waiting`: it has no channels.
 * - `Reading`: it reads.
 * - `Stuck`: its handlers run for longer than `stuckAfter`, and none of them ended.
 * - `Failing`: its reader failed, and starts again soon.
 * - `Refused`: another runner claimed it. It waits for the cluster's decision.
 * - `Stopped`: its reader failed, and `restart` ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneState {
  /** The name of its reader. */
  readonly reader: string
  /** What it does. */
  readonly state: "Waiting" | "Reading" | "Stuck" | "Failing" | "Refused" | "Stopped"
  /** Since when it is in this state, in milliseconds since 1970. */
  readonly since: number
  /** How many channels and groups it reads. */
  readonly channels: number
  /** The number of its claim. 0 before the first one. */
  readonly epoch: number
  /** When its cursor was committed last by this runner, in milliseconds since 1970. */
  readonly committedAt?: number | undefined
  /** How long its last message took from publish to handled, in milliseconds, by the clock of this machine. */
  readonly lag?: number | undefined
  /** Since when its handlers run without an end of one, in milliseconds since 1970. Absent if none runs. */
  readonly handlingSince?: number | undefined
  /** The last failure. Absent if there was none. */
  readonly failure?: string | undefined
}

/**
 * Whether a runner works, for a probe.
 *
 * @category models
 * @since 0.1.0
 */
export interface FleetHealth {
  /** Whether no lane of this runner fails, is stuck, refused or stopped, and its table of channels can be read. */
  readonly isHealthy: boolean
  /** The lanes that this runner owns, in the order of their names. A runner without lanes is healthy. */
  readonly lanes: ReadonlyArray<LaneState>
  /**
   * How many channels of the table are not read, because their names are wrong; a warning in the log names each. `isHealthy` does not
   * depend on it. Absent if there are none.
   */
  readonly leftOut?: number | undefined
  /** Why the table of channels cannot be read. Absent while it can. */
  readonly failure?: string | undefined
  /**
   * A runner that started after this one with other `channels` or `groups`, and has lanes. Lanes that move between the two lose
   * what only one of them reads. It does not make the runner unhealthy: in a deploy that changes the names it is true of the old
   * runners, which must not be killed for it. Absent if the names are the same.
   */
  readonly differs?: string | undefined
}
