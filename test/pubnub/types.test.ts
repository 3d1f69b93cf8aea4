/**
 * What the compiler infers: requirements, errors and reasons, to the letter. These hold when `npm run check` passes.
 * `docs/compiler.test.ts` shows what must not compile, and what an editor shows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type {
  AccessExplanation,
  AppContext,
  MessageAction,
  Objects,
  Relations,
  SubscribeError,
  SubscribeStatus
} from "effect-herald/pubnub"
import {
  Access,
  type AccessToken,
  Channels,
  Encryption,
  History,
  Members,
  Memberships,
  MessageActions,
  ObjectFilter,
  Presence,
  Publish,
  PubNubConfig,
  type PubNubError,
  RenewingToken,
  Subscribe,
  SubscribeEvent,
  Time,
  Timetoken,
  Users
} from "effect-herald/pubnub"
import type * as CursorStore from "effect-herald/CursorStore"
import type { Live } from "effect-herald/Live"
import type * as UndecodableItem from "effect-herald/UndecodableItem"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(value: T): void => assert.isTrue(value)

type Odd = UndecodableItem.UndecodableItem
type Needs = HttpClient.HttpClient | PubNubConfig.PubNubConfig
type ReasonsOf<E> = E extends PubNubError.PubNubError ? E["reason"]["_tag"] : never

it("a token is a value, a source that renews it and needs nothing more, or a reference", () => {
  holds<
    Equal<
      PubNubConfig.Options["authToken"],
      | Redacted.Redacted
      | RenewingToken.RenewingToken
      | SubscriptionRef.SubscriptionRef<Redacted.Redacted>
      | undefined
    >
  >(true)
  holds<Equal<PubNubConfig.PubNubConfig["Service"]["authToken"], PubNubConfig.Options["authToken"]>>(true)
})

it("a grant has only the rights that a resource has, and its errors are known", () => {
  const grant = (options: Omit<Access.GrantOptions, "ttl">) => Access.grant({ ttl: "1 hour", ...options })
  const grants = [
    grant({ channels: { a: ["read", "join"] }, groups: { g: ["manage"] }, users: { u: ["delete"] } }),
    // @ts-expect-error a group cannot be written
    grant({ groups: { g: ["write"] } }),
    // @ts-expect-error a user cannot be read
    grant({ patterns: { users: { "^u$": ["read"] } } }),
    // @ts-expect-error all channels can be listed only
    grant({ categories: { channels: ["read"] } })
  ]
  assert.isTrue(grants.every(Effect.isEffect))
  const granted = grant({ channels: { a: ["read"] } })
  holds<Equal<typeof granted, Effect.Effect<Redacted.Redacted, PubNubError.PubNubError, Needs>>>(true)
  const token = Redacted.make("t")
  const wrong = [
    // @ts-expect-error a group cannot be written
    Access.explain(token, { kind: "group", name: "g", right: "write" }),
    // @ts-expect-error no such function
    Access.explain(token, { operation: "Publish.nothing" })
  ]
  assert.isTrue(wrong.every(Effect.isEffect))
  const explained = Access.explain(token, { kind: "channel", name: "a", right: "read" })
  holds<
    Equal<
      typeof explained,
      Effect.Effect<
        AccessExplanation.AccessExplanation,
        AccessToken.InvalidToken | PubNubError.PubNubErrorOf<PubNubError.BadRequest>
      >
    >
  >(true)
})

it("an encryption fails with BadRequest and nothing else, and its streams with Undecryptable as well", () => {
  type Refused = PubNubError.PubNubErrorOf<PubNubError.BadRequest>
  const options = { key: Redacted.make("k") }
  const made = Encryption.make(options)
  const layer = Encryption.layer(options)
  holds<Equal<typeof made, Effect.Effect<Encryption.Encryption, Refused>>>(true)
  holds<Equal<typeof layer, Layer.Layer<never, Refused>>>(true)
  const opened = ({ decryptBytes, encryptBytes, openAll, seal }: Encryption.Encryption) => ({
    sealed: seal("1"),
    all: openAll([]),
    encrypted: encryptBytes(Stream.fail("lost")),
    decrypted: decryptBytes(Stream.fail("lost"))
  })
  type Opened = ReturnType<typeof opened>
  holds<Equal<Opened["sealed"], Effect.Effect<string>>>(true)
  holds<Equal<Opened["all"], Effect.Effect<ReadonlyArray<Encryption.Opened>>>>(true)
  holds<Equal<Opened["encrypted"], Stream.Stream<Uint8Array, string>>>(true)
  holds<Equal<Opened["decrypted"], Stream.Stream<Uint8Array, string | Encryption.Undecryptable>>>(true)
})

it("the layer of a configuration needs what its token needs, and nothing without one", () => {
  const keys = { subscribeKey: "s", userId: "u" }
  const none = PubNubConfig.layer(keys)
  const fixed = PubNubConfig.layer({ ...keys, authToken: Redacted.make("t") })
  const free = PubNubConfig.layer({ ...keys, authToken: RenewingToken.make(Effect.succeed(Redacted.make("t"))) })
  const needy = PubNubConfig.layer({
    ...keys,
    authToken: RenewingToken.make(Effect.as(HttpClient.HttpClient, Redacted.make("t")))
  })
  holds<Equal<Layer.Services<typeof none>, never>>(true)
  holds<Equal<Layer.Services<typeof fixed>, never>>(true)
  holds<Equal<Layer.Services<typeof free>, never>>(true)
  holds<Equal<Layer.Services<typeof needy>, HttpClient.HttpClient>>(true)
})

describe("endpoints", () => {
  const publish = Publish.publish({ channel: "a", message: 1 })
  const signal = Publish.signal({ channel: "a", message: 1 })

  it("need the transport and the configuration, and no more", () => {
    holds<Equal<Effect.Services<typeof publish>, Needs>>(true)
    holds<Equal<Effect.Services<typeof signal>, Needs>>(true)
    holds<Equal<Effect.Services<typeof Time.now>, Needs>>(true)
  })

  it("have exact error types", () => {
    holds<
      Equal<Effect.Error<typeof publish>["_tag"], "MessageTooLarge" | "PublishOutcomeUnknown" | "PubNubError">
    >(true)
    holds<
      Equal<
        ReasonsOf<Effect.Error<typeof publish>>,
        | "Transport"
        | "RateLimited"
        | "AccessDenied"
        | "TokenUnavailable"
        | "InvalidKey"
        | "FeatureDisabled"
        | "BadRequest"
        | "ServerFailure"
        | "Malformed"
      >
    >(true)
    holds<
      Equal<
        ReasonsOf<Effect.Error<typeof Time.now>>,
        "Transport" | "Timeout" | "RateLimited" | "BadRequest" | "ServerFailure" | "Malformed"
      >
    >(true)
    const to = { channel: "a", messageTimetoken: Timetoken.Timetoken.make("17905741246383965") }
    const add = MessageActions.add({ ...to, type: "reaction", value: "👍" })
    const remove = MessageActions.remove({ ...to, actionTimetoken: to.messageTimetoken })
    const list = MessageActions.list({ channel: "a" })
    holds<Equal<Effect.Error<typeof add>["_tag"], "ActionExists" | "ActionNotAnnounced" | "PubNubError">>(true)
    holds<
      Equal<
        Effect.Error<typeof remove>["_tag"],
        "ActionNotFound" | "ActionOfAnotherUser" | "ActionNotAnnounced" | "PubNubError"
      >
    >(true)
    holds<Equal<Effect.Error<typeof list>, PubNubError.PubNubError>>(true)
    holds<Equal<Effect.Services<typeof add>, Needs>>(true)
    holds<Equal<Effect.Services<typeof remove>, Needs>>(true)
    holds<Equal<Effect.Services<typeof list>, Needs>>(true)
    const size = Publish.size({ channel: "a", message: 1 })
    holds<Equal<ReasonsOf<Effect.Error<typeof size>>, "BadRequest">>(true)
    holds<Equal<Effect.Services<typeof size>, never>>(true)
  })

  it("let a loop over pages compile without annotation, and have only the included fields", () => {
    const loop = Effect.gen(function*() {
      let next, page
      do {
        page = yield* History.list({ channel: "a", next, include: ["meta", "actions"], schema: Schema.Int })
        next = page.next
      } while (next)
      return page
    })
    holds<Equal<Effect.Success<typeof loop>["items"], ReadonlyArray<History.Stored<number, "meta" | "actions">>>>(true)
    holds<Equal<keyof History.StoredMessage, keyof History.Entry | "_tag" | "payload" | "meta">>(true)
    holds<Equal<keyof History.StoredMessage<1, "actions">, keyof History.Entry | "_tag" | "payload" | "actions">>(true)
  })

  it("give each reason as an error with message and isRetryable after unwrapReason", () => {
    const unwrapped = Time.now.pipe(Effect.unwrapReason("PubNubError"))
    holds<
      Equal<
        Effect.Error<typeof unwrapped>["_tag"],
        "Transport" | "Timeout" | "RateLimited" | "BadRequest" | "ServerFailure" | "Malformed"
      >
    >(true)
    holds<Equal<Effect.Error<typeof unwrapped>["isRetryable"], boolean>>(true)
    const handled = unwrapped.pipe(Effect.catchTags({
      Transport: (reason) => Effect.succeed(reason.message),
      Timeout: () => Effect.succeed(0),
      RateLimited: (reason) => Effect.succeed(reason.retryAfter),
      BadRequest: () => Effect.succeed(1),
      ServerFailure: () => Effect.succeed(2),
      Malformed: () => Effect.succeed(3)
    }))
    holds<Equal<Effect.Error<typeof handled>, never>>(true)
  })
})

describe("streams", () => {
  class Decoder extends Schema.Class<Decoder>("Decoder")({ id: Schema.Int }) {}

  it("require transport and configuration, and the services of schema and handlers", () => {
    const all = Subscribe.stream({ channels: ["a"] })
    holds<Equal<typeof all, Stream.Stream<SubscribeEvent.SubscribeEvent, SubscribeError.SubscribeError, Needs>>>(true)
    const orders = Subscribe.stream({ channels: ["a"], schema: Decoder })
    holds<
      Equal<typeof orders, Stream.Stream<SubscribeEvent.SubscribeEvent<Decoder>, SubscribeError.SubscribeError, Needs>>
    >(
      true
    )
    const messages = Subscribe.messages({
      channels: ["a"],
      schema: Decoder,
      onStatus: (notice) => notice._tag === "Gap" ? Effect.fail("gap" as const) : Effect.void
    })
    holds<
      Equal<
        typeof messages,
        Stream.Stream<SubscribeEvent.Message<Decoder>, SubscribeError.SubscribeError | "gap", Needs>
      >
    >(true)
    const statuses = Subscribe.statuses({ channels: ["a"] })
    holds<Equal<typeof statuses, Stream.Stream<SubscribeStatus.Status, SubscribeError.SubscribeError, Needs>>>(true)
    const live = Presence.live({ channel: "a" })
    type LiveError = SubscribeError.SubscribeError | PubNubError.PubNubError
    holds<
      Equal<
        typeof live,
        Effect.Effect<
          SubscriptionRef.SubscriptionRef<Live<Presence.Occupancy, LiveError>>,
          LiveError,
          Needs | Scope.Scope
        >
      >
    >(true)
    const actions = MessageActions.stream({ channel: "a" })
    holds<Equal<typeof actions, Stream.Stream<MessageAction.MessageAction | Odd, PubNubError.PubNubError, Needs>>>(
      true
    )
    const reactions = MessageActions.live({ channel: "a", last: 20 })
    holds<
      Equal<
        typeof reactions,
        Effect.Effect<
          SubscriptionRef.SubscriptionRef<Live<ReadonlyMap<string, MessageActions.Reactions>, LiveError>>,
          LiveError,
          Needs | Scope.Scope
        >
      >
    >(true)
  })

  it("require a CursorStore when durable, and lose the handler's error with a dead letter", () => {
    const pages = Subscribe.pages({ channels: ["a"], reader: "r", schema: Decoder })
    holds<
      Equal<
        typeof pages,
        Stream.Stream<
          Subscribe.Page<Decoder>,
          SubscribeError.SubscribeError | CursorStore.CursorStoreError,
          Needs | CursorStore.CursorStore
        >
      >
    >(true)
    type Failure = SubscribeError.SubscribeError | CursorStore.CursorStoreError
    const failing = (_message: SubscribeEvent.Message<Decoder>) => Effect.fail("declined" as const)
    const bare = Subscribe.consume(failing, { channels: ["a"], reader: "r", schema: Decoder })
    holds<Equal<Effect.Error<typeof bare>, Failure | "declined">>(true)
    const lettered = Subscribe.consume(failing, {
      channels: ["a"],
      reader: "r",
      schema: Decoder,
      deadLetter: (message, error) => Effect.log(message.payload.id, error)
    })
    holds<Equal<Effect.Error<typeof lettered>, Failure>>(true)
    holds<Equal<Effect.Services<typeof lettered>, Needs | CursorStore.CursorStore>>(true)
  })

  it("fail only with reasons that no retry can mend", () => {
    holds<
      Equal<
        SubscribeError.SubscribeError["reason"]["_tag"],
        "AccessDenied" | "InvalidKey" | "FeatureDisabled" | "BadRequest" | "Exhausted" | "InboxOverflow" | "Defect"
      >
    >(true)
  })
})

describe("App Context", () => {
  const Person = Schema.Struct({ born: Schema.DateTimeUtc })
  type Person = typeof Person.Type
  const People = Users.withCustom(Person)
  type Parts<U> = Exclude<keyof U, keyof Users.Profile>

  it("a user has the parts that were included", () => {
    const usual = Users.get()
    holds<Equal<Parts<Effect.Success<typeof usual>>, "status" | "type">>(true)
    const custom = Users.get({ id: "ada", include: ["custom"] })
    holds<Equal<Effect.Success<typeof custom>, Users.User<"custom">>>(true)
    const bare = Users.set({ include: [] })
    holds<Equal<Parts<Effect.Success<typeof bare>>, never>>(true)
    const computed = Users.list({ include: [] as ReadonlyArray<AppContext.Part> })
    holds<Equal<Parts<Exclude<Effect.Success<typeof computed>["items"][number], Odd>>, "custom" | "status" | "type">>(
      true
    )
    const live = Users.live()
    holds<
      Equal<
        Effect.Success<typeof live>,
        SubscriptionRef.SubscriptionRef<
          Live<Users.User<AppContext.Part> | undefined, PubNubError.PubNubError | SubscribeError.SubscribeError>
        >
      >
    >(true)
    const channels = Channels.stream({ include: ["type"] })
    holds<Equal<typeof channels, Stream.Stream<Channels.Channel<"type"> | Odd, PubNubError.PubNubError, Needs>>>(true)
  })

  it("has exact error types", () => {
    const get = Users.get()
    holds<Equal<Effect.Error<typeof get>["_tag"], "PubNubError" | "ObjectNotFound">>(true)
    const list = Channels.list()
    holds<Equal<Effect.Error<typeof list>, PubNubError.PubNubError>>(true)
    const set = Users.set({ name: "Ada" })
    holds<Equal<Effect.Error<typeof set>, PubNubError.PubNubError>>(true)
    const setIf = Channels.set({ id: "a", ifMatchesEtag: "" as AppContext.Etag })
    holds<Equal<Effect.Error<typeof setIf>["_tag"], "PubNubError" | "ObjectChanged" | "UpdateOutcomeUnknown">>(true)
    const maybe = Users.set({ name: "Ada", ifMatchesEtag: undefined as AppContext.Etag | undefined })
    holds<Equal<Effect.Error<typeof maybe>, Effect.Error<typeof setIf>>>(true)
    const never = Users.set({ name: "Ada", ifMatchesEtag: undefined })
    holds<Equal<Effect.Error<typeof never>, PubNubError.PubNubError>>(true)
    const given = (options: Objects.SetOptions<Users.UserKind, "type">) => Users.set(options)
    holds<Equal<Effect.Error<ReturnType<typeof given>>, Effect.Error<typeof setIf>>>(true)
    holds<Equal<Effect.Success<ReturnType<typeof given>>, Users.User<"type">>>(true)
    const generic = <P extends AppContext.Part>(
      include: ReadonlyArray<P>
    ): Effect.Effect<Users.User<P>, PubNubError.PubNubError | AppContext.ObjectNotFound, Needs> =>
      Users.get({ include })
    holds<Equal<Effect.Success<ReturnType<typeof generic<"custom">>>, Users.User<"custom">>>(true)
    const update = Users.update({}, () => ({}))
    holds<
      Equal<
        Effect.Error<typeof update>["_tag"],
        "PubNubError" | "ObjectNotFound" | "ObjectChanged" | "UpdateOutcomeUnknown"
      >
    >(true)
    holds<Equal<Effect.Services<typeof update>, Needs>>(true)
    const remove = Channels.remove({ id: "a" })
    holds<Equal<typeof remove, Effect.Effect<void, PubNubError.PubNubError, Needs>>>(true)
    const typed = People.get({ include: ["custom"] })
    holds<Equal<Effect.Error<typeof typed>["_tag"], "PubNubError" | "ObjectNotFound" | "CustomMismatch">>(true)
    holds<Equal<Effect.Success<typeof typed>, Users.User<"custom", Person>>>(true)
  })

  it("requires the services of a schema, to decode and to encode", () => {
    class Decoding extends Context.Service<Decoding, string>()("Decoding") {}
    class Encoding extends Context.Service<Encoding, string>()("Encoding") {}
    const rooms = (schema: Schema.Codec<Person, Schema.Json, Decoding, Encoding>) => {
      const Rooms = Channels.withCustom(schema)
      return [
        Rooms.get({ id: "a" }),
        Rooms.set({ id: "a" }),
        Rooms.update({ id: "a" }, () => ({})),
        Rooms.remove({ id: "a" })
      ] as const
    }
    type Rooms = ReturnType<typeof rooms>
    holds<Equal<Effect.Services<Rooms[0]>, Needs | Decoding>>(true)
    holds<Equal<Effect.Services<Rooms[1]>, Needs | Decoding | Encoding>>(true)
    holds<Equal<Effect.Services<Rooms[2]>, Needs | Decoding | Encoding>>(true)
    holds<Equal<Effect.Services<Rooms[3]>, Needs>>(true)
  })

  it("a filter has the names of its fields in its type", () => {
    const filter = ObjectFilter.or(
      ObjectFilter.equals("name", "a"),
      ObjectFilter.not(ObjectFilter.like("user.email", "b*"))
    )
    holds<Equal<typeof filter, ObjectFilter.Filter<"name" | "user.email">>>(true)
  })

  it("typed events have typed custom data", () => {
    holds<
      Equal<ReturnType<typeof People.event>, Effect.Effect<SubscribeEvent.UserEvent<Person>, AppContext.CustomMismatch>>
    >(
      true
    )
  })
})

describe("memberships and members", () => {
  const Seat = Schema.Struct({ since: Schema.DateTimeUtc })
  type Seat = typeof Seat.Type
  const Seats = Memberships.withCustom(Seat)
  type Item<T> = T extends Effect.Effect<AppContext.Page<infer A>, infer _E, infer _R> ? A : never
  type Parts<T> = Exclude<keyof Item<T>, keyof Memberships.Membership | keyof Members.Member>

  it("have the included parts, and none by default", () => {
    const bare = Memberships.list()
    holds<Equal<Parts<typeof bare>, never>>(true)
    const some = Memberships.list({ include: ["custom", "channel.status"] })
    holds<Equal<Item<typeof some>, Memberships.Membership<"custom" | "channel.status">>>(true)
    holds<Equal<Parts<typeof some>, "custom" | "channel">>(true)
    holds<Equal<Item<typeof some>["channel"], Channels.Channel<"status"> | undefined>>(true)
    const channel = Memberships.remove({ channels: ["a"], include: ["channel", "type"] })
    holds<Equal<Item<typeof channel>["channel"], Channels.Channel<never> | undefined>>(true)
    const user = Members.set({ channel: "a", users: ["b"], include: ["user.custom", "user.type"] })
    holds<Equal<Parts<typeof user>, "user">>(true)
    holds<Equal<Item<typeof user>["user"], Users.User<"custom" | "type"> | undefined>>(true)
    const computed = Members.manage({ channel: "a", set: ["b"], include: [] as ReadonlyArray<Members.Part> })
    holds<Equal<Parts<typeof computed>, "custom" | "status" | "type" | "user">>(true)
    const rows: ReadonlyArray<Members.Member<Members.Part>> = []
    const back = Members.set({ channel: "a", users: rows })
    holds<Equal<Parts<typeof back>, never>>(true)
    const memberships: ReadonlyArray<Memberships.Membership<Memberships.Part>> = []
    void Memberships.manage({ set: memberships, remove: memberships })
    const input: Relations.Input<Members.MemberKind> = { userId: "a", custom: Option.none() } satisfies Members.Input
    assert.strictEqual(input.userId, "a")
    const stream = Members.stream({ channel: "a", include: ["status"] })
    holds<Equal<typeof stream, Stream.Stream<Members.Member<"status"> | Odd, PubNubError.PubNubError, Needs>>>(true)
  })

  it("have exact error types", () => {
    const set = Memberships.set({ channels: ["a"] })
    holds<Equal<Effect.Error<typeof set>, PubNubError.PubNubError>>(true)
    holds<Equal<Effect.Services<typeof set>, Needs>>(true)
    const update = Members.update({ channel: "a", userId: "b" }, () => ({ status: "x" }))
    holds<Equal<Effect.Error<typeof update>["_tag"], "PubNubError" | "ObjectNotFound" | "UpdateOutcomeUnknown">>(true)
    holds<Equal<Effect.Success<typeof update>, Members.Member<"custom" | "status" | "type">>>(true)
    const typed = Seats.list({ include: ["custom"] })
    holds<Equal<Effect.Error<typeof typed>, PubNubError.PubNubError>>(true)
    holds<Equal<Item<typeof typed>, Memberships.Membership<"custom", Seat>>>(true)
    holds<
      Equal<
        ReturnType<typeof Seats.event>,
        Effect.Effect<SubscribeEvent.MembershipEvent<Seat>, AppContext.CustomMismatch>
      >
    >(
      true
    )
  })

  it("require the services of a schema, to decode and to encode", () => {
    class Decoding extends Context.Service<Decoding, string>()("Decoding") {}
    class Encoding extends Context.Service<Encoding, string>()("Encoding") {}
    const all = (schema: Schema.Codec<Seat, Schema.Json, Decoding, Encoding>) => {
      const Guests = Members.withCustom(schema)
      return [
        Guests.list({ channel: "a" }),
        Guests.remove({ channel: "a", users: ["b"] }),
        Guests.set({ channel: "a", users: ["b"] }),
        Guests.manage({ channel: "a", remove: ["b"] }),
        Guests.update({ channel: "a", userId: "b" }, () => ({}))
      ] as const
    }
    type All = ReturnType<typeof all>
    holds<Equal<Effect.Services<All[0 | 1]>, Needs | Decoding>>(true)
    holds<Equal<Effect.Services<All[2 | 3 | 4]>, Needs | Decoding | Encoding>>(true)
  })
})

describe("schemas and interfaces are equal", () => {
  it("events", () => {
    const message = SubscribeEvent.Message(Schema.Json)
    const signal = SubscribeEvent.Signal(Schema.Json)
    const event = SubscribeEvent.SubscribeEvent(Schema.Json)
    type Mutual<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false
    holds<Mutual<typeof message.Type, SubscribeEvent.Message>>(true)
    holds<Mutual<typeof signal.Type, SubscribeEvent.Signal>>(true)
    holds<Mutual<(typeof SubscribeEvent.FileShared)["Type"], SubscribeEvent.FileShared>>(true)
    holds<Mutual<(typeof SubscribeEvent.Joined)["Type"], SubscribeEvent.Joined>>(true)
    holds<Mutual<(typeof SubscribeEvent.Left)["Type"], SubscribeEvent.Left>>(true)
    holds<Mutual<(typeof SubscribeEvent.TimedOut)["Type"], SubscribeEvent.TimedOut>>(true)
    holds<Mutual<(typeof SubscribeEvent.StateChanged)["Type"], SubscribeEvent.StateChanged>>(true)
    holds<Mutual<(typeof SubscribeEvent.Interval)["Type"], SubscribeEvent.Interval>>(true)
    holds<Mutual<(typeof SubscribeEvent.MessageActionAdded)["Type"], SubscribeEvent.MessageActionAdded>>(true)
    holds<Mutual<(typeof SubscribeEvent.MessageActionRemoved)["Type"], SubscribeEvent.MessageActionRemoved>>(true)
    holds<Mutual<(typeof SubscribeEvent.UserSet)["Type"], SubscribeEvent.UserSet>>(true)
    holds<Mutual<(typeof SubscribeEvent.UserRemoved)["Type"], SubscribeEvent.UserRemoved>>(true)
    holds<Mutual<(typeof SubscribeEvent.ChannelSet)["Type"], SubscribeEvent.ChannelSet>>(true)
    holds<Mutual<(typeof SubscribeEvent.ChannelRemoved)["Type"], SubscribeEvent.ChannelRemoved>>(true)
    holds<Mutual<(typeof SubscribeEvent.MembershipSet)["Type"], SubscribeEvent.MembershipSet>>(true)
    holds<Mutual<(typeof SubscribeEvent.MembershipRemoved)["Type"], SubscribeEvent.MembershipRemoved>>(true)
    holds<Mutual<(typeof SubscribeEvent.Undecodable)["Type"], SubscribeEvent.Undecodable>>(true)
    holds<Mutual<(typeof SubscribeEvent.Unknown)["Type"], SubscribeEvent.Unknown>>(true)
    holds<Mutual<(typeof SubscribeStatus.Status)["Type"], SubscribeStatus.Status>>(true)
    holds<Mutual<typeof event.Type, SubscribeEvent.SubscribeEvent>>(true)
    holds<Mutual<(typeof MessageAction.MessageAction)["Type"], MessageAction.MessageAction>>(true)
  })
})
