/**
 * The client against the vendor's files as they are. They can be served with some differences: each has a server of its own,
 * which does not know the context (`/agent`) in front of its paths, and their examples break their own rules, as the
 * service does.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as NodeSymphony from "effect-herald/node/NodeSymphony"
import { Session } from "effect-herald/symphony"
import { SymphonyEmulator } from "effect-herald/testing"
import { isLong } from "../../simulation/seeds.ts"
import { type Ask, logins, messages } from "./calls.ts"
import { type Exchange, lineOf, preferring, recorded } from "./exchanges.ts"
import * as Prism from "./prism.ts"
import * as Vendor from "./vendor.ts"

const documents = {
  agent: "agent-api-public.yaml",
  pod: "pod-api-public.yaml",
  login: "login-api-public.yaml"
}

type Service = keyof typeof documents

const serviceOf = (path: string): Service =>
  path.startsWith("/agent/") ? "agent" : path.startsWith("/pod/") ? "pod" : "login"

const withoutContext = (path: string): string => path.replace(/^\/\w+/, "")

/** Sends each request to the server of its service, without the context. */
const rerouted = (ports: { readonly [service in Service]: number }) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.mapRequest((request) => {
        const { pathname, search } = new URL(request.url)
        const port = ports[serviceOf(pathname)]
        return HttpClientRequest.setUrl(request, `http://127.0.0.1:${port}${withoutContext(pathname)}${search}`)
      })
    )
  )

const served = Layer.unwrap(Effect.gen(function*() {
  const ports = yield* Effect.all({
    agent: Prism.serve(Vendor.fileOf(documents.agent)),
    pod: Prism.serve(Vendor.fileOf(documents.pod)),
    login: Prism.serve(Vendor.fileOf(documents.login))
  }, { concurrency: "unbounded" })
  const { privateKey } = yield* SymphonyEmulator.keyPair
  return Session.layer().pipe(
    Layer.provideMerge(rerouted(ports)),
    Layer.provideMerge(NodeSymphony.layer({
      scheme: "http",
      host: "127.0.0.1",
      bot: { username: "bot", privateKey },
      app: { appId: "app", privateKey },
      retry: { maxAttempts: 1 }
    }))
  )
}))

const blast = "POST /agent/v4/message/blast"

// What is made up as a file is no base64.
const calls = [...logins, ...messages].filter(({ name, way }) => name !== blast && way !== "as bytes")

const requests = calls.flatMap(({ ask, name, others = {} }): ReadonlyArray<readonly [string, Ask]> => [
  [name, ask],
  ...Object.entries(others).map(([other, ask]) => [`${name} ${other}`, ask] as const)
])

/** What is wrong with a request: that answers are not as described is the vendor's own affair. */
const complaints = ({ method, path, violations }: Exchange): ReadonlyArray<string> =>
  violations.includes("[\"request\"") ? [`${method} ${path}: ${violations}`] : []

const meaning: { readonly [status: number]: string } = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "AccessDenied",
  404: "NotFound",
  451: "Blocked",
  500: "ServerFailure"
}

describe("contract with the vendor's original files", () => {
  if (!Vendor.isPresent) {
    it.skip(Vendor.absent)
    return
  }
  const operations = Object.entries(documents).flatMap(([service, document]) =>
    Vendor.operations(document).map((operation) => ({ ...operation, service }))
  )
  // A path may be in two of the files.
  const statusesOf = (name: Vendor.Name): ReadonlyArray<number> => {
    const [method, path = ""] = name.split(" ")
    return operations.find((operation) =>
      operation.service === serviceOf(path) && operation.name === `${method} ${withoutContext(path)}`
    )?.statuses ?? []
  }

  layer(served, { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect.each(requests)("accepts %s, and decodes the example", ([_, ask]) =>
      Effect.gen(function*() {
        const { exchanges, result } = yield* recorded(ask)
        assert.deepStrictEqual(exchanges.flatMap(complaints), [])
        assert.isTrue(Result.isSuccess(result), Result.isFailure(result) ? lineOf(result.failure) : "")
      }))

    it.effect("refuses a blast, because the file describes sids as a list", () =>
      Effect.gen(function*() {
        const { ask } = messages.find(({ name }) => name === blast)
          ?? assert.fail("there is no blast")
        const { exchanges } = yield* recorded(ask)
        assert.deepStrictEqual(
          exchanges.flatMap(({ violations }) => JSON.parse(violations)).map(({ message }) => message),
          ["Request body property sids must be array"]
        )
      }))

    // The server cannot write an error where a file was asked for.
    it.effect.each(calls.filter(({ name }) => !name.endsWith("/attachment")))(
      "$name maps each status to its error",
      ({ ask, name }) =>
        Effect.gen(function*() {
          const failures = statusesOf(name).filter((status) => status >= 300)
          assert.isAbove(failures.length, 0)
          const outcomes = yield* Effect.forEach(failures, (status) =>
            Effect.map(recorded(preferring(name, `code=${status}`)(ask)), ({ result }) =>
              [
                status,
                Result.match(result, {
                  onFailure: ({ reason }) =>
                    reason._tag,
                  onSuccess: () => "it succeeded"
                })
              ] as const))
          assert.deepStrictEqual(
            Object.fromEntries(outcomes),
            Object.fromEntries(failures.map((status) => [status, meaning[status]]))
          )
        })
    )

    it.effect.each(calls)(
      "$name decodes answers of random values",
      ({ ask, name }) =>
        Effect.gen(function*() {
          const failed: Array<string> = []
          for (let seed = 1; seed <= (isLong ? 25 : 2); seed++) {
            const { result } = yield* recorded(preferring(name, `dynamic=true, seed=${seed}`)(ask))
            if (Result.isFailure(result)) failed.push(`seed ${seed}: ${lineOf(result.failure)}`)
          }
          assert.deepStrictEqual(failed, [])
        })
    )
  })
})
