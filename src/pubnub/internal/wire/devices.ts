/** Where the service keeps the channels of a device. Checks devices. */
import * as Input from "../../../internal/input.ts"
import * as Url from "../../../internal/url.ts"
import type { Detail } from "../../PubNubError.ts"
import type { Device } from "../../PushDevice.ts"
import { type Path, path, subscribeKey } from "./path.ts"

/** What a caller without the compiler may pass as well. */
type Given = { readonly [K in "_tag" | "token" | "topic" | "environment"]?: unknown }

const given = (device: unknown): Given => typeof device === "object" && device !== null ? device : {}

const textOf = (value: unknown): string => typeof value === "string" ? value : Input.shown(value)

// Errors and logs do not show a token: with it, an app can be addressed.
const tokenOf = (value: unknown) => ({
  shown: "{token}",
  encoded: Url.encode(typeof value === "string" ? value.toWellFormed() : "")
})

/** The path and the query of a device. Nothing is sent to it if {@link issuesOf} finds anything. */
export const targetOf = (device: Device): { readonly path: Path; readonly query: Url.Parameters } => {
  const { _tag, environment, token, topic } = given(device)
  return _tag === "Apns"
    ? {
      path: path`/v2/push/sub-key/${subscribeKey}/devices-apns2/${tokenOf(token)}`,
      query: { environment: textOf(environment), topic: textOf(topic) }
    }
    : { path: path`/v1/push/sub-key/${subscribeKey}/devices/${tokenOf(token)}`, query: { type: "fcm" } }
}

/** Text that can be one segment of a path. */
const segment: Input.Check = Input.all(Input.notBlank, Input.segment)

const hexadecimal: Input.Check = (value) =>
  typeof value === "string" && /^([0-9a-fA-F]{2})+$/.test(value)
    ? undefined
    : segment(value) ?? "is not a device token of APNs: an even number of hexadecimal digits"

const environment = Input.oneOf(["development", "production"])

/** What is wrong with an app of APNs. */
export const topicIssues = (topic: unknown, location: string): ReadonlyArray<Detail> => {
  const wrong = Input.record(topic)
  return Input.issues(
    wrong === undefined
      ? {
        [`${location}.topic`]: Input.notBlank(given(topic).topic),
        [`${location}.environment`]: environment(given(topic).environment)
      }
      : { [location]: wrong }
  )
}

/** What is wrong with a device. */
export const issuesOf = (device: unknown, location = "device"): ReadonlyArray<Detail> => {
  const wrong = Input.record(device)
  if (wrong !== undefined) return [{ location, message: wrong }]
  const { _tag, token } = given(device)
  return _tag === "Apns"
    ? [...Input.issues({ [`${location}.token`]: hexadecimal(token) }), ...topicIssues(device, location)]
    : Input.issues({
      [`${location}._tag`]: Input.oneOf(["Fcm", "Apns"])(_tag),
      [`${location}.token`]: segment(token)
    })
}
