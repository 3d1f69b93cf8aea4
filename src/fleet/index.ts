/** Fleets of durable readers on Effect Cluster. */
export * as Fleet from "./Fleet.ts"

/** Why a fleet cannot start, or cannot be changed. */
export { FleetError } from "./FleetError.ts"

/** The state of a fleet on one runner. */
export type * as FleetHealth from "./FleetHealth.ts"

/** What the runners of a fleet share in a database. */
export * as FleetStore from "./FleetStore.ts"

/** Cursors in a SQL database, each with one owner. */
export * as SqlCursorStore from "./SqlCursorStore.ts"

/** The state of fleets in PostgreSQL. */
export * as SqlFleetStore from "./SqlFleetStore.ts"
