/**
 * What a user attached to a published message: a reaction, a receipt, a bookmark.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Timetoken } from "./Timetoken.ts"

/**
 * A message action, and its schema. Events, history and `MessageActions` all have this shape, and
 * `MessageActions.remove({ channel, ...action })` takes it back.
 *
 * @category models
 * @since 0.1.0
 */
export class MessageAction extends Schema.Opaque<MessageAction>()(Schema.Struct({
  /** The kind of the action: `"reaction"`, `"receipt"`. */
  type: Schema.String,
  /** The value of the action: `"👍"`, `"read"`. */
  value: Schema.String,
  /** The user that added the action. */
  userId: Schema.String.pipe(Schema.check(Schema.isPattern(/\S/, { expected: "a user id that is not blank" }))),
  /** When the action was added. It identifies the action on its message. */
  actionTimetoken: Timetoken,
  /** The message of the action: a timetoken of 17 digits, or 10 digits in old data. */
  messageTimetoken: Schema.String.pipe(Schema.check(Schema.isPattern(/^\d+$/, { expected: "digits" })))
})) {}
