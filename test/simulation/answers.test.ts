/**
 * Answers that are almost right: whatever comes, by structure and by bytes, a request succeeds or fails with its own error, in
 * bounded time and memory, and tells no secret.
 */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  ChannelGroups,
  Channels,
  History,
  Members,
  MessageActions,
  Presence,
  Publish,
  PubNubConfig,
  Time,
  Timetoken,
  Users
} from "effect-herald/pubnub"
import * as Endpoint from "../../src/pubnub/internal/wire/endpoint.ts"
import { Attachments, Messages, MessageSearch, MessageStatus, Session, SymphonyConfig } from "effect-herald/symphony"
import * as SubscribeWire from "../../src/pubnub/internal/wire/subscribe.ts"
import { mid, sid } from "../symphony/kit.ts"
import { batchesOf } from "./seeds.ts"

// --------------------------------------------------------------------------------------------------------------------
// chance
// --------------------------------------------------------------------------------------------------------------------

/** Numbers from 0 to below 1, the same for a seed. */
const chanceOf = (seed: number) => {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296
  }
}

type Chance = () => number

const below = (chance: Chance, limit: number) => Math.floor(chance() * limit)

const oneOf = <A>(chance: Chance, list: ReadonlyArray<A>): A => {
  const chosen = list[below(chance, list.length)]
  if (chosen === undefined) throw new Error("nothing to choose from")
  return chosen
}

// --------------------------------------------------------------------------------------------------------------------
// answers
// --------------------------------------------------------------------------------------------------------------------

const token = "t0k/en&of<all>"

const right: ReadonlyArray<unknown> = [
  [1, "Sent", "17334108326343660"],
  [17_334_108_326_343],
  [0, "Invalid Key", "17334108326343660"],
  { t: { t: "17334108326343660", r: 1 }, m: [{ c: "a", d: { x: 1 }, p: { t: "17334108326343660", r: 1 }, i: "bob" }] },
  { status: 200, data: { id: "a", name: "b", custom: { x: 1 }, updated: "2026-01-01T00:00:00Z", eTag: "x" } },
  {
    status: 200,
    data: [{ id: "a", eTag: "x" }, { channel: { id: "b" }, eTag: "y" }],
    totalCount: 2,
    next: "n",
    prev: "p"
  },
  {
    status: 200,
    data: [{ type: "a", value: "b", uuid: "c", actionTimetoken: "17334108326343660", messageTimetoken: "1" }]
  },
  { status: 200, error: false, error_message: "", channels: { a: [{ message: 1, timetoken: "17334108326343660" }] } },
  { status: 200, payload: { channels: ["a"], group: "g" }, service: "channel-registry", error: false },
  { status: 200, message: "OK", service: "Presence", occupancy: 1, uuids: ["a", { uuid: "b", state: { x: 1 } }] },
  { status: 403, error: true, message: "Forbidden", payload: { channels: ["a"], "channel-groups": [":g"] } },
  { status: 400, error: { message: "x", source: "objects", details: [{ message: "m", location: "l" }] } },
  { code: 400, message: "Bad Request" },
  [{ messageId: "x", timestamp: 1, message: "<div/>", user: { userId: 1 }, stream: { streamId: "s" }, data: "{}" }],
  {
    messageId: "x",
    timestamp: 1,
    message: "<div/>",
    user: { userId: 1 },
    stream: { streamId: "s" },
    attachments: [null]
  },
  { total: 1, data: [{ read: [] }], read: [{ userId: 1, timestamp: 1 }], delivered: [], sent: [] }
]

const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth)

const odd: ReadonlyArray<(chance: Chance) => unknown> = [
  () => null,
  () => "",
  () => -0,
  () => 1e308,
  () => 9_007_199_254_740_991,
  () => "\ud800",
  () => "__proto__",
  () => "constructor",
  () => ({ __proto__: null, constructor: 1, toString: 1 }),
  () => [],
  () => ({}),
  () => [[[[]]]],
  () => true,
  () => token,
  () => `auth=${token}&signature=v2.abc`,
  () => `\u001b]0;x\u0007\u202e${token}`,
  (chance) => "x".repeat(below(chance, 100_000)),
  (chance) => "\"\\".repeat(below(chance, 50_000)),
  (chance) => "<Message>".repeat(below(chance, 10_000)),
  (chance) => Array.from({ length: below(chance, 5_000) }, () => token),
  (chance) => JSON.parse(nested(below(chance, 5_000), "[", "]") || "0"),
  (chance) => below(chance, 600)
]

/** A value with one of its parts replaced, left out, or twice. */
const mutated = (value: unknown, chance: Chance): unknown => {
  if (typeof value !== "object" || value === null || chance() < 0.2) return oneOf(chance, odd)(chance)
  if (Array.isArray(value)) {
    const index = below(chance, value.length + 1)
    return index === value.length
      ? [...value, ...value, oneOf(chance, odd)(chance)]
      : value.map((item, at) => at === index ? mutated(item, chance) : item)
  }
  const entries = Object.entries(value)
  const chosen = below(chance, entries.length + 1)
  if (chosen === entries.length) return { ...value, [textOf(oneOf(chance, odd)(chance)).slice(0, 99)]: 1 }
  return Object.fromEntries(
    entries.flatMap(([key, item], at) =>
      at !== chosen ? [[key, item]] : chance() < 0.2 ? [] : [[key, mutated(item, chance)]]
    )
  )
}

const textOf = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch {
    return nested(20_000, "[", "]")
  }
}

