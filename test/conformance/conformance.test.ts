/**
 * The client against the real service: what was recorded between other clients and PubNub is replayed through ours.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Access from "./access.ts"
import * as Actions from "./actions.ts"
import * as Answers from "./answers.ts"
import * as Cassettes from "./cassettes.ts"
import * as Emulated from "./emulated.ts"
import * as EmulatedFiles from "./emulatedFiles.ts"
import * as Events from "./events.ts"
import * as Expectations from "./expectations.ts"
import * as Files from "./files.ts"
import * as History from "./history.ts"
import * as Kit from "./kit.ts"
import * as Objects from "./objects.ts"
import * as Presence from "./presence.ts"
import * as Push from "./push.ts"

/** Requests that no call of our client makes, by the beginning of their template. */
const notOffered: { readonly [template: string]: string } = {
  "/v2/auth/": "the old Access Manager",
  "/v2/history/": "the second version of history",
  "/v2/presence/sub-key/{subKey}/channel/{channels}/heartbeat": "made by subscriptions in their own time"
}

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
  Files.suite()
  Objects.suite()
  Push.suite()
  Access.suite()
  Emulated.suite()
  EmulatedFiles.suite()

  it("replays every recorded request, or lists it as not offered", () => {
    const ours = [Cassettes, History, Presence, Actions, Files, Objects, Push, Access].flatMap((
      suite
    ) => [...suite.ours])
    const others = Kit.classes()
      .flatMap((name) => Kit.cassettes(name))
      .flatMap(({ interactions }) => interactions)
      // What has a host is for file storage.
      .filter(({ request }) => request.host === undefined && !ours.includes(request.template))
    const reasonOf = (template: string) =>
      Object.keys(notOffered).find((start) => template.startsWith(start)) ?? template
    assert.deepStrictEqual(
      new Set(others.map(({ request }) => reasonOf(request.template))),
      new Set(Object.keys(notOffered))
    )
  })

  afterAll(() => {
    const suites = [
      Cassettes,
      Answers,
      Events,
      Expectations,
      History,
      Presence,
      Actions,
      Files,
      Objects,
      Push,
      Access,
      Emulated,
      EmulatedFiles
    ]
    console.log(`conformance: ${suites.flatMap((suite) => suite.summary()).join(", ")}`)
  })
})
