/** A refusal explains itself where the token is known, and nowhere without the layer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  Access,
  Channels,
  Files,
  History,
  Publish,
  PubNubConfig,
  type PubNubError,
  Push,
  PushDevice,
  Subscribe,
  Subscriber,
  Users
} from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { collect } from "../kit/collect.ts"
import { emulated } from "../kit/emulated.ts"

const secret = "sec"
const keysets = [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: secret }] as const

const service = emulated({ emulator: { addOns: { accessManager: true }, keysets } })

const config = (options: Partial<PubNubConfig.Options>) =>
  PubNubConfig.layer({
    subscribeKey: "demo-sub",
    publishKey: "demo-pub",
    userId: "ada",
    origin: "emulator",
    ...options
  })

const asServer = Effect.provide(config({ secretKey: Redacted.make(secret), userId: "server" }))

const withToken = (authToken: Redacted.Redacted, explanations = Access.layerExplanations) =>
  Effect.provide(Layer.merge(config({ authToken }), explanations))

const granted = (options: Access.GrantOptions) => asServer(Access.grant(options))

const denied = <R>(
  call: Effect.Effect<unknown, { readonly _tag: string; readonly reason?: PubNubError.Reason }, R>
): Effect.Effect<PubNubError.AccessDenied, unknown, R> =>
  Effect.map(
    Effect.flip(call),
    ({ _tag, reason }) => reason?._tag === "AccessDenied" ? reason : assert.fail(`${_tag}: ${reason?._tag}`)
  )

const publish = Publish.publish({ channel: "a", message: 1 })

describe("AccessDenied", () => {
  it.effect("says which right is missing, on which of the names", () =>
    Effect.gen(function*() {
      const token = yield* granted({ ttl: "1 hour", user: "ada", channels: { a: ["read"] } })
      const write = yield* denied(withToken(token)(publish))
      assert.deepInclude(write.explanation, { _tag: "MissingRight", kind: "channel", name: "a", right: "write" })
      assert.strictEqual(
        write.message,
        "Access denied to a: Forbidden. The token has read on the channel \"a\", but not write. Grant write, too."
      )
      const read = yield* denied(withToken(token)(History.list({ channel: "b" })))
      assert.deepInclude(read.explanation, { _tag: "NoSuchResource", name: "b", right: "read" })
      const user = yield* denied(withToken(token)(Users.set({ id: "ada", name: "Ada" })))
      assert.deepInclude(user.explanation, { _tag: "NoSuchResource", kind: "user", right: "update" })
      const file = yield* denied(withToken(token)(Files.downloadText({ channel: "b", id: "i", name: "n" })))
      assert.deepInclude(file.explanation, { _tag: "NoSuchResource", name: "b", right: "read" })
      const sent = yield* denied(withToken(token)(Files.send({ channel: "a", name: "n", content: "" })))
      assert.deepInclude(sent.explanation, { _tag: "MissingRight", name: "a", right: "write" })
      const device = PushDevice.fcm("d")
      const push = yield* denied(withToken(token)(Push.addChannels({ device, channels: ["a", "b"] })))
      assert.deepInclude(push.explanation, { _tag: "NoSuchResource", name: "b", right: "read" })
    }).pipe(Effect.provide(service)))

  it.effect("says it when only another user may use the token", () =>
    Effect.gen(function*() {
      const token = yield* granted({ ttl: "1 hour", user: "bob", channels: { a: ["write"] } })
      const { explanation } = yield* denied(withToken(token)(publish))
      assert.deepInclude(explanation, { _tag: "WrongUser", user: "bob", caller: "ada" })
    }).pipe(Effect.provide(service)))

  it.effect("says that the token allows it when the token was revoked", () =>
    Effect.gen(function*() {
      const token = yield* granted({ ttl: "1 hour", channels: { a: ["write"] } })
      yield* withToken(token)(publish)
      yield* asServer(Access.revoke(token))
      const revoked = yield* denied(withToken(token)(publish))
      assert.strictEqual(revoked.explanation?._tag, "Allowed")
      assert.include(revoked.message, "Token is revoked")
    }).pipe(Effect.provide(service)))

  it.effect("names the category that a list needs where the keyset disallows it", () =>
    Effect.gen(function*() {
      const lists = [["channel", Channels.list()], ["user", Users.list()], [
        "user",
        Stream.runDrain(Users.stream())
      ]] as const
      yield* (yield* PubNubEmulator.PubNubEmulator).setAddOns({
        disallowGetAllUsers: true,
        disallowGetAllChannels: true
      })
      const without = yield* granted({ ttl: "1 hour", channels: { a: ["get"] } })
      for (const [kind, list] of lists) {
        const { explanation } = yield* denied(withToken(without)(list))
        assert.deepInclude(explanation, { _tag: "MissingCategory", kind, right: "get" })
        assert.include(explanation?.message, `Grant get to ${kind}s under categories.`)
      }
      const token = yield* granted({ ttl: "1 hour", categories: { channels: ["get"], users: ["get"] } })
      for (const [, list] of lists) yield* withToken(token)(list)
      yield* asServer(Access.revoke(token))
      for (const [, list] of lists) {
        const { explanation } = yield* denied(withToken(token)(list))
        assert.strictEqual(explanation?._tag, "Allowed")
      }
    }).pipe(Effect.provide(service)))

  it.effect("explains nothing without the layer, and when the token is no token of the service", () =>
    Effect.gen(function*() {
      const token = yield* granted({ ttl: "1 hour", channels: { a: ["read"] } })
      assert.isFalse("explanation" in (yield* denied(withToken(token, Layer.empty)(publish))))
      yield* (yield* PubNubEmulator.PubNubEmulator).revokeToken("t0ken")
      assert.isFalse("explanation" in (yield* denied(withToken(Redacted.make("t0ken"))(publish))))
    }).pipe(Effect.provide(service)))

  // A reader tries a refusal four times, so time has to pass.
  it.effect.each([["Subscribe", Layer.empty], ["Subscriber", Subscriber.layer()]] as const)(
    "explains each interruption and the end of a stream of %s",
    ([, shared]) =>
      Effect.gen(function*() {
        const token = yield* granted({ ttl: "1 hour", channels: { a: ["read"] }, groups: { g: ["read"] } })
        for (
          const [names, missing] of [
            [{ channels: ["a", "b"] }, { kind: "channel", name: "b" }],
            [{ channels: ["a"], presence: true }, { kind: "channel", name: "a-pnpres" }],
            [{ channels: ["a"], groups: ["g", "h"] }, { kind: "group", name: "h" }]
          ] as const
        ) {
          const { fiber, seen } = yield* withToken(token)(collect(Subscribe.stream(names)))
          yield* VirtualTime.advance("1 minute")
          const explanation = { _tag: "NoSuchResource", right: "read", ...missing } as const
          const error = yield* Effect.flip(Fiber.join(fiber))
          assert.strictEqual(error._tag, "SubscribeError")
          if (error._tag !== "SubscribeError" || error.reason._tag !== "AccessDenied") return assert.fail(error.message)
          assert.deepInclude(error.reason.explanation, explanation)
          assert.include(error.message, "Grant read on it.")
          const reasons = seen.flatMap((event) => event._tag === "Interrupted" ? [event.reason] : [])
          assert.isNotEmpty(reasons)
          for (const reason of reasons) {
            if (reason._tag !== "AccessDenied") return assert.fail(reason._tag)
            assert.deepInclude(reason.explanation, explanation)
          }
        }
      }).pipe(Effect.provide(Layer.provideMerge(shared, service)))
  )

  it.effect("has the explanation of each reader's own token and context, when they share what can be shared", () =>
    Effect.gen(function*() {
      const { readers } = yield* PubNubEmulator.PubNubEmulator
      const none = yield* granted({ ttl: "1 hour", channels: { b: ["read"] } })
      const wrong = yield* granted({ ttl: "1 hour", channels: { a: ["write"], b: ["read"] } })
      const stream = Subscribe.stream({ channels: ["a"] })
      const listen = Subscribe.stream({ channels: ["b"] })
      // The first opens a connection, which those with another token or without explanations must not use.
      const holder = yield* withToken(none)(collect(listen))
      yield* withToken(Redacted.make(Redacted.value(none)))(collect(listen))
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* readers, 1)
      yield* withToken(wrong)(collect(listen))
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* readers, 2)
      const running = yield* Effect.all({
        nothing: withToken(none)(collect(stream)),
        missing: withToken(wrong)(collect(stream)),
        unexplained: withToken(wrong, Layer.empty)(collect(stream)),
        renamed: Effect.provide(Layer.merge(config({ authToken: none, userId: "bob" }), Access.layerExplanations))(
          collect(stream)
        )
      })
      yield* VirtualTime.advance("1 minute")
      const reasonOf = ({ fiber }: typeof running.nothing) =>
        Effect.map(
          Effect.flip(Fiber.join(fiber)),
          (error) =>
            error._tag === "SubscribeError" && error.reason._tag === "AccessDenied"
              ? error.reason.explanation?._tag
              : assert.fail(error.message)
        )
      assert.strictEqual(yield* reasonOf(running.nothing), "NoSuchResource")
      assert.strictEqual(yield* reasonOf(running.missing), "MissingRight")
      assert.strictEqual(yield* reasonOf(running.unexplained), undefined)
      assert.strictEqual(yield* reasonOf(running.renamed), "NoSuchResource")
      // Those whose channel the token allows go on.
      assert.strictEqual(holder.fiber.pollUnsafe(), undefined)
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), service))))
})
