/**
 * Whose requests an emulator on a port answers: programs that call this machine by its name, and pages that it serves.
 *
 * A browser reaches this machine's ports for any page. A foreign page may point a name of its own at this machine (DNS
 * rebinding), or send requests whose answers it cannot read. This is enough to publish.
 */

/** Names that reach this machine only. */
const isLoopback = (name: string): boolean =>
  name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name)

/** A name without its port, in lower case. */
const nameOf = (host: string): string => host.toLowerCase().replace(/:\d{0,5}$/, "")

const nameOfOrigin = (origin: string): string | undefined =>
  /^https?:\/\/([^/?#@]+)$/.exec(origin.toLowerCase())?.[1]?.replace(/:\d{1,5}$/, "")

/** The headers that identify the caller. */
export interface Headers {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly "sec-fetch-site"?: string | undefined
}

/** Why a request is refused, or `undefined`. `hosts` and `origins` are allowed beside those of this machine. */
export const refusal = (
  headers: Headers,
  hosts: ReadonlyArray<string>,
  origins: ReadonlyArray<string>
): string | undefined => {
  const name = nameOf(headers.host ?? "")
  if (!isLoopback(name) && !hosts.some((host) => host.toLowerCase() === name)) {
    return "the Host of the request is not a name of this machine: call 127.0.0.1 or localhost, or list the name in hosts (--allow-host)"
  }
  const { origin } = headers
  if (origin === undefined) {
    return headers["sec-fetch-site"] === "cross-site"
      ? "a page of another origin sent the request without an Origin header: use fetch with CORS"
      : undefined
  }
  return origins.includes(origin) || isLoopback(nameOfOrigin(origin) ?? "")
    ? undefined
    : "this machine does not serve the page that sent the request: list its origin in origins (--allow-origin)"
}
