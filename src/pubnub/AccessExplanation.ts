/**
 * Why a call is refused, read from its token: `Access.explain` gives one, and `AccessDenied` carries one.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { channelRights } from "./internal/access/bits.ts"

const Kind = Schema.Literals(["channel", "group", "user"])

const missing = {
  /** What the right is on. */
  kind: Kind,
  /** Its name. */
  name: Schema.String,
  /** The one right to grant. */
  right: Schema.Literals(channelRights),
  /** What is the case, and what to do. */
  message: Schema.String
}

/**
 * What the token says about a call. Each has a `message`, which says what to do. Its texts are cut after 1,024 characters, and
 * control characters in them are replaced, as in every error.
 *
 * - `Allowed`: the token allows the call. If the service refuses it all the same, the token was revoked, or is one of another
 *   keyset.
 * - `Expired`: the token has expired, by the clock of this machine: `at` is when, in milliseconds since 1970.
 * - `WrongUser`: only `user` may use the token, and `caller` makes the call.
 * - `NoSuchResource`: the token has no such name, and no pattern that matches it. Grant `right` on `name`.
 * - `WildcardAsResource`: the same, but the token has the name `resource`, whose `*` means nothing in a name. Grant `right` to a
 *   pattern.
 * - `MissingRight`: the token has the name with `rights` only. Grant `right`, too.
 * - `MissingCategory`: the call lists all channels or users, which the keyset disallows. Grant `get` under `categories`.
 * - `Undetermined`: only the service can say, because the token has a pattern that is no regular expression or takes too long.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AccessExplanation = Schema.Union([
  Schema.TaggedStruct("Allowed", { message: Schema.String }),
  Schema.TaggedStruct("Expired", { at: Schema.Int, message: Schema.String }),
  Schema.TaggedStruct("WrongUser", { user: Schema.String, caller: Schema.String, message: Schema.String }),
  Schema.TaggedStruct("NoSuchResource", missing),
  Schema.TaggedStruct("WildcardAsResource", { ...missing, resource: Schema.String }),
  Schema.TaggedStruct("MissingRight", { ...missing, rights: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("MissingCategory", {
    kind: Schema.Literals(["channel", "user"]),
    right: Schema.Literal("get"),
    message: Schema.String
  }),
  Schema.TaggedStruct("Undetermined", { ...missing, pattern: Schema.String })
])

/**
 * @category models
 * @since 0.1.0
 */
export type AccessExplanation = typeof AccessExplanation.Type
