/**
 * One rule for the failures of both services: whether the service or a gateway wrote an answer, and whether the failure is final.
 */

/** Too many requests, from the service or a gateway. */
export type Verdict =
  | "RateLimited"
  /** The request is too large, for the service or a gateway. */
  | "TooLarge"
  /** The service itself refused the request: it would refuse it again. */
  | "Refused"
  /** The service failed, or something between here and the service answered in its place. Another attempt may succeed. */
  | "Failed"

/** Statuses that a gateway may send by itself, with any body. They are never final. */
const passing = [408, 425, 499]

/** A request is too large for the service or for a gateway: both are final. */
const sizes = [413, 414, 431]

/**
 * The meaning of a failure's status. Only a body of the service itself makes it a refusal: an empty body, or the page of a gateway,
 * does not show what the service would do.
 */
export const judge = (status: number, isOwn: boolean): Verdict =>
  status === 429
    ? "RateLimited"
    : sizes.includes(status)
    ? "TooLarge"
    : isOwn && status >= 400 && status < 500 && !passing.includes(status)
    ? "Refused"
    : "Failed"

/** Whether the answer is a redirect. A browser shows the status 0 for a redirect that it does not follow. */
export const isRedirect = (status: number): boolean => status === 0 || status >= 300 && status < 400

/** The description of a failure without an explanation. */
export const unexplained = "no explanation"

/** The description of a redirect, which is never followed. */
export const redirected = "it redirected to another address, and redirects are never followed"

/** The description of an answer that is larger than its limit. */
export const oversized = "it is larger than maxAnswerSize"