const bodyOf = (chance: Chance): Uint8Array<ArrayBuffer> => {
  let value: unknown = oneOf(chance, right)
  for (let times = below(chance, 4); times > 0; times--) value = mutated(value, chance)
  let bytes = new TextEncoder().encode(textOf(value))
  for (let times = chance() < 0.5 ? 0 : 1 + below(chance, 4); times > 0; times--) {
    const at = below(chance, bytes.length)
    switch (below(chance, 6)) {
      case 0:
        bytes = bytes.slice(0, at)
        break
      case 1:
        bytes[at] = below(chance, 256)
        break
      case 2:
        bytes = bytes.slice(at)
        break
      case 3:
        bytes = new Uint8Array([
          ...bytes.subarray(0, at),
          below(chance, 256),
          below(chance, 256),
          ...bytes.subarray(at)
        ])
        break
      case 4:
        bytes = new Uint8Array([0xef, 0xbb, 0xbf, ...bytes])
        break
      default:
        bytes = new TextEncoder().encode(`<html>${token}</html>`)
    }
  }
  return bytes
}

const statuses = [200, 200, 200, 200, 201, 204, 207, 302, 304, 400, 401, 403, 404, 408, 413, 429, 451, 500, 503, 599]
const waits = ["", "1.5", "-1", "9".repeat(50), "Thu, 01 Jan 1970 00:00:00 GMT", "x"]

const transport = (chance: Chance) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.sync(() => {
        const status = oneOf(chance, statuses)
        const body = [204, 304].includes(status) ? null : bodyOf(chance)
        const headers = { "retry-after": oneOf(chance, waits), "x-pn-cause": token }
        return HttpClientResponse.fromWeb(request, new Response(body, { status, headers }))
      })
    )
  )

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const timetoken = Timetoken.Timetoken.make("17334108326343660")

type Requests<R> = ReadonlyArray<Effect.Effect<unknown, { readonly message: string }, HttpClient.HttpClient | R>>

const ofPubNub: Requests<PubNubConfig.PubNubConfig> = [
  Publish.publish({ channel: "a", message: 1 }),
  Publish.signal({ channel: "a", message: 1 }),
  Time.now,
  History.listByChannel({ channels: ["a", "b"] }),
  History.count({ channels: ["a"], after: timetoken }),
  Users.get(),
  Users.set({ name: "a" }),
  Channels.list(),
  Members.list({ channel: "a" }),
  MessageActions.list({ channel: "a" }),
  MessageActions.add({ channel: "a", messageTimetoken: timetoken, type: "a", value: "b" }),
  MessageActions.remove({ channel: "a", messageTimetoken: timetoken, actionTimetoken: timetoken }),
  ChannelGroups.listChannels({ group: "g" }),
  Presence.hereNow({ channels: ["a"], include: ["users", "state"] }),
  Presence.getState({ channels: ["a"] }),
  Effect.flatMap(PubNubConfig.PubNubConfig, (config) =>
    Endpoint.send(
      config,
      SubscribeWire.handshake(config, { channels: ["a"], groups: [], filter: undefined, state: undefined })
    ))
]

const ofSymphony: Requests<SymphonyConfig.SymphonyConfig | Session.Session> = [
  Messages.send({ streamId: sid, message: "a" }),
  Messages.list({ streamId: sid }),
  MessageSearch.search({ query: { text: "a" } }),
  MessageStatus.status({ messageId: mid }),
  Attachments.getAttachment({ streamId: sid, messageId: mid, attachmentId: "f" }),
  Stream.runDrain(Attachments.streamAttachment({ streamId: sid, messageId: mid, attachmentId: "f" })),
  Attachments.attachmentTypes
]

const pubNub = PubNubConfig.layer({
  subscribeKey: "sub",
  publishKey: "pub",
  userId: "ada",
  authToken: Redacted.make(token),
  maxAnswerSize: 200_000
})

const symphony = Layer.merge(
  SymphonyConfig.layer({ host: "acme.symphony.com", retry: { maxAttempts: 1 }, maxAnswerSize: 200_000 }),
  Layer.succeed(
    Session.Session,
    Session.Session.of({
      tokens: Effect.succeed({ sessionToken: Redacted.make(token), keyManagerToken: undefined }),
      renew: Effect.succeed
    })
  )
)

/** Asks once for each seed, and judges what came of it. */
const asked = <R>(seeds: ReadonlyArray<number>, requests: Requests<R>, world: Layer.Layer<R>) =>
  Effect.forEach(seeds, (seed) => {
    const chance = chanceOf(seed)
    const request = oneOf(chance, requests)
    const began = performance.now()
    // The worker keeps garbage of other files, so only what this request adds counts.
    const heap = process.memoryUsage().heapUsed
    return Effect.exit(request).pipe(
      Effect.provide(Layer.merge(world, transport(chance))),
      Effect.map((exit) => {
        assert.isBelow(performance.now() - began, 1_000, `SEED=${seed}: it took too long`)
        assert.isBelow(process.memoryUsage().heapUsed - heap, 200_000_000, `SEED=${seed}: it took too much memory`)
        if (Exit.isSuccess(exit)) return
        assert.isFalse(Cause.hasDies(exit.cause), `SEED=${seed}: ${Cause.pretty(exit.cause)}`)
        const shown = `${Cause.pretty(exit.cause)}${JSON.stringify(exit)}`
        assert.notInclude(shown, token, `SEED=${seed}`)
        // oxlint-disable-next-line no-control-regex
        assert.notMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/, `SEED=${seed}`)
        assert.isBelow(shown.length, 50_000, `SEED=${seed}: it says too much`)
      })
    )
  }, { discard: true })

const batches = batchesOf(100, 20)

it.live.each(batches)(
  "PubNub requests survive damaged answers: %s",
  ([_, seeds]) => asked(seeds, ofPubNub, pubNub),
  60_000
)

it.live.each(batches)(
  "Symphony requests survive damaged answers: %s",
  ([_, seeds]) => asked(seeds, ofSymphony, symphony),
  60_000
)
