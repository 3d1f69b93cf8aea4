/** A service, or what stands between, that says all that it was told: every secret, in every form, in every kind of answer. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as Util from "node:util"
import { Exchanges } from "../../src/testing/Transport.ts"
import type { Exchange } from "../../src/testing/Transport.ts"
import * as exchange from "../../src/testing/server/exchange.ts"
import { isLong } from "../simulation/seeds.ts"

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A kind of answer, made of what was told. */
export type Kind = (said: string) => Answer

/** What terminals obey, and what turns text around. */
export const commands = "\u001b]0;title\u0007\u001b[2J\u009b31m\u202e"

/** Bodies of failures, of both services and of what stands between. */
const bodies: Readonly<Record<string, (said: string, status: number) => string>> = {
  "a page": (said) => `<html><body>${said}</body></html>`,
  text: (said) => said,
  "text cut short": (said) => said.slice(0, -7),
  "the secrets behind much text": (said) => `${"x ".repeat(490)}${said}`,
  "the secrets behind a long address": (said) => `http://h/${"x".repeat(16_000)} ${said}`,
  "text of a megabyte": (said) => said.repeat(1 + 1_000_000 / said.length),
  "a message": (said, status) => JSON.stringify({ status, error: true, message: said }),
  "a message and a code": (said, code) => JSON.stringify({ code, message: said }),
  "a message of a gateway": (said) => JSON.stringify({ message: said }),
  "an error in words": (error) => JSON.stringify({ error }),
  "an error_message": (said, status) => JSON.stringify({ status, error: true, error_message: said, channels: {} }),
  "an error with details": (said, status) =>
    JSON.stringify({ status, error: { message: said, details: [{ message: said, location: said }] } }),
  "names that are refused": (said, status) =>
    JSON.stringify({
      status,
      error: true,
      message: "Forbidden",
      payload: { channels: [said, "a"], "channel-groups": [`:${said}`] }
    }),
  "a list": (said) => JSON.stringify([0, said, "17334108326343660"]),
  "a file of storage": (said) => `<?xml version="1.0"?><Error><Code>X</Code><Message>${said}</Message></Error>`,
  "another shape": (said) =>
    JSON.stringify({ [said]: said, t: { t: said, r: said }, m: said, data: said, channels: said }),
  "another shape, in a list": (said) => JSON.stringify([{ [said]: said, token: said, id: said, messageId: said }]),
  "half of an object": (said) => `{"token":${JSON.stringify(said)}`,
  "a token in an object": (said) => JSON.stringify({ token: [said], name: said }),
  "no JSON at its beginning": (said) => `${said}{}`,
  "data, and what went wrong": (said, status) =>
    JSON.stringify({
      status,
      data: {
        type: "a",
        value: "b",
        uuid: "c",
        actionTimetoken: "17334108326343660",
        messageTimetoken: "17334108326343660"
      },
      error: { message: said, source: "actions" }
    })
}

const successes = [200, 207]
const failures = [302, 400, 401, 402, 403, 404, 413, 429, 502]

/** Each body comes with one status: every third a success, the others failures. The long run has all of them. */
const statusesOf = (body: number): ReadonlyArray<number> =>
  isLong
    ? [...successes, ...failures]
    : body % 3 === 0
    ? [successes[(body / 3) % successes.length]!]
    : [failures[body % failures.length]!]

/** Kinds of answers by name, each with its place, by which it meets some requests. */
export const kinds: ReadonlyArray<readonly [name: string, kind: Kind, place: number]> = Object.entries(bodies).flatMap(
  ([name, body], index) =>
    statusesOf(index).map((status): readonly [string, Kind, number] => [
      `${name} with ${status}`,
      (said) => ({
        status,
        headers: {
          "x-pn-cause": header(said),
          "retry-after": header(said),
          location: header(said),
          "www-authenticate": header(said)
        },
        body: body(said, status)
      }),
      index
    ])
)

const header = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "")

const base64 = (text: string): string => Buffer.from(text).toString("base64")

/** The forms in which a text may come back. */
export const formsOf = (text: string): ReadonlyArray<string> => [
  text,
  encodeURIComponent(text),
  encodeURIComponent(encodeURIComponent(text)),
  encodeURIComponent(text).replaceAll(/%../g, (escape) => escape.toLowerCase()),
  base64(text),
  Buffer.from(text).toString("base64url")
]

/**
 * A transport that answers each request with all that is known of it, its own address, headers and body and the given secrets
 * too, in the kind of answer that is asked for.
 */
export const reflecting = (kind: Kind, secrets: ReadonlyArray<string>) =>
  Layer.unwrap(Effect.sync(() => {
    const exchanges: Array<Exchange> = []
    const client = HttpClient.make((request, url) =>
      Effect.map(exchange.bodyText(request), (sent) => {
        const { headers, method } = request
        exchanges.push({ method, url: url.href, headers: { ...headers }, body: sent, outcome: { _tag: "Pending" } })
        const said = [
          commands,
          `${method} ${url.pathname}${url.search}`,
          url.href,
          ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
          sent,
          ...[...url.searchParams.values(), ...Object.values(headers), ...secrets].flatMap(formsOf)
        ].join(" | ")
        const { body, headers: answered = {}, status } = kind(said)
        return exchange.response(request, { status, headers: answered, body })
      })
    )
    return Layer.succeed(HttpClient.HttpClient, client).pipe(
      Layer.merge(Layer.succeed(Exchanges, Exchanges.of({ all: Effect.sync(() => [...exchanges]) })))
    )
  }))

/** All that is shown of the values given: as text, JSON, inspected with what is hidden, and as reports of causes. */
export const shownOf = (...values: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  values.flatMap((value) => [
    String(value),
    JSON.stringify(value) ?? "",
    Util.inspect(value, { depth: 12, showHidden: true }),
    ...value instanceof Error ? [value.stack ?? "", value.message] : [],
    ...Exit.isExit(value) && Exit.isFailure(value) ? [Cause.pretty(value.cause)] : [],
    ...Cause.isCause(value) ? [Cause.pretty(value)] : []
  ])

/** A logger and a tracer that take down all they are told. */
export const watched = () => {
  const shown: Array<string> = []
  const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
    shown.push(...shownOf(logLevel, message, cause, fiber.getRef(References.CurrentLogAnnotations)))
  })
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      shown.push(options.name)
      const attribute = span.attribute.bind(span)
      span.attribute = (key, value) => {
        shown.push(...shownOf(key, value))
        attribute(key, value)
      }
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        if (Exit.isFailure(exit)) shown.push(...shownOf(exit))
        end(time, exit)
      }
      return span
    }
  })
  const watching = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.withTracer(tracer),
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "All")
    )
  return { shown, watching }
}

/** What is in a text of the secrets, and of what terminals obey. */
export const leaksOf = (texts: ReadonlyArray<string>, secrets: ReadonlyArray<string>): ReadonlyArray<string> => {
  const needles = secrets.flatMap(formsOf).map((needle) => needle.toLowerCase())
  return texts.flatMap((text) => {
    const lower = text.toLowerCase()
    const found = needles.find((needle) => lower.includes(needle)) ??
      /eyJ[\w-]/.exec(text)?.[0] ??
      /(?:auth|signature|token)=(?!\{secret\})[^\s]/.exec(lower)?.[0] ??
      // Inspection writes them as escapes, and stacks have lines.
      // oxlint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.exec(text)?.[0]
    if (found === undefined) return []
    const at = Math.max(0, lower.indexOf(found) - 60)
    return [`${JSON.stringify(found)} in …${text.slice(at, at + 200)}`]
  })
}
