/**
 * What PubNub and Symphony share. The services and all else are in the other entry points:
 *
 * - `effect-herald/pubnub`: `Publish`, `Subscribe`, `History`, `Presence`, `Users`, … and `PubNubConfig`, which has the keys.
 * - `effect-herald/symphony`: `Messages`, `Datafeed`, `MessageML`, `Session`, …
 * - `effect-herald/fleet`: durable readers in many processes, with their cursors in SQL.
 * - `effect-herald/node`: `NodePubNub` and `NodeSymphony`, which are configuration and transport in one layer for Node.
 * - `effect-herald/testing`: `PubNubEmulator`, `SymphonyEmulator`, `Faults`, `VirtualTime`.
 *
 * `docs/start.md` of the package has the first program, and `docs/llms.txt` says where each page is.
 *
 * @since 0.1.0
 */

/** The position of a reader. */
export * as Cursor from "./Cursor.ts"

/** Where the positions of durable readers are stored. */
export * as CursorStore from "./CursorStore.ts"

/** A value that events keep current. */
export * as Live from "./Live.ts"

/** One page of a list. */
export * as Page from "./Page.ts"

/** Why a request to either service failed. */
export * as Reason from "./Reason.ts"

/** Schedules of retries. */
export * as Retry from "./Retry.ts"

/** An item of a list that cannot be decoded. */
export * as UndecodableItem from "./UndecodableItem.ts"
