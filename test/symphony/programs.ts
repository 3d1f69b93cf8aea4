/** Lines for `test/docs/compiler.test.ts`, which compiles them. */

/** What a program of Symphony imports. */
export const prelude = `import * as Effect from "effect/Effect"
import { Attachment, Attachments, MessageML, Messages, MessageStatus, PostedMessage } from "effect-herald/symphony"
`

/** Lines that must not compile. */
export const wrong = [
  "Messages.send({ streamId: \"s\" })",
  "Messages.send({ message: \"a\" })",
  "Messages.send({ streamId: \"s\", message: { content: \"a\" }, data: {} })",
  "Messages.send({ streamId: \"s\", message: { content: \"a\" }, version: \"2.0\" })",
  "Messages.send({ streamId: \"s\", message: { content: \"a\" }, attachments: [] })",
  "Messages.send({ streamId: \"s\", message: \"a\", silent: true })",
  "Messages.send({ streamId: \"s\", message: \"a\", attachments: [{ name: \"f\" }] })",
  "Messages.send({ streamId: \"s\", message: \"a\", attachments: [{ name: \"f\", content: 1 }] })",
  "Messages.update({ streamId: \"s\", messageId: \"m\", message: \"a\", attachments: [] })",
  "Messages.update({ streamId: \"s\", messageId: \"m\", message: { content: \"a\" }, silent: true })",
  "Messages.update({ streamId: \"s\", message: \"a\" })",
  "Messages.blast({ streamIds: \"s\", message: \"a\" })",
  "Messages.blast({ streamIds: [\"s\"], message: { content: \"a\" }, data: {} })",
  "Messages.importMessages({ messages: [{ streamId: \"s\", message: \"a\" }] })",
  "MessageSearch.search({ query: { streamType: \"room\" } })",
  "MessageSearch.search({ query: {}, order: \"asc\" })",
  "Attachments.listAttachments({ streamId: \"s\", order: \"DESC\" })",
  "const posted: PostedMessage.PostedMessage = { messageId: \"m\", attachments: [], user: null }",
  "Effect.runPromise(Messages.send({ streamId: \"s\", message: \"a\" }))"
]
