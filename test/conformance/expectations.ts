/**
 * What the official JavaScript client was seen to send and to make of answers, where ours must do the same. How that
 * client retries and which of its listeners hears of what are its own matters.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { type Publish, PubNubConfig, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import { createHmac } from "node:crypto"
import * as Url from "../../src/internal/url.ts"
import { signedText } from "../../src/pubnub/internal/wire/endpoint.ts"
import { readAnswer } from "./answers.ts"
import { sendOf } from "./cassettes.ts"
import * as Kit from "./kit.ts"
import { canonical, type Sent } from "./matching.ts"
import * as Objects from "./objects.ts"
import * as Replay from "./replay.ts"
import * as Wire from "./wire.ts"

/** Cases of publish, signal, subscribe, retry and reconnection, and signed ones, that say nothing of ours. */
const leftOut: { readonly [name: string]: string } = {
  "retry delays (random part zero)": "the delays of that client; ours are schedules of the caller",
  "retry configuration limits": "the limits of that client's options",
  "publish: connection dropped once, exponential": "that client sends a publish again; ours never does by itself",
  "publish: 429 with retry-after 4, then success": "that client sends a publish again; ours never does by itself",
  "publish: 503 for ever, linear 2 s, maximum 2": "that client sends a publish again; ours never does by itself",
  "publish: 500 twice then success, linear 2 s": "that client sends a publish again; ours never does by itself"
}

const apis = ["publish", "signal", "subscribe", "retry", "reconnection"]

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/** The target with the parameters that differ by client, request and time taken out, the rest sorted and encoded. */
const targetOf = (rawTarget: string): string => {
  const [path, query = ""] = rawTarget.split("?")
  const parameters = query.split("&").filter((pair) => !/^(pnsdk|ee|timestamp|signature)=/.test(pair))
  return `${path}?${parameters.toSorted().join("&")}`
}

const targetOfSent = ({ url }: Sent): string => targetOf(`${url.pathname}${url.search}`)

const assertSame = (sent: Sent | undefined, observed: Kit.Observed) => {
  if (sent === undefined) return assert.fail(`${observed.path} was not asked for`)
  assert.strictEqual(sent.method, observed.method)
  assert.strictEqual(targetOfSent(sent), targetOf(observed.rawTarget))
  assert.strictEqual(
    sent.body === undefined ? undefined : canonical(JSON.parse(sent.body)),
    observed.body === undefined || observed.body === null ? undefined : canonical(observed.body)
  )
  if (sent.body !== undefined) assert.strictEqual(sent.contentType, observed.headers?.["content-type"])
}

