/**
 * One page of a list. Every list that comes in pages gives it, so one loop reads any of them.
 *
 * @since 0.1.0
 */

/**
 * One page of a list: its items, and where the pages beside it begin.
 *
 * `A` is an item. `Next` is what a list takes to go on; it has no meaning outside of that list.
 *
 * **Example** (Read the pages of a list one by one)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const count = Effect.gen(function*() {
 *   let page = yield* Users.list()
 *   let count = page.items.length
 *   while (page.next !== undefined) {
 *     page = yield* Users.list({ next: page.next })
 *     count += page.items.length
 *   }
 *   return count
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<out A, out Next> {
  /** The items of this page, in the order of the list. An item that cannot be decoded is an `UndecodableItem` in its place. */
  readonly items: ReadonlyArray<A>
  /** Where the next page begins: pass it as `next`. Absent when this page is the last. */
  readonly next?: Next
  /** Where the page before this one begins: pass it as `previous`. Absent on the first page, and in lists that only go on. */
  readonly previous?: Next
  /** How many items all pages have. Only in lists that count, when `totalCount` was asked for. */
  readonly totalCount?: number
}
