/**
 * The requests about channel groups, and the one that lists a group, which readers need too: a subscription to a group is
 * one to the channels that it has.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as PubNubError from "../../PubNubError.ts"
import * as Lookup from "./lookup.ts"

/** Asks for something about groups. */
export const ask = <A>(
  request: Pick<Lookup.Lookup<A>, "operation" | "path" | "issues" | "answer"> & {
    readonly query?: Lookup.Lookup<A>["query"]
  }
) =>
  Lookup.run(() => ({
    query: [],
    ...request,
    base: "/v1/channel-registration/sub-key",
    path: ["channel-group", ...request.path]
  }))

/** What is wrong with the name of a group. */
export const issuesOf = (group: string): ReadonlyArray<PubNubError.Detail> => Lookup.issuesOf("group", [group])

export const Names = Schema.Array(Schema.String)

/** The channels of a group. */
export const list = (group: string) =>
  Effect.map(
    ask({
      operation: "listChannelGroup",
      path: [group],
      issues: issuesOf(group),
      answer: Schema.Struct({ payload: Schema.Struct({ channels: Names }) })
    }),
    ({ payload }) => payload.channels
  )
