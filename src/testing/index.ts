/** Moving virtual time without leaving work behind, and the wall clock alone. */
export * as VirtualTime from "./VirtualTime.ts"

/** Faults of a network and of a service, from a script or from a seed. */
export * as Faults from "./Faults.ts"

/** The PubNub service, in memory. */
export * as PubNubEmulator from "./PubNubEmulator.ts"

/** A bot in an emulated pod, in one layer. */
export * as SymphonyBot from "./SymphonyBot.ts"

/** A Symphony pod with its Agent and its key manager, in memory. */
export * as SymphonyEmulator from "./SymphonyEmulator.ts"

/** Transports that answer from a script, or record. */
export * as Transport from "./Transport.ts"
