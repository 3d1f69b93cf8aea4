/** This package on Effect's own client for undici. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as EffectHerald from "./effect-herald.ts"

export const make = (origin: string) => EffectHerald.make(origin, NodeHttpClient.layerUndici)
