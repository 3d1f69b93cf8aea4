/**
 * A bridge: orders of a PubNub channel go to a Symphony room, and what people say there goes to another channel. It is
 * killed twice, each time after a message was taken and before it could know. Nothing is lost, nothing is seen twice, and
 * nothing goes round in circles.
 *
 * `node --conditions=effect-herald-source docs/examples/bridge.ts` runs it on both emulators. With the argument `bridge`
 * it is the bridge alone, with its settings from the environment.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as CursorStore from "effect-herald/CursorStore"
import { Listener, NodePubNub, NodeSymphony, PubNubEmulatorServer } from "effect-herald/node"
import { Publisher, Subscribe, type SubscribeEvent, Timetoken } from "effect-herald/pubnub"
import { Datafeed, type DatafeedEvent, Ids, MessageML, Messages } from "effect-herald/symphony"
import { SymphonyEmulator } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"

const Order = Schema.Struct({ id: Schema.Int, item: Schema.String })
const Reply = Schema.Struct({ from: Schema.String, text: Schema.String })

// --- the bridge

/** Travels in each message that the bridge posts, and says what it was made of. */
const Origin = MessageML.entity({
  type: "com.example.bridge",
  version: "1.0",
  schema: Schema.Struct({ timetoken: Schema.String })
})

/** Whether an order is in the room. It came after it was published; a minute is left for clocks that differ. */
const isPosted = (streamId: string, timetoken: Timetoken.Timetoken) =>
  Messages.stream({ streamId, since: DateTime.subtract(Timetoken.toDateTime(timetoken), { minutes: 1 }) }).pipe(
    Stream.filter(UndecodableItem.isDecoded),
    Stream.mapEffect((message) => Effect.orElseSucceed(Origin.read(message), () => [])),
    Stream.filter((origins) => origins.some((origin) => origin.timetoken === timetoken)),
    Stream.runHead,
    Effect.map(Option.isSome)
  )

// After a kill, or an answer that did not come, an order is handled again. Symphony cannot tell a second copy: so it looks.
// Only a request that is still on its way while it looks can escape it.
const post = Effect.fnUntraced(function*(streamId: string, order: SubscribeEvent.Message<typeof Order.Type>) {
  const { payload: { id, item }, timetoken } = order
  if (yield* isPosted(streamId, timetoken)) return yield* Console.log(`   order ${id} is in the room already`)
  const message = yield* Effect.orDie(Origin.make("origin", { timetoken }, `Order ${id}: ${item}`))
  yield* Messages.send({ streamId, message }).pipe(
    Effect.tapErrorTag("MessageOutcomeUnknown", () => Console.log(`   order ${id}: no answer. Was it posted?`))
  )
  yield* Console.log(`   order ${id} -> room`)
})

const again = Schedule.spaced("250 millis").pipe(
  Schedule.setInputType<Messages.SendError>(),
  Schedule.while(({ input }) => Effect.succeed(input.isRetryable || input._tag === "MessageOutcomeUnknown"))
)

const ordersToRoom = (streamId: string) =>
  Subscribe.consume((order) => post(streamId, order), {
    channels: ["orders"],
    schema: Order,
    reader: "bridge",
    retry: again
  })

// PubNub's readers can tell a second copy, by its id: so it just publishes again.
const publish = Effect.fnUntraced(function*({ message }: DatafeedEvent.MessageSent) {
  const { text } = yield* Effect.orElseSucceed(MessageML.read(message), () => ({ text: message.message ?? "" }))
  yield* Publisher.publish({
    channel: "replies",
    message: { from: message.user?.displayName ?? "?", text },
    schema: Reply,
    meta: { [Publisher.messageIdKey]: message.messageId }
  })
  yield* Console.log(`   "${text}" -> replies`)
})

// The feed leaves out what the bot does itself: no order comes back as a reply.
const roomToReplies = (streamId: string) =>
  Datafeed.consume(
    (event) =>
      event._tag === "MessageSent" && event.message.stream?.streamId === Ids.toUrlSafe(streamId)
        ? publish(event)
        : Effect.void,
    { tag: "bridge" }
  )

const ended = (service: string) => (error: { readonly message: string }) =>
  Console.log(`!! ${service} ended the bridge: ${error.message}`).pipe(
    Effect.andThen(Effect.sync(() => {
      process.exitCode = 1
    }))
  )

const cursors = Layer.unwrap(Effect.map(Config.String("BRIDGE_CURSORS"), CursorStore.layerFileSystem))

const services = Layer.mergeAll(
  Publisher.layer({ messageIds: true, resendUnknown: true }),
  cursors
).pipe(
  Layer.provideMerge(Layer.merge(NodePubNub.layerConfig(), NodeSymphony.layerConfig())),
  Layer.provide(NodeServices.layer)
)

// What ends the bridge was not committed, and comes again when it is started again.
const bridge = Effect.gen(function*() {
  const streamId = yield* Config.String("BRIDGE_ROOM")
  yield* Effect.all([ordersToRoom(streamId), roomToReplies(streamId)], { concurrency: "unbounded", discard: true })
}).pipe(
  Effect.catchTags({
    SubscribeError: ended("PubNub"),
    PubNubError: ended("PubNub"),
    MessageTooLarge: ended("PubNub"),
    PublishOutcomeUnknown: ended("PubNub"),
    PublisherClosed: ended("PubNub"),
    SymphonyError: ended("Symphony"),
    MessageOutcomeUnknown: ended("Symphony"),
    CursorStoreError: ended("The disk")
  }),
  Effect.provide(services)
)

