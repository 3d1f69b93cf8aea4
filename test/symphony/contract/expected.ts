/** What the client must make of the named answers of the mock, as plain values. */
import type { Name } from "./vendor.ts"

export const expected: { readonly [name: Name]: { readonly [preference: string]: unknown } } = {}
