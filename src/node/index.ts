/** The PubNub emulator on a port, for clients of any language. */
export * as PubNubEmulatorServer from "./PubNubEmulatorServer.ts"

/** PubNub on Node: configuration and transport in one layer. */
export * as NodePubNub from "./NodePubNub.ts"

/** Symphony on Node: configuration and transport in one layer. */
export * as NodeSymphony from "./NodeSymphony.ts"

/** The Symphony emulator on a port, for clients of any language. */
export * as SymphonyEmulatorServer from "./SymphonyEmulatorServer.ts"
