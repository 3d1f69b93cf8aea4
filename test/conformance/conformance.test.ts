/**
 * The client against the real service: what was recorded between other clients and PubNub is replayed through ours.
 */
import { afterAll, describe, it } from "@effect/vitest"
import * as Actions from "./actions.ts"
import * as Answers from "./answers.ts"
import * as Cassettes from "./cassettes.ts"
import * as Emulated from "./emulated.ts"
import * as Events from "./events.ts"
import * as Expectations from "./expectations.ts"
import * as History from "./history.ts"
import * as Kit from "./kit.ts"
import * as Objects from "./objects.ts"
import * as Presence from "./presence.ts"

describe("conformance", () => {
  if (!Kit.isPresent) {
    it.skip("skipped: ../shared/conformance is not beside this checkout, so there are no recordings to replay")
    return
  }
  Cassettes.suite()
  Answers.suite()
  Events.suite()
  Expectations.suite()
  History.suite()
  Presence.suite()
  Actions.suite()
  Objects.suite()
  Emulated.suite()
  afterAll(() => {
    const suites = [Cassettes, Answers, Events, Expectations, History, Presence, Actions, Objects, Emulated]
    console.log(`conformance: ${suites.flatMap((suite) => suite.summary()).join(", ")}`)
  })
})
