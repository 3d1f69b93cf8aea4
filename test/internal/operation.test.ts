/** Whether a failed request may have reached the service: "not sent" is claimed only for known failures of the connect phase. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Operation from "../../src/internal/operation.ts"

/** How an operation ends whose transport fails with a cause. */
const ended = (cause: unknown) =>
  Operation.run({
    name: "test.run",
    address: () => "/",
    attributes: () => ({}),
    request: () => Effect.succeed(HttpClientRequest.get("http://host/")),
    timeout: undefined,
    maxSize: 1_000,
    unanswered: (failure) => failure,
    answered: () => Effect.die("there is no answer")
  }).pipe(
    Effect.flip,
    Effect.provideService(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        Effect.fail(
          new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
        )
      )
    )
  )

const coded = (code: string): Error => Object.assign(new Error(code), { code })
const refused = coded("ECONNREFUSED")
const reset = coded("ECONNRESET")
const silent = new Error("no code")
const of = (code: string, syscall: string) => Object.assign(coded(code), { syscall })
const before = (message: string) => Object.assign(new Error(message), { code: "ECONNRESET" })
const all = (...errors: ReadonlyArray<unknown>) => new AggregateError(errors)
const caused = (cause: unknown) => new TypeError("fetch failed", { cause })
const many = <A>(length: number, of: (index: number) => A) => Array.from({ length }, (_, index) => of(index))

/** An error that comes from itself, over so many others. */
const circle = (length: number): Error => {
  const first = new Error("first")
  first.cause = many(length, () => 0).reduce<Error>((cause) => new Error("next", { cause }), first)
  return first
}

const deep = (depth: number, last: unknown) =>
  many(depth, () => 0).reduce<unknown>((cause, _, index) => index % 2 === 0 ? caused(cause) : all(cause), last)

const withItself = all(refused)
withItself.errors.push(withItself)

const shared = many(50, () => 0).reduce<unknown>((error) => all(error, error, error), refused)

const rows: ReadonlyArray<readonly [string, unknown, "NotSent" | "Lost", string | undefined]> = [
  ["one error of the connect phase", refused, "NotSent", "ECONNREFUSED"],
  ["one as the cause of another", caused(refused), "NotSent", "ECONNREFUSED"],
  ["several, of all addresses", caused(all(refused, coded("ENETUNREACH"))), "NotSent", "ECONNREFUSED"],
  ["one that is of the connect phase and one that is not", all(refused, reset), "Lost", "ECONNREFUSED"],
  ["the other way round", all(reset, refused), "Lost", "ECONNRESET"],
  ["the same as a cause", caused(caused(all(refused, reset))), "Lost", "ECONNREFUSED"],
  ["the same, one level further down", all(all(refused), caused(all(refused, caused(reset)))), "Lost", "ECONNREFUSED"],
  [
    "a code of its own that its errors do not have",
    Object.assign(all(reset), { code: "ECONNREFUSED" }),
    "Lost",
    "ECONNRESET"
  ],
  ["one error without a code among others", all(refused, silent), "Lost", "ECONNREFUSED"],
  ["only errors without codes", all(silent, new Error("no code")), "Lost", undefined],
  ["and a code of its own over them", Object.assign(all(silent), { code: "ECONNREFUSED" }), "Lost", undefined],
  ["no errors", all(), "Lost", undefined],
  ["no errors, and a code", Object.assign(all(), { code: "ECONNREFUSED" }), "NotSent", "ECONNREFUSED"],
  ["no errors, and a cause", Object.assign(all(), { cause: refused }), "NotSent", "ECONNREFUSED"],
  ["a code that is no text", Object.assign(new Error("x"), { code: 7, cause: refused }), "NotSent", "ECONNREFUSED"],
  ["a code that no table has", coded("EWHATEVER"), "Lost", "EWHATEVER"],
  ["the name of a property of every object", coded("constructor"), "Lost", "constructor"],
  ...[
    "ERR_SSL_WRONG_VERSION_NUMBER",
    "EPROTO",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "HOSTNAME_MISMATCH",
    "CERT_NOT_YET_VALID"
  ]
    .map((code) => [`${code} of TLS`, coded(code), "NotSent", code] as const),
  ["a code that may come later, and a call of the connect phase", of("ETIMEDOUT", "connect"), "NotSent", "ETIMEDOUT"],
  ["the same for a name", of("EPERM", "getaddrinfo"), "NotSent", "EPERM"],
  ["the same code in another call", of("ETIMEDOUT", "read"), "Lost", "ETIMEDOUT"],
  [
    "a connection that ended before TLS began",
    before("Client network socket disconnected before secure TLS connection was established"),
    "NotSent",
    "ECONNRESET"
  ],
  ["a connection that ended", before("read ECONNRESET"), "Lost", "ECONNRESET"],
  [
    "an error of TLS that may come later",
    coded("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
    "Lost",
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
  ],
  ["no cause", undefined, "Lost", undefined],
  ["null among the errors", all(refused, null), "Lost", "ECONNREFUSED"],
  ["text", "ECONNREFUSED", "Lost", undefined],
  ["itself", circle(0), "Lost", undefined],
  ["itself, over others", circle(9), "Lost", undefined],
  ["itself beside one of the connect phase", withItself, "NotSent", "ECONNREFUSED"],
  ["10,000 errors of the connect phase", all(...many(10_000, () => coded("ENOTFOUND"))), "NotSent", "ENOTFOUND"],
  ["10,000 errors, and one that is not", all(...many(10_000, () => coded("ENOTFOUND")), reset), "Lost", "ENOTFOUND"],
  ["10,000 causes", deep(10_000, refused), "NotSent", "ECONNREFUSED"],
  ["10,000 causes, and one that is not", deep(10_000, all(refused, reset)), "Lost", "ECONNREFUSED"],
  ["the same error by 3^50 ways", shared, "NotSent", "ECONNREFUSED"]
]

describe("Operation.run", () => {
  it.effect.each(rows)(
    "decides whether a request was sent when the transport fails with %s",
    ([, cause, tag, code]) =>
      Effect.map(ended(cause), (failure) => {
        assert.deepStrictEqual([failure._tag, failure.code], [tag, code])
        assert.include(failure.description, code ?? "TransportError")
      })
  )
})
