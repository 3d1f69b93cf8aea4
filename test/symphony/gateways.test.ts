/** Only the service's own body is a refusal: what gateways answer in its place is the end of nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Attachments, Messages, Session } from "effect-herald/symphony"
import { failNext } from "../kit/failNext.ts"
import { asBot, timesOf, tokens } from "./bots.ts"
import { exchanges, mid, scripted, sid, tagOf } from "./kit.ts"

const html = "<html><head><title>no</title></head><body>no</body></html>"
const own = "{\"code\":400,\"message\":\"no\"}"

/** Answers that no service of Symphony gave. */
const foreign: ReadonlyArray<readonly [what: string, status: number, body: string]> = [
  ...[300, 302, 307, 400, 401, 402, 403, 404, 405, 408, 409, 410, 418, 421, 425, 451, 499].map((status) =>
    [`a page with ${status}`, status, html] as const
  ),
  ...[302, 400, 403, 404, 408, 451, 499].map((status) => [`nothing with ${status}`, status, ""] as const),
  ...[408, 425, 499].map((status) => [`the service's own words with ${status}`, status, own] as const),
  ["the words of another service", 403, "{\"message\":\"Forbidden\"}"],
  ["a code that is text", 400, "{\"code\":\"NoSuchRoute\",\"message\":\"no route\"}"],
  ["a list", 404, "[]"],
  ["half of the service's own words", 403, own.slice(0, 20)],
  ["text", 400, "Bad Request"]
]

describe.each(foreign)("an answer that is not the service's: %s", (_, status, body) => {
  const answer = { status, body }

  it.effect("to a read is retried", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Messages.list({ streamId: sid }), [])
      assert.lengthOf(yield* exchanges, 2)
    }).pipe(Effect.provide(scripted(answer, { body: "[]" }))))

  it.effect("to every attempt fails with ServerFailure, and says who answered", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Messages.list({ streamId: sid }))
      assert(error.reason._tag === "ServerFailure")
      assert.strictEqual(error.reason.status, status)
      assert.strictEqual(error.reason.answeredBy, body === own ? "service" : "intermediary")
      assert.isTrue(error.isRetryable)
      if (body !== own) assert.include(error.message, `A proxy or gateway answered ${status} in place of the service`)
    }).pipe(Effect.provide(scripted(...Array.from({ length: 6 }, () => answer)))))

  it.effect("to a post leaves the outcome unknown", () =>
    Effect.gen(function*() {
      const sent = yield* Effect.flip(Messages.send({ streamId: sid, message: "a" }))
      const updated = yield* Effect.flip(Messages.update({ streamId: sid, messageId: mid, message: "a" }))
      const blasted = yield* Effect.flip(Messages.blast({ streamIds: [sid], message: "a" }))
      for (const error of [sent, updated, blasted]) assert.strictEqual(tagOf(error), "MessageOutcomeUnknown")
    }).pipe(Effect.provide(scripted(...Array.from({ length: 6 }, () => answer)))))

  it.effect("to a download is retried", () =>
    Effect.gen(function*() {
      const file = { streamId: sid, messageId: mid, attachmentId: "f" }
      const pieces = yield* Stream.runCollect(Attachments.streamAttachment(file))
      assert.strictEqual(Buffer.concat([...pieces]).toString(), "a")
    }).pipe(Effect.provide(scripted(answer, { body: "YQ==" }))))

  it.effect("to a login is retried", () =>
    Effect.gen(function*() {
      yield* failNext({ on: "login", status, body, times: 2 })
      assert.isDefined((yield* tokens).sessionToken)
      assert.lengthOf([...yield* timesOf("/login/"), ...yield* timesOf("/relay/")], 4)
    }).pipe(asBot({ config: { retry: { base: 0 } } })))
})

describe("an answer of the service itself", () => {
  it.effect.each([400, 403, 404, 451])("with %i is not retried", (status) =>
    Effect.gen(function*() {
      yield* Effect.flip(Messages.send({ streamId: sid, message: "a" }))
      yield* Effect.flip(Messages.list({ streamId: sid }))
      assert.lengthOf(yield* exchanges, 2)
    }).pipe(Effect.provide(scripted({ status, body: own }, { status, body: own }))))

  it.effect.each([413, 414, 431])(
    "is not needed for %i, which is BadRequest",
    (status) =>
      Effect.gen(function*() {
        assert.strictEqual(tagOf(yield* Effect.flip(Messages.send({ streamId: sid, message: "a" }))), "BadRequest")
      }).pipe(Effect.provide(scripted({ status, body: html })))
  )

  it.effect("with 401 ends a login", () =>
    Effect.gen(function*() {
      yield* failNext({ on: "login", status: 401 })
      const error = yield* Effect.flip(Session.Session.use(({ tokens }) => tokens))
      assert.strictEqual(error.reason._tag, "Unauthorized")
    }).pipe(asBot()))
})
