/**
 * What all updates do: read, apply a function, write, and find out what became of a write whose answer was lost.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Input from "../../../internal/input.ts"
import type * as Retry from "../../../Retry.ts"
import * as AppContext from "../../AppContext.ts"
import * as PubNubError from "../../PubNubError.ts"
import type { Owner } from "./custom.ts"
import * as Outcome from "../wire/outcome.ts"
import type { Body } from "./fields.ts"

/** What is wrong with what an update is given. */
export const issuesOf = (
  { custom, retry }: AppContext.MergeOptions & { readonly retry?: Retry.Policy<AppContext.ObjectChanged> | undefined },
  f: unknown
): ReadonlyArray<PubNubError.Detail> => [
  ...Input.issues({ custom: Input.optional(Input.oneOf(["replace", "merge"]))(custom), f: Input.callback(f) }),
  ...Input.retry("retry", retry)
]

/** The error, or that nobody knows whether the write was carried out. */
export const unlessKnown = <E>(
  owner: Owner,
  error: PubNubError.PubNubError | E
): PubNubError.PubNubError | AppContext.UpdateOutcomeUnknown | E =>
  error instanceof PubNubError.PubNubError
    ? Result.match(Outcome.judge(error.reason), {
      onSuccess: () => error,
      onFailure: (reason) => new AppContext.UpdateOutcomeUnknown({ ...owner, reason })
    })
    : error

/** Whether a function gave nothing to write. */
export const isNothing = (fields: object): boolean =>
  Input.record(fields) === undefined && Object.values(fields).every((value) => value === undefined)

/** The fields with the custom data that is there beneath theirs, where it is to be merged. */
export const merge = (
  body: Body,
  before: AppContext.Included,
  how: AppContext.MergeOptions["custom"] = "replace"
): Body => {
  const { custom } = body
  return how === "merge" && typeof custom === "object" && custom !== null
    ? { ...body, custom: { ...before.custom, ...custom } }
    : body
}

/**
 * A write that failed: where its answer was lost, the object as it is now tells whether it was written. If it is what it
 * was, it was not, so far.
 */
export const settle = <A extends AppContext.Versioned, E, R>(
  owner: Owner,
  before: AppContext.Versioned,
  read: Effect.Effect<A, E, R>,
  isWritten: (now: A) => boolean
) =>
(error: PubNubError.PubNubError): Effect.Effect<A, PubNubError.PubNubError | AppContext.UpdateOutcomeUnknown, R> =>
  Result.match(Outcome.judge(error.reason), {
    onSuccess: () => Effect.fail(error),
    onFailure: (reason) => {
      const unknown = new AppContext.UpdateOutcomeUnknown({ ...owner, reason })
      return Effect.matchEffect(read, {
        onFailure: () => Effect.fail(unknown),
        onSuccess: (now) =>
          isWritten(now) ? Effect.succeed(now) : Effect.fail(now.etag === before.etag ? error : unknown)
      })
    }
  })