const config = (more: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.make({ subscribeKey: "mySubKey", publishKey: "myPubKey", userId: "myUUID", ...more })

/** As the cassettes have it, so that the same call can be read from it. */
const recordedForm = (request: Kit.Observed) => ({
  request: {
    ...request,
    headers: request.headers ?? {},
    rawTargetComplete: true,
    template: request.path.startsWith("/signal/")
      ? "/signal/{pubKey}/{subKey}/0/{channel}/0/{message}"
      : "/publish/{pubKey}/{subKey}/0/{channel}/0/{message}",
    ...request.method === "POST" ? { rawBody: JSON.stringify(request.body) } : {}
  }
})

const answerOf = ({ response }: Kit.Expectation): Response =>
  new Response(typeof response?.body === "string" ? response.body : JSON.stringify(response?.body), {
    status: response?.status ?? 200,
    headers: response?.headers ?? {}
  })

const requestOf = (entry: Kit.Expectation): Kit.Observed => entry.request ?? assert.fail(`${entry.case}: no request`)

/** What a call asked for, and what became of it. */
const run = Effect.fnUntraced(function*<A, E>(
  call: Effect.Effect<A, E, HttpClient.HttpClient | PubNubConfig.PubNubConfig>,
  answer: () => Response,
  more: Partial<PubNubConfig.Options> = {}
) {
  const sent: Array<Sent> = []
  const result = yield* call.pipe(
    Effect.provideService(
      HttpClient.HttpClient,
      Replay.client((request) => {
        sent.push(request)
        return answer()
      })
    ),
    Effect.provideService(PubNubConfig.PubNubConfig, config(more)),
    Effect.result
  )
  return { sent, result }
})

const send = (request: Kit.Observed, answer: () => Response) => run(sendOf(recordedForm(request)), answer)

// --------------------------------------------------------------------------------------------------------------------
// publish and signal
// --------------------------------------------------------------------------------------------------------------------

const publishedOf = Schema.decodeUnknownSync(Schema.Struct({ timetoken: Schema.String }))
const sentBodyOf = Schema.decodeUnknownSync(Schema.Tuple([Schema.Int, Schema.String, Schema.String]))

/** What an outcome says, as far as it is named here. */
const outcomes: { readonly [name: string]: (failure: Publish.PublishError) => unknown } = {
  "publish, invalid key": (failure) =>
    assert.deepInclude(told(failure), { _tag: "InvalidKey", key: "publish", description: "Invalid Key" }),
  "publish, message too large": (failure) =>
    assert.deepStrictEqual(
      failure._tag === "MessageTooLarge" ? [failure.refusedBy, failure.channel] : failure._tag,
      ["service", "ch1"]
    ),
  "publish, rate limited with retry-after": (failure) => {
    const reason = told(failure)
    assert.strictEqual(reason._tag, "RateLimited")
    assert.deepStrictEqual(
      "retryAfter" in failure ? Wire.plain({ wait: failure.retryAfter }) : {},
      { wait: Duration.seconds(3) }
    )
  },
  "publish, server error with html body": (failure) => {
    assert.strictEqual(failure._tag, "PublishOutcomeUnknown")
    assert.deepInclude(told(failure), { _tag: "ServerFailure", status: 502, answeredBy: "intermediary" })
  }
}

const told = (failure: Publish.PublishError): { readonly [field: string]: unknown } =>
  failure._tag === "MessageTooLarge" ? {} : { ...failure.reason, _tag: failure.reason._tag }

const sending = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const request = requestOf(entry)
  const { result, sent } = yield* send(request, () => answerOf(entry))
  assert.lengthOf(sent, 1)
  assertSame(sent[0], request)
  const outcome = outcomes[entry.case]
  if (outcome === undefined) {
    // Of a fire that client tells nothing; the service does.
    const body = sentBodyOf(entry.response?.body)
    const expected = entry.expected === null
      ? body[2]
      : publishedOf(entry.expected).timetoken
    assert.strictEqual(Result.isSuccess(result) ? result.success : result.failure, expected)
  } else if (Result.isFailure(result)) outcome(result.failure)
  else assert.fail("a success")
})

/** A comma and an asterisk are refused before anything is sent; the rest of the name is encoded the same. */
const reserved = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const request = requestOf(entry)
  const refused = yield* send(request, () => answerOf(entry))
  assert.lengthOf(refused.sent, 0)
  assert.deepStrictEqual(
    Result.isFailure(refused.result) && refused.result.failure._tag === "PubNubError"
      ? refused.result.failure.reason._tag
      : refused.result._tag,
    "BadRequest"
  )
  const [path = ""] = request.rawTarget.split("?")
  const parts = path.split("/")
  parts[5] = (parts[5] ?? "").replace("%2C", "").replace("%2A", "")
  const allowed = { ...request, rawTarget: `${parts.join("/")}?uuid=myUUID` }
  const { result, sent } = yield* send(allowed, () => answerOf(entry))
  assertSame(sent[0], allowed)
  assert.deepStrictEqual({ timetoken: Result.getOrNull(result) }, entry.expected)
})

// --- publish is not sent again

const unrepeated: { readonly [name: string]: { readonly status: number; readonly reason: string } } = {
  "publish: 403 is not retried": { status: 403, reason: "AccessDenied" },
  "publish: endpoint excluded from retries": { status: 500, reason: "ServerFailure" }
}

const unrepeatable = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const { reason, status } = unrepeated[entry.case] ?? assert.fail(entry.case)
  const request = requestOf(entry)
  const { result, sent } = yield* send(request, () => Response.json({ status, error: true, message: "no" }, { status }))
  assert.lengthOf(sent, 1)
  assertSame(sent[0], request)
  assert.strictEqual(
    Result.isFailure(result) && result.failure._tag === "PubNubError" ? result.failure.reason._tag : result._tag,
    reason
  )
})

const ruleOf = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Boolean))

/** That client's rule for what may be tried again, and ours. */
const retryable = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const rule = ruleOf(entry.expected)
  const statuses = Object.keys(rule).filter((name) => /^\d+$/.test(name))
  assert.lengthOf(statuses, 11)
  for (const status of statuses.map(Number)) {
    const result = yield* readAnswer({ status, text: status === 200 ? "[1]" : `{"status":${status},"message":"no"}` })
    assert.strictEqual(Result.isFailure(result) && result.failure.isRetryable, rule[status], String(status))
  }
})

