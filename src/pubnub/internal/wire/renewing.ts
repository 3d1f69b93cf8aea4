/**
 * A token that renews itself, as the configuration and its requests see it. What it does is in `renewal.ts`, which only the bundles
 * of programs have that make one.
 */
import type * as Context from "effect/Context"
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type { Detail } from "../../../Reason.ts"
import type { Renewal } from "./renewal.ts"

export const TypeId = "~effect-herald/pubnub/RenewingToken"

export interface Renewing<R> {
  readonly [TypeId]: Renewal<R>
}

export const isRenewing = <R, Other>(source: Renewing<R> | Other): source is Renewing<R> =>
  Predicate.hasProperty(source, TypeId)

/** Provides a service with the same source in the context of the layer, with tokens of its own. */
export const layer = <R, I, S>(
  source: Renewing<R>,
  service: Context.Key<I, S>,
  make: (source: Renewing<never>) => S
): Layer.Layer<I, never, R> => source[TypeId].layer(service, (renewal) => make({ [TypeId]: renewal }))

export const issuesOf = <R>(source: Renewing<R>): ReadonlyArray<Detail> => source[TypeId].issues
