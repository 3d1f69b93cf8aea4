/** Who waits for a login, and for how long. */
import * as Context from "effect/Context"

/**
 * Whether a request waits for one attempt of a login only. A reader of the datafeed has a schedule of its own, and tells of each
 * failure at once; all others wait until the login has been tried again by the configuration's schedule.
 */
export const Impatient = Context.Reference<boolean>("effect-herald/symphony/Impatient", { defaultValue: () => false })
