/**
 * The state of an emulator in a file, when it ends.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FileSystem from "effect/FileSystem"
import * as Record from "effect/Record"
import * as Json from "../internal/json.ts"
import type * as PubNubEmulator from "../testing/PubNubEmulator.ts"
import type * as SymphonyEmulator from "../testing/SymphonyEmulator.ts"

/** Times as ISO text, lengths of time as milliseconds, and bytes as base64. */
const plain = (fields: object): object =>
  Record.map({ ...fields }, (value: unknown) =>
    DateTime.isDateTime(value)
      ? DateTime.formatIso(value)
      : Duration.isDuration(value)
      ? Duration.toMillis(value)
      : value instanceof Uint8Array
      ? Base64.encode(value)
      : value)

/** The state of the PubNub emulator. */
export const ofPubNub = (emulator: PubNubEmulator.PubNubEmulator["Service"]) =>
  Effect.gen(function*() {
    const channels = yield* Effect.forEach(yield* emulator.channelNames, (channel) =>
      Effect.all({
        channel: Effect.succeed(channel),
        messages: Effect.map(emulator.messages({ channel }), (all) => all.map(plain)),
        actions: emulator.actions({ channel }),
        occupants: emulator.occupants({ channel })
      }))
    const groups = yield* Effect.forEach(
      yield* emulator.groups,
      (group) => Effect.map(emulator.groupChannels({ group }), (channels) => ({ group, channels }))
    )
    return {
      channels,
      groups,
      users: (yield* emulator.users).map(plain),
      channelMetadata: (yield* emulator.channels).map(plain),
      memberships: (yield* emulator.memberships).map(plain)
    }
  })

/** The state of the Symphony emulator. */
export const ofSymphony = (emulator: SymphonyEmulator.SymphonyEmulator["Service"]) =>
  Effect.gen(function*() {
    const streams = yield* Effect.forEach(
      yield* emulator.streams,
      (stream) =>
        Effect.map(emulator.messages({ streamId: stream.streamId }), (messages) => ({
          ...stream,
          messages: messages.map((message) => ({ ...plain(message), attachments: message.attachments.map(plain) }))
        }))
    )
    return { streams, users: (yield* emulator.users).map(plain) }
  })

/** Writes the state to the file when the effect ends, however it ends. */
export const whenEnded =
  (file: string | undefined, state: Effect.Effect<object>) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
    file === undefined ? self : Effect.ensuring(
      self,
      state.pipe(
        Effect.flatMap((state) => FileSystem.FileSystem.use((fs) => fs.writeFileString(file, `${Json.text(state)}\n`))),
        Effect.catch(({ message }) => Effect.logError(`The state could not be written to ${file}: ${message}`))
      )
    )
