/** A program that talks to both services handles the errors and events of both in one place: no tag means two things. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"

const tagged = /(?:TaggedError|TaggedClass|TaggedStruct)(?:<[^>]*>)?\((?:\s*"effect-herald\/[^"]*"\s*\)\()?\s*"(\w+)"/g

const tagsOf = (service: string): ReadonlyArray<string> =>
  Fs.readdirSync(Path.join(root, "src", service), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [...Fs.readFileSync(Path.join(root, "src", service, name), "utf8").matchAll(tagged)])
    .map(([, tag]) => tag!)

const services = ["pubnub", "symphony", "testing"] as const

it.each(services)("each tag of %s is given once", (service) => {
  const tags = tagsOf(service)
  assert.isNotEmpty(tags)
  assert.deepStrictEqual(tags.filter((tag, index) => tags.indexOf(tag) !== index), [])
})

it("PubNub and Symphony share no tag", () => {
  const pubnub = new Set(tagsOf("pubnub"))
  assert.include([...pubnub], "PubNubError")
  assert.include(tagsOf("symphony"), "SymphonyError")
  assert.deepStrictEqual(tagsOf("symphony").filter((tag) => pubnub.has(tag)), [])
})
