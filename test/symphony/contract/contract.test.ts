/**
 * The client against a server that others made from the vendor's own description of the services: what it asks is what the
 * vendor says can be asked, and whatever the vendor says can come back is read.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as NodeSymphony from "effect-herald/node/NodeSymphony"
import { Datafeed, Session } from "effect-herald/symphony"
import { SymphonyEmulator } from "effect-herald/testing"
import * as FeedEvent from "../../../src/symphony/internal/feed/feedEvent.ts"
import { isLong } from "../../simulation/seeds.ts"
import { type Ask, type Call, feeds, login, logins, messages, readFeed } from "./calls.ts"
import { type Exchange, isFor, lineOf, plain, preferring, recorded } from "./exchanges.ts"
import { expected, told } from "./expected.ts"
import * as Prism from "./prism.ts"
import { lostOf } from "./values.ts"
import * as Vendor from "./vendor.ts"

const document = "mock/symphony-mock.yaml"

/** Operations that no call of the client makes. */
const notOffered: { readonly [beginning: string]: string } = {
  "POST /sessionauth/": "certificates",
  "POST /keyauth/": "certificates",
  "POST /login/idm/tokens": "the common JWT",
  "GET /agent/v1/info": "asked by a login whose token says that keys are delivered in the simplified way: see below"
}

const calls: ReadonlyArray<Call> = [...logins, ...messages, ...feeds]

/** One server, and the session of a bot at it, for all tests of a file. */
const served = Layer.unwrap(Effect.gen(function*() {
  const port = yield* Prism.serve(Vendor.fileOf(document), "--errors")
  const { privateKey } = yield* SymphonyEmulator.keyPair
  return NodeSymphony.layer({
    scheme: "http",
    host: "127.0.0.1",
    port,
    bot: { username: "bot", privateKey },
    app: { appId: "app", privateKey },
    retry: { maxAttempts: 2, base: "1 millis" }
  })
}))

const titleOf = ({ name, way }: Call): string => way === undefined ? name : `${name} ${way}`

/** All requests, with the title of each. */
const requests = calls.flatMap((call): ReadonlyArray<readonly [string, Vendor.Name, Ask]> => [
  [titleOf(call), call.name, call.ask],
  ...Object.entries(call.others ?? {}).map(([other, ask]) => [`${titleOf(call)} ${other}`, call.name, ask] as const)
])

const assertAccepted = (exchanges: ReadonlyArray<Exchange>) =>
  assert.deepStrictEqual(
    exchanges.filter(({ status, violations }) => status >= 300 || violations !== "").map(
      ({ method, path, status, violations }) => `${method} ${path}: ${status} ${violations}`
    ),
    []
  )

/** What each status means, in the words of the mock. */
const meaning: { readonly [status: number]: string } = {
  400: "BadRequest: Bad request",
  401: "Unauthorized: Unauthorized",
  403: "AccessDenied: Forbidden",
  404: "NotFound: Not found",
  405: "BadRequest: Method not allowed",
  429: "RateLimited: Too many requests",
  451: "Blocked: Compliance issue",
  500: "ServerFailure: Server error",
  503: "ServerFailure: Service unavailable"
}

const expectedFailure = (name: Vendor.Name, status: number): string => {
  const said = meaning[status] ?? "a status of which nothing is known"
  // What may have been posted is not posted again.
  if (name.startsWith("POST /agent/v4/") && status >= 500) return `1 × MessageOutcomeUnknown, ${said}`
  const isLogin = logins.some((login) => login.name === name)
  const isFeed = feeds.some((feed) => feed.name === name)
  // A login is not renewed by a login. A datafeed has its own way to try again.
  const again = status === 401 ? !isLogin : (status === 429 || status >= 500) && !isFeed
  // A renewal is no attempt.
  return `${again ? status === 401 && !isFeed ? 3 : 2 : 1} × ${said}`
}

const Fields = Schema.Record(Schema.String, Schema.Json)

/** Events as they come over the line: the datafeed reads each by itself. */
const decodeEvents = Schema.decodeUnknownEffect(Schema.Struct({
  events: Schema.Array(Schema.StructWithRest(
    Schema.Struct({ payload: Schema.NullOr(Schema.Record(Schema.String, Schema.NullOr(Fields))) }),
    [Fields]
  ))
}))

