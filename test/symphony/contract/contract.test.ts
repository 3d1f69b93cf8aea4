/**
 * The client against a server that others made from the vendor's own description of the services: what it asks is what the
 * vendor says can be asked, and whatever the vendor says can come back is read.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as NodeSymphony from "effect-herald/node/NodeSymphony"
import { Session } from "effect-herald/symphony"
import { SymphonyEmulator } from "effect-herald/testing"
import { type Ask, type Call, logins, messages } from "./calls.ts"
import { type Exchange, isFor, lineOf, plain, preferring, recorded } from "./exchanges.ts"
import { expected } from "./expected.ts"
import * as Prism from "./prism.ts"
import * as Vendor from "./vendor.ts"

const document = "mock/symphony-mock.yaml"

/** Operations that no call of the client makes. */
const notOffered: { readonly [beginning: string]: string } = {
  "POST /sessionauth/": "certificates",
  "POST /keyauth/": "certificates",
  "POST /login/idm/tokens": "the common JWT"
}

const calls: ReadonlyArray<Call> = [...logins, ...messages]

/** One server, and the session of a bot at it, for all tests of a file. */
const served = Layer.unwrap(Effect.gen(function*() {
  const port = yield* Prism.serve(Vendor.fileOf(document), "--errors")
  const { privateKey } = yield* SymphonyEmulator.keyPair
  return Session.layer().pipe(Layer.provideMerge(NodeSymphony.layer({
    scheme: "http",
    host: "127.0.0.1",
    port,
    bot: { username: "bot", privateKey },
    app: { appId: "app", privateKey },
    retry: { maxAttempts: 2, initialInterval: "1 millis" }
  })))
}))

/** All ways to an operation, with the name of each. */
const waysOf = ({ ask, name, others = {} }: Call): ReadonlyArray<readonly [string, Ask]> => [
  [name, ask],
  ...Object.entries(others).map(([way, ask]) => [`${name} ${way}`, ask] as const)
]

const accepted = ({ method, status, target, violations }: Exchange) =>
  status < 300 && violations === "" ? "accepted" : `${method} ${target}: ${status} ${violations}`

/** What each status means, in the words of the mock. */
const meaning: { readonly [status: number]: string } = {
  400: "InvalidRequest: Bad request",
  401: "Unauthorized: Unauthorized",
  403: "Forbidden: Forbidden",
  404: "NotFound: Not found",
  405: "InvalidRequest: Method not allowed",
  429: "Throttled: Too many requests",
  451: "Blocked: Compliance issue",
  500: "ServiceFailure: Server error",
  503: "ServiceFailure: Service unavailable"
}

const posts = /^POST \/agent\/v4\//

const expectedFailure = (name: Vendor.Name, status: number): string => {
  const said = meaning[status] ?? "a status of which nothing is known"
  if (posts.test(name) && status >= 500) return `1 × MessageOutcomeUnknown, ${said}`
  // A login is not renewed by another login.
  const again = status >= 500 || status === 429 || status === 401 && !/ \/(login|relay)\//.test(name)
  return `${again ? 2 : 1} × ${said}`
}

/** The values within a JSON value, as text. */
const leaves = (value: unknown): ReadonlyArray<string> => {
  if (Predicate.isNullish(value)) return []
  if (typeof value === "object") return Object.values(value).flatMap(leaves)
  return [String(value)]
}

describe("contract", () => {
  if (!Vendor.isPresent) {
    it.skip(Vendor.absent)
    return
  }
  const operations = Vendor.operations(document)

  it("covers all that the vendor describes, or says why not", () => {
    const names = calls.map(({ name }) => name)
    const left = operations.filter(({ name }) =>
      !names.includes(name) && !Object.keys(notOffered).some((beginning) => name.startsWith(beginning))
    )
    assert.deepStrictEqual(left.map(({ name }) => name), [])
    assert.deepStrictEqual(names.filter((called) => !operations.some(({ name }) => name === called)), [])
  })

  layer(served, { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect.each(calls.flatMap((call) => waysOf(call).map(([way, ask]) => ({ way, ask, name: call.name }))))(
      "$way is accepted",
      ({ ask, name }) =>
        Effect.gen(function*() {
          const { exchanges, result } = yield* recorded(ask)
          assert.deepStrictEqual(exchanges.map(accepted), exchanges.map(() => "accepted"))
          assert.isTrue(Result.isSuccess(result), JSON.stringify(result))
          assert.isTrue(exchanges.some((exchange) => isFor(name, exchange)), "another operation was asked")
        })
    )

    it.effect.each(calls)("$name: each status has its meaning", ({ ask, name }) =>
      Effect.gen(function*() {
        const statuses = operations.find((operation) => operation.name === name)?.statuses.filter((status) =>
          status >= 300
        ) ?? []
        assert.isAbove(statuses.length, 0)
        const outcomes = yield* Effect.forEach(statuses, (status) =>
          Effect.map(recorded(preferring(name, `code=${status}`)(ask)), ({ exchanges, result }) => {
            const attempts = exchanges.filter((exchange) => isFor(name, exchange)).length
            const line = Result.isFailure(result) ? lineOf(result.failure) : "it succeeded"
            return [status, `${attempts} × ${line}`] as const
          }))
        assert.deepStrictEqual(
          Object.fromEntries(outcomes),
          Object.fromEntries(statuses.map((status) => [status, expectedFailure(name, status)]))
        )
      }))

    it.effect.each(
      calls.flatMap(({ ask, name }) => {
        const operation = operations.find((operation) => operation.name === name)
        const empty = operation?.statuses.includes(204) === true ? ["code=204"] : []
        return [...operation?.examples.map((example) => `example=${example}`) ?? [], ...empty].map((preference) => ({
          ask,
          name,
          preference
        }))
      })
    )("$name: $preference is read", ({ ask, name, preference }) =>
      Effect.gen(function*() {
        const { exchanges, result } = yield* recorded(preferring(name, preference)(ask))
        assert.isTrue(Result.isSuccess(result), JSON.stringify(result))
        assert.deepStrictEqual(exchanges.map(accepted), exchanges.map(() => "accepted"))
        assert.deepStrictEqual(plain(Result.getOrThrow(result)), expected[name]?.[preference])
      }))

    it.effect.each(calls)("$name: a hundred answers of any values are read", ({ ask, name }) =>
      Effect.gen(function*() {
        const failed: Array<string> = []
        for (let seed = 1; seed <= 100; seed++) {
          const { exchanges, result } = yield* recorded(preferring(name, `dynamic=true, seed=${seed}`)(ask))
          const answer = exchanges.findLast((exchange) => isFor(name, exchange))
          const text = answer === undefined ? "" : yield* Effect.orDie(answer.response.text)
          if (Result.isFailure(result)) failed.push(`seed ${seed}: ${lineOf(result.failure)} of ${text}`)
          else if (text.startsWith("{") || text.startsWith("[")) {
            const read = leaves(plain(result.success))
            const lost = leaves(JSON.parse(text)).filter((leaf) => !read.includes(leaf))
            if (lost.length > 0) failed.push(`seed ${seed}: ${lost.join(" | ")} of ${text}`)
          }
        }
        assert.deepStrictEqual(failed, [])
      }))
  })
})
