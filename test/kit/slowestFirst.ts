import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take seconds, the slowest first. A slow file at the end leaves all workers but one idle. */
const slowest = [
  "node/hostile",
  "node/sockets",
  "pubnub/reading",
  "examples/bridge",
  "pubnub/reading/registry",
  "node/officialPresence",
  "cli/process",
  "simulation/subscribe",
  "node/transport",
  "pubnub/throwing",
  "symphony/secrets",
  "symphony/feedTroubles",
  "docs/compiler",
  "symphony/Messages.emulated",
  "pubnub/Subscriber",
  "pubnub/hostile",
  "docs/blocks",
  "pubnub/input",
  "node/sigkill",
  "pubnub/lists",
  "pubnub/durable",
  "simulation/subscriber",
  "pubnub/lag",
  "pubnub/secrets",
  "cli/symphony",
  "symphony/hostile",
  "pubnub/deep",
  "symphony/anyInput",
  "testing/SymphonyPod",
  "examples/quickstart",
  "testing/longInput",
  "testing/SymphonyHostile",
  "testing/PubNubEmulator",
  "symphony/deep",
  "simulation/live",
  "pubnub/History",
  "node/bothWays",
  "simulation/update",
  "pubnub/catchUp",
  "simulation/presence",
  "symphony/Session",
  "cli/durable",
  "node/official",
  "pubnub/reading/lane"
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = slowest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  return rank < 0 ? slowest.length : rank
}

/** Runs the files that are known to be slow first, also where no earlier run is remembered. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    return (await super.sort(files)).sort((one, other) => rankOf(one) - rankOf(other))
  }
}