// --- the world around it, which kills it

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(condition, { until: (met) => met, schedule: Schedule.spaced("5 millis") }).pipe(
    Effect.timeout("20 seconds")
  )

const world = Effect.gen(function*() {
  const { emulator: pubnub, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
  const symphony = yield* SymphonyEmulator.make({ latency: Effect.succeed("100 millis"), visibility: "1 second" })
  let isBusy = false
  const answer = (request: SymphonyEmulator.Request) => {
    if (!isBusy || !request.target.endsWith("/message/create")) return symphony.handle(request)
    isBusy = false
    return Effect.succeed({ status: 503, headers: {}, body: "" })
  }
  const { port } = yield* Listener.serve((request) => Effect.suspend(() => answer(request)), {})
  const { privateKey, publicKey } = yield* SymphonyEmulator.keyPair
  yield* symphony.addUser({ username: "bridge-bot", publicKey })
  yield* symphony.addUser({ username: "ada" })
  const room = yield* symphony.createStream({ type: "ROOM", name: "Orders", members: ["ada", "bridge-bot"] })

  const order = (id: number, item: string) => pubnub.publish({ channel: "orders", message: { id, item } })
  const say = (message: string) => symphony.send({ streamId: room, username: "ada", message })
  const posted = Effect.map(
    symphony.messages({ streamId: room }),
    (messages) => messages.flatMap(({ text, username }) => username === "bridge-bot" ? [text] : [])
  )
  const published = Effect.map(pubnub.messages({ channel: "replies" }), ({ length }) => length)
  const replies: Array<string> = []
  yield* Subscribe.messages({ channels: ["replies"], schema: Reply }).pipe(
    Stream.runForEach(({ payload: { from, text } }) => Effect.sync(() => replies.push(`${from}: ${text}`))),
    Effect.provide(NodePubNub.layer({ subscribeKey: "demo-sub", userId: "shop", origin, tls: false })),
    Effect.forkScoped
  )

  const environment = {
    PATH: process.env["PATH"],
    BRIDGE_ROOM: room,
    BRIDGE_CURSORS: yield* FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()),
    PUBNUB_SUBSCRIBE_KEY: "demo-sub",
    PUBNUB_PUBLISH_KEY: "demo-pub",
    PUBNUB_USER_ID: "bridge",
    PUBNUB_ORIGIN: origin,
    PUBNUB_TLS: "false",
    SYMPHONY_SCHEME: "http",
    SYMPHONY_HOST: "127.0.0.1",
    SYMPHONY_PORT: String(port),
    SYMPHONY_BOT_USERNAME: "bridge-bot",
    SYMPHONY_BOT_PRIVATE_KEY: Redacted.value(privateKey)
  }
  const start = Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [...process.execArgv, import.meta.filename, "bridge"], {
        env: environment,
        stdio: "inherit"
      })
    ),
    (bridge) => Effect.sync(() => bridge.kill("SIGKILL"))
  )
  const kill = (bridge: Effect.Success<typeof start>, when: string) =>
    Effect.andThen(Effect.sync(() => bridge.kill("SIGKILL")), Console.log(`!! killed when ${when}`))

  const first = yield* start
  yield* until(Effect.map(Effect.all([pubnub.readers, symphony.readers]), ([a, b]) => a === 2 && b === 1))
  yield* order(1, "tea")
  yield* say("Who wants tea?")
  yield* until(Effect.map(posted, (posted) => posted.length === 1 && replies.length === 1))
  yield* until(Effect.map(symphony.feeds, ([feed]) => feed?.pending === 0))
  yield* order(2, "milk")
  yield* until(Effect.map(posted, ({ length }) => length === 2))
  yield* kill(first, "order 2 was in the room, and the bridge did not know")
  yield* order(3, "bread")

  const second = yield* start
  yield* until(Effect.map(posted, ({ length }) => length === 3))
  yield* say("No more milk")
  yield* until(Effect.map(published, (length) => length === 2))
  yield* kill(second, "the reply was published, and the bridge did not know")
  yield* say("Milk is back")

  const third = yield* start
  isBusy = true
  yield* order(4, "honey")
  yield* until(Effect.map(Effect.all([posted, published]), ([posted, n]) => posted.length === 4 && n === 4))
  yield* until(Effect.sync(() => replies.length >= 3))

  // Refused for good: the bridge cannot go on.
  yield* symphony.removeMember({ streamId: room, username: "bridge-bot" })
  yield* order(5, "salt")
  yield* until(Effect.sync(() => third.exitCode !== null))

  assert.equal(third.exitCode, 1)
  assert.deepEqual(yield* posted, ["Order 1: tea", "Order 2: milk", "Order 3: bread", "Order 4: honey"])
  assert.deepEqual(replies, ["ada: Who wants tea?", "ada: No more milk", "ada: Milk is back"])
  yield* Console.log("orders 4, each posted once; replies 3, published 4 times, each read once")
}).pipe(
  Effect.scoped,
  Effect.provide([PubNubEmulatorServer.layer({ latency: Effect.succeed("100 millis") }), NodeServices.layer])
)

if (process.argv[2] === "bridge") NodeRuntime.runMain(bridge)
else NodeRuntime.runMain(world)
