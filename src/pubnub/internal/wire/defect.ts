/**
 * Turns a defect in one of our loops into a failure of every reader that waits for the loop.
 */
import type { Cursor } from "../../../Cursor.ts"
import * as Text from "../../../internal/text.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { Defect, SubscribeError } from "../../SubscribeError.ts"
import * as Token from "./token.ts"

type Config = PubNubConfig["Service"]

/** Describes a defect without the secrets of the configuration. */
export const describe = (config: Config, defect: unknown): string => Text.ofDefect(defect, Token.secrets(config))

/** The failure of a reader at a cursor. */
export const toError = (config: Config, defect: unknown, cursor: Cursor | undefined): SubscribeError =>
  new SubscribeError({
    reason: new Defect({ description: describe(config, defect) }),
    ...cursor === undefined ? {} : { cursor }
  })

/** The reason in the `Disconnected` of a reader before it fails. For `Exhausted`, the reason of the last attempt. */
export const told = (reason: SubscribeError["reason"]): NonNullable<SubscribeStatus.Disconnected["reason"]> =>
  reason._tag === "Exhausted" ? reason.last : reason

/** The same failure for a reader at another cursor. */
export const at = ({ reason }: SubscribeError, cursor: Cursor): SubscribeError => new SubscribeError({ reason, cursor })
