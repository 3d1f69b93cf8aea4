/** A port that an emulator listens on. */
export * as Listener from "./Listener.ts"

/** PubNub on Node: configuration and transport in one layer. */
export * as NodePubNub from "./NodePubNub.ts"

/** Symphony on Node: configuration and transport in one layer. */
export * as NodeSymphony from "./NodeSymphony.ts"

/** The HTTP transport of Node, made for long polls. */
export * as NodeTransport from "./NodeTransport.ts"

/** The PubNub emulator on a port, for clients of any language. */
export * as PubNubEmulatorServer from "./PubNubEmulatorServer.ts"

/** The Symphony emulator on a port, for clients of any language. */
export * as SymphonyEmulatorServer from "./SymphonyEmulatorServer.ts"
