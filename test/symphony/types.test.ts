/**
 * What the compiler infers: requirements and errors, to the letter. These hold when `npm run check` passes.
 * `docs/compiler.test.ts` shows what must not compile.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Stream from "effect/Stream"
import type { Page } from "effect-herald/Page"
import type * as UndecodableItem from "effect-herald/UndecodableItem"
import {
  Attachment,
  Attachments,
  Messages,
  MessageStatus,
  type PostedMessage,
  type Session,
  type SymphonyConfig,
  type SymphonyError
} from "effect-herald/symphony"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(value: T): void => assert.isTrue(value)

type Needs = HttpClient.HttpClient | SymphonyConfig.SymphonyConfig | Session.Session
type Failure = SymphonyError.SymphonyError
type Reads<A> = Effect.Effect<A, Failure, Needs>
type Sends<A> = Effect.Effect<A, Failure | Messages.MessageOutcomeUnknown, Needs>

describe("types of requests", () => {
  const streamId = "s"
  const messageId = "m"

  it("require the transport, the configuration and the session only", () => {
    const send = Messages.send({ streamId, message: "a" })
    const update = Messages.update({ streamId, messageId, message: "a" })
    const blast = Messages.blast({ streamIds: [streamId], message: "a" })
    const list = Messages.list({ streamId })
    const get = Messages.get({ messageId })
    const status = MessageStatus.status({ messageId })
    const imported = Messages.importMessages({ messages: [] })
    const bytes = Attachments.streamAttachment({ streamId, messageId, attachmentId: "f" })
    holds<Equal<typeof send, Sends<PostedMessage.PostedMessage>>>(true)
    holds<Equal<typeof update, Sends<PostedMessage.PostedMessage>>>(true)
    holds<Equal<typeof blast, Sends<Messages.Blasted>>>(true)
    holds<Equal<typeof imported, Sends<ReadonlyArray<Messages.Imported>>>>(true)
    holds<
      Equal<typeof list, Reads<ReadonlyArray<PostedMessage.PostedMessage | UndecodableItem.UndecodableItem>>>
    >(true)
    holds<Equal<typeof get, Reads<PostedMessage.PostedMessage>>>(true)
    holds<Equal<typeof status, Reads<MessageStatus.MessageStatus>>>(true)
    holds<Equal<typeof Attachments.attachmentTypes, Reads<ReadonlyArray<string | UndecodableItem.UndecodableItem>>>>(
      true
    )
    holds<Equal<typeof bytes, Stream.Stream<Uint8Array, Failure, Needs>>>(true)
  })

  it("accept results of other requests", () => {
    const got = (file: PostedMessage.StreamAttachment) => Attachments.getAttachment({ ...file })
    const next = ({ next }: MessageStatus.MessageReceipts) => MessageStatus.receipts({ messageId, next })
    const page = (receipts: MessageStatus.MessageReceipts): Page<
      MessageStatus.Receipt | UndecodableItem.UndecodableItem,
      string
    > => receipts
    holds<Equal<ReturnType<typeof got>, Reads<string>>>(true)
    holds<Equal<ReturnType<typeof next>, Reads<MessageStatus.MessageReceipts>>>(true)
    assert.isFunction(page)
  })

  it("include the errors and services of a file's stream", () => {
    interface Disk extends Context.ServiceClass.Shape<"Disk", number> {}
    const sending = (content: Stream.Stream<Uint8Array, "gone", Disk>) =>
      Messages.send({ streamId, message: "a", attachments: [{ name: "f", content }, { name: "g", content: "text" }] })
    const once = (content: Stream.Stream<Uint8Array, "gone", Disk>) =>
      Messages.blast({
        streamIds: [streamId],
        message: {
          content: "a",
          attachments: [{ name: "f", content: "", preview: { content: Attachment.once(content) } }]
        }
      })
    const files = Messages.send({ streamId, message: "a", attachments: [{ name: "f", content: new Uint8Array() }] })
    type Unknown = Failure | Messages.MessageOutcomeUnknown
    type Sending = Effect.Effect<
      PostedMessage.PostedMessage,
      Unknown | Attachment.AttachmentFailed<"gone">,
      Needs | Disk
    >
    type Once = Effect.Effect<
      Messages.Blasted,
      Unknown | Attachment.AttachmentFailed<"gone" | Attachment.AttachmentSpent>,
      Needs | Disk
    >
    holds<Equal<ReturnType<typeof sending>, Sending>>(true)
    holds<Equal<ReturnType<typeof once>, Once>>(true)
    holds<Equal<typeof files, Sends<PostedMessage.PostedMessage>>>(true)
  })
})
