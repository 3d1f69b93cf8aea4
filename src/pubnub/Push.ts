/**
 * Mobile push: which devices get the push messages of which channels. The payload that is pushed is an option of a publish, see
 * `PushPayload`. Mobile push needs an add-on of the keyset, and the credentials of FCM and APNs in the vendor's portal.
 *
 * Each request fails with a `PubNubError`: `FeatureDisabled` without the add-on, and `BadRequest` without a `status` when
 * the input is wrong and nothing was sent. With Access Manager a request needs the right to read each channel.
 *
 * The service forgets a device when FCM or APNs says that it is gone, and tells nobody. An app adds its channels again at
 * each start.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../internal/codec.ts"
import type * as Input from "../internal/input.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"
import * as Devices from "./internal/wire/devices.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Items from "./internal/wire/items.ts"
import * as Names from "./internal/wire/names.ts"
import { path } from "./internal/wire/path.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { Device } from "./PushDevice.ts"

/**
 * The options of {@link listChannels} and {@link removeDevice}.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeviceOptions {
  /** The device. */
  readonly device: Device
}

/**
 * The options of {@link addChannels} and {@link removeChannels}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelsOptions extends DeviceOptions {
  /** 1 to 100 channels, neither wildcards nor presence names. Channel groups cannot be pushed. */
  readonly channels: ReadonlyArray<string>
}

/**
 * Lets a device get the push messages of channels. Channels that it has already are no error, so a program may repeat the
 * request.
 *
 * **Details**
 *
 * `GET /v1/push/sub-key/{subscribeKey}/devices/{token}?add=…&type=fcm`, for APNs
 * `GET /v2/push/sub-key/{subscribeKey}/devices-apns2/{token}?add=…&environment=…&topic=…`. One request takes 100 channels.
 *
 * **Example** (At each start of an app)
 *
 * ```ts
 * import * as Push from "effect-herald/pubnub/Push"
 * import * as PushDevice from "effect-herald/pubnub/PushDevice"
 *
 * const register = (token: string) =>
 *   Push.addChannels({ device: PushDevice.fcm(token), channels: ["alerts", "news"] })
 * ```
 *
 * **Example** (Any number of channels)
 *
 * ```ts
 * import * as Arr from "effect/Array"
 * import * as Effect from "effect/Effect"
 * import * as Push from "effect-herald/pubnub/Push"
 * import type { Device } from "effect-herald/pubnub/PushDevice"
 *
 * const addAll = (device: Device, channels: ReadonlyArray<string>) =>
 *   Effect.forEach(Arr.chunksOf(channels, 100), (channels) => Push.addChannels({ device, channels }), { discard: true })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const addChannels = (
  options: ChannelsOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> => change("add", options)

/**
 * Stops the push messages of channels to a device. Channels that it does not have are no error.
 *
 * **Details**
 *
 * The requests of {@link addChannels}, with `remove` in place of `add`.
 *
 * **Example** (Mute one channel)
 *
 * ```ts
 * import * as Push from "effect-herald/pubnub/Push"
 * import type { Device } from "effect-herald/pubnub/PushDevice"
 *
 * const mute = (device: Device) => Push.removeChannels({ device, channels: ["news"] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const removeChannels = (
  options: ChannelsOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> => change("remove", options)

/**
 * Stops all push messages to a device: when its user logs out. A device that has no channels is no error.
 *
 * **Details**
 *
 * The requests of {@link listChannels}, with `/remove` at the end of the path.
 *
 * **Example** (Log out)
 *
 * ```ts
 * import * as Push from "effect-herald/pubnub/Push"
 * import type { Device } from "effect-herald/pubnub/PushDevice"
 *
 * const logOut = (device: Device) => Push.removeDevice({ device })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const removeDevice = (
  options: DeviceOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("Push.removeDevice", () => {
    const { device } = options
    const target = Devices.targetOf(device)
    return {
      path: path`${target.path}/remove`,
      query: target.query,
      issues: Devices.issuesOf(device),
      decode: done("Removed Device")
    }
  })

/**
 * Lists the channels of a device, in the order of the service. A device that the service does not know has none. What is not
 * a name becomes an `UndecodableItem` in its place. Fails with `Malformed` when the service lists more than 100,000.
 *
 * **Details**
 *
 * `GET /v1/push/sub-key/{subscribeKey}/devices/{token}?type=fcm&count=1000`, for APNs
 * `GET /v2/push/sub-key/{subscribeKey}/devices-apns2/{token}?environment=…&topic=…&count=1000`, and again with `start` after
 * a full page. Devices of APNs have a list for each topic and environment.
 *
 * **Example** (Whether a channel is muted)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Push from "effect-herald/pubnub/Push"
 * import type { Device } from "effect-herald/pubnub/PushDevice"
 *
 * const isMuted = (device: Device, channel: string) =>
 *   Effect.map(Push.listChannels({ device }), (channels) => !channels.includes(channel))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const listChannels = (
  options: DeviceOptions
): Effect.Effect<
  ReadonlyArray<string | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> => Effect.suspend(() => allOf(options))

/** The service takes this many channels in one request, as far as recorded. */
const mostChannels = 100

/** The most channels of one answer. */
const pageSize = 1_000

/** More channels than anybody adds to a device. A list without an end would fill the memory. */
const mostListed = 100_000

/** A service that ignores `start` sends its first page again, which has nothing new. */
const allOf = Effect.fnUntraced(function*(options: DeviceOptions) {
  const items: Array<string | UndecodableItem> = []
  const known = new Set<string>()
  let last: string | undefined
  while (true) {
    const all = yield* page(options, last, items.length)
    const fresh = all.filter((item) => typeof item !== "string" || !known.has(item))
    const names = fresh.filter((item) => typeof item === "string")
    items.push(...fresh)
    last = names.at(-1)
    if (all.length < pageSize || last === undefined) return items
    for (const name of names) known.add(name)
  }
})

const page = (options: DeviceOptions, start: string | undefined, listed: number) =>
  Endpoint.run("Push.listChannels", () => {
    const { device } = options
    const target = Devices.targetOf(device)
    return {
      path: target.path,
      query: { ...target.query, count: String(pageSize), start },
      issues: Devices.issuesOf(device),
      decode: (json) =>
        Result.flatMap(decodeNames(json), (names) =>
          listed + names.length > mostListed
            ? Result.fail(`it lists more than ${mostListed} channels`)
            : Result.succeed(names.map(Items.readName)))
    }
  })

const decodeNames = Codec.decodeResult(Items.Unread)

const done = (words: string) => {
  const decode = Codec.decodeResult(Schema.Tuple([Schema.Literal(1), Schema.Literal(words)]))
  return (json: Schema.Json): Result.Result<void, string> => Result.map(decode(json), () => undefined)
}

const channel: Input.Check = (name) =>
  typeof name === "string" && name.includes("*")
    ? "holds an asterisk: devices get the push messages of single channels"
    : Names.withoutPresence(", which has no push messages")(name)

const change = (kind: "add" | "remove", options: ChannelsOptions) =>
  Endpoint.run(`Push.${kind}Channels`, () => {
    const { channels, device } = options
    const target = Devices.targetOf(device)
    return {
      path: target.path,
      query: { ...target.query, [kind]: Names.unique(channels).join(",") },
      issues: [
        ...Devices.issuesOf(device),
        ...Names.issuesOf("channels", channels, mostChannels, { issue: channel })
      ],
      longInput: { location: "channels", advice: "send fewer at once" },
      decode: done("Modified Channels")
    }
  })
