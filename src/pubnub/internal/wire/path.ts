/**
 * Paths of PubNub's services: templates, in which the keys of the configuration stand by their names.
 */
import * as Template from "../../../internal/path.ts"

type Key = "subscribeKey" | "publishKey"

export type Path = Template.Path<Key>

export const subscribeKey: Template.Setting<Key> = { setting: "subscribeKey" }

export const publishKey: Template.Setting<Key> = { setting: "publishKey" }

export const path = Template.path<Key>
