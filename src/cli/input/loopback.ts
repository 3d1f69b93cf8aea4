/**
 * This machine.
 */

/** Matches a host, or host:port, of this machine. TLS is off for it by default. */
export const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i
