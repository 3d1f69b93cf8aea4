/**
 * What a device shows for a message: the payload of mobile push, which a publish carries beside its message.
 *
 * The service does not say whether a push was sent: FCM and APNs refuse payloads that are too large, and the publish succeeds
 * all the same. So {@link make} checks sizes before anything is sent. See `Push` for the devices of a channel.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import * as Devices from "./internal/wire/devices.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { Device, Topic } from "./PushDevice.ts"

/**
 * The part for Firebase Cloud Messaging.
 *
 * @category models
 * @since 0.1.0
 */
export interface FcmOptions {
  /** The address of an image to show beside a title or a body, with `https://`. Default: none. */
  readonly image?: string | undefined
  /** A later push with the same key replaces this one on a device that was offline. Default: none. */
  readonly collapseKey?: string | undefined
  /** How long FCM keeps the push for a device that is offline, in whole seconds: at most four weeks, FCM's default. */
  readonly ttl?: Duration.Input | undefined
}

/**
 * The part for the Apple Push Notification service.
 *
 * @category models
 * @since 0.1.0
 */
export interface ApnsOptions {
  /** The apps that get it: 1 to 100. Each must be the topic and environment with which devices were added. */
  readonly topics: ReadonlyArray<Topic>
  /** How the service logs in at Apple: with a key (`.p8`) or with a certificate. Default: `"token"`. */
  readonly authMethod?: "token" | "certificate" | undefined
  /** A later push with the same id replaces this one: at most 64 bytes. Default: none. */
  readonly collapseId?: string | undefined
  /** Until when Apple keeps the push for a device that is offline. Default: Apple's own. */
  readonly expiration?: DateTime.DateTime | undefined
  /** A second line below the title. It needs a title or a body. Default: none. */
  readonly subtitle?: string | undefined
  /** Apple's kind of push. `"voip"` may have 5,120 bytes. Default: `"alert"`, and `"background"` for a silent push. */
  readonly pushType?: "alert" | "background" | "voip" | undefined
}

/**
 * The options of {@link make}: what the user sees, what the app gets, and for which of the two services.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The title. Without a title and a body the push is silent: it wakes the app, and shows nothing. */
  readonly title?: string | undefined
  /** The text below the title. */
  readonly body?: string | undefined
  /** The number at the app's icon, of 31 bits. `0` takes it away. Default: as it is. */
  readonly badge?: number | undefined
  /** The name of a sound, `"default"` for the device's own. Default: none. */
  readonly sound?: string | undefined
  /**
   * Texts for the app. Not `aps`, `from` and `message_type`, and nothing that begins with `pn_`, `google.` or `gcm.`: these names are
   * the services' own. Default: none.
   */
  readonly data?: { readonly [key: string]: string } | undefined
  /** For devices of FCM. `{}` for all defaults. Without it they get nothing. */
  readonly fcm?: FcmOptions | undefined
  /** For devices of APNs. Without it they get nothing. */
  readonly apns?: ApnsOptions | undefined
  /** Devices that get nothing, such as those of the user who sent the message. Default: none. */
  readonly exclude?: ReadonlyArray<Device> | undefined
}

/**
 * A payload that {@link make} checked, for the option `push` of `Publish.publish`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PushPayload {
  /** The part for APNs. Absent if its devices get nothing. */
  readonly pn_apns?: Schema.JsonObject
  /** The part for FCM. Absent if its devices get nothing. */
  readonly pn_fcm?: Schema.JsonObject
}

/**
 * The payload is larger than FCM or APNs takes. Counted are the bytes of its JSON, without the parts that the service takes out
 * before it passes the payload on (targets and excluded devices).
 *
 * @category errors
 * @since 0.1.0
 */
export class PushTooLarge extends Failure.TaggedError<PushTooLarge>("pubnub")("PushTooLarge", {
  /** Which of the two refuses it. */
  platform: Schema.Literals(["APNs", "FCM"]),
  /** The size in bytes. */
  size: Schema.Int,
  /** The limit in bytes: 4,096, and 5,120 for a `voip` push of APNs. */
  limit: Schema.Int
}, {
  message: ({ limit, platform, size }) =>
    `The push payload has ${size} bytes, and ${platform} takes ${limit}. Shorten its texts, or send data in the message.`
}) {}

