/** What a failure of the database means. */
import type { SqlError } from "effect/sql/SqlError"
import * as Text from "../../internal/text.ts"

/** What a driver says: the message of a `SqlError` is often general, and that of its cause is the server's. */
export const said = ({ message, reason }: SqlError): string => {
  const cause = reason.cause instanceof Error ? reason.cause.message : ""
  return Text.clause(Text.told(cause === "" || message.includes(cause) ? message : `${message}: ${cause}`))
}

/** PostgreSQL calls it a wrong statement if another process has created the table, or its type, meanwhile. */
const createdMeanwhile: ReadonlyArray<unknown> = ["42710", "42P07"]

/** Whether no other attempt can help: the table is missing or another one, or the user has no rights. */
export const isLasting = ({ reason: { _tag, cause } }: SqlError): boolean =>
  _tag === "AuthorizationError" ||
  _tag === "SqlSyntaxError" && !(cause instanceof Error && "code" in cause && createdMeanwhile.includes(cause.code))
