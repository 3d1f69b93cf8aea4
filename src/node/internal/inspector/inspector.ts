/**
 * The inspector of an emulator: a page that shows its state and changes it, and the two endpoints of that page. It serves the page
 * from memory, in front of the emulator's own handler.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as Faults from "../../../testing/Faults.ts"
import * as json from "../../../testing/server/json.ts"
import { pairsOf } from "../../../testing/server/percent.ts"
import type * as SymphonyEmulator from "../../../testing/SymphonyEmulator.ts"
import * as faultyHandler from "../faultyHandler.ts"
import { style } from "./page/style.ts"
import * as traffic from "./traffic.ts"

type Answer = SymphonyEmulator.Answer
type Request = SymphonyEmulator.Request

/** Neither service has this path. */
export const path = "/_herald"

/** A command that the emulator cannot carry out, and why. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { message: Schema.String }) {}

/** Changes the emulator, with input from the page. */
export type Command = (input: unknown) => Effect.Effect<void, Refused>

/** A command whose input is checked. Unknown fields are refused. A defect of the emulator says what was wrong. */
export const command = <A, I>(
  schema: Schema.Codec<A, I>,
  run: (input: A) => Effect.Effect<unknown, Refused>
): Command => {
  const decode = Schema.decodeUnknownEffect(schema, { onExcessProperty: "error" })
  return (input) =>
    decode(input).pipe(
      Effect.mapError(({ message }) => new Refused({ message })),
      Effect.flatMap((input) =>
        Effect.catchDefect(
          run(input),
          (defect) => new Refused({ message: defect instanceof Error ? defect.message : String(defect) })
        )
      ),
      Effect.asVoid
    )
}

/** An emulator, as the inspector sees it. */
export interface Inspected<State extends object> {
  readonly html: string
  readonly script: string
  /** What the page shows. `selected` is the channel or stream whose details it wants. */
  readonly state: (selected: string | undefined) => Effect.Effect<State>
  readonly commands: Readonly<Record<string, Command>>
  /** The kinds of requests that can be made to fail. */
  readonly kinds: ReadonlyArray<Faults.Kind>
  readonly handle: faultyHandler.Handle
  /** Resets the connections that wait. */
  readonly restart: Effect.Effect<void>
}

/** What the pages of both emulators show. */
export interface Network {
  readonly requests: ReadonlyArray<traffic.Seen>
  readonly latencyMillis: number
  /** The faults that can be injected, by their labels. */
  readonly faults: ReadonlyArray<string>
  readonly kinds: ReadonlyArray<string>
  /** The random faults, if there are any. */
  readonly chance: { readonly seed: number; readonly percent: number } | undefined
  /** The newest injected faults, oldest first. */
  readonly injected: ReadonlyArray<string>
}

const labelOf = ({ _tag, ...details }: Faults.Fault): string =>
  [
    _tag,
    ...Object.entries(details).map(([name, value]) =>
      typeof value === "boolean" ? `${value ? "" : "not "}${name}` : String(value)
    )
  ].join(" ")

/** On a port, an unknown name is a refused connection. The first page of a reader is known only while there are faults. */
const hidden: ReadonlyArray<Faults.Fault["_tag"]> = ["NameNotFound", "OldPage"]

/** These hit only the pages of a subscription. */
const ofPages: ReadonlyArray<Faults.Fault["_tag"]> = [
  "NullMessages",
  "NullCursor",
  "ZeroCursor",
  "FutureCursor",
  "BackwardCursor",
  "RepeatedPage"
]

/** The faults that requests of these kinds can meet, by their labels. */
const choicesOf = (kinds: ReadonlyArray<Faults.Kind>): ReadonlyMap<string, Faults.Fault> =>
  new Map(
    Faults.everything
      .filter(({ fault: { _tag } }) => !hidden.includes(_tag) && (kinds.includes("poll") || !ofPages.includes(_tag)))
      .map(({ fault }) => [labelOf(fault), fault])
  )

const Chance = Schema.Struct({
  seed: Schema.Int,
  rate: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
})

const chanceOf = (chance: Faults.Chance | undefined): Network["chance"] =>
  chance === undefined ? undefined : { seed: chance.seed, percent: 100 * (chance.rate ?? 0.1) }

const networkCommands = (
  { kinds, restart }: Pick<Inspected<object>, "kinds" | "restart">,
  choices: ReadonlyMap<string, Faults.Fault>,
  faults: faultyHandler.FaultyHandler,
  seen: ReturnType<typeof traffic.make>
): Readonly<Record<string, Command>> => ({
  latency: command(
    Schema.Struct({ millis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 })) }),
    ({ millis }) => Effect.sync(() => seen.setLatency(Duration.millis(millis)))
  ),
  fault: command(
    Schema.Struct({
      fault: Schema.Literals([...choices.keys()]),
      on: Schema.optionalKey(Schema.Literals(kinds)),
      times: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
    }),
    ({ fault: label, ...rule }) => {
      const fault = choices.get(label)
      if (fault === undefined) return Effect.void
      return ofPages.includes(fault._tag) && !["poll", "handshake", undefined].includes(rule.on)
        ? new Refused({ message: `${fault._tag} hits only handshakes and polls` })
        : faults.add({ ...rule, fault })
    }
  ),
  heal: command(Schema.Struct({}), () => faults.restart({})),
  drop: command(Schema.Struct({}), () => restart),
  seed: command(Chance, (chance) => Effect.andThen(faults.restart({ chance }), restart))
})

