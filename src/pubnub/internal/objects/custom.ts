/**
 * Converts custom data between the application's type and the scalars that the service keeps, with or without a schema.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import { Custom, CustomMismatch, type CustomSchema, type Kind } from "../../AppContext.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Payload from "../wire/payload.ts"

/** The owner of custom data, for errors. */
export interface Owner {
  readonly operation: string
  readonly kind: Kind
  readonly id: string
}

export interface CustomCodec<C, E, RD, RE> {
  /** Decodes the custom data of an object. */
  readonly decode: (custom: Custom, owner: Owner) => Effect.Effect<C, E, RD>
  /** Fails with a sentence on what is wrong. */
  readonly encode: (custom: C) => Effect.Effect<Custom, string, RE>
}

const decodeCustom = Codec.decode(Custom)

// `undefined` as the value of a key means an absent key.
const scalars = (custom: unknown): Effect.Effect<Custom, string> =>
  decodeCustom(
    Predicate.isObject(custom)
      ? Object.fromEntries(Object.entries(custom).filter(([, value]) => value !== undefined))
      : custom
  ).pipe(
    Effect.mapError((issue) => `may hold text, numbers, booleans and null only: ${issue}`),
    Effect.tap((custom) => Effect.fromResult(Payload.encode(custom)))
  )

/** A codec that keeps custom data as it is. */
export const untyped: CustomCodec<Custom, never, never, never> = {
  decode: Effect.succeed,
  encode: scalars
}

/** The custom data of events is JSON, not only scalars. */
export interface TypedCodec<C, RD, RE> extends CustomCodec<C, CustomMismatch, RD, RE> {
  readonly decode: (custom: SubscribeEvent.CustomChange, owner: Owner) => Effect.Effect<C, CustomMismatch, RD>
}

/** Makes a codec from a schema. */
export const typed = <C, RD, RE>(schema: CustomSchema<C, RD, RE>): TypedCodec<C, RD, RE> => {
  const decode = Payload.decodeWith(schema)
  const encode = Codec.encode(Schema.toCodecJson(schema))
  return {
    decode: (custom, owner) =>
      Effect.mapError(decode({ ...custom }), (issue) => new CustomMismatch({ ...owner, issue, custom })),
    encode: (custom) =>
      encode(custom).pipe(
        Effect.mapError((issue) => `does not match its schema: ${issue}`),
        Effect.flatMap(scalars)
      )
  }
}

/** Decodes the custom data of a change. */
export const typedChange = <Change extends SubscribeEvent.Change, C, RD, RE>(
  codec: TypedCodec<C, RD, RE>,
  { custom, ...rest }: Change,
  owner: Owner
): Effect.Effect<
  Omit<Change, "custom"> & { readonly custom?: SubscribeEvent.Changed<C> },
  CustomMismatch,
  RD
> =>
  custom === undefined
    ? Effect.succeed(rest)
    : Option.match(custom, {
      onNone: () => Effect.succeed({ ...rest, custom: Option.none() }),
      onSome: (custom) =>
        Effect.map(codec.decode(custom, owner), (custom) => ({ ...rest, custom: Option.some(custom) }))
    })

/** Decodes the custom data of a record. The key is absent if it is not set. */
export const decodePart = <C, E, RD>(
  { decode }: Pick<CustomCodec<C, E, RD, unknown>, "decode">,
  custom: Custom | undefined,
  owner: Owner
): Effect.Effect<{ readonly custom?: C }, E, RD> =>
  custom === undefined ? Effect.succeed({}) : Effect.mapEager(decode(custom, owner), (custom) => ({ custom }))

/** The other parts of a record. Most have no custom data: to copy an object without one key takes ten times as long as a whole one. */
export const withoutCustom = <W extends { readonly custom?: Custom }>(wire: W): Omit<W, "custom"> => {
  if (wire.custom === undefined) return wire
  const { custom: _, ...others } = wire
  return others
}
