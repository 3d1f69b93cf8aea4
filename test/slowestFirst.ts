import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take seconds, the slowest first. A slow file at the end leaves all workers but one idle. */
const slowest = [
  "symphony/contract/contract",
  "pubnub/reading",
  "cli/process",
  "examples/bridge",
  "node/hostile",
  "testing/SymphonyHostile",
  "symphony/Datafeed",
  "simulation/subscribe",
  "node/sockets",
  "simulation/subscriber",
  "node/sigkill",
  "node/bothWays",
  "node/officialPresence",
  "cli/durable",
  "symphony/contract/originals",
  "cli/symphony",
  "simulation/publisher",
  "docs/declarations",
  "docs/docstrings",
  "pubnub/secrets",
  "simulation/long",
  "examples/quickstart",
  "pubnub/types",
  "cli/appContext",
  "symphony/hostile",
  "docs/package"
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
