/**
 * Timetokens: the service's positions in time. A timetoken has 17 digits and counts tenths of a microsecond since 1970.
 * Every message has one, and so has every position in a subscription.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Order_ from "effect/Order"
import * as Schema from "effect/Schema"

/**
 * The schema of a timetoken: text of 17 digits. A JavaScript number keeps only 16 digits exactly, so a timetoken is a
 * branded string. A number or a timestamp in seconds neither compiles nor decodes.
 *
 * **Example** (Read a stored timetoken)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import { Timetoken } from "effect-herald/pubnub/Timetoken"
 *
 * Option.isSome(Timetoken.makeOption("17905741246383965")) // true
 * Option.isSome(Timetoken.makeOption("1595634632")) // false: seconds, not a timetoken
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Timetoken = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^\d{17}$/, { expected: "a timetoken of 17 digits" })),
  Schema.brand("Timetoken")
)

/**
 * A timetoken: a branded string of 17 digits.
 *
 * @category models
 * @since 0.1.0
 */
export type Timetoken = typeof Timetoken.Type

/**
 * What the bounds of a range take: a timetoken, or a moment from 2001-09-09 to 2286-11-20 (see {@link fromDateTime}).
 * Numbers and other strings are refused, because 17 digits could be either.
 *
 * @category models
 * @since 0.1.0
 */
export type Input = Timetoken | DateTime.DateTime | Date

/**
 * Orders timetokens from earlier to later.
 *
 * @category constants
 * @since 0.1.0
 */
export const Order: Order_.Order<Timetoken> = Order_.String

/**
 * Converts a timetoken to an integer, for arithmetic.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toBigInt = (timetoken: Timetoken): bigint => BigInt(timetoken)

/**
 * Converts an integer to a timetoken. Gives `None` unless the integer has 17 digits.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromBigInt = (value: bigint): Option.Option<Timetoken> =>
  typeof value === "bigint" ? Timetoken.makeOption(value.toString()) : Option.none()

/**
 * Converts a timetoken to its moment, rounded down to the millisecond.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toDateTime = (timetoken: Timetoken): DateTime.Utc =>
  DateTime.makeUnsafe(Number(BigInt(timetoken) / 10_000n))

/**
 * Gives the first timetoken of a moment. Gives `None` before 2001-09-09T01:46:40Z and from 2286-11-20T17:46:40Z on, where
 * timetokens do not have 17 digits, and for an invalid date.
 *
 * **Example** (The position of one hour ago)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Timetoken from "effect-herald/pubnub/Timetoken"
 *
 * const anHourAgo = Effect.map(DateTime.now, (now) => Timetoken.fromDateTime(DateTime.subtract(now, { hours: 1 })))
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromDateTime = (moment: DateTime.DateTime | Date): Option.Option<Timetoken> =>
  Option.liftThrowable(() => BigInt(DateTime.toEpochMillis(DateTime.makeUnsafe(moment))) * 10_000n)().pipe(
    Option.flatMap(fromBigInt)
  )