/**
 * Makes a payload, and checks it as FCM and APNs do. Fails with `BadRequest` for wrong input, such as a payload for neither of the
 * two, and with {@link PushTooLarge}.
 *
 * **Example** (A message that is pushed)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publish from "effect-herald/pubnub/Publish"
 * import * as PushPayload from "effect-herald/pubnub/PushPayload"
 *
 * const topic = { topic: "com.example.app", environment: "production" } as const
 *
 * const say = (author: string, text: string) =>
 *   PushPayload.make({ title: author, body: text, sound: "default", fcm: {}, apns: { topics: [topic] } }).pipe(
 *     Effect.flatMap((push) => Publish.publish({ channel: "chat", message: { author, text }, push }))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<PushPayload, PushTooLarge | PubNubError.PubNubErrorOf<PubNubError.BadRequest>> =>
  Endpoint.reading(operation, (): Effect.Effect<PushPayload, PushTooLarge | Refused> => {
    const given: Options = { ...options }
    const wrong = Input.record(options)
    const details = wrong === undefined ? issuesOf(given) : [{ location: "options", message: wrong }]
    if (details.length > 0) return Effect.fail(Endpoint.refusal(operation, details))
    return Effect.fromResult(encode(given))
  })

const operation = "PushPayload.make"

type Refused = PubNubError.PubNubErrorOf<PubNubError.BadRequest>

/** The most bytes of a payload. */
const limits = { APNs: 4_096, FCM: 4_096, voip: 5_120 }

const encode = (given: Options): Result.Result<PushPayload, PushTooLarge> => {
  const { apns, fcm } = given
  const [forApns, forFcm] = [apns && apnsOf(given, apns), fcm && fcmOf(given, fcm)]
  const tooLarge = tooLargeOf("APNs", forApns, apns?.pushType === "voip" ? limits.voip : limits.APNs) ??
    tooLargeOf("FCM", forFcm, limits.FCM)
  return tooLarge === undefined
    ? Result.succeed({
      ...forApns && { pn_apns: { ...forApns.payload, ...forApns.own } },
      ...forFcm && { pn_fcm: { ...forFcm.payload, ...forFcm.own } }
    })
    : Result.fail(tooLarge)
}

/** What a device gets, and what the service takes out before. */
interface Part {
  readonly payload: Schema.JsonObject
  readonly own: Schema.JsonObject
}

const utf8 = new TextEncoder()

const tooLargeOf = (platform: "APNs" | "FCM", part: Part | undefined, limit: number): PushTooLarge | undefined => {
  const size = part === undefined ? 0 : utf8.encode(JSON.stringify(part.payload)).length
  return size > limit ? new PushTooLarge({ platform, size, limit }) : undefined
}

/** The object without what is not set. */
const present = (fields: { readonly [key: string]: Schema.Json | undefined }): Schema.JsonObject => {
  const object: Record<string, Schema.Json> = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) object[key] = value
  return object
}

const isSilent = ({ body, title }: Options): boolean => title === undefined && body === undefined

const apnsOf = (given: Options, apns: ApnsOptions): Part => {
  const { badge, body, data, exclude = [], sound, title } = given
  const silent = isSilent(given)
  const targets = apns.topics.map(({ environment, topic }) => {
    const excluded = exclude.flatMap((device) =>
      device._tag === "Apns" && device.topic === topic && device.environment === environment ? [device.token] : []
    )
    return present({ topic, environment, excluded_devices: excluded.length === 0 ? undefined : excluded })
  })
  return {
    payload: {
      ...data,
      aps: present({
        alert: silent ? undefined : present({ title, subtitle: apns.subtitle, body }),
        badge,
        sound,
        "content-available": silent ? 1 : undefined
      })
    },
    own: {
      pn_push: [present({
        version: "v2",
        auth_method: apns.authMethod ?? "token",
        collapse_id: apns.collapseId,
        expiration: apns.expiration && DateTime.formatIso(apns.expiration),
        push_type: apns.pushType ?? (silent ? "background" : "alert"),
        targets
      })]
    }
  }
}

const fcmOf = (given: Options, fcm: FcmOptions): Part => {
  const { badge, body, data, exclude = [], sound, title } = given
  const silent = isSilent(given)
  const android = present({
    collapse_key: fcm.collapseKey,
    ttl: fcm.ttl === undefined ? undefined : `${secondsOf(fcm.ttl)}s`,
    notification: silent || sound === undefined && badge === undefined
      ? undefined
      : present({ sound, notification_count: badge })
  })
  const excluded = exclude.flatMap((device) => device._tag === "Fcm" ? [device.token] : [])
  return {
    payload: present({
      notification: silent ? undefined : present({ title, body, image: fcm.image }),
      data: data && { ...data },
      android: Object.keys(android).length === 0 ? undefined : android
    }),
    own: excluded.length === 0 ? {} : { pn_exceptions: excluded }
  }
}

