/** What others write reaches neither the terminal's commands nor, with secrets in it, its screen. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Transport } from "effect-herald/testing"
import * as Reflecting from "../kit/reflecting.ts"
import { herald } from "./kit.ts"

const secrets = ["s3cr3t+key/of=all", "t0k/en&of<all>"]

const environment = {
  PUBNUB_SECRET_KEY: "s3cr3t+key/of=all",
  PUBNUB_AUTH_TOKEN: "t0k/en&of<all>",
  PUBNUB_USER_ID: "ada"
}

const commands = [
  ["time"],
  ["publish", "a", "1"],
  ["users", "get", "ada"],
  ["history", "a"],
  ["actions", "add", "a", "17334108326343660", "reaction", "x"]
]

const some = Reflecting.kinds.filter((_, index) => index % 2 === 0)

describe("a service that repeats secrets in its answers", () => {
  it.live.each(some)("does not get them printed by %s", ([_, kind]) =>
    Effect.gen(function*() {
      for (const command of commands) {
        for (const flags of [[], ["--json"], ["--no-json"]]) {
          const { stderr } = yield* herald([...command, ...flags], { environment, terminal: true })
          if (command.includes("time")) assert.isNotEmpty(stderr)
          assert.strictEqual(Reflecting.leaksOf(stderr, secrets).join("\n"), "")
        }
      }
    }).pipe(Effect.provide(Reflecting.reflecting(kind, secrets))))
})

describe("channel names with control characters", () => {
  const name = `a${Reflecting.commands}\u0085\u2066b`
  const channels = (flags: ReadonlyArray<string>) =>
    herald(["groups", "list-channels", "g", ...flags], { environment, terminal: true }).pipe(
      Effect.provide(
        Transport.layerScripted([{
          body: JSON.stringify({ status: 200, payload: { group: "g", channels: [name] }, service: "x", error: false })
        }])
      ),
      Effect.map(({ stdout }) => stdout.join("\n"))
    )

  it.live("are printed as text without them", () =>
    Effect.map(channels(["--no-json"]), (text) => {
      assert.match(text, /^a\uFFFD\]0;title/)
      // oxlint-disable-next-line no-control-regex
      assert.notMatch(text, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }))

  it.live("are printed as JSON that escapes them", () =>
    Effect.map(channels(["--json"]), (text) => {
      assert.deepStrictEqual(Result.getOrThrow(Result.try(() => JSON.parse(text))), { channel: name })
      // oxlint-disable-next-line no-control-regex
      assert.notMatch(text, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }))
})
