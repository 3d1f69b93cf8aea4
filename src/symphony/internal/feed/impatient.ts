/** How long a request waits for a login. */
import * as Context from "effect/Context"

/**
 * Whether a request waits for one attempt of a login only. A reader of the datafeed has its own schedule and reports each failure at
 * once. Other requests wait while the login is retried by the configuration's schedule.
 */
export const Impatient = Context.Reference<boolean>("effect-herald/symphony/Impatient", { defaultValue: () => false })