// --------------------------------------------------------------------------------------------------------------------
// checks
// --------------------------------------------------------------------------------------------------------------------

const secondsOf = (ttl: Duration.Input): number | undefined => {
  const duration = Input.duration(ttl) === undefined ? Duration.fromInput(ttl) : undefined
  const seconds = duration?._tag === "Some" ? Duration.toSeconds(duration.value) : Number.NaN
  return Number.isSafeInteger(seconds) ? seconds : undefined
}

const text = Input.optional(Input.text)

const issuesOf = (given: Options): ReadonlyArray<PubNubError.Detail> => {
  const { apns, badge, body, data, exclude, fcm, sound, title } = given
  const parts = Input.issues({
    fcm: Input.optional(Input.record)(fcm),
    apns: Input.optional(Input.record)(apns),
    data: Input.optional(Input.record)(data),
    exclude: Input.optional(Input.list(0))(exclude)
  })
  if (parts.length > 0) return parts
  if (fcm === undefined && apns === undefined) {
    return [{ location: "options", message: "has neither fcm nor apns: nobody would get it" }]
  }
  // A silent push has no place for these.
  const visible = (value: unknown) => value !== undefined && isSilent(given) ? "needs a title or a body" : undefined
  return [
    ...Input.issues({
      title: text(title),
      body: text(body),
      badge: Input.optional(Input.whole(0, 0x7fffffff))(badge),
      sound: text(sound) ?? visible(sound)
    }),
    ...Object.entries(data ?? {}).flatMap(([key, value]) => {
      const message = reserved.test(key) ? "is a name of the services" : Input.text(key) ?? Input.text(value)
      return message === undefined ? [] : [{ location: `data.${Input.shown(key)}`, message }]
    }),
    ...(exclude ?? []).flatMap((device, index) => Devices.issuesOf(device, `exclude.${index}`)),
    ...fcm === undefined ? [] : fcmIssues(fcm, visible),
    ...apns === undefined ? [] : apnsIssues(apns, visible)
  ]
}

/** Names in `data` that APNs, FCM or the service use: FCM refuses the whole push, and gives no error. */
const reserved = /^(?:aps$|from$|message_type$|pn_|google\.|gcm\.)/

/** The longest time to live that FCM takes, in seconds: four weeks. */
const longestTtl = 2_419_200

const fcmIssues = (
  { collapseKey, image, ttl }: FcmOptions,
  visible: Input.Check
): ReadonlyArray<PubNubError.Detail> =>
  Input.issues({
    "fcm.image": Input.optional(https)(image) ?? visible(image),
    "fcm.collapseKey": Input.optional(Input.filled)(collapseKey),
    "fcm.ttl": ttl === undefined || Number(secondsOf(ttl)) <= longestTtl
      ? undefined
      : "is not a whole number of seconds, up to four weeks"
  })

const https = Input.all(Input.text, Input.matching(/^https:\/\//i, "does not begin with https://"))

const apnsIssues = (
  { authMethod, collapseId, expiration, pushType, subtitle, topics }: ApnsOptions,
  visible: Input.Check
): ReadonlyArray<PubNubError.Detail> => {
  const wrong = Input.list(1, 100)(topics)
  return [
    ...Input.issues({
      "apns.topics": wrong,
      "apns.authMethod": Input.optional(Input.oneOf(["token", "certificate"]))(authMethod),
      "apns.collapseId": collapseId === undefined ? undefined : Input.all(Input.filled, Input.bytes(64))(collapseId),
      "apns.expiration": expiration === undefined || DateTime.isDateTime(expiration)
        ? undefined
        : `is ${Input.shown(expiration)}, not a DateTime`,
      "apns.subtitle": text(subtitle) ?? visible(subtitle),
      "apns.pushType": Input.optional(Input.oneOf(["alert", "background", "voip"]))(pushType)
    }),
    ...wrong === undefined ? topics.flatMap((topic, index) => Devices.topicIssues(topic, `apns.topics.${index}`)) : []
  ]
}
