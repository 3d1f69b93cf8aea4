/**
 * Who may ask an emulator on a port: programs that call it by a name of this machine, and pages that this machine serves.
 *
 * A browser reaches this machine's ports for any page. A page elsewhere may call a name that it points here itself (DNS
 * rebinding), or send requests whose answers it cannot read, and a publish needs no more.
 */

/** Names that reach this machine only. */
const isLoopback = (name: string): boolean =>
  name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name)

/** A name without its port, in lower case. */
const nameOf = (host: string): string => host.toLowerCase().replace(/:\d{0,5}$/, "")

const nameOfOrigin = (origin: string): string | undefined =>
  /^https?:\/\/([^/?#@]+)$/.exec(origin.toLowerCase())?.[1]?.replace(/:\d{1,5}$/, "")

/** What the headers of a request say of its caller. */
export interface Headers {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly "sec-fetch-site"?: string | undefined
}

/** Why a request is not answered, or `undefined`. `hosts` and `origins` are allowed beside those of this machine. */
export const refusal = (
  headers: Headers,
  hosts: ReadonlyArray<string>,
  origins: ReadonlyArray<string>
): string | undefined => {
  const name = nameOf(headers.host ?? "")
  if (!isLoopback(name) && !hosts.some((host) => host.toLowerCase() === name)) {
    return "the Host of the request is no name of this machine: call 127.0.0.1 or localhost, or list the name in hosts (--allow-host)"
  }
  const { origin } = headers
  if (origin === undefined) {
    return headers["sec-fetch-site"] === "cross-site"
      ? "a page elsewhere caused the request, and did not say which: use fetch with CORS"
      : undefined
  }
  return origins.includes(origin) || isLoopback(nameOfOrigin(origin) ?? "")
    ? undefined
    : "the page that asks is not served by this machine: list its origin in origins (--allow-origin)"
}
