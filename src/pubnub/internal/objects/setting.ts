/**
 * The fields that are set of an object: what is sent of them, and what is wrong with them.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Input from "../../../internal/input.ts"
import type * as AppContext from "../../AppContext.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type { CustomCodec } from "./custom.ts"

/** By name, and in custom data by the names there: `null` clears one, and those that are left out stay. */
export interface Body {
  readonly [field: string]: AppContext.Custom | string | null
}

/** Custom data to be set; the texts are looked for by their names. */
export interface Fields<C> {
  readonly custom?: AppContext.Settable<C> | undefined
}

export interface Encoded {
  readonly body: Body
  readonly issues: ReadonlyArray<PubNubError.Detail>
}

/** The fields of every object that are texts, and the most characters of each. */
export const longest = { status: 50, type: 50 } as const

/** What becomes of a field: a value, nothing, or `undefined` where it stays as it is. */
const settable = <A>(value: AppContext.Settable<A> | undefined): Option.Option<A> | undefined =>
  value === undefined ? undefined : Option.isOption(value) ? value : Option.some(value)

const encodeTexts = (fields: object, longest: { readonly [field: string]: number }): Encoded => {
  const body: { [field: string]: string | null } = {}
  const problems: { [field: string]: Input.Problem } = {}
  for (const [location, most] of Object.entries(longest)) {
    const given = settable(Predicate.hasProperty(fields, location) ? fields[location] : undefined)
    if (given === undefined) continue
    const text = Option.getOrNull(given)
    problems[location] = text === null ? undefined : Input.characters(most)(text)
    if (text === null || Predicate.isString(text)) body[location] = text
  }
  return { body, issues: Input.issues(problems) }
}

/** The texts that may be as long as is said, and the custom data. */
export const encode = <C, RE>(
  codec: Pick<CustomCodec<C, never, never, RE>, "encode">,
  fields: Fields<C>,
  longest: { readonly [field: string]: number }
): Effect.Effect<Encoded, never, RE> => {
  const wrong = Input.record(fields)
  if (wrong !== undefined) return Effect.succeed({ body: {}, issues: [{ location: "fields", message: wrong }] })
  const { body, issues } = encodeTexts(fields, longest)
  const given = settable(fields.custom)
  if (given === undefined) return Effect.succeed({ body, issues })
  if (Option.isNone(given)) return Effect.succeed({ body: { ...body, custom: null }, issues })
  return Effect.match(codec.encode(given.value), {
    onSuccess: (custom) => ({ body: { ...body, custom }, issues }),
    onFailure: (message) => ({ body, issues: [...issues, { location: "custom", message }] })
  })
}