// --------------------------------------------------------------------------------------------------------------------
// subscribe
// --------------------------------------------------------------------------------------------------------------------

const handshakePage = "{\"t\":{\"t\":\"17525257097772380\",\"r\":33},\"m\":[]}"
const moment = 1_752_525_709_777

const namesOf = ({ path, query }: Kit.Observed): Subscribe.StreamOptions => {
  const filter = query["filter-expr"]
  const groups = query["channel-group"]
  const channels = (path.split("/")[4] ?? "").split(",")
  return {
    channels,
    groups: typeof groups === "string" ? groups.split(",") : [],
    filter: typeof filter === "string" ? filter : undefined
  }
}

interface Run {
  readonly sent: ReadonlyArray<Sent>
  readonly events: ReadonlyArray<SubscribeEvent.SubscribeEvent>
  readonly failure: unknown
}

/** Reads until a request hangs or the stream fails; what sleeps on the way is woken. */
const listen = Effect.fnUntraced(function*(
  target: Subscribe.StreamOptions,
  answers: ReadonlyArray<Response | "cut" | "hang">,
  options: Partial<PubNubConfig.Options> = { sendLeave: false }
) {
  yield* TestClock.setTime(moment)
  const sent: Array<Sent> = []
  const events: Array<SubscribeEvent.SubscribeEvent> = []
  let hangs = false
  const fiber = yield* Subscribe.stream(target).pipe(
    Stream.runForEach((event) => Effect.sync(() => events.push(event))),
    Effect.provideService(
      HttpClient.HttpClient,
      Replay.client((request) => {
        sent.push(request)
        if (request.url.pathname.endsWith("/leave")) return new Response("{\"status\":200}")
        const answer = answers[sent.length - 1] ?? "hang"
        hangs = answer === "hang"
        return answer
      })
    ),
    Effect.provideService(PubNubConfig.PubNubConfig, config(options)),
    Effect.forkChild
  )
  for (let turn = 0; turn < 20 && !hangs && fiber.pollUnsafe() === undefined; turn++) {
    yield* TestClock.adjust("1 second")
  }
  const failure = hangs
    ? yield* Effect.as(Fiber.interrupt(fiber), undefined)
    : yield* Effect.flip(Fiber.join(fiber))
  return { sent, events, failure } satisfies Run
})

const Heard = Schema.Struct({
  listener: Schema.String,
  event: Schema.Record(Schema.String, Schema.Json)
})
const heardOf = Schema.decodeUnknownSync(Schema.Tuple([Heard]))
const envelopeOf = Schema.decodeUnknownSync(Schema.Struct({ m: Schema.Tuple([Schema.Json]) }))

/** What that client hands to a listener and ours tells in the same words. */
const shared = ["channel", "timetoken", "publisher", "customMessageType", "occupancy"]
const renamed: { readonly [theirs: string]: string } = {
  userMetadata: "meta",
  hereNowRefresh: "hereNowRefresh",
  state: "state"
}
const payloads = new Set(["Message", "Signal", "FileShared"])

const listening = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const request = requestOf(entry)
  const { events, sent } = yield* listen(namesOf(request), [new Response(handshakePage), answerOf(entry)])
  // Theirs was given a cursor and a region, and needs no handshake.
  assertSame(sent[1], request)
  const [envelope] = envelopeOf(entry.response?.body).m
  const event = Wire.plain(events[1] ?? assert.fail("nothing was delivered"))
  assert.lengthOf(events, 2)
  assert.deepStrictEqual(event, Wire.expectedEvent(envelope))
  const [heard] = heardOf(entry.expected)
  for (const [name, value] of Object.entries(heard.event)) {
    if (shared.includes(name)) assert.deepStrictEqual(event[name], value, name)
    const ours = renamed[name]
    if (ours !== undefined) assert.deepStrictEqual(event[ours], value, name)
    if (name === "uuid") assert.deepStrictEqual(event.userId, value)
    if (name === "message" && payloads.has(String(event._tag))) assert.deepStrictEqual(event.payload, value)
  }
})

