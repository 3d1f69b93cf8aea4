/** Cursors in a SQL database, each with one owner. */
export * as SqlCursorStore from "./SqlCursorStore.ts"
