/** What the page of the PubNub emulator shows. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as PubNubEmulator from "../../../testing/PubNubEmulator.ts"
import * as json from "../../../testing/server/json.ts"
import { pairsOf } from "../../../testing/server/percent.ts"
import type { Network } from "./inspector.ts"

/** The most rows of a table. */
const most = 200

/** The longest value that the page shows. */
const longest = 2_000

/** What the page gets. */
export type State = Effect.Success<ReturnType<ReturnType<typeof stateOf>>> & { readonly network: Network }

const shown = (value: unknown): string => json.write(value).slice(0, longest)

/** Milliseconds since 1970. */
const millisOf = (timetoken: string): number => Number(BigInt(timetoken) / 10_000n)

const objectRow = ({ custom, etag: _, updated, ...rest }: PubNubEmulator.StoredObject) => ({
  ...rest,
  custom: custom === undefined ? "" : shown(custom),
  updated: DateTime.toEpochMillis(updated)
})

/** The tokens of the newest requests, and those that are refused. */
const tokensOf = (
  requests: ReadonlyArray<PubNubEmulator.HandledRequest>,
  refused: ReadonlyArray<PubNubEmulator.RefusedToken>
) => {
  const used = requests.slice(-500).flatMap(({ target }) => {
    if (!target.includes("auth=")) return []
    const token = new Map(pairsOf(target.split(/\?(.*)/s)[1] ?? "")).get("auth")
    return token === undefined || token === "" ? [] : [[token, "in use"] as const]
  })
  return [...new Map<string, string>([...used, ...refused.map(({ reason, token }) => [token, reason] as const)])]
    .slice(-most).map(([token, status]) => ({ token, status }))
}

/** What the page shows. `selected` is a channel; without it, the page shows all of them. */
export const stateOf = (
  emulator: PubNubEmulator.PubNubEmulator["Service"],
  keys: Pick<PubNubEmulator.Keyset, "publishKey" | "subscribeKey">
) =>
(selected: string | undefined) =>
  Effect.gen(function*() {
    const names = (yield* emulator.channelNames).slice(0, most)
    const events = yield* emulator.events({ channel: selected, limit: most })
    const groups = (yield* emulator.groups).slice(0, most)
    return {
      keys: { subscribeKey: keys.subscribeKey, publishKey: keys.publishKey },
      channels: yield* Effect.forEach(names, (name) =>
        Effect.map(emulator.occupants({ channel: name }), (occupants) => ({ name, present: occupants.length }))),
      selected: selected ?? "",
      events: events.map(({ channel, customMessageType, kind, meta, payload, publisher, timetoken }) => ({
        channel,
        timetoken,
        time: millisOf(timetoken),
        kind: channel.endsWith("-pnpres") ? "Presence" : String(kind),
        publisher: publisher ?? "",
        type: customMessageType ?? "",
        // The metadata of a presence event says the same as its payload.
        meta: meta === undefined || channel.endsWith("-pnpres") ? "" : shown(meta),
        payload: shown(payload)
      })),
      present: selected === undefined ? [] : (yield* emulator.occupants({ channel: selected })).slice(0, most),
      actions: selected === undefined ? [] : (yield* emulator.actions({ channel: selected })).slice(-most),
      users: (yield* emulator.users).slice(0, most).map((user) => ({
        ...objectRow(user),
        id: user.id,
        name: user.name,
        email: user.email
      })),
      metadata: (yield* emulator.channels).slice(0, most).map((channel) => ({
        ...objectRow(channel),
        id: channel.id,
        name: channel.name,
        description: channel.description
      })),
      memberships: (yield* emulator.memberships).slice(0, most).map((membership) => ({
        ...objectRow(membership),
        channel: membership.channel,
        userId: membership.userId
      })),
      groups: yield* Effect.forEach(groups, (group) =>
        Effect.map(emulator.groupChannels({ group }), (channels) => ({ group, channels: channels.slice(0, most) }))),
      tokens: tokensOf(yield* emulator.requests, yield* emulator.refusedTokens),
      readers: yield* emulator.readers
    }
  })
