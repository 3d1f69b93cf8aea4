/**
 * Paths of PubNub's services: templates that name the keys of the configuration.
 */
import * as Template from "../../../internal/path.ts"

type Key = "subscribeKey" | "publishKey"

export type Path = Template.Path<Key>

export const subscribeKey: Template.Setting<Key> = { setting: "subscribeKey" }

export const publishKey: Template.Setting<Key> = { setting: "publishKey" }

export const path = Template.path<Key>
