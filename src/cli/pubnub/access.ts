/**
 * `herald access`: access tokens.
 */
import * as Arr from "effect/Array"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Access from "../../pubnub/Access.ts"
import * as AccessToken from "../../pubnub/AccessToken.ts"
import { BadInput, ProblemsFound } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import * as Time from "../input/time.ts"
import { stdin } from "../input/stdin.ts"
import { writeValue } from "../output/write.ts"
import { keyset, withKeyset } from "./keyset.ts"

/** The token of the connection, or else standard input: an argument would be in the list of processes. */
const token = Effect.gen(function*() {
  const { authToken } = yield* keyset
  if (authToken !== undefined) return authToken
  const text = (yield* Stream.mkString(stdin("The token; Ctrl-D ends."))).trim()
  return text === ""
    ? yield* new BadInput({ description: "There is no token: set PUBNUB_AUTH_TOKEN, or pass it on standard input" })
    : Redacted.make(text)
})

const asInput = <A, R>(read: Effect.Effect<A, AccessToken.InvalidToken, R>) =>
  Effect.mapError(read, ({ message }) => new BadInput({ description: message }))

// --------------------------------------------------------------------------------------------------------------------
// grant and revoke
// --------------------------------------------------------------------------------------------------------------------

const channelRights = Access.ChannelRight.literals
const groupRights = Access.GroupRight.literals
const userRights = Access.UserRight.literals

/** `name=right,right`: the name may have an equals sign, too. */
const rightsOf = <const Right extends string>(
  name: string,
  known: ReadonlyArray<Right>,
  what: string,
  names = /./s
) => {
  const isKnown = Schema.is(Schema.Array(Schema.Literals(known)))
  return Flag.String(name).pipe(
    Flag.filterMap(
      (text) => {
        const at = text.lastIndexOf("=")
        const rights = text.slice(at + 1).split(",").map((right) => right.trim())
        const name = text.slice(0, Math.max(at, 0))
        return names.test(name) && isKnown(rights) ? Option.some([name, rights] as const) : Option.none()
      },
      () => `${what}=rights, with rights of ${known.join(", ")}`
    ),
    Flag.atLeast(0),
    Flag.map((entries) =>
      Record.map(
        Arr.groupBy(entries, ([name]) => name),
        (given) => Arr.dedupe(given.flatMap(([, rights]) => rights))
      )
    ),
    Flag.withMetavar(`${what}=rights`),
    Flag.withDescription(`Rights on a ${name.replace("-", " ")}: ${known.join(", ")}, with commas. May be repeated`)
  )
}

const grant = Command.make(
  "grant",
  {
    ttl: Time.length("ttl", "How long the token lasts: whole minutes, at most 30 days (default: \"1 hour\")"),
    authorizedUser: Inputs.text("authorized-user", "The only user that may use the token (default: any user)", "name"),
    channels: rightsOf("channel", channelRights, "name"),
    groups: rightsOf("group", groupRights, "name"),
    users: rightsOf("user", userRights, "name"),
    channelPatterns: rightsOf("channel-pattern", channelRights, "^pattern$"),
    groupPatterns: rightsOf("group-pattern", groupRights, "^pattern$"),
    userPatterns: rightsOf("user-pattern", userRights, "^pattern$"),
    categories: rightsOf("category", ["get"], "channels|users", /^(channels|users)$/),
    meta: Inputs.jsonObject("meta", "Data that everybody who has the token can read: a JSON object")
  },
  Effect.fnUntraced(function*(
    { authorizedUser, categories, channelPatterns, channels, groupPatterns, groups, meta, ttl, userPatterns, users }
  ) {
    const token = yield* Access.grant({
      ttl: ttl ?? "1 hour",
      user: authorizedUser,
      channels,
      groups,
      users,
      patterns: { channels: channelPatterns, groups: groupPatterns, users: userPatterns },
      categories,
      meta
    })
    yield* writeValue({ token: Redacted.value(token) }, ({ token }) => token)
  })
).pipe(Command.withDescription("Make a token, and print it. It needs all three keys of the keyset"))

