/**
 * What both services share. The services themselves are in `effect-herald/pubnub` and `effect-herald/symphony`, the layers for
 * Node in `effect-herald/node`, and the emulators for tests in `effect-herald/testing`.
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
