/**
 * The commands of contexts, which PubNub and Symphony have both.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { BadInput } from "../exit/failure.ts"
import { writeValue, writeValues } from "../output/write.ts"
import * as ContextFile from "./file.ts"

const Name = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][\w.-]*$/i, { expected: "a name of letters, digits, dots, dashes and underscores" })
)

/** The name of a context on the command line. */
export const name = Argument.String("name").pipe(
  Argument.withSchema(Name),
  Argument.withDescription("The name of the context")
)

/** The settings as they may be printed. A secret is only named. */
const shown = (settings: object) =>
  Record.map(
    Record.filter({ ...settings }, (value) => value !== undefined),
    (value: unknown) => Redacted.isRedacted(value) ? "(hidden)" : value
  )

interface Shown {
  readonly name: string
  readonly inUse: boolean
  readonly settings: { readonly [setting: string]: unknown }
}

const toLine = ({ inUse, name, settings }: Shown): string => {
  const texts = Object.entries(settings).map(([setting, value]) => `${setting}=${String(value)}`)
  return [inUse ? "*" : " ", name, ...texts].join("  ")
}

/** Stores a context under a name. The first context of a service is used from then on. */
export const add = Effect.fnUntraced(function*<A extends object>(
  section: ContextFile.Section<A>,
  name: string,
  settings: A
) {
  const { inUse } = yield* ContextFile.change(
    section,
    ({ contexts, inUse = name }) => Effect.succeed({ inUse, contexts: { ...contexts, [name]: settings } })
  )
  yield* writeValue({ name, inUse: inUse === name, settings: shown(settings) }, toLine)
})

const use = <A>(section: ContextFile.Section<A>) =>
  Command.make(
    "use",
    { name },
    Effect.fnUntraced(function*({ name }) {
      yield* ContextFile.change(section, (contexts) =>
        Effect.as(ContextFile.named(contexts, name), { ...contexts, inUse: name }))
      yield* writeValue({ inUse: name }, () =>
        `in use: ${name}`)
    })
  ).pipe(Command.withDescription("Use a context from now on"))

const list = <A extends object>(section: ContextFile.Section<A>) =>
  Command.make(
    "list",
    {},
    Effect.fnUntraced(function*() {
      const { contexts, inUse } = yield* ContextFile.read(section)
      const all = Object.entries(contexts).map(([name, settings]) => ({
        name,
        inUse: name === inUse,
        settings: shown(settings)
      }))
      yield* writeValues(Stream.fromIterable(all), { toText: toLine })
    })
  ).pipe(Command.withDescription("Print the contexts. * marks the one in use. Secrets are hidden"))

const show = <A extends object>(section: ContextFile.Section<A>) =>
  Command.make(
    "show",
    { name: name.pipe(Argument.withDefault(undefined)) },
    Effect.fnUntraced(function*({ name }) {
      const contexts = yield* ContextFile.read(section)
      const wanted = name ?? contexts.inUse
      if (wanted === undefined) {
        return yield* new BadInput({ description: "No context is in use. Add one, or name the context to show" })
      }
      const settings = shown(yield* ContextFile.named(contexts, wanted))
      yield* writeValue({ name: wanted, inUse: wanted === contexts.inUse, settings }, toLine)
    })
  ).pipe(Command.withDescription("Print the settings of a context (default: the one in use). Secrets are hidden"))

const remove = <A>(section: ContextFile.Section<A>) =>
  Command.make(
    "remove",
    { name },
    Effect.fnUntraced(function*({ name }) {
      yield* ContextFile.change(section, (all) =>
        Effect.as(ContextFile.named(all, name), {
          inUse: all.inUse === name ? undefined : all.inUse,
          contexts: Record.remove(all.contexts, name)
        }))
      yield* writeValue({ removed: name }, () => `removed: ${name}`)
    })
  ).pipe(Command.withDescription("Remove a context"))

/** The commands that need no flag of the service. */
export const others = <A extends object>(section: ContextFile.Section<A>) =>
  [use(section), list(section), show(section), remove(section)] as const
