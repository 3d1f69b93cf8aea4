/** Programs for `test/docs/compiler.test.ts`, which compiles them. */

/** What a program of PubNub imports. */
export const prelude = `import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AppContext, Channels, History, SubscribeEvent, ObjectFilter, Members, Memberships, MessageActions, Publish, PubNubConfig, RenewingToken, Subscribe, Time, Timetoken, Users } from "effect-herald/pubnub"
import type * as UndecodableItem from "effect-herald/UndecodableItem"
`

/** Lines that must not compile. */
export const wrong = [
  "Subscribe.stream({ channels: [\"a\"], from: \"17905741246383965\" })",
  "Subscribe.stream({ channels: [\"a\"], from: 17905741246383965 })",
  "Subscribe.stream({ channels: [\"a\"], from: { timetoken: \"1595634632\" } })",
  "const timetoken: Timetoken.Timetoken = \"17905741246383965\"",
  "Time.now.pipe(Effect.catchReason(\"PubNubError\", \"AccessDenied\", () => Effect.void))",
  "Publish.publish({ channel: \"a\", message: 1 }).pipe(Effect.catchReason(\"PubNubError\", \"Timeout\", () => Effect.void))",
  "Publish.publish({ channel: \"a\", message: { id: \"1\" }, schema: Schema.Struct({ id: Schema.Int }) })",
  "History.list<{ id: number }>({ channel: \"a\" })",
  "Subscribe.messages<{ id: number }>({ channels: [\"a\"] })",
  "Subscribe.consume((message: SubscribeEvent.Message<{ id: number }>) => Effect.void, { channels: [\"a\"], reader: \"r\" })",
  "Publish.signal({ channel: \"a\", message: 1, meta: {} })",
  "Publish.signal({ channel: \"a\", message: 1, store: true })",
  "Publish.fire({ channel: \"a\", message: 1, ttl: \"1 hour\" })",
  "Publish.publish({ message: 1 })",
  "Publish.publish({ channel: [\"a\", \"b\"], message: 1 })",
  "History.list({ channel: \"a\", since: \"17905741246383965\" })",
  "History.list({ channel: \"a\", since: 17905741246383965 })",
  "History.list({ channel: \"a\", next: new Date() })",
  "History.list({ channel: \"a\" }).pipe(Effect.map(({ items }) => items.map((entry) => entry._tag === \"StoredMessage\" && entry.actions)))",
  "History.list({ channel: \"a\", include: [\"actions\"] }).pipe(Effect.map(({ items }) => items.map((entry) => entry._tag === \"StoredMessage\" && entry.meta)))",
  "History.listByChannel({ channels: [\"a\"], include: [\"actions\"] })",
  "MessageActions.live({ channel: \"a\" })",
  "MessageActions.live({ channel: \"a\", last: 1, messages: [] })",
  "PubNubConfig.make({ subscribeKey: \"s\" })",
  "PubNubConfig.make({ subscribeKey: \"s\", userId: \"u\", secretKey: \"plain text\" })",
  "PubNubConfig.make({ subscribeKey: \"s\", userId: \"u\", authToken: \"plain text\" })",
  "PubNubConfig.make({ subscribeKey: \"s\", userId: \"u\", authToken: RenewingToken.make(Effect.succeed(\"plain text\")) })",
  "PubNubConfig.make({ subscribeKey: \"s\", userId: \"u\", authToken: Effect.succeed(Redacted.make(\"t\")) })",
  "PubNubConfig.make({ subscribeKey: \"s\", userId: \"u\", authToken: RenewingToken.make(Effect.as(PubNubConfig.PubNubConfig, Redacted.make(\"t\"))) })",
  "Subscribe.messages({ channels: [\"a\"] }).pipe(Stream.filter((event) => event._tag === \"Gap\"))",
  "Effect.runPromise(Publish.publish({ channel: \"a\", message: 1 }))",
  "Users.get({ include: [\"custom\"] }).pipe(Effect.map((user) => user.status))",
  "Users.get({ include: [\"totalCount\"] })",
  "Users.set({ custom: { tags: [\"a\"] } })",
  "Users.set({ name: null })",
  "Users.set({ name: \"a\", ifMatchesEtag: \"e\" })",
  "Users.set({ name: \"a\" }).pipe(Effect.catchTag(\"ObjectChanged\", () => Effect.void))",
  "Users.list({ sort: [\"email\"] })",
  "Users.list({ next: \"Mw\" })",
  "Users.list({ filter: ObjectFilter.equals(\"custom.level\", \"3\") })",
  "Users.list({ filter: ObjectFilter.equals(\"description\", \"a\") })",
  "Channels.list({ filter: ObjectFilter.and(ObjectFilter.equals(\"name\", \"a\"), ObjectFilter.equals(\"email\", \"a\")) })",
  "ObjectFilter.greaterThan(\"updated\", \"2026-09-21\")",
  "ObjectFilter.like(\"updated\", \"2026*\")",
  "Channels.get()",
  "Channels.set({ name: \"a\" })",
  "Channels.set({ id: \"a\", email: \"a\" })",
  "Channels.update({ id: \"a\" }, () => ({ nmae: \"a\" }))",
  "Users.withCustom(Schema.Struct({ born: Schema.DateTimeUtc })).set({ custom: { born: 1815 } })",
  "Memberships.list().pipe(Effect.map(({ items }) => items.map(({ status }) => status)))",
  "Memberships.list({ include: [\"user\"] })",
  "Memberships.list({ include: [\"channel.name\"] })",
  "Memberships.list({ sort: [\"name\"] })",
  "Memberships.list({ filter: ObjectFilter.equals(\"name\", \"a\") })",
  "Memberships.list({ filter: ObjectFilter.equals(\"user.name\", \"a\") })",
  "Memberships.set({ channels: [{ id: \"a\", name: \"a\" }] })",
  "Memberships.set({ channels: [{ status: \"a\" }] })",
  "Memberships.remove({ channels: [{ id: \"a\", status: \"a\" }] })",
  "Memberships.update({ channel: \"a\", ifMatchesEtag: \"e\" }, () => ({}))",
  "Members.list({})",
  "Members.list({ channel: \"a\", sort: [\"uuid.name\"] })",
  "Members.update({ channel: \"a\" }, () => ({}))",
  "Memberships.withCustom(Schema.Struct({ n: Schema.Int })).set({ channels: [{ id: \"a\", custom: { n: \"1\" } }] })"
]
/** Expressions, each with its type as an editor shows it. */
export const shown = [
  [
    "Subscribe.stream({ channels: [\"a\"], schema: Order })",
    "Stream<SubscribeEvent<Order>, SubscribeError, HttpClient | PubNubConfig>"
  ],
  [
    "Subscribe.stream({ channels: [\"a\"] })",
    "Stream<SubscribeEvent<Json>, SubscribeError, HttpClient | PubNubConfig>"
  ],
  [
    "Subscribe.messages({ channels: [\"a\"], schema: Order })",
    "Stream<Message<Order>, SubscribeError, HttpClient | PubNubConfig>"
  ],
  ["Subscribe.presence({ channels: [\"a\"] })", "Stream<Presence, SubscribeError, HttpClient | PubNubConfig>"],
  ["Publish.publish({ channel: \"a\", message: 1 })", "Effect<Published, PublishError, HttpClient | PubNubConfig>"],
  ["Publish.signal({ channel: \"a\", message: 1 })", "Effect<Published, PublishError, HttpClient | PubNubConfig>"],
  ["add", "Effect<MessageAction, AddError, HttpClient | PubNubConfig>"],
  [
    "MessageActions.live({ channel: \"a\", last: 20 })",
    /^Effect<SubscriptionRef<Live<ReadonlyMap<string, Reactions>, PubNubError \| SubscribeError>>, PubNubError \| SubscribeError, HttpClient \| PubNubConfig \| Scope>$/
  ],
  [
    "History.list({ channel: \"a\", include: [\"actions\"], schema: Order })",
    "Effect<Page<Stored<Order, \"actions\">, string & Brand<\"Timetoken\">>, PubNubError, HttpClient | PubNubConfig>"
  ],
  [
    "History.stream({ channel: \"a\" })",
    "Stream<Stored<Json, \"meta\">, PubNubError, HttpClient | PubNubConfig>"
  ],
  ["Time.now", /^Effect<.{1,30}, TimeError, HttpClient \| PubNubConfig>$/],
  [
    "Users.get({ id: \"a\", include: [\"custom\"] })",
    "Effect<User<\"custom\", Custom>, ObjectNotFound | PubNubError, HttpClient | PubNubConfig>"
  ],
  [
    "Users.update({}, () => ({}))",
    "Effect<User<Part, Custom>, ObjectChanged | ObjectNotFound | PubNubError | UpdateOutcomeUnknown, HttpClient | PubNubConfig>"
  ],
  [
    "Users.set({ name: \"a\", include: [\"type\"] })",
    "Effect<User<\"type\", Custom>, PubNubError, HttpClient | PubNubConfig>"
  ],
  [
    "Users.set({ name: \"a\", ifMatchesEtag: etag })",
    "Effect<User<\"status\" | \"type\", Custom>, ObjectChanged | PubNubError | UpdateOutcomeUnknown, HttpClient | PubNubConfig>"
  ],
  [
    "Users.live()",
    "Effect<SubscriptionRef<Live<User<Part, Custom> | undefined, PubNubError | SubscribeError>>, PubNubError | SubscribeError, HttpClient | PubNubConfig | Scope>"
  ],
  ["Channels.list()", "Effect<Page<Channel<\"status\" | \"type\", Custom>>, PubNubError, HttpClient | PubNubConfig>"],
  [
    "Channels.stream({ include: [] })",
    "Stream<UndecodableItem | Channel<never, Custom>, PubNubError, HttpClient | PubNubConfig>"
  ],
  [
    "Memberships.list({ include: [\"channel.type\"] })",
    "Effect<Page<Membership<\"channel.type\", Custom>>, PubNubError, HttpClient | PubNubConfig>"
  ],
  [
    "Memberships.update({ channel: \"a\" }, () => ({}))",
    "Effect<Membership<\"custom\" | \"status\" | \"type\", Custom>, ObjectNotFound | PubNubError | UpdateOutcomeUnknown, HttpClient | PubNubConfig>"
  ],
  ["Members.list({ channel: \"a\" })", "Effect<Page<Member<never, Custom>>, PubNubError, HttpClient | PubNubConfig>"],
  [
    "Seats.manage({ channel: \"a\", set: [\"b\"], include: [\"custom\"] })",
    "Effect<Page<Member<\"custom\", Order>>, PubNubError, HttpClient | PubNubConfig>"
  ],
  ["event", "SubscribeEvent<Order>"],
  ["message", "Message<Order>"]
] as const
/** Gives each expression a type that it has not, so that the compiler says its own. */
export const shows = `${prelude}interface Order { readonly id: number }
declare const Order: Schema.Codec<Order>
declare const event: SubscribeEvent.SubscribeEvent<Order>
declare const message: SubscribeEvent.Message<Order>
declare const to: MessageActions.AddOptions
declare const etag: AppContext.Etag
const Seats = Members.withCustom(Order)
const add = MessageActions.add(to)
${shown.map(([expression], index) => `export const shown${index}: undefined = ${expression}`).join("\n")}
`
