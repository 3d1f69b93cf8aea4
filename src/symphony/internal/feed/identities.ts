/** Checks a bot or an application before its key is used. */
import type * as Redacted from "effect/Redacted"
import * as Input from "../../../internal/input.ts"
import * as Secret from "../../../internal/secret.ts"
import type { Detail } from "../../SymphonyError.ts"

/** What is wrong with a bot, or an application, whose name is in the given field. */
export const issuesOf = <Field extends string>(
  location: string,
  field: Field,
  identity: { readonly [F in Field]: string } & { readonly privateKey: Redacted.Redacted }
): ReadonlyArray<Detail> => {
  const misfit = Input.record(identity)
  return Input.issues(
    misfit !== undefined ? { [location]: misfit } : {
      [`${location}.${field}`]: Input.notBlank(identity[field]),
      [`${location}.privateKey`]: Secret.check(identity.privateKey)
    }
  )
}