// --------------------------------------------------------------------------------------------------------------------
// answers
// --------------------------------------------------------------------------------------------------------------------

const headers = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const respond = (status: number, type: string, body: string): Answer => ({
  status,
  headers: { ...headers, "content-type": `${type}; charset=utf-8` },
  body
})

const problem = (status: number, message: string): Answer =>
  respond(status, "application/json", JSON.stringify({ message }))

const redirect: Answer = { status: 303, headers: { ...headers, location: `${path}/` }, body: "" }

/** Only the page itself may ask. A program without a browser sends neither header. */
const isSameOrigin = ({ headers }: Request): boolean => {
  const site = headers["sec-fetch-site"]
  return (site === undefined || site === "same-origin" || site === "none") &&
    (headers["origin"] === undefined || headers["origin"] === `http://${headers["host"]}`)
}

const decodeJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))

const textOf = (body: string | Uint8Array): string => typeof body === "string" ? body : new TextDecoder().decode(body)

const run = (commands: Readonly<Record<string, Command>>, name: string, request: Request): Effect.Effect<Answer> => {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) return Effect.succeed(problem(404, "there is no such command"))
  if (request.method !== "POST") return Effect.succeed(problem(405, "a command is a POST"))
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    return Effect.succeed(problem(415, "the content type is not application/json"))
  }
  return decodeJson(textOf(request.body)).pipe(
    Effect.mapError(() => new Refused({ message: "the body is not JSON" })),
    Effect.flatMap(command),
    Effect.match({
      onFailure: ({ message }) => problem(400, message),
      onSuccess: () => respond(200, "application/json", "{}")
    })
  )
}

/**
 * Gives the state once it is another one than the page has, and 204 after some 20 seconds without a change. It rests ten times as long
 * as a look takes, so that a large state leaves time to the emulator.
 */
const follow = (state: Effect.Effect<object>, seen: string | undefined, looks = 100): Effect.Effect<Answer> =>
  Effect.flatMap(Effect.timed(state), ([took, found]) => {
    const text = json.write(found)
    const version = createHash("sha1").update(text).digest("hex")
    if (version !== seen) {
      return Effect.succeed(respond(200, "application/json", `{"version":"${version}","state":${text}}`))
    }
    if (looks === 0) return Effect.succeed(respond(204, "application/json", ""))
    const rest = Duration.max(Duration.millis(200), Duration.times(took, 10))
    return Effect.andThen(Effect.sleep(rest), Effect.suspend(() => follow(state, seen, looks - 1)))
  })

const isPage = ({ headers, method }: Request) => method === "GET" && (headers["accept"] ?? "").includes("text/html")

/** Puts the inspector in front of an emulator. */
export const make = Effect.fnUntraced(
  function*<State extends object>(
    inspected: Inspected<State>,
    given: Faults.Options
  ): Effect.fn.Return<faultyHandler.Handle> {
    const faults = yield* faultyHandler.make(inspected.handle, given)
    const seen = traffic.make(faults.handle)
    const choices = choicesOf(inspected.kinds)
    const commands = { ...networkCommands(inspected, choices, faults, seen), ...inspected.commands }

    const network: Effect.Effect<Network> = Effect.map(faults.injected, (injected) => ({
      requests: seen.seen(),
      latencyMillis: Duration.toMillis(seen.latency()),
      faults: [...choices.keys()],
      kinds: inspected.kinds,
      chance: chanceOf(faults.chance()),
      injected: injected.slice(-50).map(({ fault, request, time }) =>
        `${DateTime.formatIso(time).slice(11, 23)} ${labelOf(fault)}: ${request.slice(0, 500)}`
      )
    }))

    const state = (selected: string | undefined) =>
      Effect.zipWith(inspected.state(selected), network, (state, network) => ({ ...state, network }))

    const answer = (request: Request, name: string, search: string): Effect.Effect<Answer> => {
      if (name.startsWith("do/")) return run(commands, name.slice(3), request)
      if (request.method !== "GET") return Effect.succeed(problem(405, "the page is read with GET"))
      switch (name) {
        case "":
          return Effect.succeed(respond(200, "text/html", inspected.html))
        case "inspector.css":
          return Effect.succeed(respond(200, "text/css", style))
        case "inspector.js":
          return Effect.succeed(respond(200, "text/javascript", inspected.script))
        case "state": {
          const query = new Map(pairsOf(search))
          return follow(state(query.get("selected")), query.get("seen"))
        }
        default:
          return Effect.succeed(problem(404, "the inspector has no such page"))
      }
    }

    return (request) => {
      const [where = "", search = ""] = request.target.split(/\?(.*)/s)
      if (where === path || where === "/" && isPage(request)) return Effect.succeed(redirect)
      if (!where.startsWith(`${path}/`)) return seen.handle(request)
      return isSameOrigin(request)
        ? answer(request, where.slice(path.length + 1), search)
        : Effect.succeed(problem(403, "only the page of the inspector itself may ask"))
    }
  }
)
