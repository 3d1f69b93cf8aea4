import type * as AppContext from "./AppContext.ts"
export interface Fields<C = AppContext.Custom> {
  readonly status?: AppContext.Settable<string> | undefined
  readonly type?: AppContext.Settable<string> | undefined
  readonly custom?: AppContext.Settable<C> | undefined
}
export type Item<C> = string | Fields<C> & { readonly id: string }
