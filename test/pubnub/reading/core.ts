import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Schedule from "effect/Schedule"
import { PubNubConfig } from "effect-herald/pubnub"
import type * as SubscribeStatus from "../../../src/pubnub/SubscribeStatus.ts"
import type { Core, Settings } from "../../../src/pubnub/internal/reading/core.ts"
import { Knowledge } from "../../../src/pubnub/internal/reading/knowledge.ts"
import * as Pace from "../../../src/pubnub/internal/reading/pace.ts"
import { Wakes } from "../../../src/pubnub/internal/reading/wakes.ts"

const again = Schedule.spaced("1 second")

/** What the parts of an engine share, without an engine. */
export const coreOf = (settings: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const config = yield* PubNubConfig.PubNubConfig
    const clock = yield* EffectClock.Clock
    const context = yield* Effect.context<HttpClient.HttpClient>()
    const published: Array<SubscribeStatus.Status> = []
    let demands = 0
    const core: Core = {
      config,
      settings: {
        filter: undefined,
        state: undefined,
        schedule: () => again,
        demand: "ahead",
        from: undefined,
        gathered: 0,
        ...settings
      },
      clock,
      history: { config, encryption: undefined, knowledge: new Knowledge(clock), pace: Pace.make(25) },
      fork: Effect.runForkWith(context),
      provide: Effect.provideContext(context),
      publish: (status) => published.push(status),
      demand: () => {
        demands++
      },
      wakes: new Wakes(),
      full: new Set(),
      waiting: 0
    }
    return { core, demands: () => demands, published }
  })
