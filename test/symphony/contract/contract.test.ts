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

const titleOf = ({ name, way }: Call): string => way === undefined ? name : `${name} ${way}`

/** All requests, with the title of each. */
const requests = calls.flatMap((call): ReadonlyArray<readonly [string, Vendor.Name, Ask]> => [
  [titleOf(call), call.name, call.ask],
  ...Object.entries(call.others ?? {}).map(([other, ask]) => [`${titleOf(call)} ${other}`, call.name, ask] as const)
])

const accepted = ({ method, path, status, violations }: Exchange) =>
  status < 300 && violations === "" ? "accepted" : `${method} ${path}: ${status} ${violations}`

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

/**
 * The values of an answer that must not be lost: not those of fields that nobody described, of what has no id, and times and
 * ids that cannot be.
 */
const valuesOf = (known: ReadonlySet<string>, value: unknown, name = ""): ReadonlyArray<string> => {
  if (Predicate.isNullish(value)) return []
  if (Array.isArray(value)) return value.flatMap((entry) => valuesOf(known, entry, name))
  if (Predicate.isObject(value)) {
    const fields = Object.entries(value)
    if (fields.some(([name, id]) => /^(id|fileId|messageId)$/.test(name) && id === null)) return []
    return fields.flatMap(([field, value]) =>
      known.has(field) || name === "errors" ? valuesOf(known, value, field) : []
    )
  }
  if (/timestamp|date$/i.test(name) && !(Math.abs(Number(value)) <= 8.64e15)) return []
  if (name === "userId" && !Number.isSafeInteger(value)) return []
  return [String(value)]
}

const leaves = (value: unknown): ReadonlyArray<string> => {
  if (Predicate.isNullish(value)) return []
  return typeof value === "object" ? Object.values(value).flatMap(leaves) : [String(value)]
}

/** What there is less often than it should be. */
const lostOf = (expected: ReadonlyArray<string>, found: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = [...found]
  return expected.filter((value) => {
    const index = left.indexOf(value)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

/** Files that cannot be downloaded: there is no use for a list of them. */
const isWithoutIds = (name: Vendor.Name, text: string): boolean =>
  name.endsWith("/attachments") && /"(fileId|messageId)":null/.test(text)

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

  const known = Vendor.fieldNames(document)
  const titled = calls.flatMap((call): ReadonlyArray<readonly [string, Call, Vendor.Operation]> =>
    operations.filter(({ name }) => name === call.name).map((operation) => [titleOf(call), call, operation])
  )

  layer(served, { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect.each(requests)("%s is accepted", ([_, name, ask]) =>
      Effect.gen(function*() {
        const { exchanges, result } = yield* recorded(ask)
        assert.deepStrictEqual(exchanges.map(accepted), exchanges.map(() => "accepted"))
        assert.isTrue(Result.isSuccess(result), JSON.stringify(result))
        assert.isTrue(exchanges.some((exchange) => isFor(name, exchange)), "another operation was asked")
      }))

    it.effect.each(titled)(
      "%s: each status has its meaning",
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
      "%s: each example is read",
      ([title, { ask, name }, { examples, statuses }]) =>
        Effect.gen(function*() {
          const preferences = [
            ...examples.map((example) => `example=${example}`),
            ...statuses.includes(204) ? ["code=204"] : []
          ]
          assert.isAbove(preferences.length, 0)
          const outcomes = yield* Effect.forEach(preferences, (preference) =>
            Effect.map(recorded(preferring(name, preference)(ask)), ({ exchanges, result }) => {
              assert.deepStrictEqual(
                exchanges.map(accepted),
                exchanges.map(() =>
                  "accepted"
                )
              )
              return [preference, Result.match(result, { onFailure: lineOf, onSuccess: plain })] as const
            }))
          assert.deepStrictEqual(Object.fromEntries(outcomes), expected[title])
        })
    )

    // Any text is a file as it comes, but hardly ever base64.
    it.effect.each(titled.filter(([_, { way }]) => way !== "as bytes"))(
      "%s: a hundred answers of any values are read",
      ([_, { ask, name }]) =>
        Effect.gen(function*() {
          const failed: Array<string> = []
          for (let seed = 1; seed <= 100; seed++) {
            const { exchanges, result } = yield* recorded(preferring(name, `dynamic=true, seed=${seed}`)(ask))
            const [exchange] = exchanges
            const text = exchange === undefined ? "" : yield* exchange.response.text
            if (Result.isFailure(result)) {
              if (!isWithoutIds(name, text)) failed.push(`seed ${seed}: ${lineOf(result.failure)} of ${text}`)
            } // Of a login the client takes no more than the token, and a file is no JSON.
            else if (!/\/authenticate$|\/attachment$/.test(name)) {
              const lost = lostOf(valuesOf(known, JSON.parse(text)), leaves(plain(result.success)))
              if (lost.length > 0) failed.push(`seed ${seed}: lost ${lost.join(" | ")} of ${text}`)
            }
          }
          assert.deepStrictEqual(failed, [])
        })
    )
  })
})
