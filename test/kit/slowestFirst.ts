import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take seconds, the slowest first. A slow file at the end leaves all workers but one idle. */
const slowest = [
  "pubnub/reading",
  "symphony/contract/contract",
  "node/sigkill",
  "symphony/secrets",
  "cli/process",
  "pubnub/input",
  "testing/SymphonyHostile",
  "simulation/subscribe",
  "examples/bridge",
  "node/hostile",
  "node/sockets",
  "simulation/subscriber",
  "node/bothWays",
  "pubnub/Subscriber",
  "pubnub/secrets",
  "pubnub/durable",
  "symphony/feedTroubles",
  "symphony/contract/originals",
  "simulation/update",
  "conformance/conformance",
  "node/officialPresence",
  "cli/durable",
  "pubnub/catchUp",
  "pubnub/deep",
  "cli/hostile",
  "testing/PubNubEmulator",
  "simulation/actions",
  "simulation/presence",
  "simulation/live",
  "symphony/hostile",
  "pubnub/hostile",
  "docs/declarations",
  "symphony/anyInput",
  "cli/symphony",
  "simulation/long",
  "pubnub/mutations",
  "internal/json",
  "docs/docstrings",
  "cli/pubnub/appContext",
  "docs/package",
  "examples/quickstart",
  "symphony/types",
  "pubnub/types"
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
