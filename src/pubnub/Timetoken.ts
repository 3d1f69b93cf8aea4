/**
 * The service's clock: 17 digits that count tenths of a microsecond since 1970. Every message has one, and every
 * position in a subscription is one.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Order_ from "effect/Order"
import * as Schema from "effect/Schema"

/**
 * Seventeen digits. They do not fit a JavaScript number (16 digits at most stay exact), so a timetoken is a branded
 * string: a number and a timestamp in seconds neither compile nor decode.
 *
 * **Example** (From text that was kept somewhere)
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
 * @category models
 * @since 0.1.0
 */
export type Timetoken = typeof Timetoken.Type

/**
 * Earlier before later.
 *
 * @category constants
 * @since 0.1.0
 */
export const Order: Order_.Order<Timetoken> = Order_.mapInput(Order_.String, (timetoken: Timetoken) => timetoken)

/**
 * The timetoken as an integer, for arithmetic.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toBigInt = (timetoken: Timetoken): bigint => BigInt(timetoken)

/**
 * The timetoken of an integer; `None` unless it has 17 digits.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromBigInt = (value: bigint): Option.Option<Timetoken> =>
  typeof value === "bigint" ? Timetoken.makeOption(value.toString()) : Option.none()

/**
 * The moment of a timetoken, cut to the millisecond.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toDateTime = (timetoken: Timetoken): DateTime.Utc =>
  DateTime.makeUnsafe(Number(BigInt(timetoken) / 10_000n))

/**
 * The first timetoken of a moment. `None` before 2001-09-09T01:46:40Z and from 2286-11-20T17:46:40Z on: timetokens have 17
 * digits only between.
 *
 * **Example** (Everything since an hour ago)
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
export const fromDateTime = (moment: DateTime.DateTime): Option.Option<Timetoken> =>
  Option.flatMap(
    Option.filter(Option.liftThrowable(DateTime.toEpochMillis)(moment), Number.isSafeInteger),
    (millis) => fromBigInt(BigInt(millis) * 10_000n)
  )
