/** The devices of mobile push with their channels, and what each of them gets of a published message. */
import * as Predicate from "effect/Predicate"
import * as recent from "../server/recent.ts"

/** The most pushes to remember: the newest. */
const mostPushes = 10_000

/** One app on one device, as the service keeps it. Each has a list of channels of its own. */
export interface Device {
  readonly platform: "apns" | "apns2" | "fcm" | "gcm"
  readonly token: string
  /** Only of `apns2`. */
  readonly topic?: string
  /** Only of `apns2`. */
  readonly environment?: string
}

/** A payload that was given to FCM or APNs for one device. */
export interface Push extends Device {
  readonly channel: string
  readonly timetoken: bigint
  readonly payload: object
}

const keyOf = ({ environment, platform, token, topic }: Device) =>
  JSON.stringify([platform, token, topic ?? null, environment ?? null])

const fields = (value: unknown): ReadonlyMap<string, unknown> =>
  new Map(Predicate.isObject(value) && !Array.isArray(value) ? Object.entries(value) : [])

const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const without = (part: ReadonlyMap<string, unknown>, ...names: ReadonlyArray<string>): object =>
  Object.fromEntries([...part].filter(([name]) => !names.includes(name)))

/** Whether a target of APNs names the device, and does not exclude it. */
const isTarget = ({ environment, token, topic }: Device) => (target: unknown): boolean => {
  const wanted = fields(target)
  return wanted.get("topic") === topic && (wanted.get("environment") ?? "development") === environment &&
    !list(wanted.get("excluded_devices")).includes(token)
}

/** The payload for a device. FCM and APNs take 4,096 bytes, and 5,120 of a VoIP push; more is dropped, and nobody is told. */
const payloadOf = (device: Device, message: ReadonlyMap<string, unknown>): object | undefined => {
  const isApple = device.platform === "apns" || device.platform === "apns2"
  const part = message.get(isApple ? "pn_apns" : `pn_${device.platform}`)
  if (!Predicate.isObject(part)) return undefined
  const all = fields(part)
  if (list(all.get("pn_exceptions")).includes(device.token)) return undefined
  const push = list(all.get("pn_push")).map(fields).find((push) => list(push.get("targets")).some(isTarget(device)))
  if (device.platform === "apns2" && push === undefined) return undefined
  const payload = without(all, "pn_push", "pn_exceptions")
  const limit = push?.get("push_type") === "voip" ? 5_120 : 4_096
  return new TextEncoder().encode(JSON.stringify(payload)).length > limit ? undefined : payload
}

export const make = () => {
  const devices = new Map<string, { readonly device: Device; readonly channels: Set<string> }>()
  const pushes = recent.make<Push>(mostPushes, () => 1)

  return {
    channels: (device: Device): ReadonlyArray<string> => [...devices.get(keyOf(device))?.channels ?? []],
    add: (device: Device, channels: ReadonlyArray<string>) => {
      const known = devices.get(keyOf(device)) ?? { device, channels: new Set<string>() }
      devices.set(keyOf(device), known)
      for (const channel of channels) known.channels.add(channel)
    },
    remove: (device: Device, channels: ReadonlyArray<string>) => {
      for (const channel of channels) devices.get(keyOf(device))?.channels.delete(channel)
    },
    removeDevice: (device: Device) => {
      devices.delete(keyOf(device))
    },
    /** The devices with at least one channel. */
    all: (): ReadonlyArray<{ readonly device: Device; readonly channels: ReadonlyArray<string> }> =>
      [...devices.values()].filter(({ channels }) => channels.size > 0)
        .map(({ channels, device }) => ({ device, channels: [...channels] })),
    /** Gives a published message to the devices of its channel. */
    publish: (channel: string, message: unknown, timetoken: bigint) => {
      const parts = fields(message)
      for (const { channels, device } of devices.values()) {
        const payload = channels.has(channel) ? payloadOf(device, parts) : undefined
        if (payload !== undefined) pushes.add({ ...device, channel, timetoken, payload })
      }
    },
    pushes: (): ReadonlyArray<Push> => pushes.all()
  }
}