const revoke = Command.make("revoke", {}, () =>
  Effect.gen(function*() {
    yield* Access.revoke(yield* token)
    yield* writeValue({ revoked: true }, () => "revoked")
  })).pipe(Command.withDescription("Revoke the token of --auth-token, or of standard input"))

// --------------------------------------------------------------------------------------------------------------------
// parse and explain
// --------------------------------------------------------------------------------------------------------------------

const byName = (names: ReadonlyMap<string, ReadonlyArray<string>>) => Object.fromEntries(names)

const permissions = ({ channels, groups, others, users }: AccessToken.Permissions) => ({
  channels: byName(channels),
  groups: byName(groups),
  users: byName(users),
  ...Object.fromEntries(Array.from(others, ([kind, names]) => [kind, byName(names)]))
})

const shown = (
  { categories, expires, granted, meta, patterns, resources, ttl, user, version }: AccessToken.AccessToken
) => ({
  version,
  granted: DateTime.formatIso(granted),
  expires: DateTime.formatIso(expires),
  ttlMinutes: Duration.toMinutes(ttl),
  user: user ?? null,
  resources: permissions(resources),
  patterns: permissions(patterns),
  categories,
  meta
})

const linesOf = (part: string, kinds: ReturnType<typeof permissions>) =>
  Object.entries(kinds).flatMap(([kind, names]) =>
    Object.entries(names).map(([name, rights]) => `${part} of ${kind} ${name}: ${rights.join(", ")}`)
  )

const toText = (
  { categories, expires, granted, meta, patterns, resources, ttlMinutes, user }: ReturnType<typeof shown>
) => [
  `granted ${granted} for ${ttlMinutes} minutes, expires ${expires}`,
  `user: ${user ?? "any"}`,
  ...linesOf("name", resources),
  ...linesOf("pattern", patterns),
  ...Object.entries(categories).flatMap(([kind, rights]) =>
    rights.length === 0 ? [] : [`all ${kind}: ${rights.join(", ")}`]
  ),
  ...Object.keys(meta).length === 0 ? [] : [`meta: ${JSON.stringify(meta)}`]
]

const parse = Command.make("parse", {}, () =>
  Effect.gen(function*() {
    const content = yield* asInput(Effect.fromResult(AccessToken.parse(yield* token)))
    yield* writeValue(shown(content), toText)
  })).pipe(Command.withDescription("Print what a token says, without asking the service"))

const explain = Command.make(
  "explain",
  {
    operation: Argument.Literals("function", Access.operations).pipe(
      Argument.withDescription("The function that is refused, such as Publish.publish or Subscribe.stream")
    ),
    channels: Inputs.texts("channel", "A channel of the call."),
    groups: Inputs.texts("group", "A channel group of the call."),
    users: Inputs.texts("user", "A user of the call.")
  },
  Effect.fnUntraced(function*({ operation, ...names }) {
    const { userId } = yield* keyset
    const call = { operation, user: userId, ...names }
    const explanation = yield* Effect.catchTag(
      Access.explain(yield* token, call),
      "InvalidToken",
      ({ message }) => Effect.fail(new BadInput({ description: message }))
    )
    yield* writeValue(explanation, ({ message }) => message)
    if (explanation._tag !== "Allowed") return yield* new ProblemsFound({ count: 1, code: 3 })
  })
).pipe(
  Command.withDescription("Say whether a token allows a call, and if not, why. It asks nobody; exit code 3 if not")
)

export const access = Command.make("access").pipe(
  Command.withSubcommands([grant, revoke, parse, explain]),
  withKeyset,
  Command.withDescription("Access tokens: make, revoke, read, and say why a call is refused"),
  Command.withExamples([
    {
      command:
        "herald access grant --authorized-user ada --channel lobby=read,write --channel-pattern '^room-[0-9]+$=read'",
      description: "A token for one user and one hour"
    },
    {
      command: "herald access explain Publish.publish --channel lobby --user-id ada",
      description: "Why was I refused? The token is PUBNUB_AUTH_TOKEN, or standard input"
    }
  ])
)