/** Without the heartbeats, and the leave of one name of several: they come with presence and changing subscriptions. */
const lifeCycle = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const requests = (entry.exchanges ?? []).map(({ request }) => request)
  const [handshake, , poll, changed, , , leave] = requests
  if (!handshake || !poll || !changed || !leave) return assert.fail("seven exchanges are expected")
  const target = { channels: ["b", "a"], groups: ["cg"], presence: true, filter: "a == \"b\"" }
  const first = yield* listen(target, [new Response(handshakePage), "hang"])
  assert.lengthOf(first.sent, 2)
  assertSame(first.sent[0], handshake)
  assertSame(first.sent[1], poll)
  const [connected] = first.events
  if (connected?._tag !== "Connected") return assert.fail("not connected")
  assert.deepStrictEqual([connected.channels, connected.groups], [["a", "a-pnpres", "b", "b-pnpres"], [
    "cg",
    "cg-pnpres"
  ]])
  const second = yield* listen(
    { ...target, channels: ["b"], from: connected.cursor },
    [new Response(handshakePage), "hang"],
    {}
  )
  assert.lengthOf(second.sent, 3)
  assertSame(second.sent[1], changed)
  assertSame(second.sent[2], leave)
})

// --- reconnection

const failing = (status: number): Response => Response.json({ status, error: true, message: "no" }, { status })
const messagePage =
  "{\"t\":{\"t\":\"17525257097772399\",\"r\":33},\"m\":[{\"a\":\"3\",\"f\":514,\"i\":\"u\",\"p\":{\"t\":\"17525257097772390\",\"r\":33},\"k\":\"mySubKey\",\"c\":\"ch1\",\"d\":\"hi\"}]}"

interface Script {
  readonly answers: () => ReadonlyArray<Response | "cut" | "hang">
  /** Which of the requests are that client's; the others are handshakes by which ours proves the connection. */
  readonly requests: ReadonlyArray<number>
  readonly times: number
  readonly tags: ReadonlyArray<string>
  readonly failure?: string
}

const scripts: { readonly [name: string]: Script } = {
  "no retry configured: receive failure": {
    answers: () => [new Response(handshakePage), failing(500)],
    requests: [0, 1],
    times: 0,
    tags: ["Connected", "Disconnected"],
    failure: "Exhausted"
  },
  "handshake refused with 403: no retry": {
    answers: () => [failing(403)],
    requests: [0],
    times: 0,
    tags: ["Disconnected"],
    failure: "AccessDenied"
  },
  "handshake fails with 500 then succeeds": {
    answers: () => [failing(500), new Response(handshakePage), "hang"],
    requests: [0, 1, 2],
    times: 1,
    tags: ["Interrupted", "Connected"]
  },
  "receive fails with 502, retried from the same cursor, message delivered": {
    answers: () => [
      new Response(handshakePage),
      new Response("<html></html>", { status: 502 }),
      new Response(handshakePage),
      new Response(messagePage),
      "hang"
    ],
    requests: [0, 1, 3, 4],
    times: 1,
    tags: ["Connected", "Interrupted", "Reconnected", "Message"]
  },
  "connection dropped during receive, exponential": {
    answers: () => [
      new Response(handshakePage),
      "cut",
      new Response(handshakePage),
      new Response(messagePage),
      "hang"
    ],
    requests: [0, 1, 3, 4],
    times: 1,
    tags: ["Connected", "Interrupted", "Reconnected", "Message"]
  },
  "receive fails beyond the maximum: disconnected unexpectedly": {
    answers: () => [new Response(handshakePage), failing(500), new Response(handshakePage), failing(500)],
    requests: [0, 1, 3],
    times: 1,
    tags: ["Connected", "Interrupted", "Reconnected", "Disconnected"],
    failure: "Exhausted"
  }
}

const outcomeOf = Schema.decodeUnknownSync(Schema.Struct({ messages: Schema.Array(Schema.String) }))

const reconnecting = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const script = scripts[entry.case] ?? assert.fail(`no script for ${entry.case}`)
  const schedule = Schedule.spaced("2 seconds").pipe(Schedule.upTo({ times: script.times }))
  const { events, failure, sent } = yield* listen({
    channels: ["ch1"],
    reconnect: { AccessDenied: schedule, ServerFailure: schedule, Transport: schedule }
  }, script.answers())
  const requests = (entry.exchanges ?? []).map(({ request }) => request)
  assert.lengthOf(requests, script.requests.length)
  for (const [index, request] of requests.entries()) assertSame(sent[script.requests[index] ?? -1], request)
  const own = sent.filter((_, index) => !script.requests.includes(index))
  for (const request of own) assertSame(request, requests[0] ?? assert.fail("no handshake"))
  assert.deepStrictEqual(events.map(({ _tag }) => _tag), script.tags)
  assert.deepStrictEqual(
    events.flatMap((event) => event._tag === "Message" ? [event.timetoken] : []),
    outcomeOf(entry.expected).messages
  )
  const reason = typeof failure === "object" && failure !== null && "reason" in failure ? failure.reason : undefined
  assert.deepStrictEqual(
    typeof reason === "object" && reason !== null && "_tag" in reason ? reason._tag : undefined,
    script.failure
  )
})

