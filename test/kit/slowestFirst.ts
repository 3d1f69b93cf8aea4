import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take seconds, the slowest first. A slow file at the end leaves all workers but one idle. */
const slowest = [
  "node/hostile",
  "symphony/contract/originals",
  "symphony/contract/contract",
  "node/sockets",
  "pubnub/reading",
  "simulation/subscribe",
  "node/officialPresence",
  "examples/bridge",
  "cli/process",
  "conformance/conformance",
  "docs/compiler",
  "examples/quickstart",
  "symphony/feedTroubles",
  "pubnub/input",
  "node/sigkill",
  "pubnub/hostile",
  "docs/blocks",
  "pubnub/catchUp",
  "cli/symphony",
  "node/bothWays",
  "node/transport",
  "pubnub/Subscriber",
  "pubnub/lag",
  "examples/fleet",
  "simulation/subscriber",
  "pubnub/durable",
  "simulation/long",
  "testing/SymphonyHostile",
  "simulation/update",
  "testing/PubNubEmulator",
  "pubnub/secrets",
  "testing/longInput",
  "symphony/secrets",
  "symphony/Datafeed",
  "docs/size",
  "cli/durable",
  "pubnub/reading/registry",
  "cli/pubnub/appContext",
  "symphony/Session",
  "symphony/paging",
  "pubnub/deep",
  "symphony/Messages",
  "pubnub/reading/lane",
  "internal/json"
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
