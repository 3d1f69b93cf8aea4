import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import * as SymphonyEmulatorServer from "effect-herald/node/SymphonyEmulatorServer"
import * as Http from "node:http"
import { Script } from "node:vm"

interface Told {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** `fetch` sets the headers that browsers set, so it cannot play a page. */
const ask = (
  port: number,
  path: string,
  { body, headers = {}, method = "GET" }: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
  } = {}
) =>
  Effect.callback<Told, Error>((resume, signal) => {
    const request = Http.request({ host: "127.0.0.1", port, path, method, headers, signal }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += String(chunk)))
      response.on("error", (error) => resume(Effect.fail(error)))
      response.on("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body: text })))
    })
    request.on("error", (error) =>
      resume(Effect.fail(error)))
    request.end(body)
  })

const pubnub = PubNubEmulatorServer.PubNubEmulatorServer

const command = (port: number, name: string, input: unknown, headers: Record<string, string> = {}) =>
  ask(port, `/_herald/do/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(input)
  })

const stateOf = (port: number, query = "") =>
  Effect.map(ask(port, `/_herald/state${query}`), ({ body }) => JSON.parse(body))

const publication = { channel: "a", message: "{\"id\":1}", signal: false }

const served = (options: PubNubEmulatorServer.Options = {}) =>
  Effect.provide(PubNubEmulatorServer.layer({ inspector: true, ...options }))

describe("the inspector of PubNub", () => {
  it.live("has a page that runs no inline script, and / leads a browser to it", () =>
    Effect.gen(function*() {
      const { port } = yield* pubnub
      const page = yield* ask(port, "/_herald/")
      assert.include(page.body, "<h1>PubNub emulator</h1>")
      assert.notMatch(page.body, /<script(?![^>]*src=)| style=| on\w+=/)
      const policy = String(page.headers["content-security-policy"])
      assert.include(policy, "default-src 'none'; script-src 'self'; style-src 'self'")
      assert.notInclude(policy, "unsafe")
      assert.isUndefined(page.headers["access-control-allow-origin"])
      const script = yield* ask(port, "/_herald/inspector.js")
      assert.match(String(script.headers["content-type"]), /^text\/javascript/)
      assert.doesNotThrow(() => new Script(script.body))
      for (const path of ["/", "/_herald"]) {
        const { headers, status } = yield* ask(port, path, { headers: { accept: "text/html,*/*" } })
        assert.deepStrictEqual([status, headers.location], [303, "/_herald/"])
      }
      assert.strictEqual((yield* ask(port, "/")).status, 404)
      assert.strictEqual((yield* ask(port, "/_herald/nothing")).status, 404)
      assert.strictEqual((yield* ask(port, "/time/0")).status, 200)
    }).pipe(served()))

  it.live("is not there unless it is asked for", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* pubnub
      for (const path of ["/_herald/", "/_herald/state", "/"]) {
        assert.strictEqual((yield* ask(port, path, { headers: { accept: "text/html" } })).status, 404)
      }
      assert.strictEqual((yield* command(port, "publish", publication)).status, 404)
      assert.deepStrictEqual(yield* emulator.channelNames, [])
    }).pipe(served({ inspector: undefined })))

  it.live.each<readonly [string, Record<string, string>]>([
    ["of a foreign Host", { host: "evil.example" }],
    ["of a page elsewhere", { origin: "https://evil.example" }],
    ["of a page elsewhere that is allowed to use the emulator", { origin: "https://app.example" }],
    ["of a page of another port", { origin: "http://localhost:3000" }],
    ["of a page of another port, as the browser says", { "sec-fetch-site": "same-site" }],
    ["of another site, as the browser says", { "sec-fetch-site": "cross-site" }],
    ["of a hidden origin", { origin: "null" }]
  ])("answers a request %s with 403, and changes nothing", ([_, headers]) =>
    Effect.gen(function*() {
      const { emulator, port } = yield* pubnub
      assert.strictEqual((yield* command(port, "publish", publication, headers)).status, 403)
      assert.strictEqual((yield* ask(port, "/_herald/state", { headers })).status, 403)
      assert.deepStrictEqual(yield* emulator.channelNames, [])
    }).pipe(served({ origins: ["https://app.example"] })))

  it.live("takes commands from its own page, and from programs", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* pubnub
      const host = `localhost:${port}`
      const own = { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" }
      assert.strictEqual((yield* command(port, "publish", publication, own)).status, 200)
      assert.strictEqual(
        (yield* command(port, "publish", { ...publication, message: "text", publisher: "me" })).status,
        200
      )
      assert.deepStrictEqual(
        (yield* emulator.messages({ channel: "a" })).map(({ payload, publisher }) => [payload, publisher]),
        [[{ id: 1 }, undefined], ["text", "me"]]
      )
      yield* command(port, "publish", { ...publication, signal: true })
      assert.deepStrictEqual((yield* emulator.events()).map(({ kind }) => kind), ["Message", "Message", "Signal"])
      yield* command(port, "revoke", { token: "one" })
      yield* command(port, "expire", { token: "two" })
      assert.deepStrictEqual((yield* emulator.refusedTokens).map(({ reason }) => reason), ["revoked", "expired"])
    }).pipe(served()))

  it.live("refuses commands that it does not understand, and changes nothing", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* pubnub
      const refusals: ReadonlyArray<readonly [number, Effect.Effect<Told, Error>]> = [
        [400, command(port, "publish", { ...publication, more: 1 })],
        [400, command(port, "publish", { channel: "a" })],
        [400, command(port, "publish", { ...publication, channel: "" })],
        [400, command(port, "latency", { millis: -1 })],
        [400, command(port, "fault", { fault: "Nope", times: 1 })],
        [400, command(port, "fault", { fault: "EmptyBody", on: "send", times: 1 })],
        [400, command(port, "fault", { fault: "NullCursor", on: "publish", times: 1 })],
        [400, command(port, "seed", { seed: 1, rate: 2 })],
        [404, command(port, "toString", {})],
        [405, ask(port, "/_herald/do/publish")],
        [405, ask(port, "/_herald/state", { method: "POST" })],
        [415, command(port, "publish", publication, { "content-type": "text/plain" })],
        [
          400,
          ask(port, "/_herald/do/heal", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: "{"
          })
        ]
      ]
      for (const [index, [status, told]] of refusals.entries()) {
        const { body, status: actual } = yield* told
        assert.strictEqual(actual, status, `${index}: ${body}`)
        assert.isNotEmpty(JSON.parse(body).message)
      }
      assert.deepStrictEqual(yield* emulator.channelNames, [])
    }).pipe(served()))

  it.live("shows the state, waits for a change of it, and shows requests without their tokens", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* pubnub
      yield* ask(port, "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me&auth=hush&signature=v2.x")
      yield* emulator.setUser({ id: "ada", name: "Ada" })
      const first = yield* stateOf(port, "?selected=a")
      assert.deepStrictEqual(first.state.channels.map(({ name }: { readonly name: string }) => name), ["a", "ada"])
      assert.deepInclude(first.state.events[0], { channel: "a", kind: "Message", payload: "1", publisher: "me" })
      assert.deepInclude(first.state.users[0], { id: "ada", name: "Ada" })
      assert.deepStrictEqual(first.state.tokens, [{ token: "hush", status: "in use" }])
      const [request] = first.state.network.requests
      assert.deepInclude(request, { method: "GET", outcome: 200 })
      assert.strictEqual(request.target, "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me&auth=…&signature=…")
      assert.isNumber(request.millis)
      const next = yield* Effect.forkChild(stateOf(port, `?selected=a&seen=${first.version}`), {
        startImmediately: true
      })
      yield* Effect.sleep("1 millis")
      yield* emulator.publish({ channel: "a", message: 2 })
      assert.strictEqual((yield* Fiber.join(next)).state.events.length, 2)
    }).pipe(served()))

  it.live("injects a fault, removes faults, sets latency and drops connections", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* pubnub
      yield* command(port, "fault", { fault: "ServerError 503 not handled", on: "publish", times: 1 })
      const path = "/publish/demo-pub/demo-sub/0/a/0/1?uuid=me"
      assert.strictEqual((yield* ask(port, "/time/0")).status, 200)
      const failed = yield* ask(port, path)
      assert.deepStrictEqual([failed.status, failed.headers["access-control-allow-origin"]], [503, "*"])
      assert.strictEqual((yield* ask(port, path)).status, 200)
      yield* command(port, "fault", { fault: "ConnectionRefused", times: 9 })
      assert.nestedPropertyVal(yield* Effect.flip(ask(port, path)), "code", "ECONNRESET")
      yield* command(port, "heal", {})
      assert.strictEqual((yield* ask(port, path)).status, 200)
      yield* command(port, "latency", { millis: 30 })
      yield* ask(port, "/time/0")
      const { state } = yield* stateOf(port)
      assert.deepStrictEqual(
        state.network.requests.map(({ outcome }: { readonly outcome: unknown }) => outcome),
        [200, 503, 200, "dropped", 200, 200]
      )
      assert.isAtLeast(state.network.requests.at(-1).millis, 29)
      const poll = yield* Effect.forkChild(
        Effect.flip(ask(port, "/v2/subscribe/demo-sub/b/0?uuid=me&tt=17900000000000000")),
        { startImmediately: true }
      )
      yield* Effect.repeat(emulator.readers, { until: (count) => count === 1, schedule: Schedule.spaced("1 millis") })
      yield* command(port, "drop", {})
      assert.nestedPropertyVal(yield* Fiber.join(poll), "code", "ECONNRESET")
    }).pipe(served()))

  it.live("gives the same faults for the same seed", () =>
    Effect.gen(function*() {
      const { port } = yield* pubnub
      let asked = 0
      /** Sends a request, and waits until it has come: some faults give no answer. */
      const send = Effect.gen(function*() {
        yield* Effect.forkScoped(Effect.exit(ask(port, "/time/0")), { startImmediately: true })
        asked++
        yield* Effect.repeat(stateOf(port), { until: ({ state }) => state.network.requests.at(-1)?.id === asked })
      })
      const faultsOf = (seed: number) =>
        Effect.gen(function*() {
          yield* command(port, "seed", { seed, rate: 0.6 })
          for (let index = 0; index < 12; index++) yield* send
          const { state } = yield* stateOf(port)
          assert.deepStrictEqual(state.network.chance, { seed, percent: 60 })
          return state.network.injected.map((line: string) => line.slice("00:00:00.000 ".length))
        }).pipe(Effect.scoped)
      const first = yield* faultsOf(7)
      assert.isAbove(first.length, 3)
      assert.deepStrictEqual(yield* faultsOf(7), first)
      assert.notDeepEqual(yield* faultsOf(8), first)
    }).pipe(served()))

  it.live("lets a port have faults without an inspector", () =>
    Effect.gen(function*() {
      const { port } = yield* pubnub
      assert.strictEqual((yield* ask(port, "/time/0")).status, 429)
      assert.strictEqual((yield* ask(port, "/time/0")).status, 200)
    }).pipe(served({
      inspector: false,
      faults: { script: [{ fault: { _tag: "RateLimited", retryAfter: "1 second" } }] }
    })))
})

describe("the inspector of Symphony", () => {
  it.live("shows the pod, and sends, blocks, expires and drops", () =>
    Effect.gen(function*() {
      const { emulator, port } = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
      const [{ streamId }] = (yield* stateOf(port)).state.streams
      const send = { streamId, username: "ada", markup: false }
      assert.strictEqual((yield* command(port, "send", { ...send, message: "1 < 2 & ${x}" })).status, 400)
      assert.strictEqual((yield* command(port, "send", { ...send, message: "1 < 2 &\n3" })).status, 200)
      assert.strictEqual((yield* command(port, "send", { ...send, markup: true, message: "<b>x</b>" })).status, 200)
      const bad = yield* command(port, "send", { ...send, markup: true, message: "<b>x" })
      assert.strictEqual(bad.status, 400)
      assert.include(bad.body, "the Agent would refuse the message")
      assert.strictEqual((yield* command(port, "send", { ...send, username: "eve", message: "x" })).status, 400)
      yield* command(port, "block", { words: ["secret"] })
      yield* command(port, "expire", { name: "ada" })
      const { state } = yield* stateOf(port, `?selected=${streamId}`)
      assert.deepStrictEqual(state.messages.map(({ text }: { readonly text: string }) => text), ["1 < 2 &3", "x"])
      assert.deepStrictEqual(state.blocked, ["secret"])
      assert.deepStrictEqual(state.users.map(({ username }: { readonly username: string }) => username), ["ada", "bot"])
      assert.deepStrictEqual(yield* emulator.blocked, ["secret"])
      assert.strictEqual((yield* command(port, "dropFeed", { feedId: "none" })).status, 200)
      assert.include((yield* ask(port, "/_herald/")).body, "<h1>Symphony emulator</h1>")
      assert.strictEqual((yield* command(port, "fault", { fault: "NullCursor", times: 1 })).status, 400)
      assert.strictEqual(
        (yield* command(port, "fault", { fault: "AccessDenied", on: "agentInfo", times: 1 })).status,
        200
      )
      assert.strictEqual((yield* ask(port, "/agent/v1/info")).status, 403)
    }).pipe(Effect.provide(SymphonyEmulatorServer.layer({
      inspector: true,
      users: [{ username: "ada" }, { username: "bot" }],
      streams: [{ type: "ROOM", name: "Orders", members: ["ada", "bot"] }]
    }))))
})
