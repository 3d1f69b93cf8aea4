/** Schemas of users that throw on what foreigners send, and on what they are given to write. */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

const boom = (): never => {
  throw new Error("cannot be written")
}

/** A transformation that throws at a text that is no number, and at writing. */
export const Big = Schema.String.pipe(Schema.decodeTo(Schema.BigInt, {
  decode: SchemaGetter.transform((text: string) => BigInt(text)),
  encode: SchemaGetter.transform((_: bigint): string => boom())
}))

export interface Tree extends ReadonlyArray<Tree> {}

/** A recursive schema, which overflows the stack on deep input. */
export const Tree: Schema.Codec<Tree> = Schema.Array(Schema.suspend(() => Tree))

/** A check that throws something that is no error. */
export const Refusing = Schema.Unknown.pipe(
  Schema.check(Schema.makeFilter((value: unknown) => {
    if (value === "good") return true
    // oxlint-disable-next-line typescript/only-throw-error -- it is what is tested
    throw { secret: value }
  }))
)
