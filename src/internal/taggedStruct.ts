/** Tagged structs whose fields are spread from several objects. */
import * as Schema from "effect/Schema"

/**
 * `Schema.TaggedStruct` for fields such as `{ ...shared, own }`. There the compiler copies each spread field, as the parameter is
 * `const`, and declaration files lose its comment.
 */
export const taggedStruct = <const Tag extends string, F extends Schema.Struct.Fields>(
  tag: Tag,
  fields: F
): Schema.TaggedStruct<Tag, F> => Schema.TaggedStruct(tag, fields)