// --------------------------------------------------------------------------------------------------------------------
// signatures
// --------------------------------------------------------------------------------------------------------------------

const signatureOf = (secretKey: string, text: string): string =>
  `v2.${createHmac("sha256", secretKey).update(text).digest("base64url")}`

const isMethod = Schema.is(Schema.Literals(["GET", "POST", "PATCH", "DELETE"]))

const signing = Effect.fnUntraced(function*(entry: Kit.Expectation) {
  const signed = entry.signedWith ?? assert.fail("not signed")
  const request = requestOf(entry)
  const [method, publishKey = "", path = "", query = "", ...body] = signed.stringToSign.split("\n")
  const parameters = Url.encodeQuery(Object.fromEntries(
    query.split("&").toReversed().map((pair) => {
      const [name = "", value = ""] = pair.split("=")
      return [name, decodeURIComponent(value)]
    })
  ))
  if (!isMethod(method)) return assert.fail(`${method} is not signed by ours`)
  // The text that ours would sign for that client's request is the one it signed.
  const text = signedText(publishKey, { method, path, body: body.join("\n") }, parameters)
  assert.strictEqual(text, signed.stringToSign)
  assert.strictEqual(signatureOf(signed.secretKey, text), signed.signature)
  // Who may do what is granted elsewhere: ours has no such operation.
  if (path.startsWith("/v3/pam/")) return
  // Ours, for its own request, is a signature over what was sent.
  yield* TestClock.setTime(signed.timestamp * 1000)
  const { result, sent } = yield* run(signedCallOf(entry), () => answerOf(entry), {
    secretKey: Redacted.make(signed.secretKey)
  })
  // The answer that one client's test makes up is about another object than the one that it sets.
  if (result._tag === "Failure") assert.include(String(result.failure), "it is about")
  const [own] = sent
  assertSame(own, request)
  const search = own?.url.search.slice(1).split("&") ?? []
  const covered = search.filter((pair) => !pair.startsWith("signature=")).toSorted().join("&")
  assert.include(covered, `timestamp=${signed.timestamp}`)
  const signable = `${method}\n${publishKey}\n${own?.url.pathname}\n${covered}\n${own?.body ?? ""}`
  assert.include(search, `signature=${signatureOf(signed.secretKey, signable)}`)
})

const signedCallOf = (
  entry: Kit.Expectation
): Effect.Effect<unknown, unknown, HttpClient.HttpClient | PubNubConfig.PubNubConfig> =>
  requestOf(entry).path.startsWith("/v2/objects/")
    ? Objects.callOf(Objects.exchangeOf(entry) ?? assert.fail("no exchange"))
    : sendOf(recordedForm(requestOf(entry)))

// --------------------------------------------------------------------------------------------------------------------
// tests
// --------------------------------------------------------------------------------------------------------------------

const checkOf = (entry: Kit.Expectation): (entry: Kit.Expectation) => Effect.Effect<unknown, unknown> => {
  if (entry.signedWith !== undefined) return signing
  switch (entry.api) {
    case "publish":
    case "signal":
      return entry.case === "publish reserved characters" ? reserved : sending
    case "subscribe":
      return entry.exchanges === undefined ? listening : lifeCycle
    case "retry":
      return entry.request === null ? retryable : unrepeatable
    default:
      return reconnecting
  }
}

let cases = 0

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  `JavaScript cases ${cases} (${Object.keys(leftOut).length} left out)`
]

export const suite = () => {
  describe("cases of the JavaScript client", () => {
    const all = Kit.expectations().filter(({ api, signedWith }) => apis.includes(api) || signedWith !== undefined)

    it("contain those that are left out", () => {
      const names = new Set(all.map((entry) => entry.case))
      assert.deepStrictEqual(Object.keys(leftOut).filter((name) => !names.has(name)), [])
    })

    for (const entry of all) {
      if (entry.case in leftOut) continue
      it.effect(entry.case, () => Effect.andThen(checkOf(entry)(entry), Effect.sync(() => cases++)))
    }
  })
}
