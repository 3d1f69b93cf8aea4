/**
 * What becomes of a defect in a loop of ours: a failure of every reader that waits for it.
 */
import type { Cursor } from "../../../Cursor.ts"
import * as Text from "../../../internal/text.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { Defect, SubscribeError } from "../../SubscribeError.ts"
import * as Token from "./token.ts"

type Config = PubNubConfig["Service"]

/** What threw, without the secrets of the configuration. */
export const describe = (config: Config, defect: unknown): string => Text.ofDefect(defect, Token.secrets(config))

/** The failure of a reader that stands at this cursor. */
export const toError = (config: Config, defect: unknown, cursor: Cursor | undefined): SubscribeError =>
  new SubscribeError({
    reason: new Defect({ description: describe(config, defect) }),
    ...cursor === undefined ? {} : { cursor }
  })

/** What a reader is told before it fails. A schedule that ended is told as what it gave up on. */
export const told = (reason: SubscribeError["reason"]): NonNullable<SubscribeStatus.Disconnected["reason"]> =>
  reason._tag === "Exhausted" ? reason.last : reason

/** The same failure for a reader that stands elsewhere. */
export const at = ({ reason }: SubscribeError, cursor: Cursor): SubscribeError => new SubscribeError({ reason, cursor })
