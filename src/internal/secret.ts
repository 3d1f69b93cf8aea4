/** Secrets from callers. Without a compiler they may have any type, and they may be wiped. */
import * as Redacted from "effect/Redacted"
import type * as Input from "./input.ts"

/** The text of a secret, if it is redacted text that can be sent. */
export const textOf = (secret: unknown): string | undefined => {
  try {
    const value = Redacted.isRedacted(secret) ? Redacted.value(secret) : undefined
    return typeof value === "string" && value.isWellFormed() ? value : undefined
  } catch {
    // It was wiped.
    return undefined
  }
}

/** The texts of the values that are secrets. */
export const textsOf = (secrets: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  secrets.flatMap((secret) => textOf(secret) ?? [])

/** Checks for redacted text. An error shows no part of it. */
export const check: Input.Check = (value) => textOf(value) === undefined ? "is not a Redacted string" : undefined
