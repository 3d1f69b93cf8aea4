/** Answers the questions of browsers before pages of other origins use the service. */
import type { Answer } from "./message.ts"

/** Lets every page read the answer, as the service does. The server in front decides whose requests are answered at all. */
export const allow = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, "access-control-allow-origin": "*", "access-control-expose-headers": "*" }
})

/** The answer to a browser that asks whether a page may send a request. */
export const preflight: Answer = allow({
  status: 204,
  headers: {
    "access-control-allow-methods": "GET, POST, PATCH, DELETE, OPTIONS",
    // `*` is all but `authorization`.
    "access-control-allow-headers": "*, authorization",
    "access-control-max-age": "3600"
  },
  body: ""
})
