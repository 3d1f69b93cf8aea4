/**
 * The parts of an update that all objects share: checks, merging, and the outcome of a write without an answer.
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

/** The problems of the arguments of an update. */
export const issuesOf = (
  { custom, retry }: AppContext.MergeOptions & { readonly retry?: Retry.Policy<AppContext.ObjectChanged> | undefined },
  f: unknown
): ReadonlyArray<PubNubError.Detail> => [
  ...Input.issues({ custom: Input.optional(Input.oneOf(["replace", "merge"]))(custom), f: Input.callback(f) }),
  ...Input.retry("retry", retry)
]

/** The error of a failed write, or `UpdateOutcomeUnknown` if it may have been carried out. */
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

/** Whether the function of an update returned nothing to write. */
export const isNothing = (fields: object): boolean =>
  Input.record(fields) === undefined && Object.values(fields).every((value) => value === undefined)

/** Merges the custom data to write into the current custom data, if `custom` is `"merge"`. */
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
 * Handles the failure of a write. If the outcome is unknown, it reads the object: when that is written, the update succeeds; when
 * it is unchanged, the update fails with the error; otherwise with `UpdateOutcomeUnknown`.
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
