import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take seconds, the slowest first. A slow file at the end leaves all workers but one idle. */
const slowest = [
  "pubnub/reading",
  "pubnub/Subscriber",
  "docs/compiler",
  "examples/bridge",
  "examples/chat",
  "node/bothWays",
  "cli/process",
  "node/hostile",
  "node/inspectorPage",
  "pubnub/catchUp",
  "simulation/subscribe",
  "symphony/feedTroubles",
  "cli/hostile",
  "symphony/contract/contract",
  "symphony/secrets",
  "symphony/contract/originals",
  "simulation/actions",
  "simulation/subscriber",
  "pubnub/deep",
  "pubnub/input",
  "simulation/update",
  "cli/symphony",
  "conformance/conformance",
  "node/sockets",
  "docs/package",
  "pubnub/lag",
  "cli/durable",
  "node/officialPresence",
  "symphony/paging",
  "cli/pubnub/appContext",
  "examples/quickstart",
  "symphony/Messages",
  "node/sigkill",
  "node/PubNubEmulatorServer",
  "docs/size",
  "pubnub/secrets",
  "pubnub/mutations",
  "simulation/publisher",
  "internal/json",
  "symphony/Session",
  "testing/SymphonyHostile",
  "pubnub/durable",
  "cli/deep",
  "simulation/presence",
  "symphony/Datafeed",
  "simulation/guarantees",
  "pubnub/Subscribe"
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
