/**
 * The devices of mobile push, as FCM and APNs know them.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Guarded from "../internal/guarded.ts"

/**
 * A device that gets push messages through Firebase Cloud Messaging.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fcm {
  readonly _tag: "Fcm"
  /** The registration token that the Firebase library gave to the app. Upper and lower case differ. */
  readonly token: string
}

/**
 * An app at the Apple Push Notification service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Topic {
  /** The topic, usually the bundle id of the app: `com.example.app`. */
  readonly topic: string
  /** Which of Apple's two services. A development build of an app registers at `"development"`. */
  readonly environment: "development" | "production"
}

/**
 * A device that gets push messages through the Apple Push Notification service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Apns extends Topic {
  readonly _tag: "Apns"
  /** The device token: hexadecimal digits, an even number of them. Upper and lower case differ. */
  readonly token: string
}

/**
 * A device, as one app on it: the same telephone has another token for another app.
 *
 * @category models
 * @since 0.1.0
 */
export type Device = Fcm | Apns

/**
 * A device of Firebase Cloud Messaging.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fcm = (token: string): Fcm => ({ _tag: "Fcm", token })

/**
 * A device of the Apple Push Notification service.
 *
 * **Example** (The device of an app)
 *
 * ```ts
 * import * as PushDevice from "effect-herald/pubnub/PushDevice"
 *
 * declare const token: string
 *
 * const device = PushDevice.apns({ token, topic: "com.example.app", environment: "production" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const apns = (options: Omit<Apns, "_tag">): Apns =>
  Result.getOrElse(
    Guarded.attempt((): Apns => ({ _tag: "Apns", ...options })),
    // Each request refuses a device without a token.
    () => ({ _tag: "Apns", token: "", topic: "", environment: "production" })
  )
