/**
 * The one rule for answers that are no success, of both services: who wrote them, and whether they are the last word on a
 * request.
 */

/** Too many requests, whoever says so. */
export type Verdict =
  | "RateLimited"
  /** The request is too large, whoever says so. */
  | "TooLarge"
  /** The service itself refused the request: it would refuse it again. */
  | "Refused"
  /** The service failed, or something between here and the service answered in its place. Another attempt may succeed. */
  | "Failed"

/** What any hop may answer on its own, in whatever words: it is never the last word on a request. */
const passing = [408, 425, 499]

/** What is too large is so whoever says it. */
const sizes = [413, 414, 431]

/**
 * What the status of a failure means. Only a body that is the service's own makes a refusal of it: an empty one, or the page of
 * some gateway, says nothing of what the service would do.
 */
export const judge = (status: number, isOwn: boolean): Verdict =>
  status === 429
    ? "RateLimited"
    : sizes.includes(status)
    ? "TooLarge"
    : isOwn && status >= 400 && status < 500 && !passing.includes(status)
    ? "Refused"
    : "Failed"

/** Whether nothing was read of where the service is: a browser hides the status of a redirect that it does not follow. */
export const isRedirect = (status: number): boolean => status === 0 || status >= 300 && status < 400

/** What a failure says that explains nothing. */
export const unexplained = "no explanation"

/** What is told of a redirect, which is never followed. */
export const redirected = "it redirected to another address, and redirects are never followed"

/** What is told of an answer that is not read to its end. */
export const oversized = "it is larger than maxAnswerSize"
