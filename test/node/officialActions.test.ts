/** The official client adds, reads and removes message actions in the emulator, and hears of them, as with the service. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import { Timetoken } from "effect-herald/pubnub"
import { client, next, subscribed, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer())

const emulator = PubNubEmulatorServer.PubNubEmulatorServer.use(({ emulator }) => Effect.succeed(emulator))

const smile = { type: "reaction", value: "☺ smile" }

const codeOf = <A>(promise: () => Promise<A>) =>
  Effect.map(Effect.flip(Effect.tryPromise(promise)), ({ cause }) => cause)

it.live("the official client adds, reads and removes its own actions, and not those of others", () =>
  Effect.gen(function*() {
    const ada = yield* client("ada")
    const bob = yield* client("bob")
    const channel = "a b/☃"
    const { timetoken: messageTimetoken } = yield* theirs(() => ada.publish({ channel, message: "hi" }))
    const add = () => ada.addMessageAction({ channel, messageTimetoken, action: smile })
    const { data } = yield* theirs(add)
    assert.deepInclude(data, { ...smile, uuid: "ada", messageTimetoken } as object)
    assert.nestedPropertyVal(yield* codeOf(add), "status.statusCode", 409)

    const listed = yield* theirs(() => bob.getMessageActions({ channel }))
    assert.deepStrictEqual(listed.data, [data])
    const fetched = yield* theirs(() => bob.fetchMessages({ channels: [channel], includeMessageActions: true }))
    const [message] = Object.values(fetched.channels)[0] ?? []
    assert.deepStrictEqual((message as { actions?: unknown } | undefined)?.actions, {
      reaction: { [smile.value]: [{ uuid: "ada", actionTimetoken: data.actionTimetoken }] }
    })

    const removal = { channel, messageTimetoken, actionTimetoken: data.actionTimetoken }
    assert.nestedPropertyVal(yield* codeOf(() => bob.removeMessageAction(removal)), "status.statusCode", 400)
    yield* theirs(() => ada.removeMessageAction(removal))
    assert.deepStrictEqual((yield* theirs(() => bob.getMessageActions({ channel }))).data, [])
    assert.nestedPropertyVal(yield* codeOf(() => ada.removeMessageAction(removal)), "status.statusCode", 400)
  }).pipe(Effect.scoped, served))

it.live("the official client reads a range of actions, and pages through them", () =>
  Effect.gen(function*() {
    const { addAction } = yield* emulator
    const timetokens: Array<string> = []
    for (let index = 0; index < 12; index++) {
      const action = { type: "count", value: String(index), userId: "bob", messageTimetoken: "15610547826969050" }
      timetokens.push((yield* addAction({ channel: "a", ...action })).actionTimetoken)
    }
    const ada = yield* client("ada")
    const read = (options: { start?: string; end?: string; limit?: number }) =>
      theirs(() => ada.getMessageActions({ channel: "a", ...options }))
    const values = (options: { start?: string; end?: string; limit?: number }) =>
      Effect.map(read(options), ({ data }) => data.map(({ value }) => value).join())
    const [at3 = "", at7 = ""] = [timetokens[3], timetokens[7]]
    assert.strictEqual(yield* values({ limit: 2 }), "10,11")
    assert.strictEqual(yield* values({ start: at7 }), "0,1,2,3,4,5,6")
    assert.strictEqual(yield* values({ end: at7 }), "7,8,9,10,11")
    assert.strictEqual(yield* values({ start: at7, end: at3, limit: 3 }), "4,5,6")

    const first = yield* read({ limit: 5 })
    assert.deepInclude(first.more, { start: at7, limit: 5 })
    assert.strictEqual(yield* values({ start: first.start ?? "", limit: 5 }), "2,3,4,5,6")
  }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer({ moreActions: true }))))

it.live("the official client's listeners receive added and removed actions", () =>
  Effect.gen(function*() {
    const ada = yield* client("ada")
    const heard = yield* subscribed(yield* client("bob"), { channels: ["a"] })
    const { timetoken: messageTimetoken } = yield* theirs(() => ada.publish({ channel: "a", message: "hi" }))
    const { data } = yield* theirs(() => ada.addMessageAction({ channel: "a", messageTimetoken, action: smile }))
    yield* theirs(() =>
      ada.removeMessageAction({ channel: "a", messageTimetoken, actionTimetoken: data.actionTimetoken })
    )
    for (const event of ["added", "removed"]) {
      const action = yield* next(heard, ({ kind }) => kind === "messageAction")
      assert.deepInclude(action, { event, channel: "a", publisher: "ada", data })
    }
  }).pipe(Effect.scoped, served))

it.live("the official client treats 207 for an action as a success", () =>
  Effect.gen(function*() {
    const { actions, withholdActions } = yield* emulator
    yield* withholdActions(1)
    const ada = yield* client("ada")
    const { data } = yield* theirs(() =>
      ada.addMessageAction({ channel: "a", messageTimetoken: "15610547826969050", action: smile })
    )
    const { actionTimetoken, uuid: userId, ...action } = data
    assert.deepStrictEqual(yield* actions({ channel: "a" }), [
      { ...action, userId, actionTimetoken: Timetoken.Timetoken.make(actionTimetoken) }
    ])
  }).pipe(Effect.scoped, served))

it.live("the official client gets 403 for actions when persistence is off", () =>
  Effect.gen(function*() {
    const { setAddOns } = yield* emulator
    yield* setAddOns({ persistence: false })
    const ada = yield* client("ada")
    const refusal = yield* codeOf(() => ada.getMessageActions({ channel: "a" }))
    assert.nestedPropertyVal(refusal, "status.statusCode", 403)
  }).pipe(Effect.scoped, served))
