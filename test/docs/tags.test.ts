/**
 * A program that talks to both services handles the errors and events of both in one place: no outer tag means two things, and
 * the reasons of both services come from one list.
 */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as CursorStore from "effect-herald/CursorStore"
import * as node from "effect-herald/node"
import * as pubnub from "effect-herald/pubnub"
import * as Reason from "effect-herald/Reason"
import * as symphony from "effect-herald/symphony"
import { root } from "../kit/scratch.ts"

const { PubNubError } = pubnub
const { SymphonyError } = symphony

const tagged = /(?:TaggedError|TaggedClass|[Tt]aggedStruct)(?:<[^>]*>)?\((?:\s*"[\w/-]+"\s*\)\()?\s*"(\w+)"/g

const tags = Fs.readdirSync(Path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .flatMap((name) => [...Fs.readFileSync(Path.join(root, "src", name), "utf8").matchAll(tagged)])
  .map(([, tag]) => tag!)

it("each tag is defined once, except AccessDenied", () => {
  assert.includeMembers(tags, ["PubNubError", "SymphonyError", "RateLimited", "Message", "FeedConnected"])
  assert.deepStrictEqual(tags.filter((tag, index) => tags.indexOf(tag) !== index), ["AccessDenied"])
})

const shared = ["BadRequest", "Malformed", "RateLimited", "ServerFailure", "Timeout", "Transport"] as const

it.each(shared)("%s is the same class for both services", (tag) => {
  assert.strictEqual(PubNubError[tag], Reason[tag])
  assert.strictEqual(SymphonyError[tag], Reason[tag])
})

it("reasons of both services are shared, except AccessDenied", () => {
  const tagsOf = (members: ReadonlyArray<{ readonly identifier: string }>) =>
    members.map(({ identifier }) => identifier.split("/").at(-1)!)
  const pubnub = tagsOf(PubNubError.Reason.members)
  const symphony = new Set(tagsOf(SymphonyError.Reason.members))
  assert.deepStrictEqual(pubnub.filter((tag) => symphony.has(tag)).sort(), ["AccessDenied", ...shared].sort())
})

const modules: ReadonlyArray<object> = [Reason, CursorStore, ...[node, pubnub, symphony].flatMap(Object.values)]
const errors = new Set(
  modules.flatMap((module): ReadonlyArray<unknown> => Object.values(module))
    .filter((exported) => typeof exported === "function")
    .filter(({ prototype }) => prototype instanceof Error)
)

it("each error class has its own message and isRetryable", () => {
  assert.isAtLeast(errors.size, 30)
  for (const { name, prototype } of errors) {
    const made: unknown = Object.getPrototypeOf(prototype)
    assert.includeMembers(Object.getOwnPropertyNames(made), ["message", "isRetryable"], name)
  }
})
