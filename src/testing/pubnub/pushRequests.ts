/** The requests about mobile push: all are GET, and change or list the channels of a device. */
import * as answers from "./answers.ts"
import type { Answer } from "../server/message.ts"
import type { Keyset } from "./keyset.ts"
import type { Device } from "./pushDevices.ts"
import { namesOf, type Request } from "./request.ts"

const types = { apns: "apns", fcm: "fcm", gcm: "gcm" } as const

const isType = (text: string): text is keyof typeof types => Object.hasOwn(types, text)

/** The device that a request is about, or the answer that refuses it. */
const deviceOf = ({ query, segments }: Request): Device | Answer => {
  const [, , , , kind, token = ""] = segments
  if (kind === "devices") {
    const type = query.get("type") ?? ""
    return isType(type) ? { platform: types[type], token } : answers.badPush("Invalid type argument")
  }
  const topic = query.get("topic") ?? ""
  // What the service says to a missing topic is a guess.
  if (topic === "") return answers.badPush("Missing topic argument")
  if (!/^([0-9a-f]{2})+$/i.test(token)) return answers.badPush("Invalid device token")
  return { platform: "apns2", token, topic, environment: query.get("environment") ?? "development" }
}

/** Answers `/v1/push/sub-key/{sub}/devices/{token}` and `/v2/push/sub-key/{sub}/devices-apns2/{token}`. */
export const route = (keyset: Keyset, request: Request): Answer => {
  const { query, segments } = request
  const [version, , , , kind, , verb, ...rest] = segments
  if (kind !== (version === "v1" ? "devices" : "devices-apns2") || rest.length > 0) return answers.notFound
  if (!keyset.addOns().mobilePush) return answers.noPush
  const device = deviceOf(request)
  if ("status" in device) return device
  if (verb === "remove") {
    keyset.push.removeDevice(device)
    return answers.push([1, "Removed Device"])
  }
  if (verb !== undefined) return answers.notFound
  const [add, remove] = [namesOf(query.get("add")), namesOf(query.get("remove"))]
  const refused = keyset.refused(query, "changePush", { channels: [...add, ...remove] })
  if (refused.channels.length > 0) return answers.forbidden(refused.channels)
  if (add.length + remove.length > 0) {
    keyset.push.add(device, add)
    keyset.push.remove(device, remove)
    return answers.push([1, "Modified Channels"])
  }
  const channels = keyset.push.channels(device)
  const start = query.get("start")
  const from = start === undefined ? 0 : channels.indexOf(start) + 1
  const count = Math.min(Number(query.get("count") ?? 500), 1_000)
  return answers.push(channels.slice(from, from + count))
}
