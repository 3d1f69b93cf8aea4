/** What browsers ask for before a page of another origin may talk to the service. */

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Every page may read every answer, as it may the service's. Who may ask at all is for the server in front to say. */
export const allow = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, "access-control-allow-origin": "*", "access-control-expose-headers": "*" }
})

/** The answer to the question whether a request of a page would be let in. */
export const preflight: Answer = allow({
  status: 204,
  headers: {
    "access-control-allow-methods": "GET, POST, PATCH, DELETE, OPTIONS",
    // All but `authorization`, which has to be named.
    "access-control-allow-headers": "*, authorization",
    "access-control-max-age": "3600"
  },
  body: ""
})