/** Of what has no id there is no use. */
const isWithoutIds = (name: Vendor.Name, text: string): boolean =>
  /\/(attachments|sessioninfo)$/.test(name) && /"(id|fileId|messageId)":null/.test(text)

// A generator of random numbers takes 1, 11 and 111 for the same. The mock is slow: the long run has a hundred.
const seeds = Array.from({ length: isLong ? 100 : 4 }, (_, index) => String(index).padStart(3, "0"))

/** A request that is answered with any values that the description allows. */
const dynamic = ({ ask, name }: Call, seed: string) =>
  recorded(preferring(name, `dynamic=true, seed=${seed}`)(ask), { withBodies: true })

describe("contract with the vendor's mock", () => {
  if (!Vendor.isPresent) {
    it.skip(Vendor.absent)
    return
  }
  const operations = Vendor.operations(document)

  it("covers all operations that the vendor describes, or lists why not", () => {
    const names = calls.map(({ name }) => name)
    const left = operations.filter(({ name }) =>
      !names.includes(name) && !Object.keys(notOffered).some((beginning) => name.startsWith(beginning))
    )
    assert.deepStrictEqual(left.map(({ name }) => name), [])
    assert.deepStrictEqual(names.filter((called) => !operations.some(({ name }) => name === called)), [])
  })

  const known = Vendor.fieldNames(document)
  const titled = calls.flatMap((call): ReadonlyArray<readonly [string, Call, Vendor.Operation]> =>
    operations.filter(({ name }) => name === call.name).map((operation) => [titleOf(call), call, operation])
  )

  layer(served, { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect.each(requests)("accepts %s", ([_, name, ask]) =>
      Effect.gen(function*() {
        const { exchanges, result } = yield* recorded(ask)
        assertAccepted(exchanges)
        assert.isTrue(Result.isSuccess(result), JSON.stringify(result))
        assert.isTrue(exchanges.some((exchange) => isFor(name, exchange)), "another operation was asked")
      }))

    it.effect.each(titled)(
      "%s maps each status to its error",
      ([_, { ask, name }, { statuses }]) =>
        Effect.gen(function*() {
          const failures = statuses.filter((status) => status >= 300)
          assert.isAbove(failures.length, 0)
          const outcomes = yield* Effect.forEach(failures, (status) =>
            Effect.map(recorded(preferring(name, `code=${status}`)(ask)), ({ exchanges, result }) => {
              const attempts = exchanges.filter((exchange) =>
                isFor(name, exchange)
              ).length
              const line = Result.isFailure(result) ? lineOf(result.failure) : "it succeeded"
              return [status, `${attempts} × ${line}`] as const
            }))
          assert.deepStrictEqual(
            Object.fromEntries(outcomes),
            Object.fromEntries(failures.map((status) => [status, expectedFailure(name, status)]))
          )
        })
    )

    it.effect.each(titled)(
      "%s decodes each example",
      ([title, { ask, name }, { examples, statuses }]) =>
        Effect.gen(function*() {
          const preferences = [
            ...examples.map((example) => `example=${example}`),
            ...statuses.includes(204) ? ["code=204"] : []
          ]
          assert.isAbove(preferences.length, 0)
          const outcomes = yield* Effect.forEach(preferences, (preference) =>
            Effect.map(recorded(preferring(name, preference)(ask)), ({ exchanges, result }) => {
              assertAccepted(exchanges)
              return [preference, Result.match(result, { onFailure: lineOf, onSuccess: plain })] as const
            }))
          assert.deepStrictEqual(Object.fromEntries(outcomes), expected[title])
        })
    )

    it.effect("accepts on-behalf-of requests without a key manager token", () =>
      Effect.gen(function*() {
        const asks = messages.map(({ ask }) => ask)
        const { exchanges, result } = yield* recorded(
          Effect.provide(Effect.all(asks), Session.layerOnBehalfOf({ userId: 7_000_000_000_002 }))
        )
        assert.isTrue(Result.isSuccess(result))
        assertAccepted(exchanges)
      }))

    it.effect("takes the key manager token when the Agent's version is not known to be new enough", () =>
      Effect.gen(function*() {
        const name = "GET /agent/v1/info"
        const statuses = operations.find((operation) => operation.name === name)?.statuses ?? []
        const preferences = ["example=old", ...statuses.filter((status) => status >= 300).map((code) => `code=${code}`)]
        const keyManagerTokens = yield* Effect.forEach(["example=full", ...preferences], (preference) =>
          Effect.map(
            login.pipe(preferring("POST /login/pubkey/authenticate", "example=skd"), preferring(name, preference)),
            ({ keyManagerToken }) => `${preference}: ${keyManagerToken === undefined ? "none" : "one"}`
          ))
        assert.deepStrictEqual(keyManagerTokens, [
          "example=full: none",
          ...preferences.map((preference) => `${preference}: one`)
        ])
      }))

    it.effect("Datafeed emits the mock's events in order", () =>
      Effect.gen(function*() {
        const { exchanges, result } = yield* recorded(
          Stream.runCollect(Stream.take(Datafeed.stream({ deleteOnEnd: true }), told.length))
        )
        assertAccepted(exchanges)
        assert.deepStrictEqual(plain(Result.getOrThrow(result)), told)
        assert.deepStrictEqual(exchanges.map(({ method, path }) => `${method} ${path}`), [
          "GET /pod/v2/sessioninfo",
          "GET /agent/v5/datafeeds",
          "POST /agent/v5/datafeeds/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_f/read",
          "DELETE /agent/v5/datafeeds/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_f"
        ])
      }))

    // Any text is a file as it comes, but hardly ever base64. What a datafeed reads comes below.
    it.effect.each(titled.filter(([_, call]) => call.way !== "as bytes" && call !== readFeed))(
      "%s decodes answers of random values",
      ([_, call]) =>
        Effect.gen(function*() {
          const failed: Array<string> = []
          // Others give no more than is needed of an answer, and a file is no JSON.
          const isGivenWhole = messages.includes(call) && !call.name.endsWith("/attachment")
          for (const seed of seeds) {
            const { exchanges, result } = yield* dynamic(call, seed)
            const texts = yield* Effect.forEach(exchanges, ({ response }) => response.text)
            if (Result.isFailure(result)) {
              if (texts.some((text) => isWithoutIds(call.name, text))) continue
              failed.push(`seed ${seed}: ${lineOf(result.failure)} of ${texts.join("\n")}`)
            } else if (isGivenWhole) {
              const lost = texts.flatMap((text) => lostOf(known, JSON.parse(text), plain(result.success)))
              if (lost.length > 0) failed.push(`seed ${seed}: lost ${lost.join(" | ")} of ${texts.join("\n")}`)
            }
          }
          assert.deepStrictEqual(failed, [])
        }),
      60_000
    )

    it.effect("decodes every kind of event without losing a field", () =>
      Effect.gen(function*() {
        const failed: Array<string> = []
        const kinds = new Set<string>()
        for (const seed of seeds) {
          const { result } = yield* dynamic(readFeed, seed)
          const { events } = yield* decodeEvents(Result.getOrThrow(result))
          for (const { payload, ...envelope } of events) {
            for (const [property, content] of Object.entries(payload ?? {})) {
              if (!known.has(property) || content === null) continue
              kinds.add(property)
              // The mock knows no types. The service writes the name of the payload in capitals.
              const event = { ...envelope, type: property.toUpperCase(), payload: { [property]: content } }
              const told = FeedEvent.read(event)
              const lost = told._tag === "UndecodableEvent"
                ? [told.issue]
                : lostOf(
                  known,
                  { ...envelope, type: null, ...Record.filter(content, Predicate.isNotNull) },
                  plain(told)
                )
              if (lost.length > 0) failed.push(`seed ${seed}: ${lost.join(" | ")} of ${JSON.stringify(event)}`)
            }
          }
        }
        assert.deepStrictEqual(failed, [])
        assert.strictEqual(kinds.size, 17)
      }), 60_000)
  })
})
